"""What is sent is compressed, signed or authenticated, and tried once."""

import json
from collections.abc import Iterator

import boto3
import pytest
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
from moto import mock_aws
from opensearchpy.exceptions import OpenSearchException, SerializationError

from servicelogs.errors import ConfigurationError
from servicelogs.opensearch import client as client_module
from servicelogs.opensearch.client import AnswerDecoder, connect
from servicelogs.settings import EngineType, SearchSettings
from tests.opensearch.scripted_server import Answer, Request, ScriptedServer

ENDPOINT = "https://search-logs-abc.eu-central-1.es.amazonaws.com"
BODY = b'{"create":{"_index":"i","_id":"1"}}\n{"a":"' + b"x" * 5_000 + b'"}\n'


@pytest.fixture
def credentials(monkeypatch: pytest.MonkeyPatch) -> Credentials:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIDEXAMPLE")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "secret")
    monkeypatch.setenv("AWS_SESSION_TOKEN", "token")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "eu-west-1")
    return Credentials("AKIDEXAMPLE", "secret", "token")


@pytest.fixture
def aws(credentials: Credentials) -> Iterator[None]:
    with mock_aws(config={"core": {"reset_boto3_session": False}}):
        yield


def signature(request: Request, url: str, service: str, credentials: Credentials) -> str:
    """Sign what arrived, as AWS does to verify it."""
    headers = {
        name: request.headers[name]
        for name in ("host", "x-amz-date", "x-amz-content-sha256", "x-amz-security-token")
        if name in request.headers
    }
    again = AWSRequest(request.method, url + request.path, headers, request.sent)
    again.context["timestamp"] = request.headers["x-amz-date"]
    signer = SigV4Auth(credentials, service, "eu-west-1")
    return signer.signature(signer.string_to_sign(again, signer.canonical_request(again)), again)


@pytest.mark.parametrize(
    ("engine_type", "service"),
    [("opensearch", "es"), ("serverless-search", "aoss"), ("serverless-timeseries", "aoss")],
)
def test_the_compressed_body_is_what_is_signed(
    scripted: ScriptedServer, credentials: Credentials, engine_type: EngineType, service: str
) -> None:
    client = connect(SearchSettings(endpoint=scripted.url, engine_type=engine_type))
    params = {"filter_path": "items.create.status,items.create.error.type"}
    client.transport.perform_request("POST", "/_bulk", params=params, body=BODY)
    (request,) = scripted.requests
    assert len(request.sent) < len(BODY) / 10
    assert request.body == BODY
    authorization = request.headers["authorization"]
    assert f"/eu-west-1/{service}/aws4_request" in authorization
    assert "x-amz-content-sha256" in authorization
    assert authorization.endswith(signature(request, scripted.url, service, credentials))


def test_a_signature_is_for_the_region_that_the_domain_is_in(credentials: Credentials) -> None:
    client = connect(SearchSettings(endpoint=ENDPOINT))
    headers = client.transport.get_connection().http_auth("GET", ENDPOINT, None)
    assert "/eu-central-1/es/aws4_request" in headers["Authorization"]


@pytest.mark.parametrize(
    "host",
    [
        "vpc-logs-abc.eusc-de-east-1.es.amazonaws.eu",
        "abc123.eusc-de-east-1.aoss.amazonaws.eu",
        "search-logs-abc.aos.eusc-de-east-1.on.aws",
    ],
)
def test_the_region_is_identified_by_its_place_in_the_host(
    credentials: Credentials, host: str
) -> None:
    client = connect(SearchSettings(endpoint=f"https://{host}"))
    headers = client.transport.get_connection().http_auth("GET", f"https://{host}", None)
    assert "/eusc-de-east-1/es/aws4_request" in headers["Authorization"]


@pytest.mark.parametrize("host", ["logs.example.com", "search.es.example.com", "a.b.aos.on.aws"])
def test_a_host_that_names_no_region_is_in_that_of_the_function(
    credentials: Credentials, host: str
) -> None:
    client = connect(SearchSettings(endpoint=f"https://{host}"))
    headers = client.transport.get_connection().http_auth("GET", f"https://{host}", None)
    assert "/eu-west-1/es/aws4_request" in headers["Authorization"]


def test_without_credentials_the_error_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(boto3.Session, "get_credentials", lambda session: None)
    with pytest.raises(ConfigurationError, match="no AWS credentials"):
        connect(SearchSettings(endpoint=ENDPOINT))


def test_without_a_region_the_error_says_so(
    credentials: Credentials, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("AWS_DEFAULT_REGION")
    with pytest.raises(ConfigurationError, match="AWS_REGION"):
        connect(SearchSettings(endpoint="https://logs.example.com"))


def secret(text: str) -> str:
    """Keep a secret and return its ARN."""
    manager = boto3.client("secretsmanager", region_name="us-east-2")
    return manager.create_secret(Name="opensearch", SecretString=text)["ARN"]


def basic(url: str, arn: str) -> SearchSettings:
    return SearchSettings(endpoint=url, auth="basic", secret_arn=arn)


def test_a_password_comes_from_the_secret_wherever_it_is(
    scripted: ScriptedServer, aws: None
) -> None:
    arn = secret(json.dumps({"username": "writer", "password": "pass:wörd"}))
    connect(basic(scripted.url, arn)).transport.perform_request("GET", "/")
    assert scripted.requests[0].headers["authorization"] == "Basic d3JpdGVyOnBhc3M6d8O2cmQ="


def test_a_rotated_password_reaches_a_client_that_lives_on(
    scripted: ScriptedServer, aws: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    arn = secret(json.dumps({"username": "writer", "password": "old"}))
    monkeypatch.setattr(client_module, "SECRET_SECONDS", -1)
    client = connect(basic(scripted.url, arn))
    client.transport.perform_request("GET", "/")
    new = json.dumps({"username": "writer", "password": "new"})
    boto3.client("secretsmanager", region_name="us-east-2").put_secret_value(
        SecretId=arn, SecretString=new
    )
    client.transport.perform_request("GET", "/")
    first, second = (request.headers["authorization"] for request in scripted.requests)
    assert first != second


# pragma: allowlist nextline secret: made up
@pytest.mark.parametrize("text", ["hunter2", '["hunter2"]', '{"user":"x","password":"hunter2"}'])
def test_a_secret_of_another_shape_is_an_error_that_does_not_show_it(aws: None, text: str) -> None:
    with pytest.raises(ConfigurationError, match="username and password") as caught:
        connect(basic(ENDPOINT, secret(text)))
    assert "hunter2" not in str(caught.value)


def test_a_secret_that_is_not_there_is_an_error_that_names_it(aws: None) -> None:
    arn = "arn:aws:secretsmanager:us-east-2:123456789012:secret:none"
    with pytest.raises(ConfigurationError, match="secret:none"):
        connect(basic(ENDPOINT, arn))


@pytest.mark.parametrize("answer", [Answer(503), Answer(429), Answer(reset=True)])
def test_a_request_is_tried_once_and_its_failure_shown(
    scripted: ScriptedServer, answer: Answer
) -> None:
    scripted.script = lambda request: answer
    client = connect(SearchSettings(endpoint=scripted.url, auth="none"))
    with pytest.raises(OpenSearchException):
        client.transport.perform_request("POST", "/_bulk", body=BODY)
    assert len(scripted.requests) == 1


@pytest.mark.parametrize("text", ['{"took":NaN}', '{"a":"\\ud800"}', f'{{"a":{"9" * 400}}}'])
def test_an_answer_that_only_json_takes_is_decoded_by_it(text: str) -> None:
    assert repr(AnswerDecoder().loads(text)) == repr(json.loads(text))


@pytest.mark.parametrize("text", ['{"items":[', "<html>"])
def test_an_answer_that_nobody_decodes_is_an_error_that_holds_it(text: str) -> None:
    with pytest.raises(SerializationError) as caught:
        AnswerDecoder().loads(text)
    assert caught.value.args[0] == text


@pytest.mark.parametrize(
    ("endpoint", "host"),
    [
        (ENDPOINT, f"{ENDPOINT}:443"),
        ("http://search.local", "http://search.local:80"),
        ("https://search.local:9200", "https://search.local:9200"),
        ("http://[::1]:9200", "http://[::1]:9200"),
    ],
)
def test_the_port_is_the_schemes_unless_the_endpoint_names_one(endpoint: str, host: str) -> None:
    client = connect(SearchSettings(endpoint=endpoint, auth="none"))
    assert client.transport.get_connection().host == host


@pytest.mark.parametrize("endpoint", ["search.local:9200", "ftp://search.local", "https://"])
def test_an_endpoint_that_is_none_is_an_error(endpoint: str) -> None:
    with pytest.raises(ConfigurationError, match="OPENSEARCH_ENDPOINT"):
        connect(SearchSettings(endpoint=endpoint, auth="none"))
