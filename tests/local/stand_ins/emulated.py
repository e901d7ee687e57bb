"""Parts of an emulated account, in this process: roles, streams, log groups, what S3 was given."""

import base64
import gzip
import json
from typing import Any

from ministack.services import cloudwatch_logs, firehose, iam, kinesis, stepfunctions

ACCOUNT, REGION = "000000000000", "us-east-1"
GROUP = "/aws/lambda/shop"


def role(name: str, service: str, action: str, resource: str) -> str:
    """Make a role that a service may take for this account, to do one thing."""
    trust = {
        "Effect": "Allow",
        "Principal": {"Service": service},
        "Action": "sts:AssumeRole",
        "Condition": {"StringLike": {"aws:SourceArn": f"arn:aws:*:*:{ACCOUNT}:*"}},
    }
    if service == "lambda.amazonaws.com":
        del trust["Condition"]
    allowed = {"Effect": "Allow", "Action": action, "Resource": resource}
    iam._roles[name] = {
        "AssumeRolePolicyDocument": json.dumps({"Statement": [trust]}),
        "InlinePolicies": {"p": json.dumps({"Statement": [allowed]})},
        "AttachedPolicies": [],
    }
    return f"arn:aws:iam::{ACCOUNT}:role/{name}"


def stream(name: str = "logs", shards: int = 1) -> str:
    """Make a Kinesis stream."""
    kinesis._create_stream({"StreamName": name, "ShardCount": shards})
    kinesis._streams[name]["StreamStatus"] = "ACTIVE"
    return f"arn:aws:kinesis:{REGION}:{ACCOUNT}:stream/{name}"


def records(name: str = "logs") -> list[bytes]:
    """Read what a stream holds."""
    shards = kinesis._streams[name]["shards"].values()
    return [base64.b64decode(one["Data"]) for shard in shards for one in shard["records"]]


def envelopes(data: list[bytes]) -> list[dict[str, Any]]:
    """Read the messages of CloudWatch Logs that say more than that a destination is reached."""
    messages = [json.loads(gzip.decompress(one)) for one in data]
    return [one for one in messages if one["messageType"] == "DATA_MESSAGE"]


def group(name: str = GROUP) -> str:
    """Make a log group."""
    cloudwatch_logs._create_log_group({"logGroupName": name})
    return name


def forget() -> None:
    """Empty the account."""
    iam._roles.clear()
    for service in (cloudwatch_logs, kinesis, firehose, stepfunctions):
        service.reset()
