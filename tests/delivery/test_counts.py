"""Counts that do not add up, or of which something was left, are not a success."""

import pytest

from servicelogs.errors import TryLater, Unaccounted
from servicelogs.records import Reject
from tests.opensearch.blocks import Rejects, block, counts_of


def test_every_end_of_a_record_counts():
    rejects = Rejects()
    counts = counts_of(rejects)
    counts.take(
        block("i", [""] * 4, filtered={"expired": 2}, rejects=[Reject(5, "no", "why", b"raw")])
    )
    counts.indexed += 2
    counts.already_there += 1
    counts.reject(Reject(4, "no", "why", b"raw"))

    counts.check()

    assert (counts.records, counts.rejected, [reject.number for reject in rejects]) == (
        7,
        2,
        [5, 4],
    )


@pytest.mark.parametrize("indexed", [1, 3])
def test_a_record_too_few_or_too_many_is_an_error_that_names_the_source(indexed):
    counts = counts_of()
    counts.take(block("i", [""] * 2))
    counts.indexed = indexed

    with pytest.raises(Unaccounted, match=f"{counts.source.uri}: of 2 records {indexed} are"):
        counts.check()


def test_the_first_reason_why_records_were_left_is_kept():
    counts = counts_of()
    counts.take(block("i", [""] * 2))
    first = TryLater("busy")
    counts.leave(1, first, 4)
    counts.leave(1, TryLater("out of time"), 3)

    assert counts.add_up()
    assert counts.left_from == 3
    with pytest.raises(TryLater, match="busy"):
        counts.check()
