"""Rows as the oracle gives them, through the interface of gatherers: slow and obvious."""

import json
from collections import Counter
from collections.abc import Iterable, Iterator
from datetime import datetime
from typing import Any

import pyarrow

from servicelogs.dates import DatePolicy
from servicelogs.lake.schema import PARTITION, arrow_schema
from servicelogs.opensearch.dated_indexes import DatedIndex
from servicelogs.opensearch.documents import parser_of
from servicelogs.parsing.format import Format
from servicelogs.parsing.json.values import decode
from servicelogs.parsing.places import Place
from servicelogs.parsing.reader import Parser
from servicelogs.records import Block, Records, Source, TooLong
from tests.lake.oracle import row_of

ENOUGH = 2000


class OracleGatherer:
    """Gathers rows of one log type."""

    def __init__(self, log_format: Format, dates: DatePolicy, default_place: Place) -> None:
        self.misfits: Counter[str] = Counter()
        self.rows: list[dict[str, Any]] = []
        self.log_format = log_format
        self.dates = dates
        self.default_place = default_place
        partition = [(name, pyarrow.string()) for name in PARTITION]
        self._schema = pyarrow.schema([*arrow_schema(log_format), *partition])

    def parser_of(self, source: Source) -> Parser:
        return _RowParser(self, source)

    def batches(self) -> Iterator[pyarrow.RecordBatch]:
        if len(self.rows) >= ENOUGH:
            yield from self.finish()

    def finish(self) -> Iterator[pyarrow.RecordBatch]:
        if self.rows:
            yield pyarrow.RecordBatch.from_pylist(self.rows, schema=self._schema)
            self.rows = []


class _RowParser:
    """Turns the records of a source into rows."""

    def __init__(self, gatherer: OracleGatherer, source: Source) -> None:
        self._gatherer = gatherer
        self._parser = parser_of(gatherer.log_format, source, self._choose_index)

    @property
    def source(self) -> Source:
        return self._parser.source

    def cut(self, chunks: Iterable[bytes]) -> Iterator[Records | TooLong]:
        return self._parser.cut(chunks)

    def take(self, records: Records, skipped: int) -> Block:
        block = self._parser.take(records, skipped)
        lines = bytes(block.body).split(b"\n")
        for action, line in zip(lines[:-1:2], lines[1::2], strict=True):
            day = json.loads(action)["create"]["_index"]
            self._gatherer.rows.append(self._row(decode(line), block, day))
        block.body = b""
        return block

    def _row(self, document: dict[str, Any], block: Block, day: str) -> dict[str, Any]:
        gatherer, cloud = self._gatherer, document["cloud"]
        raw = block.raw(document["log"]["record"])
        place = gatherer.default_place
        return row_of(gatherer.log_format, document, raw) | {
            "account_id": cloud.get("account_id") or place.account_id,
            "region": cloud.get("region") or place.region,
            "event_day": day,
        }

    def _choose_index(self, moment: datetime, source: Source) -> DatedIndex | None:
        by_delivery = self._gatherer.log_format.is_snapshot(source)
        date = self._gatherer.dates.date(moment, source, by_delivery=by_delivery)
        if date is None:
            return None
        return DatedIndex(date.moment.date().isoformat(), date.adjusted)
