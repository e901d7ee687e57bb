"""What could not be delivered, with the reason and the record as it came.

A source's rejects lie in files of a fixed grid: each holds those of so many record numbers of an
object, or those of a shard's records that arrived within a minute. So a file's key follows from the
record, not from where an attempt began; an attempt replaces in it what is said of the records that
it settled, and leaves the others' lines as they are.
"""

from __future__ import annotations

import base64
from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import batched
from typing import Any, Protocol

import msgspec

from servicelogs.delivery.backup_bucket import BackupBucket, Line, Settled
from servicelogs.delivery.lines_file import LinesFile
from servicelogs.errors import Unaccounted
from servicelogs.records import Reject, Source

# So many record numbers share a file. Nearly all objects have fewer records, and so one file at
# most: each attempt has to ask for every file of the records that it settled. If all of them are
# rejected, the file is merged in seconds.
FILE_RECORDS = 100_000
# So many files of a source are kept at a time: each takes a fifth of a megabyte and an open file,
# and to save all of them takes a part of a minute.
MOST_FILES = 50
# Of so many records at a time the engine is asked whether it has them.
ASKED_RECORDS = 1000

type Place = tuple[str, str]
"""The index and the `_id` of a document."""
type Find = Callable[[Sequence[Place]], list[bool]]
"""Says of each document whether the engine has it."""


class _Refusal(Line, kw_only=True):
    """What of a line says where the engine would have the record."""

    index: str = msgspec.field(name="_index")
    id: str = msgspec.field(name="_id")


_decode_refusal = msgspec.json.Decoder(_Refusal).decode


def line(reject: Reject, source: Source, log_type: str) -> bytes:
    """Write a reject as one line of JSON; replay needs nothing else to index the record."""
    source = reject.source or source
    content: dict[str, Any] = {
        "log_type": log_type,
        "error_type": reject.error_type,
        "reason": reject.reason,
        "_index": reject.index,
        "_id": reject.id,
        "source": source.uri,
        "source_id": source.id,
        "delivered": source.delivered,
        "account_id": source.account_id,
        "region": source.region,
        "record_number": reject.number,
    }
    if reject.sequence_number:
        content["sequence_number"] = reject.sequence_number
    if source.log_group:
        content |= {"log_group": source.log_group, "log_stream": source.log_stream}
    if source.extracted_fields:
        content["extracted_fields"] = msgspec.Raw(source.extracted_fields.encode())
    if reject.time:
        content["time"] = f"{reject.time.decode()}Z"
    try:
        content["raw"] = reject.raw.decode()
    except UnicodeDecodeError:
        content["raw_base64"] = base64.b64encode(reject.raw).decode()
    return msgspec.json.encode(content) + b"\n"


def file_start(number: int) -> int:
    """Give the first of the record numbers that share a file with this one."""
    return number - (number - 1) % FILE_RECORDS


def file_key(source: Source, log_type: str, number: int, folder: str = "rejected/") -> str:
    """Name the file for the reject with this number: the same whatever an attempt covers."""
    day = f"{source.delivered:%Y/%m/%d}"
    return f"{folder}{log_type}/{day}/{source.id}/{file_start(number)}.ndjson.gz"


class RejectFiles(Protocol):
    """Which files the rejects of a source lie in, whatever an attempt covers."""

    def key(self, log_type: str, number: int) -> str:
        """Name the file for a reject with this number."""
        ...

    def settled(self, log_type: str, numbers: range) -> Mapping[str, Settled]:
        """Give the files for records with these numbers, and what each says of them."""
        ...

    def placed(self, reject: Reject) -> Reject:
        """Give a reject as its line says where the record is."""
        ...


class ObjectFiles:
    """The files of an object, in a grid of record numbers."""

    def __init__(self, source: Source) -> None:
        self._source = source

    def key(self, log_type: str, number: int) -> str:
        """Name the file for a reject with this number."""
        return file_key(self._source, log_type, number)

    def settled(self, log_type: str, numbers: range) -> Mapping[str, Settled]:
        """Give the files for records with these numbers."""
        starts = range(file_start(numbers.start), numbers.stop, FILE_RECORDS)
        return {self.key(log_type, start): numbers for start in starts}

    def placed(self, reject: Reject) -> Reject:
        """Give a reject as it is."""
        return reject


class SourceRejects:
    """The rejects of one source in one attempt, gathered until the attempt ends well.

    Most sources have none, so that a file is opened by the first.
    """

    def __init__(self, source: Source, log_type: str, files: RejectFiles | None = None) -> None:
        self._source = source
        self._log_type = log_type
        self._where = files or ObjectFiles(source)
        self._files: dict[str, LinesFile] = {}

    def add(self, reject: Reject) -> None:
        """Append a reject."""
        key = self._where.key(self._log_type, reject.number)
        if key not in self._files:
            self._files[key] = LinesFile()
        placed = self._where.placed(reject)
        self._files[key].append(line(placed, self._source, self._log_type))

    @property
    def full(self) -> bool:
        """Whether there are as many files as an attempt can keep and save."""
        return len(self._files) >= MOST_FILES

    def save(self, bucket: BackupBucket, numbers: range) -> None:
        """Let the files say of the settled records what this attempt found, and nothing else."""
        settled = self._where.settled(self._log_type, numbers)
        if any(key not in settled for key in self._files):
            raise Unaccounted(f"{self._source.uri}: a reject is none of the records {numbers}")
        for key, of_file in settled.items():
            bucket.replace_lines(key, of_file, self._files.get(key))

    def take_back(self, find: Find) -> int:
        """Take away the records that the engine has after all, and say how many they were."""
        taken = 0
        for key, lines in list(self._files.items()):
            there = _positions_there(lines, find)
            if there:
                self._files[key] = _without(lines, there)
                lines.close()
            taken += len(there)
        return taken

    def close(self) -> None:
        """Give up the memory or temporary files that the rejects take."""
        for lines in self._files.values():
            lines.close()


def _positions_there(lines: LinesFile, find: Find) -> set[int]:
    there: set[int] = set()
    for asked in batched(_refused(lines), ASKED_RECORDS, strict=False):
        found = find([(refusal.index, refusal.id) for refusal in asked])
        there |= {
            refusal.position for refusal, is_there in zip(asked, found, strict=True) if is_there
        }
    return there


def _refused(lines: LinesFile) -> Iterator[_Refusal]:
    """List what the engine refused; what never came to it names no index."""
    return (refusal for refusal in map(_decode_refusal, lines) if refusal.index)


def _without(lines: LinesFile, positions: set[int]) -> LinesFile:
    kept = LinesFile()
    for text in lines:
        if _decode_refusal(text).position not in positions:
            kept.append(text)
    return kept
