"""Run a function in a process of its own, as Lambda does, with secrets and hostile keys.

`python -m tests.functions.run_function NAME`; the environment is the function's.
"""

import importlib.util
import json
import logging
import os
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from types import ModuleType
from typing import Any

import boto3
from moto import mock_aws

from servicelogs import formats
from servicelogs.lake import names
from servicelogs.opensearch.client import connect
from servicelogs.opensearch.setup import set_up
from servicelogs.settings import IndexSettings, SearchSettings, read_settings
from tests.deployment import BACKUP, LOGS, Deployment, flow_key, flow_lines
from tests.functions.test_index_functions import Context
from tests.lake import lake_world
from tests.lake.lake_world import World
from tests.sources.envelopes import envelope
from tests.sources.stream_events import compressed, stream_event

ROOT = Path(__file__).parents[2]
SECRETS = {
    "AWS_SECRET_ACCESS_KEY": "secret-access-key-of-the-role",  # pragma: allowlist secret - made up
    "AWS_SESSION_TOKEN": "session-token-of-the-role",
    "password": "password-of-the-engine",  # pragma: allowlist secret - made up
    "X-Amz-Signature": "signature-of-the-answer",
}
FORGED = '"}\n{"level": "FORGED"}\r\n\u2028{"level": "FORGED"}\u0085\x1b[2J\x1b[31m'
"""Ends lines in each way that some reader knows, and clears a terminal."""


class Hostile:
    """Fails, wherever a function looks, with another library's error that quotes a key."""

    def __getattr__(self, _: str) -> Any:
        raise RuntimeError(FORGED)


class Answers(BaseHTTPRequestHandler):
    """Takes what is answered to CloudFormation."""

    def do_PUT(self) -> None:
        self.rfile.read(int(self.headers["Content-Length"]))
        self.send_response(200)
        self.end_headers()

    def log_message(self, *_: Any) -> None:
        pass


def load(name: str) -> ModuleType:
    spec = importlib.util.spec_from_file_location(name, ROOT / "functions" / name / "app.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def run(name: str, *events: dict[str, Any]) -> None:
    """Run a function; what it raises is written as the runtime does, the message as it is."""
    app = load(name)
    for event, context in [*((event, Context()) for event in events), ({}, Hostile())]:
        try:
            app.lambda_handler(event, context)
        except Exception as error:  # noqa: BLE001 - whatever it is
            sys.stdout.write(f"[ERROR] {type(error).__name__}: {error}\n")


@contextmanager
def cloudformation() -> Iterator[str]:
    """Give the address that answers are sent to."""
    server = HTTPServer(("127.0.0.1", 0), Answers)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}/?X-Amz-Signature={SECRETS['X-Amz-Signature']}"
    server.shutdown()


def custom_resource(address: str, **properties: Any) -> dict[str, Any]:
    return {
        "RequestType": "Create",
        "ResponseURL": address,
        "StackId": "stack",
        "RequestId": "request",
        "LogicalResourceId": "resource",
        "ResourceType": "Custom::BucketNotification",
        "ResourceProperties": properties,
    }


def messages(deployment: Deployment) -> Iterator[dict[str, Any]]:
    """Give events of good, unknown, skipped and missing objects and of a message that is none."""
    good, unknown, empty = (flow_key(name + FORGED) for name in "abc")
    deployment.put(good, flow_lines(5, bad=(2,)) + FORGED.encode())
    deployment.put(unknown := f"unknown/{FORGED}", FORGED.encode())
    deployment.s3.put_object(Bucket=LOGS, Key=empty, Body=b"")
    deployment.notify(good, unknown, empty, flow_key("missing" + FORGED))
    deployment.send(FORGED)
    yield {"Records": deployment.receive()}
    deployment.send(FORGED)
    yield {"Records": deployment.receive()}


def batches() -> Iterator[dict[str, Any]]:
    """Give a batch of a stream with good and unknown records, and such as cannot be read."""
    flows = flow_lines(5, bad=(2,)).decode().splitlines()[1:]
    named = {"logGroup": FORGED, "logStream": FORGED}
    odd = (envelope(FORGED, **named), envelope("cut")[:-5], FORGED.encode(), b"\x1f\x8b")
    yield stream_event(compressed(envelope(*flows, **named)), *odd)


def subscriptions() -> Iterator[dict[str, Any]]:
    """Give what is asked of subscriptions: of a log group that is there, and of a forged name."""
    boto3.client("logs").create_log_group(logGroupName="shop")
    stream = boto3.client("kinesis")
    stream.create_stream(StreamName="logs", ShardCount=1)
    arn = stream.describe_stream_summary(StreamName="logs")["StreamDescriptionSummary"]["StreamARN"]
    for group in ("shop", FORGED):
        yield {
            "LogGroupNames": [group],
            "DestinationArn": arn,
            "RoleArn": "arn:aws:iam::123456789012:role/logs",
            "EmitSystemFields": ["@aws.region"],
            "OwnLogGroups": [],
            "OwnPrefix": "service-logs-",
        }


def enqueueing() -> Iterator[dict[str, Any]]:
    """Ask for all objects of the log bucket, and for those of a forged one."""
    for bucket in (LOGS, FORGED):
        yield {"asked": {"bucket": bucket, "prefix": "", "engine": "OpenSearch"}, "progress": {}}


def lake_events(name: str) -> list[dict[str, Any]]:
    """Give events of one of the lake's functions: over objects with forged keys, some of them gone.

    What they are about is made here.
    """
    queue_url = boto3.client("sqs").create_queue(QueueName="objects")["QueueUrl"]
    world = World.in_moto()
    os.environ |= {
        "BACKUP_BUCKET": lake_world.BACKUP,
        "QUEUE_URL": queue_url,
        "STAGING_BUCKET": lake_world.STAGING,
        "LAKE_BUCKET": lake_world.LAKE,
        "LEDGER_TABLE": lake_world.LEDGER,
        "GLUE_DATABASE": lake_world.DATABASE,
        "ATHENA_WORK_GROUP": "primary",
        "ACCOUNT_ID": "123456789012",
        "DEFAULT_ACCOUNT_ID": "123456789012",
        "DEFAULT_REGION": "us-east-1",
    }
    key = f"firehose/{FORGED}"
    world.s3.put_object(Bucket=lake_world.LOGS, Key=key, Body=b"a\nalb 2026-11-20")
    objects = [{"bucket": lake_world.LOGS, "key": one} for one in (key, f"missing{FORGED}")]
    bodies = [*map(json.dumps, objects), FORGED]
    messages = [
        {
            "messageId": str(number),
            "receiptHandle": "handle",
            "attributes": {"ApproximateReceiveCount": "1"},
            "body": body,
        }
        for number, body in enumerate(bodies)
    ]
    events: dict[str, list[dict[str, Any]]] = {"stage_logs": [{"Records": messages}]}
    asked = {"execution": FORGED}
    events["plan_batches"] = [{"entered": FORGED, **asked}]
    if name != "stage_logs":
        world.stage(key)
    if name in {"convert_batch", "split_batch", "publish_table"}:
        (batch,) = world.plan(FORGED)
        events["convert_batch"] = [{"batch": one, **asked} for one in (batch, FORGED)]
        error = {"Error": FORGED, "Cause": FORGED}
        events["split_batch"] = [{"batch": one, "error": error, **asked} for one in (batch, FORGED)]
        if name == "publish_table":
            world.convert(batch)
            world.lake.staging.delete_all(names.OUT)
        events["publish_table"] = [{"table": one, **asked} for one in ("alb", FORGED)]
    partition = {"table": "alb", "account_id": FORGED, "region": FORGED, "event_day": FORGED}
    events["compact_partition"] = [{**partition, **asked}]
    events["pick_partitions"] = [{"asked": {"table": one}, **asked} for one in ("alb", FORGED)]
    return events.get(name, [asked])


def main(name: str) -> None:
    """Run the function with events for it."""
    of_lake = "servicelogs.lake" in (ROOT / "functions" / name / "app.py").read_text()
    events = lake_events(name) if of_lake else []
    # As Lambda's runtime sets logging up: a handler of the root, whose level stays WARNING.
    logging.getLogger().addHandler(logging.StreamHandler(sys.stdout))
    if of_lake and name != "set_up_lake":
        run(name, *events)
        return
    deployment = Deployment.make()
    secret = json.dumps({"username": "user", "password": SECRETS["password"]})
    arn = boto3.client("secretsmanager").create_secret(Name="engine", SecretString=secret)["ARN"]
    os.environ |= {
        "OPENSEARCH_AUTH": "basic",
        "OPENSEARCH_SECRET_ARN": arn,
        "BACKUP_BUCKET": BACKUP,
        "QUEUE_URL": deployment.queue_url,
        "ACCOUNT_ID": "123456789012",
        "DEFAULT_ACCOUNT_ID": "123456789012",
        "DEFAULT_REGION": "us-east-1",
        "NOTIFICATION_ID": "ours",
        "FILTER_NAME": "ours",
    }
    if name.startswith("index_"):
        set_up(connect(read_settings(SearchSettings)), read_settings(IndexSettings), formats.NAMES)
        run(name, *(batches() if name == "index_stream_logs" else messages(deployment)))
        return
    if name == "enqueue_objects":
        arn = "arn:aws:sqs:us-east-1:123456789012:objects"
        os.environ |= {"LOG_BUCKET": LOGS, "OPENSEARCH_QUEUE_ARN": arn}
        deployment.put(flow_key("old" + FORGED), flow_lines(5))
        run(name, *enqueueing())
        return
    if name == "delete_expired_indexes":
        os.environ["DELETE_AFTER_DAYS"] = "30"
        run(name, {"detail": FORGED})
        return
    with cloudformation() as address:
        if name == "set_up_lake":
            run(name, custom_resource(address), {**custom_resource(address), "RequestType": FORGED})
            return
        if name == "subscribe_log_groups":
            run(name, *(custom_resource(address, **one) for one in subscriptions()))
            return
        run(
            name,
            custom_resource(address, BucketName=LOGS, QueueArn="arn:aws:sqs:us-east-1:1:none"),
            custom_resource(address, BucketName=FORGED, QueueArn=FORGED),
        )


if __name__ == "__main__":
    with mock_aws():
        main(*sys.argv[1:])
