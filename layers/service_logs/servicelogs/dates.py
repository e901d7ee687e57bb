"""Which date a record counts under: its own, its delivery's, or none, because it has expired.

Hours are counted from 1970: what records of one hour share is made once for them.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import lru_cache

from servicelogs.records import Source

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
HOUR = timedelta(hours=1)

# A clock that is wrong by less than this, or a log delivered around midnight, keeps its own date.
TOLERANCE = timedelta(days=1)


DELIVERY_HOUR = -(10**9)
"""Stands for the hour of the delivery, where a record says no time."""

# Of some more years than a record can be of: no time this far from 1970 can be true.
_MOST_CALENDAR_HOURS = 1_900 * 365 * 24
_MOST_HOURS = 4096


@dataclass(frozen=True, slots=True)
class RecordDate:
    """The moment that a record counts under: it decides its index, or its partition."""

    moment: datetime
    adjusted: bool = False
    """It is the delivery's, because the record's own cannot be true."""


class DatePolicy:
    """Choose the date of records; None if they are past their retention."""

    def __init__(
        self,
        delete_after_days: int = 0,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        """Keep records for so many days; 0: they never expire."""
        self._keep = timedelta(days=delete_after_days)
        self._now = now

    def date(
        self, own: datetime, source: Source, *, by_delivery: bool = False
    ) -> RecordDate | None:
        """Choose for records of a source that happened in the hour of `own` (UTC).

        With `by_delivery` they describe the moment of their delivery, whenever they happened.
        """
        # `date_nanos` knows nothing before the epoch, and no template matches an earlier year.
        adjusted = not EPOCH <= own <= source.delivered + TOLERANCE
        moment = source.delivered if adjusted or by_delivery else own
        if self._keep and moment < self._now() - self._keep:
            return None
        return RecordDate(moment, adjusted and not by_delivery)


def hour_of(moment: datetime) -> int:
    """Give the hour of a time, counted from 1970."""
    return (moment - EPOCH) // HOUR


def hour_start(hour: int) -> datetime:
    """Give the time when an hour begins; an OverflowError if no calendar has it."""
    return EPOCH + hour * HOUR


def dating_moment(hour: int, source: Source) -> datetime:
    """Give the beginning of the hour that dates records of a source, one that a calendar has."""
    if hour == DELIVERY_HOUR:
        return hour_start(hour_of(source.delivered))
    return hour_start(hour if abs(hour) < _MOST_CALENDAR_HOURS else -1)


def iso(moment: datetime) -> str:
    """Write a UTC time as ISO 8601 with its microseconds, if it has any."""
    return moment.astimezone(UTC).replace(tzinfo=None).isoformat() + "Z"


@lru_cache(_MOST_HOURS)
def iso_hour(hour: int) -> bytes:
    """Write an hour as ISO 8601, `2026-11-20T08`."""
    return hour_start(hour).isoformat()[:13].encode()


@lru_cache(_MOST_HOURS)
def read_iso_hour(text: bytes) -> tuple[int, bytes]:
    """Read an hour in ISO 8601, `2026-11-20T08`; a ValueError if it does not exist."""
    try:
        moment = datetime.strptime(text.decode(), "%Y-%m-%dT%H").replace(tzinfo=UTC)
    except ValueError as error:
        raise ValueError(f"the hour does not exist: {text[:40]!r}") from error
    if moment.isoformat()[:13].encode() != text:  # strptime takes ` 2` and digits of other scripts
        raise ValueError(f"the hour does not exist: {text[:40]!r}")
    return hour_of(moment), text
