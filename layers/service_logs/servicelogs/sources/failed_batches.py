"""Batches of a stream that Lambda gave up, as it writes them to a bucket, and events as they are.

https://docs.aws.amazon.com/lambda/latest/dg/kinesis-on-failure-destination.html
"""

import re
from collections.abc import Iterable
from typing import Any

import msgspec

from servicelogs.errors import UnreadableEvent, UnreadableObject
from servicelogs.parsing.framing import KEPT_BYTES
from servicelogs.sources.kinesis import MOST_TEXT_BYTES, ShardRecords, StreamRecord

_begins = re.compile(
    rb'\s*+\{\s*+"(?:requestContext|responseContext|version|timestamp|KinesisBatchInfo|payload'
    rb'|Records)"\s*+:'
).match
_says_what_it_is = re.compile(
    rb'"KinesisBatchInfo"\s*+:\s*+\{|\{\s*+\\?+"Records\\?+"\s*+:\s*+\[\s*+\{\s*+\\?+"kinesis\\?+"'
).search


class _Batch(msgspec.Struct):
    """What Lambda writes of an invocation; `payload` is its event, as text or as it is."""

    payload: str | dict[str, Any] | None = None
    records: list[dict[str, Any]] = msgspec.field(name="Records", default_factory=list)


def is_failed_batch(start: bytes) -> bool:
    """Say whether a text that begins so is a batch that Lambda gave up, or the event of one."""
    return _begins(start) is not None and _says_what_it_is(start) is not None


def read_failed_batch(
    chunks: Iterable[bytes], *, keeps_extracted_fields: bool = False
) -> ShardRecords:
    """Read the records of a batch; an UnreadableObject if there are none."""
    pieces, size = [], 0
    for chunk in chunks:
        pieces.append(chunk)
        size += len(chunk)
        if size > MOST_TEXT_BYTES:
            raise _unreadable("it is too long", b"".join(pieces))
    text = b"".join(pieces)
    try:
        batch = msgspec.json.decode(text, type=_Batch)
        if isinstance(batch.payload, str):
            batch = msgspec.json.decode(batch.payload, type=_Batch)
        elif batch.payload is not None:
            batch = msgspec.convert(batch.payload, type=_Batch)
        records = [StreamRecord.of(record) for record in batch.records]
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise _unreadable(str(error), text) from error
    except UnreadableEvent as error:
        raise _unreadable(f"a record of it is not one of a stream: {error}", text) from error
    if not records:
        raise _unreadable("it has no payload: only a bucket as the destination gets one", text)
    return ShardRecords(records, keeps_extracted_fields=keeps_extracted_fields)


def _unreadable(why: str, text: bytes) -> UnreadableObject:
    error = UnreadableObject(f"the batch of a stream's records cannot be read: {why}")
    error.tail = text[:KEPT_BYTES]
    return error
