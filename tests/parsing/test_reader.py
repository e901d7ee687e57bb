"""The loop that reads the records of a source, with a parser that notes its calls."""

from collections.abc import Iterable, Iterator

import pytest

from servicelogs.errors import UnreadableObject
from servicelogs.parsing.reader import read
from servicelogs.records import Block, Records, TooLong
from tests.formats.parsing import SOURCE

NAMES = {1: b"a", 2: b"b", 4: b"d", 5: b"e", 6: b"f"}
"""What the records that are not too long hold, by their numbers."""


class Noting:
    """A parser that makes a document of each record it is given."""

    source = SOURCE

    def __init__(self) -> None:
        self.skipped: list[bytes] = []

    def cut(self, chunks: Iterable[bytes]) -> Iterator[Records | TooLong]:
        raise AssertionError("the records are cut already")

    def take(self, records: Records, skipped: int) -> Block:
        self.skipped += records.items[:skipped]
        taken = records.items[skipped:]
        return Block(
            records.first + skipped, records.end, b"\n".join(taken), len(taken), records.raw
        )


def pieces() -> list[Records | TooLong]:
    return [Records(1, [b"a", b"b"]), TooLong(3, b"c", 99), Records(4, [b"d", b"e", b"f"])]


@pytest.mark.parametrize("start", range(1, 8))
def test_it_goes_on_from_any_record(start: int) -> None:
    parser = Noting()
    blocks = [*read(pieces(), parser, start)]

    documents = b"\n".join(bytes(block.body) for block in blocks if block.body).split()
    assert documents == [one for number, one in NAMES.items() if number >= start]
    assert [reject.number for block in blocks for reject in block.rejects] == [3] * (start <= 3)
    assert sum(block.records for block in blocks) == 7 - start
    assert parser.skipped == [one for number, one in NAMES.items() if number < start]
    assert [(block.first, block.end) for block in blocks] == [
        (max(first, start), end) for first, end in ((1, 3), (3, 4), (4, 7)) if end > start
    ]


def test_what_is_too_long_is_a_reject_with_its_beginning_and_length() -> None:
    (block,) = read([TooLong(3, b"the start", 12_345_678)], Noting())
    (reject,) = block.rejects
    assert (reject.number, reject.error_type, reject.raw) == (3, "too_long", b"the start")
    assert "12345678 bytes" in reject.reason
    assert reject.id == f"{SOURCE.id}-3"
    assert block.raw(3) == b"the start"


def test_what_cannot_be_read_further_is_one_reject_behind_the_good_records() -> None:
    def broken() -> Iterator[Records | TooLong]:
        yield Records(1, [b"a"])
        error = UnreadableObject("the gzip stream is cut")
        error.tail, error.number = b"half a rec", 2
        raise error

    good, bad = read(broken(), Noting())
    assert good.documents == 1
    (reject,) = bad.rejects
    assert (reject.number, reject.error_type, reject.raw) == (2, "unreadable", b"half a rec")
    assert reject.reason == "the gzip stream is cut"
