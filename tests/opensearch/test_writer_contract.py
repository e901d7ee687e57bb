"""What the writer promises of any search engine, the embedded one and the real one alike."""

import json
from collections.abc import Callable

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from opensearchpy import OpenSearch

from servicelogs.opensearch.writer import BulkWriter
from tests.opensearch.blocks import Rejects, block, counts_of, document

MAPPING = {"dynamic": False, "properties": {"n": {"type": "flat_object"}}}


@pytest.fixture
def index(engine: OpenSearch, unique_prefix: str) -> str:
    name = f"{unique_prefix}-alb-2026.11.23"
    engine.indices.create(
        index=name, body={"settings": {"number_of_replicas": 0}, "mappings": MAPPING}
    )
    return name


@pytest.fixture
def bulk(engine: OpenSearch, writer_of: Callable) -> BulkWriter:
    return writer_of(engine)


def contents(client: OpenSearch, index: str) -> dict[str, dict]:
    """Return what is in an index, by `_id`."""
    client.indices.refresh(index=index)
    answer = client.search(index=index, body={"size": 1_000, "version": True})
    return {
        hit["_id"]: {"version": hit["_version"], **hit["_source"]} for hit in answer["hits"]["hits"]
    }


def test_documents_arrive_as_they_were_written(
    engine: OpenSearch, bulk: BulkWriter, index: str
) -> None:
    one = counts_of()
    bulk.add(block(index, ['"user_agent":"Mozilla ☃ \\"x\\"","big":12345678901234567890'] * 2), one)
    bulk.flush()
    arrived = contents(engine, index)
    assert one.indexed == 2
    assert arrived["0123456789abcdef-2"]["log"]["record"] == 2
    assert arrived["0123456789abcdef-1"]["user_agent"] == 'Mozilla ☃ "x"'
    assert arrived["0123456789abcdef-1"]["big"] == 12345678901234567890


def test_an_object_that_is_delivered_again_changes_nothing(
    engine: OpenSearch, bulk: BulkWriter, index: str
) -> None:
    bulk.add(block(index, ['"attempt":1'] * 3), counts_of())
    bulk.flush()
    before = contents(engine, index)
    again = counts_of()
    bulk.add(block(index, ['"attempt":2'] * 5), again)
    bulk.flush()
    assert (again.already_there, again.indexed) == (3, 2)
    after = contents(engine, index)
    assert {name: after[name] for name in before} == before


def test_an_index_is_made_by_its_first_document(
    engine: OpenSearch, bulk: BulkWriter, unique_prefix: str
) -> None:
    one = counts_of()
    bulk.add(block(f"{unique_prefix}-alb-2026.11.24", [""]), one)
    bulk.flush()
    assert one.indexed == 1


def test_each_object_is_told_of_its_own_rejects(
    engine: OpenSearch, bulk: BulkWriter, index: str
) -> None:
    good, bad = Rejects(), Rejects()
    bulk.add(block(index, [""] * 2, id_of="good-{}".format), counts_of(good))
    bulk.add(block(index, ["", '"n":"x"', ""], id_of="bad-{}".format), counts_of(bad))
    bulk.flush()
    assert good == []
    (reject,) = bad
    assert (reject.ordinal, reject.error_type) == (2, "mapper_parsing_exception")
    assert (reject.index, reject.id, reject.raw) == (index, "bad-2", b"raw record 2")


def test_a_closed_index_rejects_and_an_open_one_beside_it_does_not(
    engine: OpenSearch, bulk: BulkWriter, index: str, unique_prefix: str
) -> None:
    engine.indices.close(index=index)
    rejects = Rejects()
    one = counts_of(rejects)
    bulk.add(block(index, [""]), one)
    bulk.add(block(f"{unique_prefix}-alb-2026.11.24", [""], first=2), one)
    bulk.flush()
    assert one.indexed == 1
    assert rejects.types() == ["index_closed_exception"]


# What a client puts into a URL, a header or a parameter, as a format would write it.
ADVERSARIAL = {
    "an action as a value": json.dumps('x\n{"delete":{"_index":"INDEX","_id":"victim"}}\n'),
    "an action as an object": '{"delete":{"_index":"INDEX","_id":"victim"}}',
    "quotes that close the document": json.dumps(
        '"}\n{"delete":{"_index":"I","_id":"victim"}}\n{"'
    ),
    "line separators": '"\u2028\u2029\u0085"',
    "carriage returns": '"a\\r\\nb"',
    "a null byte": '"\\u0000"',
    "half a surrogate": '"\\ud800"',
    "markup": '"<script>${jndi:ldap://x}</script>{{7*7}}"',
    "a very long value": f'"{"x" * 200_000}"',
}


@pytest.mark.parametrize("value", ADVERSARIAL.values(), ids=ADVERSARIAL.keys())
def test_what_a_record_holds_changes_no_other_document(
    engine: OpenSearch, bulk: BulkWriter, index: str, value: str
) -> None:
    bulk.add(block(index, ['"intact":true'], id_of=lambda ordinal: "victim"), counts_of())
    bulk.flush()
    before = contents(engine, index)["victim"]
    one = counts_of()
    bulk.add(block(index, ["", f'"user_agent":{value.replace("INDEX", index)}', ""]), one)
    bulk.flush()
    after = contents(engine, index)
    assert after.pop("victim") == before
    assert len(after) == one.indexed
    assert one.indexed + one.rejected == 3


@pytest.mark.parametrize(
    "line",
    [
        b'{"delete":{"_index":"INDEX","_id":"victim"}}',
        b'{"index":{"_index":"INDEX","_id":"victim"}}\n{"intact":false}',
        b"",
        b"\n",
    ],
)
def test_a_raw_newline_in_a_document_sends_nothing_at_all(
    engine: OpenSearch, bulk: BulkWriter, index: str, line: bytes
) -> None:
    bulk.add(block(index, ['"intact":true'], id_of=lambda ordinal: "victim"), counts_of())
    bulk.flush()
    before = contents(engine, index)
    smuggled = document(1) + b"\n" + line.replace(b"INDEX", index.encode())
    with pytest.raises(ValueError, match="lines"):
        bulk.add(block(index, [smuggled, ""]), counts_of())
    bulk.flush()
    assert contents(engine, index) == before


JSON_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)


@settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck))
@given(values=st.lists(JSON_VALUES, min_size=1, max_size=10), number=st.integers(0))
def test_whatever_json_records_hold_every_one_is_indexed_or_rejected(
    engine: OpenSearch, bulk: BulkWriter, index: str, values: list, number: int
) -> None:
    rejects = Rejects()
    one = counts_of(rejects)
    fields = [f'"n":{json.dumps(value)},"user_agent":{json.dumps(value)}' for value in values]
    before = len(contents(engine, index))
    bulk.add(block(index, fields, id_of=f"{number}-{{}}".format), one)
    bulk.flush()
    assert one.add_up()
    assert one.indexed + one.already_there + one.rejected == len(values)
    assert len(contents(engine, index)) - before == one.indexed
    assert [reject.raw for reject in rejects] == [
        f"raw record {reject.ordinal}".encode() for reject in rejects
    ]
