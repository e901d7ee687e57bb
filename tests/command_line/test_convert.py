"""`servicelogs convert`: the rows of files, where the lake would have them."""

import gzip
import json
import os
import pty
import sys
from contextlib import suppress
from pathlib import Path
from typing import Any

import pyarrow.parquet
import pytest

from local.sample_logs import generate, objects
from servicelogs.command_line import convert
from servicelogs.command_line.main import main
from tests.command_line.conftest import Run
from tests.sources.envelopes import CONTROL, envelope
from tests.sources.stream_events import compressed, failed_batch, stream_event

pytestmark = pytest.mark.slow

ACCOUNT = "111122223333"


def sample(tmp_path: Path, name: str, records: int = 20) -> str:
    path = tmp_path / f"{name}.log.gz"
    path.write_bytes(gzip.compress(generate(name, records)))
    return path.name


def lake(tmp_path: Path) -> dict[str, int]:
    """Say how many rows each file has."""
    found = sorted((tmp_path / "lake").rglob("*.parquet"))
    return {
        str(one.relative_to(tmp_path / "lake")): pyarrow.parquet.read_metadata(one).num_rows
        for one in found
    }


def result(done: Any) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def test_rows_are_where_the_lakes_tables_have_them(run: Run, tmp_path: Path) -> None:
    one = next(one for one in objects() if one.format == "alb" and one.records > 5)
    path = tmp_path / one.key
    path.parent.mkdir(parents=True)
    path.write_bytes(one.data)
    done = run("convert", one.key, "--out", "lake", "--json")
    assert done.returncode in {0, 1}
    counts = result(done)["by_type"]["alb"]
    assert counts["records"] == one.records
    files = lake(tmp_path)
    assert sum(rows for name, rows in files.items() if name.startswith("alb/")) == counts["rows"]
    for name in files:
        table, account, region, day, number = name.split("/")
        assert table in {"alb", "alb_summary"}
        assert (account, region, day[:5], number) == (ACCOUNT, "eu-west-1", "2026-", "0.parquet")
    written = {file["name"]: file["rows"] for file in result(done)["files"]}
    assert written == {f"lake/{name}": rows for name, rows in files.items()}


def test_files_of_several_types_become_several_tables_and_a_table_says_so(
    run: Run, tmp_path: Path
) -> None:
    names = [sample(tmp_path, "vpc_flow"), sample(tmp_path, "waf")]
    done = run("convert", *names, "--out", "lake", "--region", "eu-west-1", "--account", ACCOUNT)
    assert done.returncode == 0
    heading, *rows = done.stdout.decode().splitlines()
    assert heading.split()[1:] == ["records", "rows", "rejected", "partitions", "files", "bytes"]
    assert [row.split()[0] for row in rows[:4]] == [
        "vpc_flow",
        "vpc_flow_summary",
        "waf",
        "waf_summary",
    ]
    assert rows[0].split()[1:6] == ["20", "20", "0", "1", "1"]
    assert len(rows) == 5
    assert not done.stderr


def test_a_place_that_nothing_names_is_unknown_unless_it_is_given(run: Run, tmp_path: Path) -> None:
    name = sample(tmp_path, "cloudfront")
    done = run("convert", name, "--out", "lake")
    assert {one.split("/")[1] for one in lake(tmp_path)} == {"unknown"}
    assert b"give --account and --region" in done.stdout
    run("convert", name, "--out", "other", "--account", ACCOUNT, "--region", "eu-west-1")
    assert (tmp_path / "other" / "cloudfront" / ACCOUNT).is_dir()


def test_a_folder_with_something_in_it_is_left_as_it_is(run: Run, tmp_path: Path) -> None:
    name = sample(tmp_path, "vpc_flow")
    assert run("convert", name, "--out", "lake").returncode == 0
    before = lake(tmp_path)
    again = run("convert", name, "--out", "lake")
    assert again.returncode == 2
    assert b"not an empty folder: give a new one" in again.stderr
    assert lake(tmp_path) == before
    (tmp_path / "file").write_text("x")
    assert run("convert", name, "--out", "file").returncode == 2
    assert (tmp_path / "file").read_text() == "x"


def test_no_folder_and_one_with_the_rejects_in_it_are_refused(run: Run, tmp_path: Path) -> None:
    name = sample(tmp_path, "vpc_flow")
    (tmp_path / "lake").mkdir()
    none = run("convert", name, "--out", "")
    assert none.returncode == 2
    assert none.stderr == b"servicelogs: --out names no folder\n"
    inside = run("convert", name, "--out", "lake", "--rejects", "lake/rejects")
    assert inside.returncode == 2
    assert b"--rejects lake/rejects is in --out" in inside.stderr
    assert not any((tmp_path / "lake").iterdir())


def test_an_empty_folder_and_one_below_folders_that_are_not_there_are_filled(
    run: Run, tmp_path: Path
) -> None:
    name = sample(tmp_path, "vpc_flow")
    (tmp_path / "lake").mkdir()
    assert run("convert", name, "--out", "lake").returncode == 0
    assert lake(tmp_path)
    assert run("convert", name, "--out", "a/b/c").returncode == 0
    assert (tmp_path / "a" / "b" / "c" / "vpc_flow").is_dir()


def test_what_fails_on_the_way_leaves_no_folder(run: Run, tmp_path: Path, monkeypatch) -> None:
    name = sample(tmp_path, "vpc_flow")

    def full(*_: Any) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("servicelogs.lake.parquet_files.ParquetFilesInFolder.write", full)
    done = run("convert", name, "--out", "lake")
    assert done.returncode == 2
    assert b"No space left" in done.stderr
    assert [one.name for one in tmp_path.iterdir()] == [name]


def test_a_file_that_cannot_be_read_is_an_error_and_the_others_are_converted(
    run: Run, tmp_path: Path
) -> None:
    name = sample(tmp_path, "vpc_flow")
    (tmp_path / "odd").write_text("hello\n")
    done = run("convert", "odd", "missing", name, "--out", "lake", "--json")
    assert done.returncode == 2
    assert set(result(done)["failed"]) == {"odd", "missing"}
    assert b"choose its type with --type" in done.stderr
    assert lake(tmp_path)
    nothing = run("convert", "odd", "--out", "nothing")
    assert nothing.returncode == 2
    assert not (tmp_path / "nothing").exists()


def test_rejects_are_shown_and_kept_as_the_backup_bucket_has_them(run: Run, tmp_path: Path) -> None:
    text = generate("vpc_flow", 20).decode().splitlines()
    (tmp_path / "flows").write_text("\n".join([*text, "bad line"]))
    done = run("convert", "flows", "--out", "lake", "--rejects", "rejects.json")
    assert done.returncode == 1
    assert b"servicelogs explain rejects.json" in done.stdout
    (line,) = (tmp_path / "rejects.json").read_text().splitlines()
    assert json.loads(line)["raw"] == "bad line"
    without = run("convert", "flows", "--out", "lake2")
    assert b"convert --rejects FILE keeps them" in without.stdout


def test_log_events_and_batches_of_a_stream_are_converted(run: Run, tmp_path: Path) -> None:
    flow = generate("vpc_flow", 3).decode().splitlines()[1]
    text = envelope(flow, logGroup="/aws/vpc/flow")
    (tmp_path / "events").write_bytes(text + CONTROL)
    (tmp_path / "batch").write_bytes(failed_batch(stream_event(compressed(text))))
    done = run("convert", "events", "batch", "--out", "lake", "--json")
    assert result(done)["by_type"]["vpc_flow"]["rows"] == 2
    (tmp_path / "broken").write_bytes(failed_batch(stream_event()))
    broken = run("convert", "broken", "--out", "lake2")
    assert broken.returncode == 2
    assert b"cannot be read" in broken.stderr


def test_what_is_no_log_is_skipped_by_name(run: Run, tmp_path: Path) -> None:
    (tmp_path / "empty").write_bytes(b"")
    done = run("convert", "empty", "--out", "lake")
    assert done.returncode == 0
    assert b"skipped: empty: an empty object" in done.stdout
    assert (tmp_path / "lake").is_dir()


@pytest.mark.parametrize(
    ("arguments", "error"),
    [
        (["f", "--out", "x", "--account", "12"], "is not the id of an account: 12 digits"),
        (["f", "--out", "x", "--region", "EU/west"], "is not a Region, as eu-west-1"),
        (["f", "--out", "x", "--region", "nowhere"], "is not a Region, as eu-west-1"),
        (["f"], "required: --out"),
        (["f", "g", "--out", "x", "--source", "s3://b/k"], "convert each file by itself"),
        (["f", "f", "--out", "x"], "f is given twice"),
        (["f", "--out", "x", "--type", "nothing"], "is not a log type"),
    ],
)
def test_bad_usage_is_said_in_one_line(run: Run, arguments: list[str], error: str) -> None:
    done = run("convert", *arguments)
    assert done.returncode == 2
    assert error in done.stderr.decode()
    assert len(done.stderr.splitlines()) == 1


def test_a_name_that_moves_a_terminals_cursor_is_shown_escaped(run: Run, tmp_path: Path) -> None:
    (tmp_path / "a\x1b[2Jb").write_bytes(b"hello")
    done = run("convert", "a\x1b[2Jb", "--out", "lake")
    assert b"\x1b" not in done.stdout + done.stderr


def test_without_pyarrow_it_says_what_to_install(run: Run, tmp_path: Path, monkeypatch) -> None:
    monkeypatch.delitem(sys.modules, "servicelogs.command_line.convert")
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    monkeypatch.delitem(sys.modules, "servicelogs.lake.conversion")
    done = run("convert", sample(tmp_path, "vpc_flow"), "--out", "lake")
    assert done.returncode == 2
    assert b"convert needs pyarrow: install it (pip install pyarrow)" in done.stderr


def read_all(master: int) -> str:
    """Read what was written to a terminal that is closed: it comes in pieces."""
    pieces = []
    with suppress(OSError):  # so the end is said
        while piece := os.read(master, 10_000):
            pieces.append(piece)
    return b"".join(pieces).decode()


def test_a_terminal_shows_how_far_it_is_and_is_clean_in_the_end(
    tmp_path: Path, monkeypatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(convert, "_SECONDS_BETWEEN", 0)
    names = [sample(tmp_path, "vpc_flow"), sample(tmp_path, "waf")]
    master, slave = pty.openpty()
    with os.fdopen(slave, "w") as terminal:
        monkeypatch.setattr(sys, "stderr", terminal)
        assert main(["convert", *names, "--out", "lake", "--json"]) == 0
    shown = read_all(master)
    os.close(master)
    assert "1 of 2 files, 40 rows" in shown
    assert shown.endswith("\r\x1b[K")
