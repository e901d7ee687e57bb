"""Envelopes that the decoder of good ones does not take: what can be read of them is."""

import json
from typing import Any, NamedTuple

import msgspec

from servicelogs.parsing.json.values import Repeated, decode
from servicelogs.sources.log_events import Event, text_of

_SHOWN = 60
_PLACES = ("owner", "logGroup", "logStream", "policyLevel")


class BadEvent(NamedTuple):
    """An event that cannot be read, and why."""

    reason: str
    raw: bytes


class OddEnvelope(NamedTuple):
    """An envelope event by event."""

    message_type: str
    log_events: list[Event | BadEvent]
    owner: str
    log_group: str
    log_stream: str
    policy_level: str


def read_odd(text: bytes) -> OddEnvelope:
    """Read an envelope; a ValueError that says why if it is not one.

    Control characters, bytes that are not UTF-8 and halves of surrogate pairs pass.
    """
    try:
        envelope = decode(text)
    except (ValueError, RecursionError) as error:
        raise ValueError(f"the envelope of CloudWatch Logs cannot be read: {error}") from error
    members = {name: _last(value) for name, value in envelope.items()}
    kind, events = members.get("messageType"), members.get("logEvents")
    if not isinstance(kind, str) or not (isinstance(events, list) or kind != "DATA_MESSAGE"):
        raise ValueError(f"it is not a message with log events: its messageType is {_shown(kind)}")
    names = (members.get(name) for name in _PLACES)
    return OddEnvelope(
        kind,
        [_read_event(event) for event in events or ()],
        *(name if isinstance(name, str) else "" for name in names),
    )


def _read_event(event: Any) -> Event | BadEvent:
    if not isinstance(event, dict):
        return BadEvent(f"the log event is not an object: {_shown(event)}", _encode(event))
    values = {name: _last(value) for name, value in event.items()}
    timestamp, message = values.get("timestamp"), values.get("message")
    if not isinstance(timestamp, int) or isinstance(timestamp, bool) or abs(timestamp) >= 2**63:
        reason = f"the log event has no time in milliseconds: {_shown(timestamp)}"
        return BadEvent(reason, _encode(event))
    if message is None:
        return BadEvent("the log event has no message", _encode(event))
    extracted = values.get("extractedFields")
    return Event(
        timestamp,
        text_of(message).encode("utf-8", "replace").decode(),
        text_of(values.get("id") or ""),
        msgspec.Raw(_encode(extracted) if extracted else b""),
    )


def _last(value: Any) -> Any:
    return value[-1] if isinstance(value, Repeated) else value


def _encode(value: Any) -> bytes:
    return json.dumps(value, ensure_ascii=False).encode("utf-8", "replace")


def _shown(value: Any) -> str:
    return repr(text_of(value)[:_SHOWN])
