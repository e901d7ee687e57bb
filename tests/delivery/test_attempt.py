"""Items of any event succeed or fail by their sources, and every record is counted where it ended.

Through SQS and S3 the same is in `tests/opensearch/test_index_objects.py`. Here an item is a record
of a stream, and several of them share one source.
"""

from collections.abc import Iterator
from itertools import chain, repeat

import boto3
import pytest

from servicelogs.delivery.attempt import Attempt
from servicelogs.delivery.lines_file import LinesFile
from servicelogs.delivery.rejects import file_key
from servicelogs.errors import ClusterNeedsFixing, TryLater, Unaccounted
from servicelogs.records import Block, Reject
from tests.opensearch.blocks import SOURCE, block
from tests.opensearch.fake_engine import FakeEngine, FakeWriter

BACKUP = "log-backup"
INDEX = "aws-alb-2026.11.23"


@pytest.fixture
def engine() -> FakeEngine:
    return FakeEngine()


@pytest.fixture
def s3(aws):
    client = boto3.client("s3")
    client.create_bucket(Bucket=BACKUP)
    return client


def attempt_of(engine: FakeEngine, s3, clock: Iterator[float] | None = None) -> Attempt:
    return Attempt(
        writer=engine.writer(),
        s3=s3,
        backup_bucket=BACKUP,
        seconds_left=lambda: next(clock) if clock else 300.0,
    )


def blocks(*sizes: int, name: str = "", rejects: int = 0) -> list[Block]:
    """Make consecutive blocks; the last has rejects behind its documents."""
    made, first = [], 1
    for size in sizes:
        made.append(block(INDEX, [""] * size, first=first, id_of=f"{name}-{{}}".format))
        first += size
    made[-1].rejects += [Reject(first + at, "no", "why", b"raw") for at in range(rejects)]
    made[-1].end += rejects
    return made


def keys(s3) -> list[str]:
    return [found["Key"] for found in s3.list_objects_v2(Bucket=BACKUP).get("Contents", [])]


def test_the_items_of_one_source_are_done_together_and_the_source_is_counted_once(engine, s3):
    attempt = attempt_of(engine, s3)
    items = [attempt.item(sequence_number=number) for number in range(3)]
    delivery = attempt.begin(SOURCE, "alb", 1, *items)
    attempt.deliver(delivery, blocks(2, 3, rejects=1))

    attempt.settle()

    assert attempt.report() == [None, None, None]
    assert attempt.totals.by_type["alb"] == {
        "Objects": 1,
        "Records": 6,
        "Indexed": 5,
        "AlreadyThere": 0,
        "Rejected": 1,
        "Filtered": 0,
    }
    assert keys(s3) == [file_key(SOURCE, "alb", 1)]


def test_a_source_that_was_left_fails_all_of_its_items_and_no_others(engine, s3, monkeypatch):
    attempt = attempt_of(engine, s3)
    one, two, three = (attempt.item(number=number) for number in range(3))
    attempt.deliver(attempt.begin(SOURCE, "alb", 1, one, two), blocks(2, name="a", rejects=1))
    attempt.deliver(attempt.begin(SOURCE, "waf", 1, three), blocks(2, name="b"))
    create, busy = FakeWriter._create, TryLater("busy")
    monkeypatch.setattr(
        FakeWriter,
        "_create",
        lambda writer, given, counts: (
            counts.leave(given.documents, busy, given.first)
            if counts.log_type == "alb"
            else create(writer, given, counts)
        ),
    )

    attempt.settle()

    assert attempt.report() == [busy, busy, None]
    assert list(attempt.totals.by_type) == ["waf"]
    assert keys(s3) == []


def test_an_item_that_cannot_be_read_fails_alone_and_its_source_is_delivered(engine, s3):
    attempt = attempt_of(engine, s3)
    good, bad = attempt.item(number=1), attempt.item(number=2)
    attempt.deliver(attempt.begin(SOURCE, "alb", 1, good, bad), blocks(2))
    fault = ValueError("not an envelope")
    with attempt.failing(bad):
        raise fault

    attempt.settle()

    assert attempt.report() == [None, fault]
    assert attempt.totals.by_type["alb"]["Indexed"] == 2


def test_after_the_report_no_file_of_rejects_is_open(engine, s3, monkeypatch):
    opened = []

    class NotedFile(LinesFile):
        def __init__(self):
            super().__init__()
            self.closed = False
            opened.append(self)

        def close(self):
            super().close()
            self.closed = True

    monkeypatch.setattr("servicelogs.delivery.rejects.LinesFile", NotedFile)
    attempt = attempt_of(engine, s3)
    good, bad = attempt.item(number=1), attempt.item(number=2)
    attempt.deliver(attempt.begin(SOURCE, "alb", 1, good), blocks(2, rejects=1))
    attempt.deliver(attempt.begin(SOURCE, "waf", 1, bad), blocks(2, rejects=1, name="b"))
    bad.fail(ValueError("left"))

    attempt.settle()
    attempt.report()

    assert [file.closed for file in opened] == [True, True]


def test_an_item_keeps_its_first_error(engine, s3):
    attempt = attempt_of(engine, s3)
    item = attempt.item()
    first = ValueError("first")
    for error in (first, TryLater("second")):
        with attempt.failing(item):
            raise error

    attempt.settle()

    assert attempt.report() == [first]


def test_where_the_time_is_over_the_next_attempt_goes_on(engine, s3):
    attempt = attempt_of(engine, s3, chain([300.0, 300.0], repeat(59.0)))
    item = attempt.item()
    delivery = attempt.begin(SOURCE, "alb", 1, item)
    read = iter(blocks(2, 3, 4))
    attempt.deliver(delivery, read)

    attempt.settle()

    assert attempt.report() == [None]
    assert (delivery.resume_at, next(read).first) == (6, 6)
    assert attempt.totals.by_type["alb"]["Records"] == 5
    assert attempt.totals.by_type["alb"]["Objects"] == 0


@pytest.mark.parametrize(("timeout", "reserve"), [(900, 60), (240, 60), (100, 25), (4, 1)])
def test_the_end_has_a_minute_or_a_quarter_of_a_short_timeout(engine, s3, timeout, reserve):
    for left, over in ((reserve, False), (reserve - 0.1, True)):
        attempt = attempt_of(engine, s3, iter([timeout, left]))
        assert attempt.out_of_time() is over


def test_what_keeps_the_engine_from_taking_more_is_raised_before_the_next_source(engine, s3):
    attempt = attempt_of(engine, s3)
    attempt.raise_if_blocked()
    item = attempt.item()
    delivery = attempt.begin(SOURCE, "alb", 1, item)
    delivery.counts.leave(0, TryLater("busy"), 1)

    with pytest.raises(TryLater, match="busy"):
        attempt.deliver(delivery, blocks(2))

    with pytest.raises(TryLater, match="busy"):
        attempt.raise_if_blocked()


def test_a_cluster_that_needs_fixing_fails_everything_and_saves_and_counts_nothing(engine, s3):
    engine.error = ClusterNeedsFixing("delete old indexes")
    s3.put_object(Bucket=BACKUP, Key="rejected/earlier")
    attempt = attempt_of(engine, s3)
    for name in ("a", "b"):
        attempt.deliver(attempt.begin(SOURCE, name, 1, attempt.item()), blocks(1, rejects=1))

    attempt.settle()

    with pytest.raises(ClusterNeedsFixing, match="delete old indexes"):
        attempt.report()
    assert attempt.totals.by_type == {}
    assert keys(s3) == ["rejected/earlier"]


def test_counts_that_do_not_add_up_fail_the_item(engine, s3):
    attempt = attempt_of(engine, s3)
    delivery = attempt.begin(SOURCE, "alb", 1, attempt.item())
    attempt.deliver(delivery, blocks(2))
    delivery.counts.indexed -= 1

    attempt.settle()

    (error,) = attempt.report()
    assert isinstance(error, Unaccounted)
    assert attempt.totals.by_type == {}


def test_a_source_none_of_which_can_be_read_is_one_rejected_record(engine, s3):
    attempt = attempt_of(engine, s3)
    delivery = attempt.begin(SOURCE, "unknown", 1, attempt.item())
    delivery.reject_whole(Reject(1, "unknown_log_type", "why", b"raw"))

    attempt.settle()

    assert attempt.report() == [None]
    assert attempt.totals.by_type["unknown"]["Records"] == 1
    assert attempt.totals.rejected() == 1


def test_what_was_skipped_counts_where_the_item_is_done(engine, s3):
    attempt = attempt_of(engine, s3)
    for error in (None, ValueError("no")):
        item = attempt.item()
        item.skipped["control message"] += 1
        if error:
            item.fail(error)

    attempt.settle()
    attempt.report()

    assert attempt.totals.skipped == {"control message": 1}


def test_a_backup_bucket_that_cannot_be_read_fails_every_item(engine, aws):
    s3 = boto3.client("s3")  # without a backup bucket
    attempt = attempt_of(engine, s3)
    for number in range(2):
        delivery = attempt.begin(SOURCE, "alb", 1, attempt.item())
        attempt.deliver(delivery, blocks(1, name=str(number)))

    attempt.settle()

    assert ["could not be read" in str(error) for error in attempt.report()] == [True, True]
    assert attempt.totals.by_type == {}


def test_no_items_at_all_are_no_error(engine, s3):
    attempt = attempt_of(engine, s3)

    attempt.settle()

    assert attempt.report() == []


def test_the_log_says_which_item_failed_why_and_what_it_held(engine, s3, caplog):
    attempt = attempt_of(engine, s3)
    item = attempt.item(sequence_number="49590")
    attempt.begin(SOURCE, "alb", 1, item)
    with attempt.failing(item):
        raise TryLater("busy")

    attempt.settle()
    attempt.report()

    (said,) = (vars(record) for record in caplog.records if record.message == "item failed")
    assert said["levelname"] == "ERROR"
    assert (said["sequence_number"], said["sources"]) == ("49590", [SOURCE.uri])
    assert (said["error_type"], said["error"]) == ("TryLater", "busy")
