"""Any object, however compressed, is read to its last good byte in bounded memory."""

import bz2
import gzip
import io
import lzma
import platform
import subprocess
import sys
import tracemalloc
import zlib
from collections.abc import Iterator
from itertools import pairwise

import pytest
import zstandard
from hypothesis import given
from hypothesis import strategies as st

from servicelogs.errors import UnreadableObject
from servicelogs.sources import decompression
from servicelogs.sources.decompression import begin, decompressed

LINES = b"".join(b"%d some words of a log line\n" % number for number in range(20_000))


class Dribble:
    """A stream that gives a few bytes at a time, as a pipe may."""

    def __init__(self, content: bytes, sizes: list[int]) -> None:
        self._stream = io.BytesIO(content)
        self._sizes = iter(sizes)

    def read(self, size: int) -> bytes:
        return self._stream.read(min(size, next(self._sizes, size)))


def read_all(content: bytes) -> bytes:
    return b"".join(decompressed(io.BytesIO(content)))


def read_to_fault(content: bytes) -> tuple[bytes, UnreadableObject | None]:
    """Read until the end or the fault."""
    good = bytearray()
    try:
        for piece in decompressed(io.BytesIO(content)):
            good += piece
    except UnreadableObject as fault:
        return bytes(good), fault
    return bytes(good), None


def split(content: bytes, cuts: list[int]) -> list[bytes]:
    places = sorted({0, len(content), *(cut % (len(content) + 1) for cut in cuts)})
    return [content[start:end] for start, end in pairwise(places)]


@given(
    # What it begins with is no other compression, encoding or file format.
    content=st.binary(max_size=5000).map(lambda content: b"text" + content),
    cuts=st.lists(st.integers(0, 5000), max_size=5),
    sizes=st.lists(st.integers(1, 50), max_size=200),
    compress=st.sampled_from(
        [gzip.compress, zstandard.compress, bz2.compress, lzma.compress, bytes]
    ),
    padding=st.integers(0, 600),
)
def test_any_bytes_in_any_number_of_members_and_reads_come_back(
    content, cuts, sizes, compress, padding
):
    members = [compress(part) for part in split(content, cuts)] or [compress(b"")]
    if compress is gzip.compress:
        members = [member + bytes(padding) for member in members]

    stream = Dribble(b"".join(members), sizes)

    assert b"".join(decompressed(stream)) == content


def test_a_member_may_begin_in_the_middle_of_a_line():
    first, second = LINES[:1000], LINES[1000:]
    assert read_all(gzip.compress(first) + gzip.compress(second)) == LINES


def test_a_gzip_header_with_name_extra_field_and_checksum_is_read_across_reads():
    header = bytearray(b"\x1f\x8b\x08\x1e\0\0\0\0\0\xff\x04\0abcdname.log\0a comment\0")
    header += (zlib.crc32(header) & 0xFFFF).to_bytes(2, "little")
    deflate = zlib.compressobj(wbits=-15)
    body = deflate.compress(LINES) + deflate.flush()
    trailer = zlib.crc32(LINES).to_bytes(4, "little") + len(LINES).to_bytes(4, "little")

    stream = Dribble(bytes(header) + body + trailer, [1] * 200)

    assert b"".join(decompressed(stream)) == LINES


def test_an_empty_object_has_no_text():
    assert read_all(b"") == b""
    assert read_all(gzip.compress(b"")) == b""


@pytest.mark.parametrize("compress", [gzip.compress, zstandard.compress])
@pytest.mark.parametrize("share", [0.0, 0.3, 0.9, 1.0])
def test_a_cut_object_gives_its_good_part_then_says_so(compress, share):
    whole = compress(LINES)
    cut = whole[: max(5, int((len(whole) - 1) * share))]

    good, fault = read_to_fault(cut)

    assert fault is not None
    assert "truncated" in str(fault)
    assert LINES.startswith(good)
    # Of zstd a block that is not complete gives nothing, of gzip every whole symbol counts.
    lost = 0.01 if compress is gzip.compress else 0.3
    assert len(good) >= len(LINES) * (share - lost) - 1000


@given(st.integers(1, 2000))
def test_a_gzip_cut_anywhere_gives_what_zlib_would(place):
    whole = gzip.compress(LINES[:20_000])
    cut = whole[: 2 + place % (len(whole) - 3)]

    good, fault = read_to_fault(cut)

    assert fault is not None
    assert good == zlib.decompressobj(wbits=31).decompress(cut)


def test_a_gzip_with_a_wrong_checksum_gives_all_its_text_then_says_so():
    broken = bytearray(gzip.compress(LINES))
    broken[-8] ^= 1

    good, fault = read_to_fault(bytes(broken))

    assert good == LINES
    assert "corrupt" in str(fault)


def test_a_gzip_with_flipped_bits_gives_what_comes_before_them():
    broken = bytearray(gzip.compress(LINES))
    middle = len(broken) // 2
    broken[middle : middle + 8] = b"\xff" * 8

    good, fault = read_to_fault(bytes(broken))

    assert fault is not None
    before = zlib.decompressobj(wbits=31).decompress(bytes(broken[:middle]))
    assert good.startswith(before)


def test_a_huge_corrupt_member_loses_little_of_its_good_part(monkeypatch):
    monkeypatch.setattr(decompression, "SALVAGE_SIZE", 1000)
    broken = bytearray(gzip.compress(LINES))
    broken[-8] ^= 1

    good, fault = read_to_fault(bytes(broken))

    assert fault is not None
    assert LINES.startswith(good)
    assert len(good) > len(LINES) - decompression.PIECE_SIZE - 1


def test_garbage_after_a_member_is_said_and_loses_nothing_before_it():
    good, fault = read_to_fault(gzip.compress(LINES) + b"\0\0garbage")

    assert good == LINES
    assert "not gzip" in str(fault)


def test_a_corrupt_zstd_gives_its_good_frames_then_says_so():
    broken = bytearray(zstandard.ZstdCompressor(write_checksum=True).compress(LINES))
    broken[-1] ^= 1

    good, fault = read_to_fault(zstandard.compress(b"first\n") + bytes(broken))

    assert good.startswith(b"first\n")
    assert "corrupt" in str(fault)


@pytest.mark.parametrize("kind", range(16))
def test_a_zstd_that_begins_with_a_skippable_frame_is_read(kind):
    skippable = b"%c\x2a\x4d\x18\x04\0\0\0abcd" % (0x50 + kind)
    assert read_all(skippable + zstandard.compress(LINES)) == LINES


def test_a_fault_in_the_beginning_is_met_behind_the_text_before_it():
    cut = gzip.compress(LINES[:1000])[:-20]
    begun = begin(io.BytesIO(cut), 4096)
    assert begun.start
    assert LINES.startswith(begun.start)
    assert next(begun.chunks) == begun.start
    with pytest.raises(UnreadableObject, match="truncated") as met:
        next(begun.chunks)
    assert met.value is begun.fault


@pytest.mark.parametrize("size", [1, 100, len(LINES), len(LINES) + 1])
def test_a_text_whose_beginning_was_read_is_still_whole(size):
    begun = begin(io.BytesIO(gzip.compress(LINES)), size)
    assert LINES.startswith(begun.start)
    assert len(begun.start) >= min(size, len(LINES))
    assert b"".join(begun.chunks) == LINES


def test_a_parquet_file_is_named_for_what_it_is():
    with pytest.raises(UnreadableObject, match="Parquet"):
        read_all(b"PAR1 and so on")


def zeros(size: int) -> Iterator[bytes]:
    for _ in range(size // 1_000_000):
        yield bytes(1_000_000)


def gzip_bomb(size: int) -> bytes:
    deflate = zlib.compressobj(wbits=31, level=9)
    return b"".join(map(deflate.compress, zeros(size))) + deflate.flush()


def zstd_bomb(size: int) -> bytes:
    compress = zstandard.ZstdCompressor(level=19).compressobj()
    return b"".join(map(compress.compress, zeros(size))) + compress.flush()


@pytest.mark.slow
@pytest.mark.parametrize("bomb", [gzip_bomb, zstd_bomb])
def test_memory_does_not_grow_with_what_an_object_inflates_to(bomb):
    content = bomb(300_000_000)
    tracemalloc.start()
    try:
        size = sum(map(len, decompressed(io.BytesIO(content))))
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()

    assert size == 300_000_000
    assert peak < 40_000_000


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="another malloc")
def test_memory_that_a_block_had_is_used_for_the_next_one():
    # In a process of its own: what others freed before would be kept too.
    reading = """if True:
        import io, resource, zlib
        from servicelogs.sources.decompression import decompressed
        deflate = zlib.compressobj(wbits=31)
        content = b"".join(deflate.compress(bytes(100_000)) for _ in range(1_000)) + deflate.flush()
        faults = lambda: resource.getrusage(resource.RUSAGE_SELF).ru_minflt
        pieces = decompressed(io.BytesIO(content))
        kept = [next(pieces) for _ in range(20)]
        before = faults()
        for piece in pieces:
            kept = [*kept, piece] if len(kept) < 20 else [piece]
        print(faults() - before)
    """
    faults = subprocess.run(
        [sys.executable, "-c", reading],
        env={"PYTHONPATH": "layers/service_logs"},
        capture_output=True,
        check=True,
    ).stdout
    assert int(faults) < 500, "twenty pieces were given back to the kernel each time"
