"""The deployment's buckets, ledger and catalog, as the steps use them."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import timedelta
from typing import TYPE_CHECKING

import boto3
from botocore.config import Config

from servicelogs.lake.catalog import Catalog
from servicelogs.lake.files import AT_A_TIME, Files
from servicelogs.lake.items import Items
from servicelogs.lake.lease import Executions, Leases, RunningExecutions
from servicelogs.lake.ledger import Ledger
from servicelogs.lake.partitions import Partitions
from servicelogs.settings import BackupSettings, LakeSettings, read_settings

if TYPE_CHECKING:
    from aws_lambda_powertools.utilities.typing import LambdaContext
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_glue import GlueClient
    from mypy_boto3_s3 import S3Client

PATIENCE = Config(
    connect_timeout=5,
    read_timeout=60,
    retries={"mode": "standard", "total_max_attempts": 8},
    max_pool_connections=AT_A_TIME,
)
# Glue and Athena throttle soon; what waits here would otherwise wait in the next run.
PATIENCE_IF_THROTTLED = PATIENCE.merge(
    Config(retries={"mode": "adaptive", "total_max_attempts": 12})
)


class Lake:
    """One deployment's lake."""

    def __init__(
        self,
        settings: LakeSettings,
        backup_bucket: str,
        *,
        s3: S3Client,
        dynamodb: DynamoDBClient,
        glue: GlueClient,
        executions: RunningExecutions,
        clock: Callable[[], float] = time.time,
    ) -> None:
        items = Items(dynamodb, settings.ledger_table)
        self.settings = settings
        self.clock = clock
        self.staging = Files(s3, settings.staging_bucket)
        self.files = Files(s3, settings.lake_bucket)
        self.backup = Files(s3, backup_bucket)
        self.ledger = Ledger(items, settings.most_days_kept(), clock)
        self.partitions = Partitions(
            items, timedelta(hours=settings.grace_hours), settings.days_kept, clock
        )
        self.executions = executions
        self.leases = Leases(items, executions, clock)
        self.catalog = Catalog(glue, settings.glue_database, settings.lake_bucket)

    @classmethod
    def connect(cls, session: boto3.Session) -> Lake:
        """Read the settings, and make the clients."""
        return cls(
            read_settings(LakeSettings),
            read_settings(BackupSettings).bucket,
            s3=session.client("s3", config=PATIENCE),
            dynamodb=session.client("dynamodb", config=PATIENCE),
            glue=session.client("glue", config=PATIENCE_IF_THROTTLED),
            executions=Executions(session.client("stepfunctions", config=PATIENCE)),
        )


def seconds_left(context: LambdaContext) -> Callable[[], float]:
    """Give what says how long an invocation may still last."""
    return lambda: context.get_remaining_time_in_millis() / 1000
