"""A few panels of the dashboards, as text: they show what the data is good for."""

from collections.abc import Iterator
from typing import Any

from opensearchpy import OpenSearch

from servicelogs.opensearch.dashboards.bodies import search_body
from servicelogs.opensearch.dashboards.export import index_of
from servicelogs.opensearch.dashboards.page_files import pages
from servicelogs.opensearch.dashboards.panels import Bucket, Panel
from servicelogs.opensearch.index_names import IndexNames

SHOWN = (
    ("overview", "most-active-clients"),
    ("alb", "answers-by-class"),
    ("cloudtrail", "who-is-refused"),
)
ROWS = 6
NAMES = IndexNames("aws", "day")


def show(url: str) -> Iterator[str]:
    """Search, and write what was found line by line."""
    client = OpenSearch(url, timeout=30)
    by_name = {page.name: page for page in pages()}
    for page_name, panel_name in SHOWN:
        page = by_name[page_name]
        panel = next(panel for panel in page.panels if panel.name == panel_name)
        by = ", ".join(bucket.field for bucket in panel.buckets if bucket.field)
        yield f"\n{page.title}: {panel.title}" + (f" ({by})" if by else "")
        answer = client.search(index=index_of(page, NAMES), body=search_body(panel))
        found = sorted(
            _rows(answer.get("aggregations", {}), panel), key=lambda row: row[1], reverse=True
        )
        for keys, count in found[:ROWS]:
            yield f"  {'  '.join(keys):<90}{count:>8,}"


def _rows(
    aggregations: dict[str, Any], panel: Panel, above: tuple[str, ...] = ()
) -> Iterator[tuple[tuple[str, ...], int]]:
    """Give what buckets are called, from the outermost on, and how many records they have."""
    bucket: Bucket = panel.buckets[len(above)]
    some = aggregations.get(bucket.name, {}).get("buckets", [])
    named = some.items() if isinstance(some, dict) else ((one["key"], one) for one in some)
    for key, one in named:
        keys = (*above, str(key))
        if len(keys) < len(panel.buckets):
            yield from _rows(one, panel, keys)
        elif one["doc_count"]:
            yield keys, one["doc_count"]
