"""Statements of ours in a bucket's policy, beside those of others.

S3 keeps one policy for a bucket and replaces it as a whole; it has no condition for that either. So
this reads, puts its own statements in place of those with their Sids, and writes back.
"""

import json
import time
from collections.abc import Mapping, Sequence
from typing import Any

import boto3
from botocore.exceptions import ClientError

from servicelogs.errors import UnmergeablePolicy
from servicelogs.sources.bucket_notifications import has_nothing_of_ours

NO_POLICY = "NoSuchBucketPolicy"
# What S3 takes: https://docs.aws.amazon.com/AmazonS3/latest/userguide/BucketRestrictions.html
MOST_BYTES = 20 * 1024
# Another change of the bucket is under way.
BUSY = "OperationAborted"
DELAYS = (2, 5, 10, 20)

Policy = dict[str, Any]
Statement = dict[str, Any]


def carry_out(event: Mapping[str, Any], own_id: str) -> str:
    """Put our statements, or take them away; return the physical id.

    Another bucket makes another id: CloudFormation then has those on the old one deleted.
    """
    properties = event["ResourceProperties"]
    bucket = properties["BucketName"]
    s3 = boto3.client("s3")
    ending = own_id.rpartition("-")[2]
    own = [one | {"Sid": f"{one['Sid']}{ending}"} for one in properties["Statements"]]
    if event["RequestType"] == "Delete":
        remove(s3, bucket, ending, event)
    else:
        put(s3, bucket, merge(get(s3, bucket), own, ending, bucket))
    return f"{bucket}/policy/{own_id}"


def merge(policy: Policy, own: Sequence[Statement], ending: str, bucket: str) -> Policy:
    """Put our statements in place of those whose Sids end as ours do."""
    merged = policy | {"Statement": [*others(policy, ending, bucket), *own]}
    if len(written(merged).encode()) > MOST_BYTES:
        raise UnmergeablePolicy(
            f"the policy of bucket {bucket!r} would be longer than the {MOST_BYTES} bytes that S3 "
            "takes: shorten its other statements"
        )
    return merged


def remove(s3: Any, bucket: str, ending: str, event: Mapping[str, Any]) -> None:
    """Take our statements away; a policy of which nothing is left is deleted."""
    try:
        policy = get(s3, bucket)
    except ClientError as error:
        if has_nothing_of_ours(error, event):
            return
        raise
    kept = others(policy, ending, bucket)
    if kept == statements(policy, bucket):
        return
    if kept:
        put(s3, bucket, policy | {"Statement": kept})
    else:
        s3.delete_bucket_policy(Bucket=bucket)


def others(policy: Policy, ending: str, bucket: str) -> list[Statement]:
    """Give the statements of others."""
    return [
        one for one in statements(policy, bucket) if not str(one.get("Sid", "")).endswith(ending)
    ]


def statements(policy: Policy, bucket: str) -> list[Statement]:
    """Give a policy's statements; an UnmergeablePolicy if it has something else."""
    found = policy.get("Statement", [])
    if isinstance(found, dict):  # one alone needs no list
        found = [found]
    if not isinstance(found, list) or not all(isinstance(one, dict) for one in found):
        raise UnmergeablePolicy(
            f"the policy of bucket {bucket!r} has no list of statements: {str(found)[:200]!r}; "
            "put it right, or add the statements to it yourself"
        )
    return found


def get(s3: Any, bucket: str) -> Policy:
    """Read a bucket's whole policy; one without statements if there is none."""
    try:
        policy: Policy = json.loads(s3.get_bucket_policy(Bucket=bucket)["Policy"])
    except ClientError as error:
        if error.response["Error"]["Code"] == NO_POLICY:
            return {"Version": "2012-10-17", "Statement": []}
        raise
    return policy


def written(policy: Policy) -> str:
    """Write a policy as short as it can be: spaces would count among the bytes that S3 takes."""
    return json.dumps(policy, ensure_ascii=False, separators=(",", ":"))


def put(s3: Any, bucket: str, policy: Policy) -> None:
    """Replace a bucket's whole policy."""
    for seconds in (*DELAYS, None):
        try:
            s3.put_bucket_policy(Bucket=bucket, Policy=written(policy))
        except ClientError as error:
            if seconds is None or error.response["Error"]["Code"] != BUSY:
                raise
            time.sleep(seconds)
        else:
            return
