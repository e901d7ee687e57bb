"""Index the log objects that S3 notifications name; hand Parquet files on."""

from typing import Any

from aws_lambda_powertools import Logger, Metrics
from aws_lambda_powertools.utilities.batch.types import PartialItemFailureResponse
from aws_lambda_powertools.utilities.typing import LambdaContext

from servicelogs.opensearch.index_function import IndexFunction

logger, metrics = Logger(), Metrics()
function = IndexFunction()


@logger.inject_lambda_context
@metrics.log_metrics(capture_cold_start_metric=True)
def lambda_handler(event: dict[str, Any], context: LambdaContext) -> PartialItemFailureResponse:
    """Index every object of the batch; report the messages that must come again."""
    return function.index(event, context, metrics)
