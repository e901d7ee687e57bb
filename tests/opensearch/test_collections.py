"""A collection must be what the deployment says it is."""

import json

import boto3
import pytest
from botocore.stub import Stubber
from moto import mock_aws

from servicelogs.errors import ConfigurationError
from servicelogs.opensearch.collections import check_collection
from servicelogs.settings import SearchSettings

ENDPOINT = "https://abc123.eu-west-1.aoss.amazonaws.com"


def settings(engine_type: str, name: str = "logs") -> SearchSettings:
    return SearchSettings(
        endpoint=ENDPOINT,
        engine_type=engine_type,  # type: ignore[arg-type]
        collection_name=name,
    )


@pytest.fixture(autouse=True)
def collections(monkeypatch: pytest.MonkeyPatch) -> object:
    """Make a collection of each type."""
    monkeypatch.setenv("AWS_DEFAULT_REGION", "eu-west-1")
    names = [f"collection/{name}" for name in ("logs", "series", "vectors")]
    with mock_aws():
        client = boto3.client("opensearchserverless")
        policy = {"Rules": [{"ResourceType": "collection", "Resource": names}]}
        client.create_security_policy(
            name="key",
            type="encryption",
            policy=json.dumps(
                {
                    **policy,
                    "AWSOwnedKey": False,
                    "KmsARN": "arn:aws:kms:eu-west-1:123456789012:key/1",
                }
            ),
        )
        client.create_collection(name="logs", type="SEARCH")
        client.create_collection(name="series", type="TIMESERIES")
        client.create_collection(name="vectors", type="VECTORSEARCH")
        yield


def test_a_collection_of_the_type_that_is_said_passes() -> None:
    check_collection(settings("serverless-search"))
    check_collection(settings("serverless-timeseries", "series"))
    check_collection(SearchSettings(endpoint="https://search.example"))


@pytest.mark.parametrize(
    ("engine_type", "name", "says"),
    [
        ("serverless-timeseries", "logs", "EngineType must be serverless-search"),
        ("serverless-search", "series", "EngineType must be serverless-timeseries"),
        ("serverless-search", "vectors", "is of the type VECTORSEARCH"),
        ("serverless-search", "nowhere", "there is no collection 'nowhere'"),
        ("serverless-search", "", "COLLECTION_NAME must name the collection"),
    ],
)
def test_another_collection_is_refused_with_what_to_choose(
    engine_type: str, name: str, says: str
) -> None:
    with pytest.raises(ConfigurationError, match=says):
        check_collection(settings(engine_type, name))


def test_a_right_that_is_missing_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    client = boto3.client("opensearchserverless")
    stubber = Stubber(client)
    stubber.add_client_error("batch_get_collection", "AccessDeniedException", "not authorized")
    monkeypatch.setattr("boto3.client", lambda _: client)
    with stubber, pytest.raises(ConfigurationError, match="'logs' cannot be asked for"):
        check_collection(settings("serverless-search"))
