"""Subscribe log groups to where this deployment reads them.

A custom resource. CloudFormation's own subscription filter does not say which filters a log group
has when CloudWatch Logs refuses another, and takes a group of the deployment's own as readily.
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
        from servicelogs.sources.log_subscriptions import carry_out

        own_id = os.environ["FILTER_NAME"]
        physical_id = cloudformation.in_time(lambda: carry_out(event, own_id), context)
    except Exception as error:
        logger.exception("the log groups could not be subscribed")
        cloudformation.fail(
            event, f"the log groups could not be subscribed: {type(error).__name__}: {error}"
        )
    else:
        cloudformation.succeed(event, physical_id)
