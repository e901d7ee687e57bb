"""Index the records of a Kinesis stream: log events, real-time logs of CloudFront."""

from typing import Any

from aws_lambda_powertools import Logger, Metrics, Tracer
from aws_lambda_powertools.utilities.batch.types import PartialItemFailureResponse
from aws_lambda_powertools.utilities.typing import LambdaContext

from servicelogs.opensearch.index_function import IndexStreamFunction

logger, tracer, metrics = Logger(), Tracer(), Metrics()
function = IndexStreamFunction()


@logger.inject_lambda_context
@tracer.capture_lambda_handler(capture_response=False)
@metrics.log_metrics(capture_cold_start_metric=True)
def lambda_handler(event: dict[str, Any], context: LambdaContext) -> PartialItemFailureResponse:
    """Index every record of the batch; report those that must come again, from the first on."""
    return function.index(event, context, metrics)
