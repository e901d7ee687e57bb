"""A custom resource answers before its function is ended, whatever it waits for."""

import contextlib
import importlib.util
import json
import threading
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest

from servicelogs import cloudformation
from tests.functions.test_index_functions import Context
from tests.templates.expansion import SCENARIOS, of_type, read

FUNCTIONS = Path(__file__).parents[2] / "functions"
# Where each does its work, and what its environment must say.
WORK = {
    "configure_bucket": ("servicelogs.sources.bucket_notifications.carry_out", {}),
    "subscribe_log_groups": ("servicelogs.sources.log_subscriptions.carry_out", {}),
    "set_up_lake": (
        "servicelogs.lake.tables.make_tables",
        {"STAGING_BUCKET": "staging", "LAKE_BUCKET": "lake", "LEDGER_TABLE": "ledger"},
    ),
    "set_up_opensearch": ("servicelogs.opensearch.setup.set_up", {}),
}
EVENT = {
    "RequestType": "Create",
    "ResponseURL": "https://answer.example/here",
    "StackId": "stack",
    "RequestId": "request",
    "LogicalResourceId": "resource",
    "ResourceType": "Custom::BucketNotification",
    "ResourceProperties": {},
}


@pytest.fixture
def released() -> Iterator[threading.Event]:
    """Let what hangs go on when the test is over."""
    event = threading.Event()
    yield event
    event.set()


@pytest.fixture
def hanging(
    request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch, released: threading.Event
) -> ModuleType:
    """Load a function whose work waits for what never answers."""
    where, environment = WORK[request.param]
    monkeypatch.setattr(where, lambda *_, **__: released.wait(60))
    for name, value in {
        "AWS_DEFAULT_REGION": "eu-west-1",
        "NOTIFICATION_ID": "ours",
        "FILTER_NAME": "ours",
        "GLUE_DATABASE": "logs",
        "ATHENA_WORK_GROUP": "logs",
        "OPENSEARCH_ENDPOINT": "https://search.example",
        "OPENSEARCH_AUTH": "none",
        **environment,
    }.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr(cloudformation, "SECONDS_TO_ANSWER", 299.8)
    spec = importlib.util.spec_from_file_location(
        request.param, FUNCTIONS / request.param / "app.py"
    )
    assert spec is not None
    assert spec.loader is not None
    app = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(app)
    return app


@pytest.fixture
def answers(monkeypatch: pytest.MonkeyPatch) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []

    def urlopen(sent: Any, timeout: float) -> Any:
        found.append(json.loads(sent.data))
        return contextlib.nullcontext(SimpleNamespace(status=200))

    monkeypatch.setattr("servicelogs.cloudformation.urllib.request.urlopen", urlopen)
    return found


@pytest.mark.parametrize("hanging", [n for n in WORK if n != "set_up_opensearch"], indirect=True)
def test_what_does_not_answer_is_a_failure_that_says_so(
    hanging: ModuleType, answers: list[dict[str, Any]]
) -> None:
    hanging.lambda_handler(dict(EVENT), Context())
    (answer,) = answers
    assert answer["Status"] == "FAILED"
    assert "was not done in" in answer["Reason"]


@pytest.mark.parametrize("hanging", ["set_up_opensearch"], indirect=True)
def test_a_search_engine_that_does_not_answer_is_waited_for_by_the_next_invocation(
    hanging: ModuleType, answers: list[dict[str, Any]], monkeypatch: pytest.MonkeyPatch
) -> None:
    invoked: list[dict[str, Any]] = []
    aws = SimpleNamespace(invoke=lambda **call: invoked.append(call))
    monkeypatch.setattr("boto3.client", lambda *_, **__: aws)
    hanging.lambda_handler(dict(EVENT), Context())
    assert not answers
    (call,) = invoked
    hanging.lambda_handler(json.loads(call["Payload"]) | {"Began": 0}, Context())
    (answer,) = answers
    assert answer["Status"] == "FAILED"
    assert "was not done in" in answer["Reason"]


def test_every_function_behind_a_custom_resource_answers_in_time() -> None:
    folders = set()
    for name in SCENARIOS:
        resources = read(name)["Resources"]
        for resource in resources.values():
            token = resource.get("Properties", {}).get("ServiceToken", {})
            if resource["Type"].startswith("Custom::") and "Fn::GetAtt" in token:
                function = resources[token["Fn::GetAtt"][0]]["Properties"]
                # What a StackSet deploys has its code from a bucket.
                if "CodeUri" in function:
                    folders.add(function["CodeUri"].split("/")[-2])
    assert folders == set(WORK)


def test_there_is_time_to_answer_in_every_function() -> None:
    for name in SCENARIOS:
        template = read(name)
        for function in of_type(template["Resources"], "AWS::Serverless::Function").values():
            folder = function["Properties"]["CodeUri"].split("/")[-2]
            if folder in WORK:
                least = template["Globals"]["Function"]["Timeout"]
                timeout = function["Properties"].get("Timeout", least)
                assert timeout >= 2 * cloudformation.SECONDS_TO_ANSWER, folder
