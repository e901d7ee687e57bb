"""What the functions that index have in common: clients made once, an attempt an invocation."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import boto3
from aws_lambda_powertools.metrics import MetricUnit
from botocore.config import Config

from servicelogs.dates import DatePolicy
from servicelogs.delivery.attempt import Attempt
from servicelogs.opensearch.client import connect
from servicelogs.opensearch.dated_indexes import DatedIndexes
from servicelogs.opensearch.setup import index_names, template_check
from servicelogs.opensearch.tiers import index_maker
from servicelogs.opensearch.writer import BulkWriter
from servicelogs.settings import (
    BackupSettings,
    IndexSettings,
    LogSettings,
    SearchSettings,
    read_settings,
)

if TYPE_CHECKING:
    from aws_lambda_powertools import Metrics
    from aws_lambda_powertools.utilities.typing import LambdaContext

    from servicelogs.delivery.metrics import Totals

# Kept after the last bulk request for the rejects and the messages about what is left.
SECONDS_TO_FINISH = 5.0

PATIENCE = Config(
    connect_timeout=5, read_timeout=30, retries={"mode": "standard", "total_max_attempts": 5}
)


class Function:
    """A function's process, whatever its records come from: its settings and clients."""

    def __init__(self) -> None:
        """Read the settings."""
        indexes = read_settings(IndexSettings)
        self.logs = read_settings(LogSettings)
        self.session = boto3.Session()
        self._search = read_settings(SearchSettings)
        self.opensearch = connect(self._search, self.session)
        self.indexes = DatedIndexes(
            index_names(indexes),
            lambda log_format: DatePolicy(indexes.days_kept(log_format.name)),
        )
        self.s3 = self.session.client("s3", config=PATIENCE)
        self._backup_bucket = read_settings(BackupSettings).bucket
        self._check_template = template_check(self.opensearch, indexes)
        self._make_index = (
            index_maker(self.opensearch, index_names(indexes)) if indexes.tiers else None
        )

    def attempt(self, context: LambdaContext) -> Attempt:
        """Begin what one invocation does."""

        def seconds_left() -> float:
            return context.get_remaining_time_in_millis() / 1000

        writer = BulkWriter(
            self.opensearch,
            seconds_left=lambda: seconds_left() - SECONDS_TO_FINISH,
            ensure_template=self._check_template,
            ensure_index=self._make_index,
            takes_ids=self._search.takes_ids,
        )
        return Attempt(
            writer=writer,
            s3=self.s3,
            backup_bucket=self._backup_bucket,
            seconds_left=seconds_left,
        )


def publisher(metrics: Metrics) -> Callable[[Totals], None]:
    """Give what publishes the counts, also those of all types together, which alarms can watch."""

    def publish(totals: Totals) -> None:
        totals.publish()
        metrics.add_metric("Rejected", MetricUnit.Count, totals.rejected())
        metrics.add_metric("Skipped", MetricUnit.Count, totals.skipped.total())

    return publish
