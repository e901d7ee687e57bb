"""From the body of a queue message to the objects it is about.

S3 notifications, straight or through SNS, EventBridge events, and the messages we send ourselves
when an object, or its rest, is left for later:
https://docs.aws.amazon.com/AmazonS3/latest/userguide/notification-content-structure.html
https://docs.aws.amazon.com/AmazonS3/latest/userguide/ev-events.html
"""

import re
from collections import Counter
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import unquote_plus

import msgspec

from servicelogs.errors import UnreadableMessage
from servicelogs.parsing.places import Place, checked_place

# At four minutes each half a day's work, for which AWS writes no object: whatever goes on longer
# claims to hold what it does not.
MOST_CONTINUATIONS = 200
# A record's `ownerIdentity` is no account id. So what member_account.yaml calls a notification says
# it, and S3 is asked whether it is so (`ExpectedBucketOwner`).
_members_notification = re.compile(r"service-logs-(\d{12})-", re.ASCII).match


@dataclass(frozen=True, slots=True)
class ObjectToRead:
    """An object to be read, or the rest of one."""

    bucket: str
    key: str
    key_if_encoded: str = ""
    """What the key would be if the envelope encoded it, which is not sure of EventBridge."""
    etag: str = ""
    """Which bytes were meant; empty: whatever is there."""
    start: int = 1
    """The number of the first record that is still to be read."""
    continuations: int = 0
    """How many messages of ours brought it here, one after the other."""
    account_id: str = ""
    """The account that the bucket is said to be of; empty: nobody said it."""
    region: str = ""
    """The Region that it is said to be in."""

    def later(self, etag: str, start: int) -> str:
        """Write the message that asks for what is left of this object."""
        rest = {
            "bucket": self.bucket,
            "key": self.key,
            "key_if_encoded": self.key_if_encoded,
            "etag": etag,
            "from": start,
            "continuations": self.continuations + 1,
            "account": self.account_id,
            "region": self.region,
        }
        return msgspec.json.encode(rest).decode()


@dataclass(slots=True)
class Notification:
    """What one message says."""

    objects: list[ObjectToRead] = field(default_factory=list)
    skipped: Counter[str] = field(default_factory=Counter)
    """What it says beside new objects, by kind: test events, deletions."""


def read_notification(body: str) -> Notification:
    """Read a message's body; anything that is not a notification we know is UnreadableMessage."""
    notification = Notification()
    _read_envelope(_json(body), notification)
    return notification


def _json(text: str) -> Any:
    try:
        return msgspec.json.decode(text)
    except (msgspec.DecodeError, UnicodeError, RecursionError) as error:
        raise UnreadableMessage(f"the message is not JSON: {text[:200]!r} ({error})") from error


def _read_envelope(message: Any, notification: Notification) -> None:
    match message:
        case {"Type": "Notification", "TopicArn": str(), "Message": str(inner)}:
            _read_envelope(_json(inner), notification)
        case {"Type": "SubscriptionConfirmation" | "UnsubscribeConfirmation" as kind}:
            notification.skipped[kind] += 1
        case {"Event": "s3:TestEvent"}:
            notification.skipped["s3:TestEvent"] += 1
        case {"Records": list(records)}:
            for record in records:
                _read_s3_record(record, notification)
        case {"source": "aws.s3", "detail-type": str(kind), "detail": dict(detail)}:
            place = _place(message.get("account"), message.get("region"))
            _read_eventbridge(kind, detail, place, notification)
        case {"bucket": str(bucket), "key": str(key), **rest} if bucket and key:
            notification.objects.append(_ours(bucket, key, rest))
        case _:
            raise UnreadableMessage(
                f"the message is not an event notification of S3: {str(message)[:200]!r}"
            )


def _read_s3_record(record: Any, notification: Notification) -> None:
    match record:
        case {"eventSource": "aws:s3", "eventName": str(name)} if not name.removeprefix(
            "s3:"
        ).startswith("ObjectCreated:"):
            notification.skipped[name] += 1
        case {
            "eventSource": "aws:s3",
            "s3": {"bucket": {"name": str(bucket)}, "object": {"key": str(key), **about}, **said},
        }:
            of_member = _members_notification(_text(said.get("configurationId")))
            place = _place(of_member and of_member[1], record.get("awsRegion"))
            notification.objects.append(
                ObjectToRead(
                    bucket, unquote_plus(key), etag=_text(about.get("eTag")), **place._asdict()
                )
            )
        case _:
            raise UnreadableMessage(
                f"the record is not an event notification of S3: {str(record)[:200]!r}"
            )


def _read_eventbridge(
    kind: str, detail: dict[str, Any], place: Place, notification: Notification
) -> None:
    match detail:
        case _ if kind != "Object Created":
            notification.skipped[kind] += 1
        case {"bucket": {"name": str(bucket)}, "object": {"key": str(key), **about}}:
            # The guide never says that the key is encoded, and some consumers decode it:
            # the raw form is tried first.
            decoded = unquote_plus(key)
            notification.objects.append(
                ObjectToRead(
                    bucket,
                    key,
                    key_if_encoded=decoded if decoded != key else "",
                    etag=_text(about.get("etag")),
                    **place._asdict(),
                )
            )
        case _:
            raise UnreadableMessage(f"the event names no S3 object: {str(detail)[:200]!r}")


def _ours(bucket: str, key: str, rest: dict[Any, Any]) -> ObjectToRead:
    start = rest.get("from", 1)
    if not isinstance(start, int) or start < 1:
        raise UnreadableMessage(
            f"`from` must be a record number, from 1 on, not {str(start)[:200]!r}"
        )
    continuations = rest.get("continuations", 0)
    if not isinstance(continuations, int) or not 0 <= continuations <= MOST_CONTINUATIONS:
        raise UnreadableMessage(
            f"s3://{bucket}/{key} was left for later {continuations!r} times, and reading it has "
            f"come to record {start}: a log ends before {MOST_CONTINUATIONS}. Look at the object; "
            "if it is one, index it in parts"
        )
    return ObjectToRead(
        bucket,
        key,
        _text(rest.get("key_if_encoded")),
        _text(rest.get("etag")),
        start,
        continuations,
        *_place(rest.get("account"), rest.get("region")),
    )


def _place(account_id: Any, region: Any) -> Place:
    return checked_place(_text(account_id), _text(region))


def _text(value: Any) -> str:
    return value.strip('"') if isinstance(value, str) else ""
