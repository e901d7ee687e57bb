"""The loop that cuts all texts: bounded memory, linear work, and nothing of a piece lost."""

import tracemalloc
from collections.abc import Callable, Iterable, Iterator
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from servicelogs.parsing import framing
from servicelogs.parsing.framing import KEPT_BYTES
from servicelogs.parsing.json import cutting
from servicelogs.parsing.json.cutting import JsonCutter
from servicelogs.parsing.text.lines import cut_lines
from servicelogs.records import Records, TooLong
from servicelogs.sources.export_tasks import cut_events
from servicelogs.sources.feed import Feed
from servicelogs.sources.messages import unwrapped
from tests.formats.parsing import chunked
from tests.parsing.json.texts import DECODER
from tests.timing import MOST_RATIO, ratio

MIB = 1024 * 1024
TIME = b"2026-11-20T08:14:55.000Z "


SHORT = MIB // 4


@pytest.fixture
def _short_records(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let records be too long early: what is held grows with the longest that may be."""
    for module in (framing, cutting):
        monkeypatch.setattr(module, "MAX_RECORD_BYTES", SHORT)


def cut_json(chunks: Iterable[bytes]) -> Iterator[Records | TooLong]:
    return JsonCutter("Records", DECODER).cut(chunks)


def cut_messages(chunks: Iterable[bytes]) -> Iterator[Records | TooLong]:
    return cut_lines(unwrapped(Feed(iter(chunks))))


CUTTERS: dict[str, tuple[Callable[[Iterable[bytes]], Iterator[Records | TooLong]], bytes]] = {
    "lines": (cut_lines, b""),
    "JSON": (cut_json, b""),
    "records of a document": (cut_json, b'{"Records":['),
    "events": (cut_events, TIME),
    "messages": (cut_messages, b'{"message":"'),
}
FILLERS = {
    "a line": b"x",
    "quotes": b'"',
    "backslashes": b"\\",
    "braces": b"{",
    "brackets": b"[",
    "spaces": b" ",
    "line feeds": b"\n",
    "carriage returns": b"\r\n",
    "bytes that are not UTF-8": b"\xff",
    "members": b'{"a":',
    "names of the array": b'"Records":[',
    "messages": b'{"message":"',
}


def filled(beginning: bytes, filler: bytes, size: int) -> Iterator[bytes]:
    yield beginning
    piece = filler * (64 * 1024 // len(filler))
    for _ in range(size // len(piece)):
        yield piece


@pytest.mark.slow
@pytest.mark.parametrize("name", CUTTERS)
@pytest.mark.parametrize("filler", FILLERS.values(), ids=FILLERS)
@pytest.mark.usefixtures("_short_records")
def test_memory_has_a_bound_whatever_does_not_end(name: str, filler: bytes) -> None:
    cut, beginning = CUTTERS[name]
    tracemalloc.start()
    try:
        for piece in cut(filled(beginning, filler, MIB)):
            assert not isinstance(piece, TooLong) or len(piece.start) <= KEPT_BYTES
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    # Two blocks, a record, and what they are joined in; and lines are lists before they are text.
    assert peak < 16 * SHORT


@pytest.mark.parametrize("name", ["lines", "JSON", "records of a document", "events"])
@pytest.mark.parametrize("filler", [b"x", b'"', b"\\", b"{"])
@pytest.mark.usefixtures("_short_records")
def test_a_record_that_is_too_long_is_rejected_as_soon_as_it_is(name: str, filler: bytes) -> None:
    cut, beginning = CUTTERS[name]
    given = 0

    def chunks() -> Iterator[bytes]:
        nonlocal given
        for chunk in filled(beginning, filler, 8 * MIB):
            given += len(chunk)
            yield chunk

    first = next(cut(chunks()))
    assert isinstance(first, TooLong)
    assert first.length > SHORT
    assert given < SHORT + MIB


@pytest.mark.parametrize("name", ["lines", "events", "JSON"])
@pytest.mark.parametrize("chunk", [1000, SHORT, 8 * SHORT])
@pytest.mark.usefixtures("_short_records")
def test_a_long_record_before_one_that_is_too_long_does_not_let_that_pass(
    monkeypatch: pytest.MonkeyPatch, name: str, chunk: int
) -> None:
    monkeypatch.setattr(framing, "_MOST_WINDOW", 5 * SHORT // 6)
    cut, beginning = CUTTERS[name]
    records = [
        beginning + b'{"a":"%b"}\n' % (b"x" * size) for size in (2 * SHORT // 5, SHORT + 9, 9)
    ]
    first, long, last = (
        one
        for piece in cut(chunked(b"".join(records), chunk))
        for one in ([piece] if isinstance(piece, TooLong) else piece.items)
    )
    assert isinstance(long, TooLong)
    assert [len(first), len(last)] == [len(records[0].strip()) - len(beginning), 17]  # type: ignore[arg-type]


# Texts that were looked through again and again; each record of them is a few bytes.
AGAIN = {
    "documents that do not end": b'{"Records":[{"n":1}',
    "openings": b'{"Records":[',
    "records that do not end": b'{"n":1,{"n":2},',
    "documents": b'{"Records":[{"n":1}]}',
}


@pytest.mark.slow
@pytest.mark.parametrize("text", AGAIN.values(), ids=AGAIN)
def test_time_grows_with_the_size_of_a_damaged_text(text: bytes) -> None:
    def damaged(size: int) -> list[bytes]:
        return chunked(b'{"Records":[{"n":0},' + text * (size // len(text)), 64 * 1024)

    assert ratio(damaged, lambda chunks: [*cut_json(chunks)], 10_000) < MOST_RATIO


@given(
    lines=st.lists(st.binary(max_size=20).map(lambda line: line.replace(b"\n", b"")), max_size=40),
    size=st.integers(1, 60),
)
def test_each_line_keeps_its_number_however_many_blank_ones_there_are(
    lines: list[bytes], size: int
) -> None:
    found: dict[int, bytes] = {}
    for piece in cut_lines(chunked(b"\n".join(lines), size)):
        assert isinstance(piece, Records)
        found |= dict(zip(piece.numbers(), piece.items, strict=True))
    expected = dict(enumerate(lines, 1))
    assert {number: line for number, line in found.items() if line.strip(b" \r")} == {
        number: line for number, line in expected.items() if line.strip(b" \r")
    }


def test_the_end_of_a_line_is_not_waited_for_longer_than_it_takes_to_come() -> None:
    given: list[bytes] = []

    def pipe() -> Iterator[bytes]:
        for chunk in (b"the first li", b"ne\n", b"second", b"\n", b"and this is the third", b"\n"):
            given.append(chunk)
            yield chunk

    ends = []
    for piece in cut_lines(pipe()):
        assert isinstance(piece, Records)
        ends.append((piece.items, len(given)))
    assert ends == [([b"the first line"], 2), ([b"second"], 4), ([b"and this is the third"], 6)]


def test_blank_lines_alone_make_no_records_and_still_count() -> None:
    blank: list[Any] = [b"\n" * 1000, b"\r\n" * 1000, b" \n" * 1000]
    (records,) = cut_lines([*blank, b"a\n", *blank])
    assert isinstance(records, Records)
    assert (records.first, records.items) == (3001, [b"a"])
