"""Saved objects are what Dashboards exports, refer to each other, and are one deployment's own."""

import json
from itertools import combinations
from typing import Any

import pytest

from servicelogs import formats
from servicelogs.opensearch.dashboards.bodies import search_body
from servicelogs.opensearch.dashboards.export import index_of
from servicelogs.opensearch.dashboards.fields import fields_of
from servicelogs.opensearch.dashboards.page_files import pages
from servicelogs.opensearch.dashboards.saved_objects import ndjson, saved_objects
from servicelogs.opensearch.index_names import IndexNames
from tests.sample_indexes import SampleIndexes

OBJECTS = saved_objects("aws", formats.NAMES)
# Aggregations of Dashboards by the names that OpenSearch has for them.
METRICS = {"avg", "sum", "max", "min", "cardinality", "percentiles"}
# What Dashboards' mappings of the types have (src/plugins/*/server/saved_objects/): what is not
# among them, it refuses.
ATTRIBUTES = {
    "index-pattern": {"title", "timeFieldName", "fields", "fieldFormatMap"},
    "visualization": {
        "title",
        "description",
        "visState",
        "uiStateJSON",
        "version",
        "kibanaSavedObjectMeta",
    },
    "search": {
        "title",
        "description",
        "columns",
        "sort",
        "hits",
        "version",
        "kibanaSavedObjectMeta",
    },
    "dashboard": {
        "title",
        "description",
        "panelsJSON",
        "optionsJSON",
        "timeRestore",
        "hits",
        "version",
        "kibanaSavedObjectMeta",
    },
}
# Its migrations of these types end there, in 2.x and in 3.x.
MIGRATED = {"index-pattern": "7.6.0", "visualization": "7.10.0", "search": "7.9.3"}


def of_type(type_: str) -> list[dict[str, Any]]:
    return [one for one in OBJECTS if one["type"] == type_]


def test_each_line_is_an_object_as_dashboards_exports_it() -> None:
    for line in ndjson("aws", formats.NAMES).splitlines():
        one = json.loads(line)
        assert one.keys() == {"type", "id", "attributes", "references", "migrationVersion"}
        assert one["attributes"].keys() == ATTRIBUTES[one["type"]]
        assert one["migrationVersion"] == {one["type"]: MIGRATED.get(one["type"], "7.9.3")}


def test_what_an_object_refers_to_is_there_and_named_where_it_is_used() -> None:
    there = {(one["type"], one["id"]) for one in OBJECTS}
    for one in OBJECTS:
        text = json.dumps(one["attributes"])
        for reference in one["references"]:
            assert (reference["type"], reference["id"]) in there
            assert reference["name"] in text
        assert text.count("RefName") == len(one["references"]), one["id"]


def test_there_is_a_dashboard_a_page_with_every_panel_and_none_over_another() -> None:
    dashboards = {one["id"]: one for one in of_type("dashboard")}
    for page in pages():
        panels = json.loads(dashboards[f"aws.{page.name}"]["attributes"]["panelsJSON"])
        assert len(panels) == 1 + len(page.panels)
        cells = [
            {
                (x, y)
                for x in range(grid["x"], grid["x"] + grid["w"])
                for y in range(grid["y"], grid["y"] + grid["h"])
            }
            for grid in (panel["gridData"] for panel in panels)
        ]
        assert all(x < 48 for cell in cells for x, _ in cell)
        assert not any(one & other for one, other in combinations(cells, 2))


def test_two_deployments_never_overwrite_one_another() -> None:
    names = [*formats.NAMES]
    prefixes = ["aws", "aws-alb", "aws-alb-connection", "aws-", "aws-2", "a", "logs"]
    ids = [
        {(one["type"], one["id"]) for one in saved_objects(prefix, names)} for prefix in prefixes
    ]
    assert not any(one & other for one, other in combinations(ids, 2))


def test_the_same_deployment_writes_the_same_bytes_again() -> None:
    assert ndjson("aws", formats.NAMES) == ndjson("aws", list(formats.NAMES))


def test_a_visualization_asks_for_what_the_panels_search_asks_for() -> None:
    """Dashboards makes its own request of the aggregations: of the same, in the same order."""
    shown = {
        one["id"]: json.loads(one["attributes"]["visState"]) for one in of_type("visualization")
    }
    for page in pages():
        for panel in page.panels:
            body = search_body(panel)
            if body is None or panel.kind == "records":
                continue
            state = shown[f"aws.{page.name}.{panel.name}"]
            asked = [
                (one["type"], one["params"].get("field"))
                for one in state["aggs"]
                if one["type"] != "count"
            ]
            metrics = {one for one in asked if one[0] in METRICS}
            buckets = [one for one in asked if one[0] not in METRICS]
            expected = list(aggregations(body["aggs"]))
            assert buckets == [one for one in expected if one[0] not in METRICS]
            assert metrics == {one for one in expected if one[0] in METRICS}


def test_values_are_looked_for_as_widely_as_in_the_panels_own_search() -> None:
    """Dashboards adds what the JSON input of an aggregation has to its request."""
    shown = {one["id"]: one["attributes"] for one in of_type("visualization")}
    for page in pages():
        for panel in page.panels:
            terms = ((search_body(panel) or {}).get("aggs", {}).get("by_1") or {}).get("terms")
            if terms:
                state = json.loads(shown[f"aws.{page.name}.{panel.name}"]["visState"])
                (first, *others) = [
                    one["params"] for one in state["aggs"] if one["type"] == "terms"
                ]
                assert json.loads(first["json"]) == {"shard_size": terms["shard_size"]}
                assert not any("json" in one for one in others)


def aggregations(aggs: dict[str, Any]) -> list[tuple[str, str | None]]:
    """Give kind and field of aggregations, from the outermost on."""
    found = []
    for one in aggs.values():
        kind = next(key for key in one if key != "aggs")
        found.append((kind, one[kind].get("field")))
        found += aggregations(one.get("aggs", {}))
    return found


@pytest.mark.parametrize("page", pages(), ids=lambda page: page.name)
def test_the_columns_of_a_saved_search_are_in_documents(page: Any) -> None:
    """Discover shows what documents have: an alias would be an empty column."""
    for one in of_type("search"):
        if one["id"].split(".")[1] == page.name:
            for column in {*one["attributes"]["columns"]} - {"_source"}:
                fields = [fields_of(name).get(column) for name in page.log_types]
                assert all(f is None or (f.path == column and not f.parent) for f in fields)
                assert any(fields)


@pytest.mark.xdist_group("sample indexes")
@pytest.mark.parametrize("name", formats.NAMES)
def test_an_index_pattern_lists_the_fields_that_the_engine_says_it_has(
    sample_indexes: SampleIndexes, name: str
) -> None:
    pattern = next(one for one in of_type("index-pattern") if one["id"] == f"aws.{name}")
    listed = {
        field["name"]: (*field["esTypes"], field["searchable"], field["aggregatable"])
        for field in json.loads(pattern["attributes"]["fields"])
        if not field["name"].startswith("_")
    }
    index = pattern["attributes"]["title"].replace("aws-", f"{sample_indexes.prefix}-")
    answer = sample_indexes.client.field_caps(index=index, params={"fields": "*"})
    found = {
        field: (kind["type"], kind["searchable"], kind["aggregatable"])
        for field, kinds in answer["fields"].items()
        for kind in kinds.values()
        if not field.startswith("_")
        and kind["type"] != "object"
        # OpenSearch 2.19 has one without a name in each free-form field.
        and not field.endswith(".")
    }
    assert listed == found


@pytest.mark.xdist_group("sample indexes")
def test_the_query_bar_finds_what_the_panels_own_search_finds(
    sample_indexes: SampleIndexes,
) -> None:
    """Of each panel's filter: as Lucene in a saved object, as DSL in a search body."""
    sources = {
        one["id"]: json.loads(one["attributes"]["kibanaSavedObjectMeta"]["searchSourceJSON"])
        for one in OBJECTS
        if one["type"] in ("visualization", "search")
    }
    differing = []
    for page in pages():
        index = index_of(page, IndexNames(sample_indexes.prefix, "year"))
        for panel in page.panels:
            body = search_body(panel)
            query = sources[f"aws.{page.name}.{panel.name}"]["query"]["query"]
            if body is None or not query:
                continue
            by_bar = {"query_string": {"query": query, "analyze_wildcard": True}}
            counts = [
                sample_indexes.client.count(index=index, body={"query": asked})["count"]
                for asked in (body["query"], by_bar)
            ]
            if counts[0] != counts[1]:
                differing.append((page.name, panel.title, *counts, query))
    assert differing == []
