"""What files without a header hold is said by an option: the same way for all formats that ask."""

from typing import Any

import pytest

from local.sample_logs import generate
from servicelogs import formats
from servicelogs.detection.objects import ObjectTypes
from servicelogs.errors import UnknownLogType
from servicelogs.parsing.format import Format
from servicelogs.settings import LogSettings, read_settings
from tests.deployment import flow_key
from tests.formats.parsing import parse

VPC = b"eni-0a1b 192.0.2.1 2001:db8::1 60 1795162440 - x\r\neni-0a1c - - - 1795162441 - -\r\n"
VPC_FIELDS = "${interface-id} ${srcaddr} ${dstaddr} ${bytes} ${start} ${end} ${a-newer-column}"
TGW = b"tgw-0a1b 192.0.2.1 60 1795162440\n"
TGW_FIELDS = "tgw-id,srcaddr,bytes,start"
BOTH = b"192.0.2.1 60 1795162440\n"
BOTH_FIELDS = "srcaddr bytes start"


def types(fields: str, option: str = "FlowLogFields", **settings: Any) -> ObjectTypes:
    options = read_settings(LogSettings, {"FORMAT_OPTIONS": f"{option}={fields}"}).format_options
    return ObjectTypes(LogSettings(format_options=options, **settings))


def identified(of: ObjectTypes, key: str, text: bytes) -> Format:
    found = of.identify(key, text, None).format
    assert found is not None
    return found


@pytest.mark.parametrize(
    ("key", "settings"),
    [
        ("firehose/net/a", {"log_type_prefixes": {"firehose/": "vpc_flow"}}),
        ("firehose/net/a", {"log_type": "vpc_flow"}),
        (flow_key("a"), {}),
    ],
)
def test_custom_flow_logs_without_a_header_become_documents(
    key: str, settings: dict[str, Any]
) -> None:
    parsed = parse(identified(types(VPC_FIELDS, **settings), key, VPC), VPC)
    assert parsed.rejects == []
    first, second = parsed.documents.values()
    assert first["@timestamp"] == "2026-11-20T08:14:00Z"
    assert first["log"]["type"] == "vpc_flow"
    assert (first["interface_id"], first["srcaddr"], first["bytes"]) == (
        "eni-0a1b",
        "192.0.2.1",
        60,
    )
    assert (first["dstaddr"], first["extra_fields"]) == ("2001:db8::1", {"a_newer_column": "x"})
    assert "end" not in first
    assert second["interface_id"] == "eni-0a1c"
    assert "bytes" not in second


def test_a_header_counts_before_the_option() -> None:
    text = generate("vpc_flow", 20)
    changed = identified(types(VPC_FIELDS), flow_key("a"), text)
    assert changed is not formats.get("vpc_flow")
    assert parse(changed, text).documents == parse("vpc_flow", text).documents


def test_columns_of_one_kind_are_given_to_that_kind_alone() -> None:
    kinds = {"log_type_prefixes": {"v/": "vpc_flow", "t/": "tgw_flow"}}
    of_tgw = types(TGW_FIELDS, **kinds)
    assert identified(of_tgw, "v/a", TGW) is formats.get("vpc_flow")
    (document,) = parse(identified(of_tgw, "t/a", TGW), TGW).documents.values()
    assert (document["tgw_id"], document["bytes"]) == ("tgw-0a1b", 60)


def test_columns_that_both_kinds_have_are_given_to_both_and_the_prefix_says_which() -> None:
    kinds = {"log_type_prefixes": {"v/": "vpc_flow", "t/": "tgw_flow"}}
    of_both = types(BOTH_FIELDS, **kinds)
    for key, name in (("v/a", "vpc_flow"), ("t/a", "tgw_flow")):
        (document,) = parse(identified(of_both, key, BOTH), BOTH).documents.values()
        assert (document["log"]["type"], document["bytes"]) == (name, 60)
    with pytest.raises(
        UnknownLogType, match="could be tgw_flow or vpc_flow: its first lines match both"
    ):
        of_both.identify(flow_key("a"), BOTH, None)


@pytest.mark.parametrize(
    "text",
    [
        b"garbage\n",
        b"a b c d e f\n",
        b"eni-0a1b here there 60 1 2 x\n",
        b"8 CoreNetwork 1 x y z a\n",
    ],
)
def test_lines_that_have_not_these_columns_stay_unknown(text: bytes) -> None:
    with pytest.raises(UnknownLogType, match="match none of them"):
        types(VPC_FIELDS).identify(flow_key("a"), text, None)


def test_an_option_says_nothing_of_an_object_whose_key_says_nothing() -> None:
    with pytest.raises(UnknownLogType):
        types("interface-id action").identify("notes.txt", b"two words\n", None)


def test_plain_files_of_cloudfront_hold_the_fields_that_the_deployment_says() -> None:
    line = b"192.0.2.1\t2026-11-20\t08:14:55\t200\n"
    of = types("c-ip date time sc-status", "CloudFrontFields", log_type="cloudfront")
    (document,) = parse(identified(of, "edge/a", line), line).documents.values()
    assert document["@timestamp"] == "2026-11-20T08:14:55Z"
    assert (document["c_ip"], document["sc_status"]) == ("192.0.2.1", 200)


def test_what_is_learned_of_such_files_is_kept_from_batch_to_batch() -> None:
    first, second = (identified(types(VPC_FIELDS), flow_key("a"), VPC) for _ in range(2))
    assert first is second


def test_an_option_changes_no_other_format() -> None:
    assert identified(types(VPC_FIELDS), "a/copy", generate("alb", 1)) is formats.get("alb")
