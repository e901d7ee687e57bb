"""The demo's last word: every record is accounted for, or which is not."""

import dataclasses

import pytest

from local.reconcile import (
    Expected,
    Found,
    InLake,
    Published,
    differences,
    lake_differences,
    settled,
    shortened,
    table,
)

URI = "s3://logs/a.log.gz"
ONE = Expected(URI, "alb", records=100, rejected=3, filtered=2)
SAID = Published("alb", records=100, indexed=95, already_there=0, rejected=3, filtered=2)
IN_LAKE = InLake(records=98, expired=0, rejected=3, rows=95)
WELL = Found({URI: 95}, {URI: 3}, {URI: SAID})


def test_nothing_is_said_when_all_three_witnesses_agree() -> None:
    assert differences([ONE], WELL) == []
    assert settled([ONE], WELL) == 100


def test_a_second_delivery_is_as_good_as_the_first() -> None:
    again = dataclasses.replace(SAID, indexed=0, already_there=95)
    assert differences([ONE], dataclasses.replace(WELL, published={URI: again})) == []


@pytest.mark.parametrize(
    ("found", "says"),
    [
        (Found({URI: 94}, {URI: 3}, {URI: SAID}), "94 searchable, should be 95"),
        (Found({URI: 96}, {URI: 3}, {URI: SAID}), "96 searchable, should be 95"),
        (Found({URI: 95}, {}, {URI: SAID}), "0 in the backup bucket, should be 3"),
        (Found({URI: 95}, {URI: 3}, {}), "the function has not said that it is done"),
    ],
)
def test_a_count_that_is_off_is_named_with_its_object(found: Found, says: str) -> None:
    (line,) = differences([ONE], found)
    assert line.startswith(URI)
    assert says in line


@pytest.mark.parametrize("count", ["records", "indexed", "already_there", "rejected", "filtered"])
def test_a_published_count_that_is_off_is_found(count: str) -> None:
    wrong = dataclasses.replace(SAID, **{count: getattr(SAID, count) + 1})
    assert differences([ONE], dataclasses.replace(WELL, published={URI: wrong}))


def test_an_object_without_records_must_have_been_skipped() -> None:
    empty = Expected("s3://logs/digest", "cloudtrail", 0, 0, 0)
    assert differences([empty], Found()) == ["0 objects without records were skipped, of 1"]
    assert differences([empty], Found(skipped=1)) == []


def test_the_table_adds_up_by_type_and_shows_the_slowest_object() -> None:
    other = dataclasses.replace(ONE, uri="s3://logs/b.log.gz")
    trail = dataclasses.replace(
        ONE, uri="cloudtrail through stream", log_type="cloudtrail", in_bucket=False
    )
    found = Found(
        {one.uri: 95 for one in (ONE, other, trail)},
        {one.uri: 3 for one in (ONE, other, trail)},
        {one.uri: SAID for one in (ONE, other, trail)},
    )
    in_lake = {ONE.uri: IN_LAKE, other.uri: IN_LAKE}
    alb, cloudtrail = table(
        "4444", [ONE, other, trail], found, {ONE.uri: 1.5, other.uri: 0.5}, in_lake
    )
    assert (alb.objects, alb.records, alb.indexed, alb.rejected, alb.filtered) == (
        2,
        200,
        190,
        6,
        4,
    )
    assert alb.seconds == 1.5
    assert (cloudtrail.objects, cloudtrail.records) == (1, 100)
    assert (alb.rows, cloudtrail.rows) == (190, None)


def test_nothing_is_said_when_each_record_is_a_row_a_reject_or_too_old() -> None:
    assert lake_differences([ONE], {URI: IN_LAKE}) == []
    old = dataclasses.replace(IN_LAKE, expired=95, rows=0)
    assert lake_differences([ONE], {URI: old}) == []


@pytest.mark.parametrize("count", ["records", "expired", "rejected", "rows"])
def test_a_count_of_the_lake_that_is_off_is_named_with_its_object(count: str) -> None:
    wrong = dataclasses.replace(IN_LAKE, **{count: getattr(IN_LAKE, count) + 1})
    (line,) = lake_differences([ONE], {URI: wrong})
    assert line.startswith(URI)


def test_what_the_lake_does_not_have_is_missed_but_for_what_never_was_in_the_bucket() -> None:
    (line,) = lake_differences([ONE], {})
    assert "0 records in the ledger, should be 98" in line
    assert lake_differences([dataclasses.replace(ONE, in_bucket=False)], {}) == []


def test_a_long_complaint_is_cut_and_says_so() -> None:
    assert shortened([str(number) for number in range(8)])[-1] == "… and 3 more"
    assert shortened(["one"]) == ["one"]
