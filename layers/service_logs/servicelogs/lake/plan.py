"""Plan a run: make batches of the objects that wait, and list the batches that are to be converted.

What earlier plans and splits left unfinished is finished first. Objects are taken oldest first, and
each is claimed by a conditional write of its own: two plans at once share what there is.
"""

from __future__ import annotations

import heapq
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import batched
from typing import TYPE_CHECKING

from aws_lambda_powertools import Logger

from servicelogs.errors import UnreadableDocument
from servicelogs.lake import names, split
from servicelogs.lake.deployment import Lake
from servicelogs.lake.files import at_once
from servicelogs.lake.ledger import Claim, State, Work
from servicelogs.lake.manifests import Manifest, StagedObject

if TYPE_CHECKING:
    from mypy_boto3_s3.type_defs import ObjectTypeDef

logger = Logger(child=True)

# What making one more batch may take, and the manifest of the run.
SECONDS_FOR_A_BATCH = 30.0
_LOOKED_AT_TOGETHER = 1000
# Longer than a function may run: until then the copy may be one that is just being sent again.
_STALE = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class Plan:
    """What an execution is to convert."""

    bucket: str
    key: str
    batches: int
    more: bool
    """Whether objects or batches are left for another plan of the same execution."""
    oldest: datetime | None
    """When the oldest object that was waiting was delivered."""


@dataclass(slots=True)
class _Gathered:
    """Objects of one log type that go into one batch."""

    objects: list[StagedObject] = field(default_factory=list)
    bytes: int = 0

    def add(self, found: StagedObject) -> None:
        self.objects.append(found)
        self.bytes += found.size


def plan(
    lake: Lake, execution: str, entered: str, attempt: str, seconds_left: Callable[[], float]
) -> Plan:
    """Plan what an execution is to convert, and write it where the execution reads it.

    All attempts at a plan name the same time at which the execution entered it.
    """
    planner = Planner(lake, execution, entered, seconds_left)
    planner.finish()
    planner.take_objects()
    key = names.run_key(execution, attempt)
    lake.staging.write(key, [{"batch": batch} for batch in planner.batches])
    return Plan(lake.staging.bucket, key, len(planner.batches), planner.more, planner.oldest)


class Planner:
    """One plan of one execution."""

    def __init__(
        self, lake: Lake, execution: str, entered: str, seconds_left: Callable[[], float]
    ) -> None:
        self._lake = lake
        self._execution = execution
        self._entered = entered
        self._seconds_left = seconds_left
        self._running: dict[str, bool] = {execution: True}
        self.batches: list[str] = []
        """The batches that the execution is to convert."""
        self.more = False
        self.oldest: datetime | None = None

    def finish(self) -> None:
        """Finish what was begun, and take the batches that nobody converts."""
        for work in self._lake.ledger.work():
            if self._is_full():
                self.more = True
                return
            try:
                self._go_on(work)
            except UnreadableDocument:
                # The others do not wait for it: its objects stay staged, and grow old.
                logger.exception("batch not finished", extra={"batch": work.batch})
        # The smaller batches of what was split have been opened since.
        for work in self._lake.ledger.work():
            if work.state is State.OPEN and not work.run and work.batch not in self.batches:
                if self._is_full():
                    self.more = True
                    return
                self._hand_out(work)

    def _go_on(self, work: Work) -> None:
        match work.state:
            case State.PLANNED:
                self._finish_planned(work.batch)
            case State.SPLITTING if found := self._lake.ledger.batch(work.batch):
                split.go_on(self._lake, found)
            case State.OPEN if (work.run, work.entered) == (self._execution, self._entered):
                # By an attempt at this plan that was killed before anybody read what it handed out.
                self.batches.append(work.batch)
            case State.OPEN if not self._is_running(work.run):
                self._hand_out(work)

    def take_objects(self) -> None:
        """Make batches of objects that wait, the oldest first."""
        gathered: dict[str, _Gathered] = {}
        taken: set[str] = set()
        for entries in batched(self._staged(), _LOOKED_AT_TOGETHER, strict=False):
            if self._is_full():
                self.more = True
                return
            for found in self._unclaimed(entries):
                if found.id not in taken:
                    taken.add(found.id)
                    self._gather(found, gathered)
        for log_type, group in gathered.items():
            self._make_batch(log_type, group.objects)

    def _gather(self, found: StagedObject, gathered: dict[str, _Gathered]) -> None:
        settings = self._lake.settings
        log_type = names.log_type_of(found.key)
        group = gathered.setdefault(log_type, _Gathered())
        full = len(group.objects) >= settings.max_objects_per_batch
        if group.objects and (full or group.bytes + found.size > settings.max_bytes_per_batch):
            self._make_batch(log_type, group.objects)
            group = gathered[log_type] = _Gathered()
        group.add(found)

    def _make_batch(self, log_type: str, objects: Sequence[StagedObject]) -> None:
        """Make a batch of objects, those of them that nobody else claims."""
        if self._is_full():
            self.more = True
            return
        batch = names.new_batch(names.delivered_of(objects[0].key))
        manifest = Manifest(batch, log_type, list(objects))
        self._lake.staging.write(names.planned_key(batch), manifest)
        self._lake.ledger.planned(batch, log_type)
        self._finish_planned(batch)

    def _finish_planned(self, batch: str) -> None:
        """Claim a batch's objects, and open it with those that it has."""
        lake = self._lake
        planned = lake.staging.read(names.planned_key(batch), Manifest)
        claimed = at_once(lambda one: lake.ledger.claim(one.key, batch), planned.objects)
        own = [one for one, is_own in zip(planned.objects, claimed, strict=True) if is_own]
        if not own:
            lake.ledger.dissolved(batch)
            return
        # Whoever wrote it first knew all claims; later on they may have moved to smaller batches.
        lake.staging.write_once(names.manifest_key(batch), Manifest(batch, planned.type, own))
        lake.ledger.opened(batch, len(own))
        self._hand_out(Work(batch, State.OPEN))

    def _hand_out(self, work: Work) -> None:
        if self._lake.ledger.hand_out(work, self._execution, self._entered):
            self.batches.append(work.batch)

    def _is_running(self, run: str) -> bool:
        """Say whether an execution that a batch was handed out to may still convert it.

        What this one was handed out in an earlier plan failed in it: the next may try again.
        """
        if run and run not in self._running:
            self._running[run] = self._lake.executions.is_running(run)
        return bool(run) and self._running[run]

    def _is_full(self) -> bool:
        most = self._lake.settings.max_batches_per_run
        return len(self.batches) >= most or self._seconds_left() < SECONDS_FOR_A_BATCH

    def _staged(self) -> Iterator[ObjectTypeDef]:
        """List the objects that wait, the oldest first, whatever their types."""
        staging = self._lake.staging
        listings = [staging.list(f"{names.RAW}{one}/") for one in staging.folders(names.RAW)]
        for entry in heapq.merge(*listings, key=lambda one: one["Key"].rpartition("/")[2]):
            if names.is_copy(entry["Key"]):
                yield entry
            else:
                logger.warning("not a staged object", extra={"key": entry["Key"]})

    def _unclaimed(self, entries: Sequence[ObjectTypeDef]) -> Iterator[StagedObject]:
        """Give the objects that no batch has; delete the copies that nobody needs any more."""
        keys = [entry["Key"] for entry in entries]
        claims = self._lake.ledger.claims(map(names.id_of, keys))
        states = self._lake.ledger.states({claim.batch for claim in claims.values()})
        done = []
        for entry in entries:
            key = entry["Key"]
            claim = claims.get(names.id_of(key))
            if claim is None:
                self._note_age(key)
                yield StagedObject(key, names.id_of(key), entry["Size"])
            elif self._is_over(entry, claim, states.get(claim.batch)):
                done.append(key)
            else:
                self._note_age(key)
        self._lake.staging.delete(done)

    def _is_over(self, entry: ObjectTypeDef, claim: Claim, state: State | None) -> bool:
        # The ledger forgets only what has ended.
        if claim.key != entry["Key"] or state in {None, State.DONE}:
            return True
        now = datetime.fromtimestamp(self._lake.clock(), UTC)
        return state is State.QUARANTINED and now - entry["LastModified"] > _STALE

    def _note_age(self, key: str) -> None:
        self.oldest = min(self.oldest or datetime.max.replace(tzinfo=UTC), names.delivered_of(key))
