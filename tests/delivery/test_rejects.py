"""A reject keeps all that is needed to index it after all."""

import base64
import gzip
import json
from datetime import UTC, datetime

import boto3
import pytest
from hypothesis import given
from hypothesis import strategies as st

from servicelogs.delivery.backup_bucket import BackupBucket
from servicelogs.delivery.rejects import SourceRejects, file_key, line
from servicelogs.errors import Unaccounted
from servicelogs.records import Reject, Source

SOURCE = Source(
    uri="s3://log-archive/a b.log.gz",
    id="0123456789abcdef",
    delivered=datetime(2026, 11, 23, 8, 15, tzinfo=UTC),
    account_id="111122223333",
    region="eu-west-1",
)
BUCKET = "log-backup"
INDEX = "aws-alb-2026.11.23"


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


@pytest.mark.parametrize(
    ("number", "first"), [(1, 1), (4711, 1), (100_000, 1), (100_001, 100_001), (250_000, 200_001)]
)
def test_a_file_is_named_by_type_delivery_object_and_the_grid_of_record_numbers(number, first):
    key = f"rejected/alb/2026/11/23/0123456789abcdef/{first}.ndjson.gz"

    assert file_key(SOURCE, "alb", number) == key


def rejects_of(*numbers: int) -> SourceRejects:
    rejects = SourceRejects(SOURCE, "alb")
    for number in numbers:
        index = INDEX if number % 2 else ""
        rejects.add(Reject(number, "no", "why", b"raw", index, f"id-{number}"))
    return rejects


def numbers_in(s3) -> dict[str, list[int]]:
    found = {}
    for entry in s3.list_objects_v2(Bucket=BUCKET).get("Contents", []):
        body = s3.get_object(Bucket=BUCKET, Key=entry["Key"])["Body"].read()
        lines = gzip.decompress(body).splitlines()
        found[entry["Key"].split("/")[-1]] = [json.loads(line)["record_number"] for line in lines]
    return found


def test_a_source_without_rejects_opens_no_file_and_writes_none(bucket, monkeypatch):
    monkeypatch.setattr("servicelogs.delivery.lines_file.tempfile", None)
    rejects = SourceRejects(SOURCE, "alb")

    rejects.save(BackupBucket(bucket, BUCKET), range(1, 101))
    rejects.close()

    assert numbers_in(bucket) == {}


def test_an_attempt_replaces_what_is_said_of_the_records_it_settled_and_nothing_else(bucket):
    backup = BackupBucket(bucket, BUCKET)
    rejects_of(2, 5, 7, 9).save(backup, range(1, 11))

    rejects_of(6).save(backup, range(4, 9))

    assert numbers_in(bucket) == {"1.ndjson.gz": [2, 6, 9]}


def test_an_attempt_that_rejects_nothing_deletes_the_file_only_if_it_settled_all_of_its_lines(
    bucket,
):
    backup = BackupBucket(bucket, BUCKET)
    rejects_of(2, 5).save(backup, range(1, 11))

    rejects_of().save(backup, range(3, 11))
    assert numbers_in(bucket) == {"1.ndjson.gz": [2]}

    rejects_of().save(backup, range(1, 11))
    assert numbers_in(bucket) == {}


def test_a_part_that_reaches_over_several_files_fills_and_clears_each(bucket):
    backup = BackupBucket(bucket, BUCKET)
    rejects_of(99_999, 100_002, 200_001).save(backup, range(50_000, 200_002))
    assert numbers_in(bucket) == {
        "1.ndjson.gz": [99_999],
        "100001.ndjson.gz": [100_002],
        "200001.ndjson.gz": [200_001],
    }

    rejects_of(3).save(backup, range(1, 200_001))

    assert numbers_in(bucket) == {"1.ndjson.gz": [3], "200001.ndjson.gz": [200_001]}


def test_a_reject_of_a_record_that_was_not_settled_is_never_lost_without_a_word(bucket):
    with pytest.raises(Unaccounted, match="none of the records"):
        rejects_of(100_001).save(BackupBucket(bucket, BUCKET), range(1, 100_001))


def test_what_the_engine_has_after_all_is_taken_back_and_only_what_it_refused_is_asked_for(bucket):
    rejects = rejects_of(1, 2, 3, 5)
    asked = []

    def find(places):
        asked.extend(places)
        return [document_id == "id-3" for _, document_id in places]

    assert rejects.take_back(find) == 1

    assert asked == [(INDEX, "id-1"), (INDEX, "id-3"), (INDEX, "id-5")]
    rejects.save(BackupBucket(bucket, BUCKET), range(1, 6))
    assert numbers_in(bucket) == {"1.ndjson.gz": [1, 2, 5]}


def test_the_engine_is_asked_for_any_number_of_documents_in_bounded_requests():
    rejects = rejects_of(*range(1, 5001))
    sizes = []

    assert rejects.take_back(lambda places: sizes.append(len(places)) or [True] * len(places))

    assert sizes == [1000, 1000, 500]
