"""Plans: which objects come into which batch, and which batches an execution converts."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from servicelogs.lake import names
from servicelogs.lake.items import update
from servicelogs.lake.manifests import Manifest
from servicelogs.lake.plan import Plan, plan
from tests.lake.lake_world import STAGING, World, enough_time

START = datetime(2026, 11, 20, tzinfo=UTC).timestamp()


def stage(world: World, *objects: str) -> None:
    """Deliver and stage objects, a second apart."""
    for name in objects:
        world.now += 1
        world.stage(world.deliver(name, "alb 2026-11-20"))


@pytest.fixture
def world(world: World) -> World:
    world.now = START
    return world


def planned(world: World, execution: str = "", seconds_left: Any = enough_time) -> Plan:
    execution = execution or world.start()
    return plan(world.lake, execution, world.attempt(), world.attempt(), seconds_left)


def objects(world: World, batch: str) -> list[str]:
    """Name the objects of a batch, in the order of its manifest."""
    manifest = world.lake.staging.read(names.manifest_key(batch), Manifest)
    return [world.lines(STAGING, one.key)[0] for one in manifest.objects]


def batches(world: World, execution: str = "") -> list[list[str]]:
    return [objects(world, batch) for batch in world.batches(planned(world, execution))]


def test_a_batch_has_so_many_objects_the_oldest_first(world):
    world.change(max_objects_per_batch=2)
    stage(world, *"edcba")
    assert sorted(batches(world)) == [["a"], ["c", "b"], ["e", "d"]]


def test_a_batch_has_so_many_bytes_but_one_object_at_least(world):
    world.change(max_bytes_per_batch=40)
    stage(world, "a", "b", "c" * 60, "d", "e")
    assert batches(world) == [["a", "b"], ["c" * 60], ["d", "e"]]


def test_a_run_has_so_many_batches_and_the_next_plan_the_rest(world):
    world.change(max_objects_per_batch=1, max_batches_per_run=2)
    stage(world, *"abcde")
    execution = world.start()
    first, second, third = (planned(world, execution) for _ in range(3))
    assert [one.batches for one in (first, second, third)] == [2, 2, 1]
    assert [one.more for one in (first, second, third)] == [True, True, False]
    oldest = [objects(world, b) for b in world.batches(first)]
    assert sorted(oldest) == [["a"], ["b"]]


def test_a_plan_that_has_no_time_leaves_the_rest(world):
    world.change(max_objects_per_batch=1)
    stage(world, *"abc")
    clock = iter([300.0, 300.0, 300.0, 20.0])
    some = planned(world, seconds_left=lambda: next(clock, 20.0))
    assert some.more
    assert some.batches < 3
    rest = planned(world)
    assert some.batches + rest.batches == 3


def test_nothing_to_do_is_a_plan_without_batches(world):
    nothing = planned(world)
    assert (nothing.batches, nothing.more, nothing.oldest) == (0, False, None)
    assert world.batches(nothing) == []


def test_types_are_not_mixed(world):
    from tests.lake.test_stage import ALB_KEY, put

    stage(world, "a")
    put(world, ALB_KEY)
    world.stage(ALB_KEY)
    kinds = {world.lake.ledger.batch(batch).log_type for batch in world.batches(planned(world))}
    assert kinds == {"alb", names.UNIDENTIFIED}


def test_a_batch_is_handed_out_to_one_running_execution(world):
    stage(world, "a")
    first = world.start()
    (batch,) = world.plan(first)
    assert world.plan(world.start()) == []
    # It failed there: the same execution, which may plan again, does not try again.
    assert world.plan(first) == []
    world.end(first)
    assert world.plan(world.start()) == [batch]


def test_what_a_killed_attempt_at_a_plan_handed_out_is_in_the_next_attempts_plan(world):
    stage(world, "a")
    run = world.start()
    (batch,) = world.plan(run, entered="08:15:00")
    stage(world, "b")
    first, second = world.plan(run, entered="08:15:00")
    assert first == batch
    # A later plan of the run: both were converted, or failed.
    assert world.plan(run, entered="08:16:00") == []
    world.end(run)
    assert world.plan(world.start()) == [first, second]


def test_objects_that_are_in_work_are_not_planned_again(world):
    stage(world, "a")
    world.plan(world.start())
    stage(world, "b")
    assert batches(world) == [["b"]]


def test_copies_of_what_is_done_are_deleted(world):
    stage(world, "a")
    (copy,) = world.keys(STAGING, names.RAW)
    kept = world.aws.objects[STAGING, copy]
    world.run()
    world.aws.objects[STAGING, copy] = kept  # a stage that was late
    assert batches(world) == []
    assert world.keys(STAGING, names.RAW) == []


def test_the_same_bytes_delivered_again_are_one_object(world):
    stage(world, "a", "a")
    assert len(world.keys(STAGING, names.RAW)) == 2
    assert batches(world) == [["a"]]
    planned(world)
    assert len(world.keys(STAGING, names.RAW)) == 1
    world.settle()
    assert world.rows("alb") == {"2026-11-20 a:1": 1}


def test_what_else_lies_beside_staged_objects_is_left_alone(world):
    world.s3.put_object(Bucket=STAGING, Key="raw/alb/readme", Body=b"")
    stage(world, "a")
    assert batches(world) == [["a"]]
    assert "raw/alb/readme" in world.keys(STAGING)


def test_the_age_of_the_oldest_object_that_waits_is_known(world):
    stage(world, "a", "b")
    world.plan(world.start())
    assert planned(world).oldest == datetime.fromtimestamp(START + 1, UTC)


def test_a_batch_all_of_whose_objects_are_anothers_is_over(world):
    stage(world, "a")
    world.plan(world.start())
    (copy,) = world.keys(STAGING, names.RAW)
    manifest = world.lake.staging.read(world.keys(STAGING, names.BATCHES)[0], Manifest)
    world.lake.staging.write(names.planned_key("late"), manifest)
    world.lake.ledger.planned("late", names.UNIDENTIFIED)
    assert planned(world).batches == 0
    assert world.lake.ledger.batch("late").state == "DONE"
    assert copy in world.keys(STAGING)


def test_claims_end_a_week_after_the_rows(world):
    world.change(delete_after_days={"": 30, "alb": 60})
    stage(world, "a")
    world.plan(world.start())
    assert world.claim("firehose/a")["ttl"] == int(world.now) + 67 * 86400
    world.change(delete_after_days={"": 30, "alb": 0})
    stage(world, "b")
    world.plan(world.start())
    assert "ttl" not in world.claim("firehose/b")


@pytest.mark.parametrize("state", ["PLANNED", "SPLITTING"])
@pytest.mark.parametrize("damage", [b"{", b"\xff", b"[]", None])
def test_a_batch_whose_list_is_damaged_or_gone_does_not_stop_the_others(world, state, damage):
    stage(world, "a")
    (batch,) = world.batches(planned(world))
    if state == "PLANNED":
        key = names.planned_key(batch)
        world.lake.ledger._items.write(
            update((f"batch#{batch}", "-"), {"state": state}),
            update(("plan", f"work#{batch}"), {"state": state}),
        )
    else:
        key = names.manifest_key(batch)
        world.lake.ledger.splitting(batch)
    if damage is None:
        world.lake.staging.delete([key])
    else:
        world.s3.put_object(Bucket=STAGING, Key=key, Body=damage)
    stage(world, "b")
    assert batches(world) == [["b"]]
    later = planned(world)
    assert later.oldest is not None, "what waits for the batch is known to wait"
