"""Index the log objects that S3 notifications name; hand Parquet files on."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from aws_lambda_powertools import Logger, Metrics

from servicelogs.log_lines import as_line, fail_on_one_line
from servicelogs.opensearch.index_function import IndexFunction

if TYPE_CHECKING:
    from aws_lambda_powertools.utilities.typing import LambdaContext

    from servicelogs.delivery.failed_items import Answer

logger, metrics = Logger(json_serializer=as_line), Metrics()
function = IndexFunction()


@fail_on_one_line
@logger.inject_lambda_context
@metrics.log_metrics(capture_cold_start_metric=True)
def lambda_handler(event: dict[str, Any], context: LambdaContext) -> Answer:
    """Index every object of the batch; report the messages that must come again."""
    return function.index(event, context, metrics)
