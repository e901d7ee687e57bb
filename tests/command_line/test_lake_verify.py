"""`servicelogs lake verify`: what it says, and how it ends."""

import json
from typing import Any

import boto3
import pytest
from moto.athena.models import QueryResults, athena_backends

from tests.command_line.conftest import Run
from tests.lake.lake_world import DATABASE, LEDGER, LOGS, World

GROUP = "lake"


def uri(name: str) -> str:
    return f"s3://{LOGS}/firehose/{name}"


def answer(*rows: list[str]) -> None:
    """Have the emulated Athena answer the next query so."""
    backend = athena_backends["123456789012"]["us-east-1"]
    lines = [["log_source", "_col1"], *rows]
    found = [{"Data": [{"VarCharValue": value} for value in line]} for line in lines]
    backend.query_results_queue.append(QueryResults(rows=found, column_info=[]))


@pytest.fixture
def athena(aws: None) -> None:
    """Give a workgroup, and a lake with three objects, of which one has rows in two tables."""
    world = World.in_moto()
    world.stage(
        world.deliver("a", "vpc_flow 2026-11-20", "vpc_flow 2026-11-20", "alb 2026-11-20"),
        world.deliver("b", "alb 2026-11-20"),
        world.deliver("c", "rejected x"),
    )
    world.run()
    boto3.client("athena").create_work_group(
        Name=GROUP,
        Configuration={"ResultConfiguration": {"OutputLocation": f"s3://{LOGS}/results/"}},
    )


def command(run: Run, *more: str) -> Any:
    names = ("--database", DATABASE, "--work-group", GROUP, "--ledger", LEDGER)
    return run("lake", "verify", *names, *more)


def test_the_command_says_that_nothing_differs(athena: None, run: Run) -> None:
    answer([uri("a"), "1"], [uri("b"), "1"])
    answer([uri("a"), "2"])
    done = command(run)
    assert done.returncode == 0, done.stderr
    assert done.stdout.decode() == "nothing differs; the ledger has 4 rows of 3 objects\n"


def test_the_command_shows_what_differs_and_ends_with_1(athena: None, run: Run) -> None:
    for _ in range(2):
        answer([uri("a"), "1"], ["s3://x/\x1b[2J", "1000"])
        answer([uri("a"), "2"])
    done = command(run)
    assert done.returncode == 1, done.stderr
    _, first, second, total = done.stdout.decode().splitlines()
    assert first.split() == ["0", "1", uri("b")]
    assert second.split() == ["1,000", "unknown", "s3://x/\\x1b[2J"]
    assert total == "2 differ; the ledger has 4 rows of 3 objects"


def test_the_command_gives_all_of_it_as_json(athena: None, run: Run) -> None:
    for _ in range(2):
        answer([uri("a"), "1"])
        answer([uri("a"), "2"])
    done = command(run, "--json")
    assert done.returncode == 1
    assert json.loads(done.stdout) == {
        "objects": 3,
        "rows": 4,
        "expired": 0,
        "differences": [{"source": uri("b"), "in_tables": 0, "in_ledger": 1}],
    }


@pytest.mark.parametrize("name", ["--database", "--work-group", "--ledger"])
def test_what_aws_does_not_know_ends_with_2_and_its_words(
    athena: None,
    run: Run,
    name: str,
) -> None:
    answer()
    answer()
    done = command(run, name, "no-such")
    assert done.returncode == 2
    assert done.stderr.startswith(b"servicelogs: ")
    assert done.stdout == b""


def test_where_no_region_is_given_it_says_how(
    athena: None, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("AWS_DEFAULT_REGION")
    monkeypatch.setenv("AWS_CONFIG_FILE", "/dev/null")
    done = run("lake", "verify", "--database", "a", "--work-group", "b", "--ledger", "c")
    assert (done.returncode, done.stdout) == (2, b"")
    assert done.stderr.endswith(b"no Region is given: set AWS_DEFAULT_REGION\n")


def test_an_unknown_option_is_answered_with_the_help_of_its_command(run: Run) -> None:
    done = run("lake", "verify", "--database", "a", "--work-group", "b", "--ledger", "c", "--all")
    assert done.returncode == 2
    assert done.stderr == (
        b"servicelogs lake: unrecognized arguments: --all (see servicelogs lake --help)\n"
    )
