"""`servicelogs explain`: what it says of a record is what `parse` does with it."""

import base64
import gzip
import hashlib
import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st

from local.sample_logs import generate
from servicelogs import formats
from servicelogs.command_line.main import main
from servicelogs.parsing.frame import RESERVED
from servicelogs.parsing.json.format import JsonFormat
from servicelogs.parsing.text.format import TextFormat
from servicelogs.parsing.text.notation import pattern_text, separated
from servicelogs.sources.unsupported import what_is_not_read
from tests.formats.make_cases import cases, expected_file
from tests.formats.parsing import parse
from tests.properties import examples
from tests.sources.envelopes import CONTROL, GROUP, envelope
from tests.sources.stream_events import compressed, failed_batch, stream_event

TEXT = [name for name in formats.NAMES if isinstance(formats.get(name), TextFormat)]
JSON = [name for name in formats.NAMES if isinstance(formats.get(name), JsonFormat)]

SHOWN = 400
"""So many characters of a value are shown at least."""

Explain = Callable[..., tuple[int, dict[str, Any]]]


@pytest.fixture
def explain(capsys: pytest.CaptureFixture[str]) -> Explain:
    """Run the command for programs; return its status and what it wrote."""

    def run(*arguments: str) -> tuple[int, dict[str, Any]]:
        status = main(["explain", "--json", *arguments])
        captured = capsys.readouterr()
        assert status in (0, 1), captured.err
        return status, json.loads(captured.out)

    return run


def expected(case: Path) -> dict[str, Any]:
    read: dict[str, Any] = json.loads(expected_file(case).read_text())
    return read


def reject_line(**members: str) -> str:
    return json.dumps({"log_type": "alb", "error_type": "a", "reason": "b"} | members)


def wrong(explained: dict[str, Any]) -> list[str]:
    return [row["name"] for row in explained["rows"] if row["state"] == "does not match"]


REJECTS = [
    pytest.param(case, reject, id=f"{case.parent.name}-{case.stem}-{reject['record_number']}")
    for case in cases()
    for reject in expected(case)["rejects"]
]


@pytest.mark.parametrize(("case", "reject"), REJECTS)
def test_reason_is_that_of_parse_and_the_column_is_the_one_it_names(
    explain: Explain, case: Path, reject: dict[str, Any]
) -> None:
    log_type, record = case.parent.name, str(reject["record_number"])

    status, explained = explain("--type", log_type, "--record", record, str(case))

    assert (status, explained["matches"]) == (1, False)
    assert explained["reason"] == reject["reason"]
    assert (explained["log_type"], explained["record"]) == (log_type, reject["record_number"])
    named = wrong(explained)
    assert len(named) <= 1
    if named and not re.search("time is not one|goes on|too large", reject["reason"]):
        assert named[0] in reject["reason"]
    says_nothing = not named and not explained["not_json_at"]
    assert not (
        says_nothing and re.search(r"column|expected|is not a (time|number)", reject["reason"])
    )


@pytest.mark.parametrize("name", TEXT)
def test_every_field_of_a_document_stands_beside_its_column(explain: Explain, name: str) -> None:
    shown = 0
    for case in (case for case in cases() if case.parent.name == name):
        for document in expected(case)["documents"][:8]:
            record = document["log"]["record"]
            status, explained = explain("--type", name, "--record", str(record), str(case))
            becomes = {
                field: value[:SHOWN]
                for row in explained["rows"]
                for field, value in row["becomes"].items()
            }
            becomes.pop("@timestamp", None)
            # The golden file has lost how a number is written: 0.000 is 0.0 there.
            floats = [field for field, value in document.items() if isinstance(value, float)]
            becomes |= {field: dump(float(becomes[field])) for field in floats}
            assert (status, becomes) == (0, fields(document)), (case, record)
            shown += len(becomes)
    assert shown > 100


def fields(document: dict[str, Any]) -> dict[str, str]:
    """Return the document's own fields, as they are shown."""
    own = {key: value for key, value in document.items() if key not in {*RESERVED, "_id"}}
    own |= {f"extra_fields.{key}": value for key, value in document.get("extra_fields", {}).items()}
    texts = {key: value if isinstance(value, str) else dump(value) for key, value in own.items()}
    return {key: safe(text[:SHOWN]) for key, text in texts.items()}


def dump(value: object) -> str:
    return json.dumps(value, ensure_ascii=False)


def safe(text: str) -> str:
    escaped = (one if one.isprintable() else ascii(one)[1:-1] for one in text)
    return "".join(escaped)


@pytest.mark.parametrize(
    "case", [case for case in cases() if not expected(case)["rejects"]], ids=str
)
def test_a_file_without_rejects_is_explained_by_its_first_record(
    explain: Explain, case: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    documents = expected(case)["documents"]
    if not documents:
        assert main(["explain", "--type", case.parent.name, str(case)]) == 2
        assert "Traceback" not in capsys.readouterr().err
        return

    status, explained = explain("--type", case.parent.name, str(case))

    assert (status, explained["reason"], wrong(explained)) == (0, "", [])
    assert explained["record"] == documents[0]["log"]["record"]
    assert explained["rows"]
    assert explained["also_rejected"] == []


@pytest.mark.parametrize(
    ("name", "column", "old", "new"),
    [
        ("alb", "time", b"2026-11-20T08:14:55.123456Z", b"yesterday"),
        ("alb", "time", b"2026-11-20T08", b"2026-11-20T25"),
        ("alb", "sent_bytes", b" 5120 ", b" many "),
        ("alb", "client", b"192.0.2.55:", b"192.0.2.55"),
        ("alb", "request", b'"GET https', b"GET https"),
        ("alb_connection", "listener_port", b" 443 ", b" https "),
        ("alb_health_check", "time", b"2025-10-31T", b"2025-11-31T"),
        ("clb", "backend", b" 10.0.0.1:80 ", b" 10.0.0.1 "),
        ("nlb", "client", b"192.0.2.154:", b"192.0.2.154;"),
        ("s3_access", "time", b"+0000", b"+0100"),
        ("vpc_flow", "dstport", b" 443 ", b" https "),
        ("tgw_flow", "version", b"6 TransitGateway", b"six TransitGateway"),
        ("cloudfront", "date", b"2019-12-04\t", b"2019-12-34\t"),
        ("cloudfront", "sc-status", b"\t200\t", b"\tOK\t"),
    ],
)
def test_the_column_that_was_changed_is_the_one_that_is_named(
    explain: Explain, tmp_path: Path, name: str, column: str, old: bytes, new: bytes
) -> None:
    (case,) = (one for one in cases() if one.match(f"{name}/documented.log"))
    lines = case.read_bytes().splitlines(keepends=True)
    line = next(one for one in lines if old in one)
    head = [one for one in lines[:2] if one.startswith((b"#", b"version"))]
    good, bad = tmp_path / "good", tmp_path / "bad"
    good.write_bytes(b"".join((*head, line)))
    bad.write_bytes(b"".join((*head, line.replace(old, new, 1))))

    assert explain("--type", name, str(good))[0] == 0
    status, explained = explain("--type", name, str(bad))

    assert (status, wrong(explained)) == (1, [column])
    (row,) = [row for row in explained["rows"] if row["name"] == column]
    assert row["expected"]


@pytest.mark.parametrize("name", formats.NAMES)
def test_lines_of_a_rejects_file_are_explained_as_their_records_were(
    explain: Explain, name: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    files = [str(case) for case in cases() if case.parent.name == name]
    rejects = tmp_path / "rejects"
    main(["parse", "--type", name, "--rejects", str(rejects), *files])
    capsys.readouterr()
    lines = rejects.read_text().splitlines()
    assert lines
    compressed = tmp_path / "rejects.ndjson.gz"
    compressed.write_bytes(gzip.compress(rejects.read_bytes()))

    for number, line in enumerate(lines, 1):
        reject = json.loads(line)
        status, explained = explain(line)
        assert explain("--record", str(number), str(compressed)) == (status, explained)
        assert (explained["log_type"], explained["record"]) == (name, reject["record_number"])
        # A header that the record's file had is not in the line: other columns, another reason.
        said = " ".join([explained["reason"], *explained["notes"]])
        assert reject["reason"].split("\n")[0] in said
        if name not in ("cloudfront", "vpc_flow", "tgw_flow"):
            assert (status, explained["reason"]) == (1, reject["reason"])


def test_a_rejects_line_may_be_laid_out_anew_and_hold_bytes_that_are_not_utf_8(
    explain: Explain,
) -> None:
    raw = b"https 2026-11-20T08:14:55Z app/a \xff"
    line = {"error_type": "does_not_match", "log_type": "alb", "reason": "an older one"}
    line["raw_base64"] = base64.b64encode(raw).decode()

    status, explained = explain(json.dumps(line, indent=2))

    assert (status, wrong(explained)) == (1, ["client"])
    assert explained["notes"] == ["It was rejected as does_not_match: an older one"]


def test_what_the_search_engine_refused_matches_and_its_reason_is_shown(explain: Explain) -> None:
    raw = generate("alb", 1).decode().strip()
    line = {"log_type": "alb", "error_type": "mapper_parsing_exception", "reason": "no", "raw": raw}

    assert explain(json.dumps(line))[1]["notes"] == [
        "It was rejected as mapper_parsing_exception: no"
    ]


def test_a_reject_without_any_bytes_shows_its_reason(explain: Explain) -> None:
    line = {"log_type": "waf", "error_type": "unreadable", "reason": "cut", "raw": ""}

    status, explained = explain(json.dumps(line))

    assert (status, explained["reason"], explained["rows"]) == (1, "cut", [])


def test_the_first_reject_of_a_file_is_explained_and_others_are_named(
    explain: Explain, tmp_path: Path
) -> None:
    good = generate("alb", 3).splitlines(keepends=True)
    (tmp_path / "log").write_bytes(b"".join([*good, b"a b\n", *good, b"c d\n" * 30]))

    _, explained = explain(str(tmp_path / "log"))

    assert explained["record"] == 4
    assert explained["also_rejected"] == [*range(8, 18)]


def test_columns_are_those_of_the_last_header_before_the_record(
    explain: Explain, tmp_path: Path
) -> None:
    (tmp_path / "log").write_text(
        "srcaddr dstport start\n192.0.2.1 443 1795162495\n192.0.2.1 https 1795162495\n"
        "dstaddr end bytes\n192.0.2.2 1795162495 60\n192.0.2.2 1795162495 many\n"
    )

    def columns(number: int) -> tuple[list[str], list[str]]:
        _, explained = explain("--type", "vpc_flow", "--record", str(number), str(tmp_path / "log"))
        return [row["name"] for row in explained["rows"]], wrong(explained)

    assert columns(2) == (["srcaddr", "dstport", "start"], [])
    assert columns(3) == (["srcaddr", "dstport", "start"], ["dstport"])
    assert columns(5) == (["dstaddr", "end", "bytes"], [])
    assert columns(6) == (["dstaddr", "end", "bytes"], ["bytes"])


def test_columns_of_a_bare_line_are_the_default_ones_or_those_that_are_given(
    explain: Explain,
) -> None:
    line = "192.0.2.1 443 1795162495"

    _, by_default = explain("--type", "vpc_flow", line)
    status, given_ = explain("--type", "vpc_flow", "--fields", "${srcaddr} ${dstport} ${end}", line)

    assert wrong(by_default) == ["version"]
    assert any("--fields" in note for note in by_default["notes"])
    assert (status, [row["name"] for row in given_["rows"]]) == (0, ["srcaddr", "dstport", "end"])


def test_a_line_that_does_not_match_the_given_columns_is_not_advised_to_give_them(
    explain: Explain,
) -> None:
    named = ("--type", "vpc_flow", "--fields", "${srcaddr} ${dstport} ${end}")

    status, explained = explain(*named, "192.0.2.1 https 1795162495")

    assert (status, wrong(explained), explained["notes"]) == (1, ["dstport"], [])


def test_given_columns_that_are_not_known_are_named(explain: Explain) -> None:
    named = ("--type", "vpc_flow", "--fields", "${srcaddrrr} ${dstport} ${end}")

    _, explained = explain(*named, "192.0.2.1 443 1795162495")

    assert explained["notes"] == [
        "--fields: not known as columns of vpc_flow, so kept as they are: 'srcaddrrr'"
    ]


def test_numbers_are_shown_as_the_document_has_them(explain: Explain) -> None:
    line = generate("alb", 1).decode().split(" ")
    line[5] = "0.000"

    _, explained = explain("--type", "alb", " ".join(line).strip())

    assert explained["rows"][5]["becomes"] == {"request_processing_time": "0.000"}


FLOWS = [line.decode() for line in generate("vpc_flow", 3).splitlines()[1:]]
NOT_A_FLOW = FLOWS[0].replace(" ACCEPT ", " MAYBE? ", 1).rsplit(" ", 5)[0]
POSTGRESQL = "2026-11-20 08:04:00 UTC:192.0.2.1(5432):app@shop:[123]:LOG:  statement: select '"


DATABASE = "/aws/rds/instance/shop/postgresql"


def values(explained: dict[str, Any]) -> dict[str, str]:
    return {row["name"]: row["text"] for row in explained["rows"]}


def test_log_events_are_explained_each_by_the_type_of_its_log_group(
    explain: Explain, tmp_path: Path
) -> None:
    texts = (
        CONTROL,
        envelope(*FLOWS),
        envelope(POSTGRESQL, "\tdrop table t'", logGroup=DATABASE, logStream="shop.0"),
        envelope("hello", logGroup="/aws/lambda/billing"),
    )
    (tmp_path / "firehose.gz").write_bytes(gzip.compress(b"".join(texts)))
    (tmp_path / "events").write_bytes(gzip.compress(b"".join(map(gzip.compress, texts))))
    for name in ("firehose.gz", "events"):
        found = {
            number: explain("--record", str(number), str(tmp_path / name))[1]
            for number in (2, 4, 6)
        }
        assert [one["log_type"] for one in found.values()] == ["vpc_flow", "rds", "lambda"]
        assert [*found] == [one["record"] for one in found.values()]
        assert values(found[2])["interface-id"] == FLOWS[1].split()[2]
        assert values(found[4])["instance"] == "shop"
        assert values(found[4])["statement"].endswith("drop table t'")
        assert values(found[6])["function"] == "billing"
        assert values(found[6])["@timestamp"] == "2026-11-20T08:14:55.124Z"


def test_the_second_event_of_a_record_is_not_one(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "log").write_bytes(envelope(POSTGRESQL, "\tdrop table t'", logGroup=DATABASE))
    assert main(["explain", "--record", "2", str(tmp_path / "log")]) == 2
    assert "goes on with the record before it" in capsys.readouterr().err


def test_the_first_rejected_log_event_is_explained_and_others_are_named(
    explain: Explain, tmp_path: Path
) -> None:
    (tmp_path / "log").write_bytes(
        envelope(*FLOWS) + envelope(FLOWS[0], NOT_A_FLOW) + envelope("hello", logGroup="/odd")
    )
    status, explained = explain(str(tmp_path / "log"))
    assert (status, explained["log_type"], explained["record"]) == (1, "vpc_flow", 5)
    assert "is missing" in explained["reason"]
    assert explained["also_rejected"] == [6]


def test_a_log_event_of_unknown_type_names_the_others_that_are_rejected(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "log").write_bytes(
        envelope("hello", logGroup="/odd") + envelope(FLOWS[0], NOT_A_FLOW)
    )
    assert main(["explain", str(tmp_path / "log")]) == 2
    said = capsys.readouterr().err
    assert "'/odd'" in said
    assert "also rejected: 3: --record NUMBER explains one" in said


def test_a_record_of_a_streams_batch_is_explained_with_its_fields(
    explain: Explain, tmp_path: Path
) -> None:
    event = stream_event(compressed(envelope(*FLOWS)), b"1795162495.123\t192.0.2.1\tOK")
    for batch in (failed_batch(event), json.dumps(event).encode()):
        (tmp_path / "batch").write_bytes(batch)
        _, first = explain("--record", "1", str(tmp_path / "batch"))
        status, last = explain("--fields", "sc-status c-ip timestamp", str(tmp_path / "batch"))
        assert first["log_type"] == "vpc_flow"
        assert (status, last["log_type"], wrong(last)) == (1, "cloudfront_realtime", ["sc-status"])


def test_a_line_is_read_as_its_log_group_or_object_says(explain: Explain) -> None:
    line = "2026-11-20T08:14:55.123456Z 0 [Warning] [MY-010055] [Server] not resolved"
    _, explained = explain("--source", "/aws/rds/instance/shop/error", line)
    assert (values(explained)["instance"], values(explained)["level"]) == ("shop", "Warning")
    key = "s3://logs/AWSLogs/111122223333/vpcflowlogs/eu-west-1/2026/11/20/"
    key += "111122223333_vpcflowlogs_eu-west-1_fl-0a1b2c3d4e5f60718_20261120T0815Z_8c7d6e5f.log.gz"
    assert explain("--source", key, FLOWS[0])[1]["log_type"] == "vpc_flow"


def test_a_real_time_record_with_other_columns_is_advised_to_name_them(explain: Explain) -> None:
    line = "1795162495.123\t192.0.2.1\t200"
    _, explained = explain("--type", "cloudfront_realtime", line)
    assert any("CloudFrontRealtimeFields" in note for note in explained["notes"])
    fields = ("--type", "cloudfront_realtime", "--fields", "timestamp c-ip | timestamp")
    assert explain(*fields, line)[1]["notes"] == []


def test_a_word_that_is_no_file_is_explained_as_a_line_of_its_type_and_said_to_be(
    explain: Explain,
) -> None:
    _, explained = explain("--type", "alb", "acces.log")

    assert "There is no file of that name: it was explained as a line." in explained["notes"]


def test_a_reject_without_any_bytes_is_not_said_to_begin_with_something(
    explain: Explain, tmp_path: Path
) -> None:
    (tmp_path / "log.gz").write_bytes(gzip.compress(generate("alb", 50))[:60])

    status, explained = explain("--type", "alb", str(tmp_path / "log.gz"))

    assert (status, explained["rows"]) == (1, [])
    assert "truncated" in explained["reason"]
    assert not any("begins with" in note and note.endswith(": ") for note in explained["notes"])


def test_a_rejects_file_is_said_to_have_more_lines_unless_one_was_asked_for(
    explain: Explain, tmp_path: Path
) -> None:
    rejects = tmp_path / "rejects"
    rejects.write_text(f"{reject_line(raw='a')}\n" * 3)
    more = "It is line 1 of 3 of the rejects file; --record NUMBER explains another."

    assert more in explain(str(rejects))[1]["notes"]
    assert not any("of 3" in note for note in explain("--record", "2", str(rejects))[1]["notes"])
    assert not any("rejects file" in note for note in explain(reject_line(raw="a"))[1]["notes"])


def test_the_first_line_of_a_truncated_rejects_file_is_explained(
    explain: Explain, tmp_path: Path
) -> None:
    lines = (f"{reject_line(raw=hashlib.sha512(b'%d' % at).hexdigest())}\n" for at in range(5000))
    (tmp_path / "rejects.gz").write_bytes(gzip.compress("".join(lines).encode())[:-2000])

    status, explained = explain(str(tmp_path / "rejects.gz"))

    assert status == 1
    assert "truncated" in explained["notes"][-1]


@pytest.mark.parametrize("name", TEXT)
def test_columns_that_do_not_take_any_value_say_what_they_expect(name: str) -> None:
    log_format = formats.get(name)
    assert isinstance(log_format, TextFormat)
    for column in log_format.columns:
        text = pattern_text(
            (column,), [range(len(column.variants))], separated(1, log_format.separator)
        )
        takes_any = any(re.fullmatch(text, value) for value in ("x~y", '"x~y"'))
        assert takes_any or column.expects, column.name


def test_columns_behind_the_one_that_does_not_match_are_not_reached(explain: Explain) -> None:
    line = (
        "2026-11-20T08:14:55.123456Z my-elb 192.0.2.1:2817 198.51.100.1:80 0.1 0.1 0.1 200 none 0 "
        "29 "
        '"GET http://www.example.com:80/ HTTP/1.1" "curl/7.38.0" - TLSv1.2'
    )

    _, explained = explain("--type", "clb", line)

    states = [row["state"] for row in explained["rows"]]
    at = states.index("does not match")
    assert set(states[:at]) == {"matches"}
    assert set(states[at + 1 :]) == {"not reached"}
    assert explained["rows"][at]["name"] == "backend_status_code"
    texts = {row["name"]: row["text"] for row in explained["rows"]}
    assert texts["request"].startswith('"')
    assert texts["ssl_protocol"] == line.split()[-1]


def test_values_that_do_not_fit_their_fields_are_said_to_be_kept(explain: Explain) -> None:
    record = {
        "timestamp": 1795162495123,
        "webaclId": "a",
        "formatVersion": "one",
        "responseCodeSent": 3_000_000_000,
        "clientAsn": "64496",
        "httpRequest": {
            "clientIp": "nobody",
            "headers": [{"name": "Host", "value": "a.example"}],
            "new": 1,
        },
        "labels": None,
        "brandNew": {"a": 1},
    }

    status, explained = explain("--type", "waf", json.dumps(record))

    rows = {row["name"]: row for row in explained["rows"]}
    assert status == 0
    not_indexed = "httpRequest.headers.value"
    for name in ("formatVersion", "responseCodeSent", "httpRequest.clientIp", not_indexed):
        assert "kept, not searchable" in rows[name]["note"]
    assert rows["clientAsn"]["note"] == rows["webaclId"]["note"] == ""
    assert rows["header host"]["becomes"] == {"request.host": "a.example"}
    assert rows["timestamp"]["becomes"] == {"@timestamp": "2026-11-20T08:14:55.123Z"}
    unknown = [name for name, row in rows.items() if row["state"] == "unknown"]
    assert unknown == ["httpRequest.new", "brandNew"]


def test_free_form_and_promoted_fields_are_said_to_be_so(explain: Explain) -> None:
    record = {
        "eventTime": "2026-11-20T08:14:55Z",
        "requestParameters": {"bucketName": "b"},
        "responseElements": "text",
    }

    _, explained = explain("--type", "cloudtrail", json.dumps(record))

    rows = {row["name"]: row for row in explained["rows"]}
    assert rows["requestParameters"]["note"] == "free form"
    assert "free form" in rows["responseElements"]["note"]
    assert rows["requestParameters.bucketName"]["becomes"] == {"request.bucketName": "b"}


@pytest.mark.parametrize("name", JSON)
def test_where_json_breaks_is_pointed_at(
    name: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    broken = tmp_path / "broken"
    broken.write_text('{"before": 1, "broken": oops, "behind": 2}')

    assert main(["explain", "--type", name, str(broken)]) == 1

    lines = capsys.readouterr().out.splitlines()
    at = next(at for at, line in enumerate(lines) if line.strip() == "^")
    assert lines[at - 1][lines[at].index("^") :].startswith("oops")


@pytest.mark.slow
@pytest.mark.parametrize("name", formats.NAMES)
@pytest.mark.parametrize("columns", [60, 100, 140])
def test_a_table_fits_the_terminal(
    name: str, columns: int, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", str(columns))
    for case in (case for case in cases() if case.parent.name == name):
        main(["explain", "--type", name, str(case)])
        table, _, _ = capsys.readouterr().out.partition("\nrejected: ")
        assert all(len(line) <= columns for line in table.splitlines()[1:]), case


def test_a_line_is_read_from_standard_input(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, explain: Explain
) -> None:
    (tmp_path / "in").write_bytes(generate("alb", 1))
    with (tmp_path / "in").open("rb") as stream:
        monkeypatch.setattr("servicelogs.command_line.explain.opened", lambda _: stream)
        assert explain("-")[1]["log_type"] == "alb"


@pytest.mark.parametrize("in_stream", [False, True])
def test_log_events_are_explained_each_by_its_type(
    explain: Explain, tmp_path: Path, in_stream: bool
) -> None:
    names = {"logGroup": "/aws/rds/instance/shop/error", "logStream": "shop"}
    messages = envelope(*FLOWS[-2:], "bad"), envelope("2026-11-20 08:14:55 0 [Note] x", **names)
    file = tmp_path / "events"
    file.write_bytes(
        failed_batch(stream_event(*messages)) if in_stream else gzip.compress(b"".join(messages))
    )

    status, explained = explain(str(file))
    assert (status, explained["log_type"], explained["record"]) == (1, "vpc_flow", 3)
    assert wrong(explained) == ["version"]

    status, explained = explain("--record", "4", str(file))
    assert (status, explained["log_type"]) == (0, "rds")
    rows = {row["name"]: row["text"] for row in explained["rows"]}
    assert (rows["kind"], rows["instance"], rows["message"]) == ("error", "shop", "x")


def test_columns_of_log_events_are_those_that_are_given(explain: Explain) -> None:
    event = envelope("ACCEPT 192.0.2.1 1795162495").decode()
    status, explained = explain("--fields", "action srcaddr end", event)
    assert (status, [row["name"] for row in explained["rows"]]) == (0, ["action", "srcaddr", "end"])


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        ([], "LINE|FILE"),
        (["no-such-file"], "no-such-file: there is no such file; check its name"),
        (["no such file"], "no such file, and as a line: unknown type: its first lines match no"),
        (["2 1 eni-1 ? - - - - - - - - - OK"], "choose its type with --type (a value that does"),
        ([""], "nothing was given"),
        ([" \n"], "nothing was given"),
        (["--fields", "", "x"], "no name of a column"),
        (["--type", "nope", "-"], "nope"),
        (["--record", "0", "x"], "not the number of a record"),
        (["--type", "alb", "--fields", "a", "x"], "the columns of alb are always the same"),
        (["--type", "alb", ""], "nothing was given"),
        (["--type", "alb", "."], "cannot be opened"),
        (["--type", "alb", "--record", "7", "a line"], "there is no record 7: the last one is 1"),
        (["--type", "cloudfront", "--record", "1", "#Version: 1.0\na\n"], "it is a header"),
        (["--type", "cloudfront", "#Version: 1.0"], "no record in it"),
        (['{"log_type":"alb"}'], "not one of a rejects file"),
        ([reject_line(raw_base64="?")], "not one of a rejects file"),
        ([reject_line(raw="a", delivered="2026-11-20T08:14:55")], "not one of a rejects file"),
        ([reject_line(raw="a", record_number="1")], "not one of a rejects file"),
        ([envelope("what is this").decode()], "record 1: unknown type"),
        ([CONTROL.decode()], "no record in it"),
        (['{"log_type":"unknown","error_type":"a","reason":"b","raw":"c"}'], "unknown type"),
        (["--source", "arn:aws:logs:eu-west-1:/aws/lambda/x", "a line"], "give arn:aws:logs:"),
        (["--source", "arn:aws:s3:::logs/a.log", "--type", "alb", "a line"], "s3://BUCKET/KEY"),
        ([envelope("hello").decode()], f"group {GROUP!r} match a known format"),
        ([envelope("hello").decode()], "if they are logs, choose their type with --type"),
        (["--record", "3", envelope("a", "b").decode()], "no record 3: the last one is 2"),
        (
            [envelope("cut").decode()[:-3]],
            "record 1: the envelope of CloudWatch Logs cannot be read",
        ),
        ([CONTROL.decode()], "there is no record in it"),
        ([failed_batch({}).decode()], "the batch of a stream's records cannot be read"),
    ],
)
def test_bad_usage_is_one_line_and_status_2(
    capsys: pytest.CaptureFixture[str], arguments: list[str], says: str
) -> None:
    try:
        status: object = main(["explain", *arguments])
    except SystemExit as ended:
        status = ended.code

    captured = capsys.readouterr()
    assert (status, captured.out) == (2, "")
    assert len(captured.err.splitlines()) == 1
    assert says in captured.err


@st.composite
def damaged(draw: st.DrawFn) -> tuple[str, bytes]:
    """Give a type, and garbage or a good line of it with garbage in it."""
    name = draw(st.sampled_from(formats.NAMES))
    garbage = st.binary(max_size=40) | st.sampled_from(
        [b'"', b" ", b"\t", b"-", b"{", b'"}', b"\\"]
    )
    text = generate(name, 1).removesuffix(b"\n") if draw(st.booleans()) else b""
    for _ in range(draw(st.integers(1, 3))):
        at = draw(st.integers(0, len(text)))
        text = text[:at] + draw(garbage) + text[at + draw(st.integers(0, 20)) :]
    return name, text


@examples(7)
@given(damaged=damaged())
@example(damaged=("alb", b'{"time":"\xff\x1b[2J","\xed\xa0\x80":"\\ud800"}'))
@example(damaged=("waf", b'{"timestamp":1e999}'))
@example(damaged=("alb", b"\x80\x01\x00 "))
@example(damaged=("waf", b"[" * 100_000))
@example(damaged=("cloudtrail", b'{"eventTime":' + b'{"a":' * 50_000))
@example(damaged=("s3_access", b'a b [20/Nov/2026:08:14:55 +0000] - - - - - "' + b'" "' * 5_000))
@example(damaged=("vpc_flow", b"2 " * 200_000))
def test_no_bytes_crash_it_or_reach_the_terminal_and_it_agrees_with_parse(
    damaged: tuple[str, bytes], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    name, text = damaged
    assume(not what_is_not_read(text))
    log = tmp_path / "log"
    log.write_bytes(text)

    status = main(["explain", "--type", name, str(log)])

    out, err = capsys.readouterr()
    assert all(character.isprintable() for character in out.replace("\n", "") + err.strip())
    assert len(out) < 200_000
    if what_is_not_read(text):  # by chance it begins as something compressed
        return
    parsed = parse(name, text)
    if not parsed.records or not text.strip():
        assert status == 2
    else:
        assert status == (1 if parsed.rejects else 0)
        if parsed.rejects:
            assert json_reason(name, log, capsys) == parsed.rejects[0].reason


def json_reason(name: str, log: Path, capsys: pytest.CaptureFixture[str]) -> str:
    main(["explain", "--json", "--type", name, str(log)])
    return str(json.loads(capsys.readouterr().out)["reason"])
