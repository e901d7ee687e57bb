"""Where a row's account and Region come from: the table in docs/light-engine.md."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from servicelogs import formats
from servicelogs.detection import keys
from servicelogs.lake.row_place import row_place
from servicelogs.parsing.places import Place
from servicelogs.records import Source

SOURCE = Source("s3://logs/key", "A" * 16, datetime(2026, 11, 20, tzinfo=UTC))
BY_KEY = Place("111111111111", "eu-west-1")
BY_RECORD = ("222222222222", "ap-south-1")
SILENT = Place()
DEFAULT = Place("999999999999", "eu-central-1")
WEB_ACL = "arn:aws:wafv2:{}:222222222222:{}/webacl/shop/0a1b2c3d"
FOLDER = "2026/11/20/08/15"
FILE = "20261120T0815Z_0a1b2c3d.log.gz"
KEYS = {
    "waf": f"AWSLogs/111111111111/WAFLogs/cloudfront/shop/{FOLDER}"
    f"/111111111111_waflogs_cloudfront_shop_{FILE}",
    "cloudfront": "AWSLogs/111111111111/CloudFront/E2EXAMPLE1234.2026-11-20-08.0a1b2c3d.gz",
    "config": "AWSLogs/111111111111/Config/global/2026/11/20/OversizedChangeNotification"
    "/AWS::IAM::Role/role/111111111111_Config_global_ChangeNotification_x.json.gz",
}


def of(
    name: str, place: Place = SILENT, *values: str, uri: str = SOURCE.uri, log_group: str = ""
) -> Place:
    source = replace(SOURCE, uri=uri, log_group=log_group, **place._asdict())
    return row_place(formats.get(name), source, values, DEFAULT)


@pytest.mark.parametrize(
    ("place", "values", "expected"),
    [
        (BY_KEY, (), BY_KEY),
        (BY_KEY, BY_RECORD, BY_KEY),
        (Place("111111111111"), BY_RECORD, Place("111111111111", "ap-south-1")),
        (SILENT, BY_RECORD, Place(*BY_RECORD)),
        (SILENT, ("arn:aws:acm:ap-south-1:222222222222:certificate/x",), Place(*BY_RECORD)),
        (SILENT, ("222222222222",), Place("222222222222", "eu-central-1")),
        (SILENT, ("us-east-1",), Place("999999999999", "us-east-1")),
        (SILENT, ("global", "-", "12345"), DEFAULT),
        (SILENT, (), DEFAULT),
    ],
)
def test_the_key_says_it_else_the_record_else_the_deployment(
    place: Place, values: tuple[str, ...], expected: Place
) -> None:
    assert of("cloudtrail", place, *values) == expected


def test_in_a_log_group_the_record_comes_first_for_it_may_be_another_accounts() -> None:
    group = "aws-cloudtrail-logs"

    assert of("cloudtrail", BY_KEY, *BY_RECORD, log_group=group) == Place(*BY_RECORD)
    assert of("cloudtrail", BY_KEY, "222222222222", log_group=group) == Place(
        "222222222222", "eu-west-1"
    )
    assert of("cloudtrail", BY_KEY, log_group=group) == BY_KEY


@pytest.mark.parametrize("name", KEYS)
def test_what_a_key_says_is_of_no_region_is_global(name: str) -> None:
    place = keys.places(KEYS[name])[name]

    assert of(name, place, uri=f"s3://logs/{KEYS[name]}") == Place("111111111111", "global")


def test_cloudfront_is_global_whatever_says_nothing_of_it() -> None:
    for name in ("cloudfront", "cloudfront_realtime"):
        assert of(name) == Place("999999999999", "global")


def test_a_web_acl_is_global_if_its_records_say_so() -> None:
    assert of("waf", SILENT, WEB_ACL.format("us-east-1", "global")) == Place(
        "222222222222", "global"
    )
    assert of("waf", SILENT, WEB_ACL.format("us-east-1", "regional")) == Place(
        "222222222222", "us-east-1"
    )


@pytest.mark.parametrize("name", formats.NAMES)
def test_neither_is_empty_whatever_a_record_says(name: str) -> None:
    much = "a" + "-b" * 5000 + "-1"
    odd = ("/", "..", "a=b", "\uff11" * 12, much, f"arn:aws:wafv2:{much}::x")
    for values in ((), ("",), ("arn:aws:::",), odd, ("arn:aws:wafv2:../x:../y:global/",)):
        place = of(name, SILENT, *values)

        assert place.account_id == DEFAULT.account_id
        assert place.region in (DEFAULT.region, "global")


def test_of_an_object_of_another_account_its_bucket_says_what_nothing_else_does() -> None:
    own = {"default_account_id": "333333333333", "default_region": "ap-south-1"}
    source = replace(SOURCE, **own)
    s3_access, cloudfront = formats.get("s3_access"), formats.get("cloudfront")
    assert row_place(s3_access, source, (), DEFAULT) == Place("333333333333", "ap-south-1")
    assert row_place(cloudfront, source, (), DEFAULT) == Place("333333333333", "global")
    by_key = replace(source, **BY_KEY._asdict())
    assert row_place(s3_access, by_key, (), DEFAULT) == BY_KEY
