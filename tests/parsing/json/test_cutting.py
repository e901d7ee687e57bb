"""The driver: the same records whatever cutter gets them, and none of a damaged text lost."""

import json
import random
import re
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import Any
from unittest.mock import patch

import pytest
from hypothesis import given
from hypothesis import strategies as st

from servicelogs.errors import UnreadableObject
from servicelogs.parsing import framing
from servicelogs.parsing.framing import KEPT_BYTES, MAX_RECORD_BYTES
from servicelogs.parsing.json import cutting
from servicelogs.parsing.json.by_braces import ByBraces
from servicelogs.parsing.json.cutting import JsonCutter
from servicelogs.records import Records, TooLong
from tests.formats.parsing import chunked
from tests.parsing.json.texts import DECODER, LAYOUTS, RECORDS, written

ARRAY = "Records"
BIG = MAX_RECORD_BYTES + 1


@contextmanager
def small(size: int) -> Iterator[None]:
    """Cut blocks as if so few bytes were a block, and the least that is looked at."""
    with (
        patch.object(cutting, "BLOCK_BYTES", size),
        patch.object(framing, "_MOST_WINDOW", size),
        patch.object(framing, "_LEAST_WINDOW", size),
    ):
        yield


def cut(data: bytes, chunk: int = 1_000_000, key: str = ARRAY) -> list[bytes | TooLong]:
    """Return the records that are found, which must be numbered from 1 without a gap."""
    found: list[bytes | TooLong] = []
    for piece in JsonCutter(key, DECODER).cut(chunked(data, chunk)):
        number = piece.first if isinstance(piece, Records) else piece.number
        assert number == len(found) + 1
        if isinstance(piece, Records):
            assert piece.decoded is not None
            assert len(piece.items) == len(piece.decoded)
            found += piece.items
        else:
            found.append(piece)
    return found


@contextmanager
def braces_counted() -> Iterator[list[int]]:
    """Note how many bytes each call follows the braces of."""
    sizes: list[int] = []
    follow: Callable[..., Any] = ByBraces.cut

    def counted(self: ByBraces, text: bytes, *, last: bool) -> Any:
        sizes.append(len(text))
        return follow(self, text, last=last)

    with patch.object(ByBraces, "cut", counted):
        yield sizes


def text_of(records: list[bytes], shape: str) -> bytes:
    """Write records in one document, in a document each, or one after the other."""
    if shape == "document":
        return b'{"v":"1", "Records" : [ ' + b" , ".join(records) + b'], "more":[{"a":"]}"}]}'
    if shape == "documents":
        return b"".join(b'{"Records":[%b],"n":"]}"}' % one for one in records)
    return {"lines": b"\n", "concatenated": b""}[shape].join(records)


SHAPES = ["document", "documents", "lines", "concatenated"]


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("layout", LAYOUTS)
@given(block=st.integers(1, 700), chunk=st.integers(1, 700))
def test_the_records_are_the_same_however_they_are_written_and_cut(
    shape: str, layout: str, block: int, chunk: int
) -> None:
    records = written(RECORDS, layout)
    text = text_of(records, shape)
    with small(block):
        assert cut(text, chunk) == records


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("layout", LAYOUTS)
def test_following_the_braces_alone_finds_what_the_quick_cutters_find(
    shape: str, layout: str
) -> None:
    text = text_of(written(RECORDS, layout), shape)
    quick = cut(text, 300)
    with patch.object(JsonCutter, "_cut_quickly", lambda self, last: None):
        assert cut(text, 300) == quick


@pytest.mark.parametrize("between", [",", ", ", ",\n", ",\n  ", "", " ", "\n"])
@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("in_array", [True, False])
def test_no_braces_are_followed_where_records_begin_alike(
    between: str, layout: str, in_array: bool
) -> None:
    text = between.encode().join(written(RECORDS * 300, layout))
    if in_array:
        text = b'{"Records":[%b]}' % text
    with braces_counted() as sizes:
        assert len(cut(text, 50_000)) == len(RECORDS) * 300
    assert sizes == []


def test_envelopes_that_follow_each_other_are_records_without_an_array() -> None:
    envelope = b'{"messageType":"DATA_MESSAGE","logEvents":[{"id":"1"},{"id":"2"}],"":[{"a":1}]}'
    with braces_counted() as sizes:
        assert cut(envelope * 20, 100, key="") == [envelope] * 20
    assert sizes == []


def test_documents_separated_by_commas_are_each_entered() -> None:
    document = b'{"Records":[{"n":1},{"n":2}]}'
    for chunk in range(1, 80):
        with small(1):
            assert cut(b" , ".join([document] * 4), chunk) == [b'{"n":1}', b'{"n":2}'] * 4


@pytest.mark.parametrize("stray", ["}", "]", "}]", "]}", "}}}", "{", "[", '"', ',"', "\\"])
@pytest.mark.parametrize("shape", ["document", "lines", "concatenated"])
def test_damage_to_one_record_leaves_all_but_its_neighbours_alone(stray: str, shape: str) -> None:
    records = written([one | {"n": n} for n, one in enumerate(RECORDS * 2)])
    damaged = [*records]
    damaged[9] += stray.encode()
    with small(sum(map(len, records[:4]))):
        found = cut(text_of(damaged, shape), 100)
    untouched = records[:9] + records[11:]
    assert [record for record in found if record in untouched] == untouched


def test_bare_records_are_cut_in_time_that_grows_with_their_size() -> None:
    rng = random.Random(1)
    records = [json.dumps({str(rng.random()): "x" * 100}).encode() for _ in range(3_000)]
    text = b" ".join(records)
    with braces_counted() as sizes:
        assert cut(text, 100_000) == records
    assert sum(sizes) < 3 * len(text)


def test_records_none_of_which_ends_are_given_up_in_time_that_grows_with_their_size() -> None:
    some = written(RECORDS * 125)
    damaged = [one[:-1] + b',"x":{}' for one in some]
    text = b'{"Records":[%b]}' % b",".join((some[0], *damaged, *some[1:]))
    with braces_counted() as sizes:
        assert cut(text) == [some[0], *damaged, *some[1:]]
    assert len(sizes) < 50


def test_spaces_in_an_overlong_record_are_skipped_quickly() -> None:
    chunks = (
        b'{"Records":[{"n":1},{"n":2},{"n":"' + b"x" * BIG * 2,
        *[b"}" + b" " * 262_144] * 12,
        b'"},{"n":4}]}',
    )
    before = time.process_time()
    pieces = [*JsonCutter(ARRAY, DECODER).cut(chunks)]
    assert time.process_time() - before < 10
    assert [getattr(piece, "items", None) for piece in pieces] == [
        [b'{"n":1}', b'{"n":2}'],
        None,
        [b'{"n":4}'],
    ]


@pytest.mark.slow
@pytest.mark.parametrize("shape", SHAPES)
def test_what_follows_an_overlong_record_is_found(shape: str) -> None:
    records = [b'{"n":1}', b'{"n":2}', b'{"n":"%b"}' % (b"x" * 2 * BIG), b'{"n":4}', b'{"n":5}']
    first, second, long, *rest = cut(text_of(records, shape), 100_000)
    assert [first, second, *rest] == [*records[:2], *records[3:]]
    assert isinstance(long, TooLong)
    assert long.length > MAX_RECORD_BYTES
    assert len(long.start) == KEPT_BYTES
    assert long.start.startswith(b'{"n":"xxx')


def unreadable(data: bytes, chunk: int) -> Iterator[bytes]:
    yield from chunked(data, chunk)
    raise UnreadableObject("cut short")


def before_error(chunks: Iterable[bytes]) -> tuple[list[bytes], UnreadableObject]:
    """Return the records before the chunks end in an error, and the error."""
    records: list[bytes] = []
    try:
        for piece in JsonCutter(ARRAY, DECODER).cut(chunks):
            assert isinstance(piece, Records)
            records += piece.items
    except UnreadableObject as error:
        return records, error
    raise AssertionError("the error was swallowed")


@pytest.mark.parametrize("shape", ["document", "concatenated", "lines"])
@pytest.mark.parametrize("rest", [b"", b'{"n":"never', b'{"n'])
def test_an_object_that_breaks_off_gives_each_whole_record_and_its_tail(
    shape: str, rest: bytes
) -> None:
    records = [b'{"n":1}', b'{"n":2}', b'{"n":3}']
    text = text_of([*records, b"END"], shape)
    text = text[: text.index(b"END")] + rest
    found, error = before_error(unreadable(text, 30))
    assert found == records
    assert error.tail.lstrip(b" ,") == rest
    assert error.number == 4


@given(data=st.binary(max_size=200), chunk=st.integers(1, 50))
def test_no_bytes_are_lost_or_crash_it(data: bytes, chunk: int) -> None:
    with small(16):
        for text in (data, b'{"n":1}{"n":2}' + data):
            left = b"".join(map(bytes, cut(text, chunk, key="")))  # type: ignore[arg-type]
            noise = re.compile(rb"[\s,\]}]")
            assert noise.sub(b"", left) == noise.sub(b"", text)


ODD = {
    "words": b"odd words\n",
    "several lines": b"<html>\n<p>\n",
    "cut": b'51","b":{"c":1}}\n',
    "open": b'\xff{{[ "Records\n',
    "on the same line": b"garbage ",
    "a quote": b'"\n',
    "like a record": b'{"foo\n',
    "a record that goes on": b'{"a":1} oops\n',
    "a record": b'{"a":1}\n',
    "an array": b"[1,2]\n",
}


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("odd", ODD.values(), ids=ODD)
@pytest.mark.parametrize("chunk", [1, 1000, 1 << 20])
def test_an_odd_beginning_is_one_record_and_costs_no_other(
    layout: str, odd: bytes, chunk: int
) -> None:
    text = json.dumps({"Records": RECORDS}, **LAYOUTS[layout]).encode()
    with small(500):
        found = cut(odd + text, chunk)
    assert found[0] == odd.strip()
    assert list(map(json.loads, found[1:])) == RECORDS


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("key", ["Records", ""])
@pytest.mark.parametrize("between", [b"", b"\n", b","])
@pytest.mark.parametrize("chunk", [1, 1000, 1 << 20])
def test_bare_arrays_are_entered(layout: str, key: str, between: bytes, chunk: int) -> None:
    array = json.dumps(RECORDS, **LAYOUTS[layout]).encode()
    with small(500):
        found = cut(between.join([array, array]), chunk, key)
    assert list(map(json.loads, found)) == RECORDS * 2


def test_a_record_behind_a_damaged_document_leaves_those_in_it_alone() -> None:
    good = [b'{"eventVersion":"1","n":%d}' % number for number in (2, 3)]
    text = b'{"Records":[{"eventVersion":"1","n":x},%b]}%b' % (*good,)
    records = cut(text, key="Records")
    assert set(good) <= {*records}
