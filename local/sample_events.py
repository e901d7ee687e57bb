"""Put the objects that events/*.json name where `sam local invoke` finds them."""

import gzip
import json
from functools import cache
from typing import Any

from local import sample_logs
from local.emulated_aws import MEMBER
from local.sample_logs.parquet import parquet

BUCKET = "service-logs-samples"
MEMBER_BUCKET = "service-logs-samples-of-member"
"""The member account's."""
RECORDS = 200

_ACCOUNT, _REGION = "111122223333", "eu-west-1"

KEYS = {
    "alb": (
        f"AWSLogs/{_ACCOUNT}/elasticloadbalancing/{_REGION}/2026/11/20/"
        f"{_ACCOUNT}_elasticloadbalancing_{_REGION}_app.shop-web.0a1b2c3d4e5f6071_"
        "20261120T0815Z_192.0.2.10_3kq9x1zz.log.gz"
    ),
    "vpc_flow": (
        f"net/AWSLogs/aws-account-id={_ACCOUNT}/aws-service=vpcflowlogs/aws-region={_REGION}/"
        f"year=2026/month=11/day=20/{_ACCOUNT}_vpcflowlogs_{_REGION}_fl-0a1b2c3d4e5f60718_"
        "20261120T0815Z_8c7d6e5f.log.gz"
    ),
    "cloudtrail": (
        f"AWSLogs/o-a1b2c3d4e5/{_ACCOUNT}/CloudTrail/{_REGION}/2026/11/20/"
        f"{_ACCOUNT}_CloudTrail_{_REGION}_20261120T0815Z_Ab3dE6gH9jKlMn0P.json.gz"
    ),
    "alb_connection": (
        f"AWSLogs/{_ACCOUNT}/elasticloadbalancing/{_REGION}/2026/11/20/"
        f"conn_log_{_ACCOUNT}_elasticloadbalancing_{_REGION}_app.shop-web.0a1b2c3d4e5f6071_"
        "20261120T0815Z_192.0.2.10_9aa8b7c6.log.gz"
    ),
    "alb_health_check": (
        f"AWSLogs/{_ACCOUNT}/elasticloadbalancing/{_REGION}/2026/11/20/"
        f"health_check_log_{_ACCOUNT}_elasticloadbalancing_{_REGION}_app.shop-web.0a1b2c3d4e5f6071_"
        "20261120T0815Z_192.0.2.10_5de6f7a8.log.gz"
    ),
    "nlb": (
        f"AWSLogs/{_ACCOUNT}/elasticloadbalancing/{_REGION}/2026/11/20/"
        f"{_ACCOUNT}_elasticloadbalancing_{_REGION}_net.edge-tls.5566778899aabbcc_"
        "20261120T0815Z_1a2b3c4d.log.gz"
    ),
    "clb": (
        f"AWSLogs/{_ACCOUNT}/elasticloadbalancing/{_REGION}/2026/11/20/"
        f"{_ACCOUNT}_elasticloadbalancing_{_REGION}_legacy-web_20261120T0900Z_192.0.2.11_"
        "5ex8qk2m.log"
    ),
    "tgw_flow": (
        f"net/AWSLogs/{_ACCOUNT}/vpcflowlogs/{_REGION}/2026/11/20/"
        f"{_ACCOUNT}_vpcflowlogs_{_REGION}_fl-0f1e2d3c4b5a69788_20261120T0815Z_4b3a2918.log.gz"
    ),
    "s3_access": (
        f"access/{_ACCOUNT}/{_REGION}/shop-assets/2026/11/20/2026-11-20-00-00-00-0A1B2C3D4E5F6071"
    ),
    "waf": (
        f"AWSLogs/{_ACCOUNT}/WAFLogs/{_REGION}/shop/2026/11/20/08/15/"
        f"{_ACCOUNT}_waflogs_{_REGION}_shop_20261120T0815Z_0f1e2d3c.log.gz"
    ),
    "config": (
        f"AWSLogs/{_ACCOUNT}/Config/{_REGION}/2026/11/5/ConfigHistory/{_ACCOUNT}_Config_{_REGION}_"
        "ConfigHistory_AWS::EC2::Volume_20261105T000000Z_20261105T055959Z_1.json.gz"
    ),
    "cloudfront_realtime": (
        "realtime/2026/11/20/08/cloudfront-1-2026-11-20-08-00-00-"
        "1b4e28ba-2fa1-11d2-883f-0016d3cca427.gz"
    ),
    "cloudfront": (f"AWSLogs/{_ACCOUNT}/CloudFront/E2EXAMPLE9Z8Y7.2026-11-20-08.4f0c9ab1.gz"),
}
"""The object of each format that AWS services write to a bucket themselves."""

FIREHOSE_KEYS = {
    "rds": (
        "firehose/rds/2026/11/20/08/logs-rds-1-2026-11-20-08-15-00-"
        "2c5f39cb-30b2-22e3-994f-1127e4ddb538.gz"
    ),
    "lambda": (
        "firehose/lambda/2026/11/20/08/logs-lambda-1-2026-11-20-08-15-00-"
        "3d604adc-41c3-33f4-aa60-2238f5eec649.gz"
    ),
}
"""The object that Firehose wrote of each format that arrives through log groups."""

PARQUET_KEY = (
    f"net/AWSLogs/{_ACCOUNT}/vpcflowlogs/{_REGION}/2026/11/20/"
    f"{_ACCOUNT}_vpcflowlogs_{_REGION}_fl-0a1b2c3d4e5f60718_20261120T0820Z_1f2e3d4c.log.parquet"
)
"""A VPC flow log in Parquet."""


MEMBER_KEYS = {name: KEYS[name].replace(_ACCOUNT, MEMBER) for name in ("cloudtrail",)} | {
    "s3_access": "access/2026-11-20-00-00-00-0A1B2C3D4E5F6071",  # names no account
}
"""What lies in the other account's bucket."""


def put_objects(s3: Any, of_member: Any) -> None:
    """Make the buckets of the sample events and the objects they name, each by its account."""
    bodies = _bodies()
    s3.create_bucket(Bucket=BUCKET)
    for key, body in bodies.items():
        s3.put_object(Bucket=BUCKET, Key=key, Body=body)
    of_member.create_bucket(Bucket=MEMBER_BUCKET)
    for name, key in MEMBER_KEYS.items():
        of_member.put_object(Bucket=MEMBER_BUCKET, Key=key, Body=bodies[KEYS[name]])


def let_read(of_member: Any, account: str) -> None:
    """Let another account read those of the other account's bucket."""
    arn = f"arn:aws:s3:::{MEMBER_BUCKET}"
    statement = {
        "Effect": "Allow",
        "Principal": {"AWS": f"arn:aws:iam::{account}:root"},
        "Action": ["s3:GetObject", "s3:ListBucket"],
        "Resource": [arn, f"{arn}/*"],
    }
    policy = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    of_member.put_bucket_policy(Bucket=MEMBER_BUCKET, Policy=policy)


@cache
def _bodies() -> dict[str, bytes]:
    """Return each object's bytes by its key."""
    flow_log = sample_logs.generate("vpc_flow", RECORDS, seed=1).decode()
    bodies = {PARQUET_KEY: parquet(flow_log)}
    for name, key in KEYS.items():
        text = sample_logs.generate(name, RECORDS, seed=1)
        bodies[key] = gzip.compress(text, mtime=0) if key.endswith(".gz") else text
    for name, key in FIREHOSE_KEYS.items():
        bodies[key] = gzip.compress(_messages(name), mtime=0)
    return bodies


def _messages(name: str) -> bytes:
    """Give log events of a format as Firehose writes them: message after message."""
    messages = [
        {
            "messageType": "DATA_MESSAGE",
            "owner": _ACCOUNT,
            "logGroup": sample.group,
            "logStream": sample.stream,
            "subscriptionFilters": ["service-logs"],
            "logEvents": [
                {"id": f"{number:056d}", "timestamp": moment, "message": text}
                for number, (moment, text) in enumerate(sample.events)
            ],
        }
        for sample in sample_logs.log_events()
        if sample.format == name
    ]
    return "".join(map(json.dumps, messages)).encode()
