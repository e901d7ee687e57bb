"""Put the mapping templates and the dashboards in place when the stack is created or updated.

A custom resource. Deleting it takes away the access that it gave, and none of the user's data.
"""

import json
import time
from typing import Any

from servicelogs import cloudformation
from servicelogs.log_lines import fail_on_one_line, start_logging

logger = start_logging()

Event = dict[str, Any]

# Below the resource's ServiceTimeout of 1800 s.
WAIT_SECONDS = 1500
ROLE_SECONDS = 90  # a role made a moment ago is not known everywhere yet
PAUSE_SECONDS = 10
# The last attempt of an invocation may take a minute, before it hands on or answers.
LEAST_SECONDS = PAUSE_SECONDS + 60 + cloudformation.SECONDS_TO_ANSWER


@fail_on_one_line
def lambda_handler(event: Event, context: Any) -> None:
    """Carry out the request; answer CloudFormation whatever happens, or hand on to a later call."""
    attributes: dict[str, str] | None = {"Dashboards": ""}
    try:
        if event["RequestType"] == "Delete":
            withdraw_access(event, context)
        else:
            attributes = set_up_in_time(event, context)
    except ImportError as error:
        logger.exception("a layer cannot be imported")
        cloudformation.fail_to_import(event, error)
    except Exception as error:
        logger.exception("the search engine was not set up")
        cloudformation.fail(event, f"OpenSearch was not set up: {type(error).__name__}: {error}")
    else:
        if attributes is not None:
            cloudformation.succeed(event, attributes=attributes)


def set_up_in_time(event: Event, context: Any) -> dict[str, str] | None:
    """Set up the search engine, waiting for it; None when another invocation goes on."""
    # Here, so that a layer that cannot be imported is answered.
    from servicelogs.errors import ClusterNeedsFixing, OutOfTime, TryLater
    from servicelogs.opensearch.set_up_function import prepare

    began, asked = event.setdefault("Began", time.time()), event["ResourceProperties"]
    while True:
        try:
            attributes = cloudformation.in_time(lambda: prepare(asked), context)
        except (TryLater, OutOfTime, ClusterNeedsFixing) as error:
            waited = time.time() - began
            patience = ROLE_SECONDS if isinstance(error, ClusterNeedsFixing) else WAIT_SECONDS
            if waited > patience:
                raise
            logger.warning("trying again", extra={"waited": round(waited), "error": str(error)})
        else:
            logger.info("templates in place", extra=attributes)
            return attributes
        if context.get_remaining_time_in_millis() < LEAST_SECONDS * 1000:
            invoke_again(event, context)
            return None
        time.sleep(PAUSE_SECONDS)


def withdraw_access(event: Event, context: Any) -> None:
    """Take the roles' access away, if the setup let them in; the stack goes in any case."""
    try:
        from servicelogs.opensearch.access import take_out

        cloudformation.in_time(lambda: take_out(event["ResourceProperties"]), context)
    except (ImportError, cloudformation.OutOfTime):
        logger.exception("security roles stay")


def invoke_again(event: Event, context: Any) -> None:
    """Hand the request to a new invocation, which answers it; fail soon if Lambda does not."""
    import boto3  # late, as all that could fail before there is an answer
    from botocore.config import Config

    soon = Config(connect_timeout=5, read_timeout=10, retries={"total_max_attempts": 1})
    arn, payload = context.invoked_function_arn, json.dumps(event).encode()
    client = boto3.client("lambda", config=soon)
    client.invoke(FunctionName=arn, InvocationType="Event", Payload=payload)
