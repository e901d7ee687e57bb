"""A reject keeps all that is needed to index it after all."""

import base64
import json
from datetime import UTC, datetime

from hypothesis import given
from hypothesis import strategies as st

from servicelogs.records import Reject, Source
from servicelogs.rejects import line, part_key

SOURCE = Source(
    uri="s3://log-archive/a b.log.gz",
    id="0123456789abcdef",
    delivered=datetime(2026, 11, 23, 8, 15, tzinfo=UTC),
    account_id="111122223333",
    region="eu-west-1",
)


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
        "ordinal": 7,
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


def test_a_part_is_named_by_type_delivery_object_and_first_record():
    assert (
        part_key(SOURCE, "alb", 4711) == "rejected/alb/2026/11/23/0123456789abcdef/4711.ndjson.gz"
    )
