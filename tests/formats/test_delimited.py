"""Delimited formats: whatever a line holds, it is one document or one reject, and valid JSON."""

import gc
import json
import re
import time
import weakref
from typing import Any
from unittest.mock import patch

import pytest
from hypothesis import given
from hypothesis import strategies as st

from servicelogs import formats
from servicelogs.formats import cloudfront, tgw_flow, vpc_flow
from servicelogs.opensearch.dated_indexes import DatedIndex
from servicelogs.opensearch.text_documents import TextDocuments
from servicelogs.parsing.text import shapes
from servicelogs.parsing.text.format import TextFormat
from servicelogs.parsing.text.layouts import Layouts
from tests.formats.parsing import SOURCE, chunked, fresh, parse

ALB = (
    b"https 2026-11-20T08:14:55.123456Z app/shop-web/0a1b2c3d4e5f6071 192.0.2.55:51514"
    b' 198.51.100.20:8080 0.001 0.012 0.000 200 200 311 5120 "GET https://shop.example:443/a?x=1'
    b' HTTP/2.0" "curl/8.9.1" TLS_AES_128_GCM_SHA256 TLSv1.3 arn:aws:targetgroup/web/0f1e'
    b' "Root=1-69200a5f-0123456789abcdef01234567" "shop.example" "arn:aws:certificate/1" 10'
    b' 2026-11-20T08:14:55.110000Z "waf,forward" "-" "-" "198.51.100.20:8080" "200" "-" "-"'
    b' TID_0123456789abcdef0123456789abcdef "-" "-" "-" 198.51.100.4'
)
VPC = (
    b"2 111122223333 eni-0a1b2c3d4e5f60718 192.0.2.55 198.51.100.20 51514 443 6 12 5120"
    b" 1795162440 1795162495 ACCEPT OK"
)
CLOUDFRONT = (
    b"2026-11-20\t08:14:55\tFRA56-P4\t5120\t192.0.2.55\tGET\td111111abcdef8.cloudfront.net"
    b"\t/img/hat.png\t200\thttps://shop.example/\tMozilla/5.0%20(X11;%20Linux)\tw=200\t-\tHit"
    b"\taB3xExampleReqId0001==\tcdn.shop.example\thttps\t311\t0.004\t198.51.100.7,%20-\tTLSv1.3"
    b"\tTLS_AES_128_GCM_SHA256\tHit\tHTTP/2.0\t-\t-\t51514\t0.004\tHit\timage/png\t4800\t-\t-"
)
S3 = (
    b"8f3c1ab29d4e5f60718293a4b5c6d7e8f90a1b2c3d4e5f60718293a4b5c6d7e8 shop-assets"
    b" [20/Nov/2026:08:14:55 +0000] 192.0.2.55 arn:aws:iam::111122223333:user/reports"
    b' 7Q2M5ZK8WX1C4V9B REST.GET.OBJECT img/red%2520hat.png "GET /img/red%20hat.png?x=1 HTTP/1.1"'
    b' 200 - 20480 20481 31 29 "https://shop.example/" "curl/8.9.1" - hQ1example/abc+def= SigV4'
    b" TLS_AES_128_GCM_SHA256 AuthHeader shop-assets.s3.eu-west-1.amazonaws.com TLSv1.3 - Yes"
    b" eu-west-1"
)
CONNECTION = (
    b"2026-11-20T08:14:55.000123Z 192.0.2.55 51514 443 TLSv1.3 TLS_AES_128_GCM_SHA256 0.011"
    b' "CN=device7,O=Example" NotBefore=2026-01-01T00:00:00Z;NotAfter=2027-01-01T00:00:00Z'
    b" 0A1B2C3D Success TID_0123456789abcdef0123456789abcdef X25519MLKEM768"
    b" app/shop-web/0a1b2c3d4e5f6071 198.51.100.4"
)
HEALTH_CHECK = (
    b"http 2026-11-20T08:14:55.123456Z 0.002345678 198.51.100.20:8080 web FAIL 502 TargetError"
    b" app/shop-web/0a1b2c3d4e5f6071 198.51.100.4"
)
NLB = (
    b"tls 2.0 2026-11-20T08:14:55 net/edge-tls/5566778899aabbcc 00112233445566aa 192.0.2.55:51514"
    b" 198.51.100.4:443 5021 9 311 5120 48 arn:aws:certificate/1 - TLS_AES_128_GCM_SHA256 tlsv13"
    b' X25519MLKEM768 shop%20a.example h2 h2 "h2","http/1.1" 2026-11-20T08:14:50'
)
CLB = (
    b"2026-11-20T08:14:55.123456Z legacy-web 192.0.2.55:51514 198.51.100.30:80 0.001 0.012 0.002"
    b' 200 201 7 5120 "POST https://old.example:443/a/b?x=1&y=%20 HTTP/1.1" "curl/8.9.1"'
    b" ECDHE-RSA-AES128-GCM-SHA256 TLSv1.2"
)
TGW = (
    b"6 TransitGateway 111122223333 tgw-0a1b tgw-attach-0a1b 111122223333 444455556666 vpc-0a"
    b" vpc-0b subnet-0a subnet-0b eni-0a eni-0b euw1-az1 euw1-az2 tgw-attach-0b 192.0.2.55"
    b" 198.51.100.20 51514 443 6 12 5120 1795162440 1795162495 OK IPv4 1 2 3 4 19 eu-west-1"
    b" ingress - S3"
)
REALTIME = (
    b"1795162495.123\t192.0.2.55\t198.51.100.9\t0.004\t200\t5120\tGET\thttps\tcdn.shop.example"
    b"\t/img/hat.png?w=200\t520\tDUB56-P1\taB3xExampleReqId0001=="
    b"\td111111abcdef8.cloudfront.net\t0.091\tHTTP/3.0\tIPv4"
    b"\tMozilla/5.0%20(iPhone;%20CPU%20iPhone%20OS%2018_1%20like%20Mac%20OS%20X)%20AppleWebKit/605.1.15%20(KHTML,%20like%20Gecko)%20Version/18.1%20Mobile/15E148%20Safari/604.1"
    b"\thttps://shop.example/hats\tsession=0a1b;%20cart=2\tw=200\tMiss"
    b"\t198.51.100.7,%20203.0.113.9\tTLSv1.3\tTLS_AES_128_GCM_SHA256\tMiss\t2\tProcessed"
    b"\timage/png\t4800\t0\t4799\t49866\tMiss\tUS\tgzip,%20br\t*/*\t*"
    b"\tHost:cdn.shop.example%0AUser-Agent:Mozilla/5.0%20(iPhone;%20CPU%20iPhone%20OS%2018_1%20like%20Mac%20OS%20X)%20AppleWebKit/605.1.15%20(KHTML,%20like%20Gecko)%20Version/18.1%20Mobile/15E148%20Safari/604.1%0AAccept:*/*%0A"
    b"\tHost%0AUser-Agent%0AAccept%0A\t3\tE2EXAMPLE9Z8Y7\td111111abcdef8.cloudfront.net\t0.002"
    b"\t0.003\t64496\t4500\t12000\tfalse\tshop-video-17\t4000\t8000\t25400\tsegment-18.m4s"
    b"\t0-4095\tv\t1\t25000\td\t6e2fb550-c457-11e9-bb97-0800200c9a66\tv\tfalse\t8000\t1"
    b"\torigin-2.shop.example\tFailover:502\t87\tdt_0123456789\tXb3x_-=="
    b"\t%7B%22experiment%22:%22b%22%7D\tcached"
)
LINES = {
    "alb": ALB,
    "alb_connection": CONNECTION,
    "alb_health_check": HEALTH_CHECK,
    "clb": CLB,
    "cloudfront": CLOUDFRONT,
    "cloudfront_realtime": REALTIME,
    "nlb": NLB,
    "s3_access": S3,
    "tgw_flow": TGW,
    "vpc_flow": VPC,
}
TIMES = {
    "alb": "2026-11-20T08:14:55.123456Z",
    "alb_connection": "2026-11-20T08:14:55.000123Z",
    "alb_health_check": "2026-11-20T08:14:55.123456Z",
    "clb": "2026-11-20T08:14:55.123456Z",
    "cloudfront": "2026-11-20T08:14:55Z",
    "cloudfront_realtime": "2026-11-20T08:14:55.123Z",
    "nlb": "2026-11-20T08:14:55Z",
    "s3_access": "2026-11-20T08:14:55Z",
    "tgw_flow": "2026-11-20T08:14:00Z",
    "vpc_flow": "2026-11-20T08:14:00Z",
}
SEPARATORS = dict.fromkeys(LINES, b" ") | dict.fromkeys(
    ("cloudfront", "cloudfront_realtime"), b"\t"
)
HEADERS = {
    "vpc_flow": vpc_flow.DEFAULT.encode(),
    "tgw_flow": tgw_flow.DEFAULT.encode(),
    "cloudfront": b"#Fields: " + cloudfront.DEFAULT.encode(),
}
HEADER = HEADERS["vpc_flow"]
REQUEST_IDS = "cloudfront_realtime"
"""The type whose records have ids of their own."""
NASTY = (
    b"-",
    b"--",
    b"-1",
    b"0",
    b"00",
    b"007",
    b"00.5",
    b"-0",
    b"1e5",
    b"9" * 30,
    b"0." + b"9" * 400,
    b'"',
    b'""',
    b'"a" "b"',
    b'x","log":{"type":"y"},"z":"',
    b"\\",
    b"\\x22",
    b'\\"',
    b"\\\\x22",
    b"\xff\xfe",
    b"\xc3\xa9",
    b"\x00",
    b"\x1f\x7f",
    b"\r",
    b"\t",
    b"%b%d",
    b"[::1]:80",
    b"2001:db8::1:443",
    b"1.2.3.4:00080",
    b"- - -",
    b"- http://shop.example:80- -",
    b"GET https://[2001:db8::5]:443/a b?c d HTTP/1.1",
    b"a,b,c",
    b",",
    b"-,-",
    b"1.2.3.4:80 -",
    b"9999-12-31T23:59:59.999999999Z",
    b"0000-00-00T00:00:00Z",
    b"0001-01-01T00:00:00Z",
    b"2026-11-20T99:00:00Z",
    b"%",
    b"%22%5C%00%0A%FF%2520%7",
    b"-%2d",
    b"%20,%20",
    b",-",
    b"000",
    b"2026-11-20\t08:14:55",
    b"99:14:55",
    b"1795162495123",
    b"#Fields: c-ip",
    b'{"delete":{"_index":"x","_id":"y"}}',
    b"\n" + b'{"delete":{"_index":"x","_id":"y"}}',
    b"",
)
values = st.one_of(st.sampled_from(NASTY), st.binary(max_size=6))


@st.composite
def lines(draw: st.DrawFn, name: str) -> bytes:
    """A good line some of whose columns, quoted or not, hold something else."""
    separator = SEPARATORS[name]
    columns = LINES[name].split(separator)
    for _ in range(draw(st.integers(0, 3))):
        at = draw(st.integers(0, len(columns) - 1))
        quote = b'"' if columns[at].startswith(b'"') and draw(st.booleans()) else b""
        columns[at] = quote + draw(values) + quote
    length = draw(st.sampled_from((len(columns), len(columns), len(columns) - 1, 3)))
    more = draw(st.lists(values, max_size=2)) if draw(st.booleans()) else []
    return separator.join([*columns[:length], *more])


def names_and_values(name: str) -> dict[str, str]:
    """Give the values of a good line by the names of their columns."""
    return {column: word.strip('"') for column, word in names_and_words(name).items()}


def names_and_words(name: str) -> dict[str, str]:
    """Give the same as they stand in the line, with their quotes."""
    log_format = formats.get(name)
    assert isinstance(log_format, TextFormat)
    header = log_format.header
    names = header.default if header else [column.name for column in log_format.columns]
    found = words(name)
    assert len(found) == len(names), (
        f"the good line of {name} in LINES of tests/formats/test_delimited.py has {len(found)} "
        f"values, its format {len(names)} columns: add a value for a new column"
    )
    return dict(zip(names, found, strict=True))


def words(name: str) -> list[str]:
    """Split a good line where a separator is none inside a value."""
    line = LINES[name].decode()
    if name in ("cloudfront", "cloudfront_realtime", "nlb"):
        return line.split(SEPARATORS[name].decode())
    return re.findall(r'"[^"]*"|\[[^]]*\]|[^ ]+', line)


json_values: st.SearchStrategy[Any] = st.recursive(
    st.one_of(
        st.sampled_from(NASTY).map(lambda value: value.decode("latin-1")),
        st.none(),
        st.booleans(),
        st.integers(),
        st.floats(allow_nan=False, allow_infinity=False),
        st.text(max_size=5),
    ),
    lambda inner: st.one_of(
        st.lists(inner, max_size=3), st.dictionaries(st.text(max_size=3), inner, max_size=3)
    ),
    max_leaves=3,
)


@st.composite
def json_lines(draw: st.DrawFn, name: str) -> bytes:
    """A good line as JSON some of whose members hold something else, or are not a member of it."""
    record: dict[str, Any] = names_and_values(name)
    for at in draw(st.lists(st.sampled_from(sorted(record)), max_size=3)):
        record[at] = draw(json_values)
    if draw(st.booleans()):
        record |= draw(st.dictionaries(st.text(max_size=4), json_values, max_size=2))
    record = dict(draw(st.permutations([*record.items()]))) if draw(st.booleans()) else record
    text = json.dumps(
        record,
        separators=draw(st.sampled_from(((",", ":"), (", ", ": "), (" ,\t", ":")))),
        ensure_ascii=draw(st.booleans()),
    )
    cut = draw(st.sampled_from((None, None, None, -1, 30)))
    return text[:cut].encode(errors="surrogatepass")


def test_every_text_format_has_a_good_line_and_a_time_of_it() -> None:
    names = {name for name in formats.NAMES if isinstance(formats.get(name), TextFormat)}
    assert LINES.keys() == names, "one good line, of all columns, for each in LINES of this file"
    assert TIMES.keys() == names, "what the good line is dated, for each in TIMES of this file"


@st.composite
def headers(draw: st.DrawFn, name: str) -> bytes:
    """Column names in any order, some unknown, some twice."""
    log_format = formats.get(name)
    assert isinstance(log_format, TextFormat)
    known = st.sampled_from([column.name for column in log_format.columns])
    odd = st.sampled_from(("new-column", "a.b", "A_B", '"', "\\", "x" * 300, "new_column"))
    names = draw(st.lists(st.one_of(known, known, odd), min_size=1, max_size=16))
    return b"#Fields: " * (name == "cloudfront") + " ".join(names).encode()


@st.composite
def bodies(draw: st.DrawFn, name: str) -> bytes:
    """Several lines, blank ones and headers among them."""
    kinds = [
        lines(name),
        lines(name),
        json_lines(name),
        st.sampled_from((b"", b" ", b"\r", LINES[name])),
    ]
    if name in HEADERS:
        kinds += [headers(name), st.just(HEADERS[name])]
    if name == "cloudfront":
        kinds.append(st.sampled_from((b"#Version: 1.0", b"#", b"#Fields:")))
    ending = draw(st.sampled_from((b"\n", b"\r\n")))
    return ending.join(draw(st.lists(st.one_of(kinds), max_size=8))) + draw(
        st.sampled_from((b"", b"\n", b"\r\n"))
    )


def content(name: str, body: bytes) -> set[int]:
    """Return the numbers of the lines that are records: not blank, and no header."""
    log_format = formats.get(name)
    assert isinstance(log_format, TextFormat)
    choice = Layouts(log_format, lambda pattern, shape: None).of_text
    return {
        number
        for number, line in enumerate(body.split(b"\n"), 1)
        if line.removesuffix(b"\r").strip(b" \t" if name == "cloudfront" else b" ")
        and not (name == "cloudfront" and line.startswith(b"#"))
        and not choice.after(line.removesuffix(b"\r"), choice.first)
    }


@pytest.mark.parametrize("name", LINES)
@given(data=st.data(), size=st.integers(1, 300))
def test_each_line_is_one_document_or_one_reject_however_it_is_cut(
    name: str, data: st.DataObject, size: int
) -> None:
    body = data.draw(bodies(name))
    whole = parse(fresh(name), body)
    assert whole.numbers() == content(name, body)
    raw = body.split(b"\n")
    for reject in whole.rejects:
        assert reject.raw == raw[reject.number - 1].removesuffix(b"\r")
    for number, action in whole.actions.items():
        # With its time a request's id is a record's own; one that says no time has none.
        says_time = name == REQUEST_IDS and not re.match(rb"-?\t", raw[number - 1])
        own = whole.documents[number].get("x_edge_request_id") if says_time else None
        assert action["_id"].startswith(own or f"{SOURCE.id}-{number}")
    assert parse(fresh(name), chunked(body, size)).summary() == whole.summary()


@pytest.mark.parametrize("name", LINES)
@given(body=st.binary(max_size=300), size=st.integers(1, 50))
def test_no_bytes_crash_a_parser(name: str, body: bytes, size: int) -> None:
    parse(name, chunked(body, size))


@pytest.mark.parametrize("name", LINES)
@given(data=st.data(), size=st.integers(1, 300))
def test_going_on_from_a_record_number_gives_exactly_the_records_from_there_on(
    name: str, data: st.DataObject, size: int
) -> None:
    body = data.draw(bodies(name))
    start = data.draw(st.integers(1, 1 + body.count(b"\n") + 1))
    whole = parse(fresh(name), chunked(body, size))
    rest = parse(fresh(name), chunked(body, size), start=start)
    assert rest.documents == {n: one for n, one in whole.documents.items() if n >= start}
    assert rest.rejects == [one for one in whole.rejects if one.number >= start]


@pytest.mark.parametrize("name", LINES)
@given(data=st.data())
def test_lines_of_a_common_shape_become_what_lines_of_a_rare_shape_become(
    name: str, data: st.DataObject
) -> None:
    some = data.draw(st.lists(lines(name), min_size=1, max_size=5))
    body = b"\n".join(some * 2)
    with patch.object(shapes, "COMMON", 10**9):
        rare = parse(fresh(name), body)
    for common in (1, 2):
        with patch.object(shapes, "COMMON", common), patch.object(shapes, "EVIDENCE", 1):
            assert parse(fresh(name), body).summary() == rare.summary()


def test_a_column_that_was_met_only_beside_another_is_read_without_it_too() -> None:
    names = LINES["s3_access"].split()
    remote_ip, host_header = b"192.0.2.55", b"shop-assets.s3.eu-west-1.amazonaws.com"
    assert {remote_ip, host_header} < {*names}
    with_both = LINES["s3_access"]
    with_neither = with_both.replace(remote_ip, b"-").replace(host_header, b"-")
    with_one = with_both.replace(remote_ip, b"-"), with_both.replace(host_header, b"-")
    learned = [with_both, with_neither] * 32
    parsed = parse(fresh("s3_access"), b"\n".join([*learned, *with_one * 64, *learned]))
    assert parsed.rejects == []
    shape_of = {
        number: ("remote_ip" in document, "host_header" in document)
        for number, document in parsed.documents.items()
    }
    of_learned = [(True, True), (False, False)] * 32
    assert [*shape_of.values()] == [*of_learned, *[(False, True), (True, False)] * 64, *of_learned]


@pytest.mark.parametrize("name", LINES)
@given(data=st.data())
def test_a_shape_met_often_is_printed_as_before(name: str, data: st.DataObject) -> None:
    line = data.draw(lines(name)).replace(b"\n", b"")
    parsed = parse(fresh(name), b"\n".join([line] * 40))
    for number, document in parsed.documents.items():
        document["log"].pop("record")
        assert document == parsed.documents[1], number
    assert len(parsed.documents) in (0, 40)


@pytest.mark.parametrize("name", LINES)
def test_expired_records_are_counted_and_leave_no_document(name: str) -> None:
    body = b"\n".join([LINES[name]] * 50)
    parsed = parse(name, body, choose_index=lambda hour, source: None)
    assert parsed.filtered == {"expired": 50}
    assert parsed.documents == {}


@pytest.mark.parametrize("name", LINES)
def test_a_record_is_dated_by_its_hour(name: str) -> None:
    hours = []
    dates = lambda hour, source: hours.append(hour) or DatedIndex("i")  # noqa: E731
    parsed = parse(name, LINES[name], choose_index=dates)
    assert [f"{hour:%Y-%m-%dT%H:%M:%S%z}" for hour in hours] == ["2026-11-20T08:00:00+0000"]
    assert parsed.documents[1]["@timestamp"] == TIMES[name]


@pytest.mark.parametrize("name", LINES)
@pytest.mark.parametrize("filler", [b"0", b"00000000", b"9", b":", b"a", b"- ", b'"', b"0:0"])
def test_a_line_that_nearly_fits_is_rejected_quickly(name: str, filler: bytes) -> None:
    columns = [
        filler * (1 if column[:1] == b'"' else 4_000 // len(filler))
        if column[:1].isdigit()
        else column
        for column in LINES[name].split(SEPARATORS[name])
    ]
    zeros = LINES[name].split(SEPARATORS[name])
    zeros = [b"0" * 9 if column.isdigit() else column for column in zeros]
    start = time.process_time()
    for line in ([*columns, b"\x00"], [*zeros[:-1], b'"']):
        parse(name, SEPARATORS[name].join(line))
    assert time.process_time() - start < 2


@pytest.mark.parametrize("name", LINES)
@pytest.mark.parametrize("filler", ["0", "9", ":", "a", "- ", ",", "%", '"', "\\", "0:0", ""])
def test_json_that_nearly_fits_is_rejected_quickly(name: str, filler: str) -> None:
    record = dict.fromkeys(names_and_values(name), filler * 4_000)
    start = time.process_time()
    for line in (json.dumps(record), json.dumps(record)[:-1], json.dumps(record)[:-1] + ",}"):
        parse(name, line.encode())
    assert time.process_time() - start < 2


@pytest.mark.parametrize(
    ("name", "good", "odd"), [("vpc_flow", " 443 ", " 0443 "), ("alb", " 0.012 ", " 00.012 ")]
)
def test_a_number_that_json_does_not_know_is_a_reject(name: str, good: str, odd: str) -> None:
    parsed = parse(name, LINES[name].replace(good.encode(), odd.encode()))
    assert [reject.error_type for reject in parsed.rejects] == ["does_not_match"]


def test_a_header_is_none_of_the_records_where_all_columns_take_words() -> None:
    body = b"vpc-id action\nvpc-1 ACCEPT\naction vpc-id\nREJECT vpc-2\nnext-hop-vpc-id newer\na b\n"
    parsed = parse(fresh("vpc_flow"), body)
    assert {n: (one.get("vpc_id"), one.get("action")) for n, one in parsed.documents.items()} == {
        2: ("vpc-1", "ACCEPT"),
        4: ("vpc-2", "REJECT"),
        6: (None, None),
    }
    assert parsed.documents[6]["extra_fields"] == {"newer": "b"}


def test_a_quote_in_a_column_without_quotes_does_not_end_its_value() -> None:
    parsed = parse("alb", ALB.replace(b"app/shop-web", b'app","log":{"record":7},"x":"'))
    assert parsed.documents == {}
    (reject,) = parsed.rejects
    assert reject.reason.startswith("column 3 (elb) does not match: 'app\",")


plain_values = st.one_of(
    st.sampled_from([one.decode() for one in NASTY if one and re.fullmatch(rb"[!#-\[\]-~]+", one)]),
    st.text(
        st.characters(codec="ascii", min_codepoint=33, exclude_characters='"\\\x7f'), min_size=1
    ),
)


# Columns that take another value in JSON, where no column can stand in another's place; and the one
# number that makes a line one of an older layout.
FORMS = {"matched_rule_priority"} | {
    column.name
    for name in LINES
    if isinstance(log_format := formats.get(name), TextFormat)
    for column in log_format.columns
    if column.in_json and len(column.variants) == 1
}


@pytest.mark.parametrize("name", sorted(LINES.keys() - {"nlb"}))  # JSON writes a list otherwise
@given(data=st.data())
def test_a_line_of_json_becomes_what_the_line_of_text_becomes(
    name: str, data: st.DataObject
) -> None:
    record = names_and_values(name)
    for at in data.draw(st.lists(st.sampled_from(sorted(record.keys() - FORMS)), max_size=3)):
        record[at] = data.draw(plain_values)
    old = names_and_values(name)
    changed = [
        word.replace(old[column], record[column])
        for word, column in zip(words(name), record, strict=True)
    ]
    text = parse(fresh(name), SEPARATORS[name].join(word.encode() for word in changed))
    order = data.draw(st.permutations([*record]))
    for separators in ((",", ":"), (", ", ": ")):
        again = json.dumps({name: record[name] for name in order}, separators=separators)
        assert parse(fresh(name), again.encode()).documents == text.documents


@pytest.mark.parametrize("name", LINES)
def test_numbers_null_and_names_with_underscores_are_understood_in_json(name: str) -> None:
    record = names_and_values(name)
    typed = {
        re.sub(r"\W+", "_", column).strip("_").lower(): json.loads(value)
        if re.fullmatch(r"0|[1-9]\d*|0\.\d*[1-9]", value)
        else None
        if value == "-"
        else value
        for column, value in record.items()
    }
    text = parse(fresh(name), LINES[name])
    assert parse(fresh(name), json.dumps(typed).encode()).documents == text.documents


@pytest.mark.parametrize("exponent", ["1e99999999999999999999", "-1E-99999999999999999999"])
def test_a_number_with_an_exponent_that_no_computer_has_crashes_nothing(exponent: str) -> None:
    record = json.dumps(names_and_values("alb")).removesuffix("}")
    parsed = parse(fresh("alb"), f'{record},"new": {exponent}}}'.encode())
    assert parsed.documents[1]["extra_fields"] == {"new": exponent}


@pytest.mark.parametrize("value", ["a\\u0022", ["a\\u0022", "h2"], '[x\\\\u0022,"log":1]', "a\\"])
def test_a_backslash_in_a_list_of_protocols_ends_no_string(value: Any) -> None:
    record = names_and_values("nlb") | {"alpn_client_preference_list": value}
    (document,) = parse(fresh("nlb"), json.dumps(record).encode()).documents.values()
    assert "\\" in document["alpn_client_preference_list"][0]


@pytest.mark.parametrize(
    "before", [json.dumps(names_and_values("clb")).encode(), CLB.partition(b' "curl')[0]]
)
def test_a_user_agent_that_ends_in_a_backslash_fits_behind_lines_of_another_kind(
    before: bytes,
) -> None:
    line = CLB.replace(b"curl/8.9.1", b"C:\\")
    parsed = parse(fresh("clb"), b"\n".join((CLB, before, line)))
    assert parsed.documents.keys() == {1, 2, 3}
    assert parsed.documents[3]["user_agent"] == "C:\\"


@pytest.mark.parametrize("name", ["vpc_flow", "cloudfront"])
def test_layouts_of_many_headers_are_not_all_kept(name: str) -> None:
    log_format = formats.get(name)
    assert isinstance(log_format, TextFormat)
    choice = Layouts(log_format, lambda pattern, shape: None).of_text
    first = HEADERS[name].removeprefix(b"#Fields: ").split()[0].decode()
    start = "#Fields: " if name == "cloudfront" else ""
    layouts = []
    for number in range(50):
        columns = " ".join(f"new-{number}-{column}" for column in range(200))
        layout = choice.after(f"{start}{first} {columns}\n".encode(), choice.first)
        assert layout is not None
        layouts.append(weakref.ref(layout))
    gc.collect()
    kept = [layout for one in layouts if (layout := one())]
    assert 0 < sum(len(layout.columns) for layout in kept) <= 8192 + 201


def test_a_header_with_more_columns_than_any_log_has_is_a_reject() -> None:
    parsed = parse(fresh("vpc_flow"), b"srcaddr " + b"a " * 300 + b"\n" + VPC)
    assert [reject.number for reject in parsed.rejects] == [1]


def test_json_with_a_name_of_many_bytes_is_rejected_quickly() -> None:
    record = names_and_values("alb") | {"x" * 3_000_000: "y"}
    start = time.process_time()
    (reject,) = parse(fresh("alb"), json.dumps(record).encode()).rejects
    assert time.process_time() - start < 1
    assert "names" in reject.reason


@pytest.mark.parametrize("end", ["", " ", " x", '\\"', ' \\"-\\"'])
@pytest.mark.parametrize(
    ("name", "good", "member"),
    [
        ("clb", "curl/8.9.1", "user_agent"),
        ("alb", "curl/8.9.1", "user_agent"),
        ("alb", "Root=1-69200a5f-0123456789abcdef01234567", "trace_id"),
        ("alb_connection", "CN=device7,O=Example", "leaf_client_cert_subject"),
    ],
)
def test_a_client_writes_no_columns_behind_a_quote_in_its_own(
    name: str, good: str, member: str, end: str
) -> None:
    line = LINES[name].decode()
    behind = line.partition(f'{good}"')[2].replace('"', '\\"')
    forged = 'me\\" FORGED FORGED' if name == "clb" else f'me\\"{behind}'
    expected = parse(name, line.encode()).documents[1]
    (document,) = parse(name, line.replace(good, forged + end).encode()).documents.values()
    assert document.pop(member) == f"{forged}{end}".replace('\\"', '"')
    assert document == {key: value for key, value in expected.items() if key != member}


BY_POSITION = sorted(LINES.keys() - HEADERS.keys() - {"cloudfront_realtime"})


def later_columns(name: str) -> list[tuple[str, str, str]]:
    """List the columns that AWS added later, each with a value in another form than its own."""
    log_format = formats.get(name)
    assert isinstance(log_format, TextFormat)
    return [
        (name, column.name, "odd" if word.startswith('"') else '"odd"')
        for column, word in zip(log_format.columns, names_and_words(name).values(), strict=True)
        if column.since and (name != "s3_access" or column.since > "2019")
        if column.name != "conn_trace_id"  # AWS writes it both ways
    ]


@pytest.mark.parametrize(
    ("name", "column", "odd"), [one for name in BY_POSITION for one in later_columns(name)]
)
def test_a_later_column_of_another_form_goes_to_extra_fields_and_the_record_stays(
    name: str, column: str, odd: str
) -> None:
    changed = words(name)
    at = list(names_and_values(name)).index(column)
    changed[at] = odd
    good = parse(name, LINES[name]).documents[1]
    for more in ([], ["new", '"newer"']):
        line = " ".join([*changed, *more]).encode()
        document = parse(name, line).documents[1]
        extra = document.pop("extra_fields")
        assert extra[f"column_{at + 1}"] == "odd"
        assert ("newer" in extra.values()) == bool(more)
        assert all(good[key] == value for key, value in document.items())
        shorter = max(len(one.columns) for one in layouts_of(name) if len(one.columns) <= at)
        before = parse(name, " ".join(changed[:shorter]).encode()).documents[1]
        assert before == document


@pytest.mark.parametrize("name", BY_POSITION)
def test_a_line_that_ends_among_columns_that_came_together_is_a_reject(name: str) -> None:
    lengths = {len(one.columns) for one in layouts_of(name)}
    for length in range(1, len(words(name))):
        parsed = parse(name, " ".join(words(name)[:length]).encode())
        assert len(parsed.documents) == (length in lengths), length


def layouts_of(name: str) -> tuple[Any, ...]:
    log_format = formats.get(name)
    assert isinstance(log_format, TextFormat)
    return Layouts(log_format, lambda pattern, shape: None).of_text.others


@pytest.mark.parametrize("name", BY_POSITION)
def test_an_empty_value_in_quotes_is_none(name: str) -> None:
    for at, word in enumerate(words(name)):
        if word.startswith('"'):
            empty, null = (
                " ".join([*words(name)[:at], some, *words(name)[at + 1 :]]).encode()
                for some in ('""', '"-"')
            )
            if name == "nlb":  # it has the one list of words in quotes
                null = null.replace(b'"-"', b"-")
            assert parse(name, empty).documents[1] == parse(name, null).documents[1]


@pytest.mark.parametrize("name", LINES)
def test_an_empty_string_in_json_is_no_value(name: str) -> None:
    record = names_and_values(name)
    for column in record:
        empty, null = (json.dumps(record | {column: some}).encode() for some in ("", None))
        assert parse(fresh(name), empty).documents == parse(fresh(name), null).documents


def test_a_column_of_unknown_columns_that_is_empty_is_no_value() -> None:
    (document,) = parse("alb", ALB + b' "" x').documents.values()
    assert document["extra_fields"] == {"column_36": "x"}


@pytest.mark.parametrize("blank", [b"\n", b" \n", b"\r\n"])
def test_a_block_of_blank_lines_with_an_odd_one_is_not_matched_line_by_line(blank: bytes) -> None:
    text = b"\n".join((VPC, blank * 5_000 + b"odd", blank * 5_000 + VPC))
    calls = 0
    write = TextDocuments.write

    def counted(self: TextDocuments, *arguments: Any) -> Any:
        nonlocal calls
        calls += 1
        return write(self, *arguments)

    with patch.object(TextDocuments, "write", counted):
        parsed = parse("vpc_flow", text)
    assert calls < 50
    assert parsed.documents.keys() == {1, 10_003}
    assert [(reject.number, reject.raw) for reject in parsed.rejects] == [(5_002, b"odd")]
