"""Converts the objects of a batch: to files of rows and rejects, and a list of what they hold."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import closing
from dataclasses import asdict, replace
from typing import TYPE_CHECKING

from aws_lambda_powertools import Logger

from servicelogs.detection import keys
from servicelogs.detection.content import START_BYTES
from servicelogs.detection.objects import Detected, ObjectTypes, reject_unknown
from servicelogs.errors import (
    ObjectNotConverted,
    OutOfTime,
    UnknownLogType,
    UnreadableObject,
)
from servicelogs.lake import names
from servicelogs.lake.conversion import Conversion, Counts, WrittenFile
from servicelogs.lake.files import Files, at_once
from servicelogs.lake.manifests import Manifest, OutputFile, OutputObject, OutputReject, Outputs
from servicelogs.lake.rejects import ObjectRejects
from servicelogs.lake.staged import Staging
from servicelogs.parsing.places import Place
from servicelogs.parsing.reader import alone
from servicelogs.records import UNKNOWN, Reject
from servicelogs.sources.decompression import Begun, begin
from servicelogs.sources.parquet import rows_as_json

if TYPE_CHECKING:
    from servicelogs.lake.manifests import StagedObject
    from servicelogs.lake.staged import StagedLog

logger = Logger(child=True)

# To write the last buffers, of an eighth of the memory, takes some seconds; as many files as
# accounts, up to a minute.
LONGEST_RESERVE_SECONDS = 60.0
RESERVE_SHARE = 0.25
# What is less fits into the buffers at once, in any order.
ORDERED_BYTES = 64 * 1024 * 1024


class Time:
    """The time of one invocation."""

    def __init__(self, seconds_left: Callable[[], float]) -> None:
        """Begin; the time that is left now decides how much of it is kept for the end."""
        self._seconds_left = seconds_left
        self._reserve = min(LONGEST_RESERVE_SECONDS, seconds_left() * RESERVE_SHARE)

    def look(self) -> None:
        """Raise OutOfTime when only the time for the end is left."""
        if self._seconds_left() < self._reserve:
            raise OutOfTime


class BatchConverter:
    """One attempt to convert a batch."""

    def __init__(
        self,
        manifest: Manifest,
        attempt: str,
        *,
        conversion: Conversion,
        types: ObjectTypes,
        files: Files,
        time: Time,
    ) -> None:
        """Write with a conversion whose files lie in the attempt's folder of the same bucket."""
        self._manifest = manifest
        self._attempt = attempt
        self._folder = names.attempt_folder(manifest.batch, attempt)
        self._conversion = conversion
        self._types = types
        self._staging = Staging(files)
        self._files = files
        self._time = time
        self._rejects: list[OutputReject] = []
        self._objects: list[OutputObject] = []

    def convert(self) -> Outputs:
        """Convert all objects, and say what became of them; or raise."""
        placed = self._in_order()
        following = [*(place for place, _ in placed[1:]), None]
        with closing(self._staging.opened(staged for _, staged in placed)) as logs:
            for (place, staged), log, next_place in zip(placed, logs, following, strict=True):
                with closing(log.stream):
                    self._convert(staged, log)
                if all(place) and next_place not in {place, None}:
                    self._conversion.end_place(place)
        self._conversion.finish()
        written = [_output(self._folder, one) for one in self._conversion.written]
        return Outputs(self._manifest.batch, self._attempt, written, self._rejects, self._objects)

    def _in_order(self) -> list[tuple[Place, StagedObject]]:
        """Give the objects; if they are much, those of each account and Region together."""
        objects = self._manifest.objects
        if sum(one.size for one in objects) < ORDERED_BYTES:
            return [(Place(), one) for one in objects]
        placed = zip(at_once(self._place, objects), objects, strict=True)
        return sorted(placed, key=lambda one: one[0])

    def _place(self, staged: StagedObject) -> Place:
        # A key may be that of several types, but names one place.
        return next(iter(keys.places(self._staging.key_of(staged)).values()), Place())

    def _convert(self, staged: StagedObject, log: StagedLog) -> None:
        rejects = ObjectRejects(log.source, f"{self._folder}rejects/")
        try:
            with closing(rejects):
                by_type = self._take(log, rejects)
                self._rejects += rejects.save(self._files)
        except OutOfTime as error:
            raise ObjectNotConverted(
                f"the invocation's time is over in {log.source.uri} ({staged.key}), the object "
                f"{len({one.id for one in self._objects}) + 1} of {len(self._manifest.objects)} "
                f"of the batch {self._manifest.batch}: if it is the only one, one invocation is "
                "too short for it, so deliver it in parts; else the batch is split"
            ) from error
        for log_type, counts in by_type.items():
            self._objects.append(
                OutputObject(id=staged.id, source=log.source.uri, type=log_type, **asdict(counts))
            )

    def _take(self, log: StagedLog, rejects: ObjectRejects) -> dict[str, Counts]:
        """Convert an object, and give what became of its records by log type."""
        if not log.size:
            return _skipped(log, "an empty object")
        begun = begin(log.stream, START_BYTES, rows_as_json, self._time.look)
        with closing(begun.chunks):
            try:
                detected = self._types.identify(log.key, begun.start, begun.fault)
            except UnknownLogType as error:
                return _rejected(reject_unknown(error, begun.start), rejects)
            if detected.skip:
                return _skipped(log, detected.skip)
            return self._take_records(detected, begun, log, rejects)

    def _take_records(
        self, detected: Detected, begun: Begun, log: StagedLog, rejects: ObjectRejects
    ) -> dict[str, Counts]:
        source = replace(log.source, account_id=detected.account_id, region=detected.region)
        # An object without any record is counted too, as unknown if it would hold log events.
        by_type = {detected.format.name: Counts()} if detected.format else {}
        rejects.source = source
        try:
            self._conversion.take(detected, begun.chunks, source, rejects.add, by_type)
        except UnreadableObject as error:  # all of a batch of a stream's records
            return _rejected(Reject(1, "unreadable", str(error), error.tail), rejects)
        return by_type or {UNKNOWN: Counts()}


def _rejected(reject: Reject, rejects: ObjectRejects) -> dict[str, Counts]:
    """Count an object none of which can be read as one rejected record."""
    rejects.add(reject, UNKNOWN)
    counts = Counts()
    counts.add(alone(reject))
    return {UNKNOWN: counts}


def _skipped(log: StagedLog, reason: str) -> dict[str, Counts]:
    """Count an object that is not a log to convert."""
    logger.info("object skipped", extra={"source": log.source.uri, "reason": reason})
    return {UNKNOWN: Counts(skipped=1)}


def _output(folder: str, file: WrittenFile) -> OutputFile:
    return OutputFile(
        key=f"{folder}{file.name}",
        rows=file.rows,
        bytes=file.bytes,
        first=file.first,
        last=file.last,
        **file.partition._asdict(),
    )
