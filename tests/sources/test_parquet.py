"""A Parquet file's rows become the documents that the same records as text become."""

import io
import json
import os
import resource
import shlex
import subprocess
import sys
import tempfile
from functools import cache, partial
from pathlib import Path
from typing import Any

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
from servicelogs.parsing.framing import MAX_RECORD_BYTES
from servicelogs.settings import LogSettings
from servicelogs.sources.parquet import rows_as_json
from tests.formats.parsing import SOURCE, chunked, parse
from tests.sources.crafted_parquet import (
    DELTA_BYTES,
    DELTA_LENGTHS,
    DICTIONARY,
    PLAIN,
    Group,
    crafted,
    data_page,
    deltas,
    dictionary_page,
    i32,
    i64,
    nested,
    text,
)

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


@pytest.mark.slow
@pytest.mark.parametrize("start", [1, 2, 1000, 1001, 4321, 5000])
@pytest.mark.parametrize("row_group_size", [1000, 10_000])
def test_a_later_invocation_goes_on_with_any_row(start, row_group_size):
    whole = all_documents(row_group_size)
    rest = parse_file(file_of(row_group_size), start).documents
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


GOOD = data_page(text(b"eni-1") + text(b"eni-2"), 2)
MOST = 2**31 - 1
# Each is one reject that says what is wrong: what the file is, and what the reject says.
HOSTILE = {
    "rows that nobody wrote": (crafted(Group(GOOD, 2**62)), f"it has {2**62} values"),
    "a row group with fewer than no rows": (crafted(Group(GOOD, -1)), "says that it has -1 rows"),
    "rows without columns": (crafted(Group(b"", 2**62), columns=0), "it has no columns"),
    "a list of columns that is not there": (
        crafted(Group(GOOD, 2), claimed_columns=900_000),
        "a list that is longer than itself",
    ),
    "columns in the same place": (crafted(Group(GOOD, 2), columns=50), "in the same place"),
    "a column behind the end": (
        crafted(Group(GOOD, 2)).replace(i64(7, len(GOOD))[2], i64(7, 40)[2]),
        "longer than the column",
    ),
    "more values than its pages have": (crafted(Group(GOOD, 1000)), "1000 values, and has 2"),
    "more values than its row group has rows": (
        crafted(Group(GOOD, 1, values=2)),
        "2 values for 1 rows",
    ),
    "a page that claims values": (
        crafted(Group(data_page(text(b"eni-1"), 2_000_000), 2_000_000)),
        "the Parquet file cannot be read from row 1 on",
    ),
    "a page that claims bytes": (
        crafted(Group(data_page(text(b"eni-1"), 1, PLAIN, MOST), 1), codec=1),
        f"takes {MOST} bytes",
    ),
    "a page with fewer bytes than none": (
        crafted(Group(data_page(text(b"eni-1"), 1, PLAIN, -1), 1)),
        "has no page at byte 4",
    ),
    "a page whose header has a field twice": (
        crafted(Group(data_page(b"", 1, PLAIN, 1, i32(2, MOST)), 1)),
        "the field 2 twice",
    ),
    # pyarrow follows them all, and its process ends.
    "columns in columns without end": (nested(30_000), "too deeply nested"),
    "columns in columns that are no list of structs": (
        nested(30_000).replace(b"\x09\x04\xfc", b"\x09\x04\xf8"),
        "no list of structs",
    ),
    "no pages at all": (crafted(Group(b"\xff" * 40, 1)), "its description has"),
    "a dictionary that claims values": (
        crafted(Group(dictionary_page(b"", MOST) + data_page(b"\0", 1, DICTIONARY), 1)),
        f"it has {MOST} values in 0 bytes",
    ),
    "a dictionary that is shorter than its values": (
        crafted(Group(dictionary_page(text(b"a")[:4], 1) + data_page(b"\0", 1, DICTIONARY), 1)),
        "shorter than its values",
    ),
    "lengths that claim to be many": (
        crafted(Group(data_page(deltas(MOST), 1, DELTA_LENGTHS), 1)),
        f"it has {MOST} values, and that it has 1",
    ),
    "lengths behind lengths that claim to be many": (
        crafted(Group(data_page(deltas(1)[:5] + deltas(MOST), 1, DELTA_BYTES), 1)),
        f"it has {MOST} values, and that it has 1",
    ),
    "lengths that are truncated": (
        crafted(Group(data_page(deltas(100_000), 100_000, DELTA_LENGTHS), 100_000)),
        "truncated",
    ),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_what_a_file_says_falsely_is_one_reject_that_says_what(name):
    data, reason = HOSTILE[name]
    parsed = parse_file(data)
    assert parsed.documents == {}
    (reject,) = parsed.rejects
    assert (reject.number, reject.error_type) == (1, "unreadable")
    assert reason in reject.reason


@pytest.mark.slow
def test_what_a_file_says_falsely_takes_no_memory(tmp_path):
    good = tmp_path / "good"
    good.write_bytes(parquet(TEXT))
    paths = [good]
    for number, (data, _) in enumerate(HOSTILE.values()):
        paths.append(tmp_path / str(number))
        paths[-1].write_bytes(data)
    _, growth = grown(*paths)
    assert growth < 60 * MIB


def test_a_file_of_our_own_making_is_read_when_it_says_what_is_so():
    same = data_page(deltas(2), 2, DELTA_LENGTHS)
    for pages in (GOOD, same):
        assert len(rows_of(crafted(Group(pages, 2), Group(pages, 2)))) == 4


def test_rows_before_a_row_group_that_says_what_is_false_are_kept():
    (reject,) = (parsed := parse_file(crafted(Group(GOOD, 2), Group(GOOD, 1000)))).rejects
    assert parsed.documents.keys() == {1, 2}
    assert reject.number == 3
    assert "in its row group 2 the column 'interface_id'" in reject.reason


def test_a_file_with_fewer_rows_than_it_says_is_one_reject_for_the_rest():
    parsed = parse_file(crafted(Group(GOOD, 2), rows=1000))
    assert parsed.documents.keys() == {1, 2}
    (reject,) = parsed.rejects
    assert reject.number == 3
    assert "it says that it has 1000 rows" in reject.reason


@pytest.mark.slow
def test_a_value_longer_than_any_record_costs_its_row_alone():
    long = "x" * (MAX_RECORD_BYTES + 5)
    for column in (
        ["eni-1", long, "eni-3"],
        pyarrow.array(["eni-1", long, "eni-3"]).dictionary_encode(),
    ):
        parsed = parse_file(table(version=[2] * 3, interface_id=column, more=column))
        assert parsed.documents.keys() == {1, 3}
        (reject,) = parsed.rejects
        assert (reject.number, reject.error_type) == (2, "too_long")
        assert reject.raw.startswith(b'{"version":2,"interface_id":"xxxx')


@pytest.mark.slow
@pytest.mark.parametrize("compression", ["snappy", "zstd"])
def test_a_page_that_inflates_to_more_than_the_memory_is_one_reject(compression):
    columns = pyarrow.table({"interface_id": ["x" * 300_000] * 500})
    file = io.BytesIO()
    pyarrow.parquet.write_table(
        columns, file, compression=compression, use_dictionary=False, write_statistics=False
    )
    (reject,) = parse_file(file.getvalue()).rejects
    assert "bytes of memory, at most" in reject.reason


@pytest.mark.parametrize("compression", ["none", "snappy", "gzip", "brotli", "zstd", "lz4"])
def test_a_dictionary_is_read_in_every_compression(compression):
    file = io.BytesIO()
    columns = pyarrow.table({"interface_id": ["eni-1", "eni-2", None] * 1000})
    pyarrow.parquet.write_table(columns, file, compression=compression)
    rows = rows_of(file.getvalue())
    assert (
        rows
        == [b'{"interface_id":"eni-1"}', b'{"interface_id":"eni-2"}', b'{"interface_id":null}']
        * 1000
    )


def test_a_list_longer_than_any_record_is_one_reject():
    nulls = pyarrow.ListArray.from_arrays([0, 3_000_000], pyarrow.nulls(3_000_000, "int32"))
    (reject,) = parse_file(table(version=[2], new=nulls)).rejects
    assert "one row may take" in reject.reason


@pytest.mark.parametrize("version", ["1.0", "2.0"])
@pytest.mark.parametrize("depth", [1, 3])
def test_lists_are_read_however_many_rows_of_them_there_are(version, depth):
    of_type: pyarrow.DataType = pyarrow.string()
    rows: list[list[Any]] = [[f"{at:060}" for at in range(row % 9)] for row in range(8000)]
    for _ in range(depth - 1):
        rows = [[row, [], row] for row in rows]
    for _ in range(depth):
        of_type = pyarrow.list_(of_type)
    file = io.BytesIO()
    lists = pyarrow.table({"new": pyarrow.array(rows, of_type)})
    pyarrow.parquet.write_table(
        lists, file, use_dictionary=depth == 1, data_page_version=version, data_page_size=1000
    )
    assert [json.loads(row)["new"] for row in rows_of(file.getvalue())] == rows


def test_a_schema_that_is_nested_without_end_is_one_reject():
    nested = pyarrow.int32()
    for _ in range(100):
        nested = pyarrow.struct([("a", nested)])
    (reject,) = parse_file(table(version=[2], new=pyarrow.nulls(1, nested))).rejects
    assert "deeply nested" in reject.reason


@pytest.mark.parametrize("encoding", ["DELTA_LENGTH_BYTE_ARRAY", "DELTA_BYTE_ARRAY"])
@pytest.mark.parametrize("version", ["1.0", "2.0"])
@pytest.mark.parametrize("compression", ["none", "gzip"])
def test_values_written_as_differences_are_read(encoding, version, compression):
    names = [None if number % 7 == 0 else f"eni-{number}" for number in range(1, 1000)]
    file = io.BytesIO()
    pyarrow.parquet.write_table(
        pyarrow.table({"interface_id": names}),
        file,
        use_dictionary=False,
        column_encoding={"interface_id": encoding},
        data_page_version=version,
        data_page_size=1000,
        compression=compression,
    )
    rows = map(json.loads, rows_of(file.getvalue()))
    assert [row["interface_id"] for row in rows] == names


def grown(*files: Path) -> tuple[int, int]:
    """Read files in a process of their own; see `_measure`.

    Behind a shell, for a process that the system counts from its own beginning: one that this
    process started would begin with the size of this one.
    """
    command = shlex.join([sys.executable, "-m", __name__, *map(str, files)])
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


@pytest.mark.slow
def test_memory_does_not_grow_with_the_file_nor_with_its_row_groups(tmp_path):
    small, groups, whole = (tmp_path / name for name in ("small", "groups", "whole"))
    small.write_bytes(parquet(TEXT))
    rows = pyarrow.parquet.read_table(small)
    every = pyarrow.concat_tables([rows] * 10)
    pyarrow.parquet.write_table(every, groups, row_group_size=RECORDS)
    pyarrow.parquet.write_table(every, whole, row_group_size=every.num_rows)

    records, growth = grown(small, groups, whole)

    assert records == 21 * RECORDS
    assert growth < 20 * MIB


@pytest.mark.slow
def test_long_values_that_repeat_in_a_few_bytes_do_not_fill_the_memory(tmp_path):
    """A hundred megabytes, which were ten times as much when all rows were decoded at once."""
    ordinary, bomb = tmp_path / "ordinary", tmp_path / "bomb"
    ordinary.write_bytes(parquet(TEXT))
    long = pyarrow.array(["x" * 500_000]).take(pyarrow.array([0] * 200))
    bomb.write_bytes(table(version=[2] * 200, interface_id=long))
    assert bomb.stat().st_size < MIB

    records, growth = grown(ordinary, bomb)

    assert records == RECORDS + 200
    assert growth < 150 * MIB


def _measure(*paths: str) -> tuple[int, int]:
    """Return how many documents files become, and how much more the others took than the first."""
    records, peaks = 0, []
    for path in paths:
        with Path(path).open("rb") as file:
            chunks = rows_as_json(iter(lambda file=file: file.read(MIB), b""))
            for block in blocks_of(formats.get("vpc_flow"), chunks, SOURCE, one_index("i")):
                records += block.documents
        peaks.append(_held())
    return records, peaks[-1] - peaks[0]


def _held() -> int:
    held = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return held if sys.platform == "darwin" else held * 1024


if __name__ == "__main__":
    print(*_measure(*sys.argv[1:]))  # noqa: T201
