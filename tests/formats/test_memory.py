"""Whatever the object's size, little of it is held at a time; what is too long is one reject."""

import gzip
import json
import tracemalloc
from collections.abc import Iterable, Iterator
from functools import cache
from io import BytesIO
from typing import NamedTuple

import pytest

from local.sample_logs import generate
from servicelogs import formats
from servicelogs.opensearch.dated_indexes import one_index
from servicelogs.opensearch.documents import blocks_of
from servicelogs.sources.decompression import decompressed
from tests.formats.parsing import SOURCE, chunked, parse

MIB = 1024 * 1024
HUGE = 40 * MIB
# What an object may take whatever its size: a block, its records as columns, and the bulk body.
MARGIN = 4 * MIB
IN_ARRAYS = {"cloudtrail": "Records", "config": "configurationItems"}
JSON = {*IN_ARRAYS, "waf"}


class Text(NamedTuple):
    """An ordinary object, taken apart."""

    head: bytes
    records: list[bytes]
    between: bytes
    end: bytes

    @property
    def first(self) -> int:
        """Return the first record's number: a header's lines count too."""
        return self.head.count(b"\n") + 1


@cache
def text_of(name: str) -> Text:
    text = generate(name, 200)
    if array := IN_ARRAYS.get(name):
        records = [json.dumps(record).encode() for record in json.loads(text)[array]]
        return Text(b'{"%b":[' % array.encode(), records, b",", b"]}")
    lines = text.splitlines(keepends=True)
    headers = {"cloudfront": 2, "tgw_flow": 1, "vpc_flow": 1}.get(name, 0)
    records = [line.rstrip(b"\n") for line in lines[headers:]]
    return Text(b"".join(lines[:headers]), records, b"\n", b"\n")


def of_size(name: str, size: int) -> Iterator[bytes]:
    """Give an object's text in chunks, its records over and over again."""
    text = text_of(name)
    again = text.between.join((*text.records, b""))
    yield text.head
    for _ in range(size // len(again)):
        yield again
    yield text.records[0] + text.end


def with_a_huge_record(name: str, size: int) -> Iterator[bytes]:
    """Give a good record, one of so many bytes, and a good one."""
    text = text_of(name)
    start, end = (b'{"x":"', b'"}') if name in JSON else (b"", b"")
    yield text.head + text.records[0] + text.between + start
    for _ in range(size // MIB):
        yield b"x" * MIB
    yield end + text.between + text.records[1] + text.end


@pytest.mark.parametrize("name", formats.NAMES)
@pytest.mark.parametrize("size", [11 * MIB, HUGE])
def test_a_record_of_many_megabytes_is_one_reject_between_its_neighbours(
    name: str, size: int
) -> None:
    parsed = parse(name, with_a_huge_record(name, size))
    first = text_of(name).first
    assert parsed.documents.keys() == {first, first + 2}
    (reject,) = parsed.rejects
    assert (reject.number, reject.error_type) == (first + 1, "too_long")
    assert len(reject.raw) <= 64 * 1024
    assert "too long" in reject.reason


@pytest.mark.parametrize("name", formats.NAMES)
def test_one_that_is_never_ended_is_one_reject_too(name: str) -> None:
    *some, _ = with_a_huge_record(name, HUGE)
    parsed = parse(name, some)
    assert len(parsed.documents) == 1
    assert [reject.error_type for reject in parsed.rejects] == ["too_long"]


@pytest.mark.parametrize("name", formats.NAMES)
def test_memory_does_not_grow_with_the_number_of_records(name: str) -> None:
    few, many = (peak(name, of_size(name, size)) for size in (2 * MIB, 14 * MIB))
    assert many < few + MARGIN


@pytest.mark.parametrize("name", formats.NAMES)
def test_memory_does_not_grow_with_a_record(name: str) -> None:
    long, longer = (peak(name, with_a_huge_record(name, size)) for size in (16 * MIB, HUGE))
    assert longer < long + MARGIN


def test_memory_does_not_grow_with_the_names_of_headers_that_clients_send() -> None:
    record = (
        b'{"timestamp":1795162495123,"webaclId":"a",'
        b'"httpRequest":{"headers":[{"name":"x-%d-%b","value":"b"}]}}\n'
    )
    few, many = (
        peak("waf", (record % (number, b"a" * 8_000) for number in range(records)))
        for records in (500, 3_000)
    )
    assert many < few + MARGIN


def test_what_a_parser_kept_would_be_seen() -> None:
    kept: list[object] = []
    few, many = (peak("alb", of_size("alb", size), kept) for size in (2 * MIB, 14 * MIB))
    assert many > few + MARGIN


@pytest.mark.parametrize("name", formats.NAMES)
@pytest.mark.parametrize("last", range(1, 60, 7))
def test_a_cut_gzip_gives_its_good_records_and_one_reject(name: str, last: int) -> None:
    data = gzip.compress(b"".join(of_size(name, MIB)), 1)
    parsed = parse(name, decompressed(BytesIO(data[: len(data) * last // 60])))
    assert [reject.error_type for reject in parsed.rejects] == ["unreadable"]
    assert "truncated" in parsed.rejects[0].reason
    assert parsed.documents.keys() == {*range(text_of(name).first, parsed.rejects[0].number)}


def peak(name: str, chunks: Iterable[bytes], kept: list[object] | None = None) -> int:
    """Return the most memory that parsing takes at one time.

    By Python's own count: the system's counts a process of its parent's size before it begins.
    """
    pieces = (piece for chunk in chunks for piece in chunked(chunk, 256 * 1024))
    tracemalloc.start()
    try:
        for block in blocks_of(formats.get(name), pieces, SOURCE, one_index("i")):
            if kept is not None:
                kept.append(block)
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
