"""Whatever becomes of the subscriptions, CloudFormation gets an answer."""

import importlib.util
import sys
from pathlib import Path

import boto3
import pytest

from tests.functions.test_index_functions import Context

APP = Path(__file__).parents[2] / "functions" / "subscribe_log_groups" / "app.py"
GROUP = "/aws/lambda/shop"


@pytest.fixture
def app(aws, monkeypatch):
    monkeypatch.setenv("FILTER_NAME", "service-logs-0123456789ab")
    boto3.client("logs").create_log_group(logGroupName=GROUP)
    boto3.client("kinesis").create_stream(StreamName="logs", ShardCount=1)
    spec = importlib.util.spec_from_file_location("subscribe_log_groups", APP)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def custom_resource(kind, group=GROUP):
    return {
        "RequestType": kind,
        "ResourceProperties": {
            "LogGroupNames": [group],
            "DestinationArn": "arn:aws:kinesis:us-east-1:123456789012:stream/logs",
            "RoleArn": "arn:aws:iam::123456789012:role/logs",
            "EmitSystemFields": ["@aws.region"],
            "OwnLogGroups": [""],
            "OwnPrefix": "service-logs-",
        },
        "ResponseURL": "https://answer.example/here",
        "StackId": "stack",
        "RequestId": "request",
        "LogicalResourceId": "Subscriptions",
    }


def test_success_is_answered_with_the_filters_name(app, answered):
    app.lambda_handler(custom_resource("Create"), Context())
    (answer,) = answered
    assert answer["Status"] == "SUCCESS"
    assert answer["PhysicalResourceId"] == "service-logs-0123456789ab"


def test_a_refusal_is_answered_with_its_reason(app, answered):
    app.lambda_handler(custom_resource("Create", "service-logs-IndexLogGroup"), Context())
    (answer,) = answered
    assert answer["Status"] == "FAILED"
    assert "'service-logs-IndexLogGroup' belongs to this deployment" in answer["Reason"]


def test_a_module_that_cannot_be_imported_is_answered(app, answered, monkeypatch):
    monkeypatch.setitem(sys.modules, "servicelogs.sources.log_subscriptions", None)
    app.lambda_handler(custom_resource("Create"), Context())
    assert answered[0]["Status"] == "FAILED"


def test_a_failed_create_can_be_deleted(app, answered):
    """CloudFormation rolls back with the physical id of the failed answer."""
    app.lambda_handler(
        custom_resource("Delete") | {"PhysicalResourceId": "Subscriptions"}, Context()
    )
    assert answered[0]["Status"] == "SUCCESS"
