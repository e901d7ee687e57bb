"""What the engines answer is what a loop over the documents finds, by the panel's own file."""

from collections.abc import Iterator, Mapping
from datetime import timedelta
from math import ceil, floor
from typing import Any

import pytest

from local.sample_logs import ACCOUNT, REGION
from servicelogs import formats
from servicelogs.opensearch.dashboards.bodies import RECORDS, search_body
from servicelogs.opensearch.dashboards.export import index_of
from servicelogs.opensearch.dashboards.filters import Query
from servicelogs.opensearch.dashboards.page_files import pages
from servicelogs.opensearch.dashboards.panels import Bucket, Measure, Page, Panel
from servicelogs.opensearch.index_names import IndexNames
from tests.opensearch.dashboards import oracle
from tests.sample_indexes import DELIVERED, SampleIndexes

pytestmark = pytest.mark.xdist_group("sample indexes")

NAMES = IndexNames("aws", "day")
PAGES = pages(formats.NAMES)


# What the form above each page narrows it by, all at once.
START, END = DELIVERED - timedelta(minutes=10), DELIVERED + timedelta(minutes=1)
ACCOUNTS, REGIONS = {ACCOUNT, "444455556666"}, {REGION}
FORM: list[Query] = [
    {"range": {"@timestamp": {"gte": f"{START:%FT%TZ}", "lt": f"{END:%FT%TZ}"}}},
    {"terms": {"cloud.account_id": sorted(ACCOUNTS)}},
    {"terms": {"cloud.region": sorted(REGIONS)}},
    {"query_string": {"query": "log.record:<=3 AND NOT log.type:nothing"}},
]


def in_form(document: oracle.Document) -> bool:
    return (
        START.timestamp() <= document["@timestamp"][0] < END.timestamp()
        and not ACCOUNTS.isdisjoint(document.get("cloud.account_id", []))
        and not REGIONS.isdisjoint(document.get("cloud.region", []))
        and document["log.record"][0] <= 3
    )


@pytest.fixture(scope="module")
def documents(sample_indexes: SampleIndexes) -> dict[str, list[oracle.Document]]:
    """Give the documents of each log type."""
    return {name: list(documents_of(sample_indexes, name)) for name in formats.NAMES}


def documents_of(indexes: SampleIndexes, log_type: str) -> Iterator[oracle.Document]:
    answer = indexes.search(NAMES.searched(log_type), {"size": 10_000})
    assert len(answer["hits"]["hits"]) == answer["hits"]["total"]["value"]
    names = oracle.Names(log_type)
    for hit in answer["hits"]["hits"]:
        yield names.document(hit["_source"])


@pytest.mark.parametrize("narrowed", [False, True], ids=["all", "narrowed"])
@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_panel_shows_what_a_loop_over_the_documents_counts(
    sample_indexes: SampleIndexes,
    documents: dict[str, list[oracle.Document]],
    page: Page,
    narrowed: bool,
) -> None:
    some = [one for name in page.log_types for one in documents[name]]
    if narrowed:
        some, everything = list(filter(in_form, some)), some
        assert 0 < len(some) < len(everything)
    expected = oracle.Page(page.name, some)
    wrong = []
    for panel in page.panels:
        body = search_body(panel, filters=FORM if narrowed else ())
        if body is not None:
            answer = sample_indexes.search(index_of(page, NAMES), body)
            wrong += [f"{panel.title}: {what}" for what in differences(expected, panel, answer)]
    assert wrong == []


def differences(page: oracle.Page, panel: Panel, answer: Mapping[str, Any]) -> Iterator[str]:
    """Say where an answer is not what it should be."""
    written = page.panels[panel.title]
    seen = page.seen(written)
    if answer["hits"]["total"]["value"] != len(seen):
        yield f"{answer['hits']['total']['value']} records instead of {len(seen)}"
    if panel.kind == "records":
        field = written.get("sort", "@timestamp")
        found = [page_value for hit in answer["hits"]["hits"] for page_value in hit["sort"]]
        yield from newest(found, [one.get(field, []) for one in seen])
        return
    counted = page.counted(written)
    rows = dict(buckets(answer, panel.buckets))
    if not panel.buckets:
        rows, counted = {(): answer.get("aggregations", {})}, {(): seen}
    for key, row in rows.items():
        inside = counted.get(key, [])
        if panel.buckets and row["doc_count"] != len(inside):
            yield f"{key}: {row['doc_count']} records instead of {len(inside)}"
        for measure in panel.measures:
            if measure.kind != "count" and not says(row[measure.name], measure, inside):
                yield f"{key}: {measure.label} is {row[measure.name]}"
    yield from left_out(panel, counted, rows)


def newest(found: list[Any], values: list[list[Any]]) -> Iterator[str]:
    largest = sorted((max(one) for one in values if one), reverse=True)[:RECORDS]
    if len(found) != min(len(values), RECORDS) or found != sorted(found, reverse=True):
        yield "not the largest first"
    elif largest and abs(found[0] - largest[0]) > 1e-6 * abs(found[0]):
        scale = found[0] / largest[0]
        if scale < 1e5 or abs(scale / 10 ** round(len(str(int(scale))) - 1) - 1) > 1e-6:
            yield f"{found[0]} is the first instead of {largest[0]}"


def buckets(
    row: Mapping[str, Any], levels: tuple[Bucket, ...], above: tuple[Any, ...] = ()
) -> Iterator[tuple[tuple[Any, ...], Mapping[str, Any]]]:
    """Give the innermost buckets that have records, by their keys."""
    if not levels:
        yield above, row
        return
    first, *others = levels
    found = row.get("aggregations", row)[first.name]["buckets"]
    named = found.items() if isinstance(found, dict) else [(key_of(first, b), b) for b in found]
    for key, bucket in named:
        if bucket["doc_count"]:
            yield from buckets(bucket, tuple(others), (*above, key))


def key_of(level: Bucket, bucket: Mapping[str, Any]) -> Any:
    if level.kind == "time":
        return bucket["key"] / 1000
    if level.kind == "ranges":
        return bucket.get("from")
    if bucket.get("key_as_string") in ("true", "false"):
        return bool(bucket["key"])
    return bucket["key"]


def says(answer: Mapping[str, Any], measure: Measure, inside: list[oracle.Document]) -> bool:
    expected = oracle.measured(measure.kind, measure.field, inside)
    if measure.kind != "percentiles":
        value = answer["value"]
        if expected is None or value is None:
            return expected == value
        # A float keeps seven digits; many different values are estimated.
        rel = 0.02 if measure.kind == "distinct" and expected > 100 else 1e-6
        return bool(value == pytest.approx(expected, rel=rel, abs=1e-9))
    for percent, value in answer["values"].items():
        if not expected:
            return value is None
        # It interpolates between records that are near.
        place, last = float(percent) / 100 * (len(expected) - 1), len(expected) - 1
        off = 2 + len(expected) // 50
        low, high = expected[max(floor(place) - off, 0)], expected[min(ceil(place) + off, last)]
        if not low * (1 - 1e-6) <= value <= high * (1 + 1e-6):
            return False
    return True


def left_out(
    panel: Panel,
    counted: Mapping[tuple[Any, ...], list[oracle.Document]],
    rows: Mapping[tuple[Any, ...], Mapping[str, Any]],
) -> Iterator[str]:
    """Say which buckets are missing: of values, those larger than one that is there."""
    if len(panel.buckets) == 1 and panel.buckets[0].kind == "terms":
        measure, size = panel.measures[0], panel.buckets[0].size
        if len(rows) != min(size, len(counted)):
            yield f"{len(rows)} values of {len(counted)}"
        if measure.kind == "percentiles":
            return

        def value(key: tuple[Any, ...]) -> float:
            if measure.kind == "count":
                return len(counted[key])
            return float(oracle.measured(measure.kind, measure.field, counted[key]) or 0)

        least = min((value(key) for key in rows if key in counted), default=0)
        yield from (
            f"{key} has {value(key)} and is not there"
            for key in counted.keys() - rows.keys()
            if value(key) > least * (1 + 1e-6)
        )
    elif all(bucket.kind != "terms" for bucket in panel.buckets):
        yield from (f"{key} is not there" for key in counted.keys() - rows.keys())
