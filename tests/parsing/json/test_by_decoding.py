"""Cutting by decoding: an array whose records begin differently, and None where it is not one."""

import json
import random
from typing import Any

import pytest

from servicelogs.parsing.json.by_decoding import ByDecoding
from tests.parsing.json.texts import DECODER, LAYOUTS, RECORDS, STRUCTURE, written

DIFFERENT: list[dict[str, Any]] = [
    dict(random.Random(number).sample([*record.items()], len(record)))
    for number, record in enumerate(RECORDS)
]


def cutter() -> ByDecoding:
    return ByDecoding(DECODER)


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("between", [b",", b", ", b"\n  ,\r\n\t"])
def test_all_records_of_an_array_are_cut_whatever_they_begin_with(
    layout: str, between: bytes
) -> None:
    records = written(DIFFERENT, layout)
    found = cutter().cut(between.join(records) + b"\n] , ", last=True)
    assert found
    assert found.records == records
    assert found.closed
    assert found.end == len(between.join(records) + b"\n]")


@pytest.mark.parametrize("layout", LAYOUTS)
def test_wherever_a_text_is_cut_off_its_whole_records_are_found_or_nothing(layout: str) -> None:
    records = written(DIFFERENT, layout)
    text = b",".join(records)
    found_some = 0
    for end in range(len(text)):
        found = cutter().cut(text[:end], last=False)
        if found:
            found_some += 1
            assert found.records == records[: len(found.records)]
            assert found.end == len(b",".join(found.records))
            assert not found.closed
    assert found_some > len(text) / 2


def test_the_last_record_is_left_while_it_may_go_on() -> None:
    text = b'{"n":1},{"n":2}'
    found = cutter().cut(text, last=False)
    assert found
    assert found.records == [b'{"n":1}']
    assert text[found.end :] == b',{"n":2}'


@pytest.mark.parametrize(
    "text",
    [
        b'{"n":1}{"n":2},{"n":3}]',
        b'{"n":1},{"n":],{"n":3}]',
        b'{"n":1}],"more":[{"n":2},{"n":3}]}',
        b'{"n":1},{"n":2}',
        b"]]",
        b"",
        b"[" * 50_000 + b"{}" + b"]" * 50_000,
    ],
)
@pytest.mark.parametrize("last", [True, False])
def test_what_is_not_an_array_of_json_is_left_to_others(text: bytes, last: bool) -> None:
    found = cutter().cut(text, last=last)
    assert found is None or (not last and found.records == [b'{"n":1}'])


def test_structure_inside_strings_is_none() -> None:
    records = [json.dumps({"text": STRUCTURE}).encode(), b'{"n":2}']
    found = cutter().cut(b",".join(records) + b"]", last=True)
    assert found
    assert found.records == records
    assert found.known == [{"text": STRUCTURE}, {"n": 2}]
