"""The files that two checkouts are compared by: what AWS delivers, in the ways it delivers it."""

import gzip
import json
import os
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import islice
from pathlib import Path

from local.sample_logs import generate, objects

START_UP = "start-up"
LARGE = "large"

START_UP_RECORDS = 50
# A record a second, and all of them within the hour that the samples begin in.
SPARSE_RECORDS = 2_900
SMALL_RECORDS = 100
TINY_RECORDS = 5
# So many names, each several times, fit into the arguments of one command.
MOST_OBJECTS = 1_000
# JSON in other shapes takes the slow way: with fewer records a run is as long as the others.
OF_REWRITTEN = 10

_DELIVERED = datetime(2026, 11, 20, 9, tzinfo=UTC).timestamp()
_LISTS = {"cloudtrail": "Records", "config": "configurationItems"}
"""JSON types whose objects are one document, and the list in it that holds the records."""
_JSON_LINES = ("waf",)


@dataclass(frozen=True, slots=True)
class Case:
    """Files in a folder of their own, and how many records they hold together."""

    folder: Path
    files: tuple[Path, ...]
    records: int

    def several_times(self, times: int) -> tuple[Path, ...]:
        """Give its files so many times, under other names: a file is read once."""
        files = [*self.files]
        for number in range(1, times):
            again = self.folder.with_name(f"{self.folder.name}-{number}")
            shutil.copytree(self.folder, again, copy_function=os.link)
            files += [again / file.relative_to(self.folder) for file in self.files]
        return tuple(files)


def write_cases(name: str, records: int, folder: Path) -> dict[str, Case]:
    """Write a format's files into a folder, each case with at most so many records.

    A file's path ends in an object key as AWS lays it out, so that its type, account and Region
    are known by it. Its time is the same each time, for it decides how a record is dated.
    """
    key = next(sample.key for sample in objects() if sample.format == name)
    return {
        case: _write(folder / case.replace(" ", "-"), key, texts)
        for case, texts in texts_of_cases(name, records).items()
    }


def texts_of_cases(name: str, records: int) -> dict[str, Iterator[tuple[bytes, int]]]:
    """Give the texts of each case's objects, and the records of each text."""
    cases = {
        START_UP: _objects(name, START_UP_RECORDS, START_UP_RECORDS),
        LARGE: _objects(name, records, records),
        "sparse": _objects(name, records, SPARSE_RECORDS, sparse=True),
        "small": _objects(name, records, SMALL_RECORDS),
        "tiny": _objects(name, records, TINY_RECORDS),
    }
    if name in _LISTS or name in _JSON_LINES:
        few = max(START_UP_RECORDS, records // OF_REWRITTEN)
        cases["several lines"] = _rewritten(name, few, _several_lines)
        cases["concatenated"] = _rewritten(name, few, _concatenated)
    if name in _LISTS:
        cases["differing"] = _rewritten(name, few, _differing)
    return cases


def _objects(
    name: str, records: int, each: int, *, sparse: bool = False
) -> Iterator[tuple[bytes, int]]:
    """Give objects of so many records each, at least one; if sparse, a record a second."""
    each = min(each, records)
    for seed in range(1, 1 + min(records // each, MOST_OBJECTS)):
        yield generate(name, each, seed, seconds=each if sparse else None), each


def _rewritten(
    name: str, records: int, rewrite: Callable[[str, int], bytes]
) -> Iterator[tuple[bytes, int]]:
    yield rewrite(name, records), records


def _several_lines(name: str, records: int) -> bytes:
    """Write JSON as people read it: each name on a line of its own."""
    text = generate(name, records)
    documents = text.splitlines() if name in _JSON_LINES else [text]
    pretty = (json.dumps(json.loads(document), indent=2) for document in documents)
    return "\n".join(pretty).encode()


def _differing(name: str, records: int) -> bytes:
    """Write a list whose records begin with one or the other member."""
    text: dict[str, list[dict[str, object]]] = json.loads(generate(name, records))
    items = [
        dict(reversed(item.items())) if number % 3 == 0 else item
        for number, item in enumerate(text[_LISTS[name]])
    ]
    return json.dumps(text | {_LISTS[name]: items}, separators=(",", ":")).encode()


def _concatenated(name: str, records: int) -> bytes:
    """Write JSON documents one after the other, with nothing between them."""
    if name in _JSON_LINES:
        return generate(name, records).replace(b"\n", b"")
    text: dict[str, list[object]] = json.loads(generate(name, records))
    items = iter(text[_LISTS[name]])
    documents = iter(lambda: [*islice(items, SMALL_RECORDS)], [])
    return b"".join(
        json.dumps(text | {_LISTS[name]: part}, separators=(",", ":")).encode()
        for part in documents
    )


def _write(folder: Path, key: str, texts: Iterator[tuple[bytes, int]]) -> Case:
    files: list[Path] = []
    total = 0
    for number, (text, records) in enumerate(texts):
        file = folder / str(number) / key
        file.parent.mkdir(parents=True)
        file.write_bytes(gzip.compress(text, 6))
        os.utime(file, (_DELIVERED, _DELIVERED))
        files.append(file)
        total += records
    return Case(folder, tuple(files), total)
