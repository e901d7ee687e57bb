"""Index the records of a Kinesis stream: log events, real-time logs of CloudFront."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from aws_lambda_powertools import Logger, Metrics

from servicelogs.log_lines import as_line, fail_on_one_line
from servicelogs.opensearch.index_stream_function import IndexStreamFunction

if TYPE_CHECKING:
    from aws_lambda_powertools.utilities.typing import LambdaContext

    from servicelogs.delivery.failed_items import Answer

logger, metrics = Logger(json_serializer=as_line), Metrics()
function = IndexStreamFunction()


@fail_on_one_line
@logger.inject_lambda_context
@metrics.log_metrics(capture_cold_start_metric=True)
def lambda_handler(event: dict[str, Any], context: LambdaContext) -> Answer:
    """Index every record of the batch; report those that must come again, from the first on."""
    return function.index(event, context, metrics)
