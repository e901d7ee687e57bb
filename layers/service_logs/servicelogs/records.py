"""What passes between the parts: where records come from, what they became, what was refused."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime


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


@dataclass(slots=True)
class Reject:
    """A record that is not in the search engine, and why."""

    ordinal: int
    """Physical line number or position in the array, counted from 1."""
    error_type: str
    """One word for programs: ours (`does_not_fit`), or OpenSearch's own."""
    reason: str
    """One sentence a person can act on."""
    raw: bytes
    """The record as AWS wrote it."""
    index: str = ""
    """The index it was meant for, where that is known."""
    id: str = ""
    """The `_id` it would have had."""


@dataclass(slots=True)
class Block:
    """A run of consecutive records of one source, turned into a piece of a bulk body.

    Every record in it is a document, a reject or filtered: `records` adds up.
    """

    first: int
    """The ordinal of the first line or element in the block."""
    end: int
    """The ordinal after the last one: where a later invocation would go on."""
    body: bytes | bytearray
    """For each document an action line and a document line, each ending in a newline."""
    documents: int
    raw: Callable[[int], bytes]
    """The record with this ordinal, as AWS wrote it."""
    filtered: dict[str, int] = field(default_factory=dict)
    """Records left out on purpose, by reason (`expired`)."""
    rejects: list[Reject] = field(default_factory=list)

    @property
    def records(self) -> int:
        """How many records came in."""
        return self.documents + len(self.rejects) + sum(self.filtered.values())
