"""Delete the indexes that are past their log type's retention."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from aws_lambda_powertools import Logger, Metrics
from aws_lambda_powertools.metrics import MetricUnit

from servicelogs.log_lines import as_line, fail_on_one_line
from servicelogs.opensearch.client import connect
from servicelogs.opensearch.expiry import delete_expired
from servicelogs.settings import IndexSettings, LogSettings, SearchSettings, read_settings

if TYPE_CHECKING:
    from aws_lambda_powertools.utilities.typing import LambdaContext

logger, metrics = Logger(json_serializer=as_line), Metrics()
indexes, log_types = read_settings(IndexSettings), read_settings(LogSettings).log_types
opensearch = connect(read_settings(SearchSettings))

# A request may take as long, and what is left is said after it.
SECONDS_TO_FINISH = 40


@fail_on_one_line
@logger.inject_lambda_context
@metrics.log_metrics(capture_cold_start_metric=True)
def lambda_handler(_event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """Delete what has expired; what is left or refused is tried again when it is called again."""

    def has_time() -> bool:
        return context.get_remaining_time_in_millis() > SECONDS_TO_FINISH * 1000

    expired = delete_expired(opensearch, indexes, log_types, has_time=has_time)
    metrics.add_metric("DeletedIndexes", MetricUnit.Count, len(expired.deleted))
    logger.info("indexes deleted", extra={"indexes": expired.deleted, "left": expired.left})
    for index, error in expired.refused.items():
        logger.error("an index was not deleted", extra={"index": index, "error": str(error)})
    if expired.refused:
        # An alarm watches the function's errors.
        raise next(iter(expired.refused.values()))
    return {"deleted": expired.deleted, "left": expired.left}
