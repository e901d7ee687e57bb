"""Emulated AWS for tests that call it: nobody's credentials, and moto in this process."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import boto3
import pytest

if TYPE_CHECKING:
    from tests.deployment import Deployment


@pytest.fixture(scope="session")
def moto() -> None:
    """Have moto answer the clients of boto3's session, whoever made a client before this.

    It answers those of sessions that begin after it is imported; the others reach AWS itself.
    """
    import moto  # noqa: F401 - here, as below: other tests need not wait for it

    boto3.DEFAULT_SESSION = None


@pytest.fixture
def aws(moto: None, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Give what Lambda and the template give, and an AWS without anything in it."""
    for name, value in {
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "test",
        "AWS_DEFAULT_REGION": "us-east-1",
        "POWERTOOLS_SERVICE_NAME": "index_s3_logs",
        "POWERTOOLS_METRICS_NAMESPACE": "ServiceLogs",
    }.items():
        monkeypatch.setenv(name, value)
    monkeypatch.delenv("AWS_ENDPOINT_URL", raising=False)
    from moto import mock_aws

    # With boto3's session go the descriptions of services that it read: a tenth of a second a test.
    with mock_aws(config={"core": {"reset_boto3_session": False}}):
        yield


@pytest.fixture
def deployment(aws: None) -> Deployment:
    """Give buckets, queues and a search engine, with nothing in them."""
    from tests.deployment import Deployment

    return Deployment.make()
