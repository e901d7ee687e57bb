"""What a panel, a search and a page are, once read: every field is there and every word known."""

import re
from dataclasses import dataclass
from typing import Literal, get_args

from servicelogs.opensearch.dashboards.fields import MappedField
from servicelogs.opensearch.dashboards.filters import Filter

Kind = Literal["metric", "line", "area", "columns", "bar", "pie", "table", "records", "markdown"]
KINDS: tuple[Kind, ...] = get_args(Kind)
OVER_TIME = ("line", "area", "columns")

BucketKind = Literal["terms", "ranges", "filters", "time"]
MeasureKind = Literal["count", "sum", "average", "max", "min", "distinct", "percentiles"]
Unit = Literal["", "bytes", "seconds", "milliseconds", "megabytes"]
UNITS: tuple[Unit, ...] = get_args(Unit)

TIME_FIELD = "@timestamp"


@dataclass(frozen=True, slots=True)
class Bucket:
    """What records are counted apart by."""

    name: str
    """The aggregation's in the search body: by_1, by_2, …, time."""
    kind: BucketKind
    label: str
    field: str = ""
    size: int = 0
    """Of terms: how many of them."""
    bounds: tuple[float, ...] = ()
    """Of ranges: where one ends and the next begins."""
    filters: tuple[tuple[str, Filter], ...] = ()
    """Of filters: what each is called."""


@dataclass(frozen=True, slots=True)
class Measure:
    """What is said of the records of a bucket."""

    name: str
    """The aggregation's in the search body: m1, m2, …; `count` is the number of records."""
    kind: MeasureKind
    label: str
    field: str = ""
    unit: Unit = ""
    percents: tuple[float, ...] = ()

    @property
    def sort_path(self) -> str:
        """Say what buckets are sorted by it with: of percentiles, the first."""
        if self.kind == "count":
            return "_count"
        return f"{self.name}.{self.percents[0]:g}" if self.percents else self.name


@dataclass(frozen=True, slots=True, kw_only=True)
class Panel:
    """One picture, number, table or text of a page."""

    title: str
    kind: Kind
    about: str = ""
    width: int
    """Of the 12 columns of a page."""
    percent: bool = False
    filter: Filter | None = None
    buckets: tuple[Bucket, ...] = ()
    measures: tuple[Measure, ...] = ()
    columns: tuple[MappedField, ...] = ()
    sort: str = TIME_FIELD
    """Of records: the field that they are sorted by, the largest first."""
    text: str = ""

    @property
    def name(self) -> str:
        """Give what it is called in ids."""
        return slug(self.title)


@dataclass(frozen=True, slots=True, kw_only=True)
class Search:
    """A question worth keeping, and its answer: records."""

    title: str
    about: str = ""
    filter: Filter | None
    columns: tuple[MappedField, ...]
    sort: str = TIME_FIELD

    @property
    def name(self) -> str:
        """Give what it is called in ids."""
        return slug(self.title)


@dataclass(frozen=True, slots=True)
class Ask:
    """The one value that a page is about, and the fields that it is looked for in."""

    label: str
    fields: tuple[str, ...]
    forms: tuple[str, ...]
    """How the value may be written there: `{value}` stands for it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """What belongs together on one screen."""

    name: str
    title: str
    about: str
    log_types: tuple[str, ...]
    crosses_types: bool
    ask: Ask | None
    panels: tuple[Panel, ...]
    searches: tuple[Search, ...]
    units: tuple[tuple[str, Unit], ...]


def slug(title: str) -> str:
    """Give a title as lower-case words with hyphens between them."""
    return re.sub(r"[^a-z0-9]+", "-", title.lower()).strip("-")
