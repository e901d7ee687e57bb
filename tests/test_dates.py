"""Which date a record counts under, and how hours are counted."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from servicelogs.dates import (
    EPOCH,
    DatePolicy,
    RecordDate,
    hour_of,
    hour_start,
    iso,
    iso_hour,
    read_iso_hour,
)
from servicelogs.records import Source

NOW = datetime(2026, 11, 23, 15, 30, tzinfo=UTC)
DELIVERED = datetime(2026, 11, 23, 14, 5, tzinfo=UTC)
SOURCE = Source("s3://logs/key", "0123456789abcdef", DELIVERED)

moments = st.datetimes(datetime(1, 1, 1), datetime(9999, 12, 31), timezones=st.just(UTC))  # noqa: DTZ001


def policy(delete_after_days: int = 0) -> DatePolicy:
    return DatePolicy(delete_after_days, now=lambda: NOW)


def test_a_record_counts_under_its_own_date() -> None:
    own = datetime(2019, 1, 1, 3, tzinfo=UTC)
    assert policy().date(own, SOURCE) == RecordDate(own)


@pytest.mark.parametrize(
    "own", [EPOCH - timedelta(hours=1), DELIVERED + timedelta(days=1, hours=1)]
)
def test_a_date_that_cannot_be_true_becomes_the_deliverys(own: datetime) -> None:
    assert policy().date(own, SOURCE) == RecordDate(DELIVERED, adjusted=True)


@pytest.mark.parametrize("own", [EPOCH, DELIVERED + timedelta(days=1)])
def test_a_date_that_could_be_true_stays(own: datetime) -> None:
    assert policy().date(own, SOURCE) == RecordDate(own)


def test_what_tells_of_its_delivery_counts_under_that_and_is_not_adjusted() -> None:
    for own in (EPOCH, DELIVERED + timedelta(days=9)):
        assert policy().date(own, SOURCE, by_delivery=True) == RecordDate(DELIVERED)


def test_past_its_retention_a_record_has_no_date() -> None:
    assert policy(30).date(NOW - timedelta(days=30), SOURCE) is not None
    assert policy(30).date(NOW - timedelta(days=30, seconds=1), SOURCE) is None
    assert policy(0).date(EPOCH, SOURCE) is not None


def test_a_date_that_cannot_be_true_keeps_no_record_beyond_its_retention() -> None:
    delivered_long_ago = replace(SOURCE, delivered=NOW - timedelta(days=31))
    assert policy(30).date(NOW + timedelta(days=365), delivered_long_ago) is None
    assert policy(30).date(NOW, delivered_long_ago, by_delivery=True) is None


@given(moment=moments)
def test_an_hour_is_read_as_it_is_written_and_begins_before_what_happens_in_it(
    moment: datetime,
) -> None:
    hour = hour_of(moment)
    assert hour_start(hour) <= moment < hour_start(hour) + timedelta(hours=1)
    assert read_iso_hour(iso_hour(hour)) == (hour, iso_hour(hour))
    assert iso(hour_start(hour)).encode().startswith(iso_hour(hour))


@pytest.mark.parametrize(
    "text",
    [
        b"",
        b"-",
        b"2026-11-20T24",
        b"2026-02-30T08",
        b"2026-11-20T 8",
        b"2026-11-20 08",
        b"2026-1-20T08",
    ],
)
def test_what_is_not_an_hour_is_an_error(text: bytes) -> None:
    with pytest.raises(ValueError, match="the hour does not exist: "):
        read_iso_hour(text)


def test_an_hour_that_no_calendar_has_is_an_overflow() -> None:
    for hour in (10**9, -(10**9)):
        with pytest.raises(OverflowError):
            iso_hour(hour)
