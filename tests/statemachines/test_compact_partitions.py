"""The paths that a run of compact_partitions takes, by what its functions answer."""

from typing import Any

import pytest

from tests.statemachines.machine import MANIFEST, Machine, Play
from tests.statemachines.test_convert_logs import answers

pytestmark = pytest.mark.slow

PARTITIONS = [
    {"table": "alb", "account_id": "111122223333", "region": "eu-west-1", "event_day": day}
    for day in ("2026-11-20", "2026-11-21")
]


def machine(count: int = len(PARTITIONS), **functions: Play) -> Machine:
    usual = {
        "ExpirePartitions": answers({"state": "DONE"}),
        "PickPartitions": answers({"manifest": MANIFEST, "partitions": count}),
        "CompactPartition": answers({"state": "DONE"}),
    }
    return Machine("compact_partitions", usual | functions, PARTITIONS)


def test_what_is_picked_is_compacted_after_what_is_too_old_is_deleted(monkeypatch):
    run = machine().run(monkeypatch)

    assert run.status == "SUCCEEDED"
    assert [name for name, _ in run.calls[:2]] == ["ExpirePartitions", "PickPartitions"]
    given = [dict(event) for event in run.called("CompactPartition")]
    assert {event.pop("execution") for event in given} == {
        event["execution"] for event in run.called("PickPartitions")
    }
    assert sorted(given, key=lambda event: event["event_day"]) == PARTITIONS


def test_a_range_that_somebody_asks_for_is_picked(monkeypatch):
    asked = {"table": "alb", "from": "2026-11-01", "to": "2026-11-30"}
    run = machine().run(monkeypatch, asked)

    assert [event["asked"] for event in run.called("PickPartitions")] == [asked]
    assert [event["asked"] for event in machine(0).run(monkeypatch).called("PickPartitions")] == [
        {}
    ]


def test_where_nothing_is_picked_the_run_succeeds(monkeypatch):
    run = machine(0).run(monkeypatch)

    assert run.status == "SUCCEEDED"
    assert not run.called("CompactPartition")


def test_a_partition_whose_table_is_published_to_is_waited_for(monkeypatch):
    run = machine(CompactPartition=answers({"state": "BUSY"}, {"state": "DONE"})).run(monkeypatch)

    assert run.status == "SUCCEEDED"
    assert len(run.called("CompactPartition")) == 3


def test_a_partition_that_fails_stops_no_other_and_fails_the_run(monkeypatch):
    def compact(event: dict[str, Any]) -> dict[str, str]:
        if event["event_day"] == "2026-11-20":
            raise ValueError
        return {"state": "DONE"}

    run = machine(CompactPartition=compact).run(monkeypatch)

    assert (run.status, run.error) == ("FAILED", "SomePartitionsFailed")
    assert "2026-11-21" in {event["event_day"] for event in run.called("CompactPartition")}


def test_what_cannot_be_deleted_keeps_nothing_from_being_compacted_and_fails_the_run(monkeypatch):
    run = machine(ExpirePartitions=answers(RuntimeError)).run(monkeypatch)

    assert (run.status, run.error) == ("FAILED", "ExpiryFailed")
    assert len(run.called("CompactPartition")) == 2


def test_a_run_that_cannot_pick_fails_by_that_name(monkeypatch):
    run = machine(PickPartitions=answers(RuntimeError)).run(monkeypatch)

    assert (run.status, run.error) == ("FAILED", "NothingPicked")


def test_deleting_goes_on_until_all_is_deleted(monkeypatch):
    states = answers({"state": "MORE"}, {"state": "BUSY"}, {"state": "DONE"})
    run = machine(0, ExpirePartitions=states).run(monkeypatch)

    assert run.status == "SUCCEEDED"
    assert len(run.called("ExpirePartitions")) == 3
    assert run.states.count("WaitForTheLeases") == 1
