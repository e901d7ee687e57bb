"""Index the records of a stream's shard, and say from which on they must come again."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from servicelogs.delivery.attempt import Attempt, Item
from servicelogs.delivery.metrics import Totals
from servicelogs.delivery.shard_rejects import ShardFiles
from servicelogs.detection.event_blocks import EventBlocks
from servicelogs.detection.log_events import EventTypes
from servicelogs.errors import NotReached
from servicelogs.opensearch.dated_indexes import DatedIndexes
from servicelogs.opensearch.documents import parsers_of
from servicelogs.sources.kinesis import ShardRecords, StreamRecord


class RecordIndexer:
    """Index the records of one invocation."""

    def __init__(
        self,
        attempt: Attempt,
        *,
        types: EventTypes,
        indexes: DatedIndexes,
        on_report: Callable[[Totals], None] = lambda _totals: None,
        keeps_extracted_fields: bool = False,
    ) -> None:
        """Say what was counted when it is settled."""
        self._attempt = attempt
        self._types = types
        self._indexes = indexes
        self._on_report = on_report
        self._keeps_extracted_fields = keeps_extracted_fields

    def index(self, records: Iterable[StreamRecord]) -> list[Exception | None]:
        """Index records of one batch; return for each why it must come again, or None.

        Lambda goes on with the first that must: what follows it comes again too, and is there
        already.
        """
        given = list(records)
        if not given:
            return []
        shard = ShardRecords(given, keeps_extracted_fields=self._keeps_extracted_fields)
        item = self._attempt.item(
            shard=shard.sources[0].uri,
            first_sequence_number=given[0].sequence_number,
            last_sequence_number=given[-1].sequence_number,
        )
        with self._attempt.failing(item):
            self._deliver(shard, item)
        self._attempt.settle()
        (error,) = self._attempt.report()
        self._on_report(self._attempt.totals)
        if error is not None:
            return [error] * len(given)
        return _from_the_first_that_is_left(shard, item)

    def _deliver(self, shard: ShardRecords, item: Item) -> None:
        documents = EventBlocks(self._types.identify, parsers_of(self._indexes))
        self._attempt.deliver_types(
            shard.sources[0],
            1,
            item,
            documents.blocks(shard.runs()),
            files=ShardFiles(shard),
            stops=True,
        )


def _from_the_first_that_is_left(shard: ShardRecords, item: Item) -> list[Exception | None]:
    left = [delivery for delivery in item.deliveries if delivery.resume_at]
    if not left:
        return [None] * len(shard.records)
    first = min(left, key=lambda delivery: delivery.resume_at)
    at = shard.at(first.resume_at)
    error = first.counts.error or NotReached("there was no time for it: it comes again")
    return [*[None] * at, *[error] * (len(shard.records) - at)]
