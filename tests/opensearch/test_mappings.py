"""Documents of every format can be indexed, and found under the names that the mapping promises."""

import uuid
from collections.abc import Callable
from typing import Any

import pytest
from opensearchpy import OpenSearch

from servicelogs import formats
from servicelogs.opensearch.client import connect
from servicelogs.opensearch.index_names import IndexNames
from servicelogs.opensearch.mappings import (
    TOTAL_FIELDS,
    component_templates,
    index_template,
    mappings,
    version,
)
from servicelogs.opensearch.setup import set_up
from servicelogs.opensearch.writer import BulkWriter
from servicelogs.parsing.fields import Field
from servicelogs.settings import IndexSettings, SearchSettings
from tests.opensearch.blocks import Rejects, block, counts_of
from tests.opensearch.made_up_format import MadeUp, made_up
from tests.secured_engine import Secured

# What cannot be, or (objects) has no values of its own.
NOT_AGGREGATED = {"flat_object", "object", "text"}


@pytest.fixture
def settings_of(unique_prefix: str) -> Callable[..., IndexSettings]:
    def settings(**changed: Any) -> IndexSettings:
        return IndexSettings(prefix=unique_prefix, replicas=0, **changed)

    return settings


@pytest.fixture
def put_made_up(
    settings_of: Callable[..., IndexSettings], monkeypatch: pytest.MonkeyPatch
) -> Callable[[OpenSearch], str]:
    """Put the made-up format's template, and return the name of an index of it."""

    def put(client: OpenSearch) -> str:
        monkeypatch.setattr(formats, "get", lambda name: made_up())
        settings = settings_of()
        set_up(client, settings, ["made_up"])
        return f"{settings.prefix}-made-up-2026.11.23"

    return put


def index_documents(client: OpenSearch, writer: BulkWriter, index: str, *fields: str) -> Rejects:
    """Index documents with these fields, and make them searchable."""
    rejects = Rejects()
    writer.add(block(index, fields), counts_of(rejects, "made_up"))
    writer.flush()
    client.indices.refresh(index=index)
    return rejects


def found(client: OpenSearch, index: str, query: dict[str, Any]) -> list[int]:
    """Return the numbers of the documents that a query finds."""
    hits = client.search(index=index, body={"query": query, "size": 100})["hits"]["hits"]
    return sorted(hit["_source"]["log"]["record"] for hit in hits)


FIELDS = (
    '"verb":"GET","hosts":["a","b"],"user_agent":"curl/8","status":200,"bytes":5000000000,"seconds":0.25,'
    '"client_ip":"2001:db8::1","sourceIPAddress":"192.0.2.7","created":"2026-11-23T01:02:03.456789Z",'
    '"start":1795395723,"readOnly":true,"userIdentity":{"arn":"arn:aws:iam::1:user/x",'
    '"sessionContext":{"sessionIssuer":{"type":"Role"}}},"requestParameters":{"bucket":{"name":"b1"}},'
    '"undeclared":{"a":1},"extra_fields":{"column_35":"new"},'
    '"headers":[{"name":"host","value":"a.example"}]'
)


@pytest.mark.parametrize(
    "query",
    [
        {"term": {"verb": "GET"}},
        {"term": {"hosts": "b"}},
        {"range": {"bytes": {"gt": 4_999_999_999}}},
        {"range": {"seconds": {"gte": 0.2, "lt": 0.3}}},
        {"term": {"client_ip": "2001:db8::/32"}},
        {"term": {"sourceIPAddress": "192.0.2.7"}},
        {"term": {"sourceIPAddress.ip": "192.0.2.0/24"}},
        {"range": {"created": {"gte": "2026-11-23T01:02:03.456Z", "lt": "2026-11-23T01:02:04Z"}}},
        {"range": {"start": {"gte": 1795395723, "lte": 1795395723}}},
        {"term": {"readOnly": True}},
        {"term": {"requestParameters.bucket.name": "b1"}},
        {"term": {"userIdentity.sessionContext.sessionIssuer.type": "Role"}},
        {"term": {"extra_fields.column_35": "new"}},
        {"term": {"headers.name": "host"}},
        {"term": {"log.record": 1}},
        # by their common names
        {"term": {"source.ip": "192.0.2.0/24"}},
        {"term": {"source.address": "192.0.2.7"}},
        {"term": {"client.ip": "2001:db8::/32"}},
        {"term": {"http.request.method": "GET"}},
        {"range": {"http.response.status_code": {"gte": 200, "lt": 300}}},
        {"range": {"event.start": {"gte": 1795395723, "lte": 1795395723}}},
        {"wildcard": {"user.name": "arn:*user/x"}},
        {"term": {"user_agent": "curl/8"}},
        {"term": {"user_agent.original": "curl/8"}},
    ],
    ids=lambda query: ".".join(next(iter(query.values()))),
)
def test_a_field_answers_queries_under_its_own_and_its_common_name(
    engine: OpenSearch,
    put_made_up: Callable[[OpenSearch], str],
    writer_of: Callable,
    query: dict[str, Any],
) -> None:
    index = put_made_up(engine)
    assert index_documents(engine, writer_of(engine), index, FIELDS, "") == []
    assert found(engine, index, query) == [1]


@pytest.mark.parametrize(
    "query",
    [
        {
            "range": {
                "@timestamp": {"gte": "2026-11-23T11:59:59.123456Z", "lt": "2026-11-23T12:00Z"}
            }
        },
        {"term": {"log.type": "alb"}},
        {"wildcard": {"log.source": "s3://logs/*"}},
        {"term": {"cloud.account_id": "123456789012"}},
        {"term": {"cloud.region": "eu-central-1"}},
        {"range": {"event.ingested": {"gte": "2026-11-23T12:00:00Z"}}},
    ],
    ids=lambda query: ".".join(next(iter(query.values()))),
)
def test_what_every_document_has_answers_queries(
    engine: OpenSearch,
    put_made_up: Callable[[OpenSearch], str],
    writer_of: Callable,
    query: dict[str, Any],
) -> None:
    index = put_made_up(engine)
    index_documents(engine, writer_of(engine), index, FIELDS, "")
    assert found(engine, index, query) == [1, 2]


def test_a_field_that_is_not_indexed_is_in_the_document_and_finds_nothing(
    engine: OpenSearch, put_made_up: Callable[[OpenSearch], str], writer_of: Callable
) -> None:
    index = put_made_up(engine)
    index_documents(engine, writer_of(engine), index, FIELDS)

    assert found(engine, index, {"term": {"headers.value": "a.example"}}) == []
    (hit,) = engine.search(index=index, body={})["hits"]["hits"]
    assert hit["_source"]["headers"] == [{"name": "host", "value": "a.example"}]


def test_odd_values_are_kept_and_refuse_nothing(
    engine: OpenSearch, put_made_up: Callable[[OpenSearch], str], writer_of: Callable
) -> None:
    index = put_made_up(engine)
    odd = (
        '"status":"-","bytes":"many","seconds":"soon","client_ip":"cloudtrail.amazonaws.com",'
        '"sourceIPAddress":"AWS Internal","created":"yesterday","start":"-"'
    )
    assert index_documents(engine, writer_of(engine), index, odd) == []
    assert found(engine, index, {"term": {"source.address": "AWS Internal"}}) == [1]
    source = engine.get(index=index, id="0123456789abcdef-1")["_source"]
    assert (source["status"], source["client_ip"]) == ("-", "cloudtrail.amazonaws.com")


def test_a_time_that_nanoseconds_cannot_hold_refuses_nothing(
    real: OpenSearch, put_made_up: Callable[[OpenSearch], str], writer_of: Callable
) -> None:
    index = put_made_up(real)
    given = block(index, [""])
    given.body = bytes(given.body).replace(b"2026-11-23T11:59:59.123456Z", b"1969-01-01T00:00:00Z")
    rejects = Rejects()
    writer = writer_of(real)
    writer.add(given, counts_of(rejects, "made_up"))
    writer.flush()
    assert rejects == []


def test_a_long_value_is_kept_though_it_is_no_term(
    engine: OpenSearch, put_made_up: Callable[[OpenSearch], str], writer_of: Callable
) -> None:
    index = put_made_up(engine)
    assert index_documents(engine, writer_of(engine), index, f'"verb":"{"é" * 20_000}"') == []


def test_what_the_mapping_does_not_name_is_kept_and_makes_no_field(
    engine: OpenSearch, put_made_up: Callable[[OpenSearch], str], writer_of: Callable
) -> None:
    index = put_made_up(engine)
    surprise = '"new":{"deep":{"er":1}},"userIdentity":{"new":"x"}'
    index_documents(engine, writer_of(engine), index, surprise)
    mapping = engine.indices.get_mapping(index=index)[index]["mappings"]["properties"]
    assert "new" not in mapping
    assert "new" not in mapping["userIdentity"]["properties"]
    source = engine.get(index=index, id="0123456789abcdef-1")["_source"]
    assert source["new"] == {"deep": {"er": 1}}


@pytest.mark.parametrize(
    ("opening", "closing"),
    [('{"a":' * 150 + "[" * 300, "]" * 300 + "}" * 150), ('[{"a":' * 150, "}]" * 150)],
)
def test_the_deepest_value_that_is_let_through_does_not_end_the_node(
    real: OpenSearch,
    put_made_up: Callable[[OpenSearch], str],
    writer_of: Callable,
    opening: str,
    closing: str,
) -> None:
    index = put_made_up(real)
    deepest = f'"requestParameters":{{"deep":{opening}1{closing}}}'
    assert index_documents(real, writer_of(real), index, deepest) == []
    assert real.count(index=index)["count"] == 1


def test_what_was_adjusted_is_kept_as_delivered_whatever_its_shape(
    real: OpenSearch, put_made_up: Callable[[OpenSearch], str], writer_of: Callable
) -> None:
    index = put_made_up(real)
    original = (
        '"adjusted":["requestParameters"],"original":{"requestParameters":[1,"x",{"a":null}]}'
    )
    given = block(index, ['"requestParameters":{"value":"x"}'])
    given.body = bytes(given.body).replace(b'"record":1}', f'"record":1,{original}}}'.encode())
    rejects = Rejects()
    writer = writer_of(real)
    writer.add(given, counts_of(rejects, "made_up"))
    writer.flush()
    real.indices.refresh(index=index)
    assert rejects == []
    assert found(real, index, {"term": {"log.adjusted": "requestParameters"}}) == [1]


def test_an_alias_points_to_a_field_of_its_own_or_is_left_out() -> None:
    properties = mappings(made_up())["properties"]
    assert properties["source"]["properties"]["ip"] == {
        "type": "alias",
        "path": "sourceIPAddress.ip",
    }
    assert "free" not in properties
    assert "nowhere" not in properties


def test_a_field_inside_a_free_form_one_is_a_mistake_in_the_declaration() -> None:
    class Nested(MadeUp):
        @property
        def fields(self) -> tuple[Field, ...]:
            return (Field("a", "flat_object"), Field("a.b", "keyword"))

    declared = Nested(name="n", title="", page="", keys=(), service_principal="")
    with pytest.raises(ValueError, match=r"'a\.b' cannot be mapped inside 'a', a flat_object"):
        mappings(declared)


def test_the_version_changes_with_the_mapping_and_with_nothing_else(
    settings_of: Callable[..., IndexSettings],
) -> None:
    assert version(made_up()) == version(made_up(title="Renamed"))
    assert version(made_up()) != version(made_up(common={}))
    names = IndexNames("aws", "day")
    meta = index_template(made_up(), names)["_meta"]
    assert meta["version"] == version(made_up())
    first = component_templates(names, settings_of(shards=1))
    second = component_templates(names, settings_of(shards=5))
    assert [name for name in first if first[name] != second[name]] == ["aws-shared-settings"]


@pytest.mark.parametrize("log_type", formats.NAMES)
def test_each_formats_template_is_accepted_with_its_neighbours(
    log_type: str, real: OpenSearch, settings_of: Callable[..., IndexSettings]
) -> None:
    settings = settings_of()
    set_up(real, settings, formats.NAMES)
    index = f"{settings.prefix}-{log_type.replace('_', '-')}-2026.11.23"
    real.indices.create(index=index)
    mapping = real.indices.get_mapping(index=index)[index]["mappings"]
    assert mapping["dynamic"] == "false"
    assert mapping["properties"]["@timestamp"]["type"] == "date_nanos"
    kept = real.indices.get_settings(index=index)[index]["settings"]["index"]
    assert (kept["number_of_replicas"], kept["codec"]) == ("0", "best_compression")


@pytest.fixture(scope="module")
def indexes(opensearch: str, secured: Secured, osmem: str) -> dict[str, tuple[OpenSearch, str]]:
    """Make an index of each log type in every engine; give its client, and the prefix."""
    prefix = f"test-{uuid.uuid4().hex[:12]}"
    made = {}
    clients = {
        name: connect(SearchSettings(endpoint=url, auth="none"))
        for name, url in {"opensearch": opensearch, "osmem": osmem}.items()
    }
    for name, client in (clients | {"secured": secured.client()}).items():
        set_up(client, IndexSettings(prefix=prefix, replicas=0), formats.NAMES)
        for log_type in formats.NAMES:
            client.indices.create(index=_index(prefix, log_type))
        made[name] = (client, prefix)
    return made


def _index(prefix: str, log_type: str) -> str:
    return f"{prefix}-{log_type.replace('_', '-')}-2026.11.23"


@pytest.mark.parametrize("log_type", formats.NAMES)
def test_an_index_has_the_declared_mapping_in_every_engine(
    log_type: str, indexes: dict[str, tuple[OpenSearch, str]]
) -> None:
    there = []
    for client, prefix in indexes.values():
        index = _index(prefix, log_type)
        there.append(client.indices.get_mapping(index=index)[index]["mappings"]["properties"])
    assert there == [mappings(formats.get(log_type))["properties"]] * 3


@pytest.mark.parametrize("name", ["opensearch", "secured"])
@pytest.mark.parametrize("log_type", formats.NAMES)
def test_all_but_free_form_fields_and_texts_can_be_sorted_and_aggregated(
    log_type: str, name: str, indexes: dict[str, tuple[OpenSearch, str]]
) -> None:
    client, prefix = indexes[name]
    fields = client.field_caps(index=_index(prefix, log_type), fields="*")["fields"]
    cannot = {
        name
        for name, kinds in fields.items()
        for kind, can in kinds.items()
        if not name.startswith("_")
        # OpenSearch 2.19 has one without a name in each free-form field.
        and not name.endswith(".")
        and not can["aggregatable"]
        and kind not in NOT_AGGREGATED
    }
    assert cannot == set()
    assert len(fields) < TOTAL_FIELDS / 2
