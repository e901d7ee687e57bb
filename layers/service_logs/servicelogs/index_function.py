"""What the functions that index have in common: clients made once, and a batch an invocation."""

from collections.abc import Callable, Iterator
from typing import Any

import boto3
from aws_lambda_powertools import Metrics
from aws_lambda_powertools.metrics import MetricUnit
from aws_lambda_powertools.utilities.batch import process_partial_response
from aws_lambda_powertools.utilities.batch.types import PartialItemFailureResponse
from aws_lambda_powertools.utilities.data_classes.sqs_event import SQSRecord
from aws_lambda_powertools.utilities.typing import LambdaContext
from botocore.config import Config

from servicelogs.batch_processor import SharedDeliveryProcessor
from servicelogs.dates import DatePolicy
from servicelogs.indexing import Batch
from servicelogs.opensearch.client import connect
from servicelogs.opensearch.dated_indexes import DatedIndexes
from servicelogs.opensearch.setup import index_names, template_check
from servicelogs.opensearch.writer import BulkWriter
from servicelogs.reading import not_read_here
from servicelogs.settings import read_settings
from servicelogs.sources.queue import Message, Queue

# Kept after the last bulk request for the rejects and the messages about what is left.
SECONDS_TO_FINISH = 5.0

_PATIENCE = Config(
    connect_timeout=5, read_timeout=30, retries={"mode": "standard", "total_max_attempts": 5}
)


class IndexFunction:
    """A function's process: its settings and clients."""

    def __init__(
        self,
        text_of_parquet: Callable[[Iterator[bytes], int], Iterator[bytes]] = not_read_here,
    ) -> None:
        """Read the settings; Parquet files are read with `text_of_parquet`, or sent on."""
        self.settings = read_settings(needed=("BACKUP_BUCKET", "QUEUE_URL"))
        self.opensearch = connect(self.settings)
        policy = DatePolicy(self.settings.delete_after_days)
        self._indexes = DatedIndexes(index_names(self.settings), policy)
        self._check_template = template_check(self.opensearch, self.settings)
        self._s3 = boto3.client("s3", config=_PATIENCE)
        sqs = boto3.client("sqs", config=_PATIENCE)
        self._queue = Queue(sqs, self.settings.queue_url)
        parquet_url = self.settings.parquet_queue_url
        self._parquet_queue = Queue(sqs, parquet_url) if parquet_url else None
        self._text_of_parquet = text_of_parquet

    def index(
        self, event: dict[str, Any], context: LambdaContext, metrics: Metrics
    ) -> PartialItemFailureResponse:
        """Index every object of the event's messages; report the messages that must come again."""
        batch = self._batch(lambda: context.get_remaining_time_in_millis() / 1000)

        def take(record: SQSRecord) -> None:
            batch.take(Message.of(record.raw_event))

        def finish() -> dict[str, Exception]:
            failed = batch.finish()
            batch.totals.publish()
            # Of all types together, which alarms can watch.
            metrics.add_metric("FailedMessages", MetricUnit.Count, len(failed))
            metrics.add_metric("Rejected", MetricUnit.Count, batch.totals.rejected())
            metrics.add_metric("PassedOver", MetricUnit.Count, batch.totals.passed_over.total())
            metrics.add_metric("Routed", MetricUnit.Count, batch.totals.routed)
            return failed

        return process_partial_response(event, take, SharedDeliveryProcessor(finish), context)

    def _batch(self, seconds_left: Callable[[], float]) -> Batch:
        return Batch(
            settings=self.settings,
            s3=self._s3,
            queue=self._queue,
            writer=BulkWriter(
                self.opensearch,
                seconds_left=lambda: seconds_left() - SECONDS_TO_FINISH,
                ensure_template=self._check_template,
            ),
            indexes=self._indexes,
            seconds_left=seconds_left,
            parquet_queue=self._parquet_queue,
            text_of_parquet=self._text_of_parquet,
        )
