"""List the tables that have something to publish."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import boto3
from aws_lambda_powertools import Logger, Metrics
from aws_lambda_powertools.metrics import MetricUnit

from servicelogs.lake.deployment import Lake
from servicelogs.lake.publish import tables_with_work
from servicelogs.log_lines import as_line, fail_on_one_line

if TYPE_CHECKING:
    from aws_lambda_powertools.utilities.typing import LambdaContext

logger, metrics = Logger(json_serializer=as_line), Metrics()
lake = Lake.connect(boto3.Session())


@fail_on_one_line
@logger.inject_lambda_context
@metrics.log_metrics(capture_cold_start_metric=True)
def lambda_handler(event: dict[str, Any], _context: LambdaContext) -> dict[str, Any]:
    """List the tables, and say whether batches of the execution were left unconverted."""
    work = tables_with_work(lake, event["execution"])
    now = datetime.now(UTC)
    age = (now - (work.oldest or now)).total_seconds()
    metrics.add_metric("OldestPreparedBatch", MetricUnit.Seconds, age)
    logger.info("tables listed", extra={"tables": work.tables, "left": work.left})
    return {"tables": work.tables, "failed": bool(work.left)}
