"""The handler of enqueue_objects as its state machine calls it, with the sample event."""

import importlib.util
import json
from pathlib import Path
from types import ModuleType

import boto3
import pytest

from local import sample_events
from tests.functions.test_index_functions import Context

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parents[2]
EVENT = json.loads((ROOT / "events/enqueue-alb.json").read_text())


def load(monkeypatch: pytest.MonkeyPatch, queue_url: str) -> ModuleType:
    """Load the function's module as in a new process."""
    attributes = boto3.client("sqs").get_queue_attributes(
        QueueUrl=queue_url, AttributeNames=["QueueArn"]
    )
    monkeypatch.setenv("ACCOUNT_ID", "123456789012")
    monkeypatch.setenv("LOG_BUCKET", sample_events.BUCKET)
    monkeypatch.setenv("OPENSEARCH_QUEUE_ARN", attributes["Attributes"]["QueueArn"])
    monkeypatch.setenv("POWERTOOLS_METRICS_NAMESPACE", "ServiceLogs")
    monkeypatch.setenv("POWERTOOLS_SERVICE_NAME", "enqueue_objects")
    path = ROOT / "functions/enqueue_objects/app.py"
    spec = importlib.util.spec_from_file_location("enqueue_objects", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_sample_event_sends_objects_to_the_queue_by_its_arn(
    aws: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    s3, sqs = boto3.client("s3"), boto3.client("sqs")
    s3.create_bucket(Bucket=sample_events.BUCKET)
    keys = [sample_events.KEYS["alb"], sample_events.KEYS["cloudtrail"]]
    for key in keys:
        s3.put_object(Bucket=sample_events.BUCKET, Key=key, Body=b"x")
    queue_url = sqs.create_queue(QueueName="objects")["QueueUrl"]
    function = load(monkeypatch, queue_url)
    event = EVENT | {"asked": EVENT["asked"] | {"modifiedSince": "2020-01-01"}}

    answer = function.lambda_handler(event, Context())

    assert (answer["listed"], answer["sent"], answer["more"]) == (1, 1, False)
    assert answer["startAfter"] == keys[0]
    (message,) = sqs.receive_message(QueueUrl=queue_url)["Messages"]
    assert json.loads(message["Body"]) == {"bucket": sample_events.BUCKET, "key": keys[0]}


def test_the_sample_event_asks_for_what_is_of_this_deployment(
    aws: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    boto3.client("s3").create_bucket(Bucket=sample_events.BUCKET)
    queue_url = boto3.client("sqs").create_queue(QueueName="objects")["QueueUrl"]

    answer = load(monkeypatch, queue_url).lambda_handler(EVENT, Context())

    assert (answer["listed"], answer["more"]) == (0, False)
