"""Have a bucket notify of its new objects, and let them be read, beside what others have set there.

Two kinds of custom resources. S3 replaces a bucket's whole configuration or policy at once, and
refuses overlapping notifications without saying whose: so this reads, merges its own by their
names, and writes back.
"""

import os
from typing import Any

from servicelogs import cloudformation
from servicelogs.log_lines import fail_on_one_line, start_logging

logger = start_logging()

Event = dict[str, Any]


@fail_on_one_line
def lambda_handler(event: Event, context: Any) -> None:
    """Carry out the request, and answer CloudFormation whatever happens."""
    try:
        # Here, so that a broken package is answered too.
        from servicelogs.sources import bucket_notifications, bucket_policies

        carry_out = {
            "Custom::BucketNotification": bucket_notifications.carry_out,
            "Custom::BucketPolicy": bucket_policies.carry_out,
        }[event["ResourceType"]]
        own_id = os.environ["NOTIFICATION_ID"]
        physical_id = cloudformation.in_time(lambda: carry_out(event, own_id), context)
    except Exception as error:
        logger.exception("the bucket could not be configured")
        cloudformation.fail(
            event, f"the bucket could not be configured: {type(error).__name__}: {error}"
        )
    else:
        cloudformation.succeed(event, physical_id)
