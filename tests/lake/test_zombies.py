"""Each step of the protocol, asleep before each of its calls in turn while its execution ends.

Others do its work meanwhile, compact, and clean up; then it goes on, as a Lambda function whose
execution was aborted does. The rows are the same.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from itertools import product
from typing import Any

import pytest
from botocore.exceptions import ClientError

from servicelogs.errors import ServiceLogsError
from servicelogs.lake.items import ConditionFailed
from servicelogs.lake.names import Partition
from servicelogs.lake.split import split_batch
from tests.lake.lake_world import ACCOUNT, LAKE, REGION, Kill, Killed, World
from tests.lake.test_kills import (
    DAY,
    FLOWS,
    NEXT_DAY,
    compact,
    deliver,
    left,
    prepared,
    publish_some,
    rows_of,
)

pytestmark = pytest.mark.slow

SPREAD = [FLOWS, Partition("vpc_flow", ACCOUNT, REGION, NEXT_DAY),
          Partition("alb", ACCOUNT, REGION, DAY)]  # fmt: skip

# It finds another in its place, and things gone; the tests' own steps then miss what they expect.
WHAT_A_LATE_STEP_MEETS = (ServiceLogsError, ClientError, ConditionFailed, AssertionError)


def compact_all(world: World) -> None:
    known = world.lake.partitions.known(SPREAD)
    for partition in SPREAD:
        if partition in known and known[partition].generation:
            compact(world, partition)


def go_on_as_a_zombie(
    world: World,
    step: Callable[[], Any],
    expected: dict[str, Counter[str]],
    meanwhile: Callable[[], Any] = lambda: None,
) -> None:
    """Do a step once for each of its calls, while before that call everybody else does all."""
    before, running, now = world.aws.snapshot(), set(world.runs.running), world.now
    for number in range(len(calls_of(world, step))):
        world.aws.restore(before)
        world.runs.running, world.now = set(running), now

        def others() -> None:
            world.runs.running.clear()
            meanwhile()
            world.settle()
            compact_all(world)

        world.aws.on_call = asleep_before(world, number, others)
        with suppress(*WHAT_A_LATE_STEP_MEETS):
            step()
        world.aws.on_call = lambda *_: None
        seen = world.all_rows()
        assert all(n == 1 for rows in seen.values() for n in rows.values()), f"call {number}"
        world.runs.running.clear()
        world.settle()
        assert left(world) == [], f"asleep before call {number}"
        assert world.all_rows() == expected, f"asleep before call {number}"


def calls_of(world: World, step: Callable[[], Any]) -> list[str]:
    calls: list[str] = []
    world.aws.on_call = lambda operation, before: calls.append(operation) if before else None
    step()
    world.aws.on_call = lambda *_: None
    return calls


def asleep_before(
    world: World, number: int, others: Callable[[], None]
) -> Callable[[str, bool], None]:
    calls = iter(range(number + 1))

    def on_call(_operation: str, before: bool) -> None:
        if before and next(calls, None) == number:
            world.aws.on_call = lambda *_: None
            others()

    return on_call


def test_stage_may_be_late(world: World) -> None:
    keys = [deliver(world, "a"), deliver(world, "b")]
    go_on_as_a_zombie(
        world, lambda: world.stage(*keys), rows_of("a", "b"), lambda: world.stage(*keys)
    )


def test_plan_may_be_late(world: World) -> None:
    publish_some(world)
    world.stage(deliver(world, "a"), deliver(world, "b"), "firehose/before")
    world.change(max_objects_per_batch=1)
    go_on_as_a_zombie(world, lambda: world.plan(world.start()), rows_of("before", "a", "b"))


def test_plan_may_be_late_with_a_batch_whose_split_was_killed_meanwhile(world: World) -> None:
    """The list of a batch's objects is written once, and not by who saw some of them moved."""
    objects = ["a", "b", "c"]
    world.stage(*(deliver(world, name) for name in objects))
    before = world.aws.snapshot()
    late = [n for n, call in enumerate(calls_of(world, lambda: world.plan(world.start())))
            if call in {"put_item", "put_object"}]  # fmt: skip
    for number, killed_at in product(late, range(0, 22, 2)):
        world.aws.restore(before)
        world.runs.running.clear()

        def others(killed_at: int = killed_at) -> None:
            world.runs.running.clear()
            for batch in world.plan(world.start()):
                world.aws.on_call = Kill(killed_at)
                with suppress(Killed):
                    split_batch(world.lake, batch, {"Error": "ValueError"})
                world.aws.on_call = lambda *_: None

        world.aws.on_call = asleep_before(world, number, others)
        with suppress(*WHAT_A_LATE_STEP_MEETS):
            world.plan(world.start())
        world.runs.running.clear()
        world.settle()
        assert world.all_rows() == rows_of(*objects), (number, killed_at)


def test_convert_may_be_late(world: World) -> None:
    publish_some(world)
    world.stage(deliver(world, "a"), deliver(world, "b"))
    (batch,) = world.plan(world.start())
    go_on_as_a_zombie(world, lambda: world.convert(batch, cut=1), rows_of("before", "a", "b"))


def test_split_may_be_late(world: World) -> None:
    world.stage(*(deliver(world, name) for name in "abc"), world.deliver("d", "bad"))
    (batch,) = world.plan(world.start())
    go_on_as_a_zombie(world, lambda: world.convert_or_split(batch), rows_of("a", "b", "c"))


def test_split_may_be_late_with_a_batch_that_is_converted_meanwhile(world: World) -> None:
    world.stage(deliver(world, "a"), deliver(world, "b"))
    (batch,) = world.plan(world.start())
    go_on_as_a_zombie(
        world, lambda: split_batch(world.lake, batch, {"Error": "ValueError"}), rows_of("a", "b")
    )


@pytest.mark.parametrize("before", [["before"], []])
def test_publish_may_be_late(world: World, before: list[str]) -> None:
    prepared(world, *before)
    go_on_as_a_zombie(world, lambda: world.publish_all(world.start()), rows_of(*before, "a", "b"))


def test_publish_may_be_late_while_another_table_waits(world: World) -> None:
    """A batch's generation is recorded once: its outputs are there still, and may be copied."""
    prepared(world, "before")
    before, expected = world.aws.snapshot(), rows_of("before", "a", "b")
    calls = calls_of(world, lambda: world.publish(world.start(), "vpc_flow"))
    for number in range(len(calls)):
        world.aws.restore(before)
        world.runs.running.clear()

        def others() -> None:
            world.runs.running.clear()
            world.publish(world.start(), "vpc_flow")
            world.runs.running.clear()
            compact(world, FLOWS)

        world.aws.on_call = asleep_before(world, number, others)
        with suppress(*WHAT_A_LATE_STEP_MEETS):
            world.publish(world.start(), "vpc_flow")
        world.aws.on_call = lambda *_: None
        world.runs.running.clear()
        assert world.rows("vpc_flow") == expected["vpc_flow"], f"asleep before call {number}"
        world.settle()
        assert world.all_rows() == expected, f"asleep before call {number}"


def test_compact_may_be_late(world: World) -> None:
    publish_some(world)
    world.stage(deliver(world, "a"))
    world.run()
    world.stage(deliver(world, "b"))
    (batch,) = world.plan(world.start())
    world.convert(batch)
    go_on_as_a_zombie(world, lambda: compact(world, FLOWS), rows_of("before", "a", "b"))


@pytest.mark.parametrize("what", ["publish", "compact", "expire"])
def test_what_is_late_brings_no_expired_day_back(world: World, what: str) -> None:
    publish_some(world)
    world.stage(deliver(world, "a"))
    (batch,) = world.plan(world.start())
    world.convert(batch)
    end = datetime.fromisoformat(NEXT_DAY).replace(tzinfo=UTC) + timedelta(days=30)
    world.now = end.timestamp()
    world.change(delete_after_days={"vpc_flow": 30})
    kept = rows_of("before", "a")
    kept["vpc_flow"] = Counter(row for row in kept["vpc_flow"] if row.startswith(NEXT_DAY))
    steps: dict[str, Callable[[], Any]] = {
        "publish": lambda: world.publish_all(world.start()),
        "compact": lambda: compact(world, FLOWS),
        "expire": world.expire,
    }
    days_kept = world.lake.settings.delete_after_days

    def meanwhile() -> None:
        world.expire()
        # Later on, the other days stay.
        world.change(delete_after_days={})

    def step() -> None:
        world.change(delete_after_days=days_kept)
        steps[what]()
        world.change(delete_after_days={})

    go_on_as_a_zombie(world, step, kept, meanwhile)
    assert world.keys(LAKE, FLOWS.everything) == []
