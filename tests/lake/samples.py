"""All records that tests have of every log type: golden inputs and sample logs."""

import json
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import Any

from local import sample_logs
from servicelogs import formats
from servicelogs.parsing.format import Format
from servicelogs.parsing.reader import Parser, read
from servicelogs.records import Block, Records, Source
from servicelogs.sources.decompression import decompressed
from servicelogs.sources.parquet import rows_as_json
from tests.formats.envelopes import records_of
from tests.formats.make_cases import cases, event_cases
from tests.formats.parsing import SOURCE


@dataclass(frozen=True, slots=True)
class Sample:
    """Records of one source."""

    name: str
    log_format: Format
    source: Source
    blocks_of: Callable[[Parser], Iterable[Block]]
    """Gives the records to a parser, and what it makes of them."""


def samples() -> Iterator[Sample]:
    """Give all records of all log types, those of one source together."""
    for case in cases():
        yield _object(f"{case.parent.name}/{case.name}", case.parent.name, case.read_bytes())
    for one in sample_logs.objects():
        yield _object(f"{one.format} {Path(one.key).name}", one.format, one.data)
    for case in event_cases():
        yield from _events(f"{case.parent.name}/{case.name}", case.parent.name, case.read_bytes())
    for events in sample_logs.log_events():
        yield from _events(f"{events.format} {events.group}", events.format, _envelope(events))


def _object(name: str, log_type: str, data: bytes) -> Sample:
    def blocks_of(parser: Parser) -> Iterable[Block]:
        return read(parser.cut(decompressed(BytesIO(data), rows_as_json)), parser)

    return Sample(name, formats.get(log_type), SOURCE, blocks_of)


def _events(name: str, log_type: str, data: bytes) -> Iterator[Sample]:
    for number, (source, records) in enumerate(records_of(data), 1):
        yield Sample(f"{name} {number}", formats.get(log_type), source, _take(records))


def _take(records: Records) -> Callable[[Parser], Iterable[Block]]:
    return lambda parser: [parser.take(records, 0)]


def _envelope(events: sample_logs.SampleEvents) -> bytes:
    found: list[dict[str, Any]] = [
        {"id": f"{number:056}", "timestamp": time, "message": message}
        for number, (time, message) in enumerate(events.events)
    ]
    return json.dumps(
        {
            "owner": sample_logs.ACCOUNT,
            "logGroup": events.group,
            "logStream": events.stream,
            "logEvents": found,
        }
    ).encode()
