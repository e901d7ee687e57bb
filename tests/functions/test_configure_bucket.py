"""Whatever becomes of the bucket's notification, CloudFormation gets an answer."""

import importlib.util
import sys
from pathlib import Path

import pytest

from tests.functions.test_index_functions import Context
from tests.sources.notified_bucket import BUCKET, ID, entry, make_bucket, make_queue, request

APP = Path(__file__).parents[2] / "functions" / "configure_bucket" / "app.py"


@pytest.fixture
def app(monkeypatch):
    monkeypatch.setenv("NOTIFICATION_ID", ID)
    spec = importlib.util.spec_from_file_location("configure_bucket", APP)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def bucket(aws):
    return make_bucket()


@pytest.fixture
def queue(aws):
    return make_queue("ours")


def custom_resource(kind, resource_type="Custom::BucketNotification", **properties):
    return request(kind, **properties) | {
        "ResourceType": resource_type,
        "ResponseURL": "https://answer.example/here",
        "StackId": "stack",
        "RequestId": "request",
        "LogicalResourceId": "QueueNotification",
    }


def test_success_is_answered_with_the_physical_id(app, bucket, queue, answered):
    app.lambda_handler(custom_resource("Create", QueueArn=queue), Context())
    (answer,) = answered
    assert answer["Status"] == "SUCCESS"
    assert answer["PhysicalResourceId"] == f"{BUCKET}/{ID}"
    assert answer["StackId"] == "stack"
    assert answer["RequestId"] == "request"
    assert answer["LogicalResourceId"] == "QueueNotification"


def test_a_refusal_is_answered_with_its_reason(app, bucket, queue, answered):
    other = make_queue("other")
    theirs = {"QueueConfigurations": [entry(arn=other, own_id="siem-forwarder")]}
    bucket.put_bucket_notification_configuration(Bucket=BUCKET, NotificationConfiguration=theirs)
    app.lambda_handler(custom_resource("Create", QueueArn=queue), Context())
    (answer,) = answered
    assert answer["Status"] == "FAILED"
    assert "siem-forwarder" in answer["Reason"]
    assert answer["PhysicalResourceId"]


def test_a_module_that_cannot_be_imported_is_answered(app, answered, monkeypatch):
    monkeypatch.setitem(sys.modules, "servicelogs.sources.bucket_notifications", None)
    app.lambda_handler(custom_resource("Create"), Context())
    assert answered[0]["Status"] == "FAILED"


def test_a_request_without_a_destination_is_answered(app, bucket, answered):
    app.lambda_handler(custom_resource("Create"), Context())
    assert answered[0]["Status"] == "FAILED"
    assert "QueueArn" in answered[0]["Reason"]


def test_a_failed_create_can_be_deleted(app, bucket, queue, answered):
    """CloudFormation rolls back with the physical id of the failed answer."""
    event = custom_resource("Delete", QueueArn=queue)
    event["PhysicalResourceId"] = "QueueNotification"
    app.lambda_handler(event, Context())
    assert answered[0]["Status"] == "SUCCESS"


def test_a_policy_is_edited_by_the_same_function(app, bucket, answered):
    statement = {
        "Sid": "Reads",
        "Effect": "Allow",
        "Principal": {"AWS": "arn:aws:iam::111122223333:root"},
        "Action": "s3:GetObject",
        "Resource": f"arn:aws:s3:::{BUCKET}/*",
    }
    event = custom_resource("Create", "Custom::BucketPolicy", Statements=[statement])
    app.lambda_handler(event, Context())
    assert answered[0]["Status"] == "SUCCESS"
    assert answered[0]["PhysicalResourceId"] == f"{BUCKET}/policy/{ID}"
    assert "Reads0123456789ab" in bucket.get_bucket_policy(Bucket=BUCKET)["Policy"]


def test_a_kind_of_resource_that_is_not_known_is_answered(app, bucket, answered):
    app.lambda_handler(custom_resource("Create", "Custom::Other"), Context())
    assert answered[0]["Status"] == "FAILED"
