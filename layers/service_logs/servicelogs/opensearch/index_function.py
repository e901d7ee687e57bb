"""What the functions that index have in common: clients made once, an attempt an invocation."""

from collections.abc import Callable, Iterator, Sequence
from typing import Any

import boto3
from aws_lambda_powertools import Metrics
from aws_lambda_powertools.metrics import MetricUnit
from aws_lambda_powertools.utilities.batch import EventType, process_partial_response
from aws_lambda_powertools.utilities.batch.types import PartialItemFailureResponse
from aws_lambda_powertools.utilities.data_classes.kinesis_stream_event import KinesisStreamRecord
from aws_lambda_powertools.utilities.data_classes.sqs_event import SQSRecord
from aws_lambda_powertools.utilities.typing import LambdaContext
from botocore.config import Config

from servicelogs.dates import DatePolicy
from servicelogs.delivery.attempt import Attempt
from servicelogs.delivery.batch_processor import SharedDeliveryProcessor
from servicelogs.delivery.metrics import Totals
from servicelogs.detection.log_events import EventTypes
from servicelogs.detection.objects import ObjectTypes
from servicelogs.errors import NotReached
from servicelogs.opensearch.client import connect
from servicelogs.opensearch.dated_indexes import DatedIndexes
from servicelogs.opensearch.index_objects import ObjectIndexer
from servicelogs.opensearch.index_records import RecordIndexer
from servicelogs.opensearch.setup import index_names, template_check
from servicelogs.opensearch.writer import BulkWriter
from servicelogs.settings import (
    BackupSettings,
    IndexSettings,
    LogSettings,
    QueueSettings,
    SearchSettings,
    read_settings,
)
from servicelogs.sources.decompression import not_read_here
from servicelogs.sources.kinesis import StreamRecord
from servicelogs.sources.queue import Message, Queue

# Kept after the last bulk request for the rejects and the messages about what is left.
SECONDS_TO_FINISH = 5.0

_PATIENCE = Config(
    connect_timeout=5, read_timeout=30, retries={"mode": "standard", "total_max_attempts": 5}
)


class _Function:
    """What a function's process has, whatever its records come from: settings and clients."""

    def __init__(self) -> None:
        """Read the settings."""
        indexes = read_settings(IndexSettings)
        self._logs = read_settings(LogSettings)
        self._backup_bucket = read_settings(BackupSettings).bucket
        self.opensearch = connect(read_settings(SearchSettings))
        policy = DatePolicy(indexes.delete_after_days)
        self._indexes = DatedIndexes(index_names(indexes), policy)
        self._check_template = template_check(self.opensearch, indexes)
        self._s3 = boto3.client("s3", config=_PATIENCE)

    def _attempt(self, context: LambdaContext) -> Attempt:
        def seconds_left() -> float:
            return context.get_remaining_time_in_millis() / 1000

        writer = BulkWriter(
            self.opensearch,
            seconds_left=lambda: seconds_left() - SECONDS_TO_FINISH,
            ensure_template=self._check_template,
        )
        return Attempt(
            writer=writer,
            s3=self._s3,
            backup_bucket=self._backup_bucket,
            seconds_left=seconds_left,
        )


def _publisher(metrics: Metrics) -> Callable[[Totals], None]:
    """Give what publishes the counts, also those of all types together, which alarms can watch."""

    def publish(totals: Totals) -> None:
        totals.publish()
        metrics.add_metric("Rejected", MetricUnit.Count, totals.rejected())
        metrics.add_metric("Skipped", MetricUnit.Count, totals.skipped.total())

    return publish


class IndexFunction(_Function):
    """Indexes the objects that a queue's messages name."""

    def __init__(
        self,
        text_of_parquet: Callable[[Iterator[bytes], int], Iterator[bytes]] = not_read_here,
    ) -> None:
        """Read the settings; Parquet files are read with `text_of_parquet`, or sent on."""
        super().__init__()
        queues = read_settings(QueueSettings)
        self._types = ObjectTypes(self._logs)
        sqs = boto3.client("sqs", config=_PATIENCE)
        self._queue = Queue(sqs, queues.url)
        self._parquet_queue = Queue(sqs, queues.parquet_url) if queues.parquet_url else None
        self._text_of_parquet = text_of_parquet

    def index(
        self, event: dict[str, Any], context: LambdaContext, metrics: Metrics
    ) -> PartialItemFailureResponse:
        """Index every object of the event's messages; report the messages that must come again."""

        def deliver(records: Sequence[SQSRecord]) -> list[Exception | None]:
            indexer = self._indexer(self._attempt(context), _publisher(metrics))
            errors = indexer.index(Message.of(record.raw_event) for record in records)
            failed = sum(error is not None for error in errors)
            metrics.add_metric("FailedMessages", MetricUnit.Count, failed)
            metrics.add_metric("Routed", MetricUnit.Count, indexer.routed)
            return errors

        processor = SharedDeliveryProcessor(EventType.SQS)
        return process_partial_response(event, deliver, processor, context)

    def _indexer(self, attempt: Attempt, on_report: Callable[[Totals], None]) -> ObjectIndexer:
        return ObjectIndexer(
            attempt,
            types=self._types,
            s3=self._s3,
            queue=self._queue,
            indexes=self._indexes,
            parquet_queue=self._parquet_queue,
            text_of_parquet=self._text_of_parquet,
            on_report=on_report,
            keeps_extracted_fields=self._logs.extracted_fields,
        )


class IndexStreamFunction(_Function):
    """Indexes the records of a stream."""

    def __init__(self) -> None:
        """Read the settings."""
        super().__init__()
        self._types = EventTypes(self._logs)

    def index(
        self, event: dict[str, Any], context: LambdaContext, metrics: Metrics
    ) -> PartialItemFailureResponse:
        """Index the event's records; report those that must come again, from the first on."""
        if not event["Records"]:
            return {"batchItemFailures": []}

        def deliver(records: Sequence[KinesisStreamRecord]) -> list[Exception | None]:
            indexer = RecordIndexer(
                self._attempt(context),
                types=self._types,
                indexes=self._indexes,
                on_report=_publisher(metrics),
                keeps_extracted_fields=self._logs.extracted_fields,
            )
            errors = indexer.index(StreamRecord.of(record.raw_event) for record in records)
            late = sum(isinstance(error, NotReached) for error in errors)
            failed = sum(error is not None for error in errors) - late
            metrics.add_metric("FailedRecords", MetricUnit.Count, failed)
            metrics.add_metric("LateRecords", MetricUnit.Count, late)
            return errors

        processor = SharedDeliveryProcessor(EventType.KinesisDataStreams)
        return process_partial_response(event, deliver, processor, context)
