"""S3 answers for a bucket's owner: whose it has to be, what may be known of it, who may decrypt.

https://docs.aws.amazon.com/AmazonS3/latest/userguide/bucket-owner-condition.html
https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetObject.html (403 or 404)
https://docs.aws.amazon.com/AmazonS3/latest/userguide/UsingKMSEncryption.html

The emulator ignores the expected owner, finds no copy's source in another account, says of a
missing key that it is missing to those who may not list, and lets everyone decrypt.
"""

from collections.abc import Mapping
from typing import Any
from urllib.parse import unquote

from ministack.core import iam_evaluator
from ministack.core.responses import get_account_id, get_region, request_scope
from ministack.core.router import extract_access_key_id
from ministack.services import s3

from local.stand_ins import keys
from local.stand_ins.identities import account_of

apply_bucket_scope, dispatch = s3._apply_bucket_scope, s3._dispatch
foreign_bucket_allows = s3._foreign_bucket_allows

Answer = tuple[int, dict[str, str], bytes]


def expect_owner(
    method: str, bucket: str, key: str, headers: Mapping[str, str], *more: Any, **options: Any
) -> Answer | None:
    """Refuse a request whose bucket, or the source of whose copy, is not whose it has to be."""
    source = unquote(headers.get("x-amz-copy-source", "")).lstrip("/").partition("/")[0]
    for header, name in (
        ("x-amz-expected-bucket-owner", bucket),
        ("x-amz-source-expected-bucket-owner", source),
    ):
        expected, owner = headers.get(header), s3._bucket_owner_account(name)
        if expected and owner and owner != expected:
            return _denied(bucket, key)
    denied: Answer | None = apply_bucket_scope(method, bucket, key, headers, *more, **options)
    return denied


def find_bucket(name: str) -> Any:
    """Find a bucket, whoever owns it: who may use it was asked before."""
    return s3._buckets.get_scoped(s3._bucket_owner_account(name) or get_account_id(), None, name)


def answer(
    method: str, bucket: str, key: str, headers: dict[str, str], body: bytes, query: Any
) -> Answer:
    """Answer a request, but for what its caller may not know or decrypt."""
    given: Answer = dispatch(method, bucket, key, headers, body, query)
    status, said, _ = given
    if not key or method not in ("GET", "HEAD") or not find_bucket(bucket):
        return given
    arn, listed = f"arn:aws:s3:::{bucket}", {"s3:prefix": key}
    if status == 404 and not _may(headers, query, "s3:ListBucket", arn, listed):
        return _denied(bucket, key)
    encrypted_with = keys.find(said.get("x-amz-server-side-encryption-aws-kms-key-id", ""))
    through_s3 = {"kms:ViaService": f"s3.{get_region()}.amazonaws.com"}
    if encrypted_with and not _may(
        headers, query, "kms:Decrypt", encrypted_with["Arn"], through_s3
    ):
        return _denied(bucket, key)
    return given


def _may(
    headers: dict[str, str], query: Any, action: str, resource: str, context: dict[str, str]
) -> bool:
    """Say whether the caller's policies and the resource's let him do this too."""
    access_key = extract_access_key_id(headers, query)
    owner, caller = get_account_id(), account_of(iam_evaluator.caller_arn())
    if not access_key:
        return True
    service = action.partition(":")[0]
    with request_scope(caller, get_region()):
        denied = iam_evaluator.enforce(access_key, action, service, get_region(), resource, context)
    if denied:
        return False
    foreign = service == "s3" and caller != owner
    bucket = resource.rpartition(":")[2]
    return not foreign or bool(foreign_bucket_allows(owner, bucket, "", "GET", context, caller))


def _denied(bucket: str, key: str) -> Answer:
    denied: Answer = s3._error("AccessDenied", "Access Denied", 403, f"/{bucket}/{key}".rstrip("/"))
    return denied
