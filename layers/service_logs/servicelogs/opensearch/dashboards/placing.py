"""Put a deployment's saved objects in place: in a bucket always, in Dashboards where it can be."""

from urllib.parse import urlsplit

import boto3
from botocore.exceptions import BotoCoreError, ClientError

from servicelogs.errors import ClusterNeedsFixing, ConfigurationError, TryLater, one_line
from servicelogs.opensearch.client import authenticate
from servicelogs.opensearch.dashboards.importing import import_objects
from servicelogs.opensearch.dashboards.saved_objects import ndjson
from servicelogs.settings import (
    BackupSettings,
    DashboardsSettings,
    IndexSettings,
    LogSettings,
    SearchSettings,
    read_settings,
)

# CloudFormation takes 4 KB with all that goes with it.
_LONGEST = 1000


def place_saved_objects() -> str:
    """Place the dashboards as the settings say, and say where they are.

    Documents need none of them, so Dashboards that cannot be reached, or refuses them, fails
    nothing: it is said, and the file in the bucket can be imported by hand.
    """
    dashboards = read_settings(DashboardsSettings)
    if not dashboards.endpoint:
        return ""
    search, bucket = read_settings(SearchSettings), read_settings(BackupSettings).bucket
    prefix = read_settings(IndexSettings).prefix
    objects = ndjson(prefix, read_settings(LogSettings).log_types)
    session = boto3.Session()
    key = f"dashboards/{prefix}.ndjson"
    try:
        session.client("s3").put_object(
            Bucket=bucket, Key=key, Body=objects, ContentType="application/x-ndjson"
        )
    except (BotoCoreError, ClientError) as error:
        # A role made a moment ago is refused for a while.
        raise ClusterNeedsFixing(f"s3://{bucket}/{key} cannot be written: {error}") from error
    try:
        host = urlsplit(dashboards.endpoint).hostname or ""
        count = import_objects(dashboards.endpoint, authenticate(search, host, session), objects)
    except (ConfigurationError, TryLater) as error:
        return one_line(
            f"Not imported, they wait in s3://{bucket}/{key}: run DashboardsImportCommand, or fix "
            f"this and deploy with another SetUpAgain: {error}"
        )[:_LONGEST]
    return f"{count} saved objects were imported into {dashboards.endpoint}"
