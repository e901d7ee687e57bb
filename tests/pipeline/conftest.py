"""The emulated AWS that the pipeline's tests share."""

from collections.abc import Iterator

import boto3
import pytest
from moto import mock_aws

from tests.pipeline.deployment import BACKUP, LOGS, Deployment


@pytest.fixture(autouse=True)
def environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """Give what Lambda and the template give, and nobody's credentials."""
    for name, value in {
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "test",
        "AWS_DEFAULT_REGION": "us-east-1",
        "POWERTOOLS_SERVICE_NAME": "index_s3_logs",
        "POWERTOOLS_METRICS_NAMESPACE": "ServiceLogs",
        "POWERTOOLS_TRACE_DISABLED": "true",
    }.items():
        monkeypatch.setenv(name, value)
    monkeypatch.delenv("AWS_ENDPOINT_URL", raising=False)


@pytest.fixture
def deployment() -> Iterator[Deployment]:
    with mock_aws(config={"core": {"reset_boto3_session": False}}):
        s3, sqs = boto3.client("s3"), boto3.client("sqs")
        for bucket in (LOGS, BACKUP):
            s3.create_bucket(Bucket=bucket)
        urls = [
            sqs.create_queue(QueueName=name)["QueueUrl"] for name in ("objects", "parquet-files")
        ]
        yield Deployment(s3, sqs, *urls)
