"""Delete the days that are past their retention, and files that nothing reads any more."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import boto3
from aws_lambda_powertools import Logger, Metrics
from aws_lambda_powertools.metrics import MetricUnit

from servicelogs.lake.deployment import Lake, seconds_left
from servicelogs.lake.expire import expire_partitions
from servicelogs.log_lines import as_line, fail_on_one_line

if TYPE_CHECKING:
    from aws_lambda_powertools.utilities.typing import LambdaContext

logger, metrics = Logger(json_serializer=as_line), Metrics()
lake = Lake.connect(boto3.Session())


@fail_on_one_line
@logger.inject_lambda_context
@metrics.log_metrics(capture_cold_start_metric=True)
def lambda_handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """Say how far it came: DONE, MORE if the time was over, BUSY if another has a table."""
    expired = expire_partitions(lake, event["execution"], seconds_left(context))
    metrics.add_metric("ExpiredPartitions", MetricUnit.Count, expired.partitions)
    metrics.add_metric("DeletedFolders", MetricUnit.Count, expired.folders)
    logger.info("days expired", extra={"state": expired.state, "partitions": expired.partitions})
    return {"state": expired.state}
