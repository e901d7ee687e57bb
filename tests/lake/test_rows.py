"""Rows of text and of messages: the same that the oracle gives, however their records come."""

from collections import Counter
from datetime import timedelta

import pytest

from servicelogs import formats
from servicelogs.dates import DatePolicy
from servicelogs.opensearch.dated_indexes import one_index
from servicelogs.opensearch.documents import parser_of
from tests.formats.make_cases import FOLDER
from tests.formats.parsing import SOURCE
from tests.lake.gathering import expected, gathered, new_gatherer, of_object, refused, samples_of

pytestmark = pytest.mark.slow

NAMES = [name for name in formats.NAMES if formats.get(name).kind != "json"]


@pytest.mark.parametrize("name", NAMES)
def test_records_become_the_rows_that_the_oracle_gives(name: str) -> None:
    for sample in samples_of(name):
        rows = gathered(name, sample.blocks_of, sample.source)

        for row, other in zip(rows, expected(name, sample.blocks_of, sample.source), strict=True):
            assert row == other, sample.name


@pytest.mark.parametrize("name", NAMES)
def test_what_is_no_record_is_refused_as_by_the_other_engine(name: str) -> None:
    for sample in samples_of(name):
        other = parser_of(sample.log_format, sample.source, one_index("an-index"))

        assert refused(new_gatherer(name).parser_of(sample.source), sample.blocks_of) == refused(
            other, sample.blocks_of
        )


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("size", [61, 4099])
def test_rows_do_not_depend_on_how_an_object_comes(name: str, size: int) -> None:
    data = next(FOLDER.glob(f"{name}/documented.*[!n]")).read_bytes()

    assert gathered(name, of_object(data, size)) == gathered(name, of_object(data))


@pytest.mark.parametrize("name", NAMES)
def test_rows_of_a_later_attempt_are_those_from_where_it_starts(name: str) -> None:
    data = next(FOLDER.glob(f"{name}/documented.*[!n]")).read_bytes()
    rows = gathered(name, of_object(data))
    start = rows[len(rows) // 2]["log_record"]

    later = gathered(name, of_object(data, 61, start))

    assert later == [row for row in rows if row["log_record"] >= start]


@pytest.mark.parametrize("name", NAMES)
def test_what_has_expired_has_no_row_and_is_counted(name: str) -> None:
    late = DatePolicy(30, now=lambda: SOURCE.delivered + timedelta(days=31))
    sample = next(one for one in samples_of(name) if "documented" in one.name)
    gatherer = new_gatherer(name, late)
    filtered: Counter[str] = Counter()
    for block in sample.blocks_of(gatherer.parser_of(SOURCE)):
        filtered.update(block.filtered)

    assert [*gatherer.finish()] == []
    assert filtered["expired"] == len(gathered(name, sample.blocks_of)) > 0
