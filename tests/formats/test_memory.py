"""Whatever the object's size, little of it is held at a time; what is too long is one reject."""

import gzip
import tracemalloc
from collections.abc import Iterable, Iterator
from functools import cache
from io import BytesIO

import pytest

from servicelogs import formats
from servicelogs.opensearch.dated_indexes import one_index
from servicelogs.opensearch.documents import blocks_of
from servicelogs.sources.decompression import decompressed
from tests.formats.objects_of_size import (
    CHUNK,
    IN_ARRAYS,
    MIB,
    memory_of_few_and_many,
    of_size,
    text_of,
)
from tests.formats.parsing import SOURCE, chunked, parse

pytestmark = pytest.mark.slow

HUGE = 40 * MIB
# What an object may take whatever its size: a block, its records as columns, and the bulk body.
MARGIN = 4 * MIB
JSON = {*IN_ARRAYS, "waf"}


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
    few, many = memory_of_few_and_many(name)
    assert many < few + MARGIN


@pytest.mark.parametrize("name", ["alb", "vpc_flow", "waf"])
def test_what_a_parser_kept_would_be_seen(name: str) -> None:
    few, many = memory_of_few_and_many(name, keep=True)
    assert many > few + MARGIN


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


@cache
def compressed(name: str) -> bytes:
    return gzip.compress(b"".join(of_size(name, MIB // 2)), 1)


@pytest.mark.parametrize("name", formats.NAMES)
@pytest.mark.parametrize("last", [1, 30, 59])
def test_a_cut_gzip_gives_its_good_records_and_one_reject(name: str, last: int) -> None:
    data = compressed(name)
    parsed = parse(name, decompressed(BytesIO(data[: len(data) * last // 60])))
    assert [reject.error_type for reject in parsed.rejects] == ["unreadable"]
    assert "truncated" in parsed.rejects[0].reason
    assert parsed.documents.keys() == {*range(text_of(name).first, parsed.rejects[0].number)}


def peak(name: str, chunks: Iterable[bytes]) -> int:
    """Return the most memory that parsing takes at one time, by Python's own count."""
    pieces = (piece for chunk in chunks for piece in chunked(chunk, CHUNK))
    tracemalloc.start()
    try:
        for _ in blocks_of(formats.get(name), pieces, SOURCE, one_index("i")):
            pass
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
