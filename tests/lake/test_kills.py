"""Each step of the protocol, killed after each of its calls in turn: the rows are the same.

What is killed leaves its execution not running; later runs do what it left. Rows are read through
the catalog, as a query does, at the moment of the kill and when all is worked off.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from servicelogs.lake import names, publish, swap
from servicelogs.lake.ledger import State
from servicelogs.lake.names import Partition
from servicelogs.lake.split import split_batch
from tests.lake.lake_world import (
    ACCOUNT,
    BACKUP,
    LAKE,
    LOGS,
    REGION,
    STAGING,
    TABLES,
    Kill,
    Killed,
    World,
    enough_time,
)

pytestmark = pytest.mark.slow

DAY, NEXT_DAY = "2026-11-20", "2026-11-21"
FLOWS = Partition("vpc_flow", ACCOUNT, REGION, DAY)


def deliver(world: World, name: str) -> str:
    """Deliver an object of two log types, on two days."""
    return world.deliver(
        name, f"vpc_flow {DAY}", f"vpc_flow {NEXT_DAY}", f"alb {DAY}", "rejected", "expired"
    )


def rows_of(*objects: str) -> dict[str, Counter[str]]:
    """Give the rows of such objects."""
    flows = (f"{day} {name}:{n}" for name in objects for n, day in ((1, DAY), (2, NEXT_DAY)))
    return {"vpc_flow": Counter(flows), "alb": Counter(f"{DAY} {name}:3" for name in objects)}


def publish_some(world: World) -> None:
    """Let there be rows already."""
    world.stage(deliver(world, "before"))
    world.run()


def kill_after_each_call(
    world: World,
    step: Callable[[], Any],
    expected: dict[str, Counter[str]],
    *,
    repeat: Callable[[], Any] = lambda: None,
    check: Callable[[], Any] = lambda: None,
) -> None:
    """Do a step once for each of its calls, killed after it; let `repeat` and later runs do it."""
    before, running, kill = world.aws.snapshot(), set(world.runs.running), Kill()
    world.aws.on_call = kill
    step()
    calls = len(kill.calls)
    assert calls
    for number in range(calls):
        world.aws.restore(before)
        world.runs.running = set(running)
        kill.reset(number)
        with pytest.raises(Killed):
            step()
        kill.reset()
        at_the_kill = world.all_rows()
        for table in TABLES:
            seen_twice = [row for row, count in at_the_kill[table].items() if count > 1]
            assert not seen_twice, f"killed after call {number}"
        world.runs.running.clear()
        repeat()
        world.settle()
        assert world.all_rows() == expected, f"killed after call {number}"
        assert left(world) == [], f"killed after call {number}"
        check()


def left(world: World) -> list[str]:
    """List what staging keeps, once it was swept, beside what can be sent again."""
    now = world.now
    for do in (world.run, world.expire):
        world.now += timedelta(days=2).total_seconds()
        do()
    world.now = now
    aside = world.keys(STAGING, names.QUARANTINED)
    claims = world.lake.ledger.claims(map(names.id_of, aside)).values()
    again = (*aside, *(names.folder_of(claim.batch) for claim in claims))
    return [key for key in world.keys(STAGING) if not key.startswith(again)]


def test_stage_may_be_killed_anywhere(world: World) -> None:
    keys = [deliver(world, "a"), deliver(world, "b")]
    kill_after_each_call(
        world, lambda: world.stage(*keys), rows_of("a", "b"), repeat=lambda: world.stage(*keys)
    )


def test_plan_may_be_killed_anywhere(world: World) -> None:
    publish_some(world)
    # The second comes again when it is done, the third is of a batch of its own.
    world.stage(deliver(world, "a"), deliver(world, "b"), "firehose/before")
    world.stage(deliver(world, "c"))
    world.change(max_objects_per_batch=2)
    kill_after_each_call(world, lambda: world.plan(world.start()), rows_of("before", "a", "b", "c"))


def test_convert_may_be_killed_anywhere(world: World) -> None:
    publish_some(world)
    world.stage(deliver(world, "a"), deliver(world, "b"))
    (batch,) = world.plan(world.start())
    kill_after_each_call(world, lambda: world.convert(batch, cut=1), rows_of("before", "a", "b"))


def test_split_may_be_killed_anywhere(world: World) -> None:
    world.stage(*(deliver(world, name) for name in "abc"), world.deliver("d", "bad"))
    (batch,) = world.plan(world.start())

    def check() -> None:
        assert world.state("firehose/d") == State.QUARANTINED
        assert "line 1 cannot be converted" in world.claim("firehose/d")["reason"]

    kill_after_each_call(
        world, lambda: world.convert_or_split(batch), rows_of("a", "b", "c"), check=check
    )


def test_quarantine_may_be_killed_anywhere(world: World) -> None:
    world.stage(world.deliver("d", "bad"))
    (batch,) = world.plan(world.start())
    fine = deliver(world, "a")

    def check() -> None:
        assert world.state("firehose/d") == State.QUARANTINED
        kept = [key for key in world.keys(STAGING) if key.startswith(names.QUARANTINED)]
        assert len(kept) == 1

    kill_after_each_call(
        world,
        lambda: world.convert_or_split(batch),
        rows_of("a"),
        repeat=lambda: world.stage(fine),
        check=check,
    )


def test_sending_again_what_was_quarantined_may_be_killed_anywhere(world: World) -> None:
    fixed = quarantine(world)
    kill_after_each_call(
        world,
        lambda: world.stage(fixed, bucket=STAGING),
        rows_of("a"),
        repeat=lambda: world.stage(fixed, bucket=STAGING),
        check=lambda: nothing_is_quarantined(world),
    )


def quarantine(world: World) -> str:
    """Have an object quarantined by a fault that is fixed since; give where it lies."""
    world.stage(deliver(world, "a"))
    (batch,) = world.plan(world.start())
    split_by_a_fault(world, batch)
    world.s3.delete_objects(Bucket=LOGS, Delete={"Objects": [{"Key": "firehose/a"}]})
    (fixed,) = world.keys(STAGING, names.QUARANTINED)
    return fixed


def split_by_a_fault(world: World, batch: str) -> None:
    assert split_batch(world.lake, batch, {"Error": "ValueError"}) == State.QUARANTINED


def nothing_is_quarantined(world: World) -> None:
    assert world.keys(STAGING, names.QUARANTINED) == []


def prepared(world: World, *before: str) -> None:
    """Let one batch of two tables be prepared, beside rows that are published, if there are any."""
    if before:
        publish_some(world)
    world.stage(deliver(world, "a"), deliver(world, "b"))
    (batch,) = world.plan(world.start())
    assert world.convert(batch, cut=1) == State.PREPARED


@pytest.mark.parametrize("before", [["before"], []])
def test_publish_may_be_killed_anywhere(world: World, before: list[str]) -> None:
    prepared(world, *before)

    def step() -> None:
        world.publish_all(world.start())

    def check() -> None:
        assert len(world.keys(BACKUP, names.REJECTED)) == 2 + len(before)
        for name in "ab":
            claim = world.claim(f"firehose/{name}")
            facts = {k: claim[k] for k in ("records", "rows", "rejected", "expired")}
            assert facts == {"records": 5, "rows": 3, "rejected": 1, "expired": 1}
        assert world.summed_up("vpc_flow") == 2 * (2 + len(before))

    kill_after_each_call(world, step, rows_of(*before, "a", "b"), check=check)


def test_clean_may_be_killed_anywhere(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    prepared(world, "before")
    with monkeypatch.context() as patch:
        patch.setattr(publish, "clean", end_here)
        with pytest.raises(Killed):
            world.publish_all(world.start())
    world.runs.running.clear()
    assert world.keys(STAGING, names.OUT)
    kill_after_each_call(
        world, lambda: world.publish_all(world.start()), rows_of("before", "a", "b")
    )


def end_here(*_: object) -> None:
    raise Killed


def test_compact_may_be_killed_anywhere(world: World) -> None:
    publish_some(world)
    world.stage(deliver(world, "a"))
    world.run()
    # What is prepared meanwhile is published before the swap, and what was published is carried.
    world.stage(deliver(world, "b"))
    (batch,) = world.plan(world.start())
    world.convert(batch)

    def step() -> None:
        compact(world, FLOWS)

    def check() -> None:
        world.now += timedelta(hours=25).total_seconds()
        assert world.expire() == "DONE"
        world.now -= timedelta(hours=25).total_seconds()
        assert world.all_rows() == rows_of("before", "a", "b")
        counting = world.lake.partitions.known([FLOWS])[FLOWS].generation
        for key in world.keys(LAKE, FLOWS.everything):
            assert key.startswith(FLOWS.folder(counting))

    kill_after_each_call(world, step, rows_of("before", "a", "b"), check=check)


def compact(world: World, partition: Partition) -> str:
    """Compact a partition, as the state machine does."""
    execution = world.start()
    begun = swap.begin(world.lake, partition, world.attempt())
    assert begun
    world.compact(partition, begun)
    state = swap.swap(world.lake, begun, execution, enough_time)
    world.end(execution)
    return state


def test_expire_may_be_killed_anywhere(world: World) -> None:
    publish_some(world)
    world.stage(deliver(world, "a"))
    (batch,) = world.plan(world.start())
    world.convert(batch)
    end = datetime.fromisoformat(NEXT_DAY).replace(tzinfo=UTC) + timedelta(days=30)
    world.now = end.timestamp()
    world.change(delete_after_days={"vpc_flow": 30})
    kept = rows_of("before", "a")
    kept["vpc_flow"] = Counter(row for row in kept["vpc_flow"] if row.startswith(NEXT_DAY))

    def check() -> None:
        assert world.keys(LAKE, FLOWS.everything) == []

    kill_after_each_call(world, world.expire, kept, repeat=world.expire, check=check)
