"""Logs become rows: through the deployed Light Engine, with IAM enforced, read by the catalog.

What is delivered under another folder gives the same rows, whatever happens on the way.
"""

import sys
import time
from contextlib import suppress

import pytest
from botocore.exceptions import ClientError

from local import lake_queries
from tests.end_to_end.aws_front import front_of
from tests.end_to_end.conftest import Running
from tests.end_to_end.lake import Delivery, LightEngine, Rows
from tests.end_to_end.processes import environment

pytestmark = [pytest.mark.end_to_end, pytest.mark.timeout(600)]

TYPES = ("alb", "cloudfront", "cloudtrail", "rds", "vpc_flow", "waf")
FEW = ("alb", "cloudtrail")
"""What is delivered again and again: lines and JSON, each record of which says its time."""


@pytest.fixture(scope="module")
def engine(whole: Running, tmp_path_factory: pytest.TempPathFactory) -> LightEngine:
    return LightEngine(whole.stack, tmp_path_factory.mktemp("lake"))


@pytest.fixture(scope="module")
def undisturbed(engine: LightEngine) -> Delivery:
    """Deliver every type once, and convert it."""
    delivery = engine.deliver(*TYPES)
    engine.convert()
    return delivery


@pytest.fixture(scope="module")
def expected(engine: LightEngine, undisturbed: Delivery) -> Rows:
    """Give the rows of the few types that are delivered again."""
    return few(engine.rows(undisturbed))


@pytest.fixture(scope="module")
def one(engine: LightEngine) -> Delivery:
    """Deliver one object, and convert it."""
    delivery = engine.deliver_one()
    engine.convert()
    return delivery


def few(rows: Rows) -> Rows:
    return type(rows)({row: count for row, count in rows.items() if row[0] in FEW})


def test_each_record_of_each_type_is_a_row_or_a_reject_and_nothing_waits_any_more(
    engine: LightEngine, undisturbed: Delivery
) -> None:
    assert engine.counts(undisturbed) == undisturbed.records - undisturbed.rejected
    assert engine.rejected(undisturbed) == undisturbed.rejected
    assert not [key for key in engine.staged() if not key.startswith("runs/")]
    assert not lake_queries.findings(engine.lake)


def test_an_object_that_is_announced_and_delivered_again_is_no_row_twice(
    engine: LightEngine, undisturbed: Delivery
) -> None:
    before = engine.rows(undisturbed)
    for sample in undisturbed.samples:
        engine.put(undisturbed.folder + sample.key, sample.data)
    engine.announce(*(undisturbed.folder + sample.key for sample in undisturbed.samples))
    engine.wait_for_staging()
    engine.convert()
    assert engine.rows(undisturbed) == before


def test_two_runs_at_once_share_the_work(engine: LightEngine, expected: Rows) -> None:
    delivery = engine.deliver(*FEW)
    for run in (engine.lake.start(), engine.lake.start()):
        engine.end_well(run)
    assert engine.rows(delivery) == expected


def test_a_late_object_is_rows_beside_those_that_were_there(
    engine: LightEngine, undisturbed: Delivery, expected: Rows
) -> None:
    late = engine.deliver("alb")
    engine.convert()
    assert engine.counts(late)["alb"] == (late.records - late.rejected)["alb"]
    assert few(engine.rows(undisturbed)) == expected


def test_an_object_that_is_gone_or_no_parquet_costs_only_itself(
    engine: LightEngine, expected: Rows
) -> None:
    parquet = "AWSLogs/111122223333/vpcflowlogs/eu-west-1/2026/11/20/hostile.log.parquet"
    engine.announce("gone/before/it/was/read.log.gz")
    folder = f"{time.time_ns()}/"
    engine.put(folder + parquet, b"PAR1" + b"\xff" * 200 + b"\xff\xff\xff\x7fPAR1")
    delivery = engine.deliver(*FEW)
    engine.convert()
    assert engine.rows(delivery) == expected
    said = engine.ledger(folder + parquet)
    assert (said["records"], said["rows"], said["rejected"]) == ("1", "0", "1")
    hostile = Delivery(folder, ())
    assert engine.rejected(hostile).total() == 1


def test_compacted_partitions_have_the_same_rows_in_fewer_files_and_old_files_stay(
    engine: LightEngine, expected: Rows
) -> None:
    deliveries = [engine.deliver(*FEW) for _ in range(2)]
    engine.convert()
    engine.lake.open()
    before = engine.lake.files("alb")
    engine.end_well(engine.lake.start("CompactPartitionsArn", table="alb"))
    after = engine.lake.files("alb")
    assert len(after) < len(before)
    assert set(before) < set(engine.in_lake_bucket("alb/"))
    assert all(engine.rows(delivery) == expected for delivery in deliveries)


STATES = ("PlanBatches", "ConvertBatches", "ListTables", "PublishTables")
SECONDS_IN_A_STATE = (0.0, 0.7, 1.5)
MOST_WRITES = 60
needs_proc = pytest.mark.skipif(
    sys.platform != "linux", reason="finds the function's process in /proc"
)


def entered(engine: LightEngine, run: str, state: str) -> bool:
    """Wait until a run is at a state; it may have ended before."""
    while not engine.lake.state(run).startswith(state):
        found = engine.lake.machines.describe_execution(executionArn=run)
        if found["status"] != "RUNNING":
            return False
        time.sleep(0.05)
    return True


@pytest.mark.parametrize("state", STATES)
def test_a_run_that_is_stopped_at_a_state_is_gone_on_with_by_the_next(
    engine: LightEngine, expected: Rows, state: str
) -> None:
    delivery = engine.deliver(*FEW)
    for seconds in SECONDS_IN_A_STATE:
        run = engine.lake.start()
        if entered(engine, run, state):
            time.sleep(seconds)
            with suppress(ClientError):  # it has ended meanwhile
                engine.lake.machines.stop_execution(executionArn=run)
    engine.convert()
    assert engine.rows(delivery) == expected
    assert not lake_queries.findings(engine.lake)


@needs_proc
@pytest.mark.parametrize("step", ["PlanBatches", "ConvertBatch", "PublishTable"])
def test_a_function_that_is_killed_before_any_of_its_writes_repeats_work_and_nothing_else(
    engine: LightEngine, one: Delivery, step: str
) -> None:
    function = engine.functions("ConvertLogsArn")[step]
    with front_of(engine.stack.aws_endpoint, function) as front:
        for number in range(1, MOST_WRITES):
            again = engine.deliver_one()
            front.kill_before(number)
            if engine.lake.wait(engine.lake.start()).status != "SUCCEEDED":
                engine.convert()
            assert engine.rows(again) == engine.rows(one), front.killed
            assert engine.rejected(again) == engine.rejected(one), front.killed
            if not front.killed:
                break
    assert number > 3
    assert not front.killed
    assert not lake_queries.findings(engine.lake)
    assert not engine.staged("raw/")
    assert not engine.staged("out/")


@needs_proc
def test_a_compaction_that_is_killed_before_any_of_its_writes_changes_no_row(
    engine: LightEngine, one: Delivery
) -> None:
    function = engine.functions("CompactPartitionsArn")["CompactPartition"]
    with front_of(engine.stack.aws_endpoint, function) as front:
        for number in range(1, MOST_WRITES):
            again = engine.deliver_one()
            engine.convert()
            front.kill_before(number)
            engine.lake.wait(engine.lake.start("CompactPartitionsArn", table="alb"))
            assert engine.rows(again) == engine.rows(one), front.killed
            if not front.killed:
                break
    assert number > 3
    assert not front.killed
    assert not lake_queries.findings(engine.lake)


def test_a_day_that_is_past_its_retention_is_gone_from_catalog_and_bucket(
    engine: LightEngine,
) -> None:
    delivery = engine.deliver("alb", "clb")
    engine.convert()
    assert engine.counts(delivery)["clb"]
    function = engine.functions("CompactPartitionsArn")["ExpirePartitions"]
    kept = "0,clb=1"
    with environment(engine.stack.aws_endpoint, function, LAKE_DELETE_AFTER_DAYS=kept):
        engine.end_well(engine.lake.start("CompactPartitionsArn", table="clb"))
    assert "clb" not in engine.lake.open()
    assert not engine.in_lake_bucket("clb/")
    assert engine.in_lake_bucket("alb/")
