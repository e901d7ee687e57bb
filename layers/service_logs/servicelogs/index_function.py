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
from servicelogs.detection.objects import ObjectTypes
from servicelogs.indexing import Batch
from servicelogs.opensearch.client import connect
from servicelogs.opensearch.setup import index_names, template_check
from servicelogs.opensearch.writer import BulkWriter
from servicelogs.reading import not_read_here
from servicelogs.settings import (
    BackupSettings,
    IndexSettings,
    LogSettings,
    QueueSettings,
    SearchSettings,
    read_settings,
)
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
        indexes, queues = read_settings(IndexSettings), read_settings(QueueSettings)
        self._types = ObjectTypes(read_settings(LogSettings))
        self._backup_bucket = read_settings(BackupSettings).bucket
        self.opensearch = connect(read_settings(SearchSettings))
        self._names = index_names(indexes)
        self._check_template = template_check(self.opensearch, indexes)
        self._s3 = boto3.client("s3", config=_PATIENCE)
        sqs = boto3.client("sqs", config=_PATIENCE)
        self._queue = Queue(sqs, queues.url)
        self._parquet_queue = Queue(sqs, queues.parquet_url) if queues.parquet_url else None
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
            types=self._types,
            backup_bucket=self._backup_bucket,
            s3=self._s3,
            queue=self._queue,
            writer=BulkWriter(
                self.opensearch,
                seconds_left=lambda: seconds_left() - SECONDS_TO_FINISH,
                ensure_template=self._check_template,
            ),
            dates=self._names.dates,
            seconds_left=seconds_left,
            parquet_queue=self._parquet_queue,
            text_of_parquet=self._text_of_parquet,
        )
