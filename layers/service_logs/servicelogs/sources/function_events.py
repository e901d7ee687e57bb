"""Events that Lambda hands to a function: what is asked of one is there, or the error names it."""

from typing import Any

import msgspec

from servicelogs.errors import UnreadableEvent


class _Event(msgspec.Struct):
    records: list[Any] = msgspec.field(name="Records")


def records_of(event: object) -> list[Any]:
    """Give the records of an event; an UnreadableEvent if it has none."""
    return checked(event, _Event, "an event with records").records


def checked[Expected](value: object, expected: type[Expected], what: str) -> Expected:
    """Read a value as a type; an UnreadableEvent that names the member if it is not `what`."""
    try:
        return msgspec.convert(value, expected, strict=False)
    except (msgspec.ValidationError, UnicodeError) as error:
        raise UnreadableEvent(f"it is not {what}: {error}") from error
