"""Cutting by separator: quick, proved, and None wherever it is not the way."""

import re
from collections.abc import Callable

import pytest

from servicelogs.parsing.json.by_separator import BySeparator
from tests.parsing.json.texts import DECODER, LAYOUTS, RECORDS, written

OPENING = re.compile(rb'\s*\{\s*"Records"\s*:\s*\[')


def in_array() -> BySeparator:
    return BySeparator(DECODER)


def outside() -> BySeparator:
    return BySeparator(DECODER, OPENING)


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("between", [b",", b", ", b",\n", b"\n  ,\r\n\t"])
def test_all_records_of_an_array_are_cut_however_it_is_laid_out(
    layout: str, between: bytes
) -> None:
    records = written(RECORDS, layout)
    text = between.join(records) + b"\n] , "
    found = in_array().cut(text, last=True)
    assert found
    assert found.records == records
    assert found.closed
    assert text[found.end :] == b" , "


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("between", [b"", b" ", b",", b", ", b"\n"])
def test_records_that_follow_each_other_are_cut_with_nothing_or_anything_between_them(
    layout: str, between: bytes
) -> None:
    records = written(RECORDS, layout)
    text = between.join(records) + b"\n"
    found = outside().cut(text, last=True)
    assert found
    assert found.records == records
    assert not found.closed
    assert text[found.end :] == b""


@pytest.mark.parametrize(
    ("cutter", "between"), [(in_array, b","), (in_array, b" ,\n "), (outside, b""), (outside, b" ")]
)
def test_the_last_record_is_left_where_more_text_follows(
    cutter: Callable[[], BySeparator], between: bytes
) -> None:
    records = written(RECORDS)
    text = between.join(records)
    found = cutter().cut(text, last=False)
    assert found
    assert found.records == records[:-1]
    assert text[found.end :] == records[-1]


def test_a_record_on_one_line_is_decoded() -> None:
    found = in_array().cut(b",\n".join(written(RECORDS)) + b"]", last=True)
    assert found
    assert found.known == RECORDS


def test_a_record_that_is_not_plain_is_cut_but_not_known() -> None:
    records = [b'{"n":1}', b'{"n":\n2}', b'{"n":"\xff"}', b'{"n":NaN}', b'{"n":5}']
    found = in_array().cut(b",".join(records) + b"]", last=True)
    assert found
    assert found.records == records
    assert found.known == [{"n": 1}, None, None, None, {"n": 5}]


@pytest.mark.parametrize(
    "text",
    [
        b'{"n":1},{"n":"unfinished},{"n":3},{"n":4}]',
        b'{"n":1}},{"n":2},{"n":3}]',
        b'{"n":1},{"other":2},{"n":3}]',
        b'{"n":[{"n":1},{"n":2}]},{"n":3}]',
        b'{"n":1}, {"n":2},{"n":3}]',
        b'{"n":1},{"n":2}]}{"Records":[{"n":3}]',
        b'{"n":1},{"n":2}',
        b"[1],[2]]",
        b"]",
        b"",
    ],
)
def test_an_array_that_it_cannot_cut_is_none_of_its_own(text: bytes) -> None:
    assert in_array().cut(text, last=True) is None


@pytest.mark.parametrize(
    "text",
    [
        b'{"n":1}{"n":2}{"Records":[{"n":3}]}',
        b'{"n":1}{"n":2}{"Records":[{"n":3}]}{"n":4}',
        b'{"n":1}x{"n":2}',
        b'{"n":1}{"n":2',
        b"5",
    ],
)
def test_records_among_which_a_document_or_damage_stands_are_none_of_its_own(text: bytes) -> None:
    assert outside().cut(text, last=True) is None


def test_a_record_that_is_a_document_is_not_taken_though_it_begins_like_the_others() -> None:
    documents = re.compile(rb'\{"n":1,"Records":\[')
    cutter = BySeparator(DECODER, documents)
    assert cutter.cut(b'{"n":1}{"n":1,"Records":[{}]}', last=True) is None


def test_a_record_alone_may_go_on_where_more_text_follows() -> None:
    assert in_array().cut(b'{"n":1}', last=False) is None
    assert outside().cut(b'{"n":1}', last=False) is None


def test_the_separator_is_learned_anew_after_it_failed() -> None:
    cutter = in_array()
    assert cutter.cut(b'{"n":1},{"n":2},{"n":', last=False)
    assert cutter.cut(b'{"n":3} , {"n":4} , {"n":', last=False) is None
    found = cutter.cut(b'{"n":3} , {"n":4} , {"n":', last=False)
    assert found
    assert found.records == [b'{"n":3}', b'{"n":4}']


def test_records_much_shorter_than_those_before_are_cut_apart() -> None:
    cutter = in_array()
    long = [b'{"n":"%b"}' % (b"x" * 500)] * 3
    assert cutter.cut(b",".join(long) + b',{"n"', last=False)
    found = cutter.cut(b'{"n":1},{"n":2},{"n":3}]', last=True)
    assert found
    assert found.records == [b'{"n":1}', b'{"n":2}', b'{"n":3}']


def test_only_a_cut_that_succeeded_proves_where_records_begin() -> None:
    cutter = outside()
    cutter.cut(b'{"name":"a"}{"n":1}', last=True)
    assert cutter.boundary
    assert not cutter.proved
    cutter.cut(b'{"name":"a"}{"name":"b"}', last=True)
    assert cutter.proved
