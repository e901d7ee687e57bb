"""Firehose in the local stack gathers, decompresses, compresses and names objects as AWS does."""

import base64
import gzip
import io
import json
import re
import threading
import zipfile

import pytest
from ministack.services import firehose as emulated_firehose

from local.stand_ins import firehose
from tests.local.stand_ins import emulated

SERVICE = "firehose.amazonaws.com"
DECOMPRESSION = {"Enabled": True, "Processors": [{"Type": "Decompression"}]}


@pytest.fixture(autouse=True)
def nothing_gathered():
    firehose._buffers.clear()


def stream(allowed="firehose/*", **more):
    role = emulated.role("delivers", SERVICE, "s3:PutObject", f"arn:aws:s3:::logs/{allowed}")
    destination = {
        "BucketARN": "arn:aws:s3:::logs",
        "RoleARN": role,
        "Prefix": "firehose/rds/!{timestamp:yyyy}/",
        "ErrorOutputPrefix": "firehose/errors/!{firehose:error-output-type}/",
        "BufferingHints": {"SizeInMBs": 1, "IntervalInSeconds": 0.2},
        "CompressionFormat": "GZIP",
        "ProcessingConfiguration": DECOMPRESSION,
        **more,
    }
    emulated_firehose._create_delivery_stream(
        {"DeliveryStreamName": "d", "ExtendedS3DestinationConfiguration": destination}
    )
    return emulated_firehose._stream_arn("d")


def wait():
    for timer in [one for one in threading.enumerate() if isinstance(one, threading.Timer)]:
        timer.join(5)


def test_what_arrives_within_the_interval_is_one_object_of_decompressed_records(s3):
    arn = stream()
    for text in (b'{"a":1}', b'{"b":2}'):
        assert firehose.put(arn, gzip.compress(text))
    assert not s3
    wait()
    ((key, body),) = s3.items()
    assert gzip.decompress(body) == b'{"a":1}{"b":2}'
    assert re.fullmatch(r"firehose/rds/\d{4}/d-1-\d{4}(-\d\d){5}-[0-9a-f-]{36}\.gz", key)


def test_an_object_is_written_at_once_when_the_buffer_is_full(s3):
    arn = stream(BufferingHints={"SizeInMBs": 1, "IntervalInSeconds": 900})
    firehose.put(arn, gzip.compress(b"x" * 1024 * 1024))
    assert len(s3) == 1


@pytest.mark.parametrize(
    ("compression", "ending", "read"),
    [
        ("UNCOMPRESSED", "", bytes),
        ("ZIP", ".zip", lambda body: zipfile.ZipFile(io.BytesIO(body)).read("records")),
    ],
)
def test_objects_are_compressed_as_configured(s3, compression, ending, read):
    arn = stream(CompressionFormat=compression)
    firehose.put(arn, gzip.compress(b"{}"))
    wait()
    ((key, body),) = s3.items()
    assert read(body) == b"{}"
    assert re.search(rf"[0-9a-f]{{12}}{re.escape(ending)}$", key)


def test_without_processing_the_records_stay_as_they_came(s3):
    arn = stream(ProcessingConfiguration={"Enabled": False}, CompressionFormat="UNCOMPRESSED")
    firehose.put(arn, gzip.compress(b"{}"))
    wait()
    (body,) = s3.values()
    assert gzip.decompress(body) == b"{}"


def test_what_cannot_be_decompressed_lies_under_the_error_prefix(s3):
    firehose.put(stream(), b"no gzip")
    ((key, body),) = s3.items()
    assert key.startswith("firehose/errors/decompression-failed/")
    assert base64.b64decode(json.loads(body)["rawData"]) == b"no gzip"


def test_a_role_that_may_not_write_there_delivers_nothing(s3):
    firehose.put(stream(allowed="elsewhere/*"), gzip.compress(b"{}"))
    wait()
    assert not s3


def test_nobody_else_may_put_records_where_they_are_decompressed():
    stream()
    put = firehose.refuse_other_sources(firehose.put_record)
    record = {"Data": base64.b64encode(b"x").decode()}
    status, _, body = put({"DeliveryStreamName": "d", "Record": record})
    assert (status, json.loads(body)["__type"]) == (400, "InvalidSourceException")


def test_a_stream_that_does_not_exist_takes_nothing():
    assert not firehose.put("arn:aws:firehose:us-east-1:000000000000:deliverystream/none", b"")
