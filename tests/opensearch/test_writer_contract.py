"""What a writer promises: the real one of any search engine, and the fake that other tests use."""

import json
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st
from opensearchpy import OpenSearch

from servicelogs.errors import ClusterNeedsFixing, DeliveryError, TryLater
from servicelogs.opensearch.writer import BulkWriter
from servicelogs.records import Reject
from tests.opensearch.blocks import Rejects, block, counts_of, document
from tests.opensearch.fake_engine import FakeEngine, FakeWriter
from tests.opensearch.scripted_server import ScriptedServer, error
from tests.properties import examples

MAPPING = {"dynamic": False, "properties": {"n": {"type": "flat_object"}}}


class RealEngine:
    """A search engine behind the bulk writer."""

    def __init__(self, client: OpenSearch, writer: BulkWriter) -> None:
        self.client = client
        self.writer = writer

    def create(self, index: str) -> None:
        """Make an index in which `n` takes nothing but objects."""
        body = {"settings": {"number_of_replicas": 0}, "mappings": MAPPING}
        self.client.indices.create(index=index, body=body)

    def contents(self, index: str) -> dict[str, dict]:
        """Return what is in an index, by `_id`."""
        self.client.indices.refresh(index=index)
        answer = self.client.search(index=index, body={"size": 1_000, "version": True})
        return {
            hit["_id"]: {"version": hit["_version"], **hit["_source"]}
            for hit in answer["hits"]["hits"]
        }


class Fake:
    """The engine that the tests of a pipeline write to."""

    def __init__(self) -> None:
        self.engine = FakeEngine(refuses=lambda found: not isinstance(found.get("n"), dict | None))
        self.writer = self.engine.writer()

    def create(self, index: str) -> None:
        """Need no index."""

    def contents(self, index: str) -> dict[str, dict]:
        """Return what is in an index, by `_id`."""
        return {
            document_id: {"version": 1, **document}
            for (place, document_id), document in self.engine.documents.items()
            if place == index
        }


Subject = RealEngine | Fake


@pytest.fixture(params=["fake", "osmem", pytest.param("opensearch", marks=pytest.mark.engine)])
def subject(request: pytest.FixtureRequest, client_of: Callable, writer_of: Callable) -> Subject:
    """Give the fake, then the writer before the embedded engine and before the real one."""
    if request.param == "fake":
        return Fake()
    client = client_of(request.getfixturevalue(request.param))
    return RealEngine(client, writer_of(client))


@pytest.fixture
def bulk(subject: Subject) -> BulkWriter | FakeWriter:
    return subject.writer


@pytest.fixture
def index(subject: Subject, unique_prefix: str) -> str:
    name = f"{unique_prefix}-alb-2026.11.23"
    subject.create(name)
    return name


@pytest.fixture(params=["fake", "scripted"])
def refusing(
    request: pytest.FixtureRequest,
    scripted: ScriptedServer,
    client_of: Callable,
    writer_of: Callable,
) -> Callable[[type[DeliveryError]], BulkWriter | FakeWriter]:
    """Give the fake's writer, then the real one, before an engine that takes nothing."""

    def writer(error: type[DeliveryError]) -> BulkWriter | FakeWriter:
        if request.param == "fake":
            return FakeEngine(error=error("delete old indexes")).writer()
        scripted.script = lambda request: REFUSALS[error]
        return writer_of(client_of(scripted.url))

    return writer


REFUSALS = {
    TryLater: error(429, "rejected_execution_exception"),
    ClusterNeedsFixing: error(400, "validation_exception", "maximum shards open"),
}


def test_what_an_earlier_delivery_put_into_another_index_is_there_already(
    subject: Subject, bulk: BulkWriter | FakeWriter, unique_prefix: str
) -> None:
    first, again = (f"{unique_prefix}-alb-2026.{day}" for day in ("11.23", "11.26"))
    other = f"{unique_prefix}-alb-connection-2026.11.23"
    for index in (first, again, other):
        subject.create(index)
    bulk.add(block(first, [""] * 2), counts_of())
    bulk.add(block(other, [""], first=3), counts_of())
    bulk.flush()
    subject.contents(first)  # refreshes it: what was written days ago can be searched
    subject.contents(other)
    one = counts_of()
    bulk.add(block(again, [""] * 3, delivery_index=again), one)
    bulk.flush()
    there = subject.contents(again)
    assert one.add_up()
    if isinstance(subject, Fake):  # it holds ids of one type alone
        assert (one.indexed, one.already_there) == (0, 3)
    else:
        assert (one.indexed, one.already_there) == (1, 2)
        assert there.keys() == {"0123456789abcdef-3"}


def test_a_document_is_found_as_soon_as_it_arrived(
    bulk: BulkWriter | FakeWriter, index: str
) -> None:
    bulk.add(block(index, [""]), counts_of())
    bulk.flush()
    places = [(index, "0123456789abcdef-1"), (index, "other"), (f"{index}-none", "x")]
    assert bulk.find(places) == [True, False, False]


def test_documents_arrive_as_they_were_written(
    subject: Subject, bulk: BulkWriter, index: str
) -> None:
    one = counts_of()
    bulk.add(block(index, ['"user_agent":"Mozilla ☃ \\"x\\"","big":12345678901234567890'] * 2), one)
    bulk.flush()
    arrived = subject.contents(index)
    assert one.indexed == 2
    assert arrived["0123456789abcdef-2"]["log"]["record"] == 2
    assert arrived["0123456789abcdef-1"]["user_agent"] == 'Mozilla ☃ "x"'
    assert arrived["0123456789abcdef-1"]["big"] == 12345678901234567890


def test_an_object_that_is_delivered_again_changes_nothing(
    subject: Subject, bulk: BulkWriter, index: str
) -> None:
    bulk.add(block(index, ['"attempt":1'] * 3), counts_of())
    bulk.flush()
    before = subject.contents(index)
    again = counts_of()
    bulk.add(block(index, ['"attempt":2'] * 5), again)
    bulk.flush()
    assert (again.already_there, again.indexed) == (3, 2)
    after = subject.contents(index)
    assert {name: after[name] for name in before} == before


def test_an_index_is_made_by_its_first_document(
    subject: Subject, bulk: BulkWriter, unique_prefix: str
) -> None:
    one = counts_of()
    bulk.add(block(f"{unique_prefix}-alb-2026.11.24", [""]), one)
    bulk.flush()
    assert one.indexed == 1


def test_each_object_gets_its_own_rejects(subject: Subject, bulk: BulkWriter, index: str) -> None:
    good, bad = Rejects(), Rejects()
    bulk.add(block(index, [""] * 2, id_of="good-{}".format), counts_of(good))
    bulk.add(block(index, ["", '"n":"x"', ""], id_of="bad-{}".format), counts_of(bad))
    bulk.flush()
    assert good == []
    (reject,) = bad
    assert (reject.number, reject.error_type) == (2, "mapper_parsing_exception")
    assert (reject.index, reject.id, reject.raw) == (index, "bad-2", b"raw record 2")


def test_a_closed_index_rejects_and_an_open_one_beside_it_does_not(
    engine: OpenSearch, writer_of: Callable, unique_prefix: str
) -> None:
    index = f"{unique_prefix}-alb-2026.11.23"
    bulk = writer_of(engine)
    engine.indices.create(index=index, body={"settings": {"number_of_replicas": 0}})
    engine.indices.close(index=index)
    rejects = Rejects()
    one = counts_of(rejects)
    bulk.add(block(index, [""]), one)
    bulk.add(block(f"{unique_prefix}-alb-2026.11.24", [""], first=2), one)
    bulk.flush()
    assert one.indexed == 1
    assert rejects.types() == ["index_closed_exception"]


def test_one_id_in_two_indexes_is_two_documents(
    subject: Subject, bulk: BulkWriter, index: str, unique_prefix: str
) -> None:
    one = counts_of()
    bulk.add(block(index, [""], id_of=lambda number: "same"), one)
    other = f"{unique_prefix}-alb-2026.11.24"
    bulk.add(block(other, ["", ""], id_of=lambda number: "same"), one)
    bulk.flush()
    assert (one.indexed, one.already_there) == (2, 1)


def test_records_that_are_no_documents_are_counted_at_once(bulk: BulkWriter) -> None:
    rejects = Rejects()
    one = counts_of(rejects)
    own = [Reject(4, "no", "why", b"raw")]
    bulk.add(block("index", [], filtered={"expired": 2}, rejects=own), one)
    assert (one.records, one.filtered["expired"], one.rejected, rejects) == (3, 2, 1, own)
    assert one.add_up()


def test_each_document_is_settled_once_however_often_it_is_flushed(
    subject: Subject, bulk: BulkWriter, index: str
) -> None:
    one = counts_of()
    bulk.add(block(index, [""] * 3), one)
    for _ in range(3):
        bulk.flush()
    assert (one.indexed, one.already_there) == (3, 0)


def test_what_an_engine_is_too_busy_for_is_left_with_the_reason(refusing: Callable) -> None:
    bulk, (one, other) = refusing(TryLater), (counts_of(), counts_of())
    bulk.add(block("test-alb-2026.11.23", [""] * 3), one)
    bulk.add(block("test-alb-2026.11.23", [""] * 2), other)
    bulk.flush()
    assert (one.left, other.left) == (3, 2)
    assert isinstance(one.error, TryLater)
    assert isinstance(other.error, TryLater)


def test_what_must_be_fixed_is_raised_and_every_record_is_left(refusing: Callable) -> None:
    bulk, (one, other) = refusing(ClusterNeedsFixing), (counts_of(), counts_of())
    bulk.add(block("test-alb-2026.11.23", [""] * 3), one)
    bulk.add(block("test-alb-2026.11.23", [""] * 2), other)
    with pytest.raises(ClusterNeedsFixing, match="delete old indexes"):
        bulk.flush()
    assert (one.left, other.left, one.indexed, other.indexed) == (3, 2, 0, 0)
    assert isinstance(one.error, ClusterNeedsFixing)
    bulk.flush()
    assert (one.left, other.left) == (3, 2)


def test_where_nothing_waits_nothing_is_refused(refusing: Callable) -> None:
    bulk, one = refusing(ClusterNeedsFixing), counts_of()
    bulk.add(block("test-alb-2026.11.23", [], filtered={"expired": 1}), one)
    bulk.flush()
    assert one.add_up()


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
    subject: Subject, bulk: BulkWriter, index: str, value: str
) -> None:
    bulk.add(block(index, ['"intact":true'], id_of=lambda number: "victim"), counts_of())
    bulk.flush()
    before = subject.contents(index)["victim"]
    one = counts_of()
    bulk.add(block(index, ["", f'"user_agent":{value.replace("INDEX", index)}', ""]), one)
    bulk.flush()
    after = subject.contents(index)
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
    subject: Subject, bulk: BulkWriter, index: str, line: bytes
) -> None:
    bulk.add(block(index, ['"intact":true'], id_of=lambda number: "victim"), counts_of())
    bulk.flush()
    before = subject.contents(index)
    smuggled = document(1) + b"\n" + line.replace(b"INDEX", index.encode())
    with pytest.raises(ValueError, match="lines"):
        bulk.add(block(index, [smuggled, ""]), counts_of())
    bulk.flush()
    assert subject.contents(index) == before


JSON_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)


@examples(0.5)
@given(values=st.lists(JSON_VALUES, min_size=1, max_size=10), number=st.integers(0))
def test_whatever_json_records_hold_every_one_is_indexed_or_rejected(
    subject: Subject, bulk: BulkWriter, index: str, values: list, number: int
) -> None:
    rejects = Rejects()
    one = counts_of(rejects)
    fields = [f'"n":{json.dumps(value)},"user_agent":{json.dumps(value)}' for value in values]
    before = len(subject.contents(index))
    bulk.add(block(index, fields, id_of=f"{number}-{{}}".format), one)
    bulk.flush()
    assert one.add_up()
    assert one.indexed + one.already_there + one.rejected == len(values)
    assert len(subject.contents(index)) - before == one.indexed
    assert [reject.raw for reject in rejects] == [
        f"raw record {reject.number}".encode() for reject in rejects
    ]
