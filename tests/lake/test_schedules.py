"""The protocol's own code in random schedules, as the model has them.

Several executions go on at once; they are killed anywhere, and some go on as zombies. Each call of
AWS is a step, and one thread at a time makes one: at every step no row is seen twice, at the end
each is seen once.
"""

from __future__ import annotations

import random
import threading
import uuid
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from botocore.exceptions import ClientError
from hypothesis import settings

from servicelogs.errors import ServiceLogsError
from servicelogs.lake import names, publish, swap
from servicelogs.lake.expire import expire_partitions
from servicelogs.lake.items import ConditionFailed
from servicelogs.lake.names import Partition
from tests.lake.lake_world import ACCOUNT, REGION, STAGING, TABLES, Killed, World, enough_time

pytestmark = pytest.mark.slow

SCHEDULES = round(160 * settings().max_examples / 60)
STEPS = 1200
NOW = datetime(2026, 11, 26, 12, tzinfo=UTC)
OLD, DAY = "2026-11-20", "2026-11-24"
DAYS_KEPT = 5
"""The old day expires in one of the tables."""
OBJECTS = {
    "a": (f"vpc_flow {DAY}", f"alb {DAY}", f"vpc_flow {OLD}"),
    "b": (f"vpc_flow {DAY}", f"alb {OLD}"),
    "c": (f"alb {DAY}", f"vpc_flow {DAY}", "rejected"),
    "d": (f"vpc_flow {OLD}", f"vpc_flow {DAY}"),
    "e": ("bad",),
}
WRITES = {"copy_object", "batch_create_partition", "batch_update_partition", "put_object"}


@dataclass(eq=False)
class Process:
    """What one execution does, in a thread that waits before each call."""

    execution: str
    may_go_on: threading.Semaphore = field(default_factory=lambda: threading.Semaphore(0))
    thread: threading.Thread | None = None
    ended: bool = False
    ends: bool = False
    """Whether it ends at its next call."""
    left: int | None = None
    """How many steps a zombie has; None: its execution runs."""
    sleep: int = 0


class Schedule:
    """One random course of things."""

    def __init__(self, world: World, seed: int) -> None:
        self.world = world
        world.now = NOW.timestamp()
        self.rng = random.Random(seed)
        self.processes: list[Process] = []
        self.waits = threading.Semaphore(0)
        self.wrote = False
        self.keys = {name: world.deliver(name, *lines) for name, lines in OBJECTS.items()}
        self.keeping = world.lake
        world.change(delete_after_days={"vpc_flow": DAYS_KEPT})
        self.expiring, world.lake = world.lake, self.keeping
        world.aws.on_call = self.on_call

    def on_call(self, operation: str, before: bool) -> None:
        process = getattr(threading.current_thread(), "process", None)
        if process is None:
            return
        if before:
            self.waits.release()
            process.may_go_on.acquire()
            if process.ends:
                raise Killed
        elif operation in WRITES:
            self.wrote = True

    def start(self, what: Callable[[str], Any]) -> None:
        process = Process(self.world.start())

        def run() -> None:
            process.may_go_on.acquire()
            # What a step raises, its execution records: another one repeats it.
            with suppress(Killed, ServiceLogsError, ClientError, ConditionFailed):
                what(process.execution)
            process.ended = True
            self.waits.release()

        process.thread = threading.Thread(target=run, daemon=True)
        vars(process.thread)["process"] = process
        process.thread.start()
        self.advance(process)  # up to its first call
        self.processes.append(process)

    def advance(self, process: Process) -> None:
        process.may_go_on.release()
        self.waits.acquire()
        if process.ended:
            self.world.runs.running.discard(process.execution)
            if process in self.processes:
                self.processes.remove(process)

    def end(self, process: Process) -> None:
        process.ends = True
        while not process.ended:
            self.advance(process)

    # What executions do

    def run(self, execution: str) -> None:
        for batch in self.world.plan(execution):
            with suppress(ServiceLogsError, ClientError):
                self.world.convert_or_split(batch)
        self.publish(execution)

    def publish(self, execution: str) -> None:
        world = self.world
        for table in publish.tables_with_work(world.lake, execution).tables:
            publish.publish_table(world.lake, table, execution, enough_time, world.count)

    def compact(self, execution: str) -> None:
        partition = Partition(self.rng.choice(TABLES), ACCOUNT, REGION, self.rng.choice((OLD, DAY)))
        begun = swap.begin(self.world.lake, partition, self.world.attempt())
        if begun and begun.files:
            self.world.compact(partition, begun)
            swap.swap(self.world.lake, begun, execution, enough_time)

    def expire(self, execution: str) -> None:
        expire_partitions(self.expiring, execution, enough_time)

    def stage(self, _execution: str) -> None:
        self.world.stage(self.rng.choice([*self.keys.values()]))

    # The course

    def go(self) -> None:
        for step in range(STEPS):
            self.maybe_start(step)
            if self.processes:
                process = self.rng.choice(self.processes)
                self.maybe_kill(process)
                if process in self.processes and not self.sleeps(process):
                    self.advance(process)
            self.look()
        for process in list(self.processes):
            self.end(process)
        self.quiet()

    def maybe_start(self, step: int) -> None:
        if len(self.processes) < 4 and self.rng.random() < 0.1:
            choices = [self.run, self.run, self.publish, self.compact, self.stage, self.stage]
            if step > STEPS // 2:
                choices.append(self.expire)
            self.start(self.rng.choice(choices))

    def maybe_kill(self, process: Process) -> None:
        if process.left is None and self.rng.random() < 0.015:
            self.world.runs.running.discard(process.execution)
            process.left = self.rng.choice((0, self.rng.randrange(1, 60)))
            if not process.left:
                self.end(process)
            elif self.rng.random() < 0.6:
                process.left, process.sleep = STEPS, self.rng.randrange(5, 60)

    def sleeps(self, process: Process) -> bool:
        if process.sleep and self.rng.random() < 0.9:
            process.sleep -= 1
            return True
        return False

    def look(self) -> None:
        if self.wrote:
            self.wrote = False
            for rows in self.world.all_rows().values():
                assert max(rows.values(), default=0) <= 1

    def quiet(self) -> None:
        """Let all be worked off, and the time of grace be over."""
        world = self.world
        world.runs.running.clear()
        world.stage(*(key for name, key in self.keys.items() if name != "e"))
        world.stage(self.keys["e"])
        world.settle()
        for _ in range(2):
            world.now += timedelta(hours=26).total_seconds()
            world.run()
            expire_partitions(self.expiring, world.start(), enough_time)
            world.runs.running.clear()
        assert world.all_rows() == self.expected()
        assert world.state(self.keys["e"]) == "QUARANTINED"
        again = (names.RUNS, names.QUARANTINED, names.folder_of(self.claim_of("e")))
        assert [key for key in world.keys(STAGING) if not key.startswith(again)] == []

    def claim_of(self, name: str) -> str:
        batch: str = self.world.claim(self.keys[name])["batch"]
        return batch

    def expected(self) -> dict[str, Counter[str]]:
        rows: dict[str, Counter[str]] = {table: Counter() for table in TABLES}
        for name, lines in OBJECTS.items():
            for number, line in enumerate(lines, 1):
                table, _, day = line.partition(" ")
                if table in rows and (table, day) != ("vpc_flow", OLD):
                    rows[table][f"{day} {name}:{number}"] += 1
        return rows


@pytest.mark.parametrize("part", range(4))
def test_whatever_is_killed_each_row_is_seen_once(
    part: int, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Batches of one second sort by it.
    drawn = random.Random(part)
    monkeypatch.setattr(names.uuid, "uuid4", lambda: uuid.UUID(int=drawn.getrandbits(128)))
    for seed in range(part, SCHEDULES, 4):
        one = World.in_memory()
        try:
            Schedule(one, seed).go()
        except AssertionError as error:
            raise AssertionError(f"seed {seed}: {error}") from error
