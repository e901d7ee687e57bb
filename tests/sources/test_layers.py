"""Whatever an object's bytes were put into, its text comes out, or a reason says in what it is."""

import bz2
import codecs
import gzip
import io
import lzma
import tracemalloc
import zipfile
from collections.abc import Callable, Iterator
from itertools import batched

import pytest
import zstandard

from servicelogs.errors import UnreadableObject
from servicelogs.sources.decompression import MOST_LAYERS, decompressed

LINES = b"".join(b"%d some words of a log line\n" % number for number in range(20_000))


class Dribble:
    """A stream that gives few bytes at a time, as a pipe may."""

    def __init__(self, content: bytes, size: int) -> None:
        self._stream = io.BytesIO(content)
        self._size = size

    def read(self, size: int) -> bytes:
        return self._stream.read(min(size, self._size))


class Unseekable(io.BytesIO):
    """Where a ZIP archive is written as it is made: sizes stand behind the files."""

    def seekable(self) -> bool:
        return False

    def tell(self) -> int:
        raise io.UnsupportedOperation


def read_all(content: bytes, at_once: int = 1 << 20) -> bytes:
    return b"".join(decompressed(Dribble(content, at_once)))


def read_to_fault(content: bytes) -> tuple[bytes, str]:
    """Read until the fault, which there must be."""
    good = bytearray()
    try:
        for piece in decompressed(io.BytesIO(content)):
            good += piece
    except UnreadableObject as fault:
        return bytes(good), str(fault)
    raise AssertionError("there was none")


def zipped(text: bytes, method: int = zipfile.ZIP_DEFLATED, *names: str) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", method) as archive:
        for name in names or ("today.log",):
            archive.writestr(name, b"" if name.endswith("/") else text)
    return file.getvalue()


def zipped_as_stream(text: bytes) -> bytes:
    file = Unseekable()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("today.log", text)
    return file.getvalue()


def stored(text: bytes) -> bytes:
    return zipped(text, zipfile.ZIP_STORED)


COMPRESSIONS: dict[str, Callable[[bytes], bytes]] = {
    "gzip": gzip.compress,
    "zstd": zstandard.compress,
    "bzip2": bz2.compress,
    "xz": lzma.compress,
    "ZIP": zipped,
    "ZIP, stored": stored,
    "ZIP, its sizes behind": zipped_as_stream,
}
each = pytest.mark.parametrize("compress", COMPRESSIONS.values(), ids=COMPRESSIONS)


@each
@pytest.mark.parametrize("at_once", [1000, 1 << 20])
def test_what_the_standard_library_reads_is_read(
    compress: Callable[[bytes], bytes], at_once: int
) -> None:
    assert read_all(compress(LINES), at_once) == LINES
    assert read_all(compress(b"")) == b""


@each
def test_what_is_compressed_several_times_is_read(compress: Callable[[bytes], bytes]) -> None:
    assert read_all(gzip.compress(compress(LINES))) == LINES
    assert read_all(compress(gzip.compress(compress(LINES)))) == LINES


@each
def test_what_is_compressed_without_end_is_refused(compress: Callable[[bytes], bytes]) -> None:
    text = LINES[:1000]
    for _ in range(MOST_LAYERS + 1):
        text = compress(text)
    assert read_to_fault(text) == (b"", "it is compressed more than 3 times over")


@each
@pytest.mark.parametrize("outer", [bytes, gzip.compress], ids=["alone", "within gzip"])
@pytest.mark.parametrize("share", [0.1, 0.5, 0.9])
def test_of_what_is_cut_the_good_part_is_read(
    compress: Callable[[bytes], bytes], outer: Callable[[bytes], bytes], share: float
) -> None:
    whole = compress(LINES)
    good, fault = read_to_fault(outer(whole[: int(len(whole) * share)]))
    assert LINES.startswith(good)
    assert "is truncated" in fault


def test_of_a_gzip_stream_that_is_cut_the_layers_within_are_read_to_the_fault() -> None:
    outer = gzip.compress(gzip.compress(LINES), compresslevel=0)
    good, fault = read_to_fault(outer[: len(outer) // 2])
    assert LINES.startswith(good)
    assert len(good) > len(LINES) / 4
    assert "gzip stream is truncated" in fault


@pytest.mark.parametrize("compress", [bz2.compress, zipped, zipped_as_stream, stored])
def test_a_wrong_byte_is_found(compress: Callable[[bytes], bytes]) -> None:
    broken = bytearray(compress(LINES))
    broken[len(broken) // 3] ^= 0x55
    assert "corrupt" in read_to_fault(bytes(broken))[1]


def test_members_of_bzip2_and_xz_follow_each_other() -> None:
    for compress in (bz2.compress, lzma.compress):
        assert read_all(compress(LINES) + bytes(8) + compress(LINES)) == LINES * 2
        good, fault = read_to_fault(compress(LINES) + b"garbage" * 9)
        assert good == LINES
        assert "corrupt" in fault


def test_an_xz_stream_that_takes_too_much_memory_is_refused() -> None:
    filters = [{"id": lzma.FILTER_LZMA2, "dict_size": 512 * 1024 * 1024}]
    _, fault = read_to_fault(lzma.compress(LINES, filters=filters))
    assert "xz stream is corrupt within" in fault
    assert "Memory usage limit" in fault


def test_a_folder_in_a_zip_archive_is_no_file() -> None:
    assert read_all(zipped(LINES, zipfile.ZIP_DEFLATED, "logs/", "logs/today.log")) == LINES


def test_of_a_zip_archive_with_several_files_the_first_is_read_and_the_reason_says_so() -> None:
    good, fault = read_to_fault(zipped(LINES, zipfile.ZIP_DEFLATED, "a.log", "b.log"))
    assert good == LINES
    assert "holds more than one file" in fault


@pytest.mark.parametrize(
    ("method", "name"), [(zipfile.ZIP_BZIP2, "method 12"), (zipfile.ZIP_LZMA, "method 14")]
)
def test_a_method_of_zip_that_is_not_read_is_named(method: int, name: str) -> None:
    assert name in read_to_fault(zipped(LINES, method))[1]


def test_an_encrypted_zip_archive_is_named() -> None:
    encrypted = bytearray(zipped(LINES))
    encrypted[6] |= 1
    assert "encrypted" in read_to_fault(bytes(encrypted))[1]


def test_a_zip_archive_that_cannot_be_streamed_says_so() -> None:
    archive = bytearray(stored(LINES))
    archive[6] |= 8
    assert "cannot be read as a stream" in read_to_fault(bytes(archive))[1]


def varint(number: int) -> bytes:
    low, rest = number & 0x7F, number >> 7
    return bytes([low | 0x80]) + varint(rest) if rest else bytes([low])


def snappy(text: bytes) -> bytes:
    """Write what Snappy may: pieces of the text as they are, here of 2 and 3 bytes of length."""
    pieces = map(bytes, batched(text, 300, strict=False))
    literals = (b"\xf4" + (len(piece) - 1).to_bytes(2, "little") + piece for piece in pieces)
    return varint(len(text)) + b"".join(literals)


def of_hadoop(text: bytes) -> bytes:
    data = snappy(text)
    return len(text).to_bytes(4) + len(data).to_bytes(4) + data


@pytest.mark.parametrize(
    ("content", "name"),
    [
        (b"\xff\x06\0\0sNaPpY\x01\0\0\0", "Snappy (framed)"),
        (b"\x82SNAPPY\0\0\0\0\1", "Snappy (in Java's frame)"),
        (of_hadoop(LINES), "Snappy (in Hadoop's frame)"),
        (of_hadoop(LINES[:100]), "Snappy (in Hadoop's frame)"),
        (snappy(LINES), "Snappy (without a frame)"),
        (snappy(LINES[:5000]), "Snappy (without a frame)"),
        (b"\x04\x22\x4d\x18\x64\x40\xa7", "LZ4"),
        (b"\x02\x21\x4c\x18", "LZ4 (legacy frame)"),
        (b"\x1f\x9d\x90ab", "compress (.Z)"),
        (b"Obj\x01\x04\x16avro.schema", "an Avro file"),
        (b"a.log".ljust(257, b"\0") + b"ustar\x0000", "a tar archive"),
    ],
)
@pytest.mark.parametrize("outer", [bytes, gzip.compress], ids=["alone", "within gzip"])
def test_what_is_not_read_is_named(
    content: bytes, name: str, outer: Callable[[bytes], bytes]
) -> None:
    good, fault = read_to_fault(outer(content))
    assert good == b""
    assert name in fault
    assert "deliver it plain" in fault


@pytest.mark.parametrize(
    "text",
    [
        "été 2026: «d'accord»\n",
        "日本語のログ\n",
        "Ünter den Linden d and more words of it\n",
        "x" * 128,
        "\x7f\x7f plain",
        "BZh is not bzip2",
        "PKzip\n",
    ],
)
@pytest.mark.parametrize("repeated", [1, 200])
def test_ordinary_text_is_nothing_else(text: str, repeated: int) -> None:
    content = text.encode() * repeated
    assert read_all(content) == content
    assert read_all(content, 1) == content


MARKS = {
    "UTF-8": (codecs.BOM_UTF8, "utf-8"),
    "UTF-16, little end first": (codecs.BOM_UTF16_LE, "utf-16-le"),
    "UTF-16, big end first": (codecs.BOM_UTF16_BE, "utf-16-be"),
    "UTF-32": (codecs.BOM_UTF32_LE, "utf-32-le"),
}


@pytest.mark.parametrize(("mark", "encoding"), MARKS.values(), ids=MARKS)
@pytest.mark.parametrize("outer", [bytes, gzip.compress], ids=["alone", "within gzip"])
@pytest.mark.parametrize("at_once", [1, 3, 1 << 20])
def test_a_byte_order_mark_is_none_of_the_text_and_names_its_encoding(
    mark: bytes, encoding: str, outer: Callable[[bytes], bytes], at_once: int
) -> None:
    text = "version account-id\nçé 日本 🙂\n" * 200
    assert read_all(outer(mark + text.encode(encoding)), at_once) == text.encode()
    assert read_all(outer(mark)) == b""


def test_text_in_utf_16_that_is_cut_is_read_and_said_to_be_cut() -> None:
    text = codecs.BOM_UTF16_LE + "line\n".encode("utf-16-le") + b"l"
    assert read_to_fault(text) == (b"line\n", "the text in UTF-16 is truncated: it ends with b'l'")


def test_half_a_pair_of_surrogates_is_no_character() -> None:
    text = codecs.BOM_UTF16_LE + b"a\0" + b"\x00\xd8" + b"b\0\n\0"
    assert read_all(text) == "a\ufffdb\n".encode()


def zeros(size: int) -> Iterator[bytes]:
    for _ in range(size // 1_000_000):
        yield bytes(1_000_000)


def bomb_of_zip(size: int) -> bytes:
    file = io.BytesIO()
    with (
        zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive,
        archive.open("bomb", "w") as member,
    ):
        member.writelines(zeros(size))
    return file.getvalue()


def bomb_of(make: Callable[[], "bz2.BZ2Compressor | lzma.LZMACompressor"], size: int) -> bytes:
    compressor = make()
    return b"".join(map(compressor.compress, zeros(size))) + compressor.flush()


BOMBS: dict[str, Callable[[int], bytes]] = {
    "bzip2": lambda size: bomb_of(bz2.BZ2Compressor, size),
    "xz": lambda size: bomb_of(lzma.LZMACompressor, size),
    "ZIP": bomb_of_zip,
    "ZIP within gzip": lambda size: gzip.compress(bomb_of_zip(size)),
    "UTF-16": lambda size: codecs.BOM_UTF16_LE + b"x\0" * size,
}


@pytest.mark.slow
@pytest.mark.parametrize("bomb", BOMBS.values(), ids=BOMBS)
def test_memory_does_not_grow_with_what_an_object_becomes(bomb: Callable[[int], bytes]) -> None:
    content = bomb(50_000_000)
    tracemalloc.start()
    try:
        size = sum(map(len, decompressed(io.BytesIO(content))))
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()

    assert size >= 50_000_000
    assert peak < 25_000_000
