"""The rejects of a stream's shard: in one file a minute, under their records' sequence numbers.

A batch's bounds differ from attempt to attempt, and so a log record's number in it. The minute in
which a record arrived does not, nor its sequence number and the log record's number in it.
"""

from collections.abc import Mapping
from dataclasses import replace
from functools import cached_property

from servicelogs.delivery.backup_bucket import MOST_RECORDS, Line, Settled
from servicelogs.records import Reject
from servicelogs.sources.kinesis import ShardRecords


class ShardFiles:
    """The files for the rejects of one batch of a shard's records."""

    def __init__(self, shard: ShardRecords) -> None:
        self._shard = shard

    def key(self, log_type: str, number: int) -> str:
        """Name the file for a reject with this number."""
        return self._key(log_type, self._shard.at(number))

    def settled(self, log_type: str, numbers: range) -> Mapping[str, Settled]:
        """Give the files for records with these numbers."""
        if not numbers:
            return {}
        first, last = self._shard.at(numbers.start), self._shard.at(numbers.stop - 1)
        places = range(first, last + 1)
        # Of each minute one record will do.
        minutes = {
            (self._shard.sources[at].id, self._shard.records[at].arrived.timestamp() // 60): at
            for at in places
        }
        settled = _SettledRecords(self._shard, places)
        return {self._key(log_type, at): settled for at in minutes.values()}

    def placed(self, reject: Reject) -> Reject:
        """Give a reject with its number in its record, and that record's sequence number."""
        at = self._shard.at(reject.number)
        return replace(
            reject,
            number=reject.number - self._shard.first(at) + 1,
            sequence_number=self._shard.records[at].sequence_number,
        )

    def _key(self, log_type: str, at: int) -> str:
        arrived = self._shard.records[at].arrived
        folder = f"rejected/{log_type}/{arrived:%Y/%m/%d}/{self._shard.sources[at].id}"
        return f"{folder}/{arrived:%H-%M}.ndjson.gz"


class _SettledRecords:
    """The positions of what some records of a batch hold."""

    def __init__(self, shard: ShardRecords, places: range) -> None:
        self._shard = shard
        self._places = places

    @cached_property
    def _records(self) -> set[int]:
        """The positions of the records, which are asked for only if there is a file."""
        return {Line(0, self._shard.records[at].sequence_number).position for at in self._places}

    @property
    def start(self) -> int:
        """The first of them."""
        return min(self._records)

    def __contains__(self, position: object) -> bool:
        return isinstance(position, int) and position - position % MOST_RECORDS in self._records
