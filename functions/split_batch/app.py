"""Split a batch whose conversion failed, or set its only object aside."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import boto3
from aws_lambda_powertools import Logger, Metrics
from aws_lambda_powertools.metrics import MetricUnit

from servicelogs.lake.deployment import Lake
from servicelogs.lake.ledger import State
from servicelogs.lake.split import LEFT, split_batch
from servicelogs.log_lines import as_line, fail_on_one_line

if TYPE_CHECKING:
    from aws_lambda_powertools.utilities.typing import LambdaContext

logger, metrics = Logger(json_serializer=as_line), Metrics()
lake = Lake.connect(boto3.Session())


@fail_on_one_line
@logger.inject_lambda_context
@metrics.log_metrics(capture_cold_start_metric=True)
def lambda_handler(event: dict[str, Any], _context: LambdaContext) -> dict[str, str]:
    """Say what the batch is now."""
    state = split_batch(lake, event["batch"], event["error"])
    metrics.add_metric("QuarantinedObjects", MetricUnit.Count, state == State.QUARANTINED)
    metrics.add_metric("LeftBatches", MetricUnit.Count, state == LEFT)
    logger.info("batch looked at", extra={"batch": event["batch"], "state": state})
    return {"state": state}
