"""Cutting by line: a record a line, and what a line holds that is not one."""

import pytest

from servicelogs.parsing.json.by_line import ByLine
from tests.parsing.json.texts import DECODER, LAYOUTS, RECORDS, written


@pytest.mark.parametrize("layout", ["compact", "spaced"])
@pytest.mark.parametrize("end", [b"\n", b"\r\n", b" \n\n \t\n"])
def test_each_line_is_a_record(layout: str, end: bytes) -> None:
    records = written(RECORDS, layout)
    text = end.join(records)
    found = ByLine(DECODER).cut(text, last=True)
    assert found
    assert found.records == records
    assert found.known == RECORDS
    assert found.end == len(text)


def test_a_line_that_may_go_on_is_left() -> None:
    found = ByLine(DECODER).cut(b'{"n":1}\n{"n":2}\n{"n":', last=False)
    assert found
    assert found.records == [b'{"n":1}', b'{"n":2}']
    assert found.end == len(b'{"n":1}\n{"n":2}\n')


@pytest.mark.parametrize(
    "text",
    [
        b'{"n":1}',
        b'{"n":1}\n',
        b'{"n":1}{"n":2}\n{"n":3}{"n":4}\n',
        b"\n".join(written(RECORDS, "pretty")),
        b"1\n2\n3\n",
        b"\n" * 20 + b'{"n":1}\n{"n":2}\n',
        b"",
    ],
)
def test_a_text_without_a_record_among_its_first_lines_is_none_of_its_own(text: bytes) -> None:
    assert ByLine(DECODER).cut(text, last=True) is None


def test_it_applies_to_the_end_once_it_applied() -> None:
    cutter = ByLine(DECODER)
    assert not cutter.applies
    assert cutter.cut(b'{"n":1}\n{"n":2}\n', last=False)
    assert cutter.applies
    found = cutter.cut(b'{"n":3}', last=True)
    assert found
    assert found.records == [b'{"n":3}']


def test_it_does_not_apply_later_if_it_did_not_at_first() -> None:
    cutter = ByLine(DECODER)
    assert cutter.cut(b'{\n"n":1}\n', last=False) is None
    assert cutter.cut(b'{"n":2}\n{"n":3}\n', last=True) is None


@pytest.mark.parametrize(
    ("line", "records"),
    [
        (b'{"n":2}{"n":3}', [b'{"n":2}', b'{"n":3}']),
        (b'{"n":2}, {"n":3},', [b'{"n":2}', b'{"n":3}']),
        (b'{"n":2', [b'{"n":2']),
        (b'{"n":2}{"n":', [b'{"n":2}{"n":']),
        (b'{"n":2}x{"n":3}', [b'{"n":2}x{"n":3}']),
        (b"5", [b"5"]),
    ],
)
def test_what_a_line_holds_costs_no_other_line(line: bytes, records: list[bytes]) -> None:
    text = b"\n".join((b'{"n":1}', line, b'{"n":"\xc3\xa4"}'))
    found = ByLine(DECODER).cut(text, last=True)
    assert found
    assert found.records == [b'{"n":1}', *records, b'{"n":"\xc3\xa4"}']
    assert found.known[0] == {"n": 1}
    assert found.known[-1] == {"n": "ä"}


def test_bytes_that_are_not_utf_8_leave_their_record_alone_unknown() -> None:
    found = ByLine(DECODER).cut(b'{"n":1}\n{"n":"\xff"}\n{"n":3}', last=True)
    assert found
    assert found.known == [{"n": 1}, None, {"n": 3}]


def test_every_layout_but_one_line_a_record_is_refused() -> None:
    refused = [
        layout
        for layout in LAYOUTS
        if not ByLine(DECODER).cut(b"\n".join(written(RECORDS, layout)), last=True)
    ]
    assert refused == ["pretty"]
