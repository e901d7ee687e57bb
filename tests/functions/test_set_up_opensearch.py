"""The mapping templates are put in place, and CloudFormation gets its answer in time."""

import contextlib
import importlib.util
import json
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest

from servicelogs.errors import ClusterNeedsFixing, ConfigurationError, TryLater
from servicelogs.opensearch.access import Access
from servicelogs.opensearch.answers import Guard, NotPermitted

PATH = Path(__file__).parents[2] / "functions" / "set_up_opensearch" / "app.py"
ACCESS = {
    "MasterSecretArn": "arn:aws:secretsmanager:eu-west-1:111122223333:secret:master",
    "EngineArn": "arn:aws:es:eu-west-1:111122223333:domain/logs",
    "Name": "service-logs-1",
    "IndexingRoleArns": ["arn:indexes"],
    "SetUpRoleArns": ["arn:sets-up"],
    "DeletingRoleArns": [],
}


class Clock:
    """Time that passes only where somebody sleeps."""

    def __init__(self):
        self.now = 1_000_000.0

    def time(self):
        return self.now

    def sleep(self, seconds):
        self.now += seconds


class Invocation:
    """What Lambda says to a function of this run of 300 seconds."""

    invoked_function_arn = "arn:aws:lambda:eu-west-1:1:function:set-up"

    def __init__(self, clock):
        self.clock, self.ends = clock, clock.now + 300

    def get_remaining_time_in_millis(self):
        return (self.ends - self.clock.now) * 1000


@pytest.fixture
def function(monkeypatch):
    """Load the function; what it does outside is noted, and `results` says how set_up goes."""
    spec = importlib.util.spec_from_file_location("set_up_app", PATH)
    app = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(app)
    clock = Clock()
    noted = SimpleNamespace(app=app, clock=clock, answers=[], calls=[], invoked=[], results=[])

    def set_up(client, indexes, log_types):
        noted.calls.append((client, indexes, log_types))
        result = noted.results.pop(0) if len(noted.results) > 1 else noted.results[0]
        if isinstance(result, Exception):
            raise result
        return result

    monkeypatch.setattr("servicelogs.opensearch.setup.set_up", set_up)
    monkeypatch.setattr("servicelogs.opensearch.client.connect", lambda search: search.endpoint)

    def urlopen(sent, timeout):
        noted.answers.append((sent.full_url, json.loads(sent.data)))
        return contextlib.nullcontext(SimpleNamespace(status=200))

    monkeypatch.setattr("servicelogs.cloudformation.urllib.request.urlopen", urlopen)
    monkeypatch.setattr(app, "time", clock)
    aws = SimpleNamespace(invoke=lambda **call: noted.invoked.append(call))
    monkeypatch.setattr("boto3.client", lambda *_, **__: aws)
    monkeypatch.setenv("OPENSEARCH_ENDPOINT", "https://search.example")
    monkeypatch.setenv("OPENSEARCH_AUTH", "none")
    monkeypatch.setenv("INDEX_PERIOD", "week")
    monkeypatch.setenv("LOG_TYPES", "alb,waf")
    return noted


def request(kind="Create", **more):
    return {
        "RequestType": kind,
        "ResponseURL": "https://answer.example/here",
        "StackId": "stack",
        "RequestId": "request",
        "LogicalResourceId": "SearchEngine",
        "ResourceProperties": {"Access": ACCESS | {"MasterSecretArn": ""}},
        **more,
    }


def run(noted, event):
    """Run the function, and every further invocation that it asks for."""
    noted.app.lambda_handler(event, Invocation(noted.clock))
    while noted.invoked:
        call = noted.invoked.pop()
        noted.handed_on = getattr(noted, "handed_on", 0) + 1
        noted.app.lambda_handler(json.loads(call["Payload"]), Invocation(noted.clock))
    (answered,) = noted.answers
    assert answered[0] == "https://answer.example/here"
    return answered[1]


@pytest.mark.parametrize("kind", ["Create", "Update"])
def test_templates_are_put_when_the_stack_is_created_and_updated(function, kind):
    function.results = [["aws-alb"]]
    answer = run(function, request(kind))
    assert answer["Status"] == "SUCCESS"
    assert answer["LogicalResourceId"] == "SearchEngine"
    assert answer["StackId"] == "stack"
    assert answer["RequestId"] == "request"
    ((client, indexes, log_types),) = function.calls
    assert client == "https://search.example"
    assert indexes.period == "week"
    assert log_types == ("alb", "waf")


def test_an_update_keeps_the_physical_id(function):
    function.results = [[]]
    answer = run(function, request("Update", PhysicalResourceId="first"))
    assert answer["PhysicalResourceId"] == "first"


def test_delete_succeeds_without_the_cluster_and_touches_nothing(function):
    function.results = [TryLater("nobody is there")]
    answer = run(function, request("Delete", PhysicalResourceId="first"))
    assert answer["Status"] == "SUCCESS"
    assert function.calls == []


def test_a_cluster_that_comes_up_late_is_waited_for_across_invocations(function):
    function.results = [TryLater("not yet")] * 60 + [["aws-alb"]]
    answer = run(function, request())
    assert answer["Status"] == "SUCCESS"
    assert function.handed_on >= 2


def test_a_cluster_that_never_comes_is_an_answer_before_cloudformation_gives_up(function):
    function.results = [TryLater("no route to host")]
    began = function.clock.now
    answer = run(function, request())
    assert answer["Status"] == "FAILED"
    assert "no route to host" in answer["Reason"]
    assert function.clock.now - began < 1800


def test_a_role_not_known_yet_is_waited_for_but_not_for_long(function):
    function.results = [ClusterNeedsFixing("403: no permissions")]
    began = function.clock.now
    answer = run(function, request())
    assert answer["Status"] == "FAILED"
    assert "no permissions" in answer["Reason"]
    assert 60 <= function.clock.now - began <= 150


def test_a_setting_that_makes_no_sense_is_answered_at_once(function):
    function.results = [ConfigurationError("IndexPeriod is 'day', but indexes of 'month' live")]
    began = function.clock.now
    answer = run(function, request())
    assert answer["Status"] == "FAILED"
    assert "IndexPeriod is 'day'" in answer["Reason"]
    assert function.clock.now == began


def test_a_log_bucket_that_the_deployment_writes_to_is_refused(function, monkeypatch):
    monkeypatch.setenv("LOG_BUCKET", "rejects")
    monkeypatch.setenv("OWN_BUCKETS", "rejects")
    answer = run(function, request())
    assert answer["Status"] == "FAILED"
    assert "LogBucketName must not be 'rejects'" in answer["Reason"]


def test_a_missing_setting_is_answered(function, monkeypatch):
    monkeypatch.delenv("OPENSEARCH_ENDPOINT")
    answer = run(function, request())
    assert answer["Status"] == "FAILED"
    assert "OPENSEARCH_ENDPOINT" in answer["Reason"]


def test_a_layer_for_another_processor_is_answered_saying_what_to_do(function, monkeypatch):
    monkeypatch.setitem(sys.modules, "servicelogs.opensearch.set_up_function", None)
    answer = run(function, request())
    assert answer["Status"] == "FAILED"
    assert "ARCHITECTURE" in answer["Reason"]


def test_an_error_nobody_thought_of_is_answered(function):
    function.results = [RuntimeError("surprise")]
    assert run(function, request())["Status"] == "FAILED"


@pytest.fixture
def mapped(function, monkeypatch):
    """Note in which order roles are let in and templates are put, and with which credentials."""
    steps, put = [], function.results
    put.append(["aws-alb"])

    def connect(search):
        return f"{search.auth} {search.secret_arn}".strip()

    def allow(master, access):
        steps.append(("allow", master, access))

    def withdraw(master, name):
        steps.append(("withdraw", master, name))

    monkeypatch.setattr("servicelogs.opensearch.client.connect", connect)
    monkeypatch.setattr("servicelogs.opensearch.access.connect", connect)
    monkeypatch.setattr("servicelogs.opensearch.access.allow", allow)
    monkeypatch.setattr("servicelogs.opensearch.access.withdraw", withdraw)
    return steps


def test_roles_are_let_in_by_the_master_user_before_the_setup_signs_in_by_itself(function, mapped):
    answer = run(function, request(ResourceProperties={"Access": ACCESS}))
    assert answer["Status"] == "SUCCESS"
    access = Access(
        name="service-logs-1",
        index_prefix="aws",
        indexing_roles=["arn:indexes"],
        set_up_roles=["arn:sets-up"],
        deleting_roles=[],
    )
    assert mapped == [("allow", f"basic {ACCESS['MasterSecretArn']}", access)]
    ((client, *_),) = function.calls
    assert client == "none"


def test_no_role_is_let_in_without_the_secret_of_a_master_user(function, mapped):
    run(function, request())
    function.answers.clear()
    run(function, request("Delete"))
    assert mapped == []


def test_delete_takes_the_access_away(function, mapped):
    run(function, request("Delete", ResourceProperties={"Access": ACCESS}))
    assert mapped == [("withdraw", f"basic {ACCESS['MasterSecretArn']}", "service-logs-1")]


def test_an_update_without_the_secret_keeps_what_it_mapped(function, mapped):
    """The functions go on as they are let in: without their roles the update would fail."""
    before = {"Access": ACCESS}
    answer = run(function, request("Update", OldResourceProperties=before))
    assert answer["Status"] == "SUCCESS"
    assert mapped == []


@pytest.mark.parametrize(
    ("guard", "says"),
    [
        (Guard.SECURITY_PLUGIN, 'rolesmapping/service-logs-1-setting-up {"backend_roles":["arn:s'),
        (Guard.DOMAIN_POLICY, f'"Resource":"{ACCESS["EngineArn"]}/*"'),
        (Guard.COLLECTION_POLICY, "data access policy service-logs-1 lets in arn:sets-up"),
    ],
)
def test_a_refusal_is_answered_with_what_lets_the_roles_in(function, guard, says):
    function.results = [NotPermitted("OpenSearch answers 403", "", guard)]
    reason = run(function, request())["Reason"]
    assert reason.startswith(
        "OpenSearch was not set up: ClusterNeedsFixing: OpenSearch answers 403"
    )
    assert says in reason


@pytest.fixture
def secret(monkeypatch):
    """Say that there is a secret with a user's name; note who reads it."""
    arn, read = "arn:aws:secretsmanager:eu-west-1:111122223333:secret:writer", []

    def password(secret_arn, session):
        read.append(secret_arn)
        return SimpleNamespace(user="writer")

    monkeypatch.setattr("servicelogs.opensearch.access.SecretPassword", password)
    monkeypatch.setenv("OPENSEARCH_SECRET_ARN", arn)
    return read


def test_who_signs_in_by_name_is_named_instead_of_the_roles(function, secret, monkeypatch):
    monkeypatch.setenv("OPENSEARCH_AUTH", "basic")
    function.results = [NotPermitted("OpenSearch answers 403", "", Guard.SECURITY_PLUGIN)]
    reason = run(function, request())["Reason"]
    assert 'rolesmapping/service-logs-1-setting-up {"users":["writer"]}' in reason
    assert "--disable-rollback" not in reason


def test_a_secret_that_nobody_signs_in_with_is_not_read(function, secret, monkeypatch):
    """The role has no right to, unless OpenSearchAuth is basic."""
    monkeypatch.setenv("OPENSEARCH_AUTH", "sigv4")
    function.results = [NotPermitted("OpenSearch answers 403", "", Guard.SECURITY_PLUGIN)]
    assert '"backend_roles":["arn:sets-up"]' in run(function, request())["Reason"]
    assert secret == []


def test_roles_that_wait_to_be_mapped_are_named_with_what_they_import(function, monkeypatch):
    monkeypatch.setenv("DASHBOARDS_ENDPOINT", "https://search.example/_dashboards")
    function.results = [NotPermitted("OpenSearch answers 403", "", Guard.SECURITY_PLUGIN)]
    assert "service-logs-1-importing" in run(function, request())["Reason"]


@pytest.mark.parametrize(
    "error", [TryLater("nobody is there"), ConfigurationError("the secret is gone")]
)
def test_delete_succeeds_where_the_domain_cannot_be_reached(function, mapped, monkeypatch, error):
    def fail(*_):
        raise error

    monkeypatch.setattr("servicelogs.opensearch.access.withdraw", fail)
    answer = run(function, request("Delete", ResourceProperties={"Access": ACCESS}))
    assert answer["Status"] == "SUCCESS"


def test_delete_succeeds_where_a_layer_cannot_be_imported(function, monkeypatch):
    monkeypatch.setitem(sys.modules, "servicelogs.opensearch.access", None)
    assert run(function, request("Delete"))["Status"] == "SUCCESS"


def test_a_domain_that_does_not_know_its_master_user_yet_is_waited_for(
    function, mapped, monkeypatch
):
    answers = [ClusterNeedsFixing("401"), TryLater("503"), None]

    def allow(*_):
        if error := answers.pop(0):
            raise error

    monkeypatch.setattr("servicelogs.opensearch.access.allow", allow)
    answer = run(function, request(ResourceProperties={"Access": ACCESS}))
    assert answer["Status"] == "SUCCESS"
    assert answers == []
