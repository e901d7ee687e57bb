"""What tests of rows ask for: the rows of records as encoders give them, and as the oracle does."""

from collections.abc import Callable, Iterable, Iterator
from functools import cache, partial

import pyarrow
from hypothesis import strategies as st

from servicelogs import formats
from servicelogs.dates import DatePolicy
from servicelogs.lake.rows import RowGatherer, gatherer_of
from servicelogs.lake.schema import PARTITION, arrow_schema
from servicelogs.parsing.reader import Parser, read
from servicelogs.records import Block, Source
from tests.formats.parsing import SOURCE, chunked
from tests.lake.oracle import DEFAULT_PLACE, Row, columns_of, comparable, rows_of
from tests.lake.samples import Sample, samples

type Blocks = Callable[[Parser], Iterable[Block]]


@cache
def all_samples() -> list[Sample]:
    return [*samples()]


def samples_of(log_type: str) -> list[Sample]:
    return [one for one in all_samples() if one.log_format.name == log_type]


def new_gatherer(log_type: str, dates: DatePolicy | None = None) -> RowGatherer:
    return gatherer_of(formats.get(log_type), dates or DatePolicy(), DEFAULT_PLACE)


def gathered(
    log_type: str, blocks_of: Blocks, source: Source = SOURCE, gatherer: RowGatherer | None = None
) -> list[Row]:
    """Give the rows of a source's records, in the order of their numbers."""
    gatherer = gatherer or new_gatherer(log_type)
    batches, taken = [], 0
    for block in blocks_of(gatherer.parser_of(source)):
        assert not block.body
        taken += block.documents
        batches += gatherer.batches()
    batches += gatherer.finish()
    assert sum(batch.num_rows for batch in batches) == taken
    return in_order(as_rows(batches, log_type))


def in_order(rows: Iterable[Row]) -> list[Row]:
    """Sort rows by their numbers; those of one log event, which share one, by what they say."""
    return sorted(rows, key=lambda row: (row["log_record"], repr(row)))


def as_rows(batches: Iterable[pyarrow.RecordBatch], log_type: str) -> Iterator[Row]:
    """Give rows as the oracle does."""
    schema, found = arrow_schema(formats.get(log_type)), columns_of(formats.get(log_type))
    for batch in batches:
        batch.validate(full=True)
        assert batch.schema.names == [*schema.names, *PARTITION]
        assert [batch.schema.field(field.name).type for field in schema] == schema.types
        assert not any(batch[name].null_count for name in PARTITION)
        for row in batch.to_pylist():
            yield comparable(row, found) | {name: row[name] for name in PARTITION}


def expected(log_type: str, blocks_of: Blocks, source: Source = SOURCE) -> list[Row]:
    log_format = formats.get(log_type)
    return in_order(
        comparable(row, columns_of(log_format)) | {name: row[name] for name in PARTITION}
        for row in rows_of(log_format, source, blocks_of)
    )


def refused(parser: Parser, blocks_of: Blocks) -> list[tuple[int, str, str, bytes, str]]:
    rejects = (reject for block in blocks_of(parser) for reject in block.rejects)
    return [(one.number, one.error_type, one.reason, one.raw, one.id) for one in rejects]


def of_object(data: bytes, size: int = 0, start: int = 1) -> Blocks:
    """Give the records of an object, cut into chunks of this size, from a number on."""
    chunks = chunked(data, size) if size else [data]
    return lambda parser: read(parser.cut(chunks), parser, start)


def of_lines(*lines: str) -> Blocks:
    return of_object("".join(f"{line}\n" for line in lines).encode())


ODD = ('"', "\\", "\\x22", '\\"', " ", "\t", "-", ",", "", "\0", "\x02", "\x1f", "\r", "\x7f", "é")
ODDER = ("%22", "%", "%0A", "[", "]", "/", "?", "://", "=", "é\u2028", "{", "}", "7", "0", "Z")
TIMES = ("2026-02-30T08:14:55Z", "2026-11-20 08:14:55Z", "2026-11-20T08:14:55.123456789Z", "Z")


def mutated(line: bytes) -> st.SearchStrategy[bytes]:
    changes = st.tuples(
        st.integers(0, len(line)),
        st.integers(0, 12),
        st.sampled_from((*ODD, *ODDER, *TIMES)).map(str.encode) | st.just(b"\xff"),
    )
    return st.lists(changes, min_size=1, max_size=3).map(partial(_changed, line))


def _changed(line: bytes, changes: list[tuple[int, int, bytes]]) -> bytes:
    for place, length, text in changes:
        line = line[:place] + text + line[place + length :]
    return line
