"""Several attempts change one file of the backup bucket, and no line is lost or left over."""

import gzip
import json
from concurrent.futures import ThreadPoolExecutor
from threading import Lock
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError

from servicelogs.delivery.backup_bucket import BackupBucket
from servicelogs.delivery.lines_file import LinesFile
from servicelogs.errors import DeliveryError

BUCKET, KEY = "log-backup", "rejected/alb/1.ndjson.gz"


@pytest.fixture
def s3(aws):
    client = boto3.client("s3")
    client.create_bucket(Bucket=BUCKET)
    return client


def lines_of(*numbers: int) -> LinesFile:
    lines = LinesFile()
    for number in numbers:
        lines.append(json.dumps({"record_number": number}).encode() + b"\n")
    return lines


def numbers_in(s3) -> list[int]:
    body = s3.get_object(Bucket=BUCKET, Key=KEY)["Body"].read()
    return [json.loads(line)["record_number"] for line in gzip.decompress(body).splitlines()]


def test_lines_stay_in_the_order_of_their_records(s3):
    bucket = BackupBucket(s3, BUCKET)
    for first in (30, 10, 20, 40):
        bucket.replace_lines(KEY, range(first, first + 10), lines_of(first, first + 1))

    assert numbers_in(s3) == [10, 11, 20, 21, 30, 31, 40, 41]


class Atomic:
    """An S3 that compares and writes in one step, as AWS does and moto does not."""

    def __init__(self, s3: Any) -> None:
        self._s3, self._one_at_a_time = s3, Lock()

    def get_object(self, **arguments: Any) -> Any:
        return self._s3.get_object(**arguments)

    def put_object(self, **arguments: Any) -> Any:
        with self._one_at_a_time:
            return self._s3.put_object(**arguments)


def test_attempts_at_the_same_time_lose_nothing_of_each_other(s3):
    bucket = BackupBucket(Atomic(s3), BUCKET, sleep=lambda _: None)

    def replace(first: int) -> None:
        bucket.replace_lines(KEY, range(first, first + 10), lines_of(*range(first, first + 10, 2)))

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(replace, range(0, 80, 10)))

    assert numbers_in(s3) == list(range(0, 80, 2))


class Overtaking:
    """An S3 in which somebody else always writes between a read and the write after it."""

    def __init__(self, s3: Any, times: int, then: str = "put") -> None:
        self._s3, self._times, self._then = s3, times, then

    def get_object(self, **arguments: Any) -> Any:
        return self._s3.get_object(**arguments)

    def put_object(self, **arguments: Any) -> Any:
        self._overtake()
        return self._s3.put_object(**arguments)

    def delete_object(self, **arguments: Any) -> Any:
        self._overtake()
        return self._s3.delete_object(**arguments)

    def _overtake(self) -> None:
        if not self._times:
            return
        self._times -= 1
        if self._then == "delete":
            self._s3.delete_object(Bucket=BUCKET, Key=KEY)
        else:
            body = lines_of(100 + self._times).compressed()
            self._s3.put_object(Bucket=BUCKET, Key=KEY, Body=body)


@pytest.mark.parametrize(
    ("there", "new", "then", "left"),
    [
        ((), (2, 3), "put", [2, 3, 100]),
        ((1,), (2, 3), "put", [2, 3, 100]),
        ((1, 50), (2, 3), "delete", [2, 3]),
        ((1,), (), "put", [100]),
        ((1,), (), "delete", []),
        ((1, 50), (), "put", [100]),
    ],
)
def test_a_write_that_was_overtaken_is_merged_again(s3, there, new, then, left):
    if there:
        s3.put_object(Bucket=BUCKET, Key=KEY, Body=lines_of(*there).compressed())
    waits: list[float] = []
    bucket = BackupBucket(Overtaking(s3, 1, then), BUCKET, sleep=waits.append)

    bucket.replace_lines(KEY, range(1, 10), lines_of(*new))

    keys = s3.list_objects_v2(Bucket=BUCKET).get("Contents", [])
    assert (numbers_in(s3) if keys else []) == left
    assert len(waits) == 1


def test_a_file_that_others_change_all_the_time_is_an_error_that_names_it(s3):
    bucket = BackupBucket(Overtaking(s3, 1000), BUCKET, sleep=lambda _: None)

    with pytest.raises(DeliveryError, match=rf"s3://{BUCKET}/{KEY} was changed by others"):
        bucket.replace_lines(KEY, range(1, 10), lines_of(2))


def test_what_changes_nothing_writes_nothing(s3):
    s3.put_object(Bucket=BUCKET, Key=KEY, Body=lines_of(50).compressed())
    bucket = BackupBucket(Overtaking(s3, 1), BUCKET, sleep=pytest.fail)

    bucket.replace_lines(KEY, range(1, 10), None)

    assert numbers_in(s3) == [50]


@pytest.mark.parametrize("code", ["PreconditionFailed", "ConditionalRequestConflict"])
def test_both_answers_of_s3_to_a_condition_mean_another_try(s3, code):
    class Once(Overtaking):
        def _overtake(self) -> None:
            if self._times:
                self._times -= 1
                raise ClientError({"Error": {"Code": code}}, "PutObject")

    BackupBucket(Once(s3, 2), BUCKET, sleep=lambda _: None).replace_lines(
        KEY, range(1, 10), lines_of(2)
    )

    assert numbers_in(s3) == [2]


@pytest.mark.parametrize(
    "body",
    [b"not gzip", gzip.compress(b"not JSON\n"), lines_of(5).compressed().read()[:-9]],
    ids=["not gzip", "not JSON", "truncated"],
)
def test_a_file_that_is_not_ours_or_corrupt_is_an_error_and_stays_as_it_is(s3, body):
    s3.put_object(Bucket=BUCKET, Key=KEY, Body=body)

    with pytest.raises(DeliveryError, match=rf"s3://{BUCKET}/{KEY} could not be read"):
        BackupBucket(s3, BUCKET).replace_lines(KEY, range(1, 10), lines_of(2))

    assert s3.get_object(Bucket=BUCKET, Key=KEY)["Body"].read() == body


@pytest.mark.parametrize("operation", ["get_object", "put_object", "delete_object"])
def test_a_bucket_that_refuses_is_an_error_that_names_the_file(s3, monkeypatch, operation):
    s3.put_object(Bucket=BUCKET, Key=KEY, Body=lines_of(5).compressed())

    def refuse(**_arguments: Any) -> None:
        raise ClientError({"Error": {"Code": "AccessDenied", "Message": "no"}}, operation)

    monkeypatch.setattr(s3, operation, refuse)
    new = None if operation == "delete_object" else lines_of(2)

    with pytest.raises(DeliveryError, match=rf"s3://{BUCKET}/{KEY} could not be .*AccessDenied"):
        BackupBucket(s3, BUCKET).replace_lines(KEY, range(1, 10), new)


def test_a_bucket_that_is_gone_is_an_error(aws):
    with pytest.raises(DeliveryError, match="NoSuchBucket"):
        BackupBucket(boto3.client("s3"), "gone").replace_lines(KEY, range(1, 10), lines_of(2))


@pytest.mark.parametrize("number", [1, 5000, 60_000])
def test_any_number_of_lines_is_read_back(number):
    lines = lines_of(*range(number))

    assert [json.loads(line)["record_number"] for line in lines] == list(range(number))
    assert len(list(lines)) == lines.lines == number
