"""The functions that index the objects that a queue's messages name."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

from aws_lambda_powertools.metrics import MetricUnit

from servicelogs.delivery import failed_items
from servicelogs.detection.objects import ObjectTypes
from servicelogs.opensearch.function import PATIENCE, Function, publisher
from servicelogs.opensearch.index_objects import ObjectIndexer
from servicelogs.parsing.places import Place
from servicelogs.settings import (
    AccountSettings,
    BucketSettings,
    PlaceSettings,
    QueueSettings,
    read_settings,
)
from servicelogs.sources.accounts import Accounts
from servicelogs.sources.decompression import not_read_here
from servicelogs.sources.function_events import records_of
from servicelogs.sources.queue import Message, Queue

if TYPE_CHECKING:
    from aws_lambda_powertools import Metrics
    from aws_lambda_powertools.utilities.typing import LambdaContext

    from servicelogs.delivery.attempt import Attempt
    from servicelogs.delivery.metrics import Totals


class IndexFunction(Function):
    """A function's process."""

    def __init__(
        self,
        text_of_parquet: Callable[[Iterator[bytes], int], Iterator[bytes]] = not_read_here,
    ) -> None:
        """Read the settings; Parquet files are read with `text_of_parquet`, or sent on."""
        super().__init__()
        queues = read_settings(QueueSettings)
        self._types = ObjectTypes(self.logs)
        accounts, place = read_settings(AccountSettings), read_settings(PlaceSettings)
        self._accounts = Accounts(
            own=accounts.account_id,
            members=accounts.member_account_ids,
            organization_id=accounts.organization_id,
            default=Place(place.account_id, place.region),
        )
        self._own_buckets = read_settings(BucketSettings).own
        sqs = self.session.client("sqs", config=PATIENCE)
        self._queue = Queue(sqs, queues.url)
        self._parquet_queue = Queue(sqs, queues.parquet_url) if queues.parquet_url else None
        self._text_of_parquet = text_of_parquet

    def index(
        self, event: dict[str, Any], context: LambdaContext, metrics: Metrics
    ) -> failed_items.Answer:
        """Index every object of the event's messages; report the messages that must come again."""
        messages = [Message.of(record) for record in records_of(event)]
        indexer = self._indexer(self.attempt(context), publisher(metrics))
        errors = indexer.index(messages)
        failed = sum(error is not None for error in errors)
        metrics.add_metric("FailedMessages", MetricUnit.Count, failed)
        metrics.add_metric("Routed", MetricUnit.Count, indexer.routed)
        return failed_items.report([message.id for message in messages], errors)

    def _indexer(self, attempt: Attempt, on_report: Callable[[Totals], None]) -> ObjectIndexer:
        return ObjectIndexer(
            attempt,
            types=self._types,
            accounts=self._accounts,
            s3=self.s3,
            queue=self._queue,
            indexes=self.indexes,
            parquet_queue=self._parquet_queue,
            text_of_parquet=self._text_of_parquet,
            on_report=on_report,
            keeps_extracted_fields=self.logs.extracted_fields,
            own_buckets=self._own_buckets,
        )
