"""A model of the lake's protocol: random schedules with kills and zombies, each rule on or off.

S3, DynamoDB and Glue are dictionaries whose single operations are atomic, and a process is a
generator that yields between any two of them. A kill ends an execution; its process ends with it,
or goes on as a zombie for a while, perhaps after a sleep: a Lambda function outlives an execution
that was aborted. At every step no row may be seen twice through the catalog; at the end, when all
is worked off, each row is seen once, but for the days that expired, and no staged copy is left.

    python -m tests.lake.protocol_model [SCHEDULES] [FIRST]
"""

from __future__ import annotations

import random
import sys
from collections import Counter
from collections.abc import Callable, Generator, Iterator
from dataclasses import dataclass, field

RULES = {
    "generation": "a batch's generation in a partition is recorded once, before copying",
    "unique": "a generation's folder is named by the attempt that writes it",
    "attempt": "an attempt's outputs lie in a folder of its own invocation",
    "manifest": "the list of the objects that a batch has is written once",
    "splitting": "a split first takes the batch out of OPEN",
    "fence": "the ledger's writes under a lease are conditional on its number",
    "replan": "plans delete staged copies of objects whose batch is done",
    "tables": "a batch of several tables is done when all have published it",
    "prepared": "a swap publishes what is prepared before it",
    "carried": "a swap carries over what came after the compaction read",
    "looked at": "before a folder is deleted the catalog is looked at again",
    "again": "an expired day is cleared once more after the time of grace",
    "claim": "an object that is sent again stays its batch's",
}
OBJECTS, PARTITIONS, TABLES = 5, 2, "ab"
BAD = 0
"""The object that cannot be converted until somebody fixes what is wrong."""
OLD = ("a", 1)
"""The partition that expires."""
STEPS = 500

type Place = tuple[str, int]
type Row = tuple[int, str, int, int]
type Steps = Generator[None, None, object]
type Process = Callable[["World", str], Steps]


def rows(thing: int, place: Place) -> list[Row]:
    """Give an object's rows in a partition: some objects have none in the second table."""
    table, partition = place
    return [] if table == "b" and thing % 2 else [(thing, table, partition, k) for k in range(2)]


PLACES = [(table, partition) for table in TABLES for partition in range(PARTITIONS)]


@dataclass
class Batch:
    """What the ledger says of a batch, and its documents in S3."""

    state: str
    objects: list[int]
    attempt: str = ""
    tables: frozenset[str] = frozenset()
    published: set[str] = field(default_factory=set)
    generation: dict[Place, str] = field(default_factory=dict)
    children: dict[int, str] = field(default_factory=dict)
    listed: bool = False


class World:
    """Everything that outlives a process."""

    def __init__(self, rng: random.Random, rules: dict[str, bool]) -> None:
        self.rng, self.rules = rng, rules
        self.raw: set[int] = set()
        self.claim: dict[int, str] = {}
        self.batches: dict[str, Batch] = {}
        self.work: dict[str, list[str]] = {table: [] for table in TABLES}
        self.out: dict[str, list[tuple[Place, tuple[Row, ...]]]] = {}
        self.lake: dict[tuple[Place, str, str], tuple[Row, ...]] = {}
        self.ledger: dict[Place, str] = {}
        self.lagging: set[Place] = set()
        self.catalog: dict[Place, str] = {}
        self.retired: list[tuple[Place, str, int]] = []
        self.owner: dict[str, str] = {}
        self.number = dict.fromkeys(TABLES, 0)
        self.running: set[str] = set()
        self.bad = {BAD}
        self.step = self.oldest_process = 0
        self.expiring = False
        self._named = 0

    def name(self, kind: str) -> str:
        self._named += 1
        return f"{kind}{self._named}"

    def seen(self) -> Counter[Row]:
        """Count the rows that a query sees."""
        found: Counter[Row] = Counter()
        for (place, generation, _), some in self.lake.items():
            if self.catalog.get(place) == generation:
                found.update(some)
        return found

    def holds(self, table: str, number: int) -> bool:
        return not self.rules["fence"] or self.number[table] == number


# What becomes of objects, until a batch is prepared


def stage(w: World, _run: str, thing: int) -> Steps:
    batch = w.claim.get(thing)
    yield
    if batch is None:
        w.raw.add(thing)
    elif w.batches[batch].state == "QUARANTINED":
        yield
        w.raw.add(thing)
        yield
        if not w.rules["claim"]:
            w.claim.pop(thing, None)
        elif w.batches[batch].state == "QUARANTINED":
            w.batches[batch].state = "OPEN"


def plan(w: World, _run: str) -> Steps:
    for name in list(w.batches):
        yield from finish_planned(w, name)
        if w.batches[name].state == "SPLITTING":
            yield from give_to_children(w, name)
    new = []
    for thing in sorted(w.raw):
        yield
        batch = w.claim.get(thing)
        if batch is None:
            new.append(thing)
        elif w.rules["replan"] and w.batches[batch].state == "DONE":
            w.raw.discard(thing)
    while new:
        objects, new = new[:3], new[3:]
        name = w.name("batch")
        w.batches[name] = Batch("PLANNED", objects)
        yield
        yield from finish_planned(w, name)


def finish_planned(w: World, name: str) -> Steps:
    batch = w.batches[name]
    if batch.state != "PLANNED":
        return
    own = []
    for thing in list(batch.objects):
        yield
        if w.claim.setdefault(thing, name) == name:
            own.append(thing)
    yield
    if own and not (w.rules["manifest"] and batch.listed):
        batch.objects, batch.listed = own, True
    yield
    if batch.state == "PLANNED":
        batch.state = "OPEN" if own else "DONE"


def convert(w: World, _run: str) -> Steps:
    for name in [name for name, batch in w.batches.items() if batch.state == "OPEN"]:
        batch = w.batches[name]
        attempt = w.name("attempt") if w.rules["attempt"] else f"attempt-{name}"
        objects = list(batch.objects)
        yield
        timed_out = len(objects) > 1 and w.rng.random() < 0.2
        if w.bad.intersection(objects) or timed_out or not w.raw.issuperset(objects):
            yield from split(w, name)
            continue
        yield from write_outputs(w, attempt, objects)
        yield
        if batch.state == "OPEN":
            batch.state, batch.attempt = "PREPARED", attempt
            batch.tables = frozenset(place[0] for place, _ in w.out[attempt])
            for table in batch.tables:
                w.work[table].append(name)


def write_outputs(w: World, attempt: str, objects: list[int]) -> Steps:
    """Write files, which another attempt may cut otherwise."""
    files: list[tuple[Place, tuple[Row, ...]]] = []
    cut = w.rng.random() < 0.5
    for place in PLACES:
        some = [row for thing in objects for row in rows(thing, place)]
        parts = (some[:2], some[2:]) if cut else (some,)
        files += [(place, tuple(part)) for part in parts if part]
        if not w.rules["attempt"]:
            # File by file, over what another invocation wrote there.
            w.out[attempt] = files + w.out.get(attempt, [])[len(files) :]
        yield
    w.out[attempt] = files


def split(w: World, name: str) -> Steps:
    batch = w.batches[name]
    if batch.state != "OPEN":
        return
    if len(batch.objects) == 1:
        yield
        if batch.state == "OPEN":
            batch.state = "QUARANTINED"
            yield
            w.raw.discard(batch.objects[0])
        return
    if w.rules["splitting"]:
        batch.state = "SPLITTING"
    yield
    yield from give_to_children(w, name)


def give_to_children(w: World, name: str) -> Steps:
    batch = w.batches[name]
    for thing in list(batch.objects):
        if thing not in batch.children:
            batch.children[thing] = w.name("batch")
            w.batches[batch.children[thing]] = Batch("WAITING", [thing])
        child = batch.children[thing]
        yield
        if w.claim.get(thing) == name:
            w.claim[thing] = child
        yield
        if w.batches[child].state == "WAITING":
            w.batches[child].state = "OPEN"
    yield
    if batch.state in {"OPEN", "SPLITTING"}:
        batch.state = "SPLIT"


# What happens under a table's lease


def take(w: World, run: str, table: str) -> Generator[None, None, int]:
    """Take a lease; 0 if others hold it for too long."""
    for _ in range(20):
        owner, number = w.owner.get(table), w.number[table]
        if owner in {None, run} or owner not in w.running:
            yield
            if w.number[table] == number:
                w.owner[table], w.number[table] = run, number + 1
                return number + 1
        yield
    return 0


def release(w: World, table: str, number: int) -> Steps:
    yield
    if w.holds(table, number):
        w.owner.pop(table, None)


def follow(w: World, places: list[Place]) -> Steps:
    """Have the catalog say what the ledger says: read both, then write."""
    known = {place: w.ledger[place] for place in places if place in w.ledger}
    yield
    there = {place: w.catalog.get(place) for place in known}
    yield
    for place, generation in known.items():
        if not generation:
            yield
            w.catalog.pop(place, None)
            yield
            delete(w, place)
        elif there[place] != generation:
            w.catalog[place] = generation
    yield
    w.lagging.difference_update(place for place in known if w.ledger[place] == known[place])


def delete(w: World, place: Place, generation: str = "") -> None:
    for key in [key for key in w.lake if key[0] == place and generation in {"", key[1]}]:
        del w.lake[key]


def publish(w: World, run: str) -> Steps:
    for table in TABLES:
        number = yield from take(w, run, table)
        if number:
            yield from publish_all(w, table, number)
            yield from release(w, table, number)


def publish_all(w: World, table: str, number: int) -> Generator[None, None, bool]:
    """Publish all that is prepared for a table; False if the lease is lost."""
    if lagging := [place for place in w.lagging if place[0] == table]:
        yield from follow(w, lagging)
    for name in list(w.work[table]):
        batch = w.batches[name]
        waits = batch.state == "PREPARED" and table not in batch.published
        if waits and not (yield from publish_files(w, name, table, number)):
            return False
        yield
        if batch.state == "PREPARED" and (batch.tables <= batch.published or not w.rules["tables"]):
            yield
            if not w.holds(table, number):
                return False
            batch.state = "DONE"
        if batch.state == "DONE":
            yield
            w.raw.difference_update(batch.objects)
            yield
            w.out.pop(batch.attempt, None)
        yield
        if not w.holds(table, number):
            return False
        if name in w.work[table]:
            w.work[table].remove(name)
    return True


def publish_files(w: World, name: str, table: str, number: int) -> Generator[None, None, bool]:
    batch = w.batches[name]
    files = [file for file in w.out.get(batch.attempt, []) if file[0][0] == table]
    places = list(dict.fromkeys(place for place, _ in files))
    yield
    if w.rules["generation"]:
        if not w.holds(table, number):
            return False
        for place in places:
            batch.generation.setdefault(place, w.ledger.setdefault(place, "g0"))
    count: Counter[Place] = Counter()
    for place, part in files:
        yield
        if batch.attempt not in w.out:
            return False  # another ended the batch
        recorded = batch.generation if w.rules["generation"] else w.ledger
        if generation := recorded.setdefault(place, "g0"):
            w.lake[place, generation, f"{name}-{count[place]}"] = part
            count[place] += 1
    yield from follow(w, places)
    yield
    if not w.holds(table, number) or batch.state != "PREPARED":
        return False
    batch.published.add(table)
    return True


def compact(w: World, run: str) -> Steps:
    for place, generation in list(w.ledger.items()):
        read = {key: some for key, some in w.lake.items() if key[:2] == (place, generation)}
        yield
        if len(read) < 2 or not generation:
            continue
        number_of = int(generation[1:].partition("-")[0]) + 1
        following = f"g{number_of}" + (f"-{run}" if w.rules["unique"] else "")
        yield
        w.lake[place, following, f"compacted-{run}"] = tuple(
            row for some in read.values() for row in some
        )
        yield
        number = yield from take(w, run, place[0])
        if number:
            swapped = yield from swap(w, (place, generation, following), read, number)
            if swapped:
                yield from follow(w, [place])
            yield from release(w, place[0], number)


def swap(
    w: World,
    names: tuple[Place, str, str],
    read: dict[tuple[Place, str, str], tuple[Row, ...]],
    number: int,
) -> Generator[None, None, bool]:
    place, generation, following = names
    if w.rules["prepared"] and not (yield from publish_all(w, place[0], number)):
        return False
    yield
    if w.ledger[place] != generation:
        return False
    for key in [key for key in w.lake if key[:2] == (place, generation) and key not in read]:
        yield
        if w.rules["carried"] and key in w.lake:
            w.lake[place, following, key[2]] = w.lake[key]
    yield
    if w.ledger[place] != generation or not w.holds(place[0], number):
        return False
    w.ledger[place] = following
    w.lagging.add(place)
    w.retired.append((place, generation, w.step))
    return True


def expire(w: World, run: str) -> Steps:
    """Expire the old day, and clear what the time of grace is over for."""
    number = yield from take(w, run, OLD[0])
    if not number:
        return
    yield
    if w.expiring and w.ledger.get(OLD) and w.holds(OLD[0], number):
        w.ledger[OLD] = ""
        w.lagging.add(OLD)
        w.retired.append((OLD, "", w.step))
    if OLD in w.lagging:
        yield from follow(w, [OLD])
    yield from clear(w, OLD[0])
    yield from release(w, OLD[0], number)


def clear(w: World, table: str) -> Steps:
    """Delete what was retired before the oldest process began: none can write there any more."""
    for retired in [one for one in w.retired if one[0][0] == table]:
        place, generation, since = retired
        if since >= w.oldest_process or (not generation and not w.rules["again"]):
            continue
        yield
        if w.ledger.get(place, "") == generation and generation:
            continue
        if w.rules["looked at"]:
            yield from follow(w, [place])
        yield
        if w.ledger.get(place) == "" or generation:
            delete(w, place, generation)
        yield
        if retired in w.retired:
            w.retired.remove(retired)


# Schedules

ALL: tuple[Process, ...] = (plan, convert, publish, compact, plan, publish, expire)
BEFORE_PUBLICATION: tuple[Process, ...] = (plan, convert, plan, convert, publish)


@dataclass(eq=False)
class Running:
    """A process, and what becomes of it."""

    steps: Iterator[None]
    run: str
    since: int
    left: int | None = None
    """How many steps a zombie has; None: its execution runs."""
    sleep: int = 0


class Schedule:
    """One random course of things."""

    def __init__(self, seed: int, rules: dict[str, bool]) -> None:
        self.rng = random.Random(seed)
        self.world = World(self.rng, rules)
        self.processes: list[Running] = []
        self.usual = self.rng.choice((ALL, BEFORE_PUBLICATION))

    def violation(self) -> str:
        """Run; say how the protocol is violated, if it is."""
        for thing in range(OBJECTS):
            self.start(stage, thing)
        return self.busy() or self.quiet()

    def start(self, process: Callable[..., Steps], *arguments: int) -> None:
        run = self.world.name("run")
        self.world.running.add(run)
        steps = process(self.world, run, *arguments)
        self.processes.append(Running(steps, run, self.world.step))  # type: ignore[arg-type]

    def busy(self) -> str:
        world, rng = self.world, self.rng
        seen = 0
        while self.processes or world.step < STEPS:
            world.step += 1
            self.maybe_start()
            if not self.processes:
                continue
            world.oldest_process = min(one.since for one in self.processes)
            process = rng.choice(self.processes)
            self.maybe_kill(process)
            if process in self.processes and not self.sleeps(process):
                self.advance(process)
            now = hash((len(world.lake), *sorted(world.catalog.items())))
            if now != seen and max(world.seen().values(), default=0) > 1:
                return "twice"
            seen = now
        return ""

    def maybe_start(self) -> None:
        world, rng = self.world, self.rng
        if world.step == STEPS // 2:
            world.bad.clear()
            world.expiring = rng.random() < 0.7
        if world.step < STEPS and (not self.processes or rng.random() < 0.1):
            if rng.random() < 0.15:
                self.start(stage, rng.randrange(OBJECTS))  # a late or second event
            else:
                self.start(rng.choice(self.usual))

    def maybe_kill(self, process: Running) -> None:
        if process.left is None and self.rng.random() < 0.02:
            self.world.running.discard(process.run)
            process.left = self.rng.choice((0, self.rng.randrange(1, 60)))
            if not process.left:
                self.processes.remove(process)
            elif self.rng.random() < 0.6:
                process.left, process.sleep = sys.maxsize, self.rng.randrange(30, 150)

    def sleeps(self, process: Running) -> bool:
        if process.sleep and self.rng.random() < 0.97:
            process.sleep -= 1
            return True
        return False

    def advance(self, process: Running) -> None:
        if process.left is not None:
            process.left -= 1
        if next(process.steps, self) is self or process.left == 0:
            self.processes.remove(process)
            self.world.running.discard(process.run)

    def quiet(self) -> str:
        """Let all be worked off, one after the other."""
        world = self.world
        world.bad.clear()
        world.expiring = True
        for _ in range(5):
            for thing in range(OBJECTS):  # a queue keeps what was not acknowledged
                self.finish(stage, thing)
            for process in (plan, convert, publish, plan, convert, publish, compact, expire):
                self.finish(process)
                if max(world.seen().values(), default=0) > 1:
                    return "twice at the end"
        if OLD in world.catalog or any(place == OLD for place, _, _ in world.lake):
            return "an expired day stays"
        seen = set(world.seen())
        everything = {row for o in range(OBJECTS) for place in PLACES for row in rows(o, place)}
        kept = {row for row in everything if row[1:3] != OLD}
        if kept - seen:
            return "lost"
        return "staged copies stay for ever" if world.raw else ""

    def finish(self, process: Callable[..., Steps], *arguments: int) -> None:
        world = self.world
        run = world.name("run")
        world.running.add(run)
        world.step += 1
        world.oldest_process = world.step
        for _ in process(world, run, *arguments):
            pass
        world.running.discard(run)


def violation(seed: int, *without: str) -> str:
    """Run one schedule without these rules; say how the protocol is violated, if it is."""
    return Schedule(seed, {rule: rule not in without for rule in RULES}).violation()


def main(schedules: int = 4000, first: int = 0) -> None:
    """Print how often schedules violate the protocol, with all rules and without each."""
    for rule in (None, *RULES):
        found: Counter[str] = Counter()
        seeds: dict[str, int] = {}
        for seed in range(first, first + schedules):
            if what := violation(seed, *filter(None, [rule])):
                found[what] += 1
                seeds.setdefault(what, seed)
        without = f"without {rule}" if rule else "all rules"
        sys.stdout.write(f"{without:20} {found.total():5} of {schedules} {dict(found)} {seeds}\n")


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
