"""Put the mapping templates into the search engine when the stack is created or updated.

A custom resource. Deleting it takes away the access that it gave, and none of the user's data.
"""

import json
import time
from typing import Any

from servicelogs import cloudformation
from servicelogs.log_lines import start_logging

logger = start_logging()

Event = dict[str, Any]

# Below the resource's ServiceTimeout of 1800 s.
WAIT_SECONDS = 1500
ROLE_SECONDS = 90  # a role made a moment ago is not known everywhere yet
PAUSE_SECONDS = 10
ATTEMPT_SECONDS = 60  # what the last attempt of an invocation may take


def lambda_handler(event: Event, context: Any) -> None:
    """Carry out the request; answer CloudFormation whatever happens, or hand on to a later call."""
    try:
        if event["RequestType"] == "Delete":
            withdraw_access(event)
        elif not set_up_in_time(event, context):
            return
    except ImportError as error:
        logger.exception("a layer cannot be imported")
        cloudformation.fail_to_import(event, error)
    except Exception as error:
        logger.exception("the search engine was not set up")
        cloudformation.fail(event, f"OpenSearch was not set up: {type(error).__name__}: {error}")
    else:
        cloudformation.succeed(event)


def set_up_in_time(event: Event, context: Any) -> bool:
    """Set up the search engine, waiting for it; False when another invocation goes on."""
    # Here, so that a layer that cannot be imported is answered.
    from servicelogs.errors import ClusterNeedsFixing, TryLater
    from servicelogs.opensearch.set_up_function import prepare

    began = event.setdefault("Began", time.time())
    attempt = prepare(event["ResourceProperties"])
    while True:
        try:
            logger.info("templates in place", extra={"names": attempt()})
        except (TryLater, ClusterNeedsFixing) as error:
            waited = time.time() - began
            patience = WAIT_SECONDS if isinstance(error, TryLater) else ROLE_SECONDS
            if waited > patience:
                raise
            logger.warning("trying again", extra={"waited": round(waited), "error": str(error)})
        else:
            return True
        if context.get_remaining_time_in_millis() < (ATTEMPT_SECONDS + PAUSE_SECONDS) * 1000:
            invoke_again(event, context)
            return False
        time.sleep(PAUSE_SECONDS)


def withdraw_access(event: Event) -> None:
    """Take the roles' access away, if the setup let them in."""
    try:
        from servicelogs.opensearch.access import take_out

        take_out(event["ResourceProperties"])
    except ImportError:
        logger.exception("security roles stay: a layer cannot be imported")


def invoke_again(event: Event, context: Any) -> None:
    """Hand the request to a new invocation, which answers it."""
    import boto3  # late, as all that could fail before there is an answer

    boto3.client("lambda").invoke(
        FunctionName=context.invoked_function_arn,
        InvocationType="Event",
        Payload=json.dumps(event).encode(),
    )
