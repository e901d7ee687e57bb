"""Why a record is rejected is said in our own words, with what does not match."""

import json

import pytest

from tests.formats.parsing import parse

WAF = {"timestamp": 1795162495123, "webaclId": "arn", "httpRequest": {"headers": []}}
CLOUDTRAIL = {"eventID": "one", "eventTime": "2026-11-20T08:14:55Z"}


def reason_of(name: str, data: str) -> str:
    (reject,) = parse(name, data.encode()).rejects
    return reject.reason


@pytest.mark.parametrize(
    ("record", "reason"),
    [
        (CLOUDTRAIL | {"eventTime": "2026-02-30T08:14:55Z"}, "the time does not exist: '"),
        (CLOUDTRAIL | {"eventTime": "0000-01-01T00:00:00Z"}, "the time does not exist: '"),
        (CLOUDTRAIL | {"eventTime": "2026-11-20"}, "eventTime is not a time in UTC (as"),
        (CLOUDTRAIL | {"eventTime": None, "timeWindow": {"windowStart": "soon"}}, "'soon'"),
        (CLOUDTRAIL | {"eventTime": 7}, "the record has no time (eventTime or timeWindow"),
        (CLOUDTRAIL | {"requestParameters": [float("nan")]}, "a number that JSON does not have"),
    ],
)
def test_a_record_of_json_is_rejected_with_what_is_wrong_in_it(record, reason):
    given = reason_of("cloudtrail", json.dumps({"Records": [record]}))
    assert reason in given
    assert "strptime" not in given
    assert "time data" not in given


@pytest.mark.parametrize(
    ("timestamp", "reason"),
    [
        (10**30, f"timestamp is not a time that exists: {10**30}"),
        (-(10**18), f"timestamp is not a time that exists: -{10**18}"),
        (10**13, ""),
        (None, "the record has no time (timestamp)"),
        ("soon", 'timestamp is not a number of milliseconds: "soon"'),
        (1.5, "timestamp is not a number of milliseconds: 1.5"),
    ],
)
def test_a_number_of_milliseconds_that_is_not_a_time_is_shown(timestamp, reason):
    rejects = parse("waf", json.dumps(WAF | {"timestamp": timestamp}).encode()).rejects
    assert [reject.reason for reject in rejects] == ([reason] if reason else [])


def test_nesting_that_python_does_not_decode_is_rejected_in_plain_words():
    depth = 100_000
    deep = json.dumps(WAF)[:-1] + f',"x":{"[" * depth}{"]" * depth},"y":NaN}}'
    assert reason_of("waf", deep) == "the record nests too deeply to be decoded"


def test_what_is_not_json_is_shown_from_where_it_is_not():
    record = '{"eventID":"one",oops'
    assert "from character 18 on: 'oops" in reason_of("cloudtrail", f'{{"Records":[{record}}}]}}')


def test_a_line_of_one_column_is_said_to_have_one():
    (reject,) = parse("alb", b"http\n").rejects
    assert reject.reason.startswith("the line has 1 column, ")


def test_a_line_too_short_says_how_many_columns_it_has_and_which_is_missing():
    line = "2 111122223333 eni-1 192.0.2.1 192.0.2.2 1 2 6 3 4"
    assert reason_of("vpc_flow", line) == (
        "the line has 10 columns, 14 are expected: column 11 (start) is missing"
    )


def test_a_time_that_does_not_exist_is_shown_with_its_date():
    head = "#Fields: time date c-ip\n"
    assert reason_of("cloudfront", f"{head}25:14:55\t2026-11-20\t192.0.2.1") == (
        "the time does not exist (date and time): '2026-11-20 25:14:55'"
    )


def test_a_line_of_json_that_is_not_an_object_is_shown_cut_short():
    line = '{"date":"2026-11-20","time":"08:14:55", oops ' + "x" * 500
    reason = reason_of("cloudfront", line)
    assert reason.startswith('the line is not a JSON object: \'{"date"')
    assert len(reason) < 150
