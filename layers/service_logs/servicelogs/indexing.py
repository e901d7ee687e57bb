"""Index the objects that a batch of messages announces, and account for each of their records.

The objects of a batch share bulk requests, so that nothing is known to be delivered before
`finish`: there each message succeeds or fails by the accounts of its own objects.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass, field, replace
from itertools import batched, chain
from typing import TYPE_CHECKING, Protocol

from aws_lambda_powertools import Logger
from botocore.exceptions import BotoCoreError, ClientError

from servicelogs.accounts import Account
from servicelogs.detection.content import START_BYTES
from servicelogs.detection.objects import ObjectTypes
from servicelogs.documents import Dates
from servicelogs.errors import (
    ClusterNeedsMending,
    DeliveryError,
    ObjectGone,
    ParquetFile,
    Unaccounted,
    UnknownLogType,
    UnreadableMessage,
)
from servicelogs.measures import Totals
from servicelogs.parsing.format import Format
from servicelogs.reading import Begun, begin, not_read_here
from servicelogs.records import Block, Reject, Source
from servicelogs.rejects import RejectsPart
from servicelogs.sources.announcements import Announcement, ObjectToRead, read_announcement
from servicelogs.sources.queue import Message, Queue
from servicelogs.sources.s3_objects import OpenObject, open_object

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

logger = Logger(child=True)

# What the end of an invocation needs: the last bulk requests with their retries, then the rejects
# and the messages for what is left; of a short timeout a quarter.
LONGEST_RESERVE_SECONDS = 60.0
RESERVE_SHARE = 0.25
# How much of an object of unknown type its reject shows.
SHOWN_BYTES = 4096
UNKNOWN = "unknown"
PARQUET_ENDING = ".parquet"
# The most keys that one DeleteObjects takes.
DELETIONS = 1000


class Writer(Protocol):
    """What takes blocks to the search engine, and settles the accounts of their objects."""

    def add(self, block: Block, account: Account) -> None:
        """Take a block; it may be sent now or with later ones."""

    def flush(self) -> None:
        """Send all that is left, and settle every account."""


@dataclass(slots=True, eq=False)
class Part:
    """One object, or what this attempt does of it."""

    wanted: ObjectToRead
    opened: OpenObject
    account: Account
    rejects: RejectsPart
    resume_at: int = 0
    """The ordinal where the next attempt goes on; 0: the object is finished."""


@dataclass(slots=True, eq=False)
class Work:
    """What one message asks for, and how far it came."""

    message: Message
    parts: list[Part] = field(default_factory=list)
    not_begun: list[ObjectToRead] = field(default_factory=list)
    routed: list[ObjectToRead] = field(default_factory=list)
    """Parquet files, which another function reads and counts."""
    passed_over: Counter[str] = field(default_factory=Counter)
    error: Exception | None = None

    def pass_over(self, wanted: ObjectToRead, reason: str) -> None:
        """Count an object that is no log to index, and say so."""
        self.passed_over[reason] += 1
        logger.info(
            "object passed over",
            extra={"bucket": wanted.bucket, "key": wanted.key, "reason": reason},
        )

    def left(self) -> list[str]:
        """Write the messages for what is left for a later attempt."""
        return [
            replace(part.wanted, key=part.opened.key, key_if_encoded="").later(
                part.opened.etag, part.resume_at
            )
            for part in self.parts
            if part.resume_at
        ] + [wanted.later(wanted.etag, wanted.start) for wanted in self.not_begun]

    def check(self) -> None:
        """Fail the message if a record of it was left or is not accounted for."""
        for part in self.parts:
            if part.account.error is not None:
                raise part.account.error
            if not part.account.balanced():
                raise Unaccounted(
                    f"{part.account.source.uri}: of {part.account.records} records "
                    f"{part.account.settled()} are accounted for"
                )


class Batch:
    """The messages of one invocation."""

    def __init__(
        self,
        *,
        types: ObjectTypes,
        backup_bucket: str,
        s3: S3Client,
        queue: Queue,
        writer: Writer,
        dates: Callable[[Format], Dates],
        seconds_left: Callable[[], float],
        parquet_queue: Queue | None = None,
        text_of_parquet: Callable[[Iterator[bytes], int], Iterator[bytes]] = not_read_here,
    ) -> None:
        """Begin; the time that is left now decides how much of it is kept for the end.

        Parquet files go to `parquet_queue`, if there is one, for a function that can read them.
        """
        self._types = types
        self._backup_bucket = backup_bucket
        self._s3 = s3
        self._queue = queue
        self._writer = writer
        self._dates = dates
        self._seconds_left = seconds_left
        self._parquet_queue = parquet_queue
        self._text_of_parquet = text_of_parquet
        self._reserve = min(LONGEST_RESERVE_SECONDS, seconds_left() * RESERVE_SHARE)
        self._works: list[Work] = []
        self._hindrance: DeliveryError | None = None
        self.totals = Totals()
        """The counts of the messages that succeeded; complete after `finish`."""

    def take(self, message: Message) -> None:
        """Read a message's objects and hand their records to the writer."""
        work = Work(message)
        self._works.append(work)
        try:
            self._take_objects(read_announcement(message.body), work)
        except Exception as error:
            work.error = error
            if isinstance(error, DeliveryError):
                self._hindrance = error
            raise

    def finish(self) -> dict[str, Exception]:
        """Deliver what is left, and tell which messages failed, by id.

        A cluster that needs mending fails the whole batch: it would refuse every other object too.
        """
        self._flush()
        for work in self._works:
            if work.error is None:
                self._settle(work)
        self._forget_earlier_rejects()
        failed = [work for work in self._works if work.error is not None]
        self._queue.postpone((work.message, _delay(work)) for work in failed)
        for work in self._works:
            self._report(work)
        for part in chain.from_iterable(work.parts for work in self._works):
            part.rejects.close()
        if isinstance(self._hindrance, ClusterNeedsMending):
            raise self._hindrance
        return {work.message.id: work.error for work in failed if work.error is not None}

    def _take_objects(self, announcement: Announcement, work: Work) -> None:
        if self._hindrance is not None:
            # What the engine did not take of one object it will not take of the next: these come
            # again after a delay, not at once.
            raise self._hindrance
        work.passed_over.update(announcement.ignored)
        for wanted in announcement.objects:
            self._take_object(wanted, work)

    def _take_object(self, wanted: ObjectToRead, work: Work) -> None:
        if self._out_of_time():
            work.not_begun.append(wanted)
            return
        # What a key says counts only once it is known which of two it is.
        by_key = None if wanted.key_if_encoded else self._types.by_key(wanted.key)
        if by_key and by_key.skip:
            work.pass_over(wanted, by_key.skip)
            return
        if self._parquet_queue and wanted.key.endswith(PARQUET_ENDING):
            work.routed.append(wanted)
            return
        try:
            opened = open_object(self._s3, wanted)
        except ObjectGone as gone:
            work.pass_over(wanted, str(gone))
            return
        try:
            self._read(opened, wanted, work)
        finally:
            opened.stream.close()

    def _read(self, opened: OpenObject, wanted: ObjectToRead, work: Work) -> None:
        if not opened.size:
            work.pass_over(wanted, "an empty object")
            return
        begun = begin(
            opened.stream,
            START_BYTES,
            lambda pieces: self._text_of_parquet(pieces, wanted.start),
        )
        # An error keeps what it met, and so the copy of a Parquet file, until somebody collects it.
        with closing(begun.chunks):
            self._index(begun, opened, wanted, work)

    def _index(self, begun: Begun, opened: OpenObject, wanted: ObjectToRead, work: Work) -> None:
        start, chunks, fault = begun
        if self._parquet_queue and isinstance(fault, ParquetFile):
            work.routed.append(replace(wanted, key=opened.key, key_if_encoded="", etag=opened.etag))
            return
        try:
            detected = self._types.identify(opened.key, start, fault)
        except UnknownLogType as error:
            reject = Reject(wanted.start, "unknown_log_type", str(error), start[:SHOWN_BYTES])
            self._reject_whole(opened, wanted, work, reject)
            return
        log_format = detected.format
        if log_format is None:
            work.pass_over(wanted, detected.skip)
            return
        source = replace(opened.source, account_id=detected.account_id, region=detected.region)
        part = self._begin_part(opened, wanted, work, source, log_format.name)
        blocks = log_format.blocks(chunks, source, self._dates(log_format), wanted.start)
        for block in blocks:
            self._writer.add(block, part.account)
            if part.account.error is not None:
                raise part.account.error
            if self._out_of_time():
                part.resume_at = block.end
                return

    def _reject_whole(
        self, opened: OpenObject, wanted: ObjectToRead, work: Work, reject: Reject
    ) -> None:
        part = self._begin_part(opened, wanted, work, opened.source, UNKNOWN)
        part.account.records += 1
        part.account.reject(reject)

    def _begin_part(
        self, opened: OpenObject, wanted: ObjectToRead, work: Work, source: Source, log_type: str
    ) -> Part:
        rejects = RejectsPart(source, log_type, wanted.start)
        part = Part(wanted, opened, Account(source, log_type, rejects.add), rejects)
        work.parts.append(part)
        return part

    def _out_of_time(self) -> bool:
        return self._seconds_left() < self._reserve

    def _flush(self) -> None:
        if not isinstance(self._hindrance, ClusterNeedsMending):
            try:
                self._writer.flush()
            except ClusterNeedsMending as error:
                self._hindrance = error
        if isinstance(self._hindrance, ClusterNeedsMending):
            for work in self._works:
                work.error = work.error or self._hindrance

    def _settle(self, work: Work) -> None:
        """Save a message's rejects and what is left of it; only then is it done."""
        try:
            work.check()
            for part in work.parts:
                part.rejects.upload(self._s3, self._backup_bucket)
            self._queue.send(work.left())
            if self._parquet_queue:
                self._parquet_queue.send(
                    wanted.later(wanted.etag, wanted.start) for wanted in work.routed
                )
        except (DeliveryError, Unaccounted, ClientError, BotoCoreError) as error:
            work.error = error

    def _forget_earlier_rejects(self) -> None:
        """Delete what an earlier attempt rejected of parts that have no rejects any more."""
        bucket = self._backup_bucket
        works = {
            part.rejects.key: work
            for work in self._works
            for part in work.parts
            if work.error is None and part.rejects.empty
        }
        for keys in batched(works, DELETIONS, strict=False):
            try:
                answer = self._s3.delete_objects(
                    Bucket=bucket,
                    Delete={"Objects": [{"Key": key} for key in keys], "Quiet": True},
                )
            except (ClientError, BotoCoreError) as error:
                for key in keys:
                    works[key].error = error
                continue
            for failed in answer.get("Errors", []):
                works[failed["Key"]].error = DeliveryError(
                    f"s3://{bucket}/{failed['Key']} could not be deleted: {failed['Message']}"
                )

    def _report(self, work: Work) -> None:
        if work.error is not None:
            logger.error(
                "message failed",
                extra={
                    "message_id": work.message.id,
                    "receive_count": work.message.receive_count,
                    "objects": [part.account.source.uri for part in work.parts],
                    "error_type": type(work.error).__name__,
                    "error": str(work.error),
                },
            )
            return
        if work.passed_over:
            logger.info("passed over", extra={"passed_over": dict(work.passed_over)})
            self.totals.passed_over.update(work.passed_over)
        for wanted in work.routed:
            logger.info("object routed", extra={"bucket": wanted.bucket, "key": wanted.key})
        self.totals.routed += len(work.routed)
        for part in work.parts:
            logger.info("object indexed", extra=_fields(part))
            self.totals.add(part.account, finished=not part.resume_at)


def _delay(work: Work) -> int:
    # A message that nobody can read goes to the dead-letter queue without delay.
    return 0 if isinstance(work.error, UnreadableMessage) else work.message.delay()


def _fields(part: Part) -> dict[str, object]:
    account = part.account
    return {
        "bucket": part.wanted.bucket,
        "key": part.opened.key,
        "log_type": account.format_name,
        "from": part.wanted.start,
        "resume_at": part.resume_at,
        "records": account.records,
        "indexed": account.indexed,
        "already_there": account.already_there,
        "rejected": account.rejected,
        "filtered": dict(account.filtered),
    }
