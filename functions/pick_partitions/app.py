"""Pick the partitions whose files are worth merging."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import boto3
from aws_lambda_powertools import Logger, Metrics
from aws_lambda_powertools.metrics import MetricUnit

from servicelogs.lake import names
from servicelogs.lake.deployment import Lake
from servicelogs.lake.pick import Asked, pick_partitions
from servicelogs.log_lines import as_line, fail_on_one_line

if TYPE_CHECKING:
    from aws_lambda_powertools.utilities.typing import LambdaContext

logger, metrics = Logger(json_serializer=as_line), Metrics()
lake = Lake.connect(boto3.Session())


@fail_on_one_line
@logger.inject_lambda_context
@metrics.log_metrics(capture_cold_start_metric=True)
def lambda_handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """List the partitions in the staging bucket, as the state machine reads them."""
    metrics.add_metric("Picks", MetricUnit.Count, 1)
    picked = [*pick_partitions(lake, Asked.read(event["asked"]))]
    metrics.add_metric("PickedPartitions", MetricUnit.Count, len(picked))
    key = names.run_key(event["execution"], context.aws_request_id)
    lake.staging.write(key, [partition._asdict() for partition in picked])
    logger.info("partitions picked", extra={"partitions": len(picked), "asked": event["asked"]})
    manifest = {"bucket": lake.staging.bucket, "key": key}
    return {"manifest": manifest, "partitions": len(picked)}
