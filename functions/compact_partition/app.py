"""Merge the small files of a partition."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pyarrow
from aws_lambda_powertools import Logger, Metrics
from aws_lambda_powertools.metrics import MetricUnit

from servicelogs.lake.compact import Compactor
from servicelogs.lake.deployment import Lake, seconds_left
from servicelogs.lake.names import Partition
from servicelogs.lake.parquet_in_s3 import OneClientSession
from servicelogs.log_lines import as_line, fail_on_one_line

if TYPE_CHECKING:
    from aws_lambda_powertools.utilities.typing import LambdaContext

# What is held of the files that are merged takes so much of the function's memory: their pages and
# rows are there twice while they are decompressed and compressed.
MEMORY_SHARE = 4

logger, metrics = Logger(json_serializer=as_line), Metrics()
session = OneClientSession()
lake = Lake.connect(session)
# A function of two gigabytes has little more than one processor.
pyarrow.set_cpu_count(1)
pyarrow.set_io_thread_count(1)


@fail_on_one_line
@logger.inject_lambda_context
@metrics.log_metrics(capture_cold_start_metric=True)
def lambda_handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """Say how far it came: DONE, MORE if files are left, BUSY if another has the table."""
    partition = Partition(**{name: event[name] for name in Partition._fields})
    compactor = Compactor(
        lake,
        session,
        disk=Path(tempfile.gettempdir()),
        memory=int(context.memory_limit_in_mb) * 1024 * 1024 // MEMORY_SHARE,
        seconds_left=seconds_left(context),
    )
    done = compactor.compact(partition, context.aws_request_id, event["execution"])
    metrics.add_metric("CompactedFiles", MetricUnit.Count, done.files_before)
    metrics.add_metric("CompactedBytes", MetricUnit.Bytes, done.bytes_before)
    logger.info(
        "partition compacted",
        extra={
            "partition": partition.everything,
            "state": done.state,
            "files_before": done.files_before,
            "files_after": done.files_after,
            "bytes_before": done.bytes_before,
            "bytes_after": done.bytes_after,
        },
    )
    return {"state": done.state}
