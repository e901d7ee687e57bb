"""Which of pin, prefix, key and first bytes identifies an object, and what is skipped."""

import pytest

from local.sample_events import KEYS
from servicelogs.detection.objects import ObjectTypes
from servicelogs.errors import UnknownLogType, UnreadableObject
from servicelogs.settings import LogSettings
from tests.deployment import flow_key, flow_lines

FLOW_KEY = flow_key("a")
FLOW_TEXT = flow_lines(3)
ALB_KEY = KEYS["alb"]


def log_types(**settings):
    return ObjectTypes(LogSettings(**settings))


def answer(types, key, start=FLOW_TEXT, fault=None):
    detected = types.identify(key, start, fault)
    return detected.format.name if detected.format else detected.skip


def test_without_settings_the_key_tells_then_the_first_bytes():
    types = log_types()
    assert answer(types, FLOW_KEY, FLOW_TEXT) == "vpc_flow"
    assert answer(types, "a/copy", FLOW_TEXT) == "vpc_flow"


def test_a_prefix_counts_before_the_key_and_the_first_bytes():
    types = log_types(log_type_prefixes={"AWSLogs/": "alb", "edge/": "cloudtrail"})
    assert answer(types, FLOW_KEY, FLOW_TEXT) == "alb"
    assert answer(types, "edge/a", FLOW_TEXT) == "cloudtrail"
    assert answer(types, "ledge/a", FLOW_TEXT) == "vpc_flow"


def test_the_longest_prefix_that_fits_counts():
    types = log_types(log_type_prefixes={"logs/": "alb", "logs/net/": "vpc_flow", "log": "alb"})
    assert answer(types, "logs/net/a") == "vpc_flow"
    assert answer(types, "logs/new/a") == "alb"


def test_a_pinned_type_counts_before_all_prefixes():
    types = log_types(log_type="vpc_flow", log_type_prefixes={"edge/": "alb"})
    assert answer(types, "edge/a") == "vpc_flow"


def test_account_and_region_come_from_the_key_whatever_tells_the_type():
    detected = log_types(log_type_prefixes={"AWSLogs/": "alb"}).identify(FLOW_KEY, FLOW_TEXT, None)
    assert (detected.account_id, detected.region) == ("111122223333", "eu-west-1")


@pytest.mark.parametrize(
    "key",
    [
        flow_key("a").replace("eu-west-1", "eu" + "-west" * 50),
        flow_key("a").replace("111122223333", "\uff11" * 12),
        flow_key("a").replace("eu-west-1", ".."),
    ],
)
def test_a_key_that_names_no_possible_place_names_none(key):
    detected = log_types().identify(key, FLOW_TEXT, None)
    assert (detected.format.name, detected.account_id, detected.region) == ("vpc_flow", "", "")


def test_what_the_key_names_as_no_log_is_none_under_any_prefix():
    types = log_types(log_type="alb", log_type_prefixes={"AWSLogs/": "alb"})
    assert answer(types, "AWSLogs/111122223333/ELBAccessLogTestFile") == "an AWS test file"


@pytest.mark.parametrize("key", [FLOW_KEY, "a/copy", "net/a"])
def test_a_type_that_is_not_indexed_is_named_and_not_unknown(key):
    types = log_types(log_types=("alb",), log_type_prefixes={"net/": "vpc_flow"})
    assert answer(types, key, FLOW_TEXT) == "vpc_flow is not among LogTypes"


def test_what_is_not_indexed_is_known_from_its_key_before_it_is_read():
    types = log_types(log_types=("vpc_flow",))
    detected = types.by_key(ALB_KEY)
    assert detected is not None
    assert detected.skip == "alb is not among LogTypes"
    assert types.by_key("a/copy") is None


def test_of_a_text_that_cannot_be_read_the_key_or_a_prefix_says_the_type():
    fault = UnreadableObject("the gzip stream is truncated")
    types = log_types(log_type_prefixes={"edge/": "vpc_flow"})
    assert answer(types, ALB_KEY, b"", fault) == "alb"
    assert answer(types, "edge/a", b"", fault) == "vpc_flow"
    with pytest.raises(UnknownLogType) as error:
        types.identify("a/copy", b"", fault)
    assert str(error.value) == (
        "unknown type: its key matches no known layout, and nothing of its text can be read: the "
        "gzip stream is truncated; check how it was written or copied"
    )


def test_of_a_text_that_ends_in_a_fault_the_good_lines_say_the_type():
    fault = UnreadableObject("the gzip stream is truncated")
    assert answer(log_types(), "a/copy", FLOW_TEXT, fault) == "vpc_flow"
    with pytest.raises(
        UnknownLogType, match="starts with b'odd'; the gzip stream is truncated; if it"
    ):
        log_types().identify("a/copy", b"odd", fault)


@pytest.mark.parametrize("key", ["a/copy", "edge/a", ALB_KEY])
@pytest.mark.parametrize("text", [b"", b"\r\n \n"])
def test_an_object_without_text_is_empty_whatever_its_key_says(key, text):
    assert answer(log_types(log_type_prefixes={"edge/": "waf"}), key, text) == "an empty object"


def test_an_object_that_nothing_tells_is_an_error_that_says_what_to_do():
    with pytest.raises(UnknownLogType, match="LogTypePrefixes"):
        log_types().identify("notes.txt", b"nothing that AWS writes", None)
