"""Saved objects are imported as Dashboards' API takes them, and each refusal says what to do."""

import json
from collections.abc import Iterator
from email import message_from_bytes
from email.message import Message
from typing import Any

import boto3
import pytest

from servicelogs.errors import ConfigurationError, TryLater
from servicelogs.opensearch.dashboards.importing import import_objects
from servicelogs.opensearch.dashboards.placing import place_saved_objects
from servicelogs.opensearch.dashboards.saved_objects import ndjson
from tests.opensearch.scripted_server import Answer, Request, ScriptedServer

OBJECTS = ndjson("aws", ["alb"])
COUNT = OBJECTS.count(b"\n")
CONFLICT = {"type": "dashboard", "id": "aws.alb", "error": {"type": "conflict"}}


@pytest.fixture
def dashboards() -> Iterator[ScriptedServer]:
    with ScriptedServer() as server:
        server.script = lambda request: Answer(body={"success": True, "successCount": COUNT})
        yield server


def parts(request: Request) -> dict[str, Message]:
    """Read a form as a server does."""
    header = f"content-type: {request.headers['content-type']}\r\n\r\n".encode()
    form: Any = message_from_bytes(header + request.body)
    return {
        part.get_param("name", header="content-disposition"): part for part in form.get_payload()
    }


def test_they_are_sent_as_a_file_over_what_is_there(dashboards: ScriptedServer) -> None:
    assert import_objects(f"{dashboards.url}/_dashboards/", None, OBJECTS) == COUNT

    (request,) = dashboards.requests
    assert request.method == "POST"
    assert request.path == "/_dashboards/api/saved_objects/_import?overwrite=true"
    assert request.headers["osd-xsrf"] == "true"
    assert request.headers["securitytenant"] == "global"
    assert "content-encoding" not in request.headers
    file = parts(request)["file"]
    assert file.get_filename() == "saved_objects.ndjson", "Dashboards takes no other ending"
    assert file.get_payload(decode=True) == OBJECTS


def test_a_request_is_signed_with_its_whole_address_and_body(dashboards: ScriptedServer) -> None:
    signed = []

    def sign(method: str, url: str, body: bytes) -> dict[str, str]:
        signed.append((method, url, body))
        return {"authorization": "signed"}

    import_objects(dashboards.url, sign, OBJECTS)

    (request,) = dashboards.requests
    assert request.headers["authorization"] == "signed"
    assert signed == [("POST", dashboards.url + request.path, request.sent)]


def test_where_the_address_is_ignored_conflicts_are_resolved_by_overwriting(
    dashboards: ScriptedServer,
) -> None:
    def script(request: Request) -> Answer:
        if request.path.endswith("/_resolve_import_errors"):
            return Answer(body={"success": True, "successCount": COUNT})
        return Answer(body={"success": False, "successCount": 0, "errors": [CONFLICT]})

    dashboards.script = script

    assert import_objects(dashboards.url, None, OBJECTS) == COUNT

    retries = json.loads(parts(dashboards.requests[-1])["retries"].get_payload())
    there = [json.loads(line) for line in OBJECTS.splitlines()]
    assert retries == [{"type": o["type"], "id": o["id"], "overwrite": True} for o in there]


@pytest.mark.parametrize(
    ("answer", "error", "says"),
    [
        (Answer(403, "no permissions"), ConfigurationError, "SetUpFunctionRoleArn"),
        (Answer(401, "Unauthorized"), ConfigurationError, "OpenSearchMasterSecretArn"),
        (Answer(404, {"error": "no handler found"}), ConfigurationError, "not as OpenSearch Dash"),
        (Answer(200, "<html>Log in</html>", "text/html"), ConfigurationError, "not as OpenSearch"),
        (Answer(200, {"cluster_name": "x"}), ConfigurationError, "not as OpenSearch Dashboards"),
        (Answer(200, [1]), ConfigurationError, "not as OpenSearch Dashboards"),
        (Answer(503, "not ready yet"), TryLater, "answers 503"),
        (Answer(reset=True), TryLater, "is not reached"),
        (
            Answer(body={"success": False, "errors": [{**CONFLICT, "error": {"type": "missing"}}]}),
            ConfigurationError,
            "dashboard aws.alb (missing), of 1",
        ),
    ],
)
def test_a_refusal_says_what_to_do(
    dashboards: ScriptedServer, answer: Answer, error: type[Exception], says: str
) -> None:
    dashboards.script = lambda request: answer

    with pytest.raises(error, match=says.replace("(", r"\(").replace(")", r"\)")):
        import_objects(dashboards.url, None, OBJECTS)


@pytest.fixture
def backup(aws: None, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Set what the template sets, with a backup bucket in the emulated AWS."""
    s3 = boto3.client("s3")
    s3.create_bucket(Bucket="log-backup")
    monkeypatch.setenv("OPENSEARCH_ENDPOINT", "http://127.0.0.1:1")
    monkeypatch.setenv("OPENSEARCH_AUTH", "none")
    monkeypatch.setenv("BACKUP_BUCKET", "log-backup")
    monkeypatch.setenv("LOG_TYPES", "alb")
    return s3


def kept(s3: Any) -> bytes:
    body: bytes = s3.get_object(Bucket="log-backup", Key="dashboards/aws.ndjson")["Body"].read()
    return body


def test_they_are_kept_in_the_bucket_and_imported(
    backup: Any, dashboards: ScriptedServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    # As the template joins an endpoint that ends in a slash.
    monkeypatch.setenv("DASHBOARDS_ENDPOINT", f"{dashboards.url}//_dashboards")

    said = place_saved_objects()

    assert said == f"{COUNT} saved objects were imported into {dashboards.url}/_dashboards"
    assert kept(backup) == OBJECTS


def test_dashboards_that_cannot_be_reached_fail_nothing_and_say_where_the_file_is(
    backup: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DASHBOARDS_ENDPOINT", "http://127.0.0.1:1/_dashboards")

    said = place_saved_objects()

    assert said.startswith("Not imported, they wait in s3://log-backup/dashboards/aws.ndjson: ")
    assert "run DashboardsImportCommand, or fix this and deploy with another SetUpAgain" in said
    assert "is not reached" in said
    assert len(said) <= 1000
    assert kept(backup) == OBJECTS


def test_a_function_without_an_address_has_nothing_to_do_with_dashboards() -> None:
    assert place_saved_objects() == ""
