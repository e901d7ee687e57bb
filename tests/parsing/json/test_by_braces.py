"""Cutting by braces: sure for whole records, and it never gives up."""

import re

import pytest

from servicelogs.parsing.json.by_braces import ByBraces
from tests.parsing.json.texts import LAYOUTS, RECORDS, written

OPENING = re.compile(rb'\s*\{\s*"Records"\s*:\s*\[')


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("between", [b",", b"", b" ", b"\n,\n"])
def test_records_are_found_whatever_is_between_them(layout: str, between: bytes) -> None:
    records = written(RECORDS, layout)
    text = between.join(records)
    for cutter in (ByBraces(), ByBraces(OPENING)):
        found = cutter.cut(text, last=False)
        assert found.records == records
        assert found.known == [None] * len(records)
        assert found.end == len(text)
        assert not found.closed


def test_it_stops_where_the_array_ends() -> None:
    text = b'{"n":1},{"n":2} ],"more":[{"n":3}]}'
    found = ByBraces().cut(text, last=True)
    assert found.records == [b'{"n":1}', b'{"n":2}']
    assert found.closed
    assert text[found.end :] == b',"more":[{"n":3}]}'


@pytest.mark.parametrize("between", [b"", b",", b"\n"])
def test_it_stops_before_a_document(between: bytes) -> None:
    text = b'{"n":1}' + between + b'{"Records":[{"n":2}]}'
    found = ByBraces(OPENING).cut(text, last=True)
    assert found.records == [b'{"n":1}']
    assert text[found.end :].lstrip(b",\n") == b'{"Records":[{"n":2}]}'


@pytest.mark.parametrize("rest", [b'{"n":', b'{"n":"}', b'{"n":"\\', b'{"n":[{}', b""])
def test_a_record_that_may_go_on_is_left(rest: bytes) -> None:
    text = b'{"n":1},' + rest
    found = ByBraces().cut(text, last=False)
    assert found.records == [b'{"n":1}']
    assert text[found.end :] == rest


@pytest.mark.parametrize("stray", [b"}", b"}}}", b"},", b"]"])
def test_a_stray_bracket_ends_no_text_outside_an_array(stray: bytes) -> None:
    found = ByBraces(OPENING).cut(b'{"n":1}%b{"n":2}' % stray, last=True)
    assert found.records == [b'{"n":1}', b'{"n":2}']


def test_what_stands_between_records_is_a_record_too() -> None:
    found = ByBraces().cut(b'{"n":1},5,"a,b",[1,2],{"n":2}]', last=True)
    assert found.records == [b'{"n":1}', b"5", b'"a,b"', b"[1,2]", b'{"n":2}']
