"""Name the indexes of a deployment, by log type and period."""

import re
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from types import MappingProxyType

from servicelogs.parsing.cache import Cache
from servicelogs.parsing.format import PERIODS, Format, Period

_SUFFIXES: Mapping[Period, str] = MappingProxyType(
    {
        "hour": "%Y.%m.%d.%H",
        "day": "%Y.%m.%d",
        "week": "%G.w%V",
        "month": "%Y.%m",
        "year": "%Y",
    }
)

_SHAPES: Mapping[Period, str] = MappingProxyType(
    {
        "hour": r"\d{4}\.\d\d\.\d\d\.\d\d",
        "day": r"\d{4}\.\d\d\.\d\d",
        "week": r"\d{4}\.w\d\d",
        "month": r"\d{4}\.\d\d",
        "year": r"\d{4}",
    }
)

_MOST_NAMES = 4096


class IndexNames:
    """Names the indexes of one deployment: `<prefix>-<type>-<period>`, as `aws-alb-2026.11.23`."""

    def __init__(self, prefix: str, period: Period) -> None:
        self._prefix = prefix
        self._period = period
        # Objects with few records are named nearly as often as records.
        self._names = Cache(self._make_name, _MOST_NAMES)

    def stem(self, format_name: str) -> str:
        """Return what all index names of this log type begin with, without the period."""
        return f"{self._prefix}-{format_name.replace('_', '-')}"

    def component(self, part: str) -> str:
        """Return the name of a component template, which no index template has."""
        return f"{self._prefix}-shared-{part}"

    def period(self, log_format: Format) -> Period:
        """Return the time that one index of this log type covers."""
        return max(self._period, log_format.least_period, key=PERIODS.index)

    def patterns(self, format_name: str) -> list[str]:
        """Return wildcards that match every index of this log type, and of no other.

        The first digit of the year keeps `aws-alb-…` apart from `aws-alb-connection-…`:
        OpenSearch refuses two templates whose patterns overlap.
        """
        return [f"{self.stem(format_name)}-{digit}*" for digit in "12"]

    def searched(self, format_name: str) -> str:
        """Return the wildcard that people search this log type by: its indexes since 2000."""
        return f"{self.stem(format_name)}-2*"

    def is_of_period(self, log_format: Format, index: str) -> bool:
        """Say whether this deployment would give an index of this log type such a name."""
        shape = _SHAPES[self.period(log_format)]
        return re.fullmatch(f"{re.escape(self.stem(log_format.name))}-{shape}", index) is not None

    def begin(self, index: str) -> datetime:
        """Say when the time begins (UTC) that an index of this deployment covers."""
        _, _, suffix = index.rpartition("-")
        return next(filter(None, (_begin(period, suffix) for period in PERIODS)))

    def end(self, log_format: Format, index: str) -> datetime | None:
        """Say when the time ends (UTC) that an index of this log type covers, whatever its period.

        None if the name is not one that a deployment of this prefix gives.
        """
        suffix = index.removeprefix(f"{self.stem(log_format.name)}-")
        if suffix == index:
            return None
        return next(filter(None, (_end(period, suffix) for period in PERIODS)), None)

    def name(self, log_format: Format, moment: datetime) -> str:
        """Return the index for records of this log type and moment (UTC)."""
        return self._names[log_format, moment]

    def _make_name(self, of: tuple[Format, datetime]) -> str:
        log_format, moment = of
        suffix = _SUFFIXES[self.period(log_format)]
        return f"{self.stem(log_format.name)}-{moment:{suffix}}"


def _begin(period: Period, suffix: str) -> datetime | None:
    """Say when a period begins that names end with; None if they do not, or no calendar has it."""
    # The first day of an ISO week: without a day, strptime takes no week.
    weekday = ("-1", "-%u") if period == "week" else ("", "")
    try:
        pattern = _SUFFIXES[period] + weekday[1]
        begin = datetime.strptime(suffix + weekday[0], pattern).replace(tzinfo=UTC)
    except ValueError:
        return None
    # strptime takes `2026.1`, and digits of other scripts.
    return begin if f"{begin:{_SUFFIXES[period]}}" == suffix else None


def _end(period: Period, suffix: str) -> datetime | None:
    begin = _begin(period, suffix)
    try:
        return begin and _next(period, begin)
    except (ValueError, OverflowError):
        return None


def _next(period: Period, begin: datetime) -> datetime:
    match period:
        case "hour":
            return begin + timedelta(hours=1)
        case "day":
            return begin + timedelta(days=1)
        case "week":
            return begin + timedelta(weeks=1)
        case "month":
            return (begin + timedelta(days=31)).replace(day=1)
        case "year":
            return begin.replace(year=begin.year + 1)
