"""The function that converts a batch."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pyarrow
from aws_lambda_powertools import Logger
from aws_lambda_powertools.metrics import EphemeralMetrics, MetricUnit

from servicelogs.dates import DatePolicy
from servicelogs.detection.objects import ObjectTypes
from servicelogs.lake import names
from servicelogs.lake.conversion import Conversion
from servicelogs.lake.convert import BatchConverter, Time
from servicelogs.lake.deployment import Lake, seconds_left
from servicelogs.lake.ledger import Batch, State
from servicelogs.lake.manifests import Manifest, Outputs
from servicelogs.lake.parquet_in_s3 import OneClientSession, ParquetFilesInS3
from servicelogs.lake.prepare import prepare
from servicelogs.parsing.places import Place
from servicelogs.settings import LogSettings, PlaceSettings, read_settings

if TYPE_CHECKING:
    from aws_lambda_powertools.utilities.typing import LambdaContext

logger = Logger(child=True)

# The rows that wait for their file take so much of the function's memory: to sort the largest
# partition takes as much again, and so does to compress it.
MEMORY_SHARE = 8


class ConvertFunction:
    """The function's process: its settings and clients."""

    def __init__(self) -> None:
        """Read the settings."""
        # A function of two gigabytes has little more than one processor.
        pyarrow.set_cpu_count(1)
        pyarrow.set_io_thread_count(1)
        self._session = OneClientSession()
        self.lake = Lake.connect(self._session)
        logs = replace(read_settings(LogSettings), log_types=self.lake.settings.log_types)
        self._types = ObjectTypes(logs)
        self._keeps_extracted_fields = logs.extracted_fields
        place = read_settings(PlaceSettings)
        self._default_place = Place(place.account_id, place.region)

    def convert(self, event: dict[str, Any], context: LambdaContext) -> dict[str, str]:
        """Convert the event's batch, if it is open; say what state it is in then."""
        batch = self.lake.ledger.batch(event["batch"])
        if batch is None or batch.state is not State.OPEN:
            return {"state": batch.state if batch else State.DONE}
        outputs, misfits = self._convert(batch, context)
        state = prepare(self.lake, outputs)
        if state is State.PREPARED:
            _publish(misfits)
        _log(outputs, state, misfits)
        return {"state": state}

    def _convert(
        self, batch: Batch, context: LambdaContext
    ) -> tuple[Outputs, dict[str, dict[str, int]]]:
        attempt, files = context.aws_request_id, self.lake.staging
        days_kept = self.lake.settings.days_kept
        time = Time(seconds_left(context))
        folder = names.attempt_folder(batch.id, attempt)
        conversion = Conversion(
            ParquetFilesInS3(self._session, files.bucket, folder),
            dates=lambda log_format: DatePolicy(days_kept(log_format.name)),
            default_place=self._default_place,
            budget=int(context.memory_limit_in_mb) * 1024 * 1024 // MEMORY_SHARE,
            look_at_time=time.look,
            keeps_extracted_fields=self._keeps_extracted_fields,
        )
        manifest = files.read(batch.manifest, Manifest)
        converter = BatchConverter(
            manifest, attempt, conversion=conversion, types=self._types, files=files, time=time
        )
        return converter.convert(), conversion.misfits()


def _publish(misfits: dict[str, dict[str, int]]) -> None:
    """Publish how many values did not fit; what became of records is, when they are published."""
    for log_type, columns in misfits.items():
        metrics = EphemeralMetrics()
        metrics.add_dimension("log_type", log_type)
        metrics.add_metric("Misfits", MetricUnit.Count, sum(columns.values()))
        metrics.flush_metrics()


def _log(outputs: Outputs, state: State, misfits: dict[str, dict[str, int]]) -> None:
    logger.info(
        "batch converted",
        extra={
            "batch": outputs.batch,
            "attempt": outputs.attempt,
            "state": state,
            "objects": len({one.id for one in outputs.objects}),
            "rows": sum(one.rows for one in outputs.objects),
            "rejected": sum(one.rejected for one in outputs.objects),
            "files": len(outputs.files),
            "bytes": sum(file.bytes for file in outputs.files),
            "misfits": {name: columns for name, columns in misfits.items() if columns},
        },
    )
