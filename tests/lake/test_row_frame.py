from datetime import UTC, datetime, timedelta

import pyarrow
import pytest

from servicelogs import formats
from servicelogs.dates import DELIVERY_HOUR, DatePolicy, hour_of
from servicelogs.lake.arrow_values import TEXT
from servicelogs.lake.row_frame import RowFrame, RowFrames, batch_of
from servicelogs.parsing.places import Place
from servicelogs.records import Source

DELIVERED = datetime(2026, 11, 20, 9, 30, tzinfo=UTC)
DEFAULT = Place("999999999999", "eu-central-1")
SILENT = Source("s3://logs/key", "A" * 16, DELIVERED)
PLACED = Source("s3://logs/key", "A" * 16, DELIVERED, "111111111111", "eu-west-1")


def frames(
    name: str = "cloudtrail", source: Source = PLACED, dates: DatePolicy | None = None
) -> RowFrames:
    return RowFrames(formats.get(name), source, dates or DatePolicy(), DEFAULT)


def frame_at(moment: datetime, found: RowFrames) -> RowFrame:
    frame = found.of_hour[hour_of(moment)]
    assert frame is not None
    return frame


def test_rows_of_a_day_share_one_frame() -> None:
    found = frames()

    one, other = (frame_at(DELIVERED.replace(hour=hour), found) for hour in (1, 23))

    assert one is other
    assert (one.event_day, one.date_adjusted) == ("2026-11-20", False)


@pytest.mark.parametrize("own", [DELIVERED + timedelta(days=2), datetime(1969, 12, 31, tzinfo=UTC)])
def test_a_date_that_cannot_be_is_the_deliverys(own: datetime) -> None:
    frame = frame_at(own, frames())

    assert (frame.event_day, frame.date_adjusted) == ("2026-11-20", True)


def test_without_a_time_of_its_own_a_record_is_of_the_deliverys_day() -> None:
    frame = frames().of_hour[DELIVERY_HOUR]

    assert frame is not None
    assert (frame.event_day, frame.date_adjusted) == ("2026-11-20", False)


def test_items_of_a_snapshot_are_of_its_day() -> None:
    snapshot = Source("s3://logs/x/ConfigSnapshot/y", "A" * 16, DELIVERED)

    frame = frame_at(datetime(2019, 1, 1, tzinfo=UTC), frames("config", snapshot))

    assert (frame.event_day, frame.date_adjusted) == ("2026-11-20", False)


def test_what_is_past_its_retention_has_no_frame() -> None:
    dates = DatePolicy(30, now=lambda: DELIVERED)

    assert frames(dates=dates).of_hour[hour_of(DELIVERED - timedelta(days=31))] is None


def test_the_source_says_where_a_row_belongs_else_the_record_else_the_default() -> None:
    hour = hour_of(DELIVERED)
    named = ("222222222222", "us-east-1")
    places = {
        "source": frames(source=PLACED).of_place[hour, named],
        "record": frames(source=SILENT).of_place[hour, named],
        "account alone": frames(source=SILENT).of_place[hour, named[:1]],
        "nothing": frames(source=SILENT).of_hour[hour],
    }

    assert {
        which: frame and (frame.account_id, frame.region) for which, frame in places.items()
    } == {
        "source": ("111111111111", "eu-west-1"),
        "record": named,
        "account alone": ("222222222222", DEFAULT.region),
        "nothing": DEFAULT,
    }


def test_frames_of_consecutive_rows_become_columns() -> None:
    first, second = frames(source=SILENT), frames(source=PLACED)
    one = frame_at(DELIVERED, first)
    late = frame_at(DELIVERED + timedelta(days=9), second)
    schema = pyarrow.schema(
        [("date_adjusted", pyarrow.bool_()), ("log_source", TEXT), ("eventname", TEXT)]
    )

    found = batch_of(schema, [one, one, one, late], {})

    assert found.to_pydict() == {
        "date_adjusted": [None, None, None, True],
        "log_source": ["s3://logs/key"] * 4,
        "eventname": [None] * 4,
        "account_id": [DEFAULT.account_id] * 3 + ["111111111111"],
        "region": [DEFAULT.region] * 3 + ["eu-west-1"],
        "event_day": ["2026-11-20"] * 4,
    }
    assert len(found["event_day"].dictionary) == 1


def test_one_frame_for_all_rows_becomes_columns() -> None:
    schema = pyarrow.schema([("log_source", TEXT), ("log_group", TEXT), ("name", TEXT)])

    found = batch_of(schema, [frame_at(DELIVERED, frames())] * 3, {"name": pyarrow.array([*"abc"])})

    assert found["log_source"].to_pylist() == ["s3://logs/key"] * 3
    assert found["log_group"].to_pylist() == [None] * 3
    assert found["account_id"].to_pylist() == ["111111111111"] * 3
    assert found["name"].to_pylist() == ["a", "b", "c"]
