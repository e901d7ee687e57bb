"""Every record of a shard ends once, whatever happens to its batches on the way."""

import itertools
import random
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import boto3
import pytest

from servicelogs.delivery.attempt import Attempt
from servicelogs.delivery.failed_items import report
from servicelogs.delivery.metrics import Totals
from servicelogs.detection.log_events import EventTypes
from servicelogs.errors import ClusterNeedsFixing, EveryItemFailed, NotReached, TryLater
from servicelogs.opensearch.dated_indexes import every_index
from servicelogs.opensearch.index_records import RecordIndexer
from servicelogs.settings import LogSettings
from servicelogs.sources.kinesis import StreamRecord
from tests.deployment import BACKUP, Deployment
from tests.opensearch.fake_engine import FakeEngine, FakeWriter
from tests.sources.envelopes import CONTROL, envelope
from tests.sources.stream_events import FIRST, SHARD, compressed, stream_record

FLOW = "2 111122223333 eni-0a1b 192.0.2.{} 192.0.2.2 1 2 6 12 5120 1795162490 1795162495 ACCEPT OK"


def flows(number: int, events: int = 3, bad: tuple[int, ...] = ()) -> bytes:
    """Make the data of a record: an envelope of flow logs, with events that are unique."""
    first = number * 100
    lines = ("bad" if at in bad else FLOW.format(at % 250) for at in range(first, first + events))
    return compressed(envelope(*lines, first=first + 1))


@dataclass
class Shard:
    """A shard whose records Lambda hands to the function, as its documentation says."""

    s3: Any
    engine: FakeEngine = field(default_factory=FakeEngine)
    counts: dict[str, Counter[str]] = field(default_factory=dict)
    records: list[dict[str, Any]] = field(default_factory=list)
    errors: list[Exception | None] = field(default_factory=list)

    def put(self, *data: bytes | str) -> None:
        first = len(self.records)
        self.records += [stream_record(one, number) for number, one in enumerate(data, first)]

    def invoke(
        self, records: list[dict[str, Any]], clock: Iterator[float] | None = None
    ) -> list[str]:
        """Hand over a batch; return the sequence numbers that failed."""
        attempt = Attempt(
            writer=self.engine.writer(),
            s3=self.s3,
            backup_bucket=BACKUP,
            seconds_left=(lambda: next(clock)) if clock else (lambda: 300.0),
        )
        indexer = RecordIndexer(
            attempt, types=EventTypes(LogSettings()), indexes=every_index(), on_report=self._count
        )

        given = [StreamRecord.of(record) for record in records]
        self.errors = indexer.index(given)
        answer = report([record.sequence_number for record in given], self.errors)
        return [item["itemIdentifier"] for item in answer["batchItemFailures"]]

    def consume(
        self, size: int, clock: Callable[[], Iterator[float] | None] = lambda: None, most: int = 100
    ) -> int:
        """Hand over all records, from each checkpoint on; return how many invocations it took."""
        at, invocations = 0, 0
        while at < len(self.records):
            invocations += 1
            assert invocations < most, "it does not come to an end"
            failed = self.invoke(self.records[at : at + size], clock())
            # The lowest sequence number is the checkpoint.
            at = min(map(int, failed)) - FIRST if failed else at + size
        return invocations

    def _count(self, totals: Totals) -> None:
        for log_type, counts in totals.by_type.items():
            self.counts.setdefault(log_type, Counter()).update(counts)

    def rejected(self) -> dict[str, list[dict[str, Any]]]:
        return Deployment(self.s3, None, "", "").rejected()


@pytest.fixture
def shard(aws) -> Shard:
    s3 = boto3.client("s3")
    s3.create_bucket(Bucket=BACKUP)
    return Shard(s3)


def test_the_events_of_a_batch_are_indexed(shard):
    shard.put(flows(0), compressed(CONTROL), flows(1))

    assert shard.invoke(shard.records) == []

    assert len(shard.engine.documents) == 6
    assert shard.counts["vpc_flow"] == {
        "Objects": 1,
        "Records": 6,
        "Indexed": 6,
        "AlreadyThere": 0,
        "Rejected": 0,
        "Filtered": 0,
    }
    assert {one["log"]["source"] for one in shard.engine.documents.values()} == {
        f"kinesis://shop-logs/{SHARD}"
    }


def test_a_redelivered_batch_changes_nothing(shard):
    shard.put(flows(0, bad=(1,)), flows(1), "no base64!")
    found = []
    for _ in range(2):
        assert shard.invoke(shard.records) == []
        found.append((dict(shard.engine.documents), shard.rejected()))
    assert found[0] == found[1]
    assert len(found[0][0]) == 5
    assert shard.counts["vpc_flow"]["AlreadyThere"] == 5


def test_what_cannot_be_indexed_lies_under_its_sequence_number_and_number_in_its_record(shard):
    shard.put(flows(0), flows(1, bad=(101,)), "no base64!")
    shard.engine.refuses = lambda document: document["srcaddr"] == "192.0.2.2"

    assert shard.invoke(shard.records) == []

    lines = shard.rejected()
    (by_type,) = (
        value for key, value in lines.items() if key.startswith("rejected/vpc_flow/2026/")
    )
    places = [(line["sequence_number"], line["record_number"], line["raw"]) for line in by_type]
    assert sorted(places) == [
        (str(FIRST), 3, FLOW.format(2)),
        (str(FIRST + 1), 2, "bad"),
    ]
    ((unreadable,),) = (value for key, value in lines.items() if key.startswith("rejected/unknown"))
    assert (unreadable["sequence_number"], unreadable["raw"]) == (str(FIRST + 2), "no base64!")


def test_a_poison_record_in_the_middle_holds_up_only_itself_and_what_follows(shard):
    shard.put(*(flows(number) for number in range(5)))
    shard.engine.leaves = lambda document: document["srcaddr"] == f"192.0.2.{201}"

    failed = shard.invoke(shard.records)

    assert min(failed) == str(FIRST + 2)
    assert len(shard.engine.documents) == 14
    counts = shard.counts["vpc_flow"]
    assert (counts["Records"], counts["Indexed"], counts["Objects"]) == (14, 14, 0)

    with pytest.raises(EveryItemFailed):  # it is the first now
        shard.invoke(shard.records[2:])
    shard.engine.leaves = lambda document: False
    assert shard.invoke(shard.records[2:]) == []
    assert len(shard.engine.documents) == 15


def test_a_throttled_engine_leaves_the_batch_for_later_and_nothing_is_lost(shard):
    shard.put(*(flows(number) for number in range(3)))
    shard.engine.error = TryLater("busy")

    with pytest.raises(EveryItemFailed):
        shard.invoke(shard.records)
    assert isinstance(shard.errors[0], TryLater)

    shard.engine.error = None
    assert shard.consume(2) == 2
    assert len(shard.engine.documents) == 9


def test_what_a_busy_engine_has_taken_before_is_done_and_counted(shard, monkeypatch):
    shard.put(*(flows(number) for number in range(4)))
    taken = FakeWriter.add

    def add(self, block, counts):
        if counts.records == 6:
            raise TryLater("no template yet")
        taken(self, block, counts)

    monkeypatch.setattr(FakeWriter, "add", add)
    failed = shard.invoke(shard.records)

    assert [int(number) - FIRST for number in failed] == [2, 3]
    assert isinstance(shard.errors[2], TryLater)
    assert shard.counts["vpc_flow"]["Indexed"] == 6


def test_two_types_in_a_batch_go_on_from_the_first_that_is_left(shard):
    trail = '{"eventVersion":"1.11","eventTime":"2026-11-20T08:14:55Z","eventID":"own"}'
    shard.put(flows(0), compressed(envelope(trail)), flows(2))
    shard.engine.leaves = lambda document: document["log"]["type"] == "cloudtrail"

    assert min(map(int, shard.invoke(shard.records))) == FIRST + 1
    assert shard.counts["vpc_flow"]["Indexed"] == 6
    assert shard.counts["vpc_flow"]["Objects"] == 1
    assert shard.counts["cloudtrail"]["Records"] == 0


def test_a_cluster_that_needs_fixing_fails_the_invocation(shard):
    shard.put(flows(0))
    shard.engine.error = ClusterNeedsFixing("no room: add a node")
    with pytest.raises(ClusterNeedsFixing, match="add a node"):
        shard.invoke(shard.records)


def test_what_there_is_no_time_for_is_reported_and_is_no_failure(shard):
    shard.put(*(flows(number, bad=(number * 100,)) for number in range(10)))
    clock = lambda: itertools.chain([300.0] * 4, itertools.repeat(1.0))  # noqa: E731

    failed = shard.invoke(shard.records, clock())

    assert 1 < len(failed) < 10
    assert {type(error) for error in shard.errors} == {type(None), NotReached}

    assert shard.consume(10, clock) > 2
    assert len(shard.engine.documents) == 20
    lines = [line for value in shard.rejected().values() for line in value]
    assert sorted(line["sequence_number"] for line in lines) == [
        str(FIRST + number) for number in range(10)
    ]


def test_an_invocation_that_dies_only_repeats_work(shard, monkeypatch):
    shard.put(flows(0), flows(1, bad=(101,)), flows(2))
    with monkeypatch.context() as patch:
        patch.setattr(Attempt, "report", lambda self: (_ for _ in ()).throw(SystemExit))
        with pytest.raises(SystemExit):
            shard.invoke(shard.records)

    shard.consume(2)

    assert len(shard.engine.documents) == 8
    assert [len(lines) for lines in shard.rejected().values()] == [1]


def test_a_reject_of_an_earlier_attempt_goes_when_the_record_is_indexed(shard):
    shard.put(flows(0), flows(1))
    shard.engine.refuses = lambda document: document["srcaddr"] == "192.0.2.1"
    shard.invoke(shard.records)
    assert len(shard.rejected()) == 1

    shard.engine.refuses = lambda document: False
    shard.invoke(shard.records)

    assert shard.rejected() == {}
    assert len(shard.engine.documents) == 6


def test_a_rejects_file_that_cannot_be_written_fails_the_batch(shard):
    shard.put(flows(0, bad=(1,)))
    shard.s3.delete_bucket(Bucket=BACKUP)
    with pytest.raises(EveryItemFailed):
        shard.invoke(shard.records)


def test_records_end_once_whatever_the_batches_and_the_faults(shard):
    rng = random.Random(7)
    shard.put(*(flows(number, bad=(number * 100 + number % 3,)) for number in range(30)))
    shard.engine.refuses = lambda document: document["srcaddr"].endswith("7")
    poison = {"now": True}
    shard.engine.leaves = lambda document: poison["now"] and rng.random() < 0.1

    for _ in range(2):  # and once more from TRIM_HORIZON
        at = 0
        for _ in range(300):
            size = rng.randint(1, 8)
            spent = itertools.chain([300.0] * rng.randint(1, 9), itertools.repeat(1.0))
            try:
                failed = shard.invoke(shard.records[at : at + size], spent)
            except EveryItemFailed:
                continue
            at = min(map(int, failed)) - FIRST if failed else at + size
            if at >= len(shard.records):
                break
        assert at >= len(shard.records)

    lines = [line for value in shard.rejected().values() for line in value]
    places = [(line["sequence_number"], line["record_number"]) for line in lines]
    assert len(places) == len({*places})
    assert len(shard.engine.documents) + len(lines) == 90
    assert sum(line["raw"] == "bad" for line in lines) == 30
