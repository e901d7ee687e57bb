"""Every row of the error table is what a real OpenSearch answers, and the writer obeys it.

What the real OpenSearch of the tests cannot be brought to answer is in `SPOKEN_FOR`.
"""

import re
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager

import pytest
from opensearchpy import OpenSearch

from local.processes import Processes
from local.search_engines import start_opensearch
from servicelogs.errors import ClusterNeedsFixing, TryLater, UnknownRefusal
from servicelogs.opensearch import writer as writer_module
from servicelogs.opensearch.answers import TABLE, Row, Verdict, judge
from servicelogs.opensearch.writer import BulkWriter
from servicelogs.records import Block
from tests.opensearch.blocks import Rejects, block, counts_of
from tests.opensearch.scripted_server import Answer, ScriptedServer, item_error

# One worker runs them: they share an engine of their own.
pytestmark = pytest.mark.xdist_group("own engine")

type Producer = Callable[[OpenSearch, str], AbstractContextManager[Block]]

MAPPING = {
    "dynamic": False,
    "properties": {
        "n": {"type": "flat_object"},
        "k": {"type": "keyword"},
        "source": {"properties": {"ip": {"type": "alias", "path": "k"}}},
    },
}


@pytest.fixture(scope="module")
def own_opensearch(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Give an engine that nobody else uses: these tests block whole clusters."""
    processes = Processes(tmp_path_factory.mktemp("own"))
    try:
        yield start_opensearch(processes)
    finally:
        processes.stop_all()


def create(client: OpenSearch, index: str) -> None:
    """Create an index with the kinds of fields that refuse something."""
    body = {"settings": {"number_of_replicas": 0}, "mappings": MAPPING}
    client.indices.create(index=index, body=body)


def refused(fields: str) -> Producer:
    """Offer a document that the mapping refuses."""

    @contextmanager
    def produce(client: OpenSearch, index: str) -> Iterator[Block]:
        create(client, index)
        yield block(index, [fields])

    return produce


def index_setting(name: str, value: object) -> Producer:
    """Write to an index that has this setting."""

    @contextmanager
    def produce(client: OpenSearch, index: str) -> Iterator[Block]:
        create(client, index)
        client.indices.put_settings(index=index, body={name: value})
        yield block(index, [""])
        client.indices.put_settings(index=index, body={name: None})

    return produce


def cluster_setting(name: str, value: object) -> Producer:
    """Write to a new index of a cluster that has this setting."""

    @contextmanager
    def produce(client: OpenSearch, index: str) -> Iterator[Block]:
        client.cluster.put_settings(body={"persistent": {name: value}})
        try:
            yield block(index, [""])
        finally:
            client.cluster.put_settings(body={"persistent": {name: None}})

    return produce


@contextmanager
def document_that_is_there(client: OpenSearch, index: str) -> Iterator[Block]:
    """Offer a document again."""
    given = block(index, [""])
    client.bulk(body=bytes(given.body))
    yield given


@contextmanager
def id_that_is_too_long(client: OpenSearch, index: str) -> Iterator[Block]:
    """Offer an `_id` of 513 bytes, which fails the whole request."""
    create(client, index)
    yield block(index, [""], id_of=lambda number: "i" * 513)


@contextmanager
def closed_index(client: OpenSearch, index: str) -> Iterator[Block]:
    """Write to a closed index."""
    create(client, index)
    client.indices.close(index=index)
    yield block(index, [""])


@contextmanager
def index_name_that_is_none(_client: OpenSearch, index: str) -> Iterator[Block]:
    """Write to an index with an upper-case name."""
    yield block(index.upper(), [""])


PRODUCERS: dict[tuple[str, str], Producer] = {
    ("version_conflict_engine_exception", ""): document_that_is_there,
    ("mapper_parsing_exception", ""): refused('"n":"no object"'),
    ("illegal_argument_exception", "immense term"): refused(f'"n":{{"a":"{"x" * 40_000}"}}'),
    ("illegal_argument_exception", "^DocValuesField .* is too large"): refused(
        f'"n":{{"a":"{"x" * 32_762}"}}'
    ),
    ("action_request_validation_exception", ""): id_that_is_too_long,
    ("index_closed_exception", ""): closed_index,
    ("cluster_block_exception", r"^index \[.*\[FORBIDDEN/"): index_setting(
        "index.blocks.write", True
    ),
    ("cluster_block_exception", "TOO_MANY_REQUESTS/"): index_setting(
        "index.blocks.read_only_allow_delete", True
    ),
    ("cluster_block_exception", "FORBIDDEN/"): cluster_setting("cluster.blocks.read_only", True),
    ("validation_exception", "maximum (\\w+ )?shards open"): cluster_setting(
        "cluster.max_shards_per_node", 1
    ),
    ("index_not_found_exception", ""): cluster_setting("action.auto_create_index", "-test*,*"),
    ("invalid_index_name_exception", ""): index_name_that_is_none,
}

# What needs a plugin or a service: a small server answers for it.
SPOKEN_FOR: dict[tuple[str, str], dict] = {
    # As documented for the time series collections of OpenSearch Serverless.
    ("illegal_argument_exception", "[Dd]ocument ID is not supported"): item_error(
        400,
        "illegal_argument_exception",
        "Document ID is not supported in create/index operation request",
    ),
    # As OpenSearch 2.19.4 with its security plugin answered a user without a role.
    ("security_exception", ""): item_error(
        403,
        "security_exception",
        "no permissions for [indices:data/write/bulk[s], indices:data/write/index] "
        "and User [name=writer, backend_roles=[], requestedTenant=null]",
    ),
    # As users of OpenSearch Serverless report it, of roles without data access.
    ("security_exception", "authorization_exception"): item_error(
        403,
        "security_exception",
        "OpenSearch exception [type=authorization_exception, reason=User does not have "
        "permissions for the requested resource]",
    ),
    ("Forbidden", ""): item_error(403, "Forbidden", "403 Forbidden"),
    # As Amazon OpenSearch Service answers in front of the engine.
    ("status_403", "not authorized to perform"): item_error(
        403,
        "status_403",
        "User: arn:aws:sts::1:assumed-role/x/y is not authorized to perform: es:ESHttpPost",
    ),
    # OpenSearch 3.8.0 answers so when asked to create an index, but its bulk request creates it.
    ("index_create_block_exception", ""): item_error(
        403,
        "index_create_block_exception",
        "blocked by: [FORBIDDEN/10/cluster create-index blocked (api)];",
    ),
}

CLUSTER = ("FORBIDDEN/", "maximum (\\w+ )?shards open")


def key(row: Row) -> tuple[str, str]:
    """Return what identifies a row."""
    return row.type, row.reason


def check_that_the_writer_obeys(row: Row, bulk: BulkWriter, given: Block) -> None:
    """Deliver one document that is answered with this row."""
    rejects = Rejects()
    one = counts_of(rejects)
    bulk.add(given, one)
    if row.verdict is Verdict.FIX:
        with pytest.raises(ClusterNeedsFixing, match=f"(?s){row.type}.*{re.escape(row.advice)}"):
            bulk.flush()
        assert one.left == 1
    else:
        bulk.flush()
        assert one.already_there == (row.verdict is Verdict.ALREADY_THERE)
        refused = row.verdict in (Verdict.ADJUST, Verdict.REJECT)
        assert rejects.types() == ([row.type] if refused else [])
    assert one.add_up()


@pytest.mark.engine  # its engine is asked for by name
@pytest.mark.parametrize(
    "row", [row for row in TABLE if key(row) in PRODUCERS], ids=lambda row: "-".join(key(row))
)
def test_a_real_opensearch_answers_the_row_and_the_writer_obeys(
    row: Row,
    request: pytest.FixtureRequest,
    unique_prefix: str,
    client_of: Callable,
    writer_of: Callable,
) -> None:
    shared = row.reason not in CLUSTER and row.type != "index_not_found_exception"
    client = client_of(request.getfixturevalue("opensearch" if shared else "own_opensearch"))
    index = f"{unique_prefix}-alb-2026.11.23"
    with PRODUCERS[key(row)](client, index) as given:
        check_that_the_writer_obeys(row, writer_of(client), given)


@pytest.mark.parametrize(
    "row", [row for row in TABLE if key(row) in SPOKEN_FOR], ids=lambda row: row.type
)
def test_the_writer_obeys_the_rows_that_need_a_plugin_or_a_service(
    row: Row, scripted: ScriptedServer, client_of: Callable, writer_of: Callable
) -> None:
    scripted.script = lambda request: Answer(body={"items": [{"create": SPOKEN_FOR[key(row)]}]})
    given = block("test-alb-2026.11.23", [""])
    check_that_the_writer_obeys(row, writer_of(client_of(scripted.url)), given)


def test_every_row_is_produced() -> None:
    assert {key(row) for row in TABLE} == PRODUCERS.keys() | SPOKEN_FOR.keys()


@pytest.mark.parametrize("setting", ["index.blocks.write", "index.blocks.read_only"])
def test_an_index_past_writing_takes_its_documents_to_the_rejects_and_no_others(
    real: OpenSearch, unique_prefix: str, writer_of: Callable, setting: str
) -> None:
    old, new = f"{unique_prefix}-alb-2026.10.01", f"{unique_prefix}-alb-2026.11.23"
    rejects = Rejects()
    one = counts_of(rejects)
    with index_setting(setting, True)(real, old) as given:
        bulk = writer_of(real)
        bulk.add(given, one)
        bulk.add(block(new, [""] * 2, first=2), one)
        bulk.flush()
    assert (one.indexed, one.rejected) == (2, 1)
    assert (rejects[0].index, rejects[0].id) == (old, "0123456789abcdef-1")
    assert "blocked by" in rejects[0].reason


# What the type's own mapping (that of `alb`) says how to change.
ADJUSTABLE = {
    "a duplicate key": '"k":"a","k":"b"',
    "a control character": '"k":"a\x01b"',
    "a number of 2,000 digits": f'"x":{"9" * 2_000}',
    "objects 1,100 deep": f'"x":{{{'"a":{' * 1_100}{"}" * 1_100}}}',
    "arrays 30 deep": f'"x":{"[" * 30}{"]" * 30}',
    "an empty name": '"":1',
    "a name of dots": '"a..b":1',
    "a value under an alias": '"source":{"ip":"192.0.2.1"}',
    "a name of OpenSearch's own": '"_id":"mine"',
    "a name of 60,000 characters": f'"{"n" * 60_000}":1',
}

# What an index refuses that somebody made with another mapping, and what is no JSON.
UNMAPPABLE = {
    "an object for a keyword": '"k":{"a":1}',
    "a bare value for a free-form field": '"n":[1]',
    "a term of 40,000 bytes": f'"k":"{"x" * 40_000}"',
    "a path and value of more than a term": f'"n":{{"{"p" * 400}":"{"x" * 32_500}"}}',
    "not a number": '"x":NaN',
}


@pytest.mark.parametrize("fields", ADJUSTABLE.values(), ids=ADJUSTABLE.keys())
def test_one_document_that_is_refused_is_changed_and_indexed_like_those_around_it(
    real: OpenSearch, unique_prefix: str, writer_of: Callable, fields: str
) -> None:
    index = f"{unique_prefix}-alb-2026.11.23"
    create(real, index)
    rejects = Rejects()
    one = counts_of(rejects)
    bulk = writer_of(real)
    bulk.add(block(index, ["", fields, ""]), one)
    bulk.flush()
    assert rejects == []
    assert (one.indexed, one.left) == (3, 0)
    source = real.get(index=index, id="0123456789abcdef-2")["_source"]
    assert source["log"]["record"] == 2
    assert {"k", "extra_fields"} & source.keys() or source["log"]["adjusted"]


@pytest.mark.parametrize("fields", UNMAPPABLE.values(), ids=UNMAPPABLE.keys())
def test_one_document_that_does_not_fit_is_rejected_and_those_around_it_are_indexed(
    real: OpenSearch, unique_prefix: str, writer_of: Callable, fields: str
) -> None:
    index = f"{unique_prefix}-alb-2026.11.23"
    create(real, index)
    rejects = Rejects()
    one = counts_of(rejects)
    bulk = writer_of(real)
    bulk.add(block(index, ["", fields, ""]), one)
    bulk.flush()
    assert (one.indexed, one.rejected, one.left) == (2, 1, 0)
    assert [(reject.number, reject.raw) for reject in rejects] == [(2, b"raw record 2")]
    assert rejects[0].id == "0123456789abcdef-2"


def test_bad_utf_8_is_replaced_in_its_document_alone(
    real: OpenSearch, unique_prefix: str, writer_of: Callable
) -> None:
    index = f"{unique_prefix}-alb-2026.11.23"
    create(real, index)
    bad = block(index, ['"k":"BAD"'], first=2)
    bad.body = bytes(bad.body).replace(b"BAD", b"\xff\xfe")
    rejects = Rejects()
    one = counts_of(rejects)
    bulk = writer_of(real)
    bulk.add(block(index, [""]), one)
    bulk.add(bad, one)
    bulk.flush()
    assert (one.indexed, [*rejects]) == (2, [])
    real.indices.refresh(index=index)
    hits = real.search(index=index)["hits"]["hits"]
    found = {hit["_source"]["log"]["record"]: hit["_source"].get("k") for hit in hits}
    assert found == {1: None, 2: "\ufffd\ufffd"}


def test_one_id_that_is_too_long_fails_nothing_but_itself(
    real: OpenSearch, unique_prefix: str, writer_of: Callable
) -> None:
    index = f"{unique_prefix}-alb-2026.11.23"
    rejects = Rejects()
    one = counts_of(rejects)
    bulk = writer_of(real)
    bulk.add(
        block(index, [""] * 100, id_of=lambda number: "i" * 600 if number == 37 else str(number)),
        one,
    )
    bulk.flush()
    assert (one.indexed, [reject.number for reject in rejects]) == (99, [37])


def test_an_index_name_that_is_an_alias_of_two_fails_its_own_message(
    real: OpenSearch, unique_prefix: str, writer_of: Callable
) -> None:
    for name in ("one", "two"):
        create(real, f"{unique_prefix}-{name}")
    real.indices.put_alias(index=f"{unique_prefix}-*", name=f"{unique_prefix}x-alb")
    bulk = writer_of(real)
    one = counts_of()
    bulk.add(block(f"{unique_prefix}x-alb", [""]), one)
    bulk.flush()
    assert isinstance(one.error, UnknownRefusal)
    assert "no write index is defined" in str(one.error)


@pytest.mark.parametrize("setting", ["index.blocks.write", "index.blocks.read_only"])
def test_a_document_in_an_index_past_writing_is_found(
    real: OpenSearch, unique_prefix: str, writer_of: Callable, setting: str
) -> None:
    index = f"{unique_prefix}-alb-2026.10.01"
    bulk = writer_of(real)
    with index_setting(setting, True)(real, index):
        real.indices.put_settings(index=index, body={setting: None})
        real.bulk(body=bytes(block(index, [""]).body))
        real.indices.put_settings(index=index, body={setting: True})
        there = (index, "0123456789abcdef-1")
        assert bulk.find([there, (index, "other"), (f"{index}-none", "x")]) == [True, False, False]


def test_a_document_in_a_closed_index_is_not_found(
    real: OpenSearch, unique_prefix: str, writer_of: Callable
) -> None:
    index = f"{unique_prefix}-alb-2026.10.01"
    real.bulk(body=bytes(block(index, [""]).body))
    real.indices.close(index=index)
    assert writer_of(real).find([(index, "0123456789abcdef-1")]) == [False]


def test_shards_that_are_not_there_yet_are_waited_for(
    real: OpenSearch, unique_prefix: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    index = f"{unique_prefix}-alb-2026.11.23"
    settings = {
        "number_of_replicas": 0,
        "index.routing.allocation.require._name": "a node that is not there",
    }
    real.indices.create(
        index=index, body={"settings": settings}, params={"wait_for_active_shards": 0}
    )

    def heal(_seconds: float) -> None:
        setting = "index.routing.allocation.require._name"
        real.indices.put_settings(index=index, body={setting: None})

    monkeypatch.setattr(writer_module, "REQUEST_SECONDS", 1.0)
    one = counts_of()
    bulk = BulkWriter(
        real, seconds_left=lambda: 100, ensure_template=lambda log_type: None, sleep=heal
    )
    bulk.add(block(index, [""]), one)
    bulk.flush()
    assert one.indexed + one.already_there == 1


def test_a_tripped_circuit_breaker_leaves_the_documents_for_later(
    own_opensearch: str, client_of: Callable, writer_of: Callable
) -> None:
    client = client_of(own_opensearch)
    one = counts_of()
    with cluster_setting("network.breaker.inflight_requests.limit", "2kb")(client, "test-x") as _:
        bulk = writer_of(client)
        bulk.add(block("test-alb-2026.11.23", [f'"k":"{"x" * 3_000}"']), one)
        bulk.flush()
    assert one.left == 1
    assert isinstance(one.error, TryLater)
    assert "circuit_breaking_exception" in str(one.error)


@pytest.mark.parametrize(
    ("answer", "advice"),
    [
        # As OpenSearch 2.19.4 with its security plugin answered a wrong password.
        (Answer(401, b"Unauthorized", "text/plain; charset=UTF-8"), "OpenSearchAuth"),
        # As Amazon OpenSearch Service answers in front of the engine.
        (Answer(403, {"Message": "User: x is not authorized to perform"}), "access policy"),
        (
            Answer(403, {"message": "The security token included in the request is invalid."}),
            "role",
        ),
        # As OpenSearch Serverless does.
        (
            Answer(403, {"status": 403, "error": {"reason": "403 Forbidden", "type": "Forbidden"}}),
            "network policy",
        ),
        (Answer(404, {"message": "Not Found"}), "OpenSearchEndpoint"),
    ],
)
def test_a_request_that_is_refused_at_the_door_says_what_to_fix(
    scripted: ScriptedServer,
    client_of: Callable,
    writer_of: Callable,
    answer: Answer,
    advice: str,
) -> None:
    scripted.script = lambda request: answer
    bulk = writer_of(client_of(scripted.url))
    bulk.add(block("test-alb-2026.11.23", [""]), counts_of())
    with pytest.raises(ClusterNeedsFixing, match=advice):
        bulk.flush()


@pytest.mark.parametrize("row", [row for row in TABLE if row.verdict is Verdict.REJECT], ids=key)
def test_the_reason_of_a_reject_is_opensearchs_own_between_words_of_ours(
    row: Row, scripted: ScriptedServer, client_of: Callable, writer_of: Callable
) -> None:
    said = "index [aws-alb] blocked by: [FORBIDDEN/8/write]; immense term"
    error = item_error(400, row.type, said)
    scripted.script = lambda request: Answer(body={"items": [{"create": error}]})
    rejects = Rejects()
    bulk = writer_of(client_of(scripted.url))
    bulk.add(block("test-alb-2026.11.23", [""]), counts_of(rejects))
    bulk.flush()
    assert rejects[0].reason == f"OpenSearch refuses the document: {said}. {row.advice}"
    assert row.advice


def test_an_error_that_no_row_knows_is_unknown_unless_it_passes() -> None:
    unknown = {"type": "new_exception", "reason": "?"}
    assert judge(400, unknown).verdict is Verdict.UNKNOWN
    assert judge(400, unknown).to_all().verdict is Verdict.FIX
    assert judge(429, unknown).verdict is Verdict.RETRY
    assert judge(503, unknown).verdict is Verdict.RETRY
