"""Samples of CloudTrail events."""

import json
import random
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

from local.sample_logs import ACCOUNT, REGION, SampleEvents, SampleObject, gzipped
from local.sample_logs.clients import address, hexadecimal

_START = datetime(2026, 11, 20, 8, 10, tzinfo=UTC)
_USERS = ("alice", "bob", "deploy", "backup", "audit")


def generate(records: int, rng: random.Random, seconds: int = 300) -> bytes:
    return _document([_event(rng, seconds) for _ in range(records)])


def objects(rng: random.Random) -> Iterator[SampleObject]:
    yield SampleObject(
        "cloudtrail", _key("", "0815Z_Ab3dE6gH9jKlMn0P"), gzipped(generate(200, rng)), 200
    )
    odd = [*_odd_events(rng)]
    pretty = json.dumps({"Records": odd}, indent=2).encode()
    yield SampleObject("cloudtrail", _key("", "0820Z_Qr5tU8wX1yZa2Bc3"), gzipped(pretty), len(odd))
    broken = _document([_event(rng) for _ in range(5)]).replace(b'"eventName"', b'"eventName', 1)
    yield SampleObject(
        "cloudtrail", _key("", "0825Z_De4fG7hJ0kLm3No6"), gzipped(broken), 5, rejected=1
    )
    insight = _document([_insight(rng)])
    yield SampleObject(
        "cloudtrail", _key("-Insight", "0830Z_Pq9rS2tU5vWx8Yz1"), gzipped(insight), 1
    )
    empty = _key("", "0835Z_Zz1yY2xX3wW4vV5u")
    yield SampleObject("cloudtrail", empty, gzipped(_document([])), 0)
    digest = json.dumps(
        {"awsAccountId": ACCOUNT, "digestStartTime": "2026-11-20T08:00:00Z", "logFiles": []}
    )
    yield SampleObject("cloudtrail", _digest_key(), gzipped(digest.encode()), 0)


def log_events(rng: random.Random) -> Iterator[SampleEvents]:
    moment = int(_START.timestamp() * 1000)
    messages = [json.dumps(_event(rng), separators=(",", ":")) for _ in range(100)]
    events = tuple((moment + number, message) for number, message in enumerate(messages))
    stream = f"{ACCOUNT}_CloudTrail_{REGION}"
    yield SampleEvents("cloudtrail", "aws-cloudtrail-logs-shop", stream, events)


def _key(kind: str, rest: str) -> str:
    kind = f"CloudTrail{kind}"
    name = f"{ACCOUNT}_{kind}_{REGION}_20261120T{rest}"
    return f"trail/AWSLogs/{ACCOUNT}/{kind}/{REGION}/2026/11/20/{name}.json.gz"


def _digest_key() -> str:
    name = f"{ACCOUNT}_CloudTrail-Digest_{REGION}_main_{REGION}_20261120T081500Z"
    return f"trail/AWSLogs/{ACCOUNT}/CloudTrail-Digest/{REGION}/2026/11/20/{name}.json.gz"


def _document(events: list[dict[str, Any]]) -> bytes:
    return json.dumps({"Records": events}, separators=(",", ":")).encode()


def _uuid(rng: random.Random) -> str:
    text = hexadecimal(rng, 32)
    return f"{text[:8]}-{text[8:12]}-4{text[13:16]}-8{text[17:20]}-{text[20:]}"


def _event(rng: random.Random, seconds: int = 300) -> dict[str, Any]:
    """An ordinary event: a role's call to one of a few services, sometimes denied."""
    make = rng.choice(
        (_describe_instances, _get_object, _assume_role, _put_parameter, _run_instances)
    )
    source, name, read_only, parameters, response, more = make(rng)
    user = rng.choice(_USERS)
    role = f"arn:aws:iam::{ACCOUNT}:role/{user}-role"
    denied = rng.random() < 0.08
    event: dict[str, Any] = {
        "eventVersion": "1.11",
        "userIdentity": {
            "type": "AssumedRole",
            "principalId": f"AROA{user.upper():X<17}:{user}",
            "arn": f"arn:aws:sts::{ACCOUNT}:assumed-role/{user}-role/{user}",
            "accountId": ACCOUNT,
            "accessKeyId": f"ASIA{hexadecimal(rng, 16).upper()}",
            "sessionContext": {
                "sessionIssuer": {
                    "type": "Role",
                    "principalId": f"AROA{user.upper():X<17}",
                    "arn": role,
                    "accountId": ACCOUNT,
                    "userName": f"{user}-role",
                },
                "attributes": {"creationDate": "2026-11-20T08:00:00Z", "mfaAuthenticated": "false"},
            },
        },
        "eventTime": f"{_START + timedelta(seconds=rng.randrange(seconds)):%Y-%m-%dT%H:%M:%SZ}",
        "eventSource": f"{source}.amazonaws.com",
        "eventName": name,
        "awsRegion": REGION,
        "sourceIPAddress": address(rng) if rng.random() < 0.9 else "cloudformation.amazonaws.com",
        "userAgent": "aws-cli/2.31.0 md/awscrt#0.27.6 ua/2.1 os/linux md/arch#x86_64 lang/python",
    }
    if denied:
        event["errorCode"] = "AccessDenied"
        event["errorMessage"] = (
            f"User: {event['userIdentity']['arn']} is not authorized to perform: {source}:{name}"
            " because no identity-based policy allows the action"
        )
    event |= {
        "requestParameters": parameters,
        "responseElements": None if denied else response,
        **more,
        "requestID": _uuid(rng),
        "eventID": _uuid(rng),
        "readOnly": read_only,
        "eventType": "AwsApiCall",
        "managementEvent": name != "GetObject",
        "recipientAccountId": ACCOUNT,
        "eventCategory": "Data" if name == "GetObject" else "Management",
        "tlsDetails": {
            "tlsVersion": "TLSv1.3",
            "cipherSuite": "TLS_AES_128_GCM_SHA256",
            "clientProvidedHostHeader": f"{source}.{REGION}.amazonaws.com",
        },
    }
    return event


_Call = tuple[str, str, bool, dict[str, Any], dict[str, Any] | None, dict[str, Any]]


def _describe_instances(rng: random.Random) -> _Call:
    instances = [{"instanceId": f"i-{hexadecimal(rng, 17)}"} for _ in range(rng.randrange(1, 6))]
    parameters = {"maxResults": 50, "instancesSet": {"items": instances}, "filterSet": {}}
    return "ec2", "DescribeInstances", True, parameters, None, {}


def _get_object(rng: random.Random) -> _Call:
    bucket = f"shop-assets-{rng.randrange(5)}"
    key = f"img/{rng.randrange(10_000)}.png"
    parameters = {"bucketName": bucket, "Host": f"{bucket}.s3.{REGION}.amazonaws.com", "key": key}
    more = {
        "additionalEventData": {
            "SignatureVersion": "SigV4",
            "CipherSuite": "TLS_AES_128_GCM_SHA256",
            "bytesTransferredIn": 0,
            "AuthenticationMethod": "AuthHeader",
            "x-amz-id-2": hexadecimal(rng, 64),
            "bytesTransferredOut": rng.randrange(1_000_000),
        },
        "resources": [
            {"type": "AWS::S3::Object", "ARN": f"arn:aws:s3:::{bucket}/{key}"},
            {"accountId": ACCOUNT, "type": "AWS::S3::Bucket", "ARN": f"arn:aws:s3:::{bucket}"},
        ],
    }
    return "s3", "GetObject", True, parameters, None, more


def _assume_role(rng: random.Random) -> _Call:
    role = f"arn:aws:iam::{ACCOUNT}:role/{rng.choice(_USERS)}-role"
    session = f"session-{rng.randrange(1000)}"
    credentials = {
        "accessKeyId": f"ASIA{hexadecimal(rng, 16).upper()}",
        "sessionToken": hexadecimal(rng, 320),
        "expiration": "Nov 20, 2026, 9:14:55 AM",
    }
    assumed = {"assumedRoleId": f"AROAEXAMPLE:{session}", "arn": f"{role}/{session}"}
    response = {"credentials": credentials, "assumedRoleUser": assumed}
    parameters = {"roleArn": role, "roleSessionName": session, "durationSeconds": 3600}
    more = {"resources": [{"accountId": ACCOUNT, "type": "AWS::IAM::Role", "ARN": role}]}
    return "sts", "AssumeRole", True, parameters, response, more


def _put_parameter(rng: random.Random) -> _Call:
    parameters = {"name": f"/shop/{rng.randrange(50)}", "type": "String", "overwrite": True}
    return (
        "ssm",
        "PutParameter",
        False,
        parameters,
        {"version": rng.randrange(90), "tier": "Standard"},
        {},
    )


def _run_instances(rng: random.Random) -> _Call:
    instance = {
        "instanceId": f"i-{hexadecimal(rng, 17)}",
        "imageId": "ami-0123456789abcdef0",
        "currentState": {"code": 0, "name": "pending"},
        "instanceType": "m7g.large",
        "placement": {"availabilityZone": f"{REGION}a", "tenancy": "default"},
        "privateIpAddress": f"10.0.0.{rng.randrange(1, 255)}",
        "stateReason": {"code": "pending", "message": "pending"},
    }
    parameters = {
        "instancesSet": {
            "items": [{"imageId": "ami-0123456789abcdef0", "minCount": 1, "maxCount": 1}]
        },
        "instanceType": "m7g.large",
        "monitoring": {"enabled": False},
        "disableApiTermination": False,
    }
    response = {"requestId": _uuid(rng), "ownerId": ACCOUNT, "instancesSet": {"items": [instance]}}
    return "ec2", "RunInstances", False, parameters, response, {}


def _odd_events(rng: random.Random) -> Iterator[dict[str, Any]]:
    """Events that are easy to get wrong."""
    yield _event(rng) | {"requestParameters": "a bare value"}
    yield _event(rng) | {"requestParameters": {"policyDocument": "x" * 40_000}}
    yield _event(rng) | {"log": "a name that we add", "responseElements": ["a list"]}
    yield _event(rng) | {
        "userAgent": 'a "quoted" agent\nover two lines',
        "aFieldOfNextYear": {"a": 1},
    }
    yield {
        "eventVersion": "1.0",
        "accountId": ACCOUNT,
        "eventId": _uuid(rng),
        "eventCategory": "Aggregated",
        "eventType": "AwsAggregatedEvent",
        "awsRegion": REGION,
        "eventSource": "s3.amazonaws.com",
        "timeWindow": {
            "windowStart": "2026-11-20T08:10:00Z",
            "windowEnd": "2026-11-20T08:15:00Z",
            "windowSize": "PT5M",
        },
        "summary": {"primaryDimension": {"dimension": "API", "count": 12}},
    }
    yield from _worth_a_look(rng)


def _worth_a_look(rng: random.Random) -> Iterator[dict[str, Any]]:
    """Events that somebody should see: the root user signs in and makes a key for a user."""
    root = {
        "type": "Root",
        "principalId": ACCOUNT,
        "arn": f"arn:aws:iam::{ACCOUNT}:root",
        "accountId": ACCOUNT,
        "accessKeyId": f"ASIA{hexadecimal(rng, 16).upper()}",
    }
    agent = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"
    by_root = {"userIdentity": root, "sourceIPAddress": address(rng), "userAgent": agent}
    yield (
        _event(rng)
        | by_root
        | {
            "eventSource": "signin.amazonaws.com",
            "eventName": "ConsoleLogin",
            "eventType": "AwsConsoleSignIn",
            "readOnly": False,
            "requestParameters": None,
            "responseElements": {"ConsoleLogin": "Success"},
            "additionalEventData": {"MobileVersion": "No", "MFAUsed": "No"},
        }
    )
    yield (
        _event(rng)
        | by_root
        | {
            "eventSource": "iam.amazonaws.com",
            "eventName": "CreateAccessKey",
            "readOnly": False,
            "requestParameters": {"userName": "alice"},
            "responseElements": {"accessKey": {"userName": "alice", "status": "Active"}},
        }
    )


def _insight(rng: random.Random) -> dict[str, Any]:
    return {
        "eventVersion": "1.09",
        "eventTime": "2026-11-20T08:16:00Z",
        "awsRegion": REGION,
        "eventID": _uuid(rng),
        "eventType": "AwsCloudTrailInsight",
        "recipientAccountId": ACCOUNT,
        "sharedEventID": _uuid(rng),
        "eventCategory": "Insight",
        "insightDetails": {
            "state": "Start",
            "eventSource": "s3.amazonaws.com",
            "eventName": "DeleteBucket",
            "insightType": "ApiCallRateInsight",
            "insightContext": {
                "statistics": {
                    "baseline": {"average": 0.01},
                    "insight": {"average": 12.5},
                    "insightDuration": 1,
                    "baselineDuration": 10080,
                }
            },
        },
    }
