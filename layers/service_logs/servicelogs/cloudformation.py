"""The answer that CloudFormation waits for after each request to a custom resource.

Needs the standard library alone: a function whose other imports fail must still answer.
"""

import json
import logging
import platform
import urllib.request
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Protocol

from servicelogs.errors import OutOfTime, UnreadableEvent, one_line

logger = logging.getLogger(__name__)

# In bytes, of the JSON with all that goes with a reason; CloudFormation takes 4096.
_LONGEST_ANSWER = 4000


SECONDS_TO_ANSWER = 45
"""What an answer may take, or handing the request on: a function that is ended answers nothing."""

_ASKED_FOR = ("StackId", "RequestId", "LogicalResourceId", "ResponseURL")
"""What an answer needs of a request."""


class Invocation(Protocol):
    """Says how long a function may still run."""

    def get_remaining_time_in_millis(self) -> int:
        """Give the milliseconds after which Lambda ends it."""
        ...


def in_time[Result](work: Callable[[], Result], context: Invocation) -> Result:
    """Do the work of a request; raise OutOfTime, whatever it waits for, in time to answer."""
    seconds = context.get_remaining_time_in_millis() / 1000 - SECONDS_TO_ANSWER
    worker = ThreadPoolExecutor(max_workers=1)
    doing = worker.submit(work)
    try:
        return doing.result(timeout=max(seconds, 0))
    except TimeoutError as error:
        if doing.done():  # it is the work's own
            raise
        raise OutOfTime(
            f"it was not done in {seconds:.0f} seconds: see what does not answer, in a VPC whether "
            "its endpoints are there"
        ) from error
    finally:
        # What hangs is left behind; Lambda stops it with the invocation.
        worker.shutdown(wait=False, cancel_futures=True)


def succeed(
    event: Mapping[str, Any], physical_id: str = "", attributes: Mapping[str, str] | None = None
) -> None:
    """Answer that the request was carried out, on the resource with this physical id.

    A template reads the attributes by Fn::GetAtt.
    """
    outcome: dict[str, Any] = {"Status": "SUCCESS"}
    if physical_id:
        outcome["PhysicalResourceId"] = physical_id
    if attributes:
        outcome["Data"] = dict(attributes)
    _answer(event, outcome)


def fail(event: Mapping[str, Any], reason: str) -> None:
    """Answer that the request was not carried out, and why; a reason that is too long is cut."""
    reason = one_line(reason)
    outcome = {"Status": "FAILED", "Reason": reason}
    while reason and len(_body(event, outcome)) > _LONGEST_ANSWER:
        reason = reason[: len(reason) * 9 // 10]
        outcome["Reason"] = reason
    _answer(event, outcome)


def fail_to_import(event: Mapping[str, Any], error: ImportError) -> None:
    """Answer that a layer cannot be imported, and what to do."""
    fail(
        event,
        f"the layers do not run on {platform.machine()} ({error}): "
        "build again with ARCHITECTURE as the parameter Architecture says",
    )


def _answer(event: Mapping[str, Any], outcome: Mapping[str, Any]) -> None:
    body = _body(event, outcome)
    request = urllib.request.Request(  # noqa: S310 - https, from CloudFormation
        event["ResponseURL"],
        data=body,
        method="PUT",
        # A presigned address: S3 refuses a content type that was not signed.
        headers={"Content-Type": ""},
    )
    with urllib.request.urlopen(request, timeout=30) as response:  # noqa: S310
        logger.info("answer sent to CloudFormation", extra={"status": response.status})


def _body(event: Mapping[str, Any], outcome: Mapping[str, Any]) -> bytes:
    missing = [name for name in _ASKED_FOR if not isinstance(event.get(name), str)]
    if missing:
        raise UnreadableEvent(
            f"it is not a request of CloudFormation to a custom resource: it has no "
            f"{', '.join(missing)}"
        )
    answer = {
        "PhysicalResourceId": event.get("PhysicalResourceId") or event["LogicalResourceId"],
        "StackId": event["StackId"],
        "RequestId": event["RequestId"],
        "LogicalResourceId": event["LogicalResourceId"],
        **outcome,
    }
    return json.dumps(answer).encode()
