from collections import Counter
from collections.abc import Iterable
from dataclasses import replace
from functools import cache
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from servicelogs import formats
from servicelogs.parsing.json.values import decode
from servicelogs.parsing.reader import Parser
from servicelogs.records import Block, Records, Source
from tests.formats.envelopes import records_of
from tests.formats.make_cases import event_cases
from tests.formats.parsing import SOURCE
from tests.lake.gathering import expected, gathered, mutated, new_gatherer
from tests.lake.mutations import as_written, mutations
from tests.lake.oracle import settled
from tests.properties import examples

MESSAGES = [name for name in formats.NAMES if formats.get(name).kind == "messages"]


@cache
def events_of(log_type: str) -> list[tuple[Source, Records]]:
    cases = (case for case in event_cases() if case.parent.name == log_type)
    return [pair for case in cases for pair in records_of(case.read_bytes())]


@pytest.mark.parametrize("name", MESSAGES)
@examples(0.3)
@given(data=st.data())
def test_messages_of_any_kind_become_the_rows_that_the_oracle_gives(
    name: str, data: st.DataObject
) -> None:
    source, records = data.draw(st.sampled_from(events_of(name)))
    place = data.draw(st.integers(0, len(records) - 1))
    items = [*records.items]
    items[place] = data.draw(mutated(items[place]))

    def blocks_of(parser: Parser) -> Iterable[Block]:
        changed = Records(
            records.first, items, keys=records.keys, hour=records.hour, times=records.times
        )
        return [parser.take(changed, 0)]

    assert gathered(name, blocks_of, source) == expected(name, blocks_of, source)


@cache
def objects_of(log_type: str) -> list[tuple[Source, dict[str, Any]]]:
    return [
        (source, settled(record))
        for source, records in events_of(log_type)
        for item in records.items
        if (record := object_in(item)) is not None
    ]


def object_in(item: bytes) -> dict[str, Any] | None:
    try:
        return decode(item)
    except (ValueError, RecursionError):
        return None


@pytest.mark.parametrize("before", [b"", b"[INFO] "])
@pytest.mark.parametrize("name", MESSAGES)
@examples(0.3)
@given(data=st.data())
def test_objects_with_any_members_become_the_rows_that_the_oracle_gives(
    name: str, before: bytes, data: st.DataObject
) -> None:
    source, record = data.draw(st.sampled_from(objects_of(name)))
    items = [before + as_written(data.draw(mutations(record)))]

    def blocks_of(parser: Parser) -> Iterable[Block]:
        return [parser.take(Records(1, items, keys=[b"key"], hour=497_216, times=None), 0)]

    assert gathered(name, blocks_of, source) == expected(name, blocks_of, source)


POSTGRESQL = replace(SOURCE, log_group="/aws/rds/instance/shop/postgresql", log_stream="shop.0")


def row_of_message(message: bytes) -> tuple[dict[str, Any], Counter[str]]:
    gatherer = new_gatherer("rds")

    def blocks_of(parser: Parser) -> Iterable[Block]:
        return [parser.take(Records(1, [message]), 0)]

    (row,) = gathered("rds", blocks_of, POSTGRESQL, gatherer)
    return row, gatherer.misfits


def test_what_does_not_fit_its_column_is_kept_beside_it_and_counted() -> None:
    row, misfits = row_of_message(
        b'{"timestamp":"2026-11-20 08:14:55.123 UTC","error_severity":"LOG",'
        b'"pid":9223372036854775808,"remote_port":"many","line_num":"7",'
        b'"message":"duration: 99999999999999999 ms"}'
    )

    assert (row["process_id"], row["client_port"], row["duration_ms"]) == (None, None, None)
    assert row["session_line_num"] == 7
    assert row["extra_fields"] == {
        "process_id": 9223372036854775808,
        "client_port": "many",
        "duration_ms": 99999999999999999,
    }
    assert misfits == {"process_id": 1, "client_port": 1, "duration_ms": 1}


def test_bytes_that_are_not_utf_8_cost_no_row_its_text() -> None:
    row, _ = row_of_message(b"2026-11-20 08:14:55 UTC::@:[7]:LOG:  a \xff b")

    assert row["message"] == "a \N{REPLACEMENT CHARACTER} b"


def test_what_a_filter_found_in_an_event_is_a_column() -> None:
    source = replace(POSTGRESQL, extracted_fields='{"@aws.account":"111122223333"}')

    def blocks_of(parser: Parser) -> Iterable[Block]:
        return [parser.take(Records(1, [b"no form"]), 0)]

    (row,) = gathered("rds", blocks_of, source)

    assert row["log_extracted_fields"] == {"@aws.account": "111122223333"}
    assert [row] == expected("rds", blocks_of, source)


def test_rows_of_one_batch_may_be_of_several_sources() -> None:
    gatherer, batches = new_gatherer("rds"), []
    for group in ("/aws/rds/instance/one/postgresql", "/aws/rds/instance/two/error"):
        parser = gatherer.parser_of(replace(SOURCE, log_group=group))
        block = parser.take(Records(1, [b"no form", b"2026-11-20 08:14:55 UTC::@:[7]:LOG:  a"]), 0)
        assert block.documents == 2
        batches += gatherer.batches()
    (batch,) = [*batches, *gatherer.finish()]

    rows = {(row["instance"], row["kind"], row["message"]) for row in batch.to_pylist()}
    assert rows == {
        ("one", "postgresql", "no form"),
        ("one", "postgresql", "a"),
        ("two", "error", "no form"),
        ("two", "error", "UTC::@:[7]:LOG:  a"),
    }
