"""Stage objects: copy each that a message names to the staging bucket, where plans find it.

Nothing of an object is read. An object that the ledger knows is acknowledged, unless it was
quarantined: then it is sent again on purpose.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from aws_lambda_powertools import Logger
from aws_lambda_powertools.metrics import MetricUnit

from servicelogs.delivery import failed_items
from servicelogs.detection.objects import ObjectTypes
from servicelogs.errors import (
    ObjectGone,
    ObjectReplaced,
    ObjectUnreachable,
    OutOfTime,
    UnreadableMessage,
)
from servicelogs.lake import copies, names
from servicelogs.lake.copies import FoundObject
from servicelogs.lake.deployment import Lake, seconds_left
from servicelogs.lake.files import at_once
from servicelogs.lake.ledger import Claim, State
from servicelogs.settings import (
    AccountSettings,
    BucketSettings,
    LogSettings,
    QueueSettings,
    read_settings,
)
from servicelogs.sources.accounts import Accounts
from servicelogs.sources.event_notifications import ObjectToRead, read_notification
from servicelogs.sources.own_buckets import refuse_own
from servicelogs.sources.queue import Message, Queue

if TYPE_CHECKING:
    import boto3
    from aws_lambda_powertools import Metrics
    from aws_lambda_powertools.utilities.typing import LambdaContext

logger = Logger(child=True)

# What copying one object may take, beside those that are copied meanwhile.
SECONDS_FOR_AN_OBJECT = 30.0
# An object that is replaced each time it is looked at comes again later.
_TRIES = 3


@dataclass(slots=True)
class Staged:
    """What became of the objects of some messages."""

    staged: Counter[str] = field(default_factory=Counter)
    """By log type, as far as the keys say it."""
    already_there: int = 0
    skipped: Counter[str] = field(default_factory=Counter)


class Stager:
    """Stages the objects of one invocation's messages."""

    def __init__(
        self,
        lake: Lake,
        types: ObjectTypes,
        accounts: Accounts,
        seconds_left: Callable[[], float],
        own_buckets: Collection[str] = (),
    ) -> None:
        """Stage objects of these accounts, and none from the deployment's own buckets.

        They are identified by their keys with `types`.
        """
        self._lake = lake
        self._types = types
        self._accounts = accounts
        self._seconds_left = seconds_left
        self._own_buckets = own_buckets
        self.staged = Staged()

    def stage(self, messages: Sequence[Message]) -> list[Exception | None]:
        """Stage every object; return for each message why it must come again, or None."""
        return at_once(self._stage_message, messages)

    def _stage_message(self, message: Message) -> Exception | None:
        try:
            notification = read_notification(message.body)
            self.staged.skipped.update(notification.skipped)
            for wanted in notification.objects:
                if self._seconds_left() < SECONDS_FOR_AN_OBJECT:
                    raise OutOfTime(f"there is no time to stage s3://{wanted.bucket}/{wanted.key}")
                self._stage(wanted)
        except Exception as error:  # noqa: BLE001 - one bad message never fails the others
            logger.warning("message failed", extra={"message_id": message.id, "error": str(error)})
            return error
        return None

    def _stage(self, wanted: ObjectToRead) -> None:
        try:
            if wanted.bucket == self._lake.settings.staging_bucket:
                self._send_again(wanted)
            else:
                refuse_own(wanted, self._own_buckets)
                self._stage_object(wanted)
        except ObjectGone as gone:
            self._skip(wanted, str(gone))

    def _stage_object(self, wanted: ObjectToRead) -> None:
        owner = self._accounts.owner_of(wanted)
        default = self._accounts.default_place(wanted)
        # What a key says counts only once it is known which of two it is.
        if not wanted.key_if_encoded and (skip := self._why_skipped(wanted.key)):
            self._skip(wanted, skip)
            return
        for _ in range(_TRIES):
            s3 = self._lake.staging.s3
            keys = wanted.key, wanted.key_if_encoded
            found = replace(copies.find(s3, wanted.bucket, *keys, owner=owner), default=default)
            wanted = replace(wanted, key=found.key, key_if_encoded="")
            if skip := self._why_skipped(found.key) or ("" if found.size else "an empty object"):
                self._skip(wanted, skip)
                return
            try:
                self._copy(found)
            except ObjectReplaced:
                continue
            return
        raise ObjectUnreachable(f"{found.uri} is replaced again and again; it comes again later")

    def _copy(self, found: FoundObject) -> None:
        source = found.source
        log_type = self._log_type(found.key)
        claim = self._claim(source.id)
        if claim and not self._is_quarantined(claim):
            self._already_there(found.uri, claim)
            return
        key = claim.key if claim else names.raw_key(log_type, source)
        staging = self._lake.staging
        copies.copy(staging.s3, found, staging.bucket, key, found.as_source())
        if claim:
            self._lake.ledger.reopened(claim.batch, source.id)
        self.staged.staged[log_type] += 1
        logger.info("object staged", extra={"uri": found.uri, "key": key, "again": bool(claim)})

    def _send_again(self, wanted: ObjectToRead) -> None:
        """Take an object out of quarantine, whose source may be gone."""
        if not wanted.key.startswith(names.QUARANTINED):
            raise UnreadableMessage(
                f"s3://{wanted.bucket}/{wanted.key} is in the staging bucket: only objects under "
                f"{names.QUARANTINED} can be sent again from there"
            )
        staging = self._lake.staging
        found = copies.find(staging.s3, staging.bucket, wanted.key)
        object_id = names.id_of(wanted.key)
        claim = self._claim(object_id)
        if claim and not self._is_quarantined(claim):
            self._already_there(found.uri, claim)
            return
        key = claim.key if claim else names.RAW + wanted.key.removeprefix(names.QUARANTINED)
        copies.copy(staging.s3, found, staging.bucket, key, found.metadata)
        if claim:
            self._lake.ledger.reopened(claim.batch, object_id)
        self.staged.staged[names.log_type_of(key)] += 1
        logger.info("object staged", extra={"uri": found.uri, "key": key, "again": True})

    def _claim(self, object_id: str) -> Claim | None:
        return self._lake.ledger.claims([object_id]).get(object_id)

    def _is_quarantined(self, claim: Claim) -> bool:
        batch = self._lake.ledger.batch(claim.batch)
        return batch is not None and batch.state is State.QUARANTINED

    def _already_there(self, uri: str, claim: Claim) -> None:
        self.staged.already_there += 1
        logger.info("object already there", extra={"uri": uri, "batch": claim.batch})

    def _why_skipped(self, key: str) -> str:
        by_key = self._types.by_key(key)
        return by_key.skip if by_key else ""

    def _log_type(self, key: str) -> str:
        by_key = self._types.by_key(key)
        return by_key.format.name if by_key and by_key.format else names.UNIDENTIFIED

    def _skip(self, wanted: ObjectToRead, reason: str) -> None:
        self.staged.skipped[reason] += 1
        logger.info(
            "object skipped",
            extra={"bucket": wanted.bucket, "key": wanted.key, "reason": reason},
        )


class StageFunction:
    """The process of the function that stages."""

    def __init__(self, session: boto3.Session) -> None:
        """Read the settings, and make the clients."""
        self._lake = Lake.connect(session)
        logs = replace(read_settings(LogSettings), log_types=self._lake.settings.log_types)
        self._types = ObjectTypes(logs)
        self._own_buckets = read_settings(BucketSettings).own
        self._queue = Queue(session.client("sqs"), read_settings(QueueSettings).url)
        accounts = read_settings(AccountSettings)
        self._accounts = Accounts(
            own=accounts.account_id,
            members=accounts.member_account_ids,
            organization_id=accounts.organization_id,
        )

    def stage(
        self, event: dict[str, Any], context: LambdaContext, metrics: Metrics
    ) -> failed_items.Answer:
        """Stage every object of the event's messages; report the messages that must come again."""
        messages = [Message.of(record) for record in event["Records"]]
        stager = Stager(
            self._lake, self._types, self._accounts, seconds_left(context), self._own_buckets
        )
        errors = stager.stage(messages)
        failed = [(m, error) for m, error in zip(messages, errors, strict=True) if error]
        self._queue.postpone((message, _delay(message, error)) for message, error in failed)
        staged = stager.staged
        metrics.add_metric("Staged", MetricUnit.Count, staged.staged.total())
        metrics.add_metric("AlreadyStaged", MetricUnit.Count, staged.already_there)
        metrics.add_metric("Skipped", MetricUnit.Count, staged.skipped.total())
        metrics.add_metric("FailedMessages", MetricUnit.Count, len(failed))
        return failed_items.report([message.id for message in messages], errors)


def _delay(message: Message, error: Exception) -> int:
    # A message that nobody can read goes to the dead-letter queue without delay, and what there was
    # no time for is taken up at once.
    return 0 if isinstance(error, UnreadableMessage | OutOfTime) else message.delay()
