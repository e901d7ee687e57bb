"""The type of an object is found from its key, else from its first bytes, else it is an error."""

from pathlib import Path

import pytest

from local.sample_logs import generate
from servicelogs import formats
from servicelogs.errors import UnknownLogType
from servicelogs.formats import START_BYTES, detect, detect_by_key
from tests.formats.make_cases import FOLDER

ACCOUNT, REGION = "111122223333", "eu-west-1"
ALB = (
    f"AWSLogs/{ACCOUNT}/elasticloadbalancing/{REGION}/2026/11/20/{ACCOUNT}_elasticloadbalancing_"
    f"{REGION}_app.shop-web.0a1b2c3d4e5f6071_20261120T0815Z_192.0.2.10_3kq9x1zz.log.gz"
)
TRAIL = (
    f"AWSLogs/{ACCOUNT}/CloudTrail/{REGION}/2026/11/20/"
    f"{ACCOUNT}_CloudTrail_{REGION}_20261120T0815Z_Ab3dE6gH9jKlMn0P.json.gz"
)
FLOW_NAME = f"{ACCOUNT}_vpcflowlogs_{REGION}_fl-0a1b2c3d4e5f60718_20261120T0815Z_8c7d6e5f.log"
FLOW = f"AWSLogs/{ACCOUNT}/vpcflowlogs/{REGION}/2026/11/20/{FLOW_NAME}.gz"
HIVE = (
    f"AWSLogs/aws-account-id={ACCOUNT}/aws-service=vpcflowlogs/aws-region={REGION}/year=2026/"
    "month=11/day=20/"
)
KEYS = {
    ALB: "alb",
    ALB.removesuffix(".gz"): "alb",
    ALB.replace("/11/20/", "/1/5/"): "alb",
    TRAIL: "cloudtrail",
    TRAIL.replace(ACCOUNT + "/", f"o-a1b2c3d4e5/{ACCOUNT}/", 1): "cloudtrail",
    TRAIL.replace("CloudTrail", "CloudTrail-Insight"): "cloudtrail",
    TRAIL.replace("CloudTrail", "CloudTrail-NetworkActivity"): "cloudtrail",
    TRAIL.replace("CloudTrail", "CloudTrail-Aggregated"): "cloudtrail",
    FLOW: "vpc_flow",
    FLOW.replace("/20/", "/20/08/", 1): "vpc_flow",
    f"{HIVE}{FLOW_NAME}.gz": "vpc_flow",
    f"{HIVE}hour=08/{FLOW_NAME}.parquet": "vpc_flow",
}
NO_LOGS = {
    f"AWSLogs/{ACCOUNT}/ELBAccessLogTestFile": "a test of access",
    f"AWSLogs/{ACCOUNT}/ELBConnectionLogTestFile": "a test of access",
    f"AWSLogs/{ACCOUNT}/ELBHealthCheckLogTestFile": "a test of access",
    f"AWSLogs/{ACCOUNT}/Config/ConfigWritabilityCheckFile": "a test of access",
    f"o-a1b2c3d4e5/AWSLogs/{ACCOUNT}/Config/ConfigWritabilityCheckFile": "a test of access",
    "aws-programmatic-access-test-object": "a test of access",
    f"AWSLogs/{ACCOUNT}/CloudTrail/": "a folder's marker",
    f"AWSLogs/{ACCOUNT}/CloudTrail-Digest/": "a folder's marker",
    f"AWSLogs/{ACCOUNT}/CloudTrail-Digest/{REGION}/2026/11/20/{ACCOUNT}_CloudTrail-Digest_{REGION}"
    f"_main_{REGION}_20261120T081500Z.json.gz": "a digest of CloudTrail's files",
    f"AWSLogs/o-a1b2c3d4e5/{ACCOUNT}/CloudTrail-Digest/{REGION}/2026/11/20/{ACCOUNT}_CloudTrail-"
    f"Digest_{REGION}_main_{REGION}_20261120T081500Z_backfill.json.gz": (
        "a digest of CloudTrail's files"
    ),
}
OTHER_KINDS = (
    ALB.replace(f"/{ACCOUNT}_elastic", f"/conn_log_{ACCOUNT}_elastic"),
    ALB.replace(f"/{ACCOUNT}_elastic", f"/health_check_log_{ACCOUNT}_elastic"),
    ALB.replace("_app.", "_net."),
    ALB.replace("_app.shop-web.0a1b2c3d4e5f6071_", "_legacy-web_"),
)
STARTS = {
    "alb": [b"wss 2026-11-20T08:14:55.1Z app/a/1 ", b"h2 2026-11-20T08:14:55.123456Z app/a/1 "],
    "vpc_flow": [
        b"version account-id interface-id srcaddr\n",
        b"version account-id interface-id srcaddr\r\n2 ",
        b"ecs-cluster-arn srcaddr\n",
        b"interface-tag\n",
        b"2 111122223333 eni-0a1b2c3d4e5f60718 - - - - - - - 1795162440 1795162495 - NODATA\n",
        b"2 unknown eni-0a1b 192.0.2.1 2001:db8::1 1 2 6 1 60 1795162440 1795162495 ACCEPT OK\n",
    ],
    "cloudtrail": [
        b'{"Records":[{"eventVersion":"1.11",',
        b'\n {\n  "Records" : [ {\n "awsRegion": "eu-west-1"',
        b'{"Records":[]}',
        b'{"eventVersion":"1.11","userIdentity":{',
    ],
}


@pytest.mark.parametrize("key", KEYS, ids=lambda key: f"{KEYS[key]}:{len(key)}")
@pytest.mark.parametrize("prefix", ["", "lb/", "a/b c/é/", "AWSLogs-old/"])
def test_a_key_tells_format_account_and_region_behind_any_prefix(key: str, prefix: str) -> None:
    found = detect_by_key(prefix + key)
    assert found is not None
    assert found.format is formats.get(KEYS[key])
    assert (found.account_id, found.region, found.skip) == (ACCOUNT, REGION, "")
    assert detect(prefix + key, b"whatever it holds") == found


@pytest.mark.parametrize("key", NO_LOGS)
@pytest.mark.parametrize("prefix", ["", "some/prefix/"])
def test_objects_that_are_no_logs_are_told_by_their_key(key: str, prefix: str) -> None:
    found = detect_by_key(prefix + key)
    assert found is not None
    assert (found.format, found.skip) == (None, NO_LOGS[key])
    assert detect(prefix + key, b"x") == found


@pytest.mark.parametrize("key", OTHER_KINDS)
def test_other_logs_of_load_balancers_are_not_taken_for_access_logs(key: str) -> None:
    found = detect_by_key(key)
    assert found is None or found.format is not formats.get("alb")


@pytest.mark.parametrize(
    ("start", "what"),
    [
        (b"", "an empty object"),
        (b" \r\n\n", "an empty object"),
        (b'{\n "awsAccountId":"1","digestStartTime":"2026"', "a digest of CloudTrail's files"),
        (b"Enable AccessLog for ELB: shop-web at 2026-11-20", "a test of access"),
        (b"Enable ConnectionLog for ELB: shop-web", "a test of access"),
    ],
)
@pytest.mark.parametrize("key", ["copied/file", TRAIL, ALB])
def test_objects_that_are_no_logs_are_told_by_their_start(
    start: bytes, what: str, key: str
) -> None:
    assert detect(key, start).skip == what


@pytest.mark.parametrize(
    ("name", "start"), [(name, start) for name, some in STARTS.items() for start in some]
)
def test_first_bytes_tell_the_format_of_a_copy(name: str, start: bytes) -> None:
    assert detect("copies/today.txt", start) == (formats.get(name), "", "", "")


@pytest.mark.parametrize("name", formats.NAMES)
def test_first_bytes_of_sample_logs_tell_their_format(name: str) -> None:
    start = generate(name, 50)[:START_BYTES]
    assert detect("copies/today.txt", start).format is formats.get(name)


@pytest.mark.parametrize(
    "case",
    [
        FOLDER / name / f"documented{end}"
        for name, end in (("alb", ".log"), ("vpc_flow", ".log"), ("cloudtrail", ".json"))
    ],
    ids=lambda case: case.parent.name,
)
def test_first_bytes_of_documented_examples_tell_their_format(case: Path) -> None:
    assert detect("x", case.read_bytes()[:START_BYTES]).format is formats.get(case.parent.name)


@pytest.mark.parametrize(
    "start",
    [
        b"garbage",
        b"\x00\xff\x1f",
        b'{"Records":[{"x":1}]}',
        b"[]",
        b"version resource-type account-id tgw-id\n",
        b"GET / HTTP/1.1",
        b"time,status\n1,2\n",
        b"the start of a text\nof several lines\n",
    ],
)
def test_an_object_of_no_known_type_is_an_error_that_names_what_was_seen(start: bytes) -> None:
    with pytest.raises(UnknownLogType) as error:
        detect("copies/today.txt", start)
    assert "'copies/today.txt'" in str(error.value)
    assert repr(start[:60]) in str(error.value)


def test_an_object_that_begins_with_much_space_is_not_taken_for_an_empty_one() -> None:
    start = b"\n" * START_BYTES
    assert detect(ALB, start).format is formats.get("alb")
    with pytest.raises(UnknownLogType):
        detect("copies/today.txt", start)


def test_an_unknown_name_is_an_error_that_names_those_there_are() -> None:
    with pytest.raises(UnknownLogType, match=r"'apache' is no log type; there are alb, .*"):
        formats.get("apache")
