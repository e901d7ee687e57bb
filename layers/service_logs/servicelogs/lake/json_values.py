"""What a column takes of JSON: each value in the one form that its array is made of.

A ValueError says that a value does not fit.
"""

import json
import math
import re
from collections.abc import Callable, Mapping
from functools import partial
from types import MappingProxyType
from typing import Any

from servicelogs.lake.schema import LakeColumn
from servicelogs.parsing.cache import Cache
from servicelogs.parsing.json.values import read_iso_time

MICROSECONDS: Mapping[str, int] = MappingProxyType(
    {"epoch_second": 1_000_000, "epoch_millis": 1_000}
)
"""How many a number in a column of times stands for, by its date format."""

_is_whole_number = re.compile(r"0|-?[1-9]\d{0,18}", re.ASCII).fullmatch
_is_number = re.compile(r"-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][-+]?\d+)?", re.ASCII).fullmatch
_BOOLEANS: Mapping[str, bool] = MappingProxyType({"true": True, "false": False})
# The first and the last microsecond of a calendar's years 1 to 9999.
FIRST_TIME, LAST_TIME = -62_135_596_800_000_000, 253_402_300_799_999_999
_MOST_TIMES = 10_000

type Read = Callable[[Any], Any]


def reader_of(column: LakeColumn) -> Read:
    """Give what brings a single value of a column, which is not null, into its form."""
    if column.kind == "time":
        scale = MICROSECONDS.get(column.date_format)
        return _iso_text if scale is None else partial(_epoch, scale=scale)
    return _READERS[column.kind or ""]


def _text(value: Any) -> str:
    if isinstance(value, str):
        return str(value)
    return json.dumps(value)


def _whole_number(value: Any, *, bits: int) -> int:
    """Take whole numbers, however they are written, of so many bits at most."""
    number: int | None = None
    if isinstance(value, int) and not isinstance(value, bool):
        number = value
    elif isinstance(value, float):
        number = int(value) if value.is_integer() else None
    elif isinstance(value, str):
        number = int(value) if _is_whole_number(value) else None
    if number is None or not -(2 ** (bits - 1)) <= number < 2 ** (bits - 1):
        raise ValueError(f"it is no whole number of {bits} bits")
    return number


def _float(value: Any) -> float:
    if not isinstance(value, str):
        is_number = isinstance(value, int | float) and not isinstance(value, bool)
    else:
        is_number = _is_number(value) is not None
    try:
        number = float(value) if is_number else math.inf
    except OverflowError:
        number = math.inf
    if math.isinf(number) or (isinstance(value, int) and number != value):
        raise ValueError("it is no number, or no double holds it")
    return number


def _boolean(value: Any) -> bool:
    if isinstance(value, str):
        value = _BOOLEANS.get(value)
    if not isinstance(value, bool):
        raise ValueError("it is neither true nor false")
    return value


def _epoch(value: Any, *, scale: int) -> int:
    number = _whole_number(value, bits=64)
    if not FIRST_TIME <= number * scale <= LAST_TIME:
        raise ValueError("no calendar has it")
    return number


def _iso_text(value: Any) -> str:
    if not isinstance(value, str):
        raise ValueError("it is no time in UTC")
    iso_microseconds[value]
    return value


iso_times: Cache[str, tuple[int, int]] = Cache(read_iso_time, _MOST_TIMES)
"""The hour (from 1970) and the microsecond of times in ISO 8601; a ValueError for what is none."""


def _microseconds(time: str | None) -> int | None:
    return None if time is None else iso_times[time][1]


iso_microseconds: Cache[str | None, int | None] = Cache(_microseconds, _MOST_TIMES)
"""The microseconds of times in ISO 8601, None for None; a ValueError for what is no time."""

_READERS: Mapping[str, Read] = MappingProxyType(
    {
        "text": _text,
        "integer": partial(_whole_number, bits=32),
        "long": partial(_whole_number, bits=64),
        "float": _float,
        "boolean": _boolean,
    }
)
