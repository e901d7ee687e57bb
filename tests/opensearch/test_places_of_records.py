"""Account and Region are the key's; where it does not say, each record's own."""

import json
from dataclasses import replace
from typing import Any

import pytest

from servicelogs import formats
from servicelogs.opensearch.dated_indexes import one_index
from servicelogs.opensearch.documents import blocks_of
from servicelogs.opensearch.frames import Frames
from servicelogs.parsing.places import place_of
from servicelogs.records import Source
from tests.formats.make_cases import FOLDER
from tests.formats.parsing import SOURCE

SILENT = replace(SOURCE, account_id="", region="")
PLACE = {"account_id": "111122223333", "region": "eusc-de-east-1"}
FLOW = b"2 %b eni-0a1b 192.0.2.1 192.0.2.2 1 2 6 12 5120 1795132700 1795132798 ACCEPT OK\n"
TRAIL = (
    b'{"eventVersion":"1.11","eventTime":"2026-11-19T23:59:58Z","awsRegion":"eusc-de-east-1",'
    b'"recipientAccountId":"111122223333"}\n'
)
ACL = b"arn:aws-eusc:wafv2:eusc-de-east-1:111122223333:regional/webacl/shop/0a"
GLOBAL_ACL = b"arn:aws:wafv2:us-east-1:111122223333:global/webacl/edge/0a"
WAF = (
    b'{"timestamp":1795132798123,"formatVersion":1,"webaclId":"%b","httpRequest":{"headers":[]}}\n'
)
ITEM = (
    b'{"configurationItemCaptureTime":"2026-11-19T23:59:58.000Z","awsAccountId":"111122223333",'
    b'"awsRegion":"eusc-de-east-1"}\n'
)


def places(name: str, text: bytes, source: Source = SILENT) -> list[dict[str, str]]:
    found: list[dict[str, Any]] = []
    for block in blocks_of(formats.get(name), [text], source, one_index("an-index")):
        assert block.rejects == []
        found += map(json.loads, bytes(block.body).splitlines()[1::2])
    return [document["cloud"] for document in found]


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("cloudtrail", TRAIL),
        ("cloudtrail", TRAIL.replace(b",", b",\n ")),
        ("waf", WAF % ACL),
        ("waf", (WAF % ACL).replace(b",", b",\n ")),
        ("config", ITEM),
        ("vpc_flow", b"account-id region srcaddr end\n111122223333 eusc-de-east-1 192.0.2.1 1\n"),
        ("vpc_flow", b'{"region":"eusc-de-east-1","account_id":"111122223333","end":1}\n'),
        ("tgw_flow", b"tgw-id account-id region end\ntgw-0a 111122223333 eusc-de-east-1 1\n"),
    ],
)
def test_a_record_says_account_and_region_where_the_key_does_not(name: str, text: bytes) -> None:
    assert places(name, text) == [PLACE]


def test_an_oversized_item_says_it_in_the_item() -> None:
    text = (FOLDER / "config" / "oversized_notification.json").read_bytes()
    assert all(len(place) == 2 for place in places("config", text))


@pytest.mark.parametrize("name", ["alb", "nlb"])
def test_of_load_balancers_arns_in_their_records_say_it(name: str) -> None:
    found = places(name, (FOLDER / name / "documented.log").read_bytes())
    assert found[0].keys() == {"account_id", "region"}
    assert all(place in ({}, found[0]) for place in found)


def test_records_of_several_accounts_in_one_object_each_have_their_own() -> None:
    text = b"".join(FLOW % account for account in (b"111111111111", b"222222222222", b"unknown"))
    assert places("vpc_flow", text) == [
        {"account_id": "111111111111"},
        {"account_id": "222222222222"},
        {},
    ]


def test_the_region_of_a_global_web_acl_is_us_east_1() -> None:
    assert places("waf", WAF % GLOBAL_ACL)[0]["region"] == "us-east-1"


def test_a_web_acl_of_waf_classic_says_nothing() -> None:
    assert places("waf", WAF % b"0a1b2c3d-2fa1-11d2-883f-0016d3cca427") == [{}]


def test_what_the_key_says_counts_before_what_a_record_says() -> None:
    assert places("cloudtrail", TRAIL, SOURCE) == [
        {"account_id": SOURCE.account_id, "region": SOURCE.region}
    ]
    half = replace(SILENT, account_id="999999999999")
    assert places("cloudtrail", TRAIL, half) == [PLACE | {"account_id": "999999999999"}]


@pytest.mark.parametrize("odd", [b"17", b"null", b"[1]", b'{"a":1}', b'"x\\"y"', b'"\\ud800"'])
def test_an_odd_value_where_a_place_is_costs_no_record(odd: bytes) -> None:
    assert places("cloudtrail", TRAIL.replace(b'"111122223333"', odd)) == [
        {"region": "eusc-de-east-1"}
    ]


def test_thousands_of_long_places_take_bounded_memory() -> None:
    frames = Frames(formats.get("vpc_flow"), SILENT, one_index("an-index"))
    for number in range(5_000):
        assert frames.of_place[495_000, (b"%d" % number + b"x" * 5000,)]
    assert sum(len(value) for _, (value,) in frames.of_place) < 5_000_000


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        (
            ["arn:aws-iso:elasticloadbalancing:us-iso-east-1:111122223333:loadbalancer/a/b:c"],
            ("111122223333", "us-iso-east-1"),
        ),
        (
            ["arn:aws:iam::111122223333:server-certificate/x", "eu-west-1"],
            ("111122223333", "eu-west-1"),
        ),
        (["arn:aws:s3:::bucket"], ("", "")),
        (["global", "unknown", "-", "", "١١١١٢٢٢٢٣٣٣٣", "arn:x"], ("", "")),
        (["eu-west-1", "222222222222", "333333333333"], ("222222222222", "eu-west-1")),
    ],
)
def test_the_first_account_and_the_first_region_count(
    values: list[str], expected: tuple[str, str]
) -> None:
    assert place_of(values) == expected


def test_its_bucket_says_what_neither_key_nor_record_does_unless_it_is_of_no_region() -> None:
    own = {"default_account_id": "333333333333", "default_region": "ap-south-1"}
    source = replace(SILENT, **own)
    bucket = {"account_id": "333333333333", "region": "ap-south-1"}
    access = (FOLDER / "s3_access" / "documented.log").read_bytes()
    assert all(place == bucket for place in places("s3_access", access, source))
    assert places("vpc_flow", FLOW % b"111122223333", source) == [
        bucket | {"account_id": "111122223333"}
    ]
    assert places("cloudtrail", TRAIL, source) == [PLACE]
    distribution = replace(source, uri="s3://logs/E2EXAMPLE1234.2026-11-20-08.0a1b2c3d.gz")
    edge = (FOLDER / "cloudfront" / "documented.log").read_bytes()
    assert places("cloudfront", edge, distribution)[0] == {"account_id": "333333333333"}
