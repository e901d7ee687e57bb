"""An attempt of one invocation: begin sources, deliver while there is time, settle, report.

An item is what an event hands over and takes back when it failed: a message, a record of a stream.
A source is what records come from. One item may have several sources, and several items one.
Sources share requests to the engine, so that nothing is known to be delivered before `settle`.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from copy import copy
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

from aws_lambda_powertools import Logger

from servicelogs.delivery.backup_bucket import BackupBucket
from servicelogs.delivery.counts import SourceCounts
from servicelogs.delivery.metrics import Totals
from servicelogs.delivery.rejects import Place, RejectFiles, SourceRejects
from servicelogs.errors import ClusterNeedsFixing, DeliveryError, OutOfTime, UnknownRefusal
from servicelogs.records import UNKNOWN, Block, Reject, Source

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

logger = Logger(child=True)

# What the end of an invocation needs: the last requests with their retries, then the rejects
# and what says which items come again; of a short timeout a quarter.
LONGEST_RESERVE_SECONDS = 60.0
RESERVE_SHARE = 0.25
# What cannot be read in so much of an invocation's time cannot be read in an invocation.
NEARLY_ALL = 0.9
# The rejects of so many sources are saved at a time: as many connections boto3 keeps open.
SAVED_AT_A_TIME = 10


class Writer(Protocol):
    """What takes blocks to an engine, and settles the counts of their sources."""

    def add(self, block: Block, counts: SourceCounts) -> None:
        """Take a block; it may be sent now or with later ones."""

    def flush(self) -> None:
        """Send all that is left, and settle all counts."""

    def find(self, places: Sequence[Place]) -> list[bool]:
        """Say of each document whether the engine has it, and lets it be read."""


@dataclass(slots=True, eq=False)
class Delivery:
    """One source, or what this attempt does of it."""

    counts: SourceCounts
    rejects: SourceRejects
    first: int
    """The number of the first record that was still to be delivered."""
    end: int
    """The number after the last record that was read."""
    resume_at: int = 0
    """The number of the record where the next attempt goes on; 0: the source is finished."""
    error: Exception | None = None
    stops: bool = False
    """Whether what could not be delivered comes again from its first record on, as in a stream, and
    not the whole source."""

    def check(self) -> None:
        """Raise why records were left, unless it stops there, or that the counts do not add up."""
        counts = self.counts
        if self.stops and counts.left_from:
            self.resume_at = min(self.resume_at or counts.left_from, counts.left_from)
            counts.check_sum()
        else:
            counts.check()

    def reject_whole(self, reject: Reject) -> None:
        """Count a source none of which can be read as one rejected record."""
        self.counts.records += 1
        self.counts.reject(reject)
        self.end = reject.number + 1


@dataclass(slots=True, eq=False)
class Item:
    """One item of the event, and what became of it."""

    about: Mapping[str, object]
    """What log lines say of it: its id, how often it came."""
    deliveries: list[Delivery] = field(default_factory=list)
    skipped: Counter[str] = field(default_factory=Counter)
    """What it holds beside logs to deliver, by reason."""
    error: Exception | None = None
    """Why it must come again: the first reason."""

    def fail(self, error: Exception) -> None:
        """Have the item come again."""
        self.error = self.error or error


class _Stopped(Exception):
    """The engine does not take what comes now; what it has counts."""


class Attempt:
    """What one invocation does with items of its event: with all, or some before others."""

    def __init__(
        self,
        *,
        writer: Writer,
        s3: S3Client,
        backup_bucket: str,
        seconds_left: Callable[[], float],
    ) -> None:
        """Begin; the time that is left now decides how much of it is kept for the end."""
        self._writer = writer
        self._backup_bucket = BackupBucket(s3, backup_bucket)
        self._seconds_left = seconds_left
        all_seconds = seconds_left()
        self._reserve = min(LONGEST_RESERVE_SECONDS, all_seconds * RESERVE_SHARE)
        self._nearly_all = (all_seconds - self._reserve) * NEARLY_ALL
        self._items: list[Item] = []
        self._blocking_error: DeliveryError | None = None
        self.totals = Totals()
        """The counts of what was delivered; complete after `report`."""

    def following(self) -> Attempt:
        """Begin the next attempt of the same invocation: what blocks this one blocks it too."""
        following = copy(self)
        following._items, following.totals = [], Totals()
        return following

    def seconds_left(self) -> float:
        """Say how long the invocation may still last."""
        return self._seconds_left()

    def item(self, **about: object) -> Item:
        """Take the event's next item; log lines say this about it."""
        item = Item(about)
        self._items.append(item)
        return item

    @contextmanager
    def failing(self, *items: Item) -> Iterator[None]:
        """Let whatever goes wrong within fail these items alone; `report` says why."""
        try:
            yield
        except Exception as error:  # noqa: BLE001 - one bad item never fails the others
            for item in items:
                item.fail(error)

    def raise_if_blocked(self) -> None:
        """Raise what keeps the engine from taking more.

        What it did not take of one source it will not take of the next: those come again after a
        delay, not at once.
        """
        if self._blocking_error is not None:
            raise self._blocking_error

    def out_of_time(self) -> bool:
        """Say whether only the time for the end is left."""
        return self._seconds_left() < self._reserve

    def has_nearly_all_time(self) -> bool:
        """Say whether what begins now has as much time as an invocation can give it."""
        return self._seconds_left() - self._reserve >= self._nearly_all

    def look_at_time(self) -> None:
        """Raise OutOfTime when only the time for the end is left."""
        if self.out_of_time():
            raise OutOfTime

    def begin(
        self,
        source: Source,
        log_type: str,
        first: int,
        *items: Item,
        files: RejectFiles | None = None,
    ) -> Delivery:
        """Begin to deliver a source's records from this number on, for the items that hold it.

        Its rejects lie in these files, if not in an object's.
        """
        rejects = SourceRejects(source, log_type, files)
        delivery = Delivery(SourceCounts(source, log_type, rejects.add), rejects, first, first)
        for item in items:
            item.deliveries.append(delivery)
        return delivery

    def deliver(self, delivery: Delivery, blocks: Iterable[Block]) -> None:
        """Hand a source's blocks to the writer while there is time; raise when records were left.

        Where there is no time for all, or to save more rejects, `resume_at` says where the next
        attempt goes on: behind the last block, also if the blocks' source stopped because it looked
        at the time.
        """
        try:
            for block in blocks:
                self._add(block, delivery)
                delivery.end = block.end
                self._look_at_what_is_left(delivery)
        except OutOfTime:
            delivery.resume_at = delivery.end

    def _look_at_what_is_left(self, *deliveries: Delivery) -> None:
        """Raise OutOfTime where what was begun leaves no time, or no room for more rejects."""
        if deliveries:
            self.look_at_time()
        if any(delivery.rejects.full for delivery in deliveries):
            raise OutOfTime

    def deliver_types(
        self,
        source: Source,
        first: int,
        item: Item,
        blocks: Iterable[tuple[str, Block]],
        *,
        files: RejectFiles | None = None,
        stops: bool = False,
    ) -> list[Delivery]:
        """Deliver an item's source whose blocks are of several log types, as `deliver` does.

        Give a delivery for each type, one at least: each has counts of its own, and its rejects in
        these files, if not in an object's. With `stops` what the engine does not take now is no
        error: the next attempt goes on there.
        """
        by_type: dict[str, Delivery] = {}
        resume_at, end = 0, first
        try:
            for log_type, block in blocks:
                self._look_at_what_is_left(*by_type.values())
                if log_type not in by_type:
                    by_type[log_type] = self.begin(source, log_type, first, item, files=files)
                self._add_some(block, by_type[log_type], stops=stops)
                end = block.end
        except OutOfTime:
            resume_at = end
        except _Stopped:
            pass
        deliveries = [*by_type.values()] or [self.begin(source, UNKNOWN, first, item)]
        for delivery in deliveries:
            delivery.end, delivery.resume_at, delivery.stops = end, resume_at, stops
        return deliveries

    def _add_some(self, block: Block, delivery: Delivery, *, stops: bool) -> None:
        try:
            self._add(block, delivery)
        except DeliveryError as error:
            if not stops or isinstance(error, ClusterNeedsFixing):
                raise
            delivery.counts.leave(0, error, block.first)
            delivery.error = None
            raise _Stopped from error

    def settle(self) -> None:
        """Send what is left, and save the rejects; only then is an item done, or has failed."""
        self._flush()
        self._carry_out(Delivery.check)
        self._carry_out(self._save_rejects)

    def report(self) -> list[Exception | None]:
        """Log and count what became of each item, and return the errors of those that failed.

        A cluster that needs fixing fails the whole event: it would refuse everything else too.
        """
        for item in self._items:
            _report(item)
            if item.error is None:
                self.totals.skipped.update(item.skipped)
        for delivery in self._settled():
            logger.info("source delivered", extra=_fields(delivery))
            self.totals.add(delivery.counts, finished=not delivery.resume_at)
        for item in self._items:
            for delivery in item.deliveries:
                delivery.rejects.close()
        if isinstance(self._blocking_error, ClusterNeedsFixing):
            raise self._blocking_error
        return [item.error for item in self._items]

    def _add(self, block: Block, delivery: Delivery) -> None:
        try:
            self._writer.add(block, delivery.counts)
            if delivery.counts.error is not None:
                raise delivery.counts.error
        except DeliveryError as error:
            delivery.error = error
            if not isinstance(error, UnknownRefusal):
                self._blocking_error = error
            raise

    def _flush(self) -> None:
        if not isinstance(self._blocking_error, ClusterNeedsFixing):
            try:
                self._writer.flush()
            except ClusterNeedsFixing as error:
                self._blocking_error = error
            except Exception as error:  # noqa: BLE001 - whose records they were, nobody knows
                for item in self._items:
                    item.fail(error)
        if isinstance(self._blocking_error, ClusterNeedsFixing):
            for item in self._items:
                item.fail(self._blocking_error)

    def _settled(self) -> list[Delivery]:
        """Return each source once of which at least one item did not fail."""
        done = (item.deliveries for item in self._items if item.error is None)
        return list(dict.fromkeys(delivery for deliveries in done for delivery in deliveries))

    def _carry_out(self, step: Callable[[Delivery], None]) -> None:
        def attempt(delivery: Delivery) -> None:
            try:
                step(delivery)
            except Exception as error:  # noqa: BLE001 - one bad source never fails the others
                delivery.error = error

        with ThreadPoolExecutor(SAVED_AT_A_TIME) as pool:
            list(pool.map(attempt, self._settled()))
        self._fail_items()

    def _save_rejects(self, delivery: Delivery) -> None:
        """Save what was rejected, in place of what earlier attempts said of the same records.

        The engine may have a document that it refused just now: from an earlier attempt, or from
        one that goes on beside this. Either that one finds the line that this one has saved, or
        this one the document, because it asks again after each time that it saved lines.
        """
        self._take_back(delivery)
        self._save(delivery)
        while self._take_back(delivery):
            self._save(delivery)

    def _take_back(self, delivery: Delivery) -> int:
        taken = delivery.rejects.take_back(self._writer.find)
        delivery.counts.take_back(taken)
        return taken

    def _save(self, delivery: Delivery) -> None:
        delivery.rejects.save(self._backup_bucket, range(delivery.first, delivery.end))

    def _fail_items(self) -> None:
        for item in self._items:
            for delivery in item.deliveries:
                if delivery.error is not None:
                    item.fail(delivery.error)


def _report(item: Item) -> None:
    if item.error is not None:
        logger.error(
            "item failed",
            extra={
                **item.about,
                "sources": [delivery.counts.source.uri for delivery in item.deliveries],
                "error_type": type(item.error).__name__,
                "error": str(item.error),
            },
        )
        return
    for delivery in item.deliveries:
        if error := delivery.counts.error:
            logger.warning(
                "records left for the next attempt",
                extra={
                    **item.about,
                    "source": delivery.counts.source.uri,
                    "resume_at": delivery.resume_at,
                    "error_type": type(error).__name__,
                    "error": str(error),
                },
            )
    if item.skipped:
        logger.info("skipped", extra={**item.about, "skipped": dict(item.skipped)})


def _fields(delivery: Delivery) -> dict[str, object]:
    counts = delivery.counts
    return {
        "source": counts.source.uri,
        "log_type": counts.log_type,
        "from": delivery.first,
        "resume_at": delivery.resume_at,
        "records": counts.records,
        "indexed": counts.indexed,
        "already_there": counts.already_there,
        "rejected": counts.rejected,
        "filtered": dict(counts.filtered),
        "left": counts.left,
    }
