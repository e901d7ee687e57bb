"""A collection must be what the deployment says it is."""

import json
from collections.abc import Iterator

import boto3
import pytest
from botocore.exceptions import EndpointConnectionError
from botocore.stub import Stubber
from moto import mock_aws

from servicelogs.errors import ClusterNeedsFixing, ConfigurationError, TryLater
from servicelogs.opensearch.collections import check_collection
from servicelogs.settings import SearchSettings

OF_NONE = "https://search.example"


def settings(engine_type: str, name: str = "logs", endpoint: str = OF_NONE) -> SearchSettings:
    return SearchSettings(
        endpoint=endpoint,
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
        ("serverless-search", "vectors", "is of the type VECTORSEARCH: logs need one of the type"),
        ("serverless-search", "nowhere", "there is no collection 'nowhere' in this account"),
        ("serverless-search", "", "COLLECTION_NAME must name the collection"),
    ],
)
def test_another_collection_is_refused_with_what_to_choose(
    engine_type: str, name: str, says: str
) -> None:
    with pytest.raises(ConfigurationError, match=says):
        check_collection(settings(engine_type, name))


def test_the_address_of_another_collection_is_refused() -> None:
    (collection,) = boto3.client("opensearchserverless").batch_get_collection(names=["logs"])[
        "collectionDetails"
    ]
    for suffix in ("eu-west-1.aoss.amazonaws.com", "aoss.eu-west-1.on.aws"):
        endpoint = f"https://{collection['id']}.{suffix}"
        check_collection(settings("serverless-search", endpoint=endpoint))
        other = f"https://abc123.{suffix}"
        with pytest.raises(ConfigurationError, match=f"begins with {collection['id']}"):
            check_collection(settings("serverless-search", endpoint=other))


@pytest.fixture
def stubbed(monkeypatch: pytest.MonkeyPatch) -> Iterator[Stubber]:
    """Give what answers instead of AWS."""
    client = boto3.client("opensearchserverless")
    with Stubber(client) as stubber:
        monkeypatch.setattr("boto3.client", lambda _: client)
        yield stubber


def test_a_right_that_is_missing_is_waited_for_and_said(stubbed: Stubber) -> None:
    """A role made a moment ago may be refused what it may do."""
    stubbed.add_client_error("batch_get_collection", "AccessDeniedException", "not authorized")
    with pytest.raises(ClusterNeedsFixing, match=r"'logs' cannot .*aoss:BatchGetCollection"):
        check_collection(settings("serverless-search"))


def test_a_service_that_is_not_reached_is_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    class Nowhere:
        def batch_get_collection(self, **_: object) -> None:
            raise EndpointConnectionError(endpoint_url="https://aoss.example")

    monkeypatch.setattr("boto3.client", lambda _: Nowhere())
    with pytest.raises(TryLater, match="'logs' cannot be asked for"):
        check_collection(settings("serverless-search"))


def test_why_there_is_none_is_said_as_the_service_says_it(stubbed: Stubber) -> None:
    said = {"name": "logs", "errorCode": "NOT_FOUND", "errorMessage": "Collection not found"}
    answer = {"collectionDetails": [], "collectionErrorDetails": [said]}
    stubbed.add_response("batch_get_collection", answer)
    with pytest.raises(ConfigurationError, match=r"there is no .* \(Collection not found\)"):
        check_collection(settings("serverless-search"))


@pytest.mark.parametrize(
    ("status", "error"),
    [
        ("CREATING", TryLater),
        ("DELETING", ConfigurationError),
        ("FAILED", ConfigurationError),
    ],
)
def test_a_collection_that_is_not_ready_is_waited_for_unless_it_never_will_be(
    stubbed: Stubber, status: str, error: type[Exception]
) -> None:
    found = {"id": "abc", "name": "logs", "type": "SEARCH", "status": status}
    stubbed.add_response("batch_get_collection", {"collectionDetails": [found]})
    with pytest.raises(error, match="the collection 'logs' is"):
        check_collection(settings("serverless-search"))
