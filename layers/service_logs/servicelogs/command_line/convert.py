"""Turns log files on this machine into Parquet files, as the Light Engine turns S3 objects."""

import json
import os
import shutil
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, BinaryIO

from servicelogs.command_line.explanation import shown
from servicelogs.command_line.files import (
    ConflictingFiles,
    LogFile,
    UnreadableFile,
    check_fields,
    check_files,
    note_on_fields,
    opened,
    rows_of_parquet,
    type_given,
    types_of_files,
)
from servicelogs.command_line.first_rejects import FirstRejects
from servicelogs.dates import DatePolicy
from servicelogs.delivery.rejects import line as reject_line
from servicelogs.detection.content import START_BYTES
from servicelogs.errors import UnknownLogType, UnreadableObject
from servicelogs.lake.conversion import Conversion, Counts, WrittenFile
from servicelogs.lake.parquet_files import ParquetFilesInFolder
from servicelogs.parsing.places import Place
from servicelogs.records import Reject
from servicelogs.sources.decompression import begin

UNKNOWN_PLACE = "unknown"
"""Stands for an account or a Region that nothing names."""
# So many bytes of rows wait in memory for the rest of their file.
_BUDGET = 256 * 1024 * 1024
_SECONDS_BETWEEN = 0.5
_LONGEST_NAME = 40


@dataclass(slots=True)
class Converted:
    """What became of all files."""

    by_type: dict[str, Counts] = field(default_factory=dict)
    written: list[WrittenFile] = field(default_factory=list)
    misfits: dict[str, dict[str, int]] = field(default_factory=dict)
    skipped: dict[str, str] = field(default_factory=dict)
    """Files that are not logs, and what they are."""
    failed: dict[str, str] = field(default_factory=dict)
    """Files that could not be read or identified, and why."""
    rejects: FirstRejects = field(default_factory=lambda: FirstRejects("convert"))

    @property
    def rejected(self) -> int:
        """How many records were rejected."""
        return self.rejects.count

    @property
    def rows(self) -> int:
        """How many rows there are."""
        return sum(counts.rows for counts in self.by_type.values())


def convert_files(
    names: list[str],
    out: str,
    *,
    log_type: str,
    fields: tuple[str, ...],
    key: str,
    default_place: Place,
    rejects: str,
    as_json: bool,
) -> Converted:
    """Write the rows of files to a new folder, which is there when it is whole.

    Empty texts stand for what was not given.
    """
    given_type = type_given(log_type, key)
    check_files(names, rejects)
    _check_folder(out, rejects)
    outcome = Converted()
    with ExitStack() as stack:
        folder = stack.enter_context(_new_folder(out, outcome))
        rejects_file = stack.enter_context(Path(rejects).open("wb")) if rejects else None
        progress = stack.enter_context(_Progress(len(names), outcome))
        place = Place(
            default_place.account_id or UNKNOWN_PLACE, default_place.region or UNKNOWN_PLACE
        )
        conversion = Conversion(
            ParquetFilesInFolder(folder),
            dates=lambda _: DatePolicy(),
            default_place=place,
            budget=_BUDGET,
            look_at_time=progress.look,
            keeps_extracted_fields=True,
        )
        converter = _Converter(given_type, fields, conversion, rejects_file, outcome)
        for name in names:
            try:
                with opened(name) as stream:
                    converter.convert(LogFile(name, key, stream))
            except (UnreadableFile, UnknownLogType) as error:
                outcome.failed[name] = str(error)
                progress.say(f"servicelogs: {shown(name)}: {error}")
            progress.files += 1
        conversion.finish()
        outcome.written, outcome.misfits = conversion.written, conversion.misfits()
    _write(_as_json(outcome, out) if as_json else _table(outcome, out, rejects))
    return outcome


def _check_folder(out: str, rejects: str) -> None:
    """Raise ConflictingFiles if no folder is named, or one that the rejects would be in."""
    if not out:
        raise ConflictingFiles("--out names no folder")
    if rejects and Path(os.path.realpath(rejects)).is_relative_to(os.path.realpath(out)):
        raise ConflictingFiles(f"--rejects {shown(rejects)} is in --out: name a file beside it")


@contextmanager
def _new_folder(out: str, outcome: Converted) -> Iterator[Path]:
    """Give a folder that becomes `out` when all is in it; what is there would be there twice."""
    folder = Path(os.path.realpath(out))
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise ConflictingFiles(
            f"--out {shown(out)} is not an empty folder: give a new one, for rows that are there "
            "already would be there twice"
        )
    unfinished = folder.with_name(f".{folder.name}.{os.getpid()}.unfinished")
    unfinished.mkdir(parents=True)
    try:
        yield unfinished
        if outcome.written or not outcome.failed:
            unfinished.rename(folder)
    finally:
        shutil.rmtree(unfinished, ignore_errors=True)


class _Progress:
    """Shows on a terminal how far it is."""

    def __init__(self, all_files: int, outcome: Converted) -> None:
        self.files = 0
        self._all_files = all_files
        self._outcome = outcome
        self._is_shown = sys.stderr.isatty()
        self._next = time.monotonic() + _SECONDS_BETWEEN

    def __enter__(self) -> "_Progress":
        return self

    def __exit__(self, *_: object) -> None:
        self._clear()

    def look(self) -> None:
        """Show it, if it is time."""
        if self._is_shown and time.monotonic() >= self._next:
            self._next = time.monotonic() + _SECONDS_BETWEEN
            rows, rejected = self._outcome.rows, self._outcome.rejected
            text = f"{self.files:,} of {self._all_files:,} files, {rows:,} rows"
            rest = f", {rejected:,} rejected" if rejected else ""
            sys.stderr.write(f"\r{text}{rest}\x1b[K")
            sys.stderr.flush()

    def say(self, text: str) -> None:
        """Write a line."""
        self._clear()
        sys.stderr.write(f"{text}\n")

    def _clear(self) -> None:
        if self._is_shown:
            sys.stderr.write("\r\x1b[K")


class _Converter:
    """Converts one file after the other."""

    def __init__(
        self,
        log_type: str,
        fields: tuple[str, ...],
        conversion: Conversion,
        rejects: BinaryIO | None,
        outcome: Converted,
    ) -> None:
        self._fields = fields
        self._types = types_of_files(log_type, fields)
        self._conversion = conversion
        self._rejects = rejects
        self._outcome = outcome
        self._notes: set[str] = set()

    def convert(self, file: LogFile) -> None:
        """Take the records of a file, and count them."""
        start, chunks, fault = begin(file, START_BYTES, rows_of_parquet)
        detected = self._types.identify(file.key, start, fault)
        if detected.skip:
            self._outcome.skipped[file.name] = detected.skip
            return
        if detected.format:
            check_fields(detected.format, self._fields)
            self._note(note_on_fields(detected.format, self._fields))
        source = file.source(start[:START_BYTES], detected)

        def keep(reject: Reject, log_type: str) -> None:
            self._outcome.rejects.add(file.name, [reject])
            if self._rejects:
                self._rejects.write(reject_line(reject, source, log_type))

        try:
            self._conversion.take(detected, chunks, source, keep, self._outcome.by_type)
        except UnreadableObject as error:
            raise UnreadableFile(str(error)) from error

    def _note(self, note: str) -> None:
        """Write a note, if there is one, to standard error, once."""
        if note and note not in self._notes:
            self._notes.add(note)
            sys.stderr.write(f"servicelogs: {note}\n")


def _write(lines: Iterator[str]) -> None:
    sys.stdout.write("".join(f"{line}\n" for line in lines))
    sys.stdout.flush()


def _as_json(outcome: Converted, out: str) -> Iterator[str]:
    files: list[dict[str, Any]] = [
        {**one.partition._asdict(), **one._asdict(), "name": str(Path(out, one.name))}
        for one in outcome.written
    ]
    for one in files:
        del one["partition"]
    content = {
        "by_type": {name: asdict(counts) for name, counts in sorted(outcome.by_type.items())},
        "misfits": {name: columns for name, columns in outcome.misfits.items() if columns},
        "files": files,
        "skipped": outcome.skipped,
        "failed": outcome.failed,
    }
    yield json.dumps(content)


def _table(outcome: Converted, out: str, rejects: str) -> Iterator[str]:
    tables: dict[str, list[WrittenFile]] = {}
    for file in outcome.written:
        tables.setdefault(file.partition.table, []).append(file)
    width = max(map(len, [*tables, *outcome.by_type, "table"]))
    headings = ("records", "rows", "rejected", "partitions", "files", "bytes")
    yield f"{'table':<{width}}" + "".join(f"{heading:>12}" for heading in headings)
    for name in sorted({*tables, *outcome.by_type}):
        files = tables.get(name, [])
        counts = outcome.by_type.get(name)
        cells = (
            counts.records if counts else "",
            sum(file.rows for file in files),
            counts.rejected if counts else "",
            len({file.partition for file in files}),
            len(files),
            sum(file.bytes for file in files),
        )
        yield f"{name:<{width}}" + "".join(f"{_cell(cell):>12}" for cell in cells)
    if outcome.written:
        yield f"in {shown(out)}, TABLE/ACCOUNT/REGION/DAY/NUMBER.parquet"
    yield from _notes(outcome)
    yield from outcome.rejects.lines(rejects)


def _cell(value: int | str) -> str:
    return f"{value:,}" if isinstance(value, int) else value


def _notes(outcome: Converted) -> Iterator[str]:
    if any(UNKNOWN_PLACE in file.partition for file in outcome.written):
        yield (
            f"{UNKNOWN_PLACE!r} stands for an account or Region that nothing names: give "
            "--account and --region, or with --source the object's key"
        )
    for name, columns in outcome.misfits.items():
        for column, count in columns.items():
            yield f"{name}: values that do not fit {column}, in extra_fields instead: {count:,}"
    for name, reason in outcome.skipped.items():
        yield f"skipped: {shown(name)}: {shown(reason)}"
