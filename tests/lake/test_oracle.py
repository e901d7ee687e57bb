"""The oracle holds what it says of rows: nothing of a record is missing, and Parquet holds it."""

import json
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime
from decimal import Decimal
from functools import cache
from io import BytesIO
from typing import Any

import pyarrow
import pyarrow.parquet
import pytest

from servicelogs import formats
from servicelogs.lake.schema import (
    PARTITION,
    LakeColumn,
    arrow_schema,
    column_name,
    frame_columns,
)
from servicelogs.parsing.frame import PROMOTED
from tests.lake.oracle import (
    Record,
    Row,
    columns_of,
    json_value,
    members_of,
    records_of,
    row_of,
    rows_of,
    settled,
)
from tests.lake.samples import Sample, samples
from tests.properties import examples

FEW = examples(0.5)
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
FRAME = {
    "@timestamp": "2026-11-20T08:14:55.123456789Z",
    "log": {"source": "s3://logs/key", "record": 7},
    "cloud": {},
}


@cache
def samples_of(log_type: str) -> list[Sample]:
    return [sample for sample in samples() if sample.log_format.name == log_type]


@cache
def records(log_type: str) -> list[Record]:
    found = (
        record
        for sample in samples_of(log_type)
        for record in records_of(sample.log_format, sample.source, sample.blocks_of)
    )
    return [*found]


def through_parquet(log_type: str, rows: list[Row]) -> list[Row]:
    file = BytesIO()
    table = pyarrow.Table.from_pylist(rows, schema=arrow_schema(formats.get(log_type)))
    pyarrow.parquet.write_table(table, file)
    found: list[Row] = pyarrow.parquet.read_table(file).to_pylist()
    return found


type Leaves = Counter[tuple[str, Any]]
"""Values that are not null, each with its path as columns have it."""


def leaves_of(value: Any, path: str = "") -> Iterator[tuple[str, Any]]:
    """Give what a record says, by the names that columns would have."""
    if isinstance(value, dict):
        for name, one in value.items():
            yield from leaves_of(one, f"{path}.{column_name(name)}")
    elif isinstance(value, list):
        for at, one in enumerate(value):
            yield from leaves_of(one, f"{path}[{at}]")
    elif value is not None:
        yield path, plain(value)


def plain(value: Any) -> Any:
    """Give a value so that what columns do to it makes no difference, and all else does."""
    if isinstance(value, bool):
        return json.dumps(value)
    if isinstance(value, datetime):
        return value.replace(tzinfo=None).isoformat(timespec="microseconds")
    text = str(value)
    try:
        number = Decimal(text)
        return number if number == number.to_integral_value() else float(number)
    except ArithmeticError:
        pass
    try:
        return datetime.fromisoformat(text).replace(tzinfo=None).isoformat(timespec="microseconds")
    except ValueError:
        return text


def leaves_of_row(row: Row, columns: tuple[LakeColumn, ...], path: str = "") -> Iterator[Any]:
    for column in columns:
        name = f"{path}.{column_name(column.paths[0])}"
        values = row[column.name]
        if not column.many:
            yield from _leaves_of_column(values, column, name)
        for at, value in enumerate((values or []) if column.many else []):
            yield from _leaves_of_column(value, column, f"{name}[{at}]")


def _leaves_of_column(value: Any, column: LakeColumn, path: str) -> Iterator[Any]:
    if value is None:
        return
    if column.kind is None:
        yield from leaves_of_row(value, column.members, path)
    elif column.kind == "json":
        yield from leaves_of(json_value(value), path)
    elif column.date_format:
        scale = {"epoch_second": 1, "epoch_millis": 1000}[column.date_format]
        yield path, plain(Decimal(int((value - EPOCH).total_seconds() * scale)))
    else:
        yield path, plain(value)


def missing_of(log_type: str, record: Record, row: Row) -> Leaves:
    """Find what a record says and its row does not, and what only the row says."""
    log_format = formats.get(log_type)
    said = Counter(leaves_of(members_of(log_format, settled(record.document), record.raw)))
    if log_format.kind != "json":
        said.update(leaves_of(settled(record.document.get("extra_fields"))))
    of_frame = {*frame_columns(log_format).values()}
    own = tuple(
        column
        for column in columns_of(log_format)
        if column.name not in of_frame
        and not (log_format.kind == "json" and column.paths == (PROMOTED,))
    )
    held = Counter(leaves_of_row(row, own))
    held.update(leaves_of(json_value(row["extra_fields"] or "null")))
    return Counter(
        {leaf: said[leaf] - held[leaf] for leaf in said | held if said[leaf] != held[leaf]}
    )


@pytest.mark.parametrize("name", formats.NAMES)
def test_every_sample_record_survives_as_a_row_of_a_parquet_file(name: str) -> None:
    rows = [row_of(formats.get(name), record.document, record.raw) for record in records(name)]

    assert len(rows) > 200
    assert through_parquet(name, rows) == rows


@pytest.mark.parametrize("name", formats.NAMES)
def test_nothing_of_a_sample_record_is_missing_in_its_row(name: str) -> None:
    for record in records(name):
        row = row_of(formats.get(name), record.document, record.raw)

        assert not missing_of(name, record, row), record


@pytest.mark.parametrize("name", formats.NAMES)
def test_every_row_belongs_to_a_partition(name: str) -> None:
    for sample in samples_of(name):
        for row in rows_of(sample.log_format, sample.source, sample.blocks_of):
            assert all(row[part] for part in PARTITION)
            assert datetime.fromisoformat(row["event_day"])
