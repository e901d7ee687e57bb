"""The demo on a whole stack of two accounts: all counts right, twice; one that is off is said."""

import dataclasses
import json
import re
from collections import Counter
from contextlib import redirect_stdout
from io import StringIO
from itertools import chain
from typing import Any
from urllib.request import urlopen

import pytest

from local import demo, sample_logs
from local.emulated_aws import ACCOUNT, MEMBER
from local.stack import Stack
from local.witnesses import Witnesses
from servicelogs.formats import NAMES

pytestmark = [pytest.mark.end_to_end, pytest.mark.timeout(900)]


def rows(text: str) -> dict[tuple[str, str], list[str]]:
    """Read the table: the counts of each log type and account."""
    row = r"^(\w+(?: \(\w+\))?) +(\d{12}) +((?:(?:[\d,]+|-) +){6})[\d.]+$"
    found = re.findall(row, text, re.MULTILINE)
    return {(log_type, account): counts.split() for log_type, account, counts in found}


@dataclasses.dataclass(frozen=True)
class Delivered:
    """What the demo printed, and how many documents were found afterwards."""

    text: str
    searchable: dict[str, int]


@pytest.fixture(scope="module")
def twice(deployed: Stack) -> list[Delivered]:
    return [deliver(deployed) for _ in range(2)]


def deliver(stack: Stack) -> Delivered:
    with redirect_stdout(StringIO()) as printed:
        assert demo.run(stack) == 0
    return Delivered(printed.getvalue(), Witnesses(stack, 0).searchable())


def test_every_sample_record_of_both_accounts_is_accounted_for(twice: list[Delivered]) -> None:
    found = rows(twice[0].text)
    counted = {
        row: (int(objects), number(records)) for row, (objects, records, *_) in found.items()
    }
    assert counted == expected_rows()
    for (log_type, _), (_, records, _, rejected, filtered, in_lake) in found.items():
        if "stream" in log_type:
            assert in_lake == "-"
        else:
            assert number(in_lake) == number(records) - number(rejected) - number(filtered)


def test_a_second_delivery_changes_nothing(twice: list[Delivered]) -> None:
    first, second = twice
    assert rows(second.text) == rows(first.text)
    assert rejects(second.text) == rejects(first.text)
    assert "a second delivery changes nothing" in second.text
    assert second.searchable == first.searchable


def test_the_page_says_of_each_type_what_search_engine_and_backup_bucket_have(
    twice: list[Delivered], deployed: Stack
) -> None:
    found = Witnesses(deployed, 0).found()
    has: Counter[str] = Counter()
    for source, published in found.published.items():
        there = found.searchable.get(source, 0) + found.in_backup.get(source, 0)
        # Other tests on this stack take away whole objects' records, once they have seen them.
        has[published.log_type] += there + published.filtered if there else published.records
    page = asked(deployed, "pipeline.json")
    said = {one["log_type"]: one for one in page["by_type"]}
    assert said.keys() >= set(NAMES)
    ends = ("indexed", "already_there", "rejected", "filtered")
    assert all(one["records"] == sum(one[end] for end in ends) for one in said.values())
    # What came by other ways than objects came twice, and is counted as often.
    again = {one.format for one in chain(sample_logs.log_events(), sample_logs.stream_records(()))}
    assert {name: one["records"] for name, one in said.items() if name not in again} == {
        name: count for name, count in has.items() if name not in again
    }
    assert not any(page["waiting"].values())


def test_the_page_has_every_reject_that_the_demo_prints(
    twice: list[Delivered], deployed: Stack
) -> None:
    page = asked(deployed, "rejects.json")
    on_page = {
        f"{one['log_type']} record {one['record_number']}: {one['reason']}"
        for one in page["records"]
    }
    printed = {" ".join(line.split()) for line in rejects(twice[0].text)}
    assert printed
    assert printed <= {" ".join(line.split()) for line in on_page}
    assert {one["engine"] for one in page["records"]} == {"OpenSearch", "Light Engine"}


def asked(stack: Stack, path: str) -> dict[str, Any]:
    with urlopen(f"{stack.page}/{path}", timeout=60) as answer:
        said: dict[str, Any] = json.load(answer)
        return said


def number(text: str) -> int:
    return int(text.replace(",", ""))


def rejects(text: str) -> list[str]:
    """Read why records were rejected."""
    _, _, after = text.partition("\nRejected records")
    lines, _, _ = after.partition("\nWhere to look next")
    return sorted(lines.splitlines()[1:])


def expected_rows() -> dict[tuple[str, str], tuple[int, int]]:
    """Say how many objects, or ways, and records of each type each account sends."""
    found: dict[tuple[str, str], tuple[int, int]] = {}
    for account, seed, streamed in (
        (ACCOUNT, 1, sample_logs.stream_records(())),
        (MEMBER, 2, iter(())),
    ):
        for sample in sample_logs.objects(seed):
            if (account, sample.format) == (MEMBER, "cloudfront_realtime"):
                continue
            objects, records = found.get((sample.format, account), (0, 0))
            found[sample.format, account] = objects + 1, records + sample.records
        for one in chain(sample_logs.log_events(seed), streamed):
            way = "Firehose" if one.format in ("rds", "lambda") else "stream"
            row = f"{one.format} ({way})", account
            found[row] = 1, found.get(row, (0, 0))[1] + one.records
    return found


def test_a_record_too_few_fails_the_demo_and_names_the_object(
    deployed: Stack, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    sample = next(sample_logs.objects())
    one_more = dataclasses.replace(sample, records=sample.records + 1)
    monkeypatch.setattr(sample_logs, "objects", lambda *_: [one_more])
    monkeypatch.setattr(sample_logs, "log_events", lambda *_: [])
    monkeypatch.setattr(sample_logs, "stream_records", lambda fields: [])
    monkeypatch.setattr(demo, "PATIENCE_AFTER_THE_END_SECONDS", 1)
    assert demo.run(deployed) == 1
    complaint = capsys.readouterr().err
    assert f"{sample.key}: {sample.records - sample.rejected} searchable, should be" in complaint
    assert "make down" in complaint
    assert f"--endpoint-url {deployed.aws_endpoint} logs filter-log-events" in complaint


def test_the_searches_find_what_the_samples_hold(twice: list[Delivered]) -> None:
    text = twice[0].text
    for heading in ("Most active clients", "Answers by class", "Who is refused"):
        _, _, after = text.partition(heading)
        assert re.match(r".*\n +\S+.* \d", after), heading
    answered = re.findall(r"^.+ \((\w+)\.\w+\)\n +\S+.*\n +\S", text, re.MULTILINE)
    assert set(NAMES) <= set(answered)
