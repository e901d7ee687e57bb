"""Make blocks as formats make them, from documents that a test writes down."""

import json
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import Any

from servicelogs.delivery.counts import SourceCounts
from servicelogs.records import Block, Reject, Source

SOURCE = Source(
    "s3://logs/AWSLogs/object.log.gz", "0123456789abcdef", datetime(2026, 11, 23, tzinfo=UTC)
)


def frame(number: int) -> str:
    """Return the start of a document, up to the fields of its record."""
    return (
        '{"cloud":{"account_id":"123456789012","region":"eu-central-1"},'
        '"event":{"ingested":"2026-11-23T12:00:00Z"},'
        f'"log":{{"type":"alb","source":"{SOURCE.uri}","record":{number}}},'
        '"@timestamp":"2026-11-23T11:59:59.123456Z"'
    )


def document(number: int, fields: str = "") -> bytes:
    """Return a document line; `fields` are the record's own, as JSON text without braces."""
    return (frame(number) + ("," + fields if fields else "") + "}").encode()


def block(
    index: str,
    documents: Sequence[bytes | str],
    *,
    first: int = 1,
    id_of: Callable[[int], str] = "0123456789abcdef-{}".format,
    **rest: Any,
) -> Block:
    """Return a block of these documents; text stands for a record's own fields."""
    body = bytearray()
    for number, given in enumerate(documents, first):
        action = {"create": {"_index": index, "_id": id_of(number)}}
        line = given if isinstance(given, bytes) else document(number, given)
        body += json.dumps(action).encode() + b"\n" + line + b"\n"
    return Block(
        first=first,
        end=first + len(documents),
        body=body,
        documents=len(documents),
        raw=lambda number: f"raw record {number}".encode(),
        **rest,
    )


class Rejects(list[Reject]):
    """A source's rejects, gathered."""

    def types(self) -> list[str]:
        """Return why each was refused."""
        return [reject.error_type for reject in self]


def counts_of(rejects: Rejects | None = None, log_type: str = "alb") -> SourceCounts:
    """Return counts that gather their rejects."""
    gathered = Rejects() if rejects is None else rejects
    return SourceCounts(SOURCE, log_type, gathered.append)
