"""Plan a run: make batches of staged objects, and list those that are to be converted."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import boto3
from aws_lambda_powertools import Logger, Metrics
from aws_lambda_powertools.metrics import MetricUnit

from servicelogs.lake.deployment import Lake, seconds_left
from servicelogs.lake.plan import plan
from servicelogs.log_lines import as_line, fail_on_one_line

if TYPE_CHECKING:
    from aws_lambda_powertools.utilities.typing import LambdaContext

logger, metrics = Logger(json_serializer=as_line), Metrics()
lake = Lake.connect(boto3.Session())


@fail_on_one_line
@logger.inject_lambda_context
@metrics.log_metrics(capture_cold_start_metric=True)
def lambda_handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """Plan what an execution is to convert; say where its list of batches is."""
    planned = plan(
        lake, event["execution"], event["entered"], context.aws_request_id, seconds_left(context)
    )
    now = datetime.now(UTC)
    age = (now - (planned.oldest or now)).total_seconds()
    metrics.add_metric("OldestStagedObject", MetricUnit.Seconds, age)
    metrics.add_metric("Batches", MetricUnit.Count, planned.batches)
    logger.info("batches planned", extra={"batches": planned.batches, "more": planned.more})
    return {
        "manifest": {"bucket": planned.bucket, "key": planned.key},
        "batches": planned.batches,
        "more": planned.more,
    }
