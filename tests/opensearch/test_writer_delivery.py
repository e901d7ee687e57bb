"""The bulk writer beside an engine that is busy, slow, too small or gone: no record is lost."""

import itertools
import time
from collections import Counter
from collections.abc import Callable
from functools import partial

import pytest
from hypothesis import given
from hypothesis import strategies as st
from opensearchpy import OpenSearch

from servicelogs.errors import ClusterNeedsFixing, TryLater, UnknownRefusal
from servicelogs.opensearch import writer as writer_module
from servicelogs.opensearch.writer import BulkWriter
from servicelogs.records import Reject
from tests.opensearch.blocks import Rejects, block, counts_of
from tests.opensearch.conftest import Clock
from tests.opensearch.scripted_server import Answer, Request, ScriptedServer, error, item_error

INDEX = "test-alb-2026.11.23"


@pytest.fixture
def bulk(scripted: ScriptedServer, client_of: Callable, writer_of: Callable) -> BulkWriter:
    return writer_of(client_of(scripted.url))


def test_blocks_of_many_objects_share_a_request_and_each_keeps_its_own_counts(
    scripted: ScriptedServer, bulk: BulkWriter
) -> None:
    all_counts = [counts_of() for _ in range(20)]
    for number, one in enumerate(all_counts):
        bulk.add(block(INDEX, [""] * (number + 1), id_of=f"object{number}-{{}}".format), one)
    bulk.flush()
    assert len(scripted.requests) == 1
    assert [one.indexed for one in all_counts] == list(range(1, 21))
    assert all(one.add_up() for one in all_counts)


def test_a_blocks_own_rejects_and_filtered_records_are_counted(bulk: BulkWriter) -> None:
    rejects = Rejects()
    one = counts_of(rejects)
    given = block(
        INDEX, [""], filtered={"expired": 3}, rejects=[Reject(2, "does_not_match", "no", b"x")]
    )
    bulk.add(given, one)
    bulk.flush()
    assert (one.records, one.indexed, one.filtered["expired"], one.rejected) == (5, 1, 3, 1)
    assert one.add_up()


def test_a_block_without_documents_sends_nothing(
    scripted: ScriptedServer, bulk: BulkWriter
) -> None:
    one = counts_of()
    bulk.add(block(INDEX, [], filtered={"expired": 3}), one)
    bulk.flush()
    assert scripted.requests == []
    assert one.add_up()


def test_a_body_is_sent_when_it_is_large_enough_and_is_never_too_large(
    scripted: ScriptedServer, bulk: BulkWriter
) -> None:
    one = counts_of()
    large = '"user_agent":"' + "x" * 3_000 + '"'
    for number in range(20):
        bulk.add(block(INDEX, [large] * 500, id_of=f"{number}-{{}}".format), one)
    bulk.flush()
    sizes = [len(request.body) for request in scripted.requests]
    assert len(sizes) > 1
    assert all(5_000_000 <= size <= 10_000_000 for size in sizes[:-1])
    assert sizes[-1] <= 10_000_000
    assert sum(len(request.items) for request in scripted.requests) == one.indexed == 10_000


def test_a_block_larger_than_a_body_is_sent_in_parts(
    scripted: ScriptedServer, bulk: BulkWriter
) -> None:
    one = counts_of()
    bulk.add(block(INDEX, ['"user_agent":"' + "x" * 30_000 + '"'] * 800), one)
    bulk.flush()
    assert all(len(request.body) <= 10_000_000 for request in scripted.requests)
    assert one.indexed == 800


def test_a_429_storm_delays_documents_and_sends_only_those_that_were_refused_again(
    scripted: ScriptedServer, bulk: BulkWriter, clock: Clock
) -> None:
    busy: Counter[str] = Counter()

    def refuse(target: dict[str, str]) -> dict | None:
        busy[target["_id"]] += 1
        number = int(target["_id"].rpartition("-")[2])
        if busy[target["_id"]] <= number % 3:
            return item_error(429, "rejected_execution_exception")
        return None

    scripted.script = lambda request: Answer(body={"items": scripted.carry_out(request, refuse)})
    one = counts_of()
    bulk.add(block(INDEX, [""] * 30), one)
    bulk.flush()
    assert [len(request.items) for request in scripted.requests] == [30, 20, 10]
    assert (one.indexed, one.already_there) == (30, 0)
    assert len(clock.waits) == 2


def test_waits_grow_and_differ(scripted: ScriptedServer, bulk: BulkWriter, clock: Clock) -> None:
    scripted.script = lambda request: error(429, "rejected_execution_exception")
    one = counts_of()
    bulk.add(block(INDEX, [""]), one)
    bulk.flush()
    assert clock.waits[4] > clock.waits[0]
    assert len(set(clock.waits)) == len(clock.waits)
    assert max(clock.waits) <= writer_module.LONGEST_WAIT_SECONDS
    for times, wait in enumerate(clock.waits):
        assert wait <= writer_module.FIRST_WAIT_SECONDS * 2**times, "none may more than double"


def test_what_is_still_refused_when_the_time_is_over_is_left_and_says_why(
    scripted: ScriptedServer, bulk: BulkWriter, clock: Clock
) -> None:
    def refuse(target: dict[str, str]) -> dict | None:
        if target["_id"].startswith("slow"):
            return item_error(503, "unavailable_shards_exception", "primary shard is not active")
        return None

    scripted.script = lambda request: Answer(body={"items": scripted.carry_out(request, refuse)})
    good, slow = counts_of(), counts_of()
    bulk.add(block(INDEX, [""] * 3), good)
    bulk.add(block(INDEX, [""] * 2, id_of="slow-{}".format), slow)
    bulk.flush()
    assert (good.indexed, good.left, good.error) == (3, 0, None)
    assert (slow.indexed, slow.left) == (0, 2)
    assert isinstance(slow.error, TryLater)
    assert "unavailable_shards_exception" in str(slow.error)
    assert clock.left >= 0


@pytest.mark.parametrize("status", [429, 500, 502, 503, 504])
def test_a_request_that_is_refused_for_the_moment_is_sent_again(
    scripted: ScriptedServer, bulk: BulkWriter, status: int
) -> None:
    scripted.script = lambda request: (
        Answer(status, b"<html>no</html>", "text/html") if len(scripted.requests) < 3 else None
    )
    one = counts_of()
    bulk.add(block(INDEX, [""] * 3), one)
    bulk.flush()
    assert (one.indexed, one.left) == (3, 0)


def test_a_connection_that_breaks_after_the_documents_arrived_counts_none_of_them_twice(
    scripted: ScriptedServer, bulk: BulkWriter
) -> None:
    def script(request: Request) -> Answer | None:
        if len(scripted.requests) > 1:
            return None
        scripted.carry_out(request)
        return Answer(reset=True)

    scripted.script = script
    one = counts_of()
    bulk.add(block(INDEX, [""] * 3), one)
    bulk.flush()
    assert (one.indexed, one.already_there) == (0, 3)
    assert one.add_up()


def test_an_answer_that_takes_too_long_is_not_waited_for(
    scripted: ScriptedServer, bulk: BulkWriter, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(writer_module, "REQUEST_SECONDS", 0.2)

    def script(request: Request) -> Answer | None:
        if len(scripted.requests) == 1:
            time.sleep(0.6)
        return None

    scripted.script = script
    one = counts_of()
    bulk.add(block(INDEX, [""] * 3), one)
    bulk.flush()
    assert one.indexed + one.already_there == 3
    assert len(scripted.requests) > 1


def test_a_request_waits_no_longer_than_the_time_that_is_left(
    scripted: ScriptedServer, client_of: Callable, monkeypatch: pytest.MonkeyPatch
) -> None:
    def script(request: Request) -> None:
        time.sleep(2)

    scripted.script = script
    monkeypatch.setattr(writer_module, "LEAST_SECONDS", 0.1)
    end = time.monotonic() + 0.5
    bulk = BulkWriter(
        client_of(scripted.url),
        seconds_left=lambda: end - time.monotonic(),
        ensure_template=lambda log_type: None,
    )
    one = counts_of()
    bulk.add(block(INDEX, [""] * 3), one)
    bulk.flush()
    assert time.monotonic() < end + 0.5
    assert (one.left, one.add_up()) == (3, True)


def test_without_time_nothing_is_sent(
    scripted: ScriptedServer, bulk: BulkWriter, clock: Clock
) -> None:
    one = counts_of()
    bulk.add(block(INDEX, [""] * 3), one)
    clock.left = 0.5
    bulk.flush()
    assert scripted.requests == []
    assert one.left == 3
    assert isinstance(one.error, TryLater)


def test_nobody_listening_leaves_everything(client_of: Callable, writer_of: Callable) -> None:
    bulk = writer_of(client_of("http://127.0.0.1:9"))
    one = counts_of()
    bulk.add(block(INDEX, [""] * 3), one)
    bulk.flush()
    assert one.left == 3
    assert "no_answer" in str(one.error)


@pytest.mark.parametrize(
    "refusal",
    [
        Answer(413, {"Message": "Request size exceeded 10485760 bytes"}),
        Answer(413, b"<html>413 Request Entity Too Large</html>", "text/html"),
    ],
)
def test_a_body_that_is_too_large_is_halved_until_it_fits_and_later_ones_start_smaller(
    scripted: ScriptedServer, bulk: BulkWriter, refusal: Answer
) -> None:
    scripted.script = lambda request: refusal if len(request.body) > 20_000 else None
    one, other = counts_of(), counts_of()
    bulk.add(block(INDEX, [""] * 300, id_of="one-{}".format), one)
    bulk.flush()
    assert one.indexed == 300
    refused = sum(len(request.body) > 20_000 for request in scripted.requests)
    bulk.add(block(INDEX, [""] * 300, id_of="other-{}".format), other)
    bulk.flush()
    assert other.indexed == 300
    assert sum(len(request.body) > 20_000 for request in scripted.requests) == refused


def test_a_single_document_that_is_too_large_is_rejected(
    scripted: ScriptedServer, bulk: BulkWriter
) -> None:
    scripted.script = lambda request: (
        Answer(413, {"Message": "too large"}) if len(request.body) > 5_000 else None
    )
    rejects = Rejects()
    one = counts_of(rejects)
    bulk.add(block(INDEX, ["", '"user_agent":"' + "x" * 9_000 + '"', ""]), one)
    bulk.flush()
    assert (one.indexed, one.rejected, one.left) == (2, 1, 0)
    assert [(reject.number, reject.raw) for reject in rejects] == [(2, b"raw record 2")]


def test_a_cluster_that_needs_fixing_stops_everything_and_everything_is_accounted_for(
    scripted: ScriptedServer, bulk: BulkWriter
) -> None:
    def refuse(target: dict[str, str]) -> dict | None:
        if target["_id"].endswith("-2"):
            return item_error(400, "validation_exception", "this cluster has maximum shards open")
        return None

    scripted.script = lambda request: Answer(body={"items": scripted.carry_out(request, refuse)})
    one, other = counts_of(), counts_of()
    bulk.add(block(INDEX, [""] * 3), one)
    bulk.add(block(INDEX, [""] * 1, id_of="other-{}".format), other)
    with pytest.raises(ClusterNeedsFixing, match="delete old indexes"):
        bulk.flush()
    assert (one.indexed, one.left) == (2, 1)
    assert isinstance(one.error, ClusterNeedsFixing)
    assert (other.indexed, other.left) == (1, 0)
    bulk.flush()
    assert len(scripted.requests) == 1


UNEXPECTED = {
    "HTML": Answer(200, b"<html>Sign in</html>", "text/html"),
    "text": Answer(200, b"OK", "text/plain"),
    "text that claims to be JSON": Answer(200, b"not json at all"),
    "a string": Answer(200, "busy"),
    "a list": Answer(200, [{"create": {"status": 201}}] * 2),
    "null": Answer(200, b"null"),
    "a number": Answer(200, 5),
    "bytes that are not text": Answer(200, b"\xff\xfe"),
    "an object without items": Answer(200, {}),
    "items that are no list": Answer(200, {"items": 2}),
    "null items": Answer(200, {"items": None}),
    "items of null": Answer(200, {"items": [None, None]}),
    "too few items": Answer(200, {"items": [{"create": {"status": 201}}]}),
    "too many items": Answer(200, {"items": [{"create": {"status": 201}}] * 3}),
    "another operation": Answer(
        200, {"items": [{"create": {"status": 201}}, {"delete": {"status": 200}}]}
    ),
    "results that are no objects": Answer(200, {"items": [{"create": 201}] * 2}),
    "results without a status": Answer(200, {"items": [{"create": {}}] * 2}),
    "a status that is no number": Answer(200, {"items": [{"create": {"status": "201"}}] * 2}),
    "a redirection": Answer(302, b"", "text/html"),
    "an unknown error": Answer(418, {"error": {"type": "teapot_exception", "reason": "short"}}),
}


@pytest.mark.parametrize("answer", UNEXPECTED.values(), ids=UNEXPECTED.keys())
def test_an_answer_that_nobody_has_thought_of_is_never_taken_for_success(
    scripted: ScriptedServer, bulk: BulkWriter, answer: Answer
) -> None:
    scripted.script = lambda request: answer
    one = counts_of()
    bulk.add(block(INDEX, [""] * 2), one)
    with pytest.raises(ClusterNeedsFixing):
        bulk.flush()
    assert (one.indexed, one.left, one.add_up()) == (0, 2, True)


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        (Answer(200, b"OK", "text/plain"), "'OK'"),
        (Answer(200, ["one"]), "'one'"),
        (Answer(200, {"items": [None]}), "None"),
        (Answer(200, b"<html>Sign in</html>", "text/html"), "text/html"),
    ],
)
def test_what_came_instead_of_an_answer_is_said(
    scripted: ScriptedServer, bulk: BulkWriter, answer: Answer, said: str
) -> None:
    scripted.script = lambda request: answer
    bulk.add(block(INDEX, [""]), counts_of())
    with pytest.raises(ClusterNeedsFixing, match=f"{said}.*OpenSearchEndpoint"):
        bulk.flush()


@pytest.mark.parametrize(
    "answer",
    [Answer(200, b""), Answer(200, b"", "text/plain"), Answer(200, b'{"items":[{"create":{"sta')],
    ids=["empty", "empty text", "truncated"],
)
def test_an_answer_that_was_lost_on_its_way_is_asked_for_again(
    scripted: ScriptedServer, bulk: BulkWriter, answer: Answer
) -> None:
    def script(request: Request) -> Answer | None:
        if len(scripted.requests) > 2:
            return None
        scripted.carry_out(request)
        return answer

    scripted.script = script
    one = counts_of()
    bulk.add(block(INDEX, [""] * 3), one)
    bulk.flush()
    assert (one.already_there, one.left) == (3, 0)


UNKNOWN = item_error(400, "new_exception", "nobody has thought of it")


def test_an_error_that_no_rule_knows_fails_its_own_source_and_no_other(
    scripted: ScriptedServer, bulk: BulkWriter
) -> None:
    def refuse(target: dict[str, str]) -> dict | None:
        return UNKNOWN if target["_id"] == "bad-2" else None

    scripted.script = lambda request: Answer(body={"items": scripted.carry_out(request, refuse)})
    good, bad = counts_of(), counts_of()
    bulk.add(block(INDEX, [""] * 3), good)
    bulk.add(block(INDEX, [""] * 3, id_of="bad-{}".format), bad)
    bulk.flush()
    assert (good.indexed, good.error) == (3, None)
    assert (bad.indexed, bad.left, bad.left_from) == (2, 1, 2)
    assert isinstance(bad.error, UnknownRefusal)
    assert "new_exception: nobody has thought of it" in str(bad.error)
    assert len(scripted.requests) == 1


def test_an_unknown_error_of_all_documents_of_several_sources_needs_fixing(
    scripted: ScriptedServer, bulk: BulkWriter
) -> None:
    scripted.script = lambda request: Answer(
        body={"items": scripted.carry_out(request, lambda target: UNKNOWN)}
    )
    one, other = counts_of(), counts_of()
    bulk.add(block(INDEX, [""] * 2), one)
    bulk.add(block(INDEX, [""] * 1, id_of="other-{}".format), other)
    with pytest.raises(ClusterNeedsFixing, match="new_exception"):
        bulk.flush()
    assert (one.left, other.left) == (2, 1)
    assert (one.left_from, other.left_from) == (1, 1)


def test_an_unknown_error_of_all_documents_of_one_source_is_the_sources_own(
    scripted: ScriptedServer, bulk: BulkWriter
) -> None:
    scripted.script = lambda request: Answer(
        body={"items": scripted.carry_out(request, lambda target: UNKNOWN)}
    )
    one = counts_of()
    bulk.add(block(INDEX, [""] * 2), one)
    bulk.flush()
    assert one.left == 2
    assert isinstance(one.error, UnknownRefusal)


@pytest.mark.parametrize("error", ["text", None, 5, ["list"], {"type": 5, "reason": {"a": 1}}])
def test_an_items_error_of_any_shape_is_an_unknown_one(
    scripted: ScriptedServer, bulk: BulkWriter, error: object
) -> None:
    scripted.script = lambda request: Answer(
        body={"items": [{"create": {"status": 400, "error": error}}]}
    )
    one = counts_of()
    bulk.add(block(INDEX, [""]), one)
    bulk.flush()
    assert isinstance(one.error, UnknownRefusal)


def earlier(scripted: ScriptedServer, number: int) -> None:
    scripted.documents[("test-alb-2026.11.20", f"0123456789abcdef-{number}")] = b"{}"


def test_only_documents_that_the_delivery_dates_are_looked_for_in_other_indexes(
    scripted: ScriptedServer, bulk: BulkWriter
) -> None:
    for number in (1, 2, 3):
        earlier(scripted, number)
    one = counts_of()
    own = block("test-alb-2026.11.19", [""], first=1)
    mixed = block(INDEX, [""] * 2, first=2, delivery_index=INDEX)
    mixed.body = mixed.body + block("test-alb-2026.11.18", [""], first=4).body
    mixed.documents += 1
    bulk.add(own, one)
    bulk.add(mixed, one)
    bulk.flush()
    searches = [request for request in scripted.requests if "_search" in request.path]
    assert len(searches) == 1
    assert b"-4" not in searches[0].body
    assert (one.indexed, one.already_there, one.records) == (2, 2, 4)
    assert one.add_up()


@pytest.mark.parametrize(
    ("answer", "raised"),
    [
        (Answer(200, b"OK", "text/plain"), ClusterNeedsFixing),
        (Answer(200, {"hits": 5}), ClusterNeedsFixing),
        (Answer(200, {"hits": {"hits": None}}), ClusterNeedsFixing),
        (error(503, "search_phase_execution_exception"), TryLater),
        (error(403, "security_exception"), ClusterNeedsFixing),
    ],
)
def test_a_search_without_an_answer_leaves_the_records_for_later(
    scripted: ScriptedServer, bulk: BulkWriter, answer: Answer, raised: type[Exception]
) -> None:
    scripted.script = lambda request: answer
    one = counts_of()
    with pytest.raises(raised):
        bulk.add(block(INDEX, [""], delivery_index=INDEX), one)
    assert (one.records, one.indexed) == (0, 0)


def test_a_search_that_finds_nothing_answers_with_nothing(
    scripted: ScriptedServer, bulk: BulkWriter
) -> None:
    scripted.script = lambda request: Answer() if "_search" in request.path else None
    one = counts_of()
    bulk.add(block(INDEX, [""], delivery_index=INDEX), one)
    bulk.flush()
    assert one.indexed == 1


def test_documents_are_found_by_their_ids(scripted: ScriptedServer, bulk: BulkWriter) -> None:
    bulk.add(block(INDEX, [""] * 2), counts_of())
    bulk.flush()
    place = (INDEX, "0123456789abcdef-2")
    assert bulk.find([(INDEX, "other"), place, ("test-alb-2026.11.22", place[1])]) == [
        False,
        True,
        False,
    ]


def test_a_document_that_nobody_can_read_is_not_there(
    scripted: ScriptedServer, bulk: BulkWriter
) -> None:
    types = ["index_not_found_exception", "index_closed_exception", "cluster_block_exception"]
    scripted.script = lambda request: Answer(
        body={"docs": [{"_id": "1", "error": {"type": kind, "reason": "no"}} for kind in types]}
    )
    assert bulk.find([(INDEX, "1")] * 3) == [False] * 3


@pytest.mark.parametrize(
    ("answer", "raised"),
    [
        (Answer(body={"docs": [{"error": {"type": "new_exception"}}]}), UnknownRefusal),
        (Answer(body={"docs": [{"error": {"type": "security_exception"}}]}), ClusterNeedsFixing),
        (error(403, "security_exception"), ClusterNeedsFixing),
        (error(503, "no_shard_available_action_exception"), TryLater),
        (Answer(200, b""), TryLater),
        (Answer(200, {"docs": []}), ClusterNeedsFixing),
        (Answer(200, {"docs": [None]}), ClusterNeedsFixing),
        (Answer(reset=True), TryLater),
    ],
)
def test_whether_a_document_is_there_is_never_guessed(
    scripted: ScriptedServer, bulk: BulkWriter, answer: Answer, raised: type[Exception]
) -> None:
    scripted.script = lambda request: answer
    with pytest.raises(raised):
        bulk.find([(INDEX, "1")])


def test_a_question_that_cannot_be_answered_now_is_asked_again(
    scripted: ScriptedServer, bulk: BulkWriter
) -> None:
    scripted.script = lambda request: (
        error(429, "rejected_execution_exception") if len(scripted.requests) < 3 else None
    )
    assert bulk.find([(INDEX, "1")]) == [False]


def test_a_block_whose_lines_are_not_its_documents_is_not_sent(
    scripted: ScriptedServer, bulk: BulkWriter
) -> None:
    given = block(INDEX, [b'{"a":1}\n{"delete":{"_index":"x","_id":"1"}}', b"{}"])
    with pytest.raises(ValueError, match="5 lines"):
        bulk.add(given, counts_of())
    bulk.flush()
    assert scripted.requests == []


def test_the_template_of_a_type_is_made_sure_of_once_and_before_its_first_document(
    scripted: ScriptedServer, client_of: Callable, clock: Clock
) -> None:
    asked: list[tuple[str, int]] = []
    bulk = BulkWriter(
        client_of(scripted.url),
        seconds_left=clock.seconds_left,
        ensure_template=lambda log_type: asked.append((log_type, len(scripted.requests))),
    )
    for log_type in ("alb", "vpc_flow", "alb"):
        bulk.add(block(INDEX, [""]), counts_of(log_type=log_type))
        bulk.flush()
    assert asked == [("alb", 0), ("vpc_flow", 1)]


def test_a_template_that_cannot_be_asked_for_now_is_asked_for_again(
    scripted: ScriptedServer, client_of: Callable, clock: Clock
) -> None:
    answers = iter([TryLater("busy"), TryLater("busy"), None])

    def ensure(log_type: str) -> None:
        if problem := next(answers):
            raise problem

    bulk = BulkWriter(
        client_of(scripted.url),
        seconds_left=clock.seconds_left,
        ensure_template=ensure,
        sleep=clock.sleep,
    )
    one = counts_of()
    bulk.add(block(INDEX, [""]), one)
    bulk.flush()
    assert one.indexed == 1
    assert len(clock.waits) == 2


OUTCOMES = {
    "created": None,
    "there": item_error(409, "version_conflict_engine_exception"),
    "unmappable": item_error(400, "mapper_parsing_exception"),
    "closed": item_error(400, "index_closed_exception"),
    "busy": item_error(429, "rejected_execution_exception"),
    "gone": item_error(503, "unavailable_shards_exception"),
    "full": item_error(400, "validation_exception", "maximum shards open"),
}
WHOLE = {
    "fine": None,
    "reset": Answer(reset=True),
    "large": Answer(413, {"Message": "too large"}),
    "busy": error(429, "circuit_breaking_exception"),
    "down": Answer(502, b"", "text/html"),
    "denied": error(403, "security_exception"),
}


@given(data=st.data())
def test_whatever_the_engine_answers_the_counts_balance_and_say_what_is_there(
    data: st.DataObject,
) -> None:
    sizes = data.draw(st.lists(st.integers(0, 8), min_size=1, max_size=5), label="sizes")
    wholes = data.draw(st.lists(st.sampled_from(list(WHOLE)), max_size=6), label="requests")
    passing = st.sampled_from(["created"] * 6 + [name for name in OUTCOMES if name != "full"])
    drawn = data.draw(st.lists(passing, min_size=1, max_size=20), label="items")
    endings = itertools.cycle([*drawn, "full"] if data.draw(st.booleans(), label="full") else drawn)
    with ScriptedServer() as server:

        def refuse(target: dict[str, str]) -> dict | None:
            return OUTCOMES[next(endings)]

        def script(request: Request) -> Answer | None:
            whole = WHOLE[wholes.pop(0)] if wholes else None
            return whole or Answer(body={"items": server.carry_out(request, refuse)})

        server.script = script
        clock = Clock(40)
        client = OpenSearch(server.url, max_retries=0)
        bulk = BulkWriter(
            client,
            seconds_left=clock.seconds_left,
            ensure_template=lambda log_type: None,
            sleep=clock.sleep,
        )
        all_counts = [counts_of() for _ in sizes]
        fixed = True
        for number, (size, one) in enumerate(zip(sizes, all_counts, strict=True)):
            try:
                bulk.add(block(INDEX, [""] * size, id_of=partial("{}-{}".format, number)), one)
                bulk.flush()
            except ClusterNeedsFixing:
                fixed = False
        assert all(one.add_up() for one in all_counts)
        indexed = sum(one.indexed for one in all_counts)
        assert indexed == len(server.documents)
        assert all((one.error is None) == (one.left == 0) for one in all_counts)
        if not fixed:
            assert any(isinstance(one.error, ClusterNeedsFixing) for one in all_counts)


def test_an_engine_without_ids_takes_each_delivery_and_rejects_keep_theirs(
    real: OpenSearch, unique_prefix: str
) -> None:
    index = f"{unique_prefix}-alb-2026.11.23"
    body = {"mappings": {"properties": {"n": {"type": "integer"}}}}
    real.indices.create(index=index, body=body)
    rejects = Rejects()
    for _ in range(2):
        writer = BulkWriter(
            real, seconds_left=lambda: 60, ensure_template=lambda _: None, takes_ids=False
        )
        given = block(index, ['"n":1', '"n":"x"', '"n":2'], delivery_index=index)
        writer.add(given, counts := counts_of(rejects))
        writer.flush()
        assert (counts.indexed, counts.already_there, counts.rejected) == (2, 0, 1)
        assert writer.find([(index, "0123456789abcdef-1")]) == [False]
    real.indices.refresh(index=index)
    hits = real.search(index=index, body={"size": 10})["hits"]["hits"]
    assert sorted(hit["_source"]["n"] for hit in hits) == [1, 1, 2, 2]
    assert not any(hit["_id"].startswith("0123456789abcdef") for hit in hits)
    assert {reject.id for reject in rejects} == {"0123456789abcdef-2"}
