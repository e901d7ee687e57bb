"""Have a bucket notify of its new objects, beside the notifications that others have put on it.

A custom resource. S3 replaces a bucket's whole configuration at once and refuses overlapping ones
without saying whose: so this reads, merges its own entry by its Id, and writes back.
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
        from servicelogs.sources.bucket_notifications import carry_out

        own_id = os.environ["NOTIFICATION_ID"]
        physical_id = cloudformation.in_time(lambda: carry_out(event, own_id), context)
    except Exception as error:
        logger.exception("the bucket could not be configured")
        cloudformation.fail(
            event, f"the bucket could not be configured: {type(error).__name__}: {error}"
        )
    else:
        cloudformation.succeed(event, physical_id)
