"""Objects that have other rows than the ledger says are found, and no others."""

from collections import Counter
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from servicelogs.errors import AwsError
from servicelogs.lake.verify import Difference, Queries, Verified, Verifier
from tests.lake.lake_world import DATABASE, LEDGER, LOGS, TABLES, World

TODAY = "2026-11-20"


def uri(name: str) -> str:
    return f"s3://{LOGS}/firehose/{name}"


def counted(world: World) -> Counter[str]:
    """Count the rows of each object, as Athena does: through the catalog."""
    rows: Counter[str] = Counter()
    for table in TABLES:
        for row, count in world.rows(table).items():
            rows[uri(row.split()[1].partition(":")[0])] += count
    return rows


def verify(world: World, count: Callable[[], Any] | None = None) -> Verified:
    lake = world.lake
    return Verifier(lake.ledger, lake.partitions, count or (lambda: counted(world))).verify()


@pytest.fixture
def published(moto_world: World) -> World:
    """Give a lake with three objects, of which one has rows in two tables and one none."""
    world = moto_world
    world.stage(
        world.deliver("a", f"vpc_flow {TODAY}", f"vpc_flow {TODAY}", f"alb {TODAY}"),
        world.deliver("b", f"alb {TODAY}", "rejected x", "expired x"),
        world.deliver("c", "rejected x"),
    )
    world.run()
    return world


def test_nothing_differs_where_every_row_is_once_in_the_tables(published: World) -> None:
    assert verify(published) == Verified(objects=3, rows=4, expired=0, differences=())


def test_rows_that_are_missing_or_there_twice_are_found(published: World) -> None:
    rows = counted(published) + Counter({uri("a"): 1})
    del rows[uri("b")]
    assert verify(published, lambda: rows).differences == (
        Difference(uri("a"), 4, 3),
        Difference(uri("b"), 0, 1),
    )


def test_rows_of_an_object_that_the_ledger_has_forgotten_are_found(published: World) -> None:
    rows = counted(published) + Counter({uri("d"): 7})
    assert verify(published, lambda: rows).differences == (Difference(uri("d"), 7, None),)


def test_an_object_that_was_delivered_anew_has_the_rows_of_both(published: World) -> None:
    published.stage(published.deliver("b", f"alb {TODAY}", f"alb {TODAY}"))
    published.run()
    assert counted(published)[uri("b")] == 3
    assert verify(published) == Verified(objects=4, rows=6, expired=0, differences=())


def test_what_is_published_while_it_is_counted_is_no_difference(published: World) -> None:
    published.stage(published.deliver("d", f"alb {TODAY}"))
    before = counted(published)
    published.run()
    counts = iter([before, counted(published)])
    assert verify(published, lambda: next(counts)).differences == ()


def test_objects_that_are_not_published_yet_are_not_compared(published: World) -> None:
    published.stage(published.deliver("d", f"alb {TODAY}"))
    for batch in published.plan(published.start()):
        published.convert(batch)
    assert verify(published).differences == ()


def test_rows_past_their_retention_are_not_missed_but_others_are(moto_world: World) -> None:
    world = moto_world
    old = "2026-11-01"
    world.stage(world.deliver("old", f"alb {old}", f"alb {TODAY}"))
    world.run()
    world.stage(world.deliver("new", f"alb {TODAY}"))
    world.run()
    world.now = _time(TODAY)
    world.change(delete_after_days={"": 10})
    assert world.expire() == "DONE"
    assert counted(world) == {uri("old"): 1, uri("new"): 1}
    assert verify(world) == Verified(objects=2, rows=3, expired=1, differences=())

    assert verify(world, lambda: {uri("old"): 1}).differences == (Difference(uri("new"), 0, 1),)
    # More rows than there were have not expired.
    many = {uri("old"): 3, uri("new"): 1}
    assert verify(world, lambda: many).differences == (Difference(uri("old"), 3, 2),)


def _time(day: str) -> float:
    return (datetime.fromisoformat(day).replace(tzinfo=UTC) + timedelta(hours=12)).timestamp()


def test_of_a_batch_whose_partitions_are_forgotten_those_of_its_tables_count(
    moto_world: World,
) -> None:
    world = moto_world
    world.stage(world.deliver("old", "alb 2026-11-01"))
    world.run()
    batch = world.claim("firehose/old")["batch"]
    for partition in world.lake.partitions.recorded(batch):
        sort_key = f"partition#{partition.table}/{partition.path}"
        key = {"pk": {"S": f"batch#{batch}"}, "sk": {"S": sort_key}}
        world.dynamodb.delete_item(TableName=LEDGER, Key=key)
    assert verify(world, dict).differences == (Difference(uri("old"), 0, 1),)

    world.now = _time(TODAY)
    world.change(delete_after_days={"alb": 10})
    world.expire()
    assert verify(world) == Verified(objects=1, rows=1, expired=1, differences=())


# Through Athena


class FailingAthena:
    """Answers that a query runs, then that it was cancelled."""

    def __init__(self, *states: str) -> None:
        self.states = list(states)

    def start_query_execution(self, **_: Any) -> Any:
        return {"QueryExecutionId": "1"}

    def get_query_execution(self, **_: Any) -> Any:
        reason = "Bytes scanned limit was exceeded"
        status = {"State": self.states.pop(0), "StateChangeReason": reason}
        return {"QueryExecution": {"Status": status}}


@pytest.mark.parametrize("end", ["FAILED", "CANCELLED"])
def test_a_query_is_waited_for_and_one_that_fails_is_an_error_with_athenas_reason(end: str) -> None:
    slept: list[float] = []
    failing: Any = FailingAthena("QUEUED", "RUNNING", end)
    with pytest.raises(AwsError, match="Bytes scanned limit"):
        [*Queries(failing, DATABASE, "lake", slept.append).rows("SELECT 1")]
    assert len(slept) == 2
