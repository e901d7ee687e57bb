"""The function that indexes the records of a stream."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from aws_lambda_powertools.metrics import MetricUnit

from servicelogs.delivery import failed_items
from servicelogs.detection.log_events import EventTypes
from servicelogs.errors import NotReached
from servicelogs.opensearch.function import Function, publisher
from servicelogs.opensearch.index_records import RecordIndexer
from servicelogs.sources.function_events import records_of
from servicelogs.sources.kinesis import StreamRecord

if TYPE_CHECKING:
    from aws_lambda_powertools import Metrics
    from aws_lambda_powertools.utilities.typing import LambdaContext


class IndexStreamFunction(Function):
    """A function's process."""

    def __init__(self) -> None:
        """Read the settings."""
        super().__init__()
        self._types = EventTypes(self.logs)

    def index(
        self, event: dict[str, Any], context: LambdaContext, metrics: Metrics
    ) -> failed_items.Answer:
        """Index the event's records; report those that must come again, from the first on."""
        records = [StreamRecord.of(record) for record in records_of(event)]
        indexer = RecordIndexer(
            self.attempt(context),
            types=self._types,
            indexes=self.indexes,
            on_report=publisher(metrics),
            keeps_extracted_fields=self.logs.extracted_fields,
        )
        errors = indexer.index(records)
        late = sum(isinstance(error, NotReached) for error in errors)
        failed = sum(error is not None for error in errors) - late
        metrics.add_metric("FailedRecords", MetricUnit.Count, failed)
        metrics.add_metric("LateRecords", MetricUnit.Count, late)
        return failed_items.report([record.sequence_number for record in records], errors)
