"""Convert the objects of a batch to Parquet files, which wait for their publication."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from aws_lambda_powertools import Logger, Metrics
from aws_lambda_powertools.metrics import MetricUnit

from servicelogs.lake.convert_function import ConvertFunction
from servicelogs.log_lines import as_line, fail_on_one_line

if TYPE_CHECKING:
    from aws_lambda_powertools.utilities.typing import LambdaContext

logger, metrics = Logger(json_serializer=as_line), Metrics()
function = ConvertFunction()


@fail_on_one_line
@logger.inject_lambda_context
@metrics.log_metrics(capture_cold_start_metric=True)
def lambda_handler(event: dict[str, Any], context: LambdaContext) -> dict[str, str]:
    """Convert the event's batch; say what state it is in."""
    metrics.add_metric("Conversions", MetricUnit.Count, 1)
    return function.convert(event, context)
