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
from tests.templates.expansion import SCENARIOS, expand

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
    "ResourceType": "Custom::BucketNotification",
    "ResponseURL": "https://answer.example/here",
    "StackId": "stack",
    "RequestId": "request",
    "LogicalResourceId": "resource",
    "ResourceProperties": {
        "Access": {
            "MasterSecretArn": "",
            "Name": "service-logs-1",
            "IndexingRoleArns": [],
            "SetUpRoleArns": [],
            "DeletingRoleArns": [],
        }
    },
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

    def hang(*_: Any, **__: Any) -> None:
        released.wait(60)
        raise AssertionError("the test is over")

    monkeypatch.setattr(where, hang)
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
    # Else what it found here, no credentials, is what later tests have.
    monkeypatch.setattr("boto3.DEFAULT_SESSION", None)
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


def functions_of_custom_resources() -> dict[str, int]:
    """Give the functions behind custom resources, with the least time that one of them has."""
    found: dict[str, int] = {}
    for name in SCENARIOS:
        resources = expand(name)["Resources"]
        for resource in resources.values():
            token = resource.get("Properties", {}).get("ServiceToken", {})
            if resource["Type"].startswith("Custom::") and "Fn::GetAtt" in token:
                function = resources[token["Fn::GetAtt"][0]]["Properties"]
                called = function["Environment"]["Variables"]["POWERTOOLS_SERVICE_NAME"]
                found[called] = min(function["Timeout"], found.get(called, 900))
    return found


def test_every_function_behind_a_custom_resource_answers_in_time() -> None:
    assert functions_of_custom_resources().keys() == WORK.keys()


def test_there_is_time_to_answer_in_every_function() -> None:
    for called, seconds in functions_of_custom_resources().items():
        assert seconds >= 2 * cloudformation.SECONDS_TO_ANSWER, called
