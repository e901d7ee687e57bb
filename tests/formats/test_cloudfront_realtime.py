"""CloudFront real-time logs: which list of fields a line has, and what its id is."""

import pytest

from servicelogs import formats
from servicelogs.errors import ConfigurationError
from servicelogs.parsing.text.format import TextFormat
from servicelogs.settings import LogSettings, field_names, read_settings
from tests.formats.parsing import SOURCE, parse

REALTIME = formats.get("cloudfront_realtime")
LINE = b"1795162495.123\t192.0.2.55\t200\taB3xExampleReqId0001==\n"


def of(text: str) -> TextFormat:
    """Give the format with these lists of fields, as the parameter has them."""
    found = REALTIME.with_fields(field_names(text))
    assert isinstance(found, TextFormat)
    return found


@pytest.mark.parametrize(
    "text",
    [
        "timestamp c-ip sc-status x-edge-request-id",
        "x-edge-request-id,sc-status,c-ip,timestamp",
        "sc-status, timestamp, x-edge-request-id, c-ip",
    ],
)
def test_the_fields_have_cloudfronts_order_whatever_order_they_are_named_in(text: str) -> None:
    document = parse(of(text), LINE).documents[1]
    assert (document["c_ip"], document["sc_status"]) == ("192.0.2.55", 200)
    assert document["x_edge_request_id"] == "aB3xExampleReqId0001=="
    assert document["@timestamp"] == "2026-11-20T08:14:55.123Z"


def test_there_are_71_fields_and_the_list_of_all_is_the_default() -> None:
    assert isinstance(REALTIME, TextFormat)
    assert len(REALTIME.columns) == 71
    assert REALTIME.selection
    assert REALTIME.selection.lists == (tuple(column.name for column in REALTIME.columns),)


@pytest.mark.parametrize("more", [b"\tmore", b"\t-", b"\t"])
def test_a_line_with_another_number_of_columns_is_a_reject_that_says_so(more: bytes) -> None:
    log_format = of("timestamp c-ip sc-status x-edge-request-id")
    shorter = LINE.rpartition(b"\t")[0]
    parsed = parse(log_format, b"\n".join((LINE.strip() + more, shorter, LINE.strip())))
    assert [*parsed.documents] == [3]
    longer, missing = parsed.rejects
    assert "after the 4 expected columns" in longer.reason
    assert "4 are expected: column 4 (x-edge-request-id) is missing" in missing.reason


def test_while_the_fields_change_each_line_is_read_by_the_list_of_its_length() -> None:
    log_format = of("timestamp c-ip sc-status | timestamp c-ip s-ip sc-status")
    new, old = b"1795162495.123\t192.0.2.55\t200", b"1795162495.123\t192.0.2.55\t192.0.2.9\t404"
    parsed = parse(log_format, b"\n".join((new, old, new, old, b"1795162495.123\t192.0.2.55")))
    statuses = [(one["sc_status"], one.get("s_ip")) for one in parsed.documents.values()]
    assert statuses == [(200, None), (404, "192.0.2.9")] * 2
    (reject,) = parsed.rejects
    assert "3 are expected" in reject.reason


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("timestamp c-ip | timestamp s-ip", "must differ in their length"),
        ("timestamp timestamp", "given twice"),
        ("timestamp c-pi", "'c-pi' is not a column"),
        ("cs(Host)", "is not a column"),
        ("|", "must differ"),
    ],
)
def test_lists_that_cannot_be_told_apart_or_name_what_is_not_there_are_refused(
    text: str, why: str
) -> None:
    with pytest.raises(ConfigurationError, match=why.replace("(", r"\(").replace(")", r"\)")):
        of(text)


def test_a_deployment_gives_the_lists_as_an_option() -> None:
    variable = {"FORMAT_OPTIONS": "CloudFrontRealtimeFields=timestamp,c-ip | timestamp"}
    settings = read_settings(LogSettings, variable)
    assert settings.format_options == {
        "CloudFrontRealtimeFields": ("timestamp", "c-ip", "|", "timestamp")
    }


@pytest.mark.parametrize(
    ("line", "id_"),
    [
        (LINE, "aB3xExampleReqId0001==-1795162495.123"),
        (LINE.replace(b".123", b""), "aB3xExampleReqId0001==-1795162495"),
        (LINE.replace(b"aB3xExampleReqId0001==", b"-"), f"{SOURCE.id}-1"),
        (LINE.replace(b"1795162495.123", b"-"), f"{SOURCE.id}-1"),
        (LINE.replace(b"aB3x", b"x" * 600), f"{SOURCE.id}-1"),
    ],
)
def test_request_id_and_timestamp_are_the_id_where_both_have_a_value(line: bytes, id_: str) -> None:
    log_format = of("timestamp c-ip sc-status x-edge-request-id")
    assert parse(log_format, line).actions[1]["_id"] == id_


def test_without_both_fields_the_records_place_is_the_id() -> None:
    line = LINE.rpartition(b"\t")[0]
    assert parse(of("timestamp c-ip sc-status"), line).actions[1]["_id"] == f"{SOURCE.id}-1"
