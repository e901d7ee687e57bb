"""Read the pages: `pages/<name>.yaml`, one for each log type and some that cross types.

docs/dashboards.md says what may stand in them. Every mistake is found, with its file and line.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import cast

from servicelogs import formats
from servicelogs.errors import PanelMistake
from servicelogs.opensearch.dashboards.conditions import Filters
from servicelogs.opensearch.dashboards.fields import MappedField, common_fields, fields_of
from servicelogs.opensearch.dashboards.panels import (
    KINDS,
    OVER_TIME,
    TIME_FIELD,
    UNITS,
    Ask,
    Bucket,
    Kind,
    Measure,
    MeasureKind,
    Page,
    Panel,
    Search,
    Unit,
)
from servicelogs.opensearch.dashboards.written import Written, read, unknown

PAGES = Path(__file__).parent / "pages"

SEARCHES_A_TYPE = 5

_PAGE_KEYS = ("title", "about", "units", "filters", "panels", "searches", "log_types", "ask")
_MEASURES: Mapping[str, str] = {
    "sum": "Sum of",
    "average": "Average",
    "max": "Largest",
    "min": "Smallest",
    "distinct": "Number of different",
    "percentiles": "Percentiles of",
}
_ASKS = ("by", "size", "steps", *_MEASURES, "percents", "percent")
_ALL_KINDS = ("title", "kind", "about", "width", "filter")
_KEYS: Mapping[str, tuple[str, ...]] = {
    "metric": ("by", "size", *_MEASURES, "percents"),
    "records": ("columns", "sort"),
    "markdown": ("text",),
    "bar": (*_ASKS, "sort"),
    "table": ("by", "size", "steps", "sort", *_MEASURES, "percents"),
    "pie": ("by", "size", "steps", *_MEASURES, "percents"),
    "line": ("by", "size", "steps", *_MEASURES, "percents"),
}
# How many buckets deep a kind can be drawn.
_LEAST_BY = {"bar": 1, "pie": 1, "table": 1}
_MOST_BY = {"bar": 2, "pie": 1, "table": 4}
_WIDTHS = {"metric": 3, "table": 6, "records": 12, "markdown": 12}
_SIZES = {"bar": 10, "table": 10, "pie": 6}
_MOST_BUCKETS = 100
_PERCENTS = (50.0, 95.0, 99.0)


def pages(log_types: Sequence[str] = formats.NAMES) -> list[Page]:
    """Give the pages of a deployment: those of its log types, behind those that cross types."""
    found = [_page(file) for file in page_files()]
    crossing = [_of_deployment(page, log_types) for page in found if page.crosses_types]
    single = [page for page in found if not page.crosses_types and page.name in log_types]
    return [page for page in crossing if page.log_types] + single


def page_files() -> list[Path]:
    """List the files of pages: the overview, what else crosses types, and the log types."""
    files = sorted(PAGES.glob("*.yaml"))
    return sorted(files, key=lambda file: (file.stem in formats.NAMES, file.stem != "overview"))


def mistakes(files: Iterable[Path]) -> Iterator[PanelMistake]:
    """Find what is wrong with files of pages: the first mistake of each panel."""
    for file in files:
        try:
            reader = _Reader(read(file))
        except PanelMistake as mistake:
            yield mistake
        else:
            yield from reader.mistakes()


@cache
def _page(file: Path) -> Page:
    return read_page(file)


def read_page(file: Path) -> Page:
    """Read one page; a PanelMistake says what is wrong, and on which line."""
    return _Reader(read(file)).page()


def _of_deployment(page: Page, log_types: Sequence[str]) -> Page:
    return replace(page, log_types=tuple(one for one in page.log_types if one in log_types))


class _Reader:
    """Reads what stands in one file."""

    def __init__(self, written: Written) -> None:
        self._written = written
        self._name = written.file.stem
        self._members = written.members(_PAGE_KEYS)
        self._crosses = self._name not in formats.NAMES
        self._log_types = self._read_log_types()
        self._fields = common_fields(self._log_types) if self._crosses else fields_of(self._name)
        named = self._members["filters"].members() if "filters" in self._members else {}
        self._filters = Filters(self._fields, named)
        self._units = dict(self._read_units())

    def page(self) -> Page:
        """Give the page."""
        self._filters.check_named()
        panels = tuple(map(self._panel, self._items("panels")))
        searches = tuple(map(self._search, self._items("searches")))
        self._refuse_same_names(panels, "panels")
        self._refuse_same_names(searches, "searches")
        if not panels:
            raise self._written.mistake("a page must have panels")
        if not self._crosses and len(searches) != SEARCHES_A_TYPE:
            raise self._written.mistake(
                f"the page of a log type must have {SEARCHES_A_TYPE} searches, not {len(searches)}"
            )
        return Page(
            name=self._name,
            title=self._required("title").title(),
            about=self._text("about"),
            log_types=self._log_types,
            crosses_types=self._crosses,
            ask=self._ask(),
            panels=panels,
            searches=searches,
            units=tuple(self._units.items()),
        )

    def mistakes(self) -> Iterator[PanelMistake]:
        """Find the first mistake of each panel and search, else what is wrong with the page."""
        found = False
        for key, make in (("panels", self._panel), ("searches", self._search)):
            try:
                items = self._items(key)
            except PanelMistake as mistake:
                yield mistake
                return
            for item in items:
                try:
                    make(item)
                except PanelMistake as mistake:
                    found = True
                    yield mistake
        if not found:
            try:
                self.page()
            except PanelMistake as mistake:
                yield mistake

    def _items(self, key: str) -> list[Written]:
        return self._members[key].list(least=0) if key in self._members else []

    def _text(self, key: str) -> str:
        return self._members[key].text() if key in self._members else ""

    def _required(self, key: str) -> Written:
        if key not in self._members:
            raise self._written.mistake(f"{key} is missing")
        return self._members[key]

    def _read_log_types(self) -> tuple[str, ...]:
        written = self._members.get("log_types")
        if not self._crosses:
            if written:
                raise written.mistake(f"the page of {self._name} is about that log type alone")
            return (self._name,)
        if written is None or written.value == "all":
            return formats.NAMES
        return tuple(one.one_of("log type", formats.NAMES) for one in written.items())

    def _read_units(self) -> Iterator[tuple[str, Unit]]:
        """Read the units of fields; what a field is also called has the field's."""
        if "units" in self._members:
            for name, written in self._members["units"].members().items():
                field = self._field(name, written, ("number",))
                unit = cast("Unit", written.one_of("unit", UNITS[1:]))
                yield field.name, unit
                also = (one.name for one in self._fields.values() if one.path == field.name)
                yield from ((one, unit) for one in also)

    def _ask(self) -> Ask | None:
        if "ask" not in self._members:
            return None
        members = self._members["ask"].members(("label", "fields", "forms"))
        if "label" not in members or "fields" not in members:
            raise self._members["ask"].mistake("label and fields are both needed")
        fields = tuple(
            self._field(one.text(), one, ("keyword", "ip")).name
            for one in members["fields"].items()
        )
        return Ask(members["label"].text(), fields, tuple(_forms(members)))

    def _refuse_same_names(self, found: Sequence[Panel | Search], key: str) -> None:
        names = {"controls"}  # what Dashboards has besides
        for one, written in zip(found, self._items(key), strict=True):
            if not one.name:
                raise written.mistake(f"the title {one.title!r} has no letter and no digit")
            if one.name in names:
                raise written.mistake(f"the title {one.title!r} is that of another")
            names.add(one.name)

    def _field(self, name: str, written: Written, families: Sequence[str] = ()) -> MappedField:
        if name not in self._fields:
            raise written.mistake(unknown(name, "field", self._fields))
        field = self._fields[name]
        if field.family == "conflict":
            raise written.mistake(f"{name!r} is of different types in different logs")
        if families and field.family not in families:
            raise written.mistake(
                f"{name!r} is a {field.family}, and must be a {' or '.join(families)}"
            )
        return field

    def _panel(self, written: Written) -> Panel:
        members = written.members()
        for needed in ("title", "kind"):
            if needed not in members:
                raise written.mistake(f"{needed} is missing")
        kind = cast("Kind", members["kind"].one_of("kind of panel", KINDS))
        written.members((*_ALL_KINDS, *_KEYS.get(kind, _ASKS)))
        if kind == "markdown":
            if "text" not in members:
                raise written.mistake("text is missing")
        elif kind == "records" and "columns" not in members:
            raise written.mistake("columns is missing")
        _refuse_without(members, "percents", "percentiles")
        for key in ("size", "steps"):
            _refuse_without(members, key, "by")
        measures = self._measures(members, kind)
        return Panel(
            title=members["title"].title(),
            kind=kind,
            about=members["about"].text() if "about" in members else "",
            width=members["width"].number(2, 12) if "width" in members else _WIDTHS.get(kind, 6),
            percent=_flag(members, "percent"),
            filter=self._filters.read(members["filter"]) if "filter" in members else None,
            buckets=self._buckets(written, members, kind),
            measures=measures,
            columns=self._columns(members),
            sort=TIME_FIELD if kind != "records" else self._sort(members),
            text=members["text"].text() if "text" in members else "",
        )

    def _search(self, written: Written) -> Search:
        members = written.members(("title", "about", "filter", "columns", "sort"))
        for needed in ("title", "columns"):
            if needed not in members:
                raise written.mistake(f"{needed} is missing")
        return Search(
            title=members["title"].title(),
            about=members["about"].text() if "about" in members else "",
            filter=self._filters.read(members["filter"]) if "filter" in members else None,
            columns=self._columns(members),
            sort=self._sort(members),
        )

    def _columns(self, members: Mapping[str, Written]) -> tuple[MappedField, ...]:
        if "columns" not in members:
            return ()
        return tuple(self._field(one.text(), one) for one in members["columns"].items())

    def _sort(self, members: Mapping[str, Written]) -> str:
        if "sort" not in members:
            return TIME_FIELD
        return self._field(members["sort"].text(), members["sort"], ("number", "date")).name

    def _buckets(
        self, written: Written, members: Mapping[str, Written], kind: Kind
    ) -> tuple[Bucket, ...]:
        if kind in ("records", "markdown"):
            return ()
        by = members["by"].items(least=0) if "by" in members else []
        if not _LEAST_BY.get(kind, 0) <= len(by) <= _MOST_BY.get(kind, 1):
            fields = _how_many(_LEAST_BY.get(kind, 0), _MOST_BY.get(kind, 1))
            raise members.get("by", written).mistake(f"by must name {fields} for the kind {kind}")
        size = (
            members["size"].number(1, _MOST_BUCKETS) if "size" in members else _SIZES.get(kind, 5)
        )
        found = [self._bucket(number, one, members, size) for number, one in enumerate(by, 1)]
        if kind in OVER_TIME:
            found.append(Bucket("time", "time", "Time", TIME_FIELD))
        return tuple(found)

    def _bucket(
        self, number: int, written: Written, members: Mapping[str, Written], size: int
    ) -> Bucket:
        name = f"by_{number}"
        if isinstance(written.value, dict):
            if not written.value:
                raise written.mistake("names with a filter each are expected")
            filters = tuple(
                (label, self._filters.read(one)) for label, one in written.members().items()
            )
            return Bucket(name, "filters", "Which", filters=filters)
        field = self._field(written.text(), written)
        if not field.is_aggregatable:
            raise written.mistake(
                f"{field.name!r} is a {field.family}, by which records cannot be counted; "
                f"try {field.name}.keyword"
                if field.family == "text"
                else f"{field.name!r} is a {field.family}, by which records cannot be counted"
            )
        if "steps" in members and number == 1:
            return Bucket(
                name, "ranges", field.name, field.name, bounds=self._steps(members, field)
            )
        return Bucket(name, "terms", field.name, field.name, size)

    def _steps(self, members: Mapping[str, Written], field: MappedField) -> tuple[float, ...]:
        written = members["steps"]
        if field.family != "number":
            raise written.mistake(f"steps are for a number, and {field.name!r} is a {field.family}")
        steps = [one.value for one in written.items()]
        numbers = [s for s in steps if isinstance(s, int | float) and not isinstance(s, bool)]
        if len(numbers) < len(steps) or sorted(set(numbers)) != numbers:
            raise written.mistake("steps must be numbers, each larger than the one before")
        return tuple(numbers)

    def _measures(self, members: Mapping[str, Written], kind: Kind) -> tuple[Measure, ...]:
        if kind in ("records", "markdown"):
            return ()
        wanted = [
            (word, one) for word in members if word in _MEASURES for one in members[word].items()
        ]
        found = [
            self._measure(f"m{number}", cast("MeasureKind", word), one, members)
            for number, (word, one) in enumerate(wanted, 1)
        ]
        count = Measure("count", "count", "Records")
        # What is first is what values are sorted by.
        if "sort" in members:
            members["sort"].one_of("order", ("records",))
            return (count, *found)
        # A table says of how many records the rest is said.
        return (*found, count) if not found or kind == "table" else tuple(found)

    def _measure(
        self, name: str, kind: MeasureKind, written: Written, members: Mapping[str, Written]
    ) -> Measure:
        families = () if kind == "distinct" else ("number",)
        field = self._field(written.text(), written, families)
        if not field.is_aggregatable:
            raise written.mistake(f"{field.name!r} is a {field.family}, which cannot be counted")
        unit: Unit = "" if kind == "distinct" else self._units.get(field.name, "")
        percents = _percents(members) if kind == "percentiles" else ()
        return Measure(name, kind, f"{_MEASURES[kind]} {field.name}", field.name, unit, percents)


def _forms(members: Mapping[str, Written]) -> Iterator[str]:
    if "forms" not in members:
        yield "{value}"
        return
    for one in members["forms"].items():
        if "{value}" not in one.text():
            raise one.mistake("a form must have {value} in it")
        yield one.text()


def _refuse_without(members: Mapping[str, Written], key: str, needed: str) -> None:
    if key in members and needed not in members:
        raise members[key].mistake(f"{key} says nothing without {needed}")


def _flag(members: Mapping[str, Written], key: str) -> bool:
    if key not in members:
        return False
    value = members[key].value
    if not isinstance(value, bool):
        raise members[key].mistake(f"{key} must be true or false")
    return value


def _how_many(least: int, most: int) -> str:
    """Say how many fields there must be."""
    fields = f"{most} field{'s' * (most > 1)}"
    if least == most:
        return fields
    return f"{least} to {fields}" if least else f"{fields} at most"


def _percents(members: Mapping[str, Written]) -> tuple[float, ...]:
    if "percents" not in members:
        return _PERCENTS
    return tuple(float(one.number(1, 99)) for one in members["percents"].items())
