"""Announce a bucket's new objects, beside the notifications that others have put on it.

A custom resource. S3 replaces a bucket's whole configuration at once and refuses overlapping ones
without saying whose: so this reads, merges its own entry by its Id, and writes back.
"""

import json
import logging
import os
import urllib.request
from typing import Any

logger = logging.getLogger()
logger.setLevel(os.environ.get("LOG_LEVEL", "INFO"))

Event = dict[str, Any]


def lambda_handler(event: Event, _context: Any) -> None:
    """Carry out the request, and answer CloudFormation whatever happens."""
    answer = {
        "Status": "SUCCESS",
        "Reason": "",
        "PhysicalResourceId": event.get("PhysicalResourceId") or event["LogicalResourceId"],
        "StackId": event["StackId"],
        "RequestId": event["RequestId"],
        "LogicalResourceId": event["LogicalResourceId"],
    }
    try:
        # Here, so that a broken package is answered too.
        from notifications import carry_out

        answer["PhysicalResourceId"] = carry_out(event, os.environ["NOTIFICATION_ID"])
    except Exception as error:
        logger.exception("the bucket could not be configured")
        answer |= {"Status": "FAILED", "Reason": f"{type(error).__name__}: {error}"[:1000]}
    respond(event["ResponseURL"], answer)


def respond(url: str, answer: dict[str, str]) -> None:
    """Send the answer to the address that CloudFormation waits at."""
    body = json.dumps(answer).encode()
    # A presigned address: S3 refuses a content type that was not signed.
    headers = {"Content-Type": ""}
    request = urllib.request.Request(url, data=body, method="PUT", headers=headers)  # noqa: S310 - https, from CloudFormation
    with urllib.request.urlopen(request, timeout=30) as response:  # noqa: S310
        logger.info("answered", extra={"status": response.status})
