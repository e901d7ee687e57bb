"""Enqueue objects that are in a bucket already, as if they had just come.

Over the log bucket that is a backfill. Over the backup bucket it is a replay: of each file of
rejects the object goes again whose records they are. Whatever is sent twice changes nothing, for
what becomes of an object has the same ids each time; so whoever is not sure begins again.
"""

from __future__ import annotations

import gzip
import json
import zlib
from collections import Counter
from collections.abc import Callable, Collection, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import batched
from typing import TYPE_CHECKING, Any, Literal

import msgspec
from aws_lambda_powertools import Logger

from servicelogs.errors import UnreadableEvent
from servicelogs.parsing.places import NOWHERE, Place, checked_place
from servicelogs.settings import AccountSettings, EnqueueSettings
from servicelogs.sources.function_events import checked
from servicelogs.sources.queue import ENTRIES, Queue

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client
    from mypy_boto3_s3.type_defs import ListObjectsV2RequestTypeDef, ObjectTypeDef

logger = Logger(child=True)

Engine = Literal["OpenSearch", "LightEngine"]

MOST_OBJECTS = 100_000
"""So many are listed by an invocation: what is done again after a failure."""
PAGE_OBJECTS = 1000
SECONDS_FOR_A_PAGE = 60.0
REJECTED = "rejected/"
_REJECTED_OF_LAKE = "rejected/light-engine/"
_AT_ONCE = 10
_ARCHIVED = ("GLACIER", "DEEP_ARCHIVE")
_S3 = "s3://"
_FIRST, _LAST = datetime(1, 1, 1, tzinfo=UTC), datetime(9999, 12, 31, tzinfo=UTC)


class _Input(msgspec.Struct, forbid_unknown_fields=True, rename="camel"):
    bucket: str
    prefix: str = ""
    engine: Engine | None = None
    start_after: str = ""
    modified_since: str = ""
    modified_before: str = ""
    account: str = ""
    region: str = ""


class _OfRejects(msgspec.Struct):
    """What of a line says whose records were rejected."""

    source: str


_source_of = msgspec.json.Decoder(_OfRejects).decode


@dataclass(frozen=True, slots=True)
class Asked:
    """Which objects are enqueued, and for which engines."""

    bucket: str
    prefix: str
    engines: tuple[Engine, ...]
    start_after: str
    since: datetime
    before: datetime
    replays: bool
    """They are files of rejects."""
    place: Place
    """The account that has to own the bucket, and its Region; nowhere if it is this account's."""

    @classmethod
    def read(
        cls,
        event: object,
        settings: EnqueueSettings,
        accounts: AccountSettings,
        engines: Collection[Engine],
    ) -> Asked:
        """Read what an execution was started with; an UnreadableEvent says what is wrong with it.

        The engines are those that this deployment has.
        """
        given = checked(event, _Input, "what enqueue_objects takes (see docs/backfill.md)")
        place = _place(given, accounts)
        replays = bool(settings.backup_bucket) and given.bucket == settings.backup_bucket
        if not replays and given.bucket != settings.log_bucket and place is NOWHERE:
            known = " or ".join(filter(None, (settings.log_bucket, settings.backup_bucket)))
            raise UnreadableEvent(
                f"bucket: must be {known}, not {given.bucket[:80]!r}; for a bucket of another "
                "account, account must be given"
            )
        allowed = REJECTED if replays else settings.log_bucket_prefix
        if place is not NOWHERE:
            replays, allowed = False, ""
        prefix = given.prefix or allowed
        if not prefix.startswith(allowed):
            raise UnreadableEvent(
                f"prefix: must begin with {allowed!r}, not {given.prefix[:200]!r}: this deployment "
                "reads nothing else of the bucket"
            )
        return cls(
            given.bucket,
            prefix,
            _engines(given.engine, engines, replays=replays),
            given.start_after,
            _moment("modifiedSince", given.modified_since, _FIRST),
            _moment("modifiedBefore", given.modified_before, _LAST),
            replays,
            place,
        )

    def message(self, bucket: str, key: str) -> str:
        """Write the message that has an object read."""
        wanted = {"bucket": bucket, "key": key}
        if self.place is not NOWHERE:
            wanted |= {"account": self.place.account_id, "region": self.place.region}
        return json.dumps(wanted)


def _place(given: _Input, accounts: AccountSettings) -> Place:
    """Say whose bucket was asked for, and where it is, if it is another account's."""
    if given.account in ("", accounts.account_id):
        return NOWHERE
    place = checked_place(given.account, given.region)
    is_member = given.account in accounts.member_account_ids
    if not place.account_id or not (is_member or accounts.organization_id):
        raise UnreadableEvent(
            f"account: must be among MemberAccountIds, or of OrganizationId, not "
            f"{given.account[:80]!r}"
        )
    if not place.region:
        raise UnreadableEvent(
            "region: must be that of the bucket, as eu-west-1, for one of another account, not "
            f"{given.region[:80]!r}"
        )
    return place


def _engines(
    asked: Engine | None, there: Collection[Engine], *, replays: bool
) -> tuple[Engine, ...]:
    if asked and asked not in there:
        raise UnreadableEvent(f"engine: must be {' or '.join(there)}, not {asked!r}")
    if not replays:
        return (asked,) if asked else (*there,)
    # The lake's ledger knows their objects, and would acknowledge them.
    if asked == "LightEngine" or "OpenSearch" not in there:
        raise UnreadableEvent(
            "engine: must be OpenSearch for the backup bucket: to the lake an object whose records "
            "were rejected is done"
        )
    return ("OpenSearch",)


def _moment(name: str, text: str, default: datetime) -> datetime:
    try:
        moment = datetime.fromisoformat(text) if text else default
    except ValueError as error:
        raise UnreadableEvent(
            f"{name}: must be a time as 2026-01-31T00:00:00Z, not {text[:80]!r}"
        ) from error
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


class Progress(msgspec.Struct, rename="camel", forbid_unknown_fields=True):
    """How far an execution has come."""

    start_after: str = ""
    """The last key that was listed."""
    listed: int = 0
    sent: int = 0
    """Messages: an object has one for each engine."""
    other_times: int = 0
    """Objects that were modified before or after what was asked for."""
    archived: int = 0
    """Objects that S3 would have to restore first."""
    unsendable: int = 0
    """Files of rejects that name no object of the log bucket, as those of a stream."""
    more: bool = True

    @classmethod
    def read(cls, found: object) -> Progress:
        """Read what an earlier invocation answered."""
        return checked(found, cls, "how far an execution has come")

    def answer(self) -> dict[str, Any]:
        """Write it for the next invocation."""
        written: dict[str, Any] = msgspec.to_builtins(self)
        return written


class Enqueuer:
    """Sends objects of a bucket to the queues of engines."""

    def __init__(
        self,
        s3: S3Client,
        queues: Mapping[Engine, Queue],
        settings: EnqueueSettings,
        accounts: AccountSettings,
    ) -> None:
        """Use the queues of the engines that there are."""
        self._s3 = s3
        self._queues = queues
        self._settings = settings
        self._accounts = accounts

    def enqueue(
        self, asked: object, progress: Progress, seconds_left: Callable[[], float]
    ) -> Progress:
        """Go on from where an execution has come to, page by page, while there is time."""
        wanted = Asked.read(asked, self._settings, self._accounts, [*self._queues])
        progress.start_after = progress.start_after or wanted.start_after
        end = progress.listed + MOST_OBJECTS
        with ThreadPoolExecutor(_AT_ONCE) as threads:
            while progress.more and progress.listed < end and seconds_left() > SECONDS_FOR_A_PAGE:
                self._enqueue_page(wanted, progress, threads)
        logger.info("objects enqueued", extra={"asked": asked, **progress.answer()})
        return progress

    def _enqueue_page(self, asked: Asked, progress: Progress, threads: ThreadPoolExecutor) -> None:
        request: ListObjectsV2RequestTypeDef = {
            "Bucket": asked.bucket,
            "ExpectedBucketOwner": asked.place.account_id or self._accounts.account_id,
            "Prefix": asked.prefix,
            "StartAfter": progress.start_after,
            "MaxKeys": PAGE_OBJECTS,
            "OptionalObjectAttributes": ["RestoreStatus"],
        }
        page = self._s3.list_objects_v2(**request)
        # A page before the last may be empty: no key of it says where to go on.
        while page["IsTruncated"] and not page.get("Contents"):
            request["ContinuationToken"] = page["NextContinuationToken"]
            page = self._s3.list_objects_v2(**request)
        listed = page.get("Contents", [])
        counts = Counter[str]()
        keys = [one["Key"] for one in listed if _is_wanted(one, asked, counts)]
        objects = [(asked.bucket, key) for key in keys]
        if asked.replays:
            found = [*threads.map(self._object_of, keys)]
            # Several files may hold rejects of one object.
            objects = [*dict.fromkeys(one for one in found if one)]
            counts["unsendable"] = found.count(None)
        bodies = [asked.message(bucket, key) for bucket, key in objects]
        for engine in asked.engines:
            # All have to arrive before the page counts as done.
            [*threads.map(self._queues[engine].send, batched(bodies, ENTRIES, strict=False))]
        progress.listed += len(listed)
        progress.sent += len(bodies) * len(asked.engines)
        progress.other_times += counts["other times"]
        progress.archived += counts["archived"]
        progress.unsendable += counts["unsendable"]
        progress.more = page["IsTruncated"]
        if listed:
            progress.start_after = listed[-1]["Key"]

    def _object_of(self, key: str) -> tuple[str, str] | None:
        """Give the object whose records a file of rejects holds."""
        if key.startswith(_REJECTED_OF_LAKE):
            return None
        body = self._s3.get_object(Bucket=self._settings.backup_bucket, Key=key)["Body"]
        try:
            with gzip.open(body) as lines:
                uri = _source_of(lines.readline()).source
        except (OSError, EOFError, zlib.error, msgspec.MsgspecError) as error:
            logger.warning("not a file of rejects", extra={"key": key, "error": str(error)})
            return None
        bucket, _, name = uri.removeprefix(_S3).partition("/")
        is_ours = uri.startswith(_S3) and bucket == self._settings.log_bucket
        return (bucket, name) if is_ours and name else None


def _is_wanted(one: ObjectTypeDef, asked: Asked, counts: Counter[str]) -> bool:
    """Say whether an object is one that was asked for, and can be read; else count why not."""
    if not asked.since <= one["LastModified"] < asked.before:
        counts["other times"] += 1
        return False
    if one.get("StorageClass") in _ARCHIVED and not _is_restored(one):
        counts["archived"] += 1
        return False
    return True


def _is_restored(one: ObjectTypeDef) -> bool:
    return "RestoreExpiryDate" in one.get("RestoreStatus", {})
