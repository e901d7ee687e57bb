"""Lists of log events, as the AWS CLI prints them: each event is read, a bad one costs itself."""

import json
from collections.abc import Iterable
from dataclasses import replace
from typing import Any

import pytest

from servicelogs.errors import UnreadableObject
from servicelogs.parsing.framing import MAX_RECORD_BYTES
from servicelogs.records import Records, Reject, Source
from servicelogs.sources.listed_events import ListedEvents, is_list_of_events
from tests.formats.parsing import SOURCE, chunked
from tests.timing import is_linear

CARRIER = replace(SOURCE, log_group="/aws/lambda/shop", log_stream="known")
MESSAGES = [
    "one",
    'a}],"events":[{"timestamp":1',
    '{"events":[{"message":"x"}]}',
    '\\"',
    "ä\u2028\0\n\tb",
]


def listed(number: int, message: str, stream: str = "a") -> dict[str, Any]:
    """Give an event of filter-log-events."""
    return {
        "logStreamName": stream,
        "timestamp": 1795162495123 + number,
        "message": message,
        "ingestionTime": 1795162496000,
        "eventId": f"398{number:053}",
    }


def printed(events: list[dict[str, Any]], **options: Any) -> bytes:
    """Write what filter-log-events prints."""
    return json.dumps(
        {"events": events, "searchedLogStreams": [], "nextToken": "x{"}, **options
    ).encode()


def read(chunks: Iterable[bytes]) -> tuple[list[tuple[Source, Records]], list[Reject]]:
    runs: list[tuple[Source, Records]] = []
    rejects: list[Reject] = []
    for source, run in ListedEvents(CARRIER).cut(chunks):
        if isinstance(run, Reject):
            rejects.append(run)
        else:
            runs.append((source, run))
    return runs, rejects


def messages(runs: list[tuple[Source, Records]]) -> list[str]:
    return [item.decode() for _, run in runs for item in run.items]


@pytest.mark.parametrize(
    "options", [{"indent": 4}, {}, {"separators": (",", ":"), "ensure_ascii": False}]
)
@pytest.mark.parametrize("chunk", [1 << 20, 100])
def test_each_event_is_read_however_it_is_printed(options: dict[str, Any], chunk: int) -> None:
    events = [listed(number, message) for number, message in enumerate(MESSAGES)]
    text = printed(events, **options)
    assert is_list_of_events(text[:200])

    others = [listed(number, message) for number, message in enumerate(MESSAGES, 10)]
    runs, rejects = read(chunked(text + b"\n" + printed(others, **options), chunk))

    assert (messages(runs), rejects) == (MESSAGES * 2, [])
    keys = [key.decode() for _, run in runs for key in run.keys or ()]
    assert keys == [event["eventId"] for event in (*events, *others)]
    assert [number for _, run in runs for number in run.numbers()] == [*range(1, 11)]


def test_log_streams_come_from_the_events_and_the_group_from_the_source() -> None:
    streams = "aab"
    text = printed([listed(number, "x", stream) for number, stream in enumerate(streams)])

    runs, _ = read([text])

    assert [(s.log_group, s.log_stream, len(run)) for s, run in runs] == [
        (CARRIER.log_group, "a", 2),
        (CARRIER.log_group, "b", 1),
    ]
    assert runs[0][0].id != runs[1][0].id


def test_events_of_get_log_events_have_the_log_stream_of_the_source() -> None:
    events = [{"timestamp": 1795162495123, "message": m, "ingestionTime": 1} for m in "aa"]
    text = json.dumps(
        {"events": events, "nextForwardToken": "f/1", "nextBackwardToken": "b/1"}
    ).encode()
    assert is_list_of_events(text)

    ((source, run),), _ = read([text])

    assert (source.log_stream, run.items) == ("known", [b"a", b"a"])
    assert len({*(run.keys or ())}) == 2
    assert run.time(1) == b"2026-11-20T08:14:55.123"


def test_the_ids_of_events_without_any_do_not_depend_on_how_the_text_comes() -> None:
    events = [{"timestamp": 1795162495123, "message": "same", "ingestionTime": 1}] * 50
    text = json.dumps({"events": events}).encode()
    ids = set()
    for chunk in (1 << 20, 100):
        runs, _ = read(chunked(text, chunk))
        ids.add(tuple(key for _, run in runs for key in run.keys or ()))
    assert len(ids) == 1
    assert len({*ids.pop()}) == 50


@pytest.mark.parametrize(
    "bad",
    [
        '{"timestamp":"now","message":"x"}',
        '{"timestamp":1}',
        '{"timestamp":1,"message":{"a":1}}',
        "7",
    ],
)
def test_what_is_not_an_event_is_one_reject(bad: str) -> None:
    good = json.dumps(listed(1, "good"))
    runs, rejects = read([f'{{"events":[{good},{bad},{good}]}}'.encode()])
    assert (messages(runs), len(rejects)) == (["good", "good"], 1)
    assert bad.encode() in rejects[0].raw


@pytest.mark.parametrize("chunk", [1 << 20, 100])
def test_a_list_that_is_truncated_gives_its_whole_events_and_one_reject(chunk: int) -> None:
    text = printed([listed(number, "x" * 100) for number in range(4)])[:-300]
    runs, rejects = read(chunked(text, chunk))
    assert len(messages(runs)) == 3
    assert [reject.number for reject in rejects] == [4]


def test_what_ends_in_a_fault_gives_its_whole_events_and_the_fault() -> None:
    def chunks() -> Iterable[bytes]:
        yield printed([listed(number, "x") for number in range(3)])[:-150]
        raise UnreadableObject("the gzip stream is truncated")

    runs, (reject,) = read(chunks())
    assert (len(messages(runs)), reject.reason) == (2, "the gzip stream is truncated")


def test_an_event_that_is_too_long_costs_itself() -> None:
    events = [listed(0, "a"), listed(1, "b" * MAX_RECORD_BYTES), listed(2, "c")]
    runs, (reject,) = read(chunked(printed(events), 1 << 18))
    assert (messages(runs), reject.error_type) == (["a", "c"], "too_long")


@pytest.mark.parametrize(
    "text", ['{"events":[]}', '{"events":[{"name":1}]}', '{"event":[{"message":"x"}]}', ""]
)
def test_other_json_is_no_list_of_events(text: str) -> None:
    assert not is_list_of_events(text.encode())


@pytest.mark.parametrize(
    "filling", ['{"events":[', '{"message":"', "{", '\\"', ",", '{"timestamp":1,"message":""}']
)
def test_no_text_takes_longer_than_its_length(filling: str) -> None:
    def text(size: int) -> bytes:
        return b'{"events":[{"message":"x"' + filling.encode() * (size // len(filling))

    assert is_linear(text, lambda text: read(chunked(text, 1 << 16)), 200_000)
