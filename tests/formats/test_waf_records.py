"""A WAF record is in its document as it was delivered, with some of its headers beside it."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from servicelogs.formats.waf import FORMAT
from tests.formats.parsing import parse

RECORD = {
    "timestamp": 1795162495123,
    "formatVersion": 1,
    "webaclId": "arn:aws:wafv2:eu-west-1:111122223333:regional/webacl/shop/1",
    "action": "ALLOW",
}
OURS = {header: name for name, header in FORMAT.headers.items()}

wanted = st.sampled_from(sorted(OURS)).flatmap(
    lambda name: st.sampled_from([name, name.title(), name.upper(), name.swapcase()])
)
headers = st.lists(
    st.fixed_dictionaries({"name": wanted | st.text(max_size=20), "value": st.text()}), max_size=20
)
layouts: Any = st.sampled_from([{"separators": (",", ":")}, {}, {"indent": 2}])


@given(
    lists=st.lists(headers, min_size=1, max_size=3),
    layout=layouts,
    ends=st.sampled_from(["\n", ""]),
)
def test_of_each_header_that_has_a_field_the_first_value_is_in_it(
    lists: list[list[dict[str, str]]], layout: dict[str, Any], ends: str
) -> None:
    records = [RECORD | {"httpRequest": {"headers": some}} for some in lists]
    text = "".join(json.dumps(record, **layout) + ends for record in records)

    parsed = parse("waf", text.encode())

    assert parsed.rejects == []
    for number, record in enumerate(records, 1):
        document = parsed.documents[number]
        first: dict[str, str] = {}
        for header in record["httpRequest"]["headers"]:
            if header["name"].lower() in OURS:
                first.setdefault(OURS[header["name"].lower()], header["value"])
        assert document.pop("request", {}) == first
        assert {name: document[name] for name in record} == record


def test_secrets_are_not_among_the_headers_with_a_field() -> None:
    assert not {"cookie", "authorization", "proxy-authorization", "x-api-key"} & {*OURS}


@pytest.mark.parametrize(
    ("milliseconds", "time"),
    [
        (1795162495123, "2026-11-20T08:14:55.123Z"),
        (1795162495000, "2026-11-20T08:14:55.000Z"),
        (1795162495007, "2026-11-20T08:14:55.007Z"),
        (999, "1970-01-01T00:00:00.999Z"),
    ],
)
@pytest.mark.parametrize("layout", [{"separators": (",", ":")}, {"indent": 2}])
def test_a_time_in_milliseconds_is_written_the_same_however_the_record_is_laid_out(
    milliseconds: int, time: str, layout: dict[str, Any]
) -> None:
    text = json.dumps(RECORD | {"timestamp": milliseconds}, **layout)

    parsed = parse("waf", text.encode())

    assert parsed.documents[1]["@timestamp"] == time
    assert parsed.documents[1]["timestamp"] == milliseconds


def test_a_cookie_longer_than_a_term_leaves_its_record_as_it_was() -> None:
    request = {"headers": [{"name": "Cookie", "value": "c=" + "x" * 60_000}], "args": "y" * 40_000}
    text = json.dumps(RECORD | {"httpRequest": request}, separators=(",", ":"))

    parsed = parse("waf", text.encode())

    assert parsed.documents[1]["httpRequest"] == request
    assert "adjusted" not in parsed.documents[1]["log"]
