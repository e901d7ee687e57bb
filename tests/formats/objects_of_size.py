"""Objects of any size, and what memory parsing them takes in a process of its own.

Run as a command it parses an object of 2 MiB and one of 8 MiB, and prints the most memory that
the process held after each, in bytes. This is the system's count: it costs nothing, where
`tracemalloc` makes parsing ten times slower.
"""

import json
import resource
import shlex
import subprocess
import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import NamedTuple

from local.sample_logs import generate
from servicelogs import formats
from servicelogs.opensearch.dated_indexes import one_index
from servicelogs.opensearch.documents import blocks_of
from tests.formats.parsing import SOURCE, chunked

ROOT = Path(__file__).parents[2]
MIB = 1024 * 1024
CHUNK = 256 * 1024
IN_ARRAYS = {"cloudtrail": "Records", "config": "configurationItems"}
FEW, MANY = 2 * MIB, 8 * MIB


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
    """Take a format's sample object apart."""
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


def memory_of_few_and_many(name: str, *, keep: bool = False) -> tuple[int, int]:
    """Return the most memory held while few records are parsed, and then many.

    Behind a shell, for a process that the system counts from its own beginning: one that this
    process started would begin with the size of this one.
    """
    command = shlex.join([sys.executable, "-m", __name__, name, *["keep"] * keep])
    done = subprocess.run(
        ["sh", "-c", f"{command}; exit $?"],
        capture_output=True,
        check=True,
        cwd=ROOT,
        env={"PYTHONPATH": "layers/service_logs:."},
    )
    few, many = map(int, done.stdout.split())
    return few, many


def _print_memory(name: str, keep: str = "") -> None:
    kept: list[object] = []
    for size in (FEW, MANY):
        chunks = (piece for chunk in of_size(name, size) for piece in chunked(chunk, CHUNK))
        blocks = blocks_of(formats.get(name), chunks, SOURCE, one_index("i"))
        kept.extend(block for block in blocks if keep)
        held = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        print(held if sys.platform == "darwin" else held * 1024)  # noqa: T201


if __name__ == "__main__":
    _print_memory(*sys.argv[1:])
