"""Which index a record goes to."""

from datetime import UTC, datetime, timedelta
from fnmatch import fnmatchcase

import pytest

from servicelogs import formats
from servicelogs.dates import DatePolicy
from servicelogs.opensearch.dated_indexes import DatedIndex, DatedIndexes
from servicelogs.opensearch.index_names import IndexNames
from servicelogs.parsing.format import PERIODS, Period
from servicelogs.records import Source

NOW = datetime(2026, 11, 23, 15, 30, tzinfo=UTC)
DELIVERED = datetime(2026, 11, 23, 14, 5, tzinfo=UTC)
SOURCE = Source("s3://logs/key", "0123456789abcdef", DELIVERED)
ALB, VPC_FLOW, CONFIG = (formats.get(name) for name in ("alb", "vpc_flow", "config"))


def names(period: Period = "day") -> IndexNames:
    return IndexNames("aws", period)


def indexes(period: Period = "day", delete_after_days: int = 0) -> DatedIndexes:
    return DatedIndexes(names(period), lambda _: DatePolicy(delete_after_days, now=lambda: NOW))


@pytest.mark.parametrize(
    ("period", "index"),
    [
        ("hour", "aws-alb-2026.11.23.09"),
        ("day", "aws-alb-2026.11.23"),
        ("week", "aws-alb-2026.w48"),
        ("month", "aws-alb-2026.11"),
        ("year", "aws-alb-2026"),
    ],
)
def test_an_index_is_named_after_the_type_and_the_records_own_time(
    period: Period, index: str
) -> None:
    date = indexes(period).of(ALB)(datetime(2026, 11, 23, 9, tzinfo=UTC), SOURCE)
    assert date == DatedIndex(index, adjusted=False)


def test_a_week_belongs_to_the_year_that_has_most_of_it() -> None:
    source = Source("", "", datetime(2027, 1, 1, tzinfo=UTC))
    date = indexes("week").of(ALB)(datetime(2027, 1, 1, tzinfo=UTC), source)
    assert date == DatedIndex("aws-alb-2026.w53", adjusted=False)


def test_a_types_underscores_are_dashes() -> None:
    date = indexes().of(VPC_FLOW)(DELIVERED, SOURCE)
    assert date == DatedIndex("aws-vpc-flow-2026.11.23", adjusted=False)


@pytest.mark.parametrize(
    "hour",
    [
        DELIVERED + timedelta(days=1, hours=1),
        datetime(9999, 12, 31, 23, tzinfo=UTC),
        datetime(1969, 12, 31, 23, tzinfo=UTC),
        datetime(1, 1, 1, tzinfo=UTC),
    ],
)
def test_a_time_that_cannot_be_true_becomes_the_deliverys(hour: datetime) -> None:
    assert indexes().of(ALB)(hour, SOURCE) == DatedIndex(
        "aws-alb-2026.11.23", adjusted=True, by_delivery=True
    )


def test_a_time_within_a_day_after_delivery_is_kept() -> None:
    date = indexes().of(ALB)(DELIVERED + timedelta(hours=23), SOURCE)
    assert date == DatedIndex("aws-alb-2026.11.24", adjusted=False)


def test_a_record_older_than_what_is_kept_has_no_index() -> None:
    date = indexes(delete_after_days=30).of(ALB)
    assert date(NOW - timedelta(days=31), SOURCE) is None
    assert date(NOW - timedelta(days=29), SOURCE) == DatedIndex(
        "aws-alb-2026.10.25", adjusted=False
    )


def test_nothing_expires_when_nothing_is_deleted() -> None:
    date = indexes().of(ALB)(datetime(1999, 1, 1, tzinfo=UTC), SOURCE)
    assert date == DatedIndex("aws-alb-1999.01.01", adjusted=False)


def test_an_object_delivered_long_ago_has_expired_whatever_its_records_say() -> None:
    source = Source("", "", NOW - timedelta(days=40))
    assert indexes(delete_after_days=30).of(ALB)(NOW + timedelta(days=400), source) is None


def test_config_items_are_dated_by_themselves_but_those_of_a_snapshot_by_its_delivery() -> None:
    dates = indexes().of(CONFIG)
    recorded = datetime(2019, 1, 1, tzinfo=UTC)
    history = Source(
        "s3://logs/AWSLogs/1/Config/eu-west-1/2026/11/5/ConfigHistory/x", "", DELIVERED
    )
    snapshot = Source(
        "s3://logs/AWSLogs/1/Config/eu-west-1/2026/11/5/ConfigSnapshot/x", "", DELIVERED
    )
    assert dates(recorded, history) == DatedIndex("aws-config-2019.01", adjusted=False)
    assert dates(recorded, snapshot) == DatedIndex("aws-config-2026.11", by_delivery=True)


def test_config_items_follow_a_period_that_is_coarser_than_a_month() -> None:
    date = indexes("year").of(CONFIG)(DELIVERED, SOURCE)
    assert date == DatedIndex("aws-config-2026", adjusted=False)


@pytest.mark.parametrize("period", PERIODS)
def test_an_index_is_of_the_period_that_named_it_and_of_no_other(period: Period) -> None:
    date = indexes(period).of(ALB)(DELIVERED, SOURCE)
    assert date is not None
    of = [other for other in PERIODS if names(other).is_of_period(ALB, date.name)]
    assert of == [period]


def test_a_types_patterns_match_its_indexes_and_not_those_of_types_that_begin_alike() -> None:
    def matches(index: str) -> bool:
        return any(fnmatchcase(index, pattern) for pattern in names().patterns("alb"))

    assert matches("aws-alb-2026.11.23")
    assert matches("aws-alb-1999.w01")
    assert not matches("aws-alb-connection-2026.11.23")
