"""CloudFront standard logs: which objects are some, and how the user names their fields."""

from dataclasses import replace

import pytest

from servicelogs import formats
from servicelogs.detection.objects import ObjectTypes
from servicelogs.errors import UnknownLogType
from servicelogs.formats import cloudfront
from servicelogs.settings import LogSettings
from tests.formats.make_cases import FOLDER
from tests.formats.parsing import parse
from tests.formats.test_delimited import CLOUDFRONT

TYPES = ObjectTypes(LogSettings())
ACCOUNT = "111122223333"
FILE = "E2EXAMPLE9Z8Y7.2026-11-20-08.4f0c9ab1"
KEYS = {
    f"{FILE}.gz": "",
    f"cdn/{FILE}.gz": "",
    # As older pages of the documentation have it.
    "example-prefix/EMLARXS9EXAMPLE.2019-11-14-20.RT4KCN4SGK9.gz": "",
    f"AWSLogs/{ACCOUNT}/CloudFront/{FILE}.gz": ACCOUNT,
    f"AWSLogs/{ACCOUNT}/CloudFront/shop/2026/11/20/08/{FILE}.gz": ACCOUNT,
    f"AWSLogs/aws-account-id={ACCOUNT}/CloudFront/{FILE}.parquet": ACCOUNT,
    (
        f"AWSLogs/aws-account-id={ACCOUNT}/CloudFront/DistributionId=E2EXAMPLE9Z8Y7/year=2026/"
        f"month=11/day=20/hour=08/{FILE}.gz"
    ): ACCOUNT,
    f"shop/accountid={ACCOUNT}/year=2026/{FILE}.gz": ACCOUNT,
}
CHOSEN = ("c-ip", "timestamp(ms)", "cs(User-Agent)", "sc-status")


@pytest.mark.parametrize("key", KEYS)
def test_a_key_tells_the_type_and_the_account_if_it_has_one(key: str) -> None:
    found = TYPES.by_key(key)
    assert found is not None
    assert found.format is formats.get("cloudfront")
    assert found.account_id == KEYS[key]


@pytest.mark.parametrize(
    "start",
    [
        b"#Version: 1.0\n#Fields: date time x-edge-location sc-bytes c-ip\n",
        b"#Fields: asn timestamp(ms)\n",
        b"#Fields:\tsc-status\r\n",
        b'{"date":"2026-11-20","time":"08:14:55","cs(User-Agent)":"x"}\n',
        b'{ "timestamp(ms)" : "1795162495123"}',
        CLOUDFRONT,
    ],
)
def test_first_bytes_tell_logs_with_any_fields(start: bytes) -> None:
    assert TYPES.identify("copies/today", start, None).format is formats.get("cloudfront")


@pytest.mark.parametrize(
    "start",
    [
        (FOLDER / "cloudfront" / "connection_logs.log").read_bytes(),
        b"#Fields: eventTimestamp connectionId connectionStatus clientIp\n",
        (
            b"#Software: Microsoft Internet Information Services 10.0\n#Version: 1.0\n"
            b"#Fields: date time s-ip cs-method cs-uri-stem\n"
        ),
    ],
)
def test_first_bytes_of_other_logs_are_not_taken_for_standard_logs(start: bytes) -> None:
    with pytest.raises(UnknownLogType):
        TYPES.identify("copies/today", start, None)


def test_records_without_a_header_have_the_fields_that_the_user_names() -> None:
    body = b"192.0.2.55\t1795162495123\tcurl%208\t000\n192.0.2.55\t-\t-\t200\n"
    log_format = cloudfront.FORMAT.with_fields(CHOSEN)
    documents = parse(log_format, body).documents
    assert documents[1]["@timestamp"] == "2026-11-20T08:14:55.123Z"
    assert (documents[1]["c_ip"], documents[1]["cs_user_agent"]) == ("192.0.2.55", "curl 8")
    assert (documents[1]["sc_status"], documents[2]["sc_status"]) == (0, 200)
    assert [reject.reason for reject in parse(replace(cloudfront.FORMAT), body).rejects] == [
        "column 1 (date) does not match: '192.0.2.55'"
    ] * 2


def test_a_header_counts_for_more_than_the_fields_that_the_user_names() -> None:
    body = b"#Fields: sc-status c-ip\n404\t192.0.2.55\n"
    parsed = parse(cloudfront.FORMAT.with_fields(CHOSEN), body)
    assert (parsed.documents[2]["sc_status"], parsed.documents[2]["c_ip"]) == (404, "192.0.2.55")


@pytest.mark.parametrize("size", [1, 7, 100_000])
def test_copies_one_after_the_other_are_read_each_by_its_own_header(size: int) -> None:
    header = b"#Version: 1.0\n#Fields: "
    one = header + b"c-ip sc-status date time\n192.0.2.1\t200\t2026-11-20\t08:14:55\n"
    other = header + b"sc-status c-ip\n404\t192.0.2.2\n"
    whole = (one + other) * 3
    chunks = [whole[at : at + size] for at in range(0, len(whole), size)]
    parsed = parse(replace(cloudfront.FORMAT), chunks)
    assert [(one["sc_status"], one["c_ip"]) for one in parsed.documents.values()] == [
        (200, "192.0.2.1"),
        (404, "192.0.2.2"),
    ] * 3
    assert parsed.rejects == []


def test_first_bytes_of_real_time_logs_are_theirs() -> None:
    start = b"1795162495.123\t192.0.2.55\t198.51.100.9\t0.004\t200\t5120\tGET\n"
    identified = TYPES.identify("copies/today", start, None)
    assert identified.format is formats.get("cloudfront_realtime")
