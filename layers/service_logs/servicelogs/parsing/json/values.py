"""What a decoded JSON record says, by the declaration of its format."""

import json
import re
from collections.abc import Iterable, Iterator
from datetime import timedelta
from decimal import Decimal, InvalidOperation
from typing import Any, TypeGuard

from servicelogs.dates import EPOCH, iso, read_iso_hour
from servicelogs.parsing.cache import Cache
from servicelogs.parsing.json.format import JsonFormat

_MOST_NAME_CHARACTERS = 256 * 1024
# Of a value that does not match, which its reason shows.
_SHOWN = 40
_EXAMPLE = "2026-11-20T08:14:55Z"

is_iso_time = re.compile(
    r"\d{4}-\d\d-\d\dT\d\d:[0-5]\d:[0-5]\d(?:\.\d{1,9}+)?+Z", re.ASCII
).fullmatch

MOST_DIGITS = 1000
"""Numbers of more characters are kept as text: so many JSON parsers take (Jackson's limit)."""


class NumberAsText(str):
    """A number that neither a parser of JSON takes nor a double holds, as it is written."""

    __slots__ = ()


class Repeated(list[Any]):
    """The values of a member that stands several times in one object; the last one counts."""

    __slots__ = ()


def decode(data: bytes) -> dict[str, Any]:
    """Decode one JSON object, also with control characters and bytes that are not UTF-8.

    A ValueError if it is not one, a RecursionError if it nests too deep. Nothing is lost: members
    that stand several times are Repeated, numbers that are too long or too large NumberAsText.
    """
    text = data.decode("utf-8", "replace")
    try:
        record = json.loads(
            text,
            strict=False,
            object_pairs_hook=_members,
            parse_int=_integer,
            parse_float=_decimal,
        )
    except json.JSONDecodeError as error:
        near = text[error.pos : error.pos + _SHOWN]
        raise ValueError(
            f"the record is not JSON from character {error.pos + 1} on: {near!r} ({error.msg})"
        ) from error
    if not isinstance(record, dict):
        raise ValueError(f"the record is not a JSON object: {text[:_SHOWN]!r}")
    return record


def decode_scalar(data: bytes) -> Any:
    """Decode a single value in strict JSON, a number as `decode` does."""
    return json.loads(data, parse_int=_integer, parse_float=_decimal)


def _members(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    members = dict(pairs)
    if len(members) == len(pairs):
        return members
    values: dict[str, Repeated] = {}
    for name, value in pairs:
        values.setdefault(name, Repeated()).append(value)
    return {name: found if len(found) > 1 else found[0] for name, found in values.items()}


def _integer(text: str) -> int | NumberAsText:
    return int(text) if len(text) <= MOST_DIGITS else NumberAsText(text)


def _decimal(text: str) -> float | NumberAsText:
    number = float(text)
    try:
        held = len(text) <= MOST_DIGITS and Decimal(text) == Decimal(repr(number))
    except InvalidOperation:  # an exponent of twenty digits
        held = False
    return number if held else NumberAsText(text)


def encode(value: object) -> bytes:
    """Encode on one line; what is not a number and what is not a character does not get through."""
    try:
        text = json.dumps(value, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
    except ValueError as error:
        raise ValueError("the record holds a number that JSON does not have (NaN)") from error
    return text.encode("utf-8", "replace")


def value_at(record: object, path: str) -> object:
    """Follow a dotted path through objects; None where it ends early."""
    for name in path.split("."):
        if not isinstance(record, dict):
            return None
        record = record.get(name)
        if isinstance(record, Repeated):
            record = record[-1]
    return record


def strings_at(record: dict[str, Any], paths: Iterable[str]) -> Iterator[str]:
    """Give the values of paths that are strings."""
    values = (value_at(record, path) for path in paths)
    return filter(_is_string, values)


def _is_string(value: object) -> TypeGuard[str]:
    """Say whether a value is a string as AWS wrote it."""
    return isinstance(value, str) and not isinstance(value, NumberAsText)


def has_time(record: dict[str, Any], log_format: JsonFormat) -> bool:
    """Find out whether a record says when it happened, be it well or badly."""
    return any(value_at(record, path) is not None for path in log_format.times)


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


def time_in(record: dict[str, Any], log_format: JsonFormat, given: bytes | None) -> str:
    """Give when a record happened, else what its source says (ISO 8601 without its Z).

    A ValueError if neither does.
    """
    if given and not has_time(record, log_format):
        return f"{given.decode()}Z"
    return time_of(record, log_format)


def read_iso_time(time: str) -> tuple[int, int]:
    """Read a time in ISO 8601: its hour and its microsecond, both from 1970.

    A ValueError if it is none.
    """
    if not is_iso_time(time):
        raise ValueError(f"{time[:_SHOWN]!r} is not a time in UTC")
    try:
        hour, _ = read_iso_hour(time[:13].encode())
    except ValueError as error:
        raise ValueError(f"the time does not exist: {time!r}") from error
    seconds = hour * 3600 + int(time[14:16]) * 60 + int(time[17:19])
    return hour, seconds * 1_000_000 + int(time[20:26].rstrip("Z").ljust(6, "0"))


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


def wanted_headers(log_format: JsonFormat) -> Cache[Any, str]:
    """Give our field's name for a header's in any case; empty: it is not wanted."""
    names = {header: name for name, header in log_format.headers.items()}

    def wanted(name: object) -> str:
        return names.get(name.lower(), "") if isinstance(name, str) else ""

    # Clients may send thousands of names, of kilobytes each.
    return Cache(wanted, _MOST_NAME_CHARACTERS, weight=lambda name: len(str(name)))


def promoted_of(record: dict[str, Any], log_format: JsonFormat) -> dict[str, str]:
    """Give the values that get fields of their own, by the names that they have there."""
    found = {path.rpartition(".")[2]: value_at(record, path) for path in log_format.promoted}
    if log_format.headers:
        headers = value_at(record, ".".join(log_format.header_list))
        found |= _of_headers(headers, log_format)
    return {name: value for name, value in found.items() if _is_string(value)}


def _of_headers(headers: object, log_format: JsonFormat) -> dict[str, str]:
    found: dict[str, str] = {}
    ours = {header: name for name, header in log_format.headers.items()}
    for header in headers if isinstance(headers, list) else ():
        name, value = value_at(header, "name"), value_at(header, "value")
        if _is_string(name) and _is_string(value):
            found.setdefault(ours.get(name.lower(), ""), value)
    found.pop("", None)
    return found
