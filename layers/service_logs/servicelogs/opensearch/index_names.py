"""Decide which index a record belongs to, from when it happened and when AWS delivered it."""

import re
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from types import MappingProxyType

from servicelogs.documents import EPOCH, Dates, IndexDate
from servicelogs.parsing.format import PERIODS, Format, Period
from servicelogs.records import Source

# A clock that is wrong by less than this, or a log delivered around midnight, keeps its own date.
TOLERANCE = timedelta(days=1)

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


class IndexNames:
    """Names the indexes of one deployment: `<prefix>-<type>-<period>`, as `aws-alb-2026.11.23`."""

    def __init__(
        self,
        prefix: str,
        period: Period,
        delete_after_days: int,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._prefix = prefix
        self._period = period
        self._keep = timedelta(days=delete_after_days)
        self._now = now

    def stem(self, format_name: str) -> str:
        """Return what all index names of this log type begin with, without the period."""
        return f"{self._prefix}-{format_name.replace('_', '-')}"

    def period(self, log_format: Format) -> Period:
        """Return the time that one index of this log type covers."""
        return max(self._period, log_format.least_period, key=PERIODS.index)

    def patterns(self, format_name: str) -> list[str]:
        """Return wildcards that match every index of this log type, and of no other.

        The first digit of the year keeps `aws-alb-…` apart from `aws-alb-connection-…`:
        OpenSearch refuses two templates whose patterns overlap.
        """
        return [f"{self.stem(format_name)}-{digit}*" for digit in "12"]

    def is_of_period(self, log_format: Format, index: str) -> bool:
        """Tell whether this deployment would give an index of this log type such a name."""
        shape = _SHAPES[self.period(log_format)]
        return re.fullmatch(f"{re.escape(self.stem(log_format.name))}-{shape}", index) is not None

    def dates(self, log_format: Format) -> Dates:
        """Return the function that dates the records of this format."""
        start = f"{self.stem(log_format.name)}-"
        suffix = _SUFFIXES[self.period(log_format)]
        snapshots = re.compile(log_format.snapshots or r"(?!)")

        def date(hour: datetime, source: Source) -> IndexDate | None:
            by_delivery = snapshots.search(source.uri) is not None
            # `date_nanos` knows nothing before the epoch, and no template matches an earlier year.
            adjusted = not EPOCH <= hour <= source.delivered + TOLERANCE
            moment = source.delivered if adjusted or by_delivery else hour
            if self._keep and moment < self._now() - self._keep:
                return None
            return IndexDate(f"{start}{moment:{suffix}}", adjusted and not by_delivery)

        return date
