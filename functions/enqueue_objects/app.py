"""Enqueue objects that are in a bucket already, a part of them at a time."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import boto3
from aws_lambda_powertools import Logger, Metrics
from aws_lambda_powertools.metrics import MetricUnit

from servicelogs.delivery.enqueue import Engine, Enqueuer, Progress
from servicelogs.log_lines import as_line, fail_on_one_line
from servicelogs.settings import AccountSettings, EnqueueSettings, read_settings
from servicelogs.sources.queue import Queue

if TYPE_CHECKING:
    from aws_lambda_powertools.utilities.typing import LambdaContext

logger, metrics = Logger(json_serializer=as_line), Metrics()
settings = read_settings(EnqueueSettings)
sqs = boto3.client("sqs")
arns: dict[Engine, str] = {
    "OpenSearch": settings.opensearch_queue_arn,
    "LightEngine": settings.light_engine_queue_arn,
}
queues = {engine: Queue.of_arn(sqs, arn) for engine, arn in arns.items() if arn}
enqueuer = Enqueuer(boto3.client("s3"), queues, settings, read_settings(AccountSettings))


@fail_on_one_line
@logger.inject_lambda_context
@metrics.log_metrics(capture_cold_start_metric=True)
def lambda_handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """Enqueue what an execution asks for, from where it has come to; say how far that is."""
    # Powertools warns, on lines of its own, of an invocation that fails without a metric.
    metrics.add_metric("Enqueued", MetricUnit.Count, 0)
    begun = Progress.read(event["progress"])
    sent = begun.sent
    progress = enqueuer.enqueue(
        event["asked"], begun, lambda: context.get_remaining_time_in_millis() / 1000
    )
    metrics.add_metric("Enqueued", MetricUnit.Count, progress.sent - sent)
    return progress.answer()
