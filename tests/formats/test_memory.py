"""Whatever the object's size, little of it is held at a time; what is too long is one reject."""

import gzip
import resource
import subprocess
import sys
from collections.abc import Iterable, Iterator
from io import BytesIO
from pathlib import Path

import pytest

from servicelogs import formats
from servicelogs.documents import one_index
from servicelogs.reading import decompressed
from tests.formats.parsing import SOURCE, chunked, parse
from tests.formats.test_delimited import ALB, HEADER, VPC

MIB = 1024 * 1024
HUGE = 40 * MIB
EVENT = b'{"eventVersion":"1","eventTime":"2026-11-20T08:14:55Z","eventID":"%d"%b}'
GOOD = {"alb": ALB, "vpc_flow": VPC, "cloudtrail": EVENT % (0, b"")}


def chunks_of(name: str, size: int) -> Iterator[bytes]:
    """Give a good record, one of so many bytes, and a good one."""
    if name == "cloudtrail":
        start, end = b'{"Records":[' + EVENT % (1, b"") + b',{"eventVersion":"1","x":"', b'"},'
        after = EVENT % (3, b"") + b"]}"
    else:
        head = HEADER + b"\n" if name == "vpc_flow" else b""
        start, end, after = head + GOOD[name] + b"\n", b"\n", GOOD[name] + b"\n"
    yield start
    for _ in range(size // MIB):
        yield b"x" * MIB
    yield end + after


def body_of(name: str, records: int) -> Iterator[bytes]:
    """Give an object's text in chunks, its records all alike."""
    lines = [GOOD[name]] * 1_000
    if name == "cloudtrail":
        yield b'{"Records":[' + GOOD[name]
        for _ in range(records // 1_000):
            yield b"," + b",".join(lines)
        yield b"]}"
    else:
        for _ in range(records // 1_000):
            yield b"\n".join(lines) + b"\n"


@pytest.mark.parametrize("name", GOOD)
@pytest.mark.parametrize("size", [11 * MIB, HUGE])
def test_a_record_of_many_megabytes_is_one_reject_between_its_neighbours(
    name: str, size: int
) -> None:
    parsed = parse(name, chunks_of(name, size))
    first = 2 if name == "vpc_flow" else 1
    assert parsed.documents.keys() == {first, first + 2}
    (reject,) = parsed.rejects
    assert (reject.ordinal, reject.error_type) == (first + 1, "too_long")
    assert len(reject.raw) <= 64 * 1024
    assert "too long" in reject.reason


@pytest.mark.parametrize("name", GOOD)
def test_one_that_is_never_ended_is_one_reject_too(name: str) -> None:
    *some, _ = chunks_of(name, HUGE)
    parsed = parse(name, some)
    assert len(parsed.documents) == 1
    assert [reject.error_type for reject in parsed.rejects] == ["too_long"]


@pytest.mark.parametrize("name", GOOD)
@pytest.mark.parametrize("what", ["huge record", "many records"])
def test_memory_does_not_grow_with_the_object(name: str, what: str) -> None:
    grown = subprocess.run(
        [sys.executable, "-m", "tests.formats.test_memory", name, what],
        capture_output=True,
        text=True,
        check=True,
        env={"PYTHONPATH": "layers/service_logs:."},
        cwd=Path(__file__).parents[2],
    )
    assert int(grown.stdout) < 80 * MIB


@pytest.mark.parametrize("name", GOOD)
@pytest.mark.parametrize("last", range(1, 60, 7))
def test_a_cut_gzip_gives_its_good_records_and_one_reject(name: str, last: int) -> None:
    body = b"".join(body_of(name, 2_000))
    data = gzip.compress(body, 1)
    parsed = parse(name, decompressed(BytesIO(data[: len(data) * last // 60])))
    assert [reject.error_type for reject in parsed.rejects] == ["unreadable"]
    assert "cut" in parsed.rejects[0].reason
    assert parsed.documents.keys() == {*range(1, parsed.rejects[0].ordinal)}


def _grown(name: str, what: str) -> int:
    """Return by how many bytes the process grows over parsing."""
    parse_quietly(name, body_of(name, 2_000))
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    chunks = chunks_of(name, HUGE) if what == "huge record" else body_of(name, 400_000)
    parse_quietly(name, (piece for chunk in chunks for piece in chunked(chunk, 256 * 1024)))
    return (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) * 1024


def parse_quietly(name: str, chunks: Iterable[bytes]) -> None:
    """Parse and keep nothing."""
    for _ in formats.get(name).blocks(chunks, SOURCE, one_index("i")):
        pass


if __name__ == "__main__":
    print(_grown(sys.argv[1], sys.argv[2]))  # noqa: T201
