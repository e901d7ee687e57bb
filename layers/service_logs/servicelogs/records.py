"""What passes between the rooms: where records come from, how they were cut, what was refused."""

import base64
import hashlib
from collections.abc import Callable, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

UNKNOWN = "unknown"
"""The log type of what has none that is known."""


def short_id(identity: bytes) -> str:
    """Shorten an identity to 16 characters (96 bits) that may stand in an `_id`."""
    return base64.urlsafe_b64encode(hashlib.sha256(identity).digest())[:16].decode()


ANOTHER_LINE = b"."
"""Stands in the keys of a stream record's further lines, and not in that of its first."""


@dataclass(frozen=True, slots=True)
class Source:
    """Where records come from, and what that place says about them."""

    uri: str
    """`s3://bucket/key`, or a stream and shard."""
    id: str
    """16 characters for these very bytes (bucket, key and ETag): the start of each `_id`."""
    delivered: datetime
    """When AWS delivered it (LastModified, or arrival), UTC: the same on every redelivery."""
    account_id: str = ""
    region: str = ""
    log_group: str = ""
    """CloudWatch Logs' log group, if the records came through one."""
    log_stream: str = ""
    account_level: bool = False
    """Whether the account's subscription sent them, which takes the events of every log group."""
    extracted_fields: str = ""
    """What the subscription's filter found in the event, as a JSON object, where that is kept."""
    default_account_id: str = ""
    """Stands for the account that neither it nor a record of it names: whose bucket it lies in."""
    default_region: str = ""


class Records:
    """Consecutive records of one source, cut and not parsed.

    They are given as a list, or as a text of lines, each without its end; either is made of the
    other when it is asked for.
    """

    __slots__ = ("_items", "_text", "decoded", "end", "extracted", "first", "hour", "keys", "times")

    def __init__(
        self,
        first: int,
        items: list[bytes] | None = None,
        *,
        text: bytes = b"",
        decoded: list[Any] | None = None,
        keys: Sequence[bytes] | None = None,
        hour: int | None = None,
        times: Sequence[bytes] | None = None,
        extracted: list[str] | None = None,
    ) -> None:
        self.first = first
        """The number of the first record: of its line, or of its place in the array, from 1."""
        self.end = first + (text.count(b"\n") + 1 if items is None else len(items))
        """The number after the last one's."""
        self.decoded = decoded
        """What was decoded of each, if that is how the cut was proved; None for what was not."""
        self.keys = keys
        """What follows the source's id in each `_id`: short ASCII without quotes and backslashes;
        None: the record's number does."""
        self.hour = hour
        """The hour (from 1970) that dates them, whatever they say; None: each has its own."""
        self.times = times
        """When each happened, for those that have no time of their own: ISO 8601 without its Z."""
        self.extracted = extracted
        """What the subscription's filter found in each, as a JSON object, where that is kept."""
        self._items = items
        self._text = text

    def __len__(self) -> int:
        return self.end - self.first

    @property
    def items(self) -> list[bytes]:
        """The records, each as it was cut."""
        if self._items is None:
            self._items = self._text.split(b"\n")
        return self._items

    @property
    def text(self) -> bytes:
        """The records as lines."""
        return self._text if self._items is None or self._text else b"\n".join(self._items)

    def part(self, start: int, end: int) -> "Records":
        """Give those from one place on up to another."""
        return Records(
            self.first + start,
            self.items[start:end],
            keys=self.keys and self.keys[start:end],
            hour=self.hour,
            times=self.times and self.times[start:end],
        )

    def numbers(self) -> range:
        """Give the number of each record."""
        return range(self.first, self.end)

    def raw(self, number: int) -> bytes:
        """Give the record with this number as AWS wrote it, without a line's end."""
        return self.items[number - self.first].removesuffix(b"\r")

    def time(self, number: int) -> bytes | None:
        """Give when the record with this number happened, as its source says; None: it does not."""
        return self.times[number - self.first] if self.times else None

    def key(self, number: int) -> str:
        """Give what follows the source's id in the `_id` of the record with this number."""
        return self.keys[number - self.first].decode() if self.keys else str(number)


@dataclass(frozen=True, slots=True)
class TooLong:
    """A record longer than any that AWS writes; only its beginning was kept."""

    number: int
    start: bytes
    length: int
    """Bytes that it has at least."""


@dataclass(slots=True)
class Reject:
    """A record that is not in the search engine, and why."""

    number: int
    """The record's number in its source."""
    error_type: str
    """One word for programs: ours (`does_not_match`), or OpenSearch's own."""
    reason: str
    """One sentence a person can act on."""
    raw: bytes
    """The record as AWS wrote it."""
    index: str = ""
    """The index it was meant for, where that is known."""
    id: str = ""
    """The `_id` it would have had."""
    source: Source | None = None
    """Where it comes from, if its object or stream holds records of several places."""
    sequence_number: str = ""
    """Of the record of a stream that held it; its number is then that in this."""
    time: bytes | None = None
    """When it happened, as its source says: ISO 8601 without its Z."""


@dataclass(slots=True)
class Block:
    """A run of consecutive records of one source, turned into a piece of a bulk body.

    Every record in it is a document, a reject or filtered: `records` adds up.
    """

    first: int
    """The number of the first record in the block."""
    end: int
    """The number after the last one: where a later invocation would go on."""
    body: bytes | bytearray
    """For each document an action line and a document line, each ending in a newline."""
    documents: int
    raw: Callable[[int], bytes]
    """The record with this number, as AWS wrote it."""
    filtered: dict[str, int] = field(default_factory=dict)
    """Records left out on purpose, by reason (`expired`)."""
    rejects: list[Reject] = field(default_factory=list)
    indexes: AbstractSet[str] = frozenset()
    """The indexes that its documents go to, perhaps with others of its source."""
    delivery_index: str = ""
    """The index of documents that the delivery dates; empty: all have a date of their own."""
    events: tuple[Source, Records] | None = None
    """The log events that it holds and their log stream, if its object or stream has several."""

    def locate(self, reject: Reject) -> None:
        """Note where a rejected record of the block comes from, and when it happened."""
        if self.events:
            reject.source, events = self.events
            reject.time = events.time(reject.number)

    @property
    def records(self) -> int:
        """How many records came in."""
        return self.documents + len(self.rejects) + sum(self.filtered.values())
