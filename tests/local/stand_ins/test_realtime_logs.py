"""A real-time log configuration is made where CloudFront may send to its stream, and is given."""

import asyncio
import re

import pytest

from local.stand_ins import realtime_logs, roles
from tests.local.stand_ins import emulated

ARN = "arn:aws:cloudfront::000000000000:realtime-log-config/shop"


@pytest.fixture(autouse=True)
def none():
    realtime_logs.configurations.clear()


def made(action="kinesis:*"):
    stream = emulated.stream()
    role = emulated.role("sends", "cloudfront.amazonaws.com", action, stream)
    properties = {
        "Name": "shop",
        "SamplingRate": 5,
        "Fields": ["c-ip", "timestamp"],
        "EndPoints": [
            {
                "StreamType": "Kinesis",
                "KinesisStreamConfig": {"RoleArn": role, "StreamArn": stream},
            }
        ],
    }
    return realtime_logs.create("id", properties, "stack")


def given(arn):
    request = f"<GetRealtimeLogConfigRequest><ARN>{arn}</ARN></GetRealtimeLogConfigRequest>"
    path = "/2020-05-31/get-realtime-log-config"
    return asyncio.run(realtime_logs.handle("POST", path, {}, request.encode(), {}))


def test_a_configuration_is_given_as_it_was_made():
    assert made() == (ARN, {"Arn": ARN})
    status, _, body = given(ARN)
    assert status == 200
    assert re.findall(r"<Field>([^<]*)</Field>", body.decode()) == ["c-ip", "timestamp"]
    realtime_logs.delete(ARN, {})
    assert given(ARN)[0] == 404


def test_a_stream_that_cloudfront_may_not_write_to_is_refused():
    with pytest.raises(roles.NotAllowed, match="kinesis:PutRecords"):
        made("kinesis:Describe*")
    assert not list(realtime_logs.configurations)
