"""Index the objects that a queue's messages are about, and send what is left of them again."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator
from contextlib import closing
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, cast

from aws_lambda_powertools import Logger

from servicelogs.delivery.attempt import Attempt, Delivery, Item
from servicelogs.delivery.metrics import Totals
from servicelogs.delivery.shard_rejects import ShardFiles
from servicelogs.detection.content import START_BYTES
from servicelogs.detection.objects import Detected, ObjectTypes, reject_unknown
from servicelogs.errors import (
    ClusterNeedsFixing,
    DeliveryError,
    NoProgress,
    ObjectGone,
    OutOfTime,
    ParquetFile,
    UnknownLogType,
    UnreadableMessage,
    UnreadableObject,
)
from servicelogs.opensearch.dated_indexes import DatedIndexes
from servicelogs.opensearch.documents import blocks_of, parsers_of
from servicelogs.records import UNKNOWN, Reject, Source
from servicelogs.sources.accounts import Accounts
from servicelogs.sources.decompression import Begun, begin, not_read_here
from servicelogs.sources.event_notifications import ObjectToRead, read_notification
from servicelogs.sources.own_buckets import refuse_own
from servicelogs.sources.queue import Message, Queue
from servicelogs.sources.s3_objects import OpenObject, open_object

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

    from servicelogs.detection.log_events import Identify

logger = Logger(child=True)

TRIES_TO_REACH = 3
PARQUET_ENDING = ".parquet"


@dataclass(slots=True, eq=False)
class Work:
    """What one message asks for, and what of it others must do."""

    message: Message
    item: Item
    has_nearly_all_time: bool = False
    """Whether the object that is read was begun with nearly all of an invocation's time."""
    left: list[str] = field(default_factory=list)
    """The messages for what there was no time for."""
    routed: list[ObjectToRead] = field(default_factory=list)
    """Parquet files, which another function reads and counts."""

    def skip(self, wanted: ObjectToRead, reason: str) -> None:
        """Count an object that is not a log to index, and say so."""
        self.item.skipped[reason] += 1
        logger.info(
            "object skipped",
            extra={"bucket": wanted.bucket, "key": wanted.key, "reason": reason},
        )


class ObjectIndexer:
    """Index the objects of one invocation's messages."""

    def __init__(
        self,
        attempt: Attempt,
        *,
        types: ObjectTypes,
        accounts: Accounts,
        s3: S3Client,
        queue: Queue,
        indexes: DatedIndexes,
        parquet_queue: Queue | None = None,
        text_of_parquet: Callable[[Iterator[bytes], int], Iterator[bytes]] = not_read_here,
        on_report: Callable[[Totals], None] = lambda _totals: None,
        keeps_extracted_fields: bool = False,
        own_buckets: Collection[str] = (),
    ) -> None:
        """Read these accounts' objects, and send what is left to the queue; say what was counted.

        Parquet files go to `parquet_queue`, if there is one, for a function that can read them.
        """
        self._attempt = attempt
        self._types = types
        self._accounts = accounts
        self._s3 = s3
        self._queue = queue
        self._indexes = indexes
        self._parquet_queue = parquet_queue
        self._text_of_parquet = text_of_parquet
        self._on_report = on_report
        self._keeps_extracted_fields = keeps_extracted_fields
        self._own_buckets = own_buckets
        self._errors: dict[str, Exception | None] = {}
        self.routed = 0
        """How many objects were left to another function, which counts them."""

    def index(self, messages: Iterable[Message]) -> list[Exception | None]:
        """Index every object of the messages; return for each why it must come again, or None.

        A message that came before may be what ended the function then. Such messages are worked one
        by one, after the others, and when all that is done is deleted: if one of them ends the
        function again, it comes again without those before it, and later than those after it.
        """
        given = list(messages)
        together = [message for message in given if not message.came_before]
        alone = sorted(
            (message for message in given if message.came_before),
            key=lambda message: message.receive_count,
        )
        done = self._index_together(together, alone) if together else []
        for number, message in enumerate(alone):
            if len(given) > 1:
                self._queue.delete(done)
                others = () if number else alone[1:]
                self._queue.isolate(message, others, self._attempt.seconds_left())
            done = self._index_together([message], alone[number + 1 :])
        return [self._errors[message.id] for message in given]

    def _index_together(self, messages: list[Message], waiting: list[Message]) -> list[Message]:
        """Index the objects of some messages, before those that wait; return those that are done.

        What must be fixed would stop those that wait as well: they come again later, too.
        """
        works = [self._read_message(message) for message in messages]
        self._attempt.settle()
        for work in works:
            if work.item.error is None:
                self._send(work)
        failed = [work for work in works if work.item.error is not None]
        self._queue.postpone((work.message, _delay(work)) for work in failed)
        try:
            errors = self._attempt.report()
        except ClusterNeedsFixing:
            self._queue.postpone((message, message.delay()) for message in waiting)
            raise
        self._on_report(self._attempt.totals)
        self._attempt = self._attempt.following()
        results = dict(zip((message.id for message in messages), errors, strict=True))
        self._errors |= results
        return [message for message in messages if results[message.id] is None]

    def _read_message(self, message: Message) -> Work:
        item = self._attempt.item(message_id=message.id, receive_count=message.receive_count)
        work = Work(message, item)
        with self._attempt.failing(item):
            self._attempt.raise_if_blocked()
            notification = read_notification(message.body)
            item.skipped.update(notification.skipped)
            for wanted in notification.objects:
                refuse_own(wanted, self._own_buckets)
                self._take_object(wanted, work)
        return work

    def _take_object(self, wanted: ObjectToRead, work: Work) -> None:
        wanted = replace(wanted, account_id=self._accounts.owner_of(wanted))
        if self._attempt.out_of_time():
            work.left.append(wanted.later(wanted.etag, wanted.start))
            return
        # What a key says counts only once it is known which of two it is.
        by_key = None if wanted.key_if_encoded else self._types.by_key(wanted.key)
        if by_key and by_key.skip:
            work.skip(wanted, by_key.skip)
            return
        if self._parquet_queue and wanted.key.endswith(PARQUET_ENDING):
            work.routed.append(wanted)
            return
        try:
            opened = open_object(self._s3, wanted)
        except ObjectGone as gone:
            work.skip(wanted, str(gone))
            return
        # From here on it is known which key it is.
        wanted = replace(wanted, key=opened.key, key_if_encoded="")
        work.has_nearly_all_time = self._attempt.has_nearly_all_time()
        with closing(opened.stream):
            self._read(opened, wanted, work)

    def _read(self, opened: OpenObject, wanted: ObjectToRead, work: Work) -> None:
        if not opened.size:
            work.skip(wanted, "an empty object")
            return
        try:
            begun = begin(
                opened.stream,
                START_BYTES,
                lambda pieces: self._text_of_parquet(pieces, wanted.start),
                self._attempt.look_at_time,
            )
            # An error keeps what it met, and so the copy of a Parquet file, until somebody collects
            # it.
            with closing(begun.chunks):
                self._index(begun, opened, wanted, work)
        except OutOfTime:  # before the first record
            delivery = self._attempt.begin(opened.source, UNKNOWN, wanted.start, work.item)
            delivery.resume_at = wanted.start
            _go_on_later(delivery, opened, wanted, work)

    def _index(self, begun: Begun, opened: OpenObject, wanted: ObjectToRead, work: Work) -> None:
        start, chunks, fault = begun
        if self._parquet_queue and isinstance(fault, ParquetFile):
            work.routed.append(replace(wanted, etag=opened.etag))
            return
        try:
            detected = self._types.identify(wanted.key, start, fault)
        except UnknownLogType as error:
            reject = reject_unknown(error, start, wanted.start)
            unknown = self._attempt.begin(opened.source, UNKNOWN, wanted.start, work.item)
            unknown.reject_whole(reject)
            return
        default = self._accounts.default_place(wanted)
        source = replace(
            opened.source,
            account_id=detected.account_id,
            region=detected.region,
            default_account_id=default.account_id,
            default_region=default.region,
        )
        if detected.of_events:
            delivery = self._deliver_events(detected, chunks, source, wanted, work)
        elif log_format := detected.format:
            delivery = self._attempt.begin(source, log_format.name, wanted.start, work.item)
            choose_index = self._indexes.of(log_format)
            blocks = blocks_of(log_format, chunks, source, choose_index, wanted.start, detected.cut)
            self._attempt.deliver(delivery, blocks)
        else:
            work.skip(wanted, detected.skip)
            return
        if delivery.resume_at:
            _go_on_later(delivery, opened, wanted, work)

    def _deliver_events(
        self,
        detected: Detected,
        chunks: Iterable[bytes],
        source: Source,
        wanted: ObjectToRead,
        work: Work,
    ) -> Delivery:
        """Deliver log events, each type apart; give one type's delivery, for all go on alike."""
        try:
            keeps = self._keeps_extracted_fields
            runs, shard = detected.log_events(chunks, source, keeps_extracted_fields=keeps)
        except UnreadableObject as error:
            unread = self._attempt.begin(source, UNKNOWN, wanted.start, work.item)
            unread.reject_whole(Reject(wanted.start, "unreadable", str(error), error.tail))
            return unread
        identify = cast("Identify", detected.of_events)
        from servicelogs.detection.event_blocks import EventBlocks  # late: few hold events

        blocks = EventBlocks(identify, parsers_of(self._indexes)).blocks(runs, wanted.start)
        delivery, *_ = self._attempt.deliver_types(
            source, wanted.start, work.item, blocks, files=ShardFiles(shard) if shard else None
        )
        return delivery

    def _send(self, work: Work) -> None:
        """Send on what others must do; only then is a message done."""
        try:
            self._queue.send(work.left)
            if self._parquet_queue:
                self._parquet_queue.send(
                    wanted.later(wanted.etag, wanted.start) for wanted in work.routed
                )
        except DeliveryError as error:
            work.item.fail(error)
            return
        self.routed += len(work.routed)
        for wanted in work.routed:
            logger.info("object routed", extra={"bucket": wanted.bucket, "key": wanted.key})


def _go_on_later(delivery: Delivery, opened: OpenObject, wanted: ObjectToRead, work: Work) -> None:
    """Leave to a new message what there was no time for.

    What a whole invocation does not reach, no later one would, unless this one was slowed down.
    """
    if delivery.resume_at > wanted.start or not work.has_nearly_all_time:
        work.left.append(wanted.later(opened.etag, delivery.resume_at))
        return
    why = (
        f"one invocation is too short to come to record {wanted.start} of {opened.source.uri}, "
        "decompressing and skipping what is before it"
    )
    if work.message.receive_count < TRIES_TO_REACH:
        raise NoProgress(f"{why}; it is tried {TRIES_TO_REACH} times")
    delivery.resume_at = 0
    delivery.reject_whole(
        Reject(
            wanted.start,
            "unreachable",
            f"{why}: this record and what follows it are not read; index the object in parts",
            b"",
            id=f"{opened.source.id}-{wanted.start}",
        )
    )


def _delay(work: Work) -> int:
    # A message that nobody can read goes to the dead-letter queue without delay.
    return 0 if isinstance(work.item.error, UnreadableMessage) else work.message.delay()
