from collections.abc import Iterable
from functools import cache

import pytest
from hypothesis import given
from hypothesis import strategies as st

from servicelogs import formats
from servicelogs.parsing.reader import Parser
from servicelogs.records import Block, Records, Source
from tests.formats.envelopes import records_of
from tests.formats.make_cases import event_cases
from tests.lake.gathering import expected, gathered, mutated
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
