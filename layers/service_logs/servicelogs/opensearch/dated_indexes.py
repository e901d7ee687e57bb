"""Which index a record belongs to, from when it happened and when AWS delivered it."""

from collections.abc import Callable
from datetime import datetime
from typing import NamedTuple, Protocol

from servicelogs.dates import DatePolicy
from servicelogs.opensearch.index_names import IndexNames
from servicelogs.parsing.format import Format, Period
from servicelogs.records import Source


class DatedIndex(NamedTuple):
    """Where a record goes: the index, and whether its date is the delivery's instead of its own."""

    name: str
    adjusted: bool = False
    by_delivery: bool = False
    """The delivery dates it: another delivery of the same bytes may give another index."""


class ChooseIndex(Protocol):
    """Choose the index for records of one hour; None if they are past their retention."""

    def __call__(self, moment: datetime, source: Source) -> DatedIndex | None:
        """Choose for records of a source that happened in the hour that begins then (UTC)."""
        ...


class DatedIndexes:
    """The indexes of one deployment."""

    def __init__(self, names: IndexNames, dates: Callable[[Format], DatePolicy]) -> None:
        """Name indexes; `dates` gives the policy of each format."""
        self._names = names
        self._dates = dates

    def of(self, log_format: Format) -> ChooseIndex:
        """Give what chooses the indexes for records of a format."""
        dates = self._dates(log_format)

        def choose(moment: datetime, source: Source) -> DatedIndex | None:
            by_delivery = log_format.is_snapshot(source)
            date = dates.date(moment, source, by_delivery=by_delivery)
            if date is None:
                return None
            name = self._names.name(log_format, date.moment)
            return DatedIndex(name, date.adjusted, by_delivery or date.adjusted)

        return choose


def every_index(prefix: str = "aws", period: Period = "day") -> DatedIndexes:
    """Give the indexes of a deployment in which nothing expires."""
    return DatedIndexes(IndexNames(prefix, period), lambda _: DatePolicy())


def one_index(name: str) -> ChooseIndex:
    """Put everything into one index, whatever its date."""
    return lambda _moment, _source: DatedIndex(name)
