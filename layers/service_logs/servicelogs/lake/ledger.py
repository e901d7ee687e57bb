"""The ledger: which batch has an object, how far each batch is, what work that leaves for whom.

A batch goes from PLANNED to DONE by conditional writes, so that of all who try one does it. Work
that a state leaves is an item of its own, written with the state: for the next plan
(`plan`/`work#…`), or for who publishes a table (`table#…`/`work#…`). It is deleted last.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Any

from servicelogs.dates import iso
from servicelogs.lake import names
from servicelogs.lake.items import Item, Items, Key, delete, put, put_new, update
from servicelogs.lake.lease import Lease

PLAN = "plan"
QUARANTINED = "quarantined"
ALONE = "-"
_WORK = "work#"
# What an item is kept for beyond the rows that it stands for.
_SPARE = timedelta(days=7)


class State(StrEnum):
    """How far a batch is."""

    PLANNED = "PLANNED"
    """It is being made: some of its objects may be another's."""
    OPEN = "OPEN"
    """It can be converted."""
    PREPARED = "PREPARED"
    """One attempt at its conversion was chosen, and is to be published."""
    DONE = "DONE"
    SPLITTING = "SPLITTING"
    """It failed, and its objects are given to smaller batches."""
    WAITING = "WAITING"
    """It is a smaller batch that does not have all of its objects yet."""
    SPLIT = "SPLIT"
    QUARANTINED = "QUARANTINED"
    """Its only object cannot be converted; it can be sent again."""


ENDED = frozenset({State.DONE, State.SPLIT})


@dataclass(frozen=True, slots=True)
class Batch:
    """Objects that are converted together."""

    id: str
    state: State
    log_type: str
    """What its objects were staged as."""
    manifest: str
    """The key of the list of its objects."""
    attempt: str = ""
    """The attempt whose outputs are published."""
    outputs: str = ""
    """The key of the list of them."""
    tables: frozenset[str] = frozenset()
    """The tables that they belong to."""
    published: frozenset[str] = frozenset()
    """Those of them where they are published."""
    reason: str = ""
    """Why it was quarantined, the last time."""
    objects: int = 0
    """How many objects it has, once it is open."""

    @classmethod
    def of(cls, item: Item) -> Batch:
        """Read an item."""
        return cls(
            id=item["pk"].removeprefix("batch#"),
            state=State(item["state"]),
            log_type=item["type"],
            manifest=item["manifest"],
            attempt=item.get("attempt", ""),
            outputs=item.get("outputs", ""),
            tables=frozenset(item.get("tables", ())),
            published=frozenset(item.get("published", ())),
            reason=item.get("reason", ""),
            objects=int(item.get("objects", 0)),
        )


@dataclass(frozen=True, slots=True)
class Claim:
    """Which batch has an object."""

    batch: str
    key: str
    """The key of the staged copy that it has."""


@dataclass(frozen=True, slots=True)
class Noted:
    """An object that is published, and how many rows it has in all tables."""

    source: str
    batch: str
    types: tuple[str, ...]
    """The log types of its records."""
    rows: int


@dataclass(frozen=True, slots=True)
class Work:
    """A batch that a plan is to go on with, or hand out."""

    batch: str
    state: State
    run: str = ""
    """The execution that it was last handed out to."""
    entered: str = ""
    """When that execution entered the plan that it was handed out in."""


class Ledger:
    """Objects and batches."""

    def __init__(
        self, items: Items, days_kept: int = 0, clock: Callable[[], float] = time.time
    ) -> None:
        """Keep what is over for as long as its rows: so many days; 0: for ever."""
        self._items = items
        self._days_kept = days_kept
        self._clock = clock

    # Objects

    def claims(self, objects: Iterable[str]) -> dict[str, Claim]:
        """Find the claims to these objects."""
        found = self._items.get_many((f"object#{one}", ALONE) for one in objects)
        return {i["pk"].removeprefix("object#"): Claim(i["batch"], i["key"]) for i in found}

    def claim(self, key: str, batch: str) -> bool:
        """Claim the object with this staged copy for a batch; say whether it is the batch's."""
        item = _object(names.id_of(key))
        values = {
            "batch": batch,
            "key": key,
            "delivered": iso(names.delivered_of(key)),
            "ttl": self._end(),
        }
        if self._items.try_to_write(put_new(item, values)):
            return True
        found = self._items.get(item)
        return found is not None and (found["batch"], found["key"]) == (batch, key)

    def move_claim(self, object_id: str, from_batch: str, to_batch: str) -> None:
        """Give an object to another batch, if this one has it still."""
        self._items.try_to_write(update(_object(object_id), {"batch": to_batch}, batch=from_batch))

    def note(self, object_id: str, batch: str, facts: Mapping[str, Any]) -> None:
        """Write what became of an object beside its claim, if the batch has it."""
        self._items.try_to_write(update(_object(object_id), facts, batch=batch))

    def noted(self) -> Iterator[Noted]:
        """Read all objects of which it is noted what became of them, in any order."""
        for item in self._items.scan("object#"):
            if "rows" in item:
                types = tuple(filter(None, item["type"].split(",")))
                yield Noted(item["source"], item["batch"], types, item["rows"])

    # Batches, until they are prepared

    def batch(self, batch: str) -> Batch | None:
        """Read a batch; None if there is none, or none any more."""
        item = self._items.get(_batch(batch))
        return Batch.of(item) if item else None

    def states(self, batches: Iterable[str]) -> dict[str, State]:
        """Read how far these batches are; those that are over may be missing."""
        found = self._items.get_many(map(_batch, batches))
        return {item["pk"].removeprefix("batch#"): State(item["state"]) for item in found}

    def planned(self, batch: str, log_type: str) -> None:
        """Begin a batch."""
        values = {"state": State.PLANNED, "type": log_type, "manifest": names.planned_key(batch)}
        self._items.write(
            put_new(_batch(batch), values), put(_work(PLAN, batch), self._left(State.PLANNED))
        )

    def opened(self, batch: str, objects: int) -> None:
        """Let a batch that has its objects be converted, unless it went on already."""
        values = {
            "state": State.OPEN,
            "manifest": names.manifest_key(batch),
            "objects": objects,
        }
        self._items.try_to_write(
            update(_batch(batch), values, state=State.PLANNED),
            put(_work(PLAN, batch), self._left(State.OPEN)),
        )

    def dissolved(self, batch: str) -> None:
        """End a batch all of whose objects are others'."""
        self._items.try_to_write(
            update(_batch(batch), {"state": State.DONE, "ttl": self._end()}, state=State.PLANNED),
            delete(_work(PLAN, batch)),
        )

    def work(self) -> Iterator[Work]:
        """Read which batches a plan is to go on with, the oldest first."""
        for item in self._items.query(PLAN, _WORK):
            given = {name: item[name] for name in ("run", "entered") if name in item}
            yield Work(_batch_of(item), State(item["state"]), **given)

    def hand_out(self, work: Work, execution: str, entered: str) -> bool:
        """Have an execution convert an open batch; False if another was quicker."""
        return self._items.try_to_write(
            update(
                _work(PLAN, work.batch),
                {"run": execution, "entered": entered},
                state=State.OPEN,
                run=work.run or None,
            )
        )

    def splitting(self, batch: str) -> bool:
        """Begin to split an open batch: from now on no attempt at its conversion counts."""
        return self._items.try_to_write(
            update(_batch(batch), {"state": State.SPLITTING}, state=State.OPEN),
            put(_work(PLAN, batch), self._left(State.SPLITTING)),
        )

    def waiting(self, child: str, parent: Batch, objects: int) -> None:
        """Make a smaller batch, unless it is there."""
        values = {
            "state": State.WAITING,
            "type": parent.log_type,
            "manifest": names.manifest_key(child),
            "objects": objects,
            "parent": parent.id,
        }
        self._items.try_to_write(put_new(_batch(child), values))

    def child_opened(self, child: str) -> None:
        """Let a smaller batch that has its objects be converted, unless it went on already."""
        self._items.try_to_write(
            update(_batch(child), {"state": State.OPEN}, state=State.WAITING),
            put(_work(PLAN, child), self._left(State.OPEN)),
        )

    def split(self, batch: str) -> None:
        """End a batch all of whose objects are smaller batches'."""
        self._items.try_to_write(
            update(
                _batch(batch), {"state": State.SPLIT, "ttl": self._end()}, state=State.SPLITTING
            ),
            delete(_work(PLAN, batch)),
        )

    def quarantined(self, batch: str, object_id: str, about: Mapping[str, Any]) -> bool:
        """Take a batch's only object out of the pipeline, with the reason and what it is."""
        return self._items.try_to_write(
            update(
                _batch(batch),
                {"state": State.QUARANTINED, "reason": about["reason"]},
                state=State.OPEN,
            ),
            update(_object(object_id), about),
            put((QUARANTINED, f"object#{object_id}"), {**about, "batch": batch, **self._since()}),
            delete(_work(PLAN, batch)),
        )

    def reopened(self, batch: str, object_id: str) -> None:
        """Let a quarantined object be converted again, unless it is already."""
        self._items.try_to_write(
            update(_batch(batch), {"state": State.OPEN}, state=State.QUARANTINED),
            put(_work(PLAN, batch), self._left(State.OPEN)),
            delete((QUARANTINED, f"object#{object_id}")),
        )

    def prepare(self, batch: str, attempt: str, outputs: str, tables: Collection[str]) -> bool:
        """Choose an attempt's outputs, whose list was written last, as those that are published.

        False if the batch is no longer open: another attempt was chosen, or it is being split.
        """
        values = {
            "state": State.PREPARED,
            "attempt": attempt,
            "outputs": outputs,
            "tables": set(tables),
        }
        return self._items.try_to_write(
            update(_batch(batch), values, state=State.OPEN),
            *(put(_work(f"table#{t}", batch), self._left(State.PREPARED)) for t in tables),
            delete(_work(PLAN, batch)),
        )

    # Batches that are published

    def oldest_prepared(self, table: str) -> datetime | None:
        """Say since when the oldest of the batches that wait for a table waits, if any does."""
        waiting = next(self._items.query(f"table#{table}", _WORK, limit=1), None)
        return datetime.fromisoformat(waiting["since"]) if waiting else None

    def prepared(self, table: str) -> Iterator[str]:
        """Read which batches wait for a table, the oldest first."""
        return map(_batch_of, self._items.query(f"table#{table}", _WORK))

    def published(self, lease: Lease, batch: str) -> None:
        """Note that a batch's files of the lease's table are where they are seen."""
        lease.write(
            update(_batch(batch), {}, add={"published": {lease.table}}, state=State.PREPARED)
        )

    def done(self, lease: Lease, batch: str, counts: Mapping[str, int]) -> None:
        """End a batch that is published everywhere."""
        values = {"state": State.DONE, "ttl": self._end(), **counts}
        lease.write(update(_batch(batch), values, state=State.PREPARED))

    def worked_off(self, lease: Lease, batch: str) -> None:
        """Forget that a batch waits for the lease's table."""
        lease.write(delete(_work(f"table#{lease.table}", batch)))

    def _left(self, state: State) -> dict[str, str]:
        return {"state": state, **self._since()}

    def _since(self) -> dict[str, str]:
        return {"since": iso(datetime.fromtimestamp(self._clock(), UTC))}

    def _end(self) -> int | None:
        """Say when an item that is written now may be forgotten; None: never."""
        if not self._days_kept:
            return None
        return int(self._clock() + (timedelta(days=self._days_kept) + _SPARE).total_seconds())


def _object(object_id: str) -> Key:
    return f"object#{object_id}", ALONE


def _batch(batch: str) -> Key:
    return f"batch#{batch}", ALONE


def _work(of: str, batch: str) -> Key:
    return of, f"{_WORK}{batch}"


def _batch_of(item: Item) -> str:
    batch: str = item["sk"].removeprefix(_WORK)
    return batch
