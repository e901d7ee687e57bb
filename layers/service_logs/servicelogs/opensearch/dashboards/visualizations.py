"""Write a panel as a visualization of OpenSearch Dashboards: what `visState` holds.

The names in it are Dashboards' own: a type of visualization, its parameters, and aggregations each
with a schema, which is the part they play in the picture.
"""

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import pairwise
from typing import Any

from servicelogs.opensearch.dashboards.bodies import OUTERMOST, shard_size
from servicelogs.opensearch.dashboards.filters import lucene_of
from servicelogs.opensearch.dashboards.panels import Bucket, Measure, Panel

type State = dict[str, Any]

_TYPES: Mapping[str, str] = {
    "metric": "metric",
    "line": "line",
    "area": "area",
    "columns": "histogram",
    "bar": "horizontal_bar",
    "pie": "pie",
    "table": "table",
    "markdown": "markdown",
}
_METRICS: Mapping[str, str] = {
    "count": "count",
    "sum": "sum",
    "average": "avg",
    "max": "max",
    "min": "min",
    "distinct": "cardinality",
    "percentiles": "percentiles",
}
# The part that the buckets of a kind play, from the first on.
_SCHEMAS: Mapping[str, tuple[str, ...]] = {
    "metric": ("group",),
    "pie": ("segment",),
    "bar": ("segment", "group"),
    "table": ("bucket",) * 4,
}


def state(panel: Panel) -> State:
    """Give the state of a panel's visualization, without its title."""
    return {
        "type": _TYPES[panel.kind],
        "params": _parameters(panel),
        "aggs": list(_aggregations(panel)),
    }


def controls(shown: Iterable[tuple[str, str]]) -> State:
    """Give the state of a row of lists in which values of fields are chosen."""
    lists = [
        {
            "id": str(number),
            "indexPatternRefName": f"control_{number}_index_pattern",
            "fieldName": field,
            "label": label,
            "parent": "",
            "type": "list",
            "options": {
                "type": "terms",
                "multiselect": True,
                "dynamicOptions": True,
                "size": 50,
                "order": "desc",
            },
        }
        for number, (label, field) in enumerate(shown)
    ]
    parameters = {
        "controls": lists,
        "updateFiltersOnChange": True,
        "useTimeFilter": True,
        "pinFilters": False,
    }
    return {"type": "input_control_vis", "params": parameters, "aggs": []}


def _aggregations(panel: Panel) -> Iterator[State]:
    for number, measure in enumerate(panel.measures, 1):
        yield _aggregation(number, "metric", _METRICS[measure.kind], _of_measure(measure))
    schemas = iter(_SCHEMAS.get(panel.kind, ("group",)))
    for number, bucket in enumerate(panel.buckets, len(panel.measures) + 1):
        schema = "segment" if bucket.kind == "time" else next(schemas)
        kind, parameters = _of_bucket(bucket, panel.measures)
        if kind == "terms" and bucket.name == OUTERMOST:
            # What its editor calls JSON input.
            size = shard_size(bucket, alone=len(panel.buckets) == 1)
            parameters["json"] = json.dumps({"shard_size": size})
        yield _aggregation(number, schema, kind, parameters)


def _aggregation(number: int, schema: str, kind: str, parameters: State) -> State:
    return {
        "id": str(number),
        "enabled": True,
        "type": kind,
        "schema": schema,
        "params": parameters,
    }


def _of_measure(measure: Measure) -> State:
    parameters: State = {"customLabel": measure.label}
    if measure.field:
        parameters["field"] = measure.field
    if measure.percents:
        parameters["percents"] = list(measure.percents)
    return parameters


def _of_bucket(bucket: Bucket, measures: Sequence[Measure]) -> tuple[str, State]:
    match bucket.kind:
        case "terms":
            return "terms", {
                "field": bucket.field,
                "orderBy": _order(measures[0]),
                "order": "desc",
                "size": bucket.size,
                "otherBucket": False,
                "otherBucketLabel": "Other",
                "missingBucket": False,
                "missingBucketLabel": "Missing",
                "customLabel": bucket.label,
            }
        case "ranges":
            low, high = bucket.bounds[0], bucket.bounds[-1]
            between = [{"from": start, "to": end} for start, end in pairwise(bucket.bounds)]
            ranges = [{"to": low}, *between, {"from": high}]
            return "range", {"field": bucket.field, "ranges": ranges, "customLabel": bucket.label}
        case "filters":
            named = [
                {"input": {"query": lucene_of(one), "language": "lucene"}, "label": label}
                for label, one in bucket.filters
            ]
            return "filters", {"filters": named}
        case "time":
            return "date_histogram", {
                "field": bucket.field,
                "interval": "auto",
                "useNormalizedOpenSearchInterval": True,
                "drop_partials": False,
                "min_doc_count": 1,
                "extended_bounds": {},
                "customLabel": bucket.label,
            }


def _order(measure: Measure) -> str:
    """Say by which metric terms are sorted: the first aggregation, of percentiles the first."""
    return f"1.{measure.percents[0]:g}" if measure.percents else "1"


def _parameters(panel: Panel) -> State:
    match panel.kind:
        case "markdown":
            return {"markdown": panel.text, "fontSize": 12, "openLinksInNewTab": False}
        case "metric":
            return _metric_parameters()
        case "pie":
            return _pie_parameters()
        case "table":
            return {
                "perPage": 10,
                "showPartialRows": False,
                "showMetricsAtAllLevels": False,
                "showTotal": False,
                "totalFunc": "sum",
                "percentageCol": "",
            }
        case _:
            return _axes_parameters(panel)


def _metric_parameters() -> State:
    return {
        "type": "metric",
        "addTooltip": True,
        "addLegend": False,
        "metric": {
            "percentageMode": False,
            "useRanges": False,
            "colorSchema": "Green to Red",
            "metricColorMode": "None",
            "colorsRange": [{"from": 0, "to": 10000}],
            "labels": {"show": True},
            "invertColors": False,
            "style": {
                "bgFill": "#000",
                "bgColor": False,
                "labelColor": False,
                "subText": "",
                "fontSize": 36,
            },
        },
    }


def _pie_parameters() -> State:
    return {
        "type": "pie",
        "addTooltip": True,
        "addLegend": True,
        "legendPosition": "right",
        "isDonut": True,
        "labels": {"show": False, "values": True, "last_level": True, "truncate": 100},
    }


def _axes_parameters(panel: Panel) -> State:
    """Give the parameters of what is drawn along two axes."""
    lying = panel.kind == "bar"
    drawn = "histogram" if panel.kind in ("bar", "columns") else panel.kind
    stacked = "normal" if panel.kind == "line" else "stacked"
    scale = {"type": "linear", "mode": "percentage" if panel.percent else "normal"}
    labels = {"show": True, "filter": not lying, "truncate": 100, "rotate": 0}
    return {
        "type": _TYPES[panel.kind],
        "grid": {"categoryLines": False},
        "categoryAxes": [
            {
                "id": "CategoryAxis-1",
                "type": "category",
                "position": "left" if lying else "bottom",
                "show": True,
                "style": {},
                "scale": {"type": "linear"},
                "labels": labels,
                "title": {},
            }
        ],
        "valueAxes": [
            {
                "id": "ValueAxis-1",
                "name": "BottomAxis-1" if lying else "LeftAxis-1",
                "type": "value",
                "position": "bottom" if lying else "left",
                "show": True,
                "style": {},
                "scale": scale,
                "labels": {"show": True, "rotate": 0, "filter": lying, "truncate": 100},
                "title": {"text": ""},
            }
        ],
        "seriesParams": [
            {
                "show": True,
                "type": drawn,
                "mode": stacked,
                "data": {"id": str(number), "label": measure.label},
                "valueAxis": "ValueAxis-1",
                "drawLinesBetweenPoints": True,
                "lineWidth": 2,
                "interpolate": "linear",
                "showCircles": True,
            }
            for number, measure in enumerate(panel.measures, 1)
        ],
        "addTooltip": True,
        "addLegend": True,
        "legendPosition": "right",
        "times": [],
        "addTimeMarker": False,
        "labels": {"show": False},
        "thresholdLine": {
            "show": False,
            "value": 10,
            "width": 1,
            "style": "full",
            "color": "#E7664C",
        },
    }
