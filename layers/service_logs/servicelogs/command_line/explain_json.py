"""Explains a JSON record: its fields, whether their values fit, and what is not declared."""

import ipaddress
import json
import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime
from itertools import islice
from typing import Any

from servicelogs.command_line.explanation import Explanation, Row, break_at, shown
from servicelogs.command_line.reference import type_of
from servicelogs.dates import hour_start, read_iso_hour
from servicelogs.parsing.fields import Field
from servicelogs.parsing.frame import PROMOTED
from servicelogs.parsing.json.format import JsonFormat
from servicelogs.parsing.json.values import decode, promoted_of, strings_at, time_of, value_at

_LARGEST = {"integer": 2**31, "long": 2**63, "float": float("inf")}
_MALFORMED = {
    "integer": "not a number, or too large",
    "long": "not a number, or too large",
    "float": "not a number",
    "ip": "not an IP address",
    "timestamp": "not a time",
}
"""What is said of a value that is kept though it is not what its field's type says."""
_MOST_VALUES = 1000
_MOST_UNKNOWN = 50
_ISO_TIME = "a time in UTC, as 2026-11-20T08:14:55Z"
_MILLISECONDS = "milliseconds since 1970, as 1795162495123"


def explain_record(log_format: JsonFormat, raw: bytes, explained: Explanation) -> None:
    """Fill in what is to be said of a record."""
    try:
        record = decode(raw)
        rows = [*_rows(record, log_format)]
    except RecursionError:
        explained.notes.append("it nests too deep to be shown field by field")
    except ValueError as error:
        if isinstance(fault := error.__cause__, json.JSONDecodeError):
            explained.not_json_at = break_at(fault.doc, fault.pos)
    else:
        explained.keep([replace(row, number=number) for number, row in enumerate(rows, 1)])


def _rows(record: dict[str, Any], log_format: JsonFormat) -> Iterator[Row]:
    time = _time_row(record, log_format)
    if not [*_values(record, time.name.split("."))]:
        yield time
    for field in log_format.tree:
        values = [*_values(record, field.name.split("."))]
        if field.name == time.name and values:
            yield replace(time, type=type_of(field))
        elif values:
            one = values[0] if len(values) == 1 else values
            note = next(filter(None, (_note(field, value) for value in values)), "")
            yield Row(0, field.name, _text(one), "matches", type=type_of(field), note=note)
    for name, text in promoted_of(record, log_format).items():
        becomes = {f"{PROMOTED}.{name}": shown(text)}
        yield Row(0, _origin(name, log_format), shown(text), "matches", becomes)
    known = {field.name for field in log_format.tree}
    unknown = dict(islice(_unknown(record, known, ""), _MOST_VALUES))
    for path, value in islice(unknown.items(), _MOST_UNKNOWN):
        note = "not declared: in the document, not searchable"
        yield Row(0, shown(path), _text(value), "unknown", note=note)


def _time_row(record: dict[str, Any], log_format: JsonFormat) -> Row:
    """Say what tells when a record happened."""
    paths = log_format.times
    path = next((path for path in paths if any(strings_at(record, [path]))), paths[0])
    value = value_at(record, path)
    text = "" if value is None else _text(value)
    try:
        time = time_of(record, log_format)
        hour_start(read_iso_hour(time[:13].encode())[0])
    except (ValueError, OverflowError):
        expected = _MILLISECONDS if log_format.in_milliseconds else _ISO_TIME
        return Row(0, path, text, "does not match", expected=expected)
    return Row(0, path, text, "matches", {"@timestamp": time})


def _values(value: object, path: list[str]) -> Iterator[object]:
    """Give what a path leads to, through objects and the elements of lists."""
    if isinstance(value, list):
        for one in value[:_MOST_VALUES]:
            yield from _values(one, path)
    elif not path:
        yield value
    elif isinstance(value, dict) and path[0] in value:
        yield from _values(value[path[0]], path[1:])


def _note(field: Field, value: object) -> str:
    """Say what is special about a value; empty: it is what its field's type says."""
    if value is None:
        return "no value"
    if field.type == "stored" or not field.indexed:
        return "kept, not searchable"
    if field.type == "flat_object":
        return "free form" if isinstance(value, dict) else "free form: kept as an object with it"
    if isinstance(value, dict):
        return f"an object, not {type_of(field)}: the search engine may refuse the record"
    if field.type == "boolean":
        fits = isinstance(value, bool) or value in ("true", "false", "")
        return "" if fits else "not true or false: the search engine may refuse the record"
    if field.type in _MALFORMED and not _is_well_formed(field, value):
        return f"{_MALFORMED[field.type]}: kept, not searchable"
    return ""


def _is_well_formed(field: Field, value: object) -> bool:
    """Say whether a value can be read as its field's type: numbers in quotes can."""
    text = str(value)
    if isinstance(value, bool):
        return False
    try:
        if field.type == "ip":
            ipaddress.ip_address(text)
        elif field.type == "timestamp" and not field.date_format:
            datetime.fromisoformat(text)
        else:
            largest = _LARGEST.get(field.type, 2**63)
            return -largest <= float(text) < largest
    except (ValueError, OverflowError):
        return field.type == "timestamp" and re.fullmatch(r"\d{4}|-?\d{5,18}", text) is not None
    return True


def _origin(name: str, log_format: JsonFormat) -> str:
    """Say where a promoted value is from."""
    if name in log_format.headers:
        return f"header {log_format.headers[name]}"
    return next(path for path in log_format.promoted if path.rpartition(".")[2] == name)


def _unknown(value: object, known: set[str], above: str) -> Iterator[tuple[str, object]]:
    """Give the members that no declared field holds, with their paths."""
    if isinstance(value, list):
        for one in value[:_MOST_VALUES]:
            yield from _unknown(one, known, above)
    for name, inner in value.items() if isinstance(value, dict) else ():
        path = f"{above}{name}"
        if path in known:
            continue
        is_above = any(one.startswith(f"{path}.") for one in known)
        if is_above and isinstance(inner, dict | list):
            yield from _unknown(inner, known, f"{path}.")
        elif not is_above or inner is not None:
            yield path, inner


def _text(value: object) -> str:
    return shown(value if isinstance(value, str) else json.dumps(value, ensure_ascii=False))
