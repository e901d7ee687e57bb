"""Index the log objects that S3 notifications name."""

from typing import Any

import boto3
from aws_lambda_powertools import Logger, Metrics, Tracer
from aws_lambda_powertools.metrics import MetricUnit
from aws_lambda_powertools.utilities.batch import process_partial_response
from aws_lambda_powertools.utilities.batch.types import PartialItemFailureResponse
from aws_lambda_powertools.utilities.data_classes.sqs_event import SQSRecord
from aws_lambda_powertools.utilities.typing import LambdaContext
from botocore.config import Config

from servicelogs.batch_processor import SharedDeliveryProcessor
from servicelogs.indexing import Batch
from servicelogs.opensearch.client import connect
from servicelogs.opensearch.setup import index_names, template_check
from servicelogs.opensearch.writer import BulkWriter
from servicelogs.settings import read_settings
from servicelogs.sources.queue import Message, Queue

# Kept after the last bulk request for the rejects and the messages about what is left.
SECONDS_TO_FINISH = 5.0

logger, tracer, metrics = Logger(), Tracer(), Metrics()

settings = read_settings(needed=("BACKUP_BUCKET", "QUEUE_URL"))
names = index_names(settings)
opensearch = connect(settings)
check_template = template_check(opensearch, settings)
patience = Config(
    connect_timeout=5, read_timeout=30, retries={"mode": "standard", "total_max_attempts": 5}
)
s3 = boto3.client("s3", config=patience)
queue = Queue(boto3.client("sqs", config=patience), settings.queue_url)


@logger.inject_lambda_context
@tracer.capture_lambda_handler(capture_response=False)
@metrics.log_metrics(capture_cold_start_metric=True)
def lambda_handler(event: dict[str, Any], context: LambdaContext) -> PartialItemFailureResponse:
    """Index every object of the batch; report the messages that must come again."""

    def seconds_left() -> float:
        return context.get_remaining_time_in_millis() / 1000

    def seconds_left_to_send() -> float:
        return seconds_left() - SECONDS_TO_FINISH

    batch = Batch(
        settings=settings,
        s3=s3,
        queue=queue,
        writer=BulkWriter(
            opensearch, seconds_left=seconds_left_to_send, ensure_template=check_template
        ),
        dates=names.dates,
        seconds_left=seconds_left,
    )

    def take(record: SQSRecord) -> None:
        batch.take(Message.of(record.raw_event))

    def finish() -> dict[str, Exception]:
        failed = batch.finish()
        batch.totals.publish()
        # Of all types together, which alarms can watch.
        metrics.add_metric("FailedMessages", MetricUnit.Count, len(failed))
        metrics.add_metric("Rejected", MetricUnit.Count, batch.totals.rejected())
        metrics.add_metric("PassedOver", MetricUnit.Count, batch.totals.passed_over.total())
        return failed

    processor = SharedDeliveryProcessor(finish)
    return process_partial_response(event, take, processor, context)
