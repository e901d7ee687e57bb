"""Envelopes of CloudWatch Logs' subscriptions, as tests write them down."""

import json
from typing import Any

GROUP, STREAM, OWNER = "/shop/flows", "eni-0a1b-all", "111122223333"
FIRST_TIME = 1795162495123
"""2026-11-20T08:14:55.123Z."""


def event(number: int, message: str, **members: Any) -> dict[str, Any]:
    """Make a log event; its id and its time follow from its number."""
    return {
        "id": f"{number:056d}",
        "timestamp": FIRST_TIME + number,
        "message": message,
    } | members


def envelope(*messages: str | dict[str, Any], first: int = 1, **members: Any) -> bytes:
    """Write an envelope of events, numbered from `first`, or of events as they are."""
    events = [
        event(number, one) if isinstance(one, str) else one
        for number, one in enumerate(messages, first)
    ]
    whole = {
        "messageType": "DATA_MESSAGE",
        "owner": OWNER,
        "logGroup": GROUP,
        "logStream": STREAM,
        "subscriptionFilters": ["all"],
        "logEvents": events,
    }
    return json.dumps(whole | members, separators=(",", ":"), ensure_ascii=False).encode()


CONTROL = envelope(
    {"id": "", "timestamp": FIRST_TIME, "message": "CWL CONTROL MESSAGE: Checking health."},
    messageType="CONTROL_MESSAGE",
    owner="CloudwatchLogs",
    logGroup="",
    logStream="",
    subscriptionFilters=[],
)
