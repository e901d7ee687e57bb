"""The ways in which messages write when something happened, up to the second."""

import re
from datetime import UTC, datetime, timedelta

from servicelogs.dates import EPOCH, hour_of, iso
from servicelogs.parsing.cache import Cache

_MOST_TIMES = 10_000
# `2026-11-20T08:14:55+02:00`, `2026-11-20  8:14:55`, `2026/11/20 08:14:55`, `20261120 08:14:55`,
# `261120  8:14:55`
_written = re.compile(
    r"(\d{4}|\d\d)[-/]?(\d\d)[-/]?(\d\d)[T ]([ \d]?\d):(\d\d):(\d\d)([+-]\d\d(?::?\d\d)?)?",
    re.ASCII,
).fullmatch
_seconds = re.compile(r"\d{1,11}", re.ASCII).fullmatch
_CENTURY = 2000


def _read(text: bytes) -> tuple[int, bytes]:
    """Read a time: its hour (from 1970), and the time as ISO 8601 in UTC without its Z."""
    moment = _moment(text.decode("ascii", "replace"))
    return hour_of(moment), iso(moment).removesuffix("Z").encode()


def _moment(text: str) -> datetime:
    if _seconds(text):
        return EPOCH + timedelta(seconds=int(text))
    found = _written(text)
    if found is None:
        raise ValueError(f"not a time: {text[:40]!r}")
    year, month, day, hour, minute, second = map(int, found.groups()[:6])
    year += _CENTURY if len(found[1]) == len("26") else 0
    return datetime(year, month, day, hour, minute, second, tzinfo=UTC) - _distance(found[7])


def _distance(offset: str | None) -> timedelta:
    """Read a distance from UTC, as `+02:00`, `+0200` or `-03`."""
    if not offset:
        return timedelta()
    digits = offset[1:].replace(":", "").ljust(4, "0")
    distance = timedelta(hours=int(digits[:2]), minutes=int(digits[2:]))
    return -distance if offset.startswith("-") else distance


times: Cache[bytes, tuple[int, bytes]] = Cache(_read, _MOST_TIMES)
"""From a time as messages write it (behind it, its distance from UTC) to its hour, and to ISO 8601
without Z; a ValueError or OverflowError if it does not exist."""
