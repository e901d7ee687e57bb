"""Publish what is prepared for one table."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import boto3
from aws_lambda_powertools import Logger, Metrics
from aws_lambda_powertools.metrics import MetricUnit

from servicelogs.lake.deployment import Lake, seconds_left
from servicelogs.lake.publish import publish_table
from servicelogs.log_lines import as_line, fail_on_one_line

if TYPE_CHECKING:
    from aws_lambda_powertools.utilities.typing import LambdaContext

logger, metrics = Logger(json_serializer=as_line), Metrics()
lake = Lake.connect(boto3.Session())


@fail_on_one_line
@logger.inject_lambda_context
@metrics.log_metrics(capture_cold_start_metric=True)
def lambda_handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """Say how far it came: DONE, MORE if the time was over, BUSY if another has the table."""
    published = publish_table(lake, event["table"], event["execution"], seconds_left(context))
    metrics.add_metric("FailedPublications", MetricUnit.Count, published.failed)
    logger.info("table published", extra={"table": event["table"], "state": published.state})
    return {"state": published.state, "failed": published.failed}
