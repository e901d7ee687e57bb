"""What an object's first lines say of its type."""

import re
from collections.abc import Callable, Collection
from functools import cache
from itertools import islice

from servicelogs import formats

START_BYTES = 4096
"""So many first bytes of an object suffice. More would keep the lines of a pipe waiting."""
MOST_BYTES = 16 * 1024
"""So many are looked at where there are more."""
_MOST_LINES = 40

_line_starts = re.compile(rb"^(?=\S)", re.MULTILINE)
_array = re.compile(rb"\[\s*+(?=\{)")
_digest = re.compile(rb"\s*\{(?=[^{}\[\]]*\"digestStartTime\"\s*:)")
_rejects_file = re.compile(
    rb'\s*\{\s*"log_type"\s*:\s*"[^"]*"\s*,\s*"error_type"\s*:\s*"[^"]*"\s*,\s*"reason"\s*:'
)
_test_of_access = re.compile(
    rb"Enable (?:Access|Connection|HealthCheck)Log for ELB|Permission Check Successful\s*\Z"
)


def why_not_a_log(start: bytes) -> str:
    """Say what an object that begins so is, if it is not a log; empty if it may be one."""
    if _digest.match(start):
        return "a CloudTrail digest file"
    if _rejects_file.match(start):
        return "a rejects file, which `servicelogs explain FILE` reads"
    return "an AWS test file" if _test_of_access.match(start) else ""


def types(start: bytes, names: Collection[str]) -> set[str]:
    """Find which of these log types an object that begins so could be.

    The start decides, if it matches one type. Else it may be odd (cut, a comment, garbage), and all
    types count that it or a following line matches; an indented line is part of a record.
    """
    found = _matching(start, len(start) - len(start.lstrip()), names)
    if len(found) == 1:
        return found
    for line in islice(_line_starts.finditer(start), _MOST_LINES):
        found |= _matching(start, line.start(), names)
    return found


def _matching(start: bytes, position: int, names: Collection[str]) -> set[str]:
    # Of a bare array the first record decides.
    if array := _array.match(start, position):
        position = array.end()
    end = position + START_BYTES
    return {
        name for name in names if _pattern(formats.get(name).starts).match(start, position, end)
    }


def matches(start: bytes, name: str) -> bool:
    """Say whether a record begins as those of a type do."""
    return bool(_matching(start, len(start) - len(start.lstrip()), (name,)))


def type_of(record: bytes) -> str:
    """Give the one type whose records begin so; empty if there is none, or several."""
    found = _matching(record, len(record) - len(record.lstrip()), formats.NAMES)
    return found.pop() if len(found) == 1 else ""


def beginning(name: str) -> Callable[[bytes], object]:
    """Give what matches the beginnings of a type's records."""
    return _pattern(formats.get(name).starts).match


def headless(start: bytes, pattern: str) -> bool:
    """Say whether one of the first lines matches a pattern of lines without a header."""
    lines = islice(_line_starts.finditer(start), _MOST_LINES)
    return any(_pattern(pattern).match(start, line.start()) for line in lines)


@cache
def _pattern(pattern: str) -> re.Pattern[bytes]:
    return re.compile(pattern.encode(), re.DOTALL)
