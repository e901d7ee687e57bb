"""The lake's handlers as Lambda and Step Functions call them, against emulated AWS."""

from __future__ import annotations

import importlib.util
import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import boto3
import pytest

from servicelogs.errors import ConfigurationError, EveryItemFailed
from servicelogs.lake import names
from tests.functions.test_index_functions import Context, metrics
from tests.lake.lake_world import BACKUP, DATABASE, LAKE, LEDGER, LOGS, STAGING, World

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parents[2]
FUNCTIONS = (
    "stage_logs",
    "plan_batches",
    "split_batch",
    "list_tables",
    "publish_table",
    "expire_partitions",
)
DAY = "2026-11-20"


@pytest.fixture
def queue_url(aws: None) -> str:
    return str(boto3.client("sqs").create_queue(QueueName="objects")["QueueUrl"])


@pytest.fixture
def moto_world(aws: None) -> World:
    return World.in_moto()


@pytest.fixture
def load(
    moto_world: World, queue_url: str, monkeypatch: pytest.MonkeyPatch
) -> Callable[[str], ModuleType]:
    """Load a function's module as in a new process."""
    for variable, value in {
        "STAGING_BUCKET": STAGING,
        "LAKE_BUCKET": LAKE,
        "LEDGER_TABLE": LEDGER,
        "GLUE_DATABASE": DATABASE,
        "BACKUP_BUCKET": BACKUP,
        "QUEUE_URL": queue_url,
        "ACCOUNT_ID": "123456789012",
    }.items():
        monkeypatch.setenv(variable, value)

    def load(name: str) -> ModuleType:
        spec = importlib.util.spec_from_file_location(name, ROOT / f"functions/{name}/app.py")
        assert spec
        assert spec.loader
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
        return module

    return load


@pytest.fixture
def execution(aws: None) -> str:
    """Start an execution."""
    stepfunctions = boto3.client("stepfunctions")
    machine = stepfunctions.create_state_machine(
        name="convert_logs",
        definition=json.dumps(
            {"StartAt": "A", "States": {"A": {"Type": "Wait", "Seconds": 1, "End": True}}}
        ),
        roleArn="arn:aws:iam::123456789012:role/convert",
    )["stateMachineArn"]
    arn: str = stepfunctions.start_execution(stateMachineArn=machine)["executionArn"]
    return arn


def send(queue_url: str, *bodies: str) -> list[dict[str, Any]]:
    """Send messages, and receive them as the function does."""
    sqs = boto3.client("sqs")
    for body in bodies:
        sqs.send_message(QueueUrl=queue_url, MessageBody=body)
    answer = sqs.receive_message(QueueUrl=queue_url, MaxNumberOfMessages=10, AttributeNames=["All"])
    return [
        {
            "messageId": message["MessageId"],
            "receiptHandle": message["ReceiptHandle"],
            "body": message["Body"],
            "attributes": message["Attributes"],
        }
        for message in answer["Messages"]
    ]


def about(key: str) -> str:
    return json.dumps({"bucket": LOGS, "key": key})


def test_a_run_goes_from_messages_to_rows(load, moto_world, queue_url, execution, capsys):
    world = moto_world
    good, bad = world.deliver("a", f"alb {DAY}", "rejected"), world.deliver("b", "bad")
    records = send(queue_url, about(good), about(bad))
    assert load("stage_logs").lambda_handler({"Records": records}, Context()) == {
        "batchItemFailures": []
    }
    assert metrics(capsys.readouterr().out)[""]["Staged"] == 2

    asked = {"execution": execution, "entered": "2026-11-20T08:15:00Z"}
    planned = load("plan_batches").lambda_handler(asked, Context())
    assert (planned["batches"], planned["more"]) == (1, False)
    assert planned["manifest"]["bucket"] == STAGING
    assert metrics(capsys.readouterr().out)[""]["Batches"] == 1
    body = world.s3.get_object(Bucket=STAGING, Key=planned["manifest"]["key"])["Body"].read()
    ((batch,),) = [one.values() for one in json.loads(body)]

    failed = {"batch": batch, "error": {"Error": "BadObject"}, **asked}
    split = load("split_batch")
    assert split.lambda_handler(failed, Context()) == {"state": "SPLIT"}
    left = load("list_tables").lambda_handler(asked, Context())
    assert left == {"tables": [], "failed": False}

    capsys.readouterr()
    for child in names.children(batch, 2):
        if world.lake.ledger.claims([world.claim(bad)["pk"][7:]]).popitem()[1].batch == child:
            answer = split.lambda_handler({**failed, "batch": child}, Context())
            assert answer == {"state": "QUARANTINED"}
            assert metrics(capsys.readouterr().out)[""]["QuarantinedObjects"] == 1
        else:
            world.convert(child)
    listed = load("list_tables").lambda_handler(asked, Context())
    assert listed == {"tables": ["alb"], "failed": False}
    for table in listed["tables"]:
        event = {"table": table, **asked}
        answer = load("publish_table").lambda_handler(event, Context())
        assert answer == {"state": "DONE", "failed": False}
    published = metrics(capsys.readouterr().out)
    assert published["alb"]["Rows"] == 1
    assert world.rows("alb") == {f"{DAY} a:1": 1}
    assert load("expire_partitions").lambda_handler(asked, Context()) == {"state": "DONE"}


def test_a_batch_that_was_left_is_reported(load, moto_world, execution):
    moto_world.stage(moto_world.deliver("a", f"alb {DAY}"))
    asked = {"execution": execution, "entered": "2026-11-20T08:15:00Z"}
    load("plan_batches").lambda_handler(asked, Context())
    assert load("list_tables").lambda_handler(asked, Context())["failed"] is True


def test_only_the_messages_that_failed_are_reported_and_wait(load, moto_world, queue_url):
    records = send(queue_url, about(moto_world.deliver("a")), "not a notification")
    (bad,) = (one["messageId"] for one in records if one["body"] == "not a notification")
    answer = load("stage_logs").lambda_handler({"Records": records}, Context())
    assert answer == {"batchItemFailures": [{"itemIdentifier": bad}]}


def test_an_outage_is_an_error_of_the_function_and_slows_it_down(
    load, moto_world, queue_url, monkeypatch
):
    records = send(queue_url, about(moto_world.deliver("a")))
    boto3.client("dynamodb").delete_table(TableName=LEDGER)
    app, waits = load("stage_logs"), []
    monkeypatch.setattr(app.function._queue, "postpone", lambda delays: waits.extend(delays))
    with pytest.raises(EveryItemFailed, match="ResourceNotFound"):
        app.lambda_handler({"Records": records}, Context())
    ((_, seconds),) = waits
    assert 30 <= seconds <= 90


@pytest.mark.parametrize("name", FUNCTIONS)
def test_a_function_says_which_setting_is_missing(name, load, monkeypatch):
    monkeypatch.delenv("STAGING_BUCKET")
    with pytest.raises(ConfigurationError, match="STAGING_BUCKET must be set"):
        load(name)


def test_steps_that_write_no_parquet_do_not_load_what_does():
    code = (
        "import sys\n"
        "from servicelogs.lake import clean, expire, plan, prepare, publish, split, stage, swap\n"
        "print(*sys.modules)"
    )
    printed = subprocess.check_output(
        [sys.executable, "-c", code],
        env={"PYTHONPATH": str(ROOT / "layers" / "service_logs")},
        text=True,
    )
    loaded = {name.split(".")[0] for name in printed.split()}
    assert not loaded & {"awswrangler", "pyarrow", "pandas", "numpy", "opensearchpy"}
