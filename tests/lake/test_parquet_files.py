"""Files in S3 and in a folder are the same, and are as the engines that read them want them."""

import io
import random
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import boto3
import pandas
import pyarrow
import pyarrow.parquet
import pytest

from servicelogs import formats
from servicelogs.lake.parquet_files import ParquetFilesInFolder, sorted_table
from servicelogs.lake.parquet_in_s3 import OneClientSession, ParquetFilesInS3
from servicelogs.lake.schema import arrow_schema

pytestmark = pytest.mark.slow

BUCKET = "staging"
START = datetime(2026, 11, 20, 8, 14, 55, 123456, tzinfo=UTC)
ROWS = 300
# Whatever is allocated in it needs it as long as it lives.
MEASURED = pyarrow.proxy_memory_pool(pyarrow.default_memory_pool())


@pytest.fixture
def s3(aws: None) -> Any:
    client = boto3.client("s3")
    client.create_bucket(Bucket=BUCKET)
    return client


def cloudtrail(count: int = ROWS) -> pyarrow.Table:
    """Make rows in no order of time, some values of which are missing."""
    shuffled = random.Random(7).sample(range(count), count)
    rows = [
        {
            "event_time": START + timedelta(seconds=number, microseconds=number),
            "eventname": "GetObject" if number % 3 else None,
            "readonly": bool(number % 2),
            "useridentity": {
                "type": "Role",
                "sessioncontext": {"attributes": {"creationdate": START}},
            },
            "resources": [{"arn": f"arn:{number}"}, {"arn": None}] if number % 5 else None,
            "log_source": "s3://logs/key",
            "log_record": number,
        }
        for number in shuffled
    ]
    return pyarrow.Table.from_pylist(rows, schema=arrow_schema(formats.get("cloudtrail")))


def read(s3: Any, key: str) -> pyarrow.parquet.ParquetFile:
    body = s3.get_object(Bucket=BUCKET, Key=key)["Body"].read()
    return pyarrow.parquet.ParquetFile(io.BytesIO(body))


def chunks(file: pyarrow.parquet.ParquetFile) -> dict[str, Any]:
    group = file.metadata.row_group(0)
    found = (group.column(at) for at in range(group.num_columns))
    return {chunk.path_in_schema: chunk for chunk in found}


@pytest.fixture
def written(s3) -> pyarrow.parquet.ParquetFile:
    table = sorted_table(cloudtrail().to_batches(max_chunksize=100))
    ParquetFilesInS3(OneClientSession(), BUCKET, "out/").write(table, "cloudtrail/0.parquet")
    return read(s3, "out/cloudtrail/0.parquet")


def test_a_file_has_the_schema_of_its_table_and_nothing_of_pandas(written) -> None:
    assert written.schema_arrow.equals(arrow_schema(formats.get("cloudtrail")))
    assert b"pandas" not in (written.schema_arrow.metadata or {})
    assert set(written.metadata.metadata or {}) <= {b"ARROW:schema"}


def test_a_file_holds_its_rows_by_time_in_one_row_group_that_says_so(written) -> None:
    assert written.read().equals(cloudtrail().sort_by("event_time"))
    assert written.metadata.num_row_groups == 1
    (sorting,) = written.metadata.row_group(0).sorting_columns
    assert (sorting.column_index, sorting.descending) == (0, False)
    assert written.schema.column(0).path == "event_time"


def test_times_are_microseconds_in_utc_as_int64_with_statistics(written) -> None:
    times = [
        written.schema.column(at)
        for at in range(len(written.schema))
        if written.schema.column(at).logical_type.type == "TIMESTAMP"
    ]
    nested = {"useridentity.sessioncontext.attributes.creationdate", "timewindow.windowstart"}
    assert {"event_time", "eventtime", *nested} <= {time.path for time in times}
    for time in times:
        assert time.physical_type == "INT64"
        assert "isAdjustedToUTC=true, timeUnit=microseconds" in str(time.logical_type)
    statistics = chunks(written)["event_time"].statistics
    assert (statistics.min, statistics.max) == (
        START,
        START + timedelta(seconds=ROWS - 1, microseconds=ROWS - 1),
    )


def test_times_and_record_numbers_are_written_as_differences_and_texts_by_dictionary(
    written,
) -> None:
    found = chunks(written)
    for path in (
        "event_time",
        "log_record",
        "useridentity.sessioncontext.attributes.creationdate",
    ):
        assert "DELTA_BINARY_PACKED" in found[path].encodings
        assert not found[path].has_dictionary_page
    for path in ("eventname", "log_source", "resources.list.element.arn"):
        assert found[path].has_dictionary_page


def test_every_column_is_compressed_by_zstd_and_has_a_page_index(written) -> None:
    for chunk in chunks(written).values():
        assert chunk.compression == "ZSTD"
        assert chunk.has_offset_index
        assert chunk.has_column_index


@pytest.mark.parametrize("name", formats.NAMES)
def test_awswrangler_writes_the_very_bytes_that_pyarrow_does(s3, tmp_path: Path, name) -> None:
    schema = arrow_schema(formats.get(name))
    rows = [{"event_time": START, "log_source": "s3://logs/key", "log_record": 1}]
    table = pyarrow.Table.from_pylist(rows, schema=schema)
    in_s3 = ParquetFilesInS3(OneClientSession(), BUCKET, "").write(table, "a/0.parquet")
    in_folder = ParquetFilesInFolder(tmp_path).write(table, "a/0.parquet")
    assert in_s3 == in_folder
    body = s3.get_object(Bucket=BUCKET, Key="a/0.parquet")["Body"].read()
    assert body == (tmp_path / "a" / "0.parquet").read_bytes()


def test_awswrangler_knows_the_types_of_most_columns_by_their_names(s3, monkeypatch) -> None:
    asked: list[str] = []
    infer = pandas.DataFrame.__getitem__

    def noting(frame: pandas.DataFrame, names: Any) -> Any:
        asked.extend(names if isinstance(names, list) else ())
        return infer(frame, names)

    monkeypatch.setattr(pandas.DataFrame, "__getitem__", noting)
    schema = arrow_schema(formats.get("vpc_flow"))
    table = pyarrow.table([pyarrow.nulls(1, field.type) for field in schema], schema=schema)

    ParquetFilesInS3(OneClientSession(), BUCKET, "out/").write(table, "vpc_flow/0.parquet")

    assert {schema.field(name).type for name in asked} <= {pyarrow.timestamp("us", tz="UTC")}


def test_a_file_that_is_sent_in_parts_is_whole(s3) -> None:
    noise = random.Random(7)
    rows = [
        {"event_time": START, "log_record": n, "requestparameters": noise.randbytes(8000).hex()}
        for n in range(1400)
    ]
    table = pyarrow.Table.from_pylist(rows, schema=arrow_schema(formats.get("cloudtrail")))
    size = ParquetFilesInS3(OneClientSession(), BUCKET, "").write(table, "a/0.parquet")
    assert size == s3.head_object(Bucket=BUCKET, Key="a/0.parquet")["ContentLength"] > 5_242_880
    assert "-" in s3.head_object(Bucket=BUCKET, Key="a/0.parquet")["ETag"]
    assert read(s3, "a/0.parquet").read().equals(table)


def test_a_file_has_exactly_the_name_that_it_is_given_whatever_was_written_before(s3) -> None:
    """awswrangler keeps what it finds in its options: the next table would get this one's schema"""
    files = ParquetFilesInS3(OneClientSession(), BUCKET, "out/")
    for name in ("cloudtrail", "alb", "cloudtrail"):
        schema = arrow_schema(formats.get(name))
        row = {"event_time": START, "log_record": 1}
        files.write(pyarrow.Table.from_pylist([row], schema=schema), f"{name}/0.parquet")
    keys = [one["Key"] for one in s3.list_objects_v2(Bucket=BUCKET)["Contents"]]
    assert keys == ["out/alb/0.parquet", "out/cloudtrail/0.parquet"]
    assert read(s3, "out/alb/0.parquet").schema_arrow.equals(arrow_schema(formats.get("alb")))


def test_all_files_are_written_with_one_client(s3, monkeypatch) -> None:
    made: list[str] = []
    make = boto3.Session.client

    def noted(self: boto3.Session, service_name: str, *arguments: Any, **options: Any) -> Any:
        made.append(service_name)
        return make(self, service_name, *arguments, **options)

    monkeypatch.setattr(boto3.Session, "client", noted)
    files = ParquetFilesInS3(OneClientSession(), BUCKET, "")
    table = cloudtrail(5)
    for number in range(3):
        files.write(table, f"{number}.parquet")
    assert made == ["s3"]


def test_rows_of_one_time_stay_in_the_order_they_came_in() -> None:
    batches = [
        pyarrow.RecordBatch.from_pylist([{"t": n % 3, "n": n} for n in range(start, start + 50)])
        for start in (0, 50)
    ]
    numbers = sorted_table(batches).column("n").to_pylist()
    assert numbers == sorted(range(100), key=lambda n: (n % 3, n))
    assert not batches


def test_sorting_takes_little_more_memory_than_the_rows() -> None:
    before = pyarrow.default_memory_pool()
    pyarrow.set_memory_pool(MEASURED)
    try:
        columns = {f"c{n}": pyarrow.array(range(20_000)) for n in range(20)}
        batches = [pyarrow.RecordBatch.from_pydict(columns)]
        columns.clear()
        size = batches[0].nbytes
        table = sorted_table(batches)
    finally:
        pyarrow.set_memory_pool(before)
    assert table.nbytes == size
    assert MEASURED.max_memory() < size * 4 / 3
