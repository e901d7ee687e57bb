"""Merge small files of a partition into large ones, and let those count in their place.

A large file is not written again, and neither is what there is too much of for one invocation: they
are copied beside the merged ones, and the next attempt goes on.
"""

from __future__ import annotations

import shutil
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

import awswrangler
import pyarrow.parquet
from aws_lambda_powertools import Logger

from servicelogs.errors import Unaccounted
from servicelogs.lake import swap
from servicelogs.lake.deployment import Lake
from servicelogs.lake.files import at_once
from servicelogs.lake.merging import MergedFile, merge_files
from servicelogs.lake.names import Partition
from servicelogs.lake.pick import worth_merging

if TYPE_CHECKING:
    import boto3

logger = Logger(child=True)

MOST_READ = 1 << 30
"""So many bytes of files are merged at a time, which one invocation does in a third of its time."""
DISK_SHARE = 3
"""The files that are read, those between two passes and those that are written."""
FILE_BYTES = 384 << 20
"""A file is ended with the row group that brings it to so many: few have more than 512 MiB."""
# To swap takes some calls for each file that is carried over.
SECONDS_TO_SWAP = 60.0
_SECONDS_BETWEEN_TRIES = 5.0


@dataclass(frozen=True, slots=True)
class Compacted:
    """What became of a partition."""

    state: swap.Answer
    files_before: int = 0
    files_after: int = 0
    bytes_before: int = 0
    bytes_after: int = 0


class Compactor:
    """Merges files with what one invocation has: memory, a disk, and time."""

    def __init__(
        self,
        lake: Lake,
        session: boto3.Session,
        *,
        disk: Path,
        memory: int,
        seconds_left: Callable[[], float],
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        """Write through awswrangler with this session; `memory` is in bytes."""
        self._lake = lake
        self._session = session
        self._disk = disk
        self._memory = memory
        self._seconds_left = seconds_left
        self._sleep = sleep

    def compact(self, partition: Partition, attempt: str, execution: str) -> Compacted:
        """Merge small files of a partition; MORE if others are left."""
        begun = swap.begin(self._lake, partition, attempt)
        if begun is None:
            return Compacted("DONE")
        listed = self._lake.files.list(partition.folder(begun.generation))
        sizes = {file["Key"].rpartition("/")[2]: file["Size"] for file in listed}
        there = {name: sizes[name] for name in begun.files if name in sizes}
        chosen = worth_merging(
            there, min(MOST_READ, shutil.disk_usage(self._disk).free // DISK_SHARE)
        )
        if not chosen:
            return Compacted("DONE")
        before = sum(there[name] for name in chosen)
        begun = replace(begun, files=frozenset(chosen))
        with TemporaryDirectory(dir=self._disk) as folder:
            merged = self._merge(begun, chosen, Path(folder))
            after = sum(file.bytes for file in merged)
            if after > before:
                logger.info("files left as they are", extra={"partition": partition.path})
                return Compacted("DONE")
            self._upload(begun, merged, attempt)
        state = self._swap(begun, execution)
        left = worth_merging({n: s for n, s in there.items() if n not in chosen}, MOST_READ)
        return Compacted(
            "MORE" if state == "DONE" and left else state,
            len(chosen),
            len(merged),
            before,
            after,
        )

    def _merge(self, begun: swap.Compaction, chosen: list[str], folder: Path) -> list[MergedFile]:
        files, old = self._lake.files, begun.partition.folder(begun.generation)
        paths = [folder / name for name in chosen]
        at_once(
            lambda path: files.s3.download_file(files.bucket, old + path.name, str(path)), paths
        )
        merged = merge_files(paths, folder, memory=self._memory, most_bytes=FILE_BYTES)
        rows = sum(pyarrow.parquet.read_metadata(path).num_rows for path in paths)
        if (written := sum(file.rows for file in merged)) != rows:
            raise Unaccounted(
                f"{rows} rows of {begun.partition.everything} became {written}: nothing was changed"
            )
        return merged

    def _upload(self, begun: swap.Compaction, merged: list[MergedFile], attempt: str) -> None:
        for number, file in enumerate(merged):
            # No other attempt's file has the name: those that stay are copied beside it.
            key = f"{begun.folder}merged-{attempt}-{number}.parquet"
            awswrangler.s3.upload(
                local_file=str(file.path),
                path=f"s3://{self._lake.files.bucket}/{key}",
                use_threads=False,
                boto3_session=self._session,
            )

    def _swap(self, begun: swap.Compaction, execution: str) -> swap.Answer:
        """Let the files count; wait for the lease, for else all is to be done again."""
        while True:
            state = swap.swap(self._lake, begun, execution, self._seconds_left)
            if state != "BUSY" or self._seconds_left() < SECONDS_TO_SWAP:
                return state
            self._sleep(_SECONDS_BETWEEN_TRIES)
