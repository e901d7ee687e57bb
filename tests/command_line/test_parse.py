"""`servicelogs parse`: in this process, or as users run it, where that makes a difference."""

import gzip
import json
import os
import pty
import resource
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from local.sample_logs import SampleObject, generate, objects
from servicelogs import formats
from tests.command_line.conftest import Run
from tests.sources.envelopes import CONTROL, envelope
from tests.sources.stream_events import compressed, failed_batch, stream_event

LAYER = Path(__file__).parents[2] / "layers" / "service_logs"
COMMAND = [sys.executable, "-P", "-m", "servicelogs"]
ENVIRONMENT = os.environ | {"PYTHONPATH": str(LAYER)}
KEY = (
    "AWSLogs/123456789012/vpcflowlogs/eu-west-1/2026/11/20/"
    "123456789012_vpcflowlogs_eu-west-1_fl-0a1b2c3d4e5f60718_20261120T0815Z_0a477c23.log.gz"
)


def summary(done: subprocess.CompletedProcess[bytes]) -> dict[str, Any]:
    return json.loads(done.stderr.splitlines()[-1])


def documents(done: subprocess.CompletedProcess[bytes]) -> list[dict[str, Any]]:
    return [json.loads(line) for line in done.stdout.splitlines()]


@pytest.mark.parametrize("name", formats.NAMES)
def test_each_record_is_one_document_on_a_line_in_order(run: Run, name: str) -> None:
    done = run("parse", "-", stdin=generate(name, 300))

    assert done.returncode == 0, done.stderr
    assert len(documents(done)) == 300
    numbers = [document["log"]["record"] for document in documents(done)]
    assert numbers == sorted(numbers)
    assert {document["log"]["type"] for document in documents(done)} == {name}
    assert summary(done)["records"] == 300
    assert summary(done)["by_type"][name]["documents"] == 300


@pytest.mark.parametrize("sample", [*objects()], ids=lambda sample: sample.key.rpartition("/")[2])
def test_counts_of_sample_objects_are_what_they_say(
    run: Run, tmp_path: Path, sample: SampleObject
) -> None:
    (tmp_path / "log").write_bytes(sample.data)

    done = run("parse", "--source", sample.key, "log")

    assert done.returncode == (1 if sample.rejected else 0)
    counts = summary(done)
    assert (counts["records"], counts["rejected"]) == (sample.records, sample.rejected)
    assert len(documents(done)) == sample.records - sample.rejected - sample.filtered
    assert bool(counts["skipped"]) == (not sample.records and "log" in counts["skipped"])


def test_a_parquet_file_without_the_library_for_it_is_an_error_that_says_what_to_install(
    tmp_path: Path,
) -> None:
    name = "flow.log.parquet"
    (tmp_path / name).write_bytes(b"PAR1 and so on")
    (tmp_path / "pyarrow.py").write_text("raise ModuleNotFoundError('No module named pyarrow')")
    path = os.pathsep.join([str(LAYER), str(tmp_path)])

    done = subprocess.run(
        [*COMMAND, "parse", "--type", "vpc_flow", name],
        capture_output=True,
        cwd=tmp_path,
        env=os.environ | {"PYTHONPATH": path},
        check=False,
    )

    assert done.returncode == 2
    assert b"pip install pyarrow" in done.stderr


def test_bulk_body_has_the_same_documents_each_behind_its_action(run: Run) -> None:
    text = generate("alb", 20)

    plain = documents(run("parse", "-", stdin=text))
    lines = documents(run("parse", "--bulk", "-", stdin=text))

    actions, bodies = lines[::2], lines[1::2]
    assert [without_arrival(body) for body in bodies] == [without_arrival(one) for one in plain]
    assert {action["create"]["_index"] for action in actions} == {"aws-alb-2026.11.20"}
    assert len({action["create"]["_id"] for action in actions}) == 20


def without_arrival(document: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in document.items() if name != "event"}


def test_same_input_gives_the_same_ids(run: Run, tmp_path: Path) -> None:
    def ids(name: str, records: int = 50) -> list[str]:
        (tmp_path / name).write_bytes(generate("alb", records))
        lines = documents(run("parse", "--bulk", name))
        assert len(lines) == 2 * records
        return [action["create"]["_id"] for action in lines[::2]]

    assert ids("one.log") == ids("one.log")
    assert not set(ids("one.log")) & set(ids("two.log"))


def test_source_tells_type_account_region_and_where_the_records_come_from(
    run: Run, tmp_path: Path
) -> None:
    (tmp_path / "copy").write_bytes(gzip.compress(generate("vpc_flow", 3)))

    by_address = documents(run("parse", "--source", f"s3://logs/net/{KEY}", "copy"))
    by_key = documents(run("parse", "--source", f"net/{KEY}", "copy"))

    assert by_address[0]["log"]["source"] == f"s3://logs/net/{KEY}"
    assert by_key[0]["log"]["source"] == f"s3:///net/{KEY}"
    for found in (by_address, by_key):
        assert found[0]["cloud"] == {"account_id": "123456789012", "region": "eu-west-1"}


def test_files_of_a_copied_bucket_are_known_by_their_paths(run: Run, tmp_path: Path) -> None:
    path = tmp_path / KEY
    path.parent.mkdir(parents=True)
    path.write_bytes(generate("vpc_flow", 3))

    found = documents(run("parse", KEY))

    assert found[0]["cloud"]["account_id"] == "123456789012"
    assert found[0]["log"]["source"] == KEY


def test_rejects_are_lines_as_in_the_backup_bucket(run: Run, tmp_path: Path) -> None:
    good, _, other = generate("alb", 2).partition(b"\n")

    done = run(
        "parse", "--rejects", "rejects", "-", stdin=b"\n".join((good, b"no \xff line", other))
    )

    assert done.returncode == 1
    assert [document["log"]["record"] for document in documents(done)] == [1, 3]
    (reject,) = map(json.loads, (tmp_path / "rejects").read_text().splitlines())
    assert reject["record_number"] == 2
    assert reject["raw_base64"] == "bm8g/yBsaW5l"
    assert (reject["log_type"], reject["error_type"]) == ("alb", "does_not_match")


def test_cut_gzip_gives_its_good_part_and_one_reject(run: Run, tmp_path: Path) -> None:
    (tmp_path / "cut.gz").write_bytes(gzip.compress(generate("vpc_flow", 5000))[:-2000])

    done = run("parse", "cut.gz")

    assert done.returncode == 1
    assert summary(done)["rejected"] == 1
    assert summary(done)["documents"] > 1000


def test_file_of_unknown_type_is_an_error_and_the_others_are_parsed(
    run: Run, tmp_path: Path
) -> None:
    (tmp_path / "unknown").write_bytes(b"root:x:0:0:root\n")
    (tmp_path / "known").write_bytes(generate("alb", 4))

    done = run("parse", "unknown", "missing", ".", "known")

    assert done.returncode == 2
    assert len(documents(done)) == 4
    *errors, _ = done.stderr.decode().splitlines()
    assert ["--type" in error for error in errors] == [True, False, False]
    assert [error.split(": ")[1] for error in errors] == ["unknown", "missing", "."]
    assert list(summary(done)["failed"]) == ["unknown", "missing", "."]


def test_pinned_type_is_not_identified_from_the_file(run: Run) -> None:
    text = b"a line that says nothing\n" * 50 + generate("alb", 3)

    assert run("parse", "-", stdin=text).returncode == 2
    pinned = run("parse", "--type", "alb", "-", stdin=text)
    assert pinned.returncode == 1
    assert [document["log"]["record"] for document in documents(pinned)] == [51, 52, 53]


def test_columns_of_a_file_without_a_header_are_as_given(run: Run) -> None:
    text = b"192.0.2.55\t1795162495123\t/a%2520b\n192.0.2.56\t1795162496000\t/c\n"

    named = ["parse", "--type", "cloudfront", "--fields", "c-ip timestamp(ms),cs-uri-stem", "-"]
    given = run(*named, stdin=text)
    assert given.returncode == 0, given.stderr
    assert [
        (document["c_ip"], document["@timestamp"], document["cs_uri_stem"])
        for document in documents(given)
    ] == [
        ("192.0.2.55", "2026-11-20T08:14:55.123Z", "/a%20b"),
        ("192.0.2.56", "2026-11-20T08:14:56.000Z", "/c"),
    ]
    fixed = run("parse", "--fields", "c-ip", "-", stdin=generate("alb", 1))
    assert fixed.returncode == 2
    assert b"the columns of alb are always the same, and not 'c-ip'" in fixed.stderr
    wrong = run(*named[:4], "c-ip c/ip", "-", stdin=text)
    assert wrong.returncode == 2
    assert b"is of type cloudfront: --fields: 'c/ip' is not the name of a column" in wrong.stderr


def test_columns_of_custom_flow_logs_are_given_as_aws_writes_them(run: Run, tmp_path: Path) -> None:
    # Both kinds of flow log have such keys; the columns say which it is.
    key = next(one.key for one in objects() if one.format == "vpc_flow" and "hour=" not in one.key)
    (tmp_path / "flows").write_bytes(b"eni-0a1b 192.0.2.1 60 1795162440\n")

    fields = "${interface-id} ${srcaddr} ${bytes} ${start}"
    done = run("parse", "--fields", fields, "--source", key, "flows")

    assert done.returncode == 0, done.stderr
    (document,) = documents(done)
    assert document["log"]["type"] == "vpc_flow"
    assert (document["interface_id"], document["bytes"]) == ("eni-0a1b", 60)


def test_objects_that_are_no_logs_are_named_and_nothing_is_wrong(run: Run, tmp_path: Path) -> None:
    (tmp_path / "empty").write_bytes(b"")
    (tmp_path / "ELBAccessLogTestFile").write_bytes(b"Enable AccessLog for ELB: 123456789012")
    (tmp_path / "digest").write_bytes(b'{"awsAccountId":"1","digestStartTime":"2026"}')

    done = run("parse", "empty", "ELBAccessLogTestFile", "digest")

    assert (done.returncode, done.stdout) == (0, b"")
    assert list(summary(done)["skipped"]) == ["empty", "ELBAccessLogTestFile", "digest"]
    assert all(summary(done)["skipped"].values())


@pytest.mark.parametrize("pinned", [[], ["--type", "alb"]], ids=str)
def test_a_rejects_file_is_skipped_and_said_to_be_one(
    run: Run, tmp_path: Path, pinned: list[str]
) -> None:
    text = b"".join((generate("vpc_flow", 2), b"odd\n"))
    assert run("parse", "--rejects", "rejects.ndjson", "-", stdin=text).returncode == 1

    done = run("parse", *pinned, "rejects.ndjson")

    assert (done.returncode, done.stdout) == (0, b"")
    assert summary(done)["skipped"] == {
        "rejects.ndjson": "a rejects file, which `servicelogs explain FILE` reads"
    }


def test_columns_that_are_not_known_are_named_once_and_kept(run: Run, tmp_path: Path) -> None:
    for name in ("one", "two"):
        (tmp_path / name).write_bytes(b"192.0.2.1 443 1795162495\n")

    named = ["--type", "vpc_flow", "--fields", "${srcaddrrr} ${dstport} ${end}"]
    done = run("parse", *named, "one", "two")

    assert done.returncode == 0
    note, _ = done.stderr.decode().splitlines()
    assert note == (
        "servicelogs: --fields: not known as columns of vpc_flow, so kept as they are: 'srcaddrrr'"
    )
    assert summary(done)["documents"] == 2
    assert documents(done)[0]["extra_fields"] == {"srcaddrrr": "192.0.2.1"}


def test_a_file_of_which_nothing_can_be_read_is_not_advised_to_name_its_type(
    run: Run, tmp_path: Path
) -> None:
    (tmp_path / "cut.gz").write_bytes(gzip.compress(generate("alb", 50))[:60])

    done = run("parse", "cut.gz")

    assert done.returncode == 2
    assert "nothing of its text can be read" in summary(done)["failed"]["cut.gz"]
    assert b"--type" not in done.stderr


def test_columns_are_said_not_to_identify_a_file(run: Run) -> None:
    fields = "${interface-id} ${srcaddr} ${bytes} ${start}"
    line = b"eni-0a1b 192.0.2.1 60 1795162440\n"

    done = run("parse", "--fields", fields, "-", stdin=line)

    assert done.returncode == 2
    assert b"choose its type with --type (--fields does not identify it)" in done.stderr
    assert run("parse", "--fields", fields, "--type", "vpc_flow", "-", stdin=line).returncode == 0


@pytest.mark.parametrize("rejects", ["log", "./log", "linked", "soft"])
def test_rejects_are_not_written_over_an_input(run: Run, tmp_path: Path, rejects: str) -> None:
    log = tmp_path / "log"
    log.write_bytes(generate("alb", 3))
    (tmp_path / "linked").hardlink_to(log)
    (tmp_path / "soft").symlink_to("log")
    (tmp_path / "other").write_bytes(generate("alb", 2))

    done = run("parse", "other", "log", "--rejects", rejects)

    assert (done.returncode, done.stdout) == (2, b"")
    assert f"--rejects {rejects} would overwrite the input log" in done.stderr.decode()
    assert log.read_bytes() == generate("alb", 3)


def test_rejects_are_not_written_over_a_file_on_standard_input(tmp_path: Path) -> None:
    log = tmp_path / "log"
    log.write_bytes(generate("alb", 3))
    with log.open("rb") as stdin:
        done = subprocess.run(
            [*COMMAND, "parse", "-", "--rejects", "log"],
            stdin=stdin,
            capture_output=True,
            cwd=tmp_path,
            env=ENVIRONMENT,
            check=False,
        )

    assert done.returncode == 2
    assert log.read_bytes() == generate("alb", 3)


def test_rejects_may_go_to_a_device_that_is_read_too(run: Run) -> None:
    assert run("parse", "/dev/null", "--rejects", "/dev/null").returncode == 0


@pytest.mark.parametrize("again", ["log", "./log", "soft"])
def test_a_file_that_is_given_twice_is_an_error_before_anything_is_written(
    run: Run, tmp_path: Path, again: str
) -> None:
    (tmp_path / "log").write_bytes(generate("alb", 3))
    (tmp_path / "soft").symlink_to("log")

    done = run("parse", "--bulk", "log", again)

    assert (done.returncode, done.stdout) == (2, b"")
    assert f"{again} is given twice" in done.stderr.decode()


@pytest.mark.parametrize(
    "arguments",
    [
        ["parse"],
        ["parse", "-", "-"],
        ["parse", "--fields", "", "-"],
        ["parse", "--fields", "${}", "-"],
        ["parse", "--type", "alb_logs", "-"],
        ["parse", "--source", "key", "a", "b"],
        ["parse", "--rejects", "no/folder", "-"],
        ["formats", "nope"],
        ["unknown"],
        [],
    ],
    ids=" ".join,
)
def test_bad_usage_is_one_line_and_status_2(run: Run, arguments: list[str]) -> None:
    done = run(*arguments)

    assert (done.returncode, done.stdout) == (2, b"")
    assert len(done.stderr.splitlines()) == 1
    assert b"Traceback" not in done.stderr


def test_reader_that_stops_ends_it_quietly(tmp_path: Path) -> None:
    (tmp_path / "log").write_bytes(generate("vpc_flow", 20_000))
    with subprocess.Popen(
        [*COMMAND, "parse", "log"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        cwd=tmp_path,
        env=ENVIRONMENT,
    ) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        assert process.stdout.readline()
        process.stdout.close()
        assert process.stderr.read() == b""


def test_full_disk_is_one_line(tmp_path: Path) -> None:
    with Path("/dev/full").open("wb") as full:
        done = subprocess.run(
            [*COMMAND, "parse", "-"],
            input=generate("alb", 2),
            stdout=full,
            stderr=subprocess.PIPE,
            env=ENVIRONMENT,
            check=False,
        )

    assert done.returncode == 2
    assert done.stderr == b"servicelogs: cannot write: No space left on device\n"


def test_lines_of_a_pipe_come_out_before_it_ends() -> None:
    with subprocess.Popen(
        [*COMMAND, "parse", "-"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        env=ENVIRONMENT,
    ) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        process.stdin.write(generate("alb", 20))
        process.stdin.flush()
        assert json.loads(process.stdout.readline())["log"]["record"] == 1
        process.stdin.close()
        process.stdout.read()
    assert process.returncode == 0


@pytest.mark.slow
def test_memory_is_bounded_whatever_the_size(tmp_path: Path) -> None:
    """A file of 110 MB, a few of it on disk, in an address space of 80 MB."""
    member = gzip.compress(generate("waf", 5_000))
    copies = 10
    (tmp_path / "large.gz").write_bytes(member * copies)

    done = subprocess.run(
        [*COMMAND, "parse", "--bulk", "large.gz"],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        cwd=tmp_path,
        env=ENVIRONMENT,
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_AS, (80_000_000, 80_000_000)),
        check=False,
    )

    assert done.returncode == 0, done.stderr
    assert summary(done)["records"] == copies * 5_000


def on_terminal(tmp_path: Path, *arguments: str) -> list[str]:
    """Run the command with a terminal for its errors; return the lines there."""
    ours, theirs = pty.openpty()
    subprocess.run(
        [*COMMAND, *arguments],
        stdout=subprocess.DEVNULL,
        stderr=theirs,
        cwd=tmp_path,
        env=ENVIRONMENT,
        check=False,
    )
    os.close(theirs)
    lines = os.read(ours, 10_000).decode().splitlines()
    os.close(ours)
    return lines


def test_summary_on_a_terminal_is_a_table(tmp_path: Path) -> None:
    (tmp_path / "log").write_bytes(generate("alb", 3))

    heading, alb, total = on_terminal(tmp_path, "parse", "log")

    assert heading.split() == ["files", "records", "documents", "rejected", "filtered"]
    assert len(heading) == len(alb) == len(total)
    assert alb.split() == ["alb", "1", "3", "3", "0", "0"]
    assert total.split() == ["all", "1", "3", "3", "0", "0"]


def test_the_summarys_table_has_room_for_the_longest_name(tmp_path: Path) -> None:
    (tmp_path / "log").write_bytes(generate("cloudfront_realtime", 3))

    heading, realtime, total = on_terminal(tmp_path, "parse", "log")

    assert realtime.startswith("cloudfront_realtime ")
    assert len(heading) == len(realtime) == len(total)


def test_first_rejects_are_shown_on_a_terminal_with_what_to_do_next(tmp_path: Path) -> None:
    good = generate("alb", 2)
    (tmp_path / "one").write_bytes(good + b"odd \x1b[2J\n" * 3)
    (tmp_path / "two").write_bytes(good + b"http x\n" * 4)

    *_, total, a, b, c, d, e, more, advice = on_terminal(tmp_path, "parse", "one", "two")

    assert total.split()[-2] == "7"
    assert [line.split(": ")[1] for line in (a, b, c, d, e)] == [
        "one, record 3",
        "one, record 4",
        "one, record 5",
        "two, record 3",
        "two, record 4",
    ]
    assert d.endswith(": column 2 (time) does not match: 'x'")
    assert "\x1b" not in a
    assert more == "… and 2 more"
    assert "servicelogs explain FILE" in advice
    assert "--rejects FILE" in advice

    *_, advice = on_terminal(tmp_path, "parse", "one", "--rejects", "kept")

    assert advice == "servicelogs explain kept shows them column by column"


def test_names_of_files_neither_end_a_line_nor_move_the_cursor(tmp_path: Path) -> None:
    hostile = "a\n\x1b[2J\u2028"
    (tmp_path / f"{hostile}.log").write_bytes(generate("alb", 1))
    (tmp_path / f"{hostile}.txt").write_bytes(b"no log\n")
    (tmp_path / f"{hostile}.empty").write_bytes(b"")
    names = [f"{hostile}{ending}" for ending in (".log", ".txt", ".empty", ".missing")]

    lines = on_terminal(tmp_path, "parse", *names)

    assert all(line.isprintable() for line in lines), lines
    assert [r"a\n\x1b[2J\u2028" in line for line in lines].count(True) == 3


FLOWS = [line.decode() for line in generate("vpc_flow", 20).splitlines()[1:]]


def test_what_firehose_wrote_of_a_subscription_is_read_event_by_event(run: Run) -> None:
    texts = (envelope(*FLOWS), CONTROL, envelope("what is this"), envelope("cut")[:-7])
    done = run("parse", "--rejects", "rejects", "-", stdin=b"".join(map(gzip.compress, texts)))
    assert len(documents(done)) == 20
    by_type = summary(done)["by_type"]
    assert (by_type["vpc_flow"]["documents"], by_type["unknown"]["rejected"]) == (20, 2)
    assert done.returncode == 1


def test_one_message_of_a_subscription_is_read_whatever_its_type(run: Run) -> None:
    trail = [json.dumps(one) for one in json.loads(generate("cloudtrail", 5))["Records"]]
    for messages, name, options in (
        (trail, "cloudtrail", []),
        (["ACCEPT 192.0.2.1 1795162495"], "vpc_flow", ["--fields", "action srcaddr end"]),
        (['{"any":"thing"}'], "cloudtrail", ["--type", "cloudtrail"]),
    ):
        done = run("parse", *options, "-", stdin=envelope(*messages))
        assert [*summary(done)["by_type"]] == [name]
        assert summary(done)["records"] == len(messages)


def test_what_the_aws_cli_prints_of_a_log_group_is_read_as_its_events(run: Run) -> None:
    events = [
        {"logStreamName": "s", "timestamp": 1795162495123, "message": one, "eventId": str(number)}
        for number, one in enumerate(FLOWS)
    ]
    text = json.dumps({"events": events, "searchedLogStreams": []}, indent=4).encode()

    done = run("parse", "--source", "/vpc/flow", "-", stdin=text)

    assert summary(done)["by_type"]["vpc_flow"]["documents"] == len(FLOWS)
    assert documents(done)[0]["log"]["group"] == "/vpc/flow"
    assert documents(done)[0]["log"]["stream"] == "s"
    assert run("explain", "-", stdin=text).returncode == 0


def test_control_messages_alone_are_said_to_be_that(run: Run) -> None:
    done = run("parse", "-", stdin=CONTROL)
    assert (done.returncode, summary(done)["records"]) == (0, 0)
    assert "control messages" in summary(done)["skipped"]["-"]


def test_a_batch_that_lambda_gave_up_is_read(run: Run) -> None:
    event = stream_event(compressed(envelope(*FLOWS)), b"1795162495.123\t192.0.2.1\t200")
    done = run("parse", "--fields", "sc-status c-ip timestamp", "-", stdin=failed_batch(event))
    by_type = summary(done)["by_type"]
    assert (by_type["vpc_flow"]["documents"], by_type["cloudfront_realtime"]["documents"]) == (
        20,
        1,
    )
    assert run("parse", "-", stdin=failed_batch({})).returncode == 2


def test_a_reject_of_a_batch_carries_its_sequence_number_and_its_number_in_that_record(
    run: Run, tmp_path: Path
) -> None:
    event = stream_event(FLOWS[0].encode(), f"{FLOWS[1]}\n2 odd".encode())

    done = run("parse", "--rejects", "rejects", "-", stdin=failed_batch(event))

    assert done.returncode == 1
    (reject,) = map(json.loads, (tmp_path / "rejects").read_text().splitlines())
    sequence_number = event["Records"][1]["kinesis"]["sequenceNumber"]
    assert (reject["sequence_number"], reject["record_number"]) == (sequence_number, 2)
    assert reject["raw"] == "2 odd"


@pytest.mark.parametrize(
    ("log_type", "given", "meant"),
    [
        ("cloudfront_realtime", "timestamp c_ip", "c-ip"),
        ("cloudfront", "date cs_user_agent", "cs(User-Agent)"),
        ("vpc_flow", "account_id", "account-id"),
        ("vpc_flow", "srcaddr account_id", "account-id"),
    ],
)
def test_a_field_that_is_given_as_a_column_gets_a_hint(
    run: Run, log_type: str, given: str, meant: str
) -> None:
    done = run("parse", "--type", log_type, "--fields", given, "-", stdin=b"x\n")
    assert f"(write {meant})" in done.stderr.decode()


def test_a_csvlog_of_postgresql_is_identified_by_its_beginning(run: Run) -> None:
    line = (
        '2026-11-20 08:14:55.123 UTC,"app","shop",3639,"192.0.2.55:51514",691ecb80.e37,7,"SELECT",'
        "2026-11-20 08:00:00 UTC,3/17,0,LOG,00000,x,,,,,,,,,"
    )
    for one in (line, line.replace('"app","shop"', ",").replace('"192.0.2.55:51514"', "")):
        done = run("parse", "-", stdin=f"{one}\n".encode())
        assert [*summary(done)["by_type"]] == ["rds"]


def test_real_time_logs_are_read_with_their_fields(run: Run) -> None:
    line = b"1795162495.123\t192.0.2.1\t200\n"
    done = run(
        "parse",
        "--type",
        "cloudfront_realtime",
        "--fields",
        "sc-status,c-ip,timestamp",
        "-",
        stdin=line,
    )
    (document,) = documents(done)
    assert (document["sc_status"], document["c_ip"]) == (200, "192.0.2.1")
    done = run("parse", "--fields", "timestamp c-ip sc-status | c-ip", "-", stdin=line)
    assert documents(done)[0]["sc_status"] == 200
    assert b"not known" not in done.stderr
    done = run("parse", "--fields", "sc-status,c-ip,timestamp", "-", stdin=line + b"1\t2\n")
    assert summary(done)["by_type"]["cloudfront_realtime"]["rejected"] == 1


@pytest.mark.parametrize(
    ("source", "account", "region", "stream"),
    [
        (
            "arn:aws:logs:eu-west-1:444455556666:log-group:{}:log-stream:444455556666_CloudTrail",
            "444455556666",
            "eu-west-1",
            "444455556666_CloudTrail",
        ),
        ("arn:aws:logs:eu-west-1:444455556666:log-group:{}:*", "444455556666", "eu-west-1", None),
    ],
)
def test_lines_of_a_log_group_are_of_its_type_and_say_where_they_come_from(
    run: Run, source: str, account: str, region: str, stream: str | None
) -> None:
    group = "aws-cloudtrail-logs-444455556666-0a1b2c3d"
    line = b'{"eventTime":"2026-11-20T08:14:55Z","eventName":"GetObject"}\n'
    done = run("parse", "--source", source.format(group), "-", stdin=line)
    (document,) = documents(done)
    assert document["log"]["type"] == "cloudtrail"
    assert (document["log"]["group"], document["log"].get("stream")) == (group, stream)
    assert document["cloud"] == {"account_id": account, "region": region}


@pytest.mark.parametrize(
    "source", ["arn:aws:logs:eu-west-1:111122223333:/aws/lambda/x", "arn:aws:s3:::logs/a.log"]
)
def test_what_is_no_arn_of_a_log_group_is_refused_and_not_taken_for_a_key(
    run: Run, source: str
) -> None:
    for options in ([], ["--type", "lambda"]):
        done = run("parse", *options, "--source", source, "-", stdin=b"a line\n")
        assert (done.returncode, done.stdout) == (2, b"")
        assert b"log-group:NAME" in done.stderr
        assert b"s3://BUCKET/KEY" in done.stderr


def test_log_events_of_unknown_type_are_advised_to_be_given_one(tmp_path: Path) -> None:
    (tmp_path / "log").write_bytes(envelope("hello"))
    *_, rejected, _ = on_terminal(tmp_path, "parse", "log")
    assert rejected.endswith("if they are logs, choose their type with --type")
