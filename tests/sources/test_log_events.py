"""Envelopes of log events: every transport gives the same; a bad one costs only itself."""

import gzip
import io
import json
import time
from collections.abc import Iterable
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from servicelogs.errors import UnreadableObject
from servicelogs.records import Records, Reject
from servicelogs.sources.decompression import decompressed
from servicelogs.sources.log_events import Envelopes, by_hour, is_envelope
from tests.formats.parsing import SOURCE, chunked
from tests.sources.envelopes import CONTROL, FIRST_TIME, GROUP, STREAM, envelope, event

MESSAGES = ["one", 'a}{"messageType":1}{', '{"a":{"b":1}}{"c":2}', "{", "ä\u2028\0"]


def cut(data: bytes | Iterable[bytes], **options: Any) -> tuple[list[str], list[Reject]]:
    """Give the messages and the rejects of a text of envelopes."""
    chunks = [data] if isinstance(data, bytes) else data
    messages, rejects, numbers = [], [], []
    for _, run in Envelopes(SOURCE, **options).cut(chunks):
        if isinstance(run, Reject):
            rejects.append(run)
            numbers.append(run.number)
        else:
            messages += [item.decode() for item in run.items]
            numbers += run.numbers()
    assert numbers == [*range(1, len(numbers) + 1)]
    return messages, rejects


@pytest.mark.parametrize("between", [b"", b"\n", b"\r\n", b" "])
@pytest.mark.parametrize("chunk", [1 << 20, 700])
def test_envelopes_follow_each_other_with_or_without_something_between(
    between: bytes, chunk: int
) -> None:
    text = between.join([envelope(*MESSAGES), CONTROL, envelope("last")]) + between
    assert cut(chunked(text, chunk)) == ([*MESSAGES, "last"], [])


@pytest.mark.parametrize("times", [0, 1, 2])
def test_members_of_gzip_in_gzip_give_the_same_events(times: int) -> None:
    data = b"".join(map(gzip.compress, (envelope(*MESSAGES), CONTROL, envelope("last"))))
    for _ in range(times):
        data = gzip.compress(data)
    assert cut(decompressed(io.BytesIO(data))) == ([*MESSAGES, "last"], [])


@settings(max_examples=60, deadline=None)
@given(st.lists(st.lists(st.text('ab{}"\\:,[]\n é', max_size=30), max_size=4), max_size=4))
def test_whatever_messages_hold_they_arrive_untouched(given: list[list[str]]) -> None:
    text = b"".join(envelope(*messages) for messages in given)
    expected = [message.rstrip("\r\n") for messages in given for message in messages]
    assert cut(text) == (expected, [])


def test_the_order_of_members_is_not_fixed() -> None:
    whole = json.loads(envelope("one"))
    for text in (dict(reversed(whole.items())), dict(sorted(whole.items()))):
        data = json.dumps(text).encode()
        assert is_envelope(data)
        assert cut(data) == (["one"], [])


@pytest.mark.parametrize(
    "text",
    [
        b'{"message":"{\\"messageType\\":\\"DATA_MESSAGE\\"}"}',
        b'{"owner":"me","logEvents":"none"}',
        b'{"eventVersion":"1.11","logEvents":[{}]}',
        b"",
        b'[{"messageType":"DATA_MESSAGE"}]',
    ],
)
def test_what_only_speaks_of_an_envelope_is_not_one(text: bytes) -> None:
    assert not is_envelope(text)


def test_each_log_stream_is_a_source_with_its_own_id_and_events_have_theirs() -> None:
    text = envelope("a", "b") + envelope("c", logStream="other") + envelope("d", first=3)
    (one, first), (other, _), (again, _) = Envelopes(SOURCE).cut([text])
    assert isinstance(first, Records)
    assert (one.uri, one.log_group, one.log_stream) == (SOURCE.uri, GROUP, STREAM)
    assert one == again
    assert len(one.id) == 16
    assert other.id != one.id
    assert first.keys == [f"{number:056d}".encode() for number in (1, 2)]
    assert first.time(2) == b"2026-11-20T08:14:55.125"


def test_a_name_cannot_be_moved_from_the_group_to_the_stream_to_get_anothers_id() -> None:
    texts = (
        envelope("a", logGroup="a", logStream="b/c"),
        envelope("a", logGroup="a/b", logStream="c"),
    )
    ids = {source.id for source, _ in Envelopes(SOURCE).cut(texts)}
    assert len(ids) == 2


@pytest.mark.parametrize("id_", ["", 'quo"te', "back\\slash", "ü", "x" * 600, "1\n2", None, 5])
def test_an_id_that_may_not_stand_in_a_document_id_is_replaced_by_the_same_each_time(
    id_: str,
) -> None:
    text = envelope(event(1, "a", id=id_), event(2, "b", id=id_))
    keys = [run.keys for _ in range(2) for _, run in Envelopes(SOURCE).cut([text])]  # type: ignore[union-attr]
    flat = [key for found in keys for key in found or ()]
    assert len({*flat}) == 2
    assert flat[:2] == flat[2:]
    assert all(key.isascii() and len(key) < 130 and not {*key} & {*b'"\\'} for key in flat)


def test_events_with_the_same_id_are_records_of_one_event() -> None:
    text = envelope(*(event(1, message) for message in "abc"))
    ((_, run),) = Envelopes(SOURCE).cut([text])
    assert isinstance(run, Records)
    key = b"%056d" % 1
    assert run.keys == [key, key + b"-2", key + b"-3"]


def test_events_of_several_hours_are_parted_and_each_part_has_its_hour() -> None:
    hour = 3_600_000
    times = [FIRST_TIME, FIRST_TIME + hour, FIRST_TIME + hour, FIRST_TIME]
    text = envelope(*(event(n, str(n), timestamp=time) for n, time in enumerate(times, 1)))
    ((_, run),) = Envelopes(SOURCE).cut([text])
    assert isinstance(run, Records)
    parts = [*by_hour(run)]
    first = FIRST_TIME // hour
    assert [(part.first, part.items, part.hour) for part in parts] == [
        (1, [b"1"], first),
        (2, [b"2", b"3"], first + 1),
        (4, [b"4"], first),
    ]
    assert [part.key(part.first) for part in parts] == [f"{n:056d}" for n in (1, 2, 4)]
    assert parts[1].time(3) == b"2026-11-20T09:14:55.123"


def test_system_fields_name_account_and_region() -> None:
    fields = {"@aws.account": "444455556666", "@aws.region": "eu-central-1", "1": "GET", "$n": "x"}
    text = envelope(event(1, "a", extractedFields=fields), event(2, "b"))
    (one, records), (other, _) = Envelopes(SOURCE).cut([text])
    assert isinstance(records, Records)
    assert records.extracted is None
    assert (one.account_id, one.region) == ("444455556666", "eu-central-1")
    assert (other.account_id, other.region) == ("111122223333", SOURCE.region)


def test_extracted_fields_are_kept_as_they_are_if_that_is_asked_for() -> None:
    fields = {"@aws.region": "eu-central-1", "@source.log": "x", "1": "GET", "$a b": 'q"', "": "e"}
    text = envelope(event(1, "a", extractedFields=fields))
    ((_, records),) = Envelopes(SOURCE, keeps_extracted_fields=True).cut([text])
    assert isinstance(records, Records)
    assert records.extracted
    assert [json.loads(one) for one in records.extracted] == [
        {k: v for k, v in fields.items() if k[4:5] != "."}
    ]


@pytest.mark.parametrize("value", ["111", "eu-west-1", "", "12345678901x"])
def test_an_owner_that_is_no_account_is_none(value: str) -> None:
    ((source, _),) = Envelopes(SOURCE).cut([envelope("a", owner=value)])
    assert source.account_id == SOURCE.account_id


@pytest.mark.parametrize(
    "bad",
    [
        envelope("x", "y")[:-5],
        envelope("x", "y")[:120],
        b'{"messageType":"DATA_MESSAGE","logEvents":{}}',
        b'{"messageType":"DATA_MESSAGE","owner":"1"}',
        b'{"messageType":"SOMETHING_NEW","logEvents":[]}',
        b'{"owner":"1","logEvents":[]}',
        b'{"messageType":"DATA_MESSAGE","logEvents":' + b"[" * 100_000,
        b"what is this",
    ],
)
@pytest.mark.parametrize("place", ["first", "middle", "last"])
def test_an_envelope_that_cannot_be_read_is_one_reject_and_the_others_are_read(
    bad: bytes, place: str
) -> None:
    texts = [envelope("a"), bad, envelope("b")]
    if place == "first":
        texts = [bad, envelope("a"), envelope("b")]
    elif place == "last":
        texts = [envelope("a"), envelope("b"), bad]
    messages, rejects = cut(b"\n".join(texts))
    if bad.startswith(b"{"):  # else it belongs to the one before it
        assert messages == ["a", "b"]
    (reject,) = rejects
    assert bad in reject.raw
    assert reject.error_type == "unreadable"


@pytest.mark.parametrize(
    "members", [{"timestamp": None}, {"timestamp": "now"}, {"timestamp": True}, {"message": None}]
)
def test_an_event_without_time_or_message_is_one_reject(members: dict[str, Any]) -> None:
    messages, (reject,) = cut(envelope("a", event(2, "bad") | members, "c"))
    assert messages == ["a", "c"]
    assert reject.number == 2
    assert json.loads(reject.raw) == event(2, "bad") | members


def test_half_a_surrogate_pair_and_bytes_that_are_not_utf_8_cost_no_event() -> None:
    text = envelope("a\x01b", "X", "Y").replace(b"X", b"\\ud83d").replace(b"Y", b"\xff")
    messages, rejects = cut(text.replace(b"\\u0001", b"\x01"))
    assert (messages, rejects) == (["a\x01b", "?", "\ufffd"], [])


def test_a_time_that_no_calendar_has_costs_no_event() -> None:
    ((_, run),) = Envelopes(SOURCE).cut([envelope(event(1, "a", timestamp=10**17))])
    assert isinstance(run, Records)
    assert not run.time(1)


def test_what_is_whole_before_a_fault_is_read_and_the_rest_is_a_reject() -> None:
    data = gzip.compress(envelope("a") + envelope("b"), mtime=0)
    messages, (reject,) = cut(decompressed(io.BytesIO(data[:-12])))
    assert messages == ["a"]
    assert "truncated" in reject.reason


def test_a_fault_right_behind_a_whole_envelope_loses_nothing() -> None:
    def chunks() -> Iterable[bytes]:
        yield envelope("a")
        raise UnreadableObject("the stream is corrupt")

    messages, (reject,) = cut(chunks())
    assert messages == ["a"]
    assert "corrupt" in reject.reason


def test_control_messages_alone_are_no_event() -> None:
    assert cut(CONTROL * 3) == ([], [])


def test_an_envelope_that_does_not_end_is_given_up_and_the_next_is_read() -> None:
    text = envelope("a") + envelope("x" * 25_000_000)[:-3] + envelope("b") + envelope("c")
    messages, (reject,) = cut(chunked(text, 1_000_000))
    assert messages == ["a", "b", "c"]
    assert reject.error_type == "too_long"
    assert len(reject.raw) < 100_000


def test_a_message_full_of_boundaries_takes_linear_time() -> None:
    def seconds(times: int) -> float:
        text = envelope('}{"a":' * times)
        started = time.process_time()
        cut(chunked(text, 65_536))
        return time.process_time() - started

    seconds(1000)
    assert seconds(100_000) < 100 * max(seconds(5_000), 0.001)
