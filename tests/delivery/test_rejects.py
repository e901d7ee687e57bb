"""A reject keeps all that is needed to index it after all."""

import base64
import gzip
import json
from datetime import UTC, datetime

import boto3
import pytest
from botocore.exceptions import ClientError
from hypothesis import given
from hypothesis import strategies as st

from servicelogs.delivery.rejects import RejectsFile, delete_files, file_key, line
from servicelogs.errors import DeliveryError
from servicelogs.records import Reject, Source

SOURCE = Source(
    uri="s3://log-archive/a b.log.gz",
    id="0123456789abcdef",
    delivered=datetime(2026, 11, 23, 8, 15, tzinfo=UTC),
    account_id="111122223333",
    region="eu-west-1",
)
BUCKET = "log-backup"


@pytest.fixture
def bucket(aws):
    s3 = boto3.client("s3")
    s3.create_bucket(Bucket=BUCKET)
    return s3


def test_a_line_says_what_why_and_where_from():
    reject = Reject(7, "mapper_parsing_exception", "no date", b"the record", "aws-alb-1", "id-7")

    assert json.loads(line(reject, SOURCE, "alb")) == {
        "log_type": "alb",
        "error_type": "mapper_parsing_exception",
        "reason": "no date",
        "_index": "aws-alb-1",
        "_id": "id-7",
        "source": "s3://log-archive/a b.log.gz",
        "source_id": "0123456789abcdef",
        "delivered": "2026-11-23T08:15:00Z",
        "account_id": "111122223333",
        "region": "eu-west-1",
        "record_number": 7,
        "raw": "the record",
    }


@given(st.binary(max_size=200))
def test_any_bytes_come_back_from_one_line(raw):
    written = line(Reject(1, "does_not_match", "why", raw), SOURCE, "alb")

    assert written.count(b"\n") == 1
    found = json.loads(written)
    kept = found["raw"].encode() if "raw" in found else base64.b64decode(found["raw_base64"])
    assert kept == raw
    assert ("raw" in found) != ("raw_base64" in found)


def test_a_file_is_named_by_type_delivery_object_and_first_record():
    assert (
        file_key(SOURCE, "alb", 4711) == "rejected/alb/2026/11/23/0123456789abcdef/4711.ndjson.gz"
    )


def test_a_source_without_rejects_opens_no_file_and_writes_none(monkeypatch):
    monkeypatch.setattr("servicelogs.delivery.rejects.tempfile", None)
    monkeypatch.setattr("servicelogs.delivery.rejects.isal_zlib", None)
    rejects = RejectsFile(SOURCE, "alb", 1)

    rejects.upload(None, "backup")
    rejects.close()

    assert rejects.empty


@pytest.mark.parametrize("number", [1, 3, 5000])
def test_the_file_holds_each_reject_once_and_is_overwritten_by_a_retry(bucket, number):
    for _ in range(2):
        rejects = RejectsFile(SOURCE, "alb", 7)
        for at in range(number):
            rejects.add(Reject(at, "no", "why", bytes([at % 256]) * 100))
        rejects.upload(bucket, BUCKET)
        rejects.close()

    (found,) = bucket.list_objects_v2(Bucket=BUCKET)["Contents"]
    body = bucket.get_object(Bucket=BUCKET, Key=found["Key"])["Body"].read()
    lines = gzip.decompress(body).splitlines()
    assert found["Key"] == file_key(SOURCE, "alb", 7)
    assert [json.loads(line)["record_number"] for line in lines] == list(range(number))


def test_a_bucket_that_takes_nothing_is_an_error_that_names_the_file(aws):
    rejects = RejectsFile(SOURCE, "alb", 1)
    rejects.add(Reject(1, "no", "why", b"raw"))

    with pytest.raises(DeliveryError, match=rf"s3://gone/{rejects.key} .*NoSuchBucket"):
        rejects.upload(boto3.client("s3"), "gone")


def test_any_number_of_files_is_deleted_and_what_is_not_there_is_no_error(bucket):
    bucket.put_object(Bucket=BUCKET, Key="rejected/1500")

    assert delete_files(bucket, BUCKET, [f"rejected/{number}" for number in range(2500)]) == {}

    assert "Contents" not in bucket.list_objects_v2(Bucket=BUCKET)


def test_no_files_to_delete_is_no_request():
    assert delete_files(None, BUCKET, []) == {}


def test_each_file_that_could_not_be_deleted_has_its_error():
    class Forbidden:
        def delete_objects(self, Bucket, Delete):  # noqa: N803 - boto3's names
            if len(Delete["Objects"]) == 1:
                raise ClientError({"Error": {"Code": "SlowDown"}}, "DeleteObjects")
            return {"Errors": [{"Key": "k3", "Code": "AccessDenied", "Message": "not yours"}]}

    keys = [f"k{number}" for number in range(1001)]

    errors = delete_files(Forbidden(), BUCKET, keys + keys)

    assert list(errors) == ["k3", "k1000"]
    assert "not yours" in str(errors["k3"])
    assert "SlowDown" in str(errors["k1000"])
