"""The JSON of all pages is what docs/dashboards.md promises to those who draw it."""

from typing import Any

import pytest

from servicelogs import formats
from servicelogs.opensearch.client import connect
from servicelogs.opensearch.dashboards.export import export
from servicelogs.opensearch.setup import set_up
from servicelogs.settings import IndexSettings, SearchSettings
from tests.sample_indexes import SampleIndexes

PAGES = export()["pages"]


def panels() -> list[Any]:
    return [(page, panel) for page in PAGES for panel in page["panels"]]


def test_a_page_names_the_indexes_of_the_deployment_and_no_others() -> None:
    (overview, *_, waf) = export("logs", ["alb_connection", "waf"])["pages"]
    assert overview["index"] == "logs-alb-connection-2*,logs-waf-2*"
    assert (waf["name"], waf["index"]) == ("waf", "logs-waf-2*")


def test_names_are_unique_on_a_page() -> None:
    for page in PAGES:
        for key in ("panels", "searches"):
            names = [one["name"] for one in page[key]]
            assert len({*names}) == len(names)


def test_buckets_and_measures_lead_to_where_the_answer_has_them() -> None:
    for _, panel in panels():
        if panel["kind"] in ("records", "markdown"):
            continue
        aggs = panel["body"]["aggs"]
        for bucket in panel["buckets"]:
            aggs = aggs[bucket["name"]].get("aggs", {}) | {"count": {}}
        assert {measure["name"] for measure in panel["measures"]} <= {*aggs, "count"}


def test_panels_over_time_end_in_a_histogram_whose_interval_can_be_set() -> None:
    for _, panel in panels():
        if panel["kind"] in ("line", "area", "columns"):
            *others, time = panel["buckets"]
            aggs = panel["body"]["aggs"]
            for bucket in others:
                aggs = aggs[bucket["name"]]["aggs"]
            assert time["name"] == "time"
            assert aggs["time"]["date_histogram"]["fixed_interval"] == "1m"


def test_ranges_are_named_by_their_whole_bounds() -> None:
    (panel,) = [panel for _, panel in panels() if "134217728" in str(panel["body"])]
    ranges = panel["body"]["aggs"]["by_1"]["range"]["ranges"]
    assert [one["key"] for one in ranges] == [
        "< 1024",
        "1024 - 65536",
        "65536 - 1048576",
        "1048576 - 16777216",
        "16777216 - 134217728",
        ">= 134217728",
    ]


def test_every_body_can_be_narrowed_in_the_same_way() -> None:
    for page, panel in panels():
        if panel["body"]:
            assert isinstance(panel["body"]["query"]["bool"]["filter"], list), page["name"]


@pytest.mark.xdist_group("sample indexes")
@pytest.mark.parametrize("name", formats.NAMES)
def test_time_account_region_and_free_query_narrow_every_panel_of_a_page(
    sample_indexes: SampleIndexes, name: str
) -> None:
    (page,) = [page for page in PAGES if page["name"] == name]
    outside = [
        {"range": {"@timestamp": {"lt": "2001-01-01"}}},
        {"term": {"cloud.account_id": "999999999999"}},
        {"term": {"cloud.region": "nowhere-1"}},
        {"query_string": {"query": '"a text that no record has"'}},
    ]
    for panel in page["panels"]:
        for narrowing in outside:
            query = {"bool": {"filter": [*panel["body"]["query"]["bool"]["filter"], narrowing]}}
            answer = sample_indexes.search(page["index"], panel["body"] | {"query": query})
            assert answer["hits"]["total"]["value"] == 0, (panel["title"], narrowing)


@pytest.mark.xdist_group("sample indexes")
def test_a_page_about_one_value_finds_it_in_several_logs(sample_indexes: SampleIndexes) -> None:
    asked = {"client": "203.0.113.0/24", "principal": "arn:aws:iam::111122223333:user/alice"}
    for page in PAGES:
        if page["name"] in asked:
            value = asked[page["name"]]
            some = [
                {"term": {field: form.replace("{value}", value)}}
                for field in page["ask"]["fields"]
                for form in page["ask"]["forms"]
            ]
            body = {
                "size": 0,
                "query": {"bool": {"should": some, "minimum_should_match": 1}},
                "aggs": {"types": {"terms": {"field": "log.type", "size": 20}}},
            }
            answer = sample_indexes.search(page["index"], body)
            assert answer["aggregations"]["types"]["buckets"], page["name"]


EDGE, TRACE, FUNCTION = (
    "aB3x_-EdgeRequest==",
    "1-691ed06f-0a1b2c3d4e5f60718293a4b5",
    "6bc1bee2-2e40",
)
ON_ITS_WAY: list[tuple[str, dict[str, Any]]] = [
    ("cloudfront", {"x_edge_request_id": EDGE}),
    ("waf", {"httpRequest": {"requestId": EDGE}}),
    ("waf", {"httpRequest": {"requestId": TRACE}}),
    ("alb", {"trace_id": f"Root={TRACE}", "conn_trace_id": "TID_1"}),
    ("alb_connection", {"conn_trace_id": "TID_1"}),
    ("lambda", {"trace_id": TRACE, "request_id": FUNCTION}),
]


@pytest.mark.parametrize(
    ("asked", "expected"),
    [
        (EDGE, ["cloudfront", "waf"]),
        (TRACE, ["alb", "lambda", "waf"]),
        ("TID_1", ["alb", "alb_connection"]),
        (FUNCTION, ["lambda"]),
        (EDGE.lower(), []),
    ],
)
def test_one_request_is_found_by_the_id_that_each_log_has_of_it(
    opensearch: str, unique_prefix: str, asked: str, expected: list[str]
) -> None:
    client = connect(SearchSettings(endpoint=opensearch, auth="none"))
    names = ["cloudfront", "waf", "alb", "alb_connection", "lambda"]
    set_up(client, IndexSettings(prefix=unique_prefix, period="year", replicas=0), names)
    for log_type, document in ON_ITS_WAY:
        index = f"{unique_prefix}-{log_type.replace('_', '-')}-2026"
        body = document | {"log": {"type": log_type}, "@timestamp": "2026-11-20T08:00:00Z"}
        client.index(index=index, body=body, refresh=True)
    (page,) = [one for one in export(unique_prefix, names)["pages"] if one["name"] == "request"]
    some = [
        {"term": {field: form.replace("{value}", asked)}}
        for field in page["ask"]["fields"]
        for form in page["ask"]["forms"]
    ]

    answer = client.search(index=page["index"], body={"query": {"bool": {"should": some}}})

    assert sorted(hit["_source"]["log"]["type"] for hit in answer["hits"]["hits"]) == expected
