"""What a decoded JSON record says, by the declaration of its format."""

import json
import re
from collections.abc import Iterable, Iterator
from datetime import timedelta
from decimal import Decimal, InvalidOperation
from typing import Any

from servicelogs.dates import EPOCH, iso
from servicelogs.parsing.json.format import JsonFormat

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
    try:
        record = json.loads(
            data.decode("utf-8", "replace"),
            strict=False,
            object_pairs_hook=_members,
            parse_int=_integer,
            parse_float=_decimal,
        )
    except json.JSONDecodeError as error:
        raise ValueError(f"the record is not JSON: {error}") from error
    if not isinstance(record, dict):
        raise ValueError("the record is not a JSON object")
    return record


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
    return (value for value in values if isinstance(value, str))


def time_of(record: dict[str, Any], log_format: JsonFormat) -> str:
    """Give when a record happened, as ISO 8601; a ValueError if it does not say."""
    if log_format.in_milliseconds:
        milliseconds = value_at(record, log_format.times[0])
        if not isinstance(milliseconds, int) or isinstance(milliseconds, bool):
            found = str(milliseconds)[:40]
            raise ValueError(f"{log_format.times[0]} is not a number of milliseconds: {found!r}")
        seconds, rest = divmod(milliseconds, 1000)
        return f"{iso_second(seconds)}.{rest:03d}Z"
    paths = log_format.times
    time = next(strings_at(record, paths), None)
    if time is None:
        raise ValueError(f"it has no {' or '.join(paths)}")
    if not is_iso_time(time):
        raise ValueError(f"{paths[0]} is not a time: {time[:40]!r}")
    return time


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
