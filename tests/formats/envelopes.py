"""Envelopes of CloudWatch Logs' subscriptions as the inputs of golden cases."""

import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from itertools import groupby
from typing import Any

from servicelogs.dates import EPOCH, hour_of, iso
from servicelogs.opensearch.dated_indexes import one_index
from servicelogs.opensearch.documents import parser_of
from servicelogs.parsing.format import Format
from servicelogs.records import Records, Source
from tests.formats.parsing import SOURCE, strict


def documents_of(log_format: Format, data: bytes) -> list[dict[str, Any]]:
    """Give the documents that envelopes become, each with its id and without what all share."""
    found = []
    for source, records in records_of(data):
        block = parser_of(log_format, source, one_index("an-index")).take(records, 0)
        assert not block.rejects
        lines = bytes(block.body).split(b"\n")
        for action, document in zip(lines[:-1:2], lines[1::2], strict=True):
            members = strict(document)
            assert isinstance(block.raw(members["log"]["record"]), bytes)
            del members["cloud"], members["event"], members["log"]["source"]
            found.append({"_id": strict(action)["create"]["_id"]} | members)
    return found


def records_of(data: bytes) -> Iterator[tuple[Source, Records]]:
    """Give the events of envelopes that follow each other, each with where it comes from."""
    decoder, text, at = json.JSONDecoder(), data.decode(), 0
    while at < len(text.rstrip()):
        envelope, end = decoder.raw_decode(text, at)
        at = end + (len(text[end:]) - len(text[end:].lstrip()))
        yield from _records(envelope)


def _records(envelope: dict[str, Any]) -> Iterator[tuple[Source, Records]]:
    source = replace(
        SOURCE,
        account_id=envelope["owner"],
        log_group=envelope["logGroup"],
        log_stream=envelope["logStream"],
    )
    first = 1
    events = envelope["logEvents"]
    for hour, group in groupby(events, lambda event: hour_of(_moment(event))):
        found = [*group]
        yield (
            source,
            Records(
                first,
                [event["message"].encode("utf-8", "replace") for event in found],
                keys=[event["id"].encode() for event in found],
                times=[iso(_moment(event))[:-1].encode() for event in found],
                hour=hour,
            ),
        )
        first += len(found)


def _moment(event: dict[str, Any]) -> datetime:
    return EPOCH + timedelta(milliseconds=event["timestamp"])
