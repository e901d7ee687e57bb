"""The type of an object is found from its key, else from its first bytes, else it is an error."""

import json
import time
from datetime import UTC, datetime
from io import BytesIO
from pathlib import Path

import pytest

from local.sample_logs import SampleObject, generate, objects
from servicelogs import formats
from servicelogs.delivery.rejects import line as reject_line
from servicelogs.detection import keys
from servicelogs.detection.content import MOST_BYTES, START_BYTES
from servicelogs.detection.objects import Detected, ObjectTypes
from servicelogs.errors import UnknownLogType, UnreadableObject
from servicelogs.records import Reject, Source
from servicelogs.settings import LogSettings
from servicelogs.sources.decompression import decompressed
from tests.formats.make_cases import FOLDER, cases
from tests.formats.parsing import parse

TYPES = ObjectTypes(LogSettings())
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
BALANCERS = f"AWSLogs/{ACCOUNT}/elasticloadbalancing/{REGION}/2026/11/20"
CONNECTION = ALB.replace(f"/{ACCOUNT}_elastic", f"/conn_log_{ACCOUNT}_elastic")
HEALTH_CHECK = ALB.replace(f"/{ACCOUNT}_elastic", f"/health_check_log_{ACCOUNT}_elastic")
NLB = (
    f"{BALANCERS}/{ACCOUNT}_elasticloadbalancing_{REGION}_net.edge-tls.5566778899aabbcc_"
    "20261120T0815Z_1a2b3c4d.log.gz"
)
CLB = (
    f"{BALANCERS}/{ACCOUNT}_elasticloadbalancing_{REGION}_legacy-web_20261120T0900Z_192.0.2.11_"
    "5ex8qk2m.log"
)
S3_PARTITIONED = f"{ACCOUNT}/{REGION}/shop-assets/2026/11/20/2026-11-20-00-00-00-0A1B2C3D4E5F6071"
WAF = (
    f"AWSLogs/{ACCOUNT}/WAFLogs/{REGION}/edge-acl/2026/11/20/08/15/"
    f"{ACCOUNT}_waflogs_{REGION}_edge-acl_20261120T0815Z_0f1e2d3c.log.gz"
)
CONFIG = f"AWSLogs/{ACCOUNT}/Config/{REGION}/2026/11/5"
HISTORY = (
    f"{CONFIG}/ConfigHistory/{ACCOUNT}_Config_{REGION}_ConfigHistory_AWS::EC2::Volume_"
    "20261105T000000Z_20261105T055959Z_1.json.gz"
)
SNAPSHOT = (
    f"{CONFIG}/ConfigSnapshot/{ACCOUNT}_Config_{REGION}_ConfigSnapshot_20261105T000000Z_"
    "1b4e28ba-2fa1-11d2-883f-0016d3cca427.json.gz"
)
OVERSIZED = (
    f"{CONFIG}/OversizedChangeNotification/AWS::S3::Bucket/a/b:c/{ACCOUNT}_Config_{REGION}_"
    "ChangeNotification_AWS::S3::Bucket_a/b:c_20261105T000000Z_1.json.gz"
)
KEYS = {
    ALB: "alb",
    ALB.removesuffix(".gz"): "alb",
    ALB.replace("/11/20/", "/1/5/"): "alb",
    CONNECTION: "alb_connection",
    HEALTH_CHECK: "alb_health_check",
    NLB: "nlb",
    CLB: "clb",
    f"{CLB}.gz": "clb",
    TRAIL: "cloudtrail",
    TRAIL.replace(ACCOUNT + "/", f"o-a1b2c3d4e5/{ACCOUNT}/", 1): "cloudtrail",
    TRAIL.replace("CloudTrail", "CloudTrail-Insight"): "cloudtrail",
    TRAIL.replace("CloudTrail", "CloudTrail-NetworkActivity"): "cloudtrail",
    TRAIL.replace("CloudTrail", "CloudTrail-Aggregated"): "cloudtrail",
    f"o-a1b2c3d4e5/{TRAIL}": "cloudtrail",  # as Control Tower lays them out
    S3_PARTITIONED: "s3_access",
    WAF: "waf",
    f"AWSLogs/{ACCOUNT}/S3AccessLogs/{REGION}/shop-assets/2026/11/20/"
    "2026-11-20-00-00-00-0A1B2C3D4E5F6071": "s3_access",
    f"AWSLogs/{ACCOUNT}/S3AccessLogs/{REGION}/2026-11-20-08-14-55-0A1B2C3D4E5F6071": "s3_access",
    HISTORY: "config",
    SNAPSHOT: "config",
    OVERSIZED: "config",
    f"o-a1b2c3d4e5/{HISTORY}": "config",
    CONFIG.replace("AWSLogs/", "AWSLogs/o-a1b2c3d4e5/") + HISTORY.removeprefix(CONFIG): "config",
}
OTHER_PLACES = {
    "2026-11-20-08-14-55-7F3A9C0D1E2B4A5F": ("s3_access", "", ""),
    "E2EXAMPLE9Z8Y7.2026-11-20-08.4f0c9ab1.gz": ("cloudfront", "", ""),
    "E2EXAMPLE9Z8Y7.2026-11-20-08.4f0c9ab1.parquet": ("cloudfront", "", ""),
}
"""Keys that identify the type, but not both account and Region: the type, and these two."""
FLOWS = (
    FLOW,
    FLOW.replace("/20/", "/20/08/", 1),
    f"{HIVE}{FLOW_NAME}.gz",
    f"{HIVE}hour=08/{FLOW_NAME}.parquet",
    f"{HIVE}{FLOW_NAME}.gz".replace("aws-service=", "service="),  # as the other guide writes it
)
DELIVERIES = {
    f"{BALANCERS}/delivered.log.gz": REGION,
    f"AWSLogs/aws-account-id={ACCOUNT}/elasticloadbalancing/region={REGION}/year=2026/month=11/"
    "day=20/delivered.log.gz": REGION,
    f"AWSLogs/aws-account-id={ACCOUNT}/elasticloadbalancing/f/year=2026/month=11/day=20/x.gz": "",
}
"""V2 deliveries of load balancers' logs, whatever their type, and the Region that they name."""
SAY_NOTHING = (
    "cwl/2026/11/20/08/app-logs-4-2026-11-20-08-14-55-1b4e28ba-2fa1-11d2-883f-0016d3cca427.gz",
    f"lb/{REGION}/2026/11/20/delivered.log.gz",
    "copies/today.txt",
)
"""Firehose's objects, V2 deliveries with a prefix, copies."""
NOT_LOGS = {
    "logs/firehose-errors/firehose/rds/decompression-failed/2026/11/20/08/rds-1-2026-11-20-08-14-55"
    "-1b4e28ba-2fa1-11d2-883f-0016d3cca427": "what Firehose could not process",
    f"AWSLogs/{ACCOUNT}/ELBAccessLogTestFile": "an AWS test file",
    f"AWSLogs/{ACCOUNT}/ELBConnectionLogTestFile": "an AWS test file",
    f"AWSLogs/{ACCOUNT}/ELBHealthCheckLogTestFile": "an AWS test file",
    f"AWSLogs/{ACCOUNT}/Config/ConfigWritabilityCheckFile": "an AWS test file",
    f"o-a1b2c3d4e5/AWSLogs/{ACCOUNT}/Config/ConfigWritabilityCheckFile": "an AWS test file",
    "aws-programmatic-access-test-object": "an AWS test file",
    "exports/aws-logs-write-test": "an AWS test file",
    f"AWSLogs/{ACCOUNT}/CloudTrail/": "a folder marker",
    f"AWSLogs/{ACCOUNT}/CloudTrail-Digest/": "a folder marker",
    f"AWSLogs/{ACCOUNT}/CloudTrail-Digest/{REGION}/2026/11/20/{ACCOUNT}_CloudTrail-Digest_{REGION}"
    f"_main_{REGION}_20261120T081500Z.json.gz": "a CloudTrail digest file",
    f"AWSLogs/o-a1b2c3d4e5/{ACCOUNT}/CloudTrail-Digest/{REGION}/2026/11/20/{ACCOUNT}_CloudTrail-"
    f"Digest_{REGION}_main_{REGION}_20261120T081500Z_backfill.json.gz": (
        "a CloudTrail digest file"
    ),
}
STARTS = {
    "alb": [b"wss 2026-11-20T08:14:55.1Z app/a/1 ", b"h2 2026-11-20T08:14:55.123456Z app/a/1 "],
    "vpc_flow": [
        b"version account-id interface-id srcaddr\n",
        b"version account-id interface-id srcaddr\r\n2 ",
        b"ecs-cluster-arn srcaddr\n",
        b"interface-tag\n",
        b'{"interface_id":"eni-0a1b","srcaddr":"192.0.2.1","bytes":60}',
        b"next-years-column interface-id new_one\n",
        b"\nversion vpc-id\n",
        b"2 111122223333 eni-0a1b2c3d4e5f60718 - - - - - - - 1795162440 1795162495 - NODATA\n",
        b"2 unknown eni-0a1b 192.0.2.1 2001:db8::1 1 2 6 1 60 1795162440 1795162495 ACCEPT OK\n",
    ],
    "tgw_flow": [
        b"version resource-type account-id tgw-id\n",
        b"packets-lost-blackhole\n",
        b"srcaddr next-years-column tgw-attachment-id\r\n",
        b"6 TransitGateway 111122223333 tgw-0a1b2c3d4e5f60718 tgw-attach-0a1b ",
        b'{"tgw_id":"tgw-0a1b","srcaddr":"192.0.2.1","bytes":60}',
        b'{"dstaddr":"192.0.2.1","packets_lost_blackhole":0}',
        b"6 TransitGatewayAttachment 111122223333 tgw-0a1b2c3d4e5f60718 tgw-attach-0a1b ",
    ],
    "alb_connection": [
        b"2026-11-20T08:14:55.000123Z 2001:db8::17 51514 443 TLSv1.3 ",
        b'2026-11-20T08:14:55.000123Z 192.0.2.55 51514 80 - - - "-" ',
        b'{"time":"2026-11-20T08:14:55.000123Z","tls_verify_status":"Success"}',
    ],
    "alb_health_check": [
        b"lambda 2026-11-20T08:14:55.123456Z 0.1 arn:aws:lambda:x:function:f web PASS 200 -",
        b"http 2026-11-20T08:14:55.123456Z - 192.0.2.1:80 web FAIL - TimedOut app/a/1 192.0.2.9",
        b'{"type":"http","elb":"app/{a}/\\"1","target_addr":"192.0.2.1:80"}',
    ],
    "nlb": [
        b"tls 1.0 2018-11-20T08:14:55 net/a/1 ",
        b'{"type": "tls", "alpn_client_preference_list": "\\"h2\\"", "elb": "net/a/1"}',
    ],
    "clb": [
        b"2026-11-20T08:14:55.123456Z legacy-web [2001:db8::17]:51514 192.0.2.1:80 0.1 ",
        b"2026-11-20T08:14:55.123456Z legacy-web 192.0.2.55:51514 - -1 -1 -1 504 ",
    ],
    "cloudtrail": [
        b'{"Records":[{"eventVersion":"1.11",',
        b'\n {\n  "Records" : [ {\n "awsRegion": "eu-west-1"',
        b'{"Records":[]}',
        b'{"eventVersion":"1.11","userIdentity":{',
    ],
}


NULLS = "its first lines match no known format"
REFUSED = {
    "alb_health_check/all_nulls": NULLS,
    "cloudfront/connection_logs": NULLS,
    "cloudfront_realtime/all_nulls": NULLS,
    "waf/all_nulls": NULLS,
    "vpc_flow/cut_header": NULLS,
    "vpc_flow/fields_in_another_order": "could be tgw_flow or vpc_flow: its first lines match both",
    "vpc_flow/unknown_columns": "could be tgw_flow or vpc_flow: its first lines match both",
}
"""Golden inputs whose lines could all be of any type, or of none, or of two."""


def detect(key: str, start: bytes) -> Detected:
    return TYPES.identify(key, start, None)


def detect_by_key(key: str) -> Detected | None:
    return TYPES.by_key(key)


def place(key: str, name: str) -> tuple[str, str]:
    return keys.places(key)[name]


@pytest.mark.parametrize("key", KEYS, ids=lambda key: f"{KEYS[key]}:{len(key)}")
@pytest.mark.parametrize("prefix", ["", "lb/", "a/b c/é/", "AWSLogs-old/"])
def test_a_key_tells_format_account_and_region_behind_any_prefix(key: str, prefix: str) -> None:
    found = detect_by_key(prefix + key)
    assert found is not None
    assert found.format is formats.get(KEYS[key])
    assert (found.account_id, found.region, found.skip) == (ACCOUNT, REGION, "")
    assert detect(prefix + key, b"whatever it holds") == found
    assert place(prefix + key, KEYS[key]) == (ACCOUNT, REGION)


def test_keys_of_every_format_are_tested() -> None:
    others = {name for name, _, _ in OTHER_PLACES.values()}
    laid_out = {name for name in formats.NAMES if formats.get(name).keys}
    assert {*KEYS.values(), *others, "tgw_flow", "vpc_flow"} == laid_out, (
        "a key of each, as AWS lays it out, in KEYS of this file; in OTHER_PLACES if it does not "
        "name both account and Region"
    )


@pytest.mark.parametrize("key", OTHER_PLACES)
@pytest.mark.parametrize("prefix", ["", "cdn/", "a/b c/é/"])
def test_a_key_tells_the_format_and_no_more_than_it_names(key: str, prefix: str) -> None:
    name, account, region = OTHER_PLACES[key]
    assert detect_by_key(prefix + key)[:4] == (formats.get(name), "", account, region)


def test_the_region_of_a_web_acl_of_cloudfront_is_us_east_1() -> None:
    found = detect_by_key(WAF.replace(f"/{REGION}/", "/cloudfront/").replace(REGION, "cloudfront"))
    assert found[:4] == (formats.get("waf"), "", ACCOUNT, "us-east-1")


@pytest.mark.parametrize("region", ["eusc-de-east-1", "us-iso-east-1", "us-gov-west-1", "x1-y2-z"])
@pytest.mark.parametrize("key", KEYS, ids=lambda key: f"{KEYS[key]}:{len(key)}")
def test_a_region_is_identified_by_its_place_in_a_key_whatever_its_shape(
    key: str, region: str
) -> None:
    found = detect_by_key(key.replace(REGION, region))
    assert found[:4] == (formats.get(KEYS[key]), "", ACCOUNT, region)


def test_an_item_of_a_global_resource_has_no_region() -> None:
    found = detect_by_key(OVERSIZED.replace(REGION, "global"))
    assert found[:4] == (formats.get("config"), "", ACCOUNT, "")


@pytest.mark.parametrize("key", FLOWS)
def test_of_a_flow_log_the_key_tells_the_place_and_the_header_the_type(key: str) -> None:
    assert detect_by_key(key) is None
    for name in ("vpc_flow", "tgw_flow"):
        for start in STARTS[name]:
            assert detect(key, start)[:4] == (formats.get(name), "", ACCOUNT, REGION)
        assert place(key, name) == (ACCOUNT, REGION)


@pytest.mark.parametrize("key", [*FLOWS, "copies/today.txt"])
@pytest.mark.parametrize(
    "start",
    [
        b"srcaddr dstaddr srcport dstport protocol bytes start end log-status\n",
        b"version account-id\r\n2 111122223333\r\n",
        b"region srcaddr a-new-column\n",
        b'{"srcaddr":"192.0.2.1","dstaddr":"192.0.2.2","bytes":60}',
    ],
)
def test_a_header_of_columns_that_both_flow_logs_have_is_refused_with_both_names(
    key: str, start: bytes
) -> None:
    with pytest.raises(
        UnknownLogType, match="could be tgw_flow or vpc_flow: its first lines match both; it starts"
    ):
        detect(key, start)


@pytest.mark.parametrize("start", [b"8 CoreNetwork 111122223333 ", b"garbage"])
def test_what_is_neither_flow_log_is_refused_though_its_key_is_that_of_one(start: bytes) -> None:
    expected = "is that of tgw_flow or vpc_flow, but its first lines match none of them; it"
    with pytest.raises(UnknownLogType, match=expected):
        detect(FLOW, start)


@pytest.mark.parametrize("key", DELIVERIES)
@pytest.mark.parametrize("name", ["alb", "alb_connection", "alb_health_check", "nlb"])
def test_of_a_v2_delivery_the_key_tells_the_place_and_the_first_line_the_type(
    key: str, name: str
) -> None:
    text = (FOLDER / name / "v2_delivery_as_json.log").read_bytes()
    assert detect_by_key(key) is None
    for line in text.splitlines():
        assert detect(key, line)[:4] == (formats.get(name), "", ACCOUNT, DELIVERIES[key])
    assert detect(key, generate(name, 1)).format is formats.get(name)  # the same as text


@pytest.mark.parametrize("key", SAY_NOTHING)
def test_a_key_that_tells_nothing_leaves_it_to_the_first_bytes(key: str) -> None:
    assert detect_by_key(key) is None
    for name, starts in STARTS.items():
        assert detect(key, starts[0])[:4] == (formats.get(name), "", "", "")


@pytest.mark.parametrize("key", NOT_LOGS)
@pytest.mark.parametrize("prefix", ["", "some/prefix/"])
def test_objects_that_are_not_logs_are_identified_by_their_key(key: str, prefix: str) -> None:
    found = detect_by_key(prefix + key)
    assert found is not None
    assert (found.format, found.skip) == (None, NOT_LOGS[key])
    assert detect(prefix + key, b"x") == found


@pytest.mark.parametrize(
    ("start", "what"),
    [
        (b"", "an empty object"),
        (b" \r\n\n", "an empty object"),
        (b'{\n "awsAccountId":"1","digestStartTime":"2026"', "a CloudTrail digest file"),
        (b"Enable AccessLog for ELB: shop-web at 2026-11-20", "an AWS test file"),
        (b"Enable ConnectionLog for ELB: shop-web", "an AWS test file"),
        (b"Enable HealthCheckLog for ELB: shop-web", "an AWS test file"),
        (b"Permission Check Successful", "an AWS test file"),
    ],
)
@pytest.mark.parametrize("key", ["copied/file", TRAIL, ALB])
@pytest.mark.parametrize("log_type", ["", "cloudtrail", "alb"])
def test_objects_that_are_not_logs_are_identified_by_their_start(
    start: bytes, what: str, key: str, log_type: str
) -> None:
    types = ObjectTypes(LogSettings(log_type=log_type))
    assert types.identify(key, start, None).skip == what


@pytest.mark.parametrize(
    ("name", "start"), [(name, start) for name, some in STARTS.items() for start in some]
)
def test_first_bytes_tell_the_format_of_a_copy(name: str, start: bytes) -> None:
    assert detect("copies/today.txt", start)[:4] == (formats.get(name), "", "", "")


def first_bytes(data: bytes) -> bytes:
    """Read what detection gets to see of an object."""
    start = b""
    try:
        for chunk in decompressed(BytesIO(data)):
            start += chunk
            if len(start) >= START_BYTES:
                break
    except UnreadableObject:
        pass  # of a cut object, what stands before the cut
    return start[:START_BYTES]


def taken_for(start: bytes) -> str:
    """Name what first bytes are taken for, or why they are not."""
    try:
        found = detect("copies/today.txt", start)
    except UnknownLogType as error:
        return str(error).removeprefix("unknown type: its key matches no known layout, and ")
    return found.format.name if found.format else found.skip


@pytest.mark.parametrize("name", formats.NAMES)
def test_first_bytes_of_generated_logs_tell_their_format(name: str) -> None:
    assert taken_for(generate(name, 50)[:START_BYTES]) == name


ODD_LINES = {
    "cut": b'51 "-" "Mozilla/5.0 (X11) Gecko" - - 1795162495\n',
    "blank": b" \t\r\n\n",
    "comment": b"# copied by the night shift\n",
    "garbage": b'\xff\xfe\x00{{[ "Records\n',
    "html": b"<!DOCTYPE html>\r\n",
    "long": b"x" * 5000 + b"\n",
    "byte order mark": b"\xef\xbb\xbf\n",
}


@pytest.mark.parametrize("odd", ODD_LINES.values(), ids=ODD_LINES.keys())
@pytest.mark.parametrize("name", formats.NAMES)
def test_an_odd_first_line_makes_no_object_unknown(name: str, odd: bytes) -> None:
    assert taken_for(odd + generate(name, 50)) == name
    assert taken_for(odd * 2 + generate(name, 1)) == name


NEEDS_ITS_BEGINNING = {"cloudfront", "vpc_flow", "tgw_flow", "cloudtrail", "config"}
"""A header that is cut names no columns, and its records have not the default ones; one document
has no next line."""


@pytest.mark.parametrize("name", formats.NAMES)
def test_an_object_that_starts_within_a_line_is_known_by_the_next(name: str) -> None:
    text = generate(name, 50)
    first = text.index(b"\n") if b"\n" in text else 0
    for cut in range(1, min(first, 400)):
        try:
            assert detect("copies/today.txt", text[cut:]).format is formats.get(name)
        except UnknownLogType:
            assert name in NEEDS_ITS_BEGINNING, (
                f"cut at {cut}: `starts` of {name} must match each of its lines; a type with a "
                "header or whose objects are one document is in NEEDS_ITS_BEGINNING of this file"
            )


def test_lines_of_several_types_behind_an_odd_one_are_refused_with_all_names() -> None:
    text = b"odd\n" + generate("alb", 2) + generate("s3_access", 2)
    with pytest.raises(
        UnknownLogType, match="could be alb or s3_access: its first lines match both; it starts"
    ):
        detect("copies/today.txt", text)


def test_an_object_of_more_than_two_types_is_said_to_match_all_of_them() -> None:
    text = b"odd\n" + generate("alb", 2) + generate("s3_access", 2) + generate("waf", 1)
    with pytest.raises(UnknownLogType, match=r"could be alb, s3_access or waf: .* match all"):
        detect("copies/today.txt", text)


def test_advice_of_an_object_that_could_be_two_types_is_to_choose_one() -> None:
    with pytest.raises(UnknownLogType, match=r"; choose its type by .* LogTypePrefixes$"):
        detect(FLOW, b"srcaddr dstaddr start end\n")


def test_what_has_no_key_is_not_said_to_have_one() -> None:
    with pytest.raises(UnknownLogType, match=r"^unknown type: its first lines match no known"):
        detect("", b"root:x:0:0:root\n")


@pytest.mark.parametrize("log_type", ["", "alb", "waf"])
@pytest.mark.parametrize("key", ["copies/rejected.ndjson", ALB])
def test_a_rejects_file_is_skipped_by_name_whatever_its_type_is_said_to_be(
    key: str, log_type: str
) -> None:
    reject = Reject(3, "does_not_match", 'a "reason"', generate("vpc_flow", 2))
    source = Source("s3://logs/a", "id", datetime(2026, 11, 20, tzinfo=UTC))
    lines = reject_line(reject, source, "vpc_flow") * 2
    found = ObjectTypes(LogSettings(log_type=log_type)).identify(key, lines[:START_BYTES], None)
    assert found.format is None
    assert found.skip == "a rejects file, which `servicelogs explain FILE` reads"


def test_the_first_line_decides_if_it_matches_one_type() -> None:
    assert taken_for(generate("alb", 2) + generate("s3_access", 2)) == "alb"


def test_what_stands_far_below_is_not_looked_at() -> None:
    assert "no known format" in taken_for(b"odd\n" * 100 + generate("alb", 2))
    assert "no known format" in taken_for(b"x" * MOST_BYTES + b"\n" + generate("alb", 2))


def test_a_line_within_a_record_says_nothing() -> None:
    text = b'[\n  {\n    "of": [\n      {"eventVersion": "1.11"}\n    ]\n  }\n]\n'
    assert "no known format" in taken_for(text)


@pytest.mark.parametrize(
    "name",
    ["alb", "clb", "cloudfront", "cloudtrail", "config", "s3_access", "vpc_flow", "waf"],
)
def test_an_odd_first_line_costs_no_other_record(name: str) -> None:
    text = generate(name, 20)
    parsed = parse(detect("copies/today.txt", b"odd words\n" + text).format, b"odd words\n" + text)
    assert [reject.number for reject in parsed.rejects] == [1]
    assert len(parsed.documents) == len(parse(name, text).documents)


@pytest.mark.parametrize(
    "line", [b"a " * MOST_BYTES, b"{" * MOST_BYTES, b"version\n" * 3000, b"\n" * MOST_BYTES]
)
def test_odd_text_is_refused_at_once(line: bytes) -> None:
    began = time.process_time()
    with pytest.raises(UnknownLogType):
        detect("copies/today.txt", line)
    assert time.process_time() - began < 0.2


@pytest.mark.parametrize(
    "sample",
    # A Parquet file has no text to be identified by; its rows have.
    [sample for sample in objects() if not sample.data.startswith(b"PAR1")],
    ids=lambda sample: f"{sample.format}:{sample.key}",
)
def test_first_bytes_of_every_sample_object_are_taken_for_its_format_alone(
    sample: SampleObject,
) -> None:
    taken = taken_for(first_bytes(sample.data))
    no_logs = ("an empty object", *NOT_LOGS.values())
    assert taken == sample.format if sample.records else taken in (sample.format, *no_logs)


@pytest.mark.parametrize("case", cases(), ids=lambda case: f"{case.parent.name}/{case.name}")
def test_first_bytes_of_every_golden_input_are_taken_for_its_format_alone(case: Path) -> None:
    taken = taken_for(first_bytes(case.read_bytes()))
    name = f"{case.parent.name}/{case.name.partition('.')[0]}"
    if name.endswith("/empty"):
        assert taken == "an empty object"
    elif name in REFUSED:
        assert taken.startswith(REFUSED[name])
    else:
        assert taken == case.parent.name, (
            "`starts` in formats/*.py: it has to match this type's first lines, and no other's; "
            "an input that really could be of several types is in REFUSED of this file"
        )


@pytest.mark.parametrize(
    "start",
    [
        b"garbage",
        b"\x00\xff\x1f",
        b'{"Records":[{"x":1}]}',
        b"[]",
        b"version interface-id tgw-id\n",
        b'{"type":"https","elb":"app/a/1"}',
        b'{"user_agent":"\\"target_addr\\":1"}',
        b'{"Records":[{"x":{"target_addr":1}}]}',
        b"2026-11-20T08:14:55.123456Z a line of a program's log",
        b"GET / HTTP/1.1",
        b"time,status\n1,2\n",
        b"the start of a text\nof several lines\n",
        b"notes of monday\naction items for all\nend\n",
        b"a recipe\naction\n",
    ],
)
def test_an_object_of_no_known_type_is_an_error_that_names_what_was_seen(start: bytes) -> None:
    with pytest.raises(UnknownLogType) as error:
        detect("copies/today.txt", start)
    assert str(error.value).startswith("unknown type: its key matches no known layout, and its fir")
    assert "LogTypePrefixes" in str(error.value)
    assert repr(start[:60]) in str(error.value)


def test_an_object_that_begins_with_much_space_is_not_taken_for_an_empty_one() -> None:
    start = b"\n" * START_BYTES
    assert detect(ALB, start).format is formats.get("alb")
    with pytest.raises(UnknownLogType):
        detect("copies/today.txt", start)


def test_an_unknown_name_is_an_error_that_names_those_there_are() -> None:
    with pytest.raises(UnknownLogType, match=r"'apache' is not a log type; there are alb, .*"):
        formats.get("apache")


@pytest.mark.parametrize(
    "record",
    [
        {"instance_id": "i-1", "message": "disk full", "level": "ERROR"},
        {"timestamp": "2026-11-20T08:00:00Z", "service": "shop", "vpc_id": "vpc-1"},
        # A query log of Route 53 Resolver.
        {
            "version": "1.100000",
            "account_id": "111122223333",
            "region": "eu-west-1",
            "vpc_id": "vpc-0a1b2c3d",
            "query_timestamp": "2026-11-20T08:00:00Z",
            "query_name": "example.com.",
            "srcaddr": "192.0.2.55",
            "srcport": "51514",
        },
    ],
)
def test_json_with_names_that_many_logs_have_is_not_a_flow_log(record: dict[str, str]) -> None:
    with pytest.raises(UnknownLogType):
        ObjectTypes(LogSettings()).identify("logs/app.json", json.dumps(record).encode(), None)
