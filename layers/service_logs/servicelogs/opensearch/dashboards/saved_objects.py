"""Write pages as saved objects of OpenSearch Dashboards 2 and 3, one a line (NDJSON).

Index patterns, visualizations, saved searches and dashboards, in the shapes that Dashboards
exports: https://docs.opensearch.org/latest/dashboards/management/saved-objects/. Their ids begin
with the index prefix, which has no dot: two deployments never overwrite one another's.
"""

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from servicelogs.opensearch.dashboards import visualizations
from servicelogs.opensearch.dashboards.export import FILTERS, index_of
from servicelogs.opensearch.dashboards.fields import MappedField, common_fields, fields_of
from servicelogs.opensearch.dashboards.filters import Filter, lucene_of
from servicelogs.opensearch.dashboards.page_files import pages
from servicelogs.opensearch.dashboards.panels import TIME_FIELD, Page, Panel, Search, Unit
from servicelogs.opensearch.index_names import IndexNames

type SavedObject = dict[str, Any]
type Reference = dict[str, str]

# The newest migration of each type, which 2.x and 3.x share: those objects need none.
_MIGRATIONS = {
    "index-pattern": "7.6.0",
    "visualization": "7.10.0",
    "search": "7.9.3",
    "dashboard": "7.9.3",
}
_INDEX = "kibanaSavedObjectMeta.searchSourceJSON.index"

# Dashboards' grid has 48 columns, ours 12.
_COLUMNS, _SCALE = 48, 4
_HEIGHTS: Mapping[str, int] = {"metric": 7, "markdown": 6, "records": 20}
_HEIGHT, _CONTROLS_HEIGHT = 14, 5

_FORMATS: Mapping[Unit, Mapping[str, Any]] = {
    "bytes": {"id": "bytes"},
    "seconds": {
        "id": "duration",
        "params": {"inputFormat": "seconds", "outputFormat": "asSeconds", "outputPrecision": 3},
    },
    "milliseconds": {
        "id": "duration",
        "params": {
            "inputFormat": "milliseconds",
            "outputFormat": "asMilliseconds",
            "outputPrecision": 1,
        },
    },
}
_TYPES: Mapping[str, str] = {"keyword": "string", "text": "string", "flat_object": "unknown"}
# What every document has for OpenSearch itself: type, and whether it is searched and counted by.
_META_FIELDS: Mapping[str, tuple[str, bool, bool]] = {
    "_id": ("string", True, True),
    "_index": ("string", True, True),
    "_score": ("number", False, False),
    "_source": ("_source", False, False),
}


def ndjson(prefix: str, log_types: Sequence[str]) -> bytes:
    """Write the saved objects of a deployment: a line each, the same whenever it is written."""
    lines = (json.dumps(one, sort_keys=True) for one in saved_objects(prefix, log_types))
    return "".join(f"{line}\n" for line in lines).encode()


def saved_objects(prefix: str, log_types: Sequence[str]) -> list[SavedObject]:
    """Make the saved objects of a deployment, none twice."""
    made = (
        one
        for page in pages(log_types)
        for one in _Writer(page, prefix, everything=tuple(log_types)).objects()
    )
    return list({(one["type"], one["id"]): one for one in made}.values())


class _Writer:
    """Writes the objects of one page."""

    def __init__(self, page: Page, prefix: str, everything: tuple[str, ...]) -> None:
        self._page = page
        self._prefix = prefix
        # Pages about all log types share one index pattern.
        of_all = page.crosses_types and page.log_types == everything
        self._pattern = f"{prefix}.{'all' if of_all else page.name}"

    def objects(self) -> Iterator[SavedObject]:
        """Give them in the order in which they refer to each other."""
        yield self._index_pattern()
        yield self._controls()
        for panel in self._page.panels:
            if panel.kind == "records":
                yield self._search(self._id(panel.name), panel)
            else:
                yield self._visualization(panel)
        for search in self._page.searches:
            yield self._search(self._id("search", search.name), search)
        yield self._dashboard()

    def _id(self, *names: str) -> str:
        return ".".join((self._prefix, self._page.name, *names))

    def _title(self, title: str) -> str:
        """Say whose it is: lists of saved objects show titles alone."""
        return f"[{self._prefix}] {self._page.title}: {title}"

    def _index_pattern(self) -> SavedObject:
        page = self._page
        fields = common_fields(page.log_types) if page.crosses_types else fields_of(page.name)
        attributes = {
            "title": index_of(page, IndexNames(self._prefix, "day")),
            "timeFieldName": TIME_FIELD,
            "fields": json.dumps(list(field_list(fields.values()))),
            "fieldFormatMap": json.dumps(
                {name: _FORMATS[unit] for name, unit in page.units if unit in _FORMATS}
            ),
        }
        return _object("index-pattern", self._pattern, attributes, [])

    def _controls(self) -> SavedObject:
        """Make the lists in which accounts, Regions and log types are chosen."""
        shown = FILTERS if self._page.crosses_types else FILTERS[:2]
        state = visualizations.controls(shown)
        references = [
            _reference(f"control_{number}_index_pattern", "index-pattern", self._pattern)
            for number in range(len(shown))
        ]
        return self._drawn(
            "controls", "Filters", "", state, _source(None, indexed=False), references
        )

    def _visualization(self, panel: Panel) -> SavedObject:
        is_text = panel.kind == "markdown"
        references = [] if is_text else [self._reference_to_pattern()]
        source = _source(panel.filter, indexed=not is_text)
        state = visualizations.state(panel)
        return self._drawn(panel.name, panel.title, panel.about, state, source, references)

    def _drawn(
        self,
        name: str,
        title: str,
        about: str,
        state: dict[str, Any],
        source: str,
        references: list[Reference],
    ) -> SavedObject:
        attributes = {
            "title": self._title(title),
            "description": about,
            "visState": json.dumps(state | {"title": self._title(title)}),
            "uiStateJSON": "{}",
            "version": 1,
            "kibanaSavedObjectMeta": {"searchSourceJSON": source},
        }
        return _object("visualization", self._id(name), attributes, references)

    def _search(self, id_: str, found: Panel | Search) -> SavedObject:
        attributes = {
            "title": self._title(found.title),
            "description": found.about,
            "columns": list(dict.fromkeys(map(self._column, found.columns))),
            "sort": [[found.sort, "desc"]],
            "hits": 0,
            "version": 1,
            "kibanaSavedObjectMeta": {"searchSourceJSON": _source(found.filter, indexed=True)},
        }
        return _object("search", id_, attributes, [self._reference_to_pattern()])

    def _column(self, column: MappedField) -> str:
        """Name a column as documents have it: Discover shows no other values.

        Where log types have different names for it, the whole document is shown.
        """
        names = {
            (of_type[column.name].parent or of_type[of_type[column.name].path].parent)
            or of_type[column.name].path
            for of_type in map(fields_of, self._page.log_types)
            if column.name in of_type
        }
        return names.pop() if len(names) == 1 else "_source"

    def _reference_to_pattern(self) -> Reference:
        return _reference(_INDEX, "index-pattern", self._pattern)

    def _dashboard(self) -> SavedObject:
        placed = list(self._placed())
        attributes = {
            "title": f"[{self._prefix}] {self._page.title}",
            "description": self._page.about,
            "panelsJSON": json.dumps([panel for panel, _ in placed]),
            "optionsJSON": json.dumps({"useMargins": True, "hidePanelTitles": False}),
            "timeRestore": False,
            "hits": 0,
            "version": 1,
            "kibanaSavedObjectMeta": {"searchSourceJSON": _source(None, indexed=False)},
        }
        references = [reference for _, reference in placed]
        return _object("dashboard", self._id(), attributes, references)

    def _placed(self) -> Iterator[tuple[dict[str, Any], Reference]]:
        """Place the panels from left to right, line by line, below the lists of filters."""
        shown = [("controls", "Filters", "visualization", 12, _CONTROLS_HEIGHT)] + [
            (
                panel.name,
                panel.title,
                "search" if panel.kind == "records" else "visualization",
                panel.width,
                _HEIGHTS.get(panel.kind, _HEIGHT),
            )
            for panel in self._page.panels
        ]
        x = y = line_height = 0
        for number, (name, title, type_, columns, height) in enumerate(shown):
            width = columns * _SCALE
            if x + width > _COLUMNS:
                x, y, line_height = 0, y + line_height, 0
            panel = {
                "version": "2.0.0",
                "type": type_,
                "gridData": {"x": x, "y": y, "w": width, "h": height, "i": str(number)},
                "panelIndex": str(number),
                "embeddableConfig": {"title": title},
                "title": title,
                "panelRefName": f"panel_{number}",
            }
            yield panel, _reference(f"panel_{number}", type_, self._id(name))
            x, line_height = x + width, max(line_height, height)


def field_list(fields: Iterable[MappedField]) -> Iterator[dict[str, Any]]:
    """List fields as an index pattern has them, with those of OpenSearch itself."""
    for name, (type_, searchable, aggregatable) in _META_FIELDS.items():
        own = [] if name == "_score" else [name]
        yield _field(name, type_, own, searchable=searchable, aggregatable=aggregatable)
    for field in fields:
        conflict = field.type == "conflict"
        listed = _field(
            field.name,
            _TYPES.get(field.family, field.family),
            [] if conflict else [field.type],
            searchable=True,
            aggregatable=field.is_aggregatable,
            from_doc_values=field.is_aggregatable and not conflict,
        )
        yield listed | ({"subType": {"multi": {"parent": field.parent}}} if field.parent else {})


def _field(
    name: str,
    type_: str,
    own: list[str],
    *,
    searchable: bool,
    aggregatable: bool,
    from_doc_values: bool = False,
) -> dict[str, Any]:
    return {
        "name": name,
        "type": type_,
        "esTypes": own,
        "count": 0,
        "scripted": False,
        "searchable": searchable,
        "aggregatable": aggregatable,
        "readFromDocValues": from_doc_values,
    }


def _object(
    type_: str, id_: str, attributes: dict[str, Any], references: list[Reference]
) -> SavedObject:
    return {
        "type": type_,
        "id": id_,
        "attributes": attributes,
        "references": references,
        "migrationVersion": {type_: _MIGRATIONS[type_]},
    }


def _reference(name: str, type_: str, id_: str) -> Reference:
    return {"name": name, "type": type_, "id": id_}


def _source(filter_: Filter | None, *, indexed: bool) -> str:
    """Write what is searched: readable in the query bar, so that a user can change it."""
    query = {"query": lucene_of(filter_) if filter_ else "", "language": "lucene"}
    index = {"indexRefName": _INDEX} if indexed else {}
    return json.dumps({"query": query, "filter": [], **index})
