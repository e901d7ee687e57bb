"""Give all pages with their search requests as JSON, for whoever draws them without Dashboards.

docs/dashboards.md describes it.
"""

from collections.abc import Sequence
from typing import Any

from servicelogs import formats
from servicelogs.opensearch.dashboards.bodies import body_of_search, search_body
from servicelogs.opensearch.dashboards.page_files import pages
from servicelogs.opensearch.dashboards.panels import (
    TIME_FIELD,
    Ask,
    Bucket,
    Measure,
    Page,
    Panel,
    Search,
)
from servicelogs.opensearch.dashboards.ppl import ppl_of_search
from servicelogs.opensearch.index_names import IndexNames

VERSION = 1
"""Grows when a member of the JSON goes, or comes to mean something else."""

FILTERS = (("Account", "cloud.account_id"), ("Region", "cloud.region"), ("Log type", "log.type"))
"""The fields that every page can be narrowed by, and what they are called."""


def export(prefix: str = "aws", log_types: Sequence[str] = formats.NAMES) -> dict[str, Any]:
    """Give the pages of a deployment, with the search request of each panel."""
    names = IndexNames(prefix, "day")
    return {
        "version": VERSION,
        "prefix": prefix,
        "time_field": TIME_FIELD,
        "filters": [{"label": label, "field": field} for label, field in FILTERS],
        "pages": [_page(page, index_of(page, names)) for page in pages(log_types)],
    }


def index_of(page: Page, names: IndexNames) -> str:
    """Give the pattern of the indexes that a page looks at."""
    return ",".join(map(names.searched, page.log_types))


def _page(page: Page, index: str) -> dict[str, Any]:
    return {
        "name": page.name,
        "title": page.title,
        "about": page.about,
        "log_types": list(page.log_types),
        "index": index,
        "ask": _ask(page.ask) if page.ask else None,
        "panels": [_panel(panel) for panel in page.panels],
        "searches": [_search(search, page, index) for search in page.searches],
    }


def _ask(ask: Ask) -> dict[str, Any]:
    return {"label": ask.label, "fields": list(ask.fields), "forms": list(ask.forms)}


def _panel(panel: Panel) -> dict[str, Any]:
    return {
        "name": panel.name,
        "title": panel.title,
        "about": panel.about,
        "kind": panel.kind,
        "width": panel.width,
        "percent": panel.percent,
        "text": panel.text,
        "columns": [column.name for column in panel.columns],
        "body": search_body(panel),
        "buckets": [_bucket(bucket) for bucket in panel.buckets],
        "measures": [_measure(measure) for measure in panel.measures],
    }


def _bucket(bucket: Bucket) -> dict[str, Any]:
    return {
        "name": bucket.name,
        "kind": bucket.kind,
        "field": bucket.field,
        "label": bucket.label,
    }


def _measure(measure: Measure) -> dict[str, Any]:
    return {
        "name": measure.name,
        "kind": measure.kind,
        "field": measure.field,
        "label": measure.label,
        "unit": measure.unit,
        "percents": list(measure.percents),
    }


def _search(search: Search, page: Page, index: str) -> dict[str, Any]:
    return {
        "name": search.name,
        "title": search.title,
        "about": search.about,
        "columns": [column.name for column in search.columns],
        "body": body_of_search(search),
        "ppl": ppl_of_search(search, page, index),
    }
