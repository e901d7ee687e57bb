"""Turn panels and searches into the bodies of OpenSearch's search requests."""

from collections.abc import Sequence
from itertools import pairwise
from typing import Any

from servicelogs.opensearch.dashboards.fields import MappedField
from servicelogs.opensearch.dashboards.filters import Filter, Query, query_of
from servicelogs.opensearch.dashboards.panels import TIME_FIELD, Bucket, Measure, Panel, Search

RECORDS = 100
"""How many records are shown, of those that a panel or a search finds."""

OUTERMOST = "by_1"
"""The name of the aggregation that is in no other."""

type Body = dict[str, Any]

_METRICS = {
    "sum": "sum",
    "average": "avg",
    "max": "max",
    "min": "min",
    "distinct": "cardinality",
    "percentiles": "percentiles",
}


def search_body(panel: Panel, interval: str = "1m", filters: Sequence[Query] = ()) -> Body | None:
    """Give the body of a panel's search request; None for one that asks for nothing.

    `interval` is that of panels over time (`fixed_interval`); `filters` narrow what is looked at,
    in OpenSearch's query DSL.
    """
    if panel.kind == "markdown":
        return None
    if panel.kind == "records":
        return _records(panel.filter, panel.columns, panel.sort, filters)
    return {
        "size": 0,
        "track_total_hits": True,
        "query": _query(panel.filter, filters),
        "aggs": _aggregations(panel.buckets, panel.measures, interval),
    }


def body_of_search(search: Search, filters: Sequence[Query] = ()) -> Body:
    """Give the body of a saved search's request."""
    return _records(search.filter, search.columns, search.sort, filters)


def _records(
    filter_: Filter | None, columns: Sequence[MappedField], sort: str, filters: Sequence[Query]
) -> Body:
    return {
        "size": RECORDS,
        "track_total_hits": True,
        "query": _query(filter_, filters),
        # A field that no index has yet is no error.
        "sort": [{sort: {"order": "desc", "unmapped_type": _unmapped(sort)}}],
        # Aliases too, which documents do not have under these names. Not `fields`: it fails on an
        # address that is none, as CloudTrail's `AWS Internal`.
        "docvalue_fields": [column.name for column in columns if column.is_aggregatable],
    }


def _unmapped(sort: str) -> str:
    return "date_nanos" if sort == TIME_FIELD else "long"


def _query(filter_: Filter | None, filters: Sequence[Query]) -> Query:
    own = [query_of(filter_)] if filter_ else []
    return {"bool": {"filter": [*own, *filters]}}


def _aggregations(
    buckets: Sequence[Bucket], measures: Sequence[Measure], interval: str
) -> dict[str, Any]:
    if not buckets:
        return {m.name: _metric(m) for m in measures if m.kind != "count"}
    first, *others = buckets
    aggregation = _bucket(first, measures, interval)
    if first.name == OUTERMOST and first.kind == "terms":
        aggregation["terms"]["shard_size"] = shard_size(first, alone=not others)
    inner = _aggregations(others, measures, interval)
    if others and first.kind == "terms":
        # What terms are sorted by has to be known beside them.
        inner = {m.name: _metric(m) for m in measures[:1] if m.kind != "count"} | inner
    return {first.name: aggregation | ({"aggs": inner} if inner else {})}


def shard_size(outermost: Bucket, *, alone: bool) -> int:
    """Say of how many values each shard tells its count.

    Of OpenSearch's own, 25 for a size of 10, what is large in the sum of many days' indexes and
    among the largest of none is left out. Values with buckets inside are fewer: all these buckets
    count against the 65,535 that a request may have.
    """
    return 1000 if alone else 10 * outermost.size


def _bucket(bucket: Bucket, measures: Sequence[Measure], interval: str) -> dict[str, Any]:
    match bucket.kind:
        case "terms":
            order = {measures[0].sort_path: "desc"}
            return {"terms": {"field": bucket.field, "size": bucket.size, "order": order}}
        case "ranges":
            return {"range": {"field": bucket.field, "ranges": _ranges(bucket.bounds)}}
        case "filters":
            by_label = {label: query_of(one) for label, one in bucket.filters}
            return {"filters": {"filters": by_label}}
        case "time":
            return {
                "date_histogram": {
                    "field": bucket.field,
                    "fixed_interval": interval,
                    "min_doc_count": 1,
                }
            }


def _ranges(bounds: Sequence[float]) -> list[dict[str, Any]]:
    # With as many digits as a double has: `:g` makes 1.04858e+06 of a mebibyte.
    named = [(f"{bound:.15g}", bound) for bound in bounds]
    between = [
        {"key": f"{low_name} - {high_name}", "from": low, "to": high}
        for (low_name, low), (high_name, high) in pairwise(named)
    ]
    (first_name, first), (last_name, last) = named[0], named[-1]
    return [
        {"key": f"< {first_name}", "to": first},
        *between,
        {"key": f">= {last_name}", "from": last},
    ]


def _metric(measure: Measure) -> dict[str, Any]:
    parameters: dict[str, Any] = {"field": measure.field}
    if measure.percents:
        parameters["percents"] = list(measure.percents)
    return {_METRICS[measure.kind]: parameters}
