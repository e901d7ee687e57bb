"""Every panel and every search is answered by a real OpenSearch, and finds something."""

from collections.abc import Iterator
from typing import Any

import pytest

from servicelogs import formats
from servicelogs.opensearch.dashboards.bodies import body_of_search, search_body
from servicelogs.opensearch.dashboards.export import index_of
from servicelogs.opensearch.dashboards.page_files import pages
from servicelogs.opensearch.dashboards.panels import Bucket, Page, Panel, Search
from servicelogs.opensearch.index_names import IndexNames
from tests.sample_indexes import SampleIndexes

# One worker runs them: they search the same indexes.
pytestmark = pytest.mark.xdist_group("sample indexes")

PAGES = pages(formats.NAMES)
NAMES = IndexNames("aws", "day")


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_panel_of_a_page_draws_something(sample_indexes: SampleIndexes, page: Page) -> None:
    empty = [panel.title for panel in page.panels if not draws(sample_indexes, page, panel)]

    assert empty == []


def draws(indexes: SampleIndexes, page: Page, panel: Panel) -> bool:
    body = search_body(panel)
    if body is None:
        return bool(panel.text)
    answer = indexes.search(index_of(page, NAMES), body)
    if answer["hits"]["total"]["value"] == 0:
        return False
    if panel.kind == "records":
        found = set(shown(answer))
        return len(found) > len(panel.columns) / 2
    return filled(answer.get("aggregations", {}), panel.buckets, panel)


def filled(found: dict[str, Any], buckets: tuple[Bucket, ...], panel: Panel) -> bool:
    """Say whether some innermost bucket has records, and all measures of one have a value."""
    if not buckets:
        return all(
            measure.kind == "count" or has_value(found[measure.name]) for measure in panel.measures
        )
    some = found[buckets[0].name]["buckets"]
    rows = some.values() if isinstance(some, dict) else some
    return any(row["doc_count"] and filled(row, buckets[1:], panel) for row in rows)


def has_value(answer: dict[str, Any]) -> bool:
    values = answer["values"].values() if "values" in answer else [answer["value"]]
    return all(value is not None for value in values)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_search_of_a_page_finds_records_with_what_it_shows(
    sample_indexes: SampleIndexes, page: Page
) -> None:
    assert [
        search.title for search in page.searches if not finds(sample_indexes, page, search)
    ] == []


def finds(indexes: SampleIndexes, page: Page, search: Search) -> bool:
    answer = indexes.search(index_of(page, NAMES), body_of_search(search))
    return {column.name for column in search.columns} <= {*shown(answer)}


def shown(answer: dict[str, Any]) -> Iterator[str]:
    """Give the names that have a value in some record: by the field, or in the document."""
    for hit in answer["hits"]["hits"]:
        yield from hit.get("fields", {})
        yield from hit["_source"]
