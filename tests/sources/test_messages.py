"""Lines that came wrapped as `{"message": "…"}` are those lines, however they follow each other."""

import gzip
import io
import json
import tracemalloc
from functools import partial

import pytest
from hypothesis import given
from hypothesis import strategies as st

from servicelogs.errors import UnreadableObject
from servicelogs.parsing import framing
from servicelogs.parsing.framing import MAX_RECORD_BYTES
from servicelogs.sources import messages
from servicelogs.sources.decompression import decompressed
from servicelogs.sources.feed import Feed
from servicelogs.sources.messages import unwrapped
from tests.formats.parsing import chunked
from tests.timing import MOST_RATIO, ratio

MIB = 1024 * 1024

LINES = ["2 111122223333 eni-0a1b - OK", 'a "quoted" \\ value', "日本 🙂", "", "\ttab", " x "]


def lines_of(text: bytes, size: int = 1 << 20) -> list[bytes]:
    *lines, end = b"".join(unwrapped(Feed(iter(chunked(text, size))))).split(b"\n")
    assert end == b""
    return lines


@pytest.mark.parametrize("between", ["\n", "", "\r\n", ",", " \n"])
@pytest.mark.parametrize("ascii_only", [True, False])
@pytest.mark.parametrize("size", [1, 7, 1 << 20])
def test_each_message_is_a_line(between: str, ascii_only: bool, size: int) -> None:
    wrapped = (json.dumps({"message": line}, ensure_ascii=ascii_only) for line in LINES)
    text = between.join(wrapped).encode()
    assert lines_of(text, size) == [line.encode() for line in LINES]


@given(st.lists(st.text(st.characters(codec="utf-8"), max_size=20), min_size=1), st.integers(1, 50))
def test_any_messages_come_out_however_the_text_is_cut(lines: list[str], size: int) -> None:
    lines = [line.replace("\n", "").replace("\r", "") for line in lines]
    text = "".join(json.dumps({"message": line}) for line in lines).encode()
    assert lines_of(text, size) == [line.encode() for line in lines]


def test_the_line_feed_that_ends_a_message_ends_its_line_once() -> None:
    text = b'{"message":"a\\n"}\n{"message":"b\\r\\n"}{"message":"c"}\n'
    assert lines_of(text) == [b"a", b"b", b"c"]


def test_what_is_no_message_alone_stays_as_it_is() -> None:
    odd = [b'{"message":"x","level":"INFO"}', b"", b"plain", b'{"message":7}', b'{"message":"\\x"}']
    text = b"\n".join((b'{"message":"a"}', *odd, b'{"message":"b"}\n'))
    assert lines_of(text) == [b"a", *odd[:-1], b"\\x", b"b"]


@pytest.mark.parametrize(
    "text",
    [b'plain\n{"message":"a"}\n', b'{"message":{"a":1}}\n', b'{"messages":"a"}\n', b"", b"\n"],
)
def test_a_text_that_begins_otherwise_is_not_touched(text: bytes) -> None:
    assert b"".join(unwrapped(Feed(iter([text])))) == text


@pytest.mark.slow
@pytest.mark.parametrize("end", ["\n", ""])
def test_a_message_longer_than_any_record_is_one_line_and_costs_no_other(end: str) -> None:
    long = "x" * (MAX_RECORD_BYTES + 1_000_000)
    text = end.join(json.dumps({"message": line}) for line in ("a", long, "b")).encode()
    first, *between, last = lines_of(text, 100_000)
    assert (first, last) == (b"a", b"b")
    assert len(between) == 1
    assert len(between[0]) > MAX_RECORD_BYTES


FILLERS = [b"x", b"\\", b"{", b'{"message" ', b"\\u0041", b"{ "]


def unending(filler: bytes, size: int) -> list[bytes]:
    return [b'{"message":"', *chunked(filler * (size // len(filler)), 16 * 1024)]


def read(pieces: list[bytes]) -> int:
    return sum(map(len, unwrapped(Feed(iter(pieces)))))


@pytest.mark.slow
@pytest.mark.parametrize("filler", FILLERS)
def test_a_message_that_does_not_end_takes_bounded_memory(
    monkeypatch: pytest.MonkeyPatch, filler: bytes
) -> None:
    monkeypatch.setattr(framing, "MAX_RECORD_BYTES", MIB)
    pieces = unending(filler, 3 * MIB)
    tracemalloc.start()
    try:
        assert MIB < read(pieces) < MIB + 200_000
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 4 * MIB


@pytest.mark.slow
@pytest.mark.parametrize("filler", FILLERS)
@pytest.mark.parametrize(
    ("most", "size"), [(32 * 1024, MIB // 2), (16 * MIB, 2 * MIB)], ids=["given up", "held"]
)
def test_time_grows_with_the_size_of_a_message_that_does_not_end(
    monkeypatch: pytest.MonkeyPatch, filler: bytes, most: int, size: int
) -> None:
    monkeypatch.setattr(framing, "MAX_RECORD_BYTES", most)
    monkeypatch.setattr(messages, "BLOCK_BYTES", 16 * 1024)
    assert ratio(partial(unending, filler), read, size) < MOST_RATIO


def test_what_is_before_a_fault_is_given() -> None:
    def pieces():
        yield b'{"message":"a"}{"mess'
        raise UnreadableObject("cut")

    found = unwrapped(Feed(pieces()))
    assert [next(found), next(found)] == [b"a\n", b'{"mess']
    with pytest.raises(UnreadableObject, match="cut"):
        next(found)


def test_wrapped_lines_are_read_from_a_compressed_object_too() -> None:
    text = gzip.compress(b'{"message":"a"}{"message":"b"}')
    assert b"".join(decompressed(io.BytesIO(text))) == b"a\nb\n"
