"""A Parquet file's rows become the documents that the same records as text become."""

import io
import json
import os
import resource
import shlex
import subprocess
import sys
import tempfile
import tracemalloc
from functools import cache, partial
from pathlib import Path

import pyarrow
import pyarrow.parquet
import pytest

from local.sample_logs import generate
from local.sample_logs.parquet import parquet
from servicelogs import formats
from servicelogs.detection.objects import ObjectTypes
from servicelogs.errors import ObjectUnreachable, UnreadableObject
from servicelogs.opensearch.dated_indexes import one_index
from servicelogs.opensearch.documents import blocks_of
from servicelogs.settings import LogSettings
from servicelogs.sources.parquet import rows_as_json
from tests.formats.parsing import SOURCE, chunked, parse

ROOT = Path(__file__).parents[2]
MIB = 1024 * 1024
# What AWS delivers in Parquet, and has a header as text.
IN_PARQUET = ["cloudfront", "tgw_flow", "vpc_flow"]
RECORDS = 5000
TEXT = generate("vpc_flow", RECORDS).decode()


def rows_of(data: bytes, start: int = 1) -> list[bytes]:
    return b"".join(rows_as_json(chunked(data, 100_000), start)).splitlines()


def parse_file(data: bytes, start: int = 1):
    return parse("vpc_flow", rows_as_json(chunked(data, 100_000), start), start=start)


def table(**columns) -> bytes:
    file = io.BytesIO()
    pyarrow.parquet.write_table(pyarrow.table(columns), file)
    return file.getvalue()


def without_place(documents):
    """Give documents in order, without their records' numbers."""
    return [document | {"log": None} for _, document in sorted(documents.items())]


def same_documents(name: str, text: str) -> bool:
    as_text, as_rows = parse(name, text.encode()), parse(name, rows_as_json([parquet(text)]))
    assert as_rows.documents
    assert as_rows.rejects == as_text.rejects == []
    return without_place(as_rows.documents) == without_place(as_text.documents)


@pytest.mark.parametrize("name", IN_PARQUET)
def test_rows_become_the_documents_that_lines_become(name):
    assert same_documents(name, generate(name, 1000).decode())


@pytest.mark.parametrize("case", ["every_field_to_version_11", "no_data_and_skipped_data"])
def test_the_same_of_every_field_and_of_records_with_nulls(case):
    assert same_documents("vpc_flow", (ROOT / f"tests/formats/vpc_flow/{case}.log").read_text())


@pytest.mark.parametrize("name", IN_PARQUET)
def test_a_row_tells_its_type_where_the_key_does_not(name):
    rows = b"".join(rows_as_json([parquet(generate(name, 50).decode())]))
    detected = ObjectTypes(LogSettings()).identify("copies/some.parquet", rows, None)
    assert detected.format is formats.get(name)


def test_a_records_number_is_its_row():
    parsed = parse_file(parquet(TEXT))
    assert parsed.documents.keys() == set(range(1, RECORDS + 1))
    assert parsed.actions[7]["_id"] == f"{SOURCE.id}-7"


def test_a_null_is_no_field():
    (document,) = parse_file(
        table(
            version=[2],
            srcport=pyarrow.array([None], pyarrow.int32()),
            dstport=[443],
            srcaddr=["-"],
        )
    ).documents.values()
    assert document["dstport"] == 443
    assert not {"srcport", "srcaddr"} & document.keys()


def test_a_column_that_we_do_not_know_is_kept():
    (document,) = parse_file(table(version=[2], new_column=["new"])).documents.values()
    assert document["extra_fields"] == {"new_column": "new"}


def test_a_row_that_does_not_fit_is_one_reject_with_its_json():
    parsed = parse_file(table(version=[2, 2, 2], start=["1795162440", "soon", "1795162441"]))
    assert parsed.documents.keys() == {1, 3}
    (reject,) = parsed.rejects
    assert (reject.number, reject.error_type) == (2, "does_not_match")
    assert reject.raw == b'{"version":2,"start":"soon"}'


def test_a_text_that_is_not_utf_8_is_decoded_as_in_text():
    text = pyarrow.array([b"eni-\xff"]).view(pyarrow.string())
    (document,) = parse_file(table(version=[2], interface_id=text)).documents.values()
    assert document["interface_id"] == "eni-\ufffd"


def column(values, of_type) -> pyarrow.Array:
    """Give a column of whole numbers that stand for something else."""
    return pyarrow.array(values, pyarrow.int64()).view(of_type)


@pytest.mark.parametrize(
    ("times", "text"),
    [
        (column([1795162440123456789], pyarrow.timestamp("ns")), "2026-11-20T08:14:00.123456789Z"),
        (column([1795162440123], pyarrow.timestamp("ms", "UTC")), "2026-11-20T08:14:00.123Z"),
        (column([1795162440], pyarrow.timestamp("s", "No/Zone")), "2026-11-20T08:14:00.000Z"),
        (column([123456789], pyarrow.time64("ns")), "00:00:00.123456789"),
        (pyarrow.array([20777], pyarrow.int32()).view(pyarrow.date32()), "2026-11-20"),
    ],
)
def test_a_time_is_kept_to_the_nanosecond_and_in_utc(times, text):
    (row,) = rows_of(table(version=[2], new_time=times))
    assert json.loads(row) == {"version": 2, "new_time": text}


@pytest.mark.parametrize(
    "times",
    [
        column([2**62, 0], pyarrow.timestamp("us")),
        pyarrow.array([2**30, 0], pyarrow.int32()).view(pyarrow.date32()),
    ],
)
def test_a_time_that_no_calendar_has_costs_no_record(times):
    first, second = parse_file(table(version=[2, 2], new_time=times)).documents.values()
    assert "out of range" in first["extra_fields"]["new_time"]
    assert second["extra_fields"]["new_time"].startswith("1970-01-01")


def test_of_columns_with_one_name_each_value_is_kept():
    names = ["version", "srcaddr", "srcaddr", "new", "new"]
    values = [2, "192.0.2.1", "192.0.2.2", "a", "b"]
    twice = pyarrow.Table.from_arrays([pyarrow.array([value]) for value in values], names)
    file = io.BytesIO()
    pyarrow.parquet.write_table(twice, file)
    (document,) = parse_file(file.getvalue()).documents.values()
    assert document["srcaddr"] == "192.0.2.1"
    assert document["extra_fields"] == {"srcaddr_3": "192.0.2.2", "new": "a", "new_5": "b"}


def test_nested_values_and_those_of_a_dictionary_are_kept():
    nested = pyarrow.array([{"a": 1, "b": [1, 2]}])
    action = pyarrow.array(["ACCEPT"]).dictionary_encode()
    (document,) = parse_file(table(version=[2], action=action, nested=nested)).documents.values()
    assert document["action"] == "ACCEPT"
    assert json.loads(document["extra_fields"]["nested"]) == {"a": 1, "b": [1, 2]}


def test_a_file_whose_columns_would_fill_the_memory_is_one_reject():
    """A million columns take five gigabytes to be described."""
    names = [f"column_{'x' * 400}_{number}" for number in range(10_000)]
    file = io.BytesIO()
    values = [pyarrow.array([1])] * len(names)
    pyarrow.parquet.write_table(pyarrow.Table.from_arrays(values, names), file)
    parsed = parse_file(file.getvalue())
    assert parsed.documents == {}
    (reject,) = parsed.rejects
    assert "description of its columns" in reject.reason


def test_a_file_that_ends_too_early_is_one_reject_that_says_so():
    parsed = parse_file(parquet(TEXT)[:5000])
    assert parsed.documents == {}
    (reject,) = parsed.rejects
    assert (reject.number, reject.error_type) == (1, "unreadable")
    assert "Parquet" in reject.reason


def test_of_a_damaged_file_the_good_rows_are_kept_and_the_reject_says_where_they_end():
    data = parquet(TEXT, row_group_size=1000)
    groups = pyarrow.parquet.ParquetFile(io.BytesIO(data)).metadata
    at = groups.row_group(3).column(3).dictionary_page_offset
    parsed = parse_file(data[:at] + b"\xff" * 400 + data[at + 400 :])
    assert parsed.documents.keys() == set(range(1, 3001))
    (reject,) = parsed.rejects
    assert reject.number == 3001
    assert "row 3001" in reject.reason


@cache
def file_of(row_group_size):
    return parquet(TEXT, row_group_size)


@cache
def all_documents(row_group_size):
    return parse_file(file_of(row_group_size)).documents


@pytest.mark.parametrize("start", [1, 2, 1000, 1001, 4321, 5000])
@pytest.mark.parametrize("row_group_size", [1000, 10_000])
def test_a_later_invocation_goes_on_with_any_row(start, row_group_size):
    whole, rest = (
        all_documents(row_group_size),
        parse_file(file_of(row_group_size), start).documents,
    )
    assert rest == {number: document for number, document in whole.items() if number >= start}


def test_the_lines_of_rows_that_are_not_read_again_come_in_pieces():
    data = parquet(TEXT, row_group_size=1000)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("servicelogs.sources.parquet.SKIPPED_LINES", 100)
        pieces = list(rows_as_json([data], 4500))
    assert sum(piece.count(b"\n") for piece in pieces) == RECORDS
    assert max(piece.count(b"\n") for piece in pieces) <= 256


def test_row_groups_before_the_start_are_not_read_again():
    data = parquet(TEXT, row_group_size=1000)
    rows = rows_of(data, start=4500)
    assert len(rows) == RECORDS
    assert [number for number, row in enumerate(rows) if not row] == list(range(1000, 4000))


def test_a_file_without_rows_has_no_text():
    assert rows_of(table(version=pyarrow.array([], pyarrow.int32()))) == []


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="Linux only")  # noqa: PTH110
def test_a_file_that_temporary_storage_cannot_hold_comes_again_and_says_what_to_raise(monkeypatch):
    full = partial(open, "/dev/full", "r+b", buffering=0)
    monkeypatch.setattr(tempfile, "TemporaryFile", full)
    with pytest.raises(ObjectUnreachable, match="ParquetStorageMegabytes"):
        rows_of(parquet(TEXT))


def test_temporary_storage_that_fails_otherwise_is_not_taken_for_a_full_one(monkeypatch):
    broken = partial(open, os.devnull, "rb", buffering=0)
    monkeypatch.setattr(tempfile, "TemporaryFile", broken)
    with pytest.raises(OSError, match="not open for writing"):
        rows_of(parquet(TEXT))


def test_what_is_no_parquet_inside_is_a_fault_of_the_object():
    with pytest.raises(UnreadableObject, match="row 1"):
        rows_of(b"PAR1" + b"\0" * 1000 + b"PAR1")


def grown(count: str, *files: Path) -> tuple[int, int]:
    """Read files in a process of their own; see `_measure`.

    Behind a shell, for a process that the system counts from its own beginning: one that this
    process started would begin with the size of this one.
    """
    command = shlex.join([sys.executable, "-m", __name__, count, *map(str, files)])
    done = subprocess.run(
        ["sh", "-c", f"{command}; exit $?"],
        capture_output=True,
        text=True,
        check=True,
        env={"PYTHONPATH": "layers/service_logs:."},
        cwd=ROOT,
    )
    records, growth = map(int, done.stdout.split())
    return records, growth


@pytest.mark.parametrize("row_groups", [1, 20])
def test_memory_does_not_grow_with_the_file(tmp_path, row_groups):
    small, large = tmp_path / "small", tmp_path / "large"
    text = generate("vpc_flow", 10_000).decode()
    small.write_bytes(parquet(text))
    rows = pyarrow.parquet.read_table(small)
    every = pyarrow.concat_tables([rows] * 10)
    pyarrow.parquet.write_table(every, large, row_group_size=every.num_rows // row_groups)

    records, growth = grown("system", small, large)

    assert records == 11 * rows.num_rows
    assert growth < 24 * MIB


def test_long_values_that_repeat_in_a_few_bytes_do_not_fill_the_memory(tmp_path):
    ordinary, bomb = tmp_path / "ordinary", tmp_path / "bomb"
    ordinary.write_bytes(parquet(generate("vpc_flow", 500).decode()))
    long = pyarrow.array(["x" * 100_000]).take(pyarrow.array([0] * 1_000))
    bomb.write_bytes(table(version=[2] * 1_000, interface_id=long))
    assert bomb.stat().st_size < MIB

    records, growth = grown("traced", ordinary, bomb)

    assert records == 500 + 1_000
    assert growth < 300 * MIB


def _measure(count: str, *paths: str) -> tuple[int, int]:
    """Return how many documents files become, and how much more the last took than the first.

    Of many rows memory is the system's count: that of Python makes each ten times slower. Where
    much is held for a moment only, it is Python's and Arrow's own count, without what they free
    and keep.
    """
    held = _held if count == "system" else _traced
    records, peaks = 0, []
    if count == "traced":
        tracemalloc.start()
    for path in paths:
        with Path(path).open("rb") as file:
            chunks = rows_as_json(iter(lambda file=file: file.read(MIB), b""))
            for block in blocks_of(formats.get("vpc_flow"), chunks, SOURCE, one_index("i")):
                records += block.documents
        peaks.append(held())
    return records, peaks[-1] - peaks[0]


def _held() -> int:
    held = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return held if sys.platform == "darwin" else held * 1024


def _traced() -> int:
    peak = tracemalloc.get_traced_memory()[1] + pyarrow.default_memory_pool().max_memory()
    tracemalloc.reset_peak()
    return peak


if __name__ == "__main__":
    print(*_measure(*sys.argv[1:]))  # noqa: T201
