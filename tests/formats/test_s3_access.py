"""S3 access logs: no quote that a client sends moves a column, or costs more than its length."""

from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from servicelogs import formats
from servicelogs.detection.objects import ObjectTypes
from servicelogs.errors import UnknownLogType
from servicelogs.settings import LogSettings
from tests.formats.parsing import Parsed, fresh, parse
from tests.timing import is_linear

OWNER = "8f3c1ab29d4e5f60718293a4b5c6d7e8f90a1b2c3d4e5f60718293a4b5c6d7e8"
TYPES = ObjectTypes(LogSettings())
HEADERS = ("request_uri", "referer", "user_agent")
PARTS = ("request_verb", "request_url", "request_path", "request_query", "request_proto")
BEHIND = " - hQ1= SigV4 TLS_AES_128_GCM_SHA256 AuthHeader b.s3.amazonaws.com TLSv1.3 - - eu-west-1"
FORGED = '" - x= SigV4 FORGED AuthHeader forged.example TLSv1.3 - - us-east-1'

anything = st.text(st.sampled_from('"""" - -\\/?ax2'), max_size=40).map(lambda some: "x" + some)
without_spaces = anything.map(lambda some: some.replace(" ", ""))
behind_a_quote = st.sampled_from(
    ("", FORGED, FORGED + " more", FORGED + ' "more"', '" - 1', '" 200 - 1 1 1 1 "-" "x')
)


def line(
    *,
    requester: str = "-",
    uri: str = "GET /a HTTP/1.1",
    referer: str = "r",
    user_agent: str = "u",
    behind: str = BEHIND,
) -> bytes:
    return (
        f"{OWNER} shop-assets [20/Nov/2026:08:14:55 +0000] 192.0.2.55 {requester} 7Q2M5ZK8WX1C4V9B"
        f' REST.GET.OBJECT img/hat.png "{uri}" 200 - 20480 20480 31 29 "{referer}" "{user_agent}"'
        f"{behind}"
    ).encode()


def document(text: bytes) -> dict[str, Any]:
    parsed = parse("s3_access", text)
    assert [reject.reason for reject in parsed.rejects] == []
    return parsed.documents[1]


def untouched(one: dict[str, Any], *headers: str) -> dict[str, Any]:
    """Return the columns that a client cannot write, and the headers other than these."""
    mine = {*headers, *(PARTS if "request_uri" in headers else ())}
    return {name: value for name, value in one.items() if name not in mine}


PLAIN = document(line())


@given(user_agent=anything, forged=behind_a_quote)
def test_a_user_agent_is_taken_as_it_came_and_moves_no_other_column(
    user_agent: str, forged: str
) -> None:
    user_agent += forged
    one = document(line(user_agent=user_agent))
    assert one["user_agent"] == user_agent
    assert untouched(one, "user_agent") == untouched(PLAIN, "user_agent")


@given(referer=anything, forged=behind_a_quote)
def test_a_referrer_moves_no_column_but_the_user_agent_behind_it(referer: str, forged: str) -> None:
    referer += forged
    one = document(line(referer=referer))
    assert untouched(one, "referer", "user_agent") == untouched(PLAIN, "referer", "user_agent")
    if '" "' not in f'{referer}"':
        assert (one["referer"], one["user_agent"]) == (referer, "u")


@given(path=without_spaces, user_agent=anything, referer=without_spaces)
def test_quotes_in_a_url_move_no_column_whatever_the_headers_hold(
    path: str, user_agent: str, referer: str
) -> None:
    one = document(line(uri=f"GET /{path} HTTP/1.1", referer=referer, user_agent=user_agent))
    assert one["request_uri"] == f"GET /{path} HTTP/1.1"
    assert one["request_url"] == f"/{path}"
    assert (one["request_verb"], one["request_proto"]) == ("GET", "HTTP/1.1")
    assert untouched(one, *HEADERS) == untouched(PLAIN, *HEADERS)


@given(user_agent=anything, forged=behind_a_quote)
@pytest.mark.parametrize(
    "behind",
    [
        BEHIND.replace("TLSv1.3", "QUIC"),
        BEHIND.replace("hQ1=", "hQ1= hQ2= hQ3="),
        BEHIND.replace("eu-west-1", '"eu-west-1"'),
        BEHIND.removesuffix(" - - eu-west-1"),
        BEHIND.removesuffix(" - - eu-west-1").replace("hQ1=", "hQ1= hQ2="),
    ],
)
def test_a_user_agent_moves_no_column_where_what_follows_it_is_odd(
    behind: str, user_agent: str, forged: str
) -> None:
    parsed = parse("s3_access", line(user_agent=user_agent + forged, behind=behind))
    for one in parsed.documents.values():
        assert one["user_agent"] == user_agent + forged
        assert one["cipher_suite"] == "TLS_AES_128_GCM_SHA256"


@pytest.mark.parametrize("at", range(1, 10))
def test_a_word_too_many_moves_no_column(at: int) -> None:
    words = "hQ1= SigV4 TLS_AES_128_GCM_SHA256 AuthHeader b.s3.amazonaws.com TLSv1.3 - - eu-west-1"
    cut = words.split(" ")
    odd = " - " + " ".join([*cut[:at], "another", *cut[at:]])
    plain = document(line())
    for one in parse("s3_access", line(behind=odd)).documents.values():
        host_id = one.pop("host_id")
        assert host_id == ("hQ1= another" if at == 1 else "hQ1=")
        assert {key: plain.get(key) for key in one.keys() - {"extra_fields"}} == {
            key: value for key, value in one.items() if key != "extra_fields"
        }


@pytest.mark.parametrize("partition", ["aws", "aws-cn"])
def test_the_arn_of_an_origin_access_identity_is_a_requester(partition: str) -> None:
    arn = f"arn:{partition}:iam::cloudfront:user/CloudFront Origin Access Identity E2EXAMPLEID"
    one = document(line(requester=arn))
    assert one["requester"] == arn
    assert untouched(one, "requester") == untouched(PLAIN, "requester")


@pytest.mark.parametrize("filler", ["a ", "- ", "arn: ", 'a" '])
@pytest.mark.parametrize("where", ["requester", "behind"])
def test_words_without_end_take_as_long_as_their_length(where: str, filler: str) -> None:
    start = {"requester": "arn:x ", "behind": " - "}[where]
    assert takes_as_long(lambda size: line(**{where: start + filler * (size // len(filler))}))


@pytest.mark.parametrize("header", ["uri", "referer", "user_agent"])
@pytest.mark.parametrize(
    "filler",
    ['" "', '" ', ' "', '"', '" - ', '" 200 ', '" 200 - 1 1 1 1 "', FORGED, "a b ", "x", '"?'],
)
@pytest.mark.parametrize("end", ["", ' " \x01'], ids=["fits", "does not fit"])
def test_a_line_of_four_times_the_length_takes_four_times_as_long(
    header: str, filler: str, end: str
) -> None:
    def text(size: int) -> bytes:
        return line(**{header: filler * (size // len(filler))}) + end.encode() * 2

    assert takes_as_long(text)


def takes_as_long(text: Callable[[int], bytes]) -> bool:
    """Say whether a line that is four times as long takes four times as long."""
    log_format = formats.get("s3_access")
    parse(log_format, text(1_000))  # compiles the patterns
    return is_linear(text, lambda data: parse(log_format, data), 16_000)


@pytest.mark.parametrize("shape", ["quoted", "bare"])
def test_a_missing_header_is_none_in_quotes_or_without_however_common(shape: str) -> None:
    null = '"-"' if shape == "quoted" else "-"
    text = line().replace(b'"r" "u"', f"{null} {null}".encode())
    parsed: Parsed = parse(fresh("s3_access"), b"\n".join([text, line()] * 50))
    assert len(parsed.documents) == 100
    assert all(
        ("referer" in one, "user_agent" in one) == (number % 2 == 0, number % 2 == 0)
        for number, one in parsed.documents.items()
    )


TIME = "2026-11-20-08-14-55"


@pytest.mark.parametrize(
    "key",
    [
        f"{TIME}-7F3A9C0D1E2B4A5F",
        f"access-{TIME}-7F3A9C0D1E2B4A5F",
        f"logs/access{TIME}-7F3A9C0D1E2B4A5F",
        f"2026/{TIME}-7F3A9C0D1E2B4A5F.gz",
    ],
)
def test_a_simple_key_is_found_behind_any_prefix(key: str) -> None:
    found = TYPES.by_key(key)
    assert found is not None
    assert found.format is formats.get("s3_access")
    assert (found.account_id, found.region) == ("", "")


@pytest.mark.parametrize("prefix", ["", "access/", "access", "a/b-", "1"])
@pytest.mark.parametrize("bucket", ["shop-assets", "my.bucket", "tables--table-s3"])
def test_a_partitioned_key_tells_the_source_buckets_account_and_region(
    prefix: str, bucket: str
) -> None:
    key = f"{prefix}111122223333/eu-west-1/{bucket}/2026/11/20/2026-11-20-00-00-00-0A1B2C3D4E5F6071"
    found = TYPES.by_key(key)
    assert found is not None
    assert found.format is formats.get("s3_access")
    assert (found.account_id, found.region) == ("111122223333", "eu-west-1")


@pytest.mark.parametrize(
    "key",
    [
        f"cwl/2026/11/20/08/app-4-{TIME}-1b4e28ba-2fa1-11d2-883f-0016d3cca427.gz",
        f"cwl/2026/11/20/08/app-4-{TIME}-1b4e28ba-2fa1-11d2-883f-0016d3cca427",
        f"access-{TIME}-7F3A9C0D1E2B4A5",
        f"access-{TIME}-7F3A9C0D1E2B4A5F0",
        f"access-{TIME}-7f3a9c0d1e2b4a5f",
        f"access-{TIME}",
        "access-2026-11-20-7F3A9C0D1E2B4A5F",
    ],
)
def test_keys_that_only_look_alike_are_not_taken_for_access_logs(key: str) -> None:
    found = TYPES.by_key(key)
    assert found is None or found.format is not formats.get("s3_access")


@pytest.mark.parametrize(
    "start",
    [
        line()[:200],
        line(requester="arn:aws:iam::cloudfront:user/CloudFront Origin Access Identity E2EX"),
        line().replace(b"[20/Nov/2026:08:14:55 +0000]", b"[06/Feb/2019:00:00:38 +0000]"),
        line().replace(b"REST.GET.OBJECT", b"S3.EXPIRE.OBJECT"),
        b'{"schema_version_id":"V_1_0","bucket_owner_id":"8f3c","remote_ip":null',
        b'{"operation": "REST.GET.OBJECT", "bytes_sent_size": 1}\n',
    ],
)
def test_first_bytes_tell_a_copy_of_text_and_of_a_v2_delivery(start: bytes) -> None:
    assert TYPES.identify("copies/today.txt", start, None).format is formats.get("s3_access")


@pytest.mark.parametrize(
    "start",
    [
        b'192.0.2.1 - frank [20/Nov/2026:08:14:55 +0000] "GET /a HTTP/1.1" 200 2326\n',
        b'{"Records":[{"x":"1.11"}]}\n {"bytes_sent_size":1}',
        b'{"bucket":"shop-assets","key":"a"}',
    ],
)
def test_first_bytes_of_other_logs_are_not_taken_for_access_logs(start: bytes) -> None:
    with pytest.raises(UnknownLogType):
        TYPES.identify("copies/today.txt", start, None)
