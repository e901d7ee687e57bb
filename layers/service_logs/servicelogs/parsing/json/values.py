"""What a decoded JSON record says, by the declaration of its format."""

import json
import re
from collections.abc import Iterable, Iterator
from datetime import timedelta
from typing import Any

from servicelogs.dates import EPOCH, iso
from servicelogs.parsing.json.format import JsonFormat

# Of a value that does not match, which its reason shows.
_SHOWN = 40
_EXAMPLE = "2026-11-20T08:14:55Z"

is_iso_time = re.compile(
    r"\d{4}-\d\d-\d\dT\d\d:[0-5]\d:[0-5]\d(?:\.\d{1,9}+)?+Z", re.ASCII
).fullmatch


def decode(data: bytes) -> dict[str, Any]:
    """Decode one JSON object, also with control characters and bytes that are not UTF-8.

    A ValueError if it is not one, a RecursionError if it nests too deep.
    """
    text = data.decode("utf-8", "replace")
    try:
        record = json.loads(text, strict=False)
    except json.JSONDecodeError as error:
        near = text[error.pos : error.pos + _SHOWN]
        raise ValueError(
            f"the record is not JSON from character {error.pos + 1} on: {near!r} ({error.msg})"
        ) from error
    except ValueError as error:  # Python's limit
        raise ValueError(f"the record holds a number with too many digits ({error})") from error
    if not isinstance(record, dict):
        raise ValueError(f"the record is not a JSON object: {text[:_SHOWN]!r}")
    return record


def value_at(record: object, path: str) -> object:
    """Follow a dotted path through objects; None where it ends early."""
    for name in path.split("."):
        if not isinstance(record, dict):
            return None
        record = record.get(name)
    return record


def strings_at(record: dict[str, Any], paths: Iterable[str]) -> Iterator[str]:
    """Give the values of paths that are strings."""
    values = (value_at(record, path) for path in paths)
    return (value for value in values if isinstance(value, str))


def time_of(record: dict[str, Any], log_format: JsonFormat) -> str:
    """Give when a record happened, as ISO 8601; a ValueError if it does not say."""
    found = ((path, value_at(record, path)) for path in log_format.times)
    if log_format.in_milliseconds:
        path, milliseconds = next(found)
        return _time_of_millis(path, milliseconds)
    path, time = next(((path, time) for path, time in found if isinstance(time, str)), ("", ""))
    if not path:
        raise ValueError(f"the record has no time ({' or '.join(log_format.times)})")
    if not is_iso_time(time):
        raise ValueError(f"{path} is not a time in UTC (as {_EXAMPLE}): {time[:_SHOWN]!r}")
    return time


def _time_of_millis(path: str, milliseconds: object) -> str:
    if milliseconds is None:
        raise ValueError(f"the record has no time ({path})")
    if not isinstance(milliseconds, int) or isinstance(milliseconds, bool):
        found = json.dumps(milliseconds)[:_SHOWN]
        raise ValueError(f"{path} is not a number of milliseconds: {found}")
    seconds, rest = divmod(milliseconds, 1000)
    try:
        return f"{iso_second(seconds)}.{rest:03d}Z"
    except OverflowError as error:
        found = str(milliseconds)[:_SHOWN]
        raise ValueError(f"{path} is not a time that exists: {found}") from error


def iso_second(seconds: int) -> str:
    """Write a second since 1970 as ISO 8601, without its end."""
    return iso(EPOCH + timedelta(seconds=seconds)).removesuffix("Z")


def promoted_of(record: dict[str, Any], log_format: JsonFormat) -> dict[str, str]:
    """Give the values that get fields of their own, by the names that they have there."""
    found = {path.rpartition(".")[2]: value_at(record, path) for path in log_format.promoted}
    if log_format.headers:
        headers = value_at(record, ".".join(log_format.header_list))
        found |= _of_headers(headers, log_format)
    return {name: value for name, value in found.items() if isinstance(value, str)}


def _of_headers(headers: object, log_format: JsonFormat) -> dict[str, str]:
    found: dict[str, str] = {}
    ours = {header: name for name, header in log_format.headers.items()}
    for header in headers if isinstance(headers, list) else ():
        name, value = value_at(header, "name"), value_at(header, "value")
        if isinstance(name, str) and isinstance(value, str):
            found.setdefault(ours.get(name.lower(), ""), value)
    found.pop("", None)
    return found
