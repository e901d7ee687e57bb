"""The lake's tables and queries are made, and CloudFormation gets its answer."""

import contextlib
import importlib.util
import json
from pathlib import Path
from types import SimpleNamespace

import pytest

from tests.functions.test_index_functions import Context

PATH = Path(__file__).parents[2] / "functions" / "set_up_lake" / "app.py"


@pytest.fixture
def function(monkeypatch):
    """Load the function; `answers` has what it says, `made` and `put` what it does, `fails` how."""
    spec = importlib.util.spec_from_file_location("set_up_lake_app", PATH)
    app = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(app)
    noted = SimpleNamespace(app=app, answers=[], made=[], put=[], fails=None)

    def make_tables(_glue, database, bucket, log_types):
        if noted.fails:
            raise noted.fails
        noted.made.append((database, bucket, log_types))
        return list(log_types)

    def put_queries(_athena, work_group, database, queries):
        noted.put.append((work_group, database, {query.name.split(".")[0] for query in queries}))

    def urlopen(sent, timeout):
        noted.answers.append(json.loads(sent.data))
        return contextlib.nullcontext(SimpleNamespace(status=200))

    monkeypatch.setattr("servicelogs.lake.tables.make_tables", make_tables)
    monkeypatch.setattr("servicelogs.lake.named_queries.put_queries", put_queries)
    monkeypatch.setattr("servicelogs.cloudformation.urllib.request.urlopen", urlopen)
    for name, value in {
        "AWS_DEFAULT_REGION": "eu-west-1",
        "STAGING_BUCKET": "staging",
        "LAKE_BUCKET": "lake",
        "LEDGER_TABLE": "ledger",
        "GLUE_DATABASE": "service_logs",
        "ATHENA_WORK_GROUP": "lake-of-logs",
        "LAKE_LOG_TYPES": "alb,waf",
    }.items():
        monkeypatch.setenv(name, value)
    return noted


def run(noted, kind="Create", **more):
    event = {
        "RequestType": kind,
        "ResponseURL": "https://answer.example/here",
        "StackId": "stack",
        "RequestId": "request",
        "LogicalResourceId": "Lake",
        "ResourceProperties": {},
        **more,
    }
    noted.app.lambda_handler(event, Context())
    (answer,) = noted.answers
    return answer


@pytest.mark.parametrize("kind", ["Create", "Update"])
def test_tables_and_queries_are_made_when_the_stack_is_created_and_updated(function, kind):
    assert run(function, kind)["Status"] == "SUCCESS"
    assert function.made == [("service_logs", "lake", ("alb", "waf"))]
    assert function.put == [("lake-of-logs", "service_logs", {"alb", "waf"})]


def test_delete_touches_nothing(function):
    assert run(function, "Delete", PhysicalResourceId="first")["Status"] == "SUCCESS"
    assert function.made == function.put == []


def test_what_goes_wrong_is_answered(function):
    function.fails = RuntimeError("no such database")
    answer = run(function)
    assert answer["Status"] == "FAILED"
    assert "no such database" in answer["Reason"]


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("LAKE_DELETE_AFTER_DAYS", "alb=30,alb=31"),
        ("LOG_TYPE_PREFIXES", "edge/=waf,edge/=alb"),
        ("FORMAT_OPTIONS", "CloudFrontFields=date,date"),
        ("OWN_BUCKETS", "a-lake,the-logs"),
    ],
)
def test_a_setting_that_every_function_would_refuse_fails_the_deployment(
    function, monkeypatch, name, value
):
    monkeypatch.setenv("LOG_BUCKET", "the-logs")
    monkeypatch.setenv(name, value)
    answer = run(function)
    assert answer["Status"] == "FAILED"
    assert "ConfigurationError" in answer["Reason"]
    assert function.made == []
