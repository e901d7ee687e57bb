"""Publication: what is seen, counted and left when batches are published, swapped and expired."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from servicelogs.errors import CatalogError, Unaccounted
from servicelogs.lake import names, swap
from servicelogs.lake.manifests import OutputFile, OutputObject, Outputs
from servicelogs.lake.names import Partition
from servicelogs.lake.prepare import prepare
from servicelogs.lake.publish import publish_table, tables_with_work
from tests.lake.lake_world import (
    ACCOUNT,
    BACKUP,
    DATABASE,
    LAKE,
    REGION,
    STAGING,
    World,
    enough_time,
)
from tests.lake.test_kills import DAY, FLOWS, NEXT_DAY, compact, deliver, rows_of


def prepared(world: World, *objects: str) -> tuple[str, str]:
    """Prepare a batch of new objects; give it, and its execution."""
    world.stage(*(deliver(world, name) for name in objects))
    execution = world.start()
    (batch,) = world.plan(execution)
    world.convert(batch)
    return batch, execution


def location(world: World, partition: Partition) -> str:
    return world.lake.catalog.locations([partition])[partition]


def known(world: World, partition: Partition) -> Any:
    return world.lake.partitions.known([partition])[partition]


# Batches of several tables


def test_a_batch_is_done_when_the_last_of_its_tables_has_it(world):
    batch, execution = prepared(world, "a")
    assert tables_with_work(world.lake, execution).tables == ["alb", "vpc_flow"]
    world.publish(execution, "alb")
    assert world.lake.ledger.batch(batch).state == "PREPARED"
    assert tables_with_work(world.lake, execution).tables == ["vpc_flow"]
    assert world.keys(STAGING, names.OUT)
    world.publish(execution, "vpc_flow")
    assert world.lake.ledger.batch(batch).state == "DONE"
    assert tables_with_work(world.lake, execution).tables == []
    assert world.keys(STAGING, names.OUT) == []
    assert world.all_rows() == rows_of("a")


def test_counts_add_up_by_type_and_are_counted_once(world):
    _, execution = prepared(world, "a", "b")
    world.publish_all(execution)
    world.publish_all(execution)
    assert world.counts["vpc_flow"] == {
        "Objects": 2, "Records": 8, "Rows": 4, "Rejected": 2, "Expired": 2, "Skipped": 0,
    }  # fmt: skip
    assert world.counts["alb"]["Records"] == world.counts["alb"]["Rows"] == 2


def test_rejects_go_to_the_backup_bucket_under_the_lakes_prefix(world):
    _, execution = prepared(world, "a")
    world.publish_all(execution)
    (key,) = world.keys(BACKUP)
    assert key.startswith("rejected/light-engine/vpc_flow/")


def test_a_batch_without_any_row_is_done_too(world):
    world.stage(world.deliver("a", "rejected"), world.deliver("b", "expired"))
    execution = world.start()
    (batch,) = world.plan(execution)
    world.convert(batch)
    assert tables_with_work(world.lake, execution).tables == [names.NO_ROWS]
    world.publish_all(execution)
    assert world.lake.ledger.batch(batch).state == "DONE"
    assert len(world.keys(BACKUP, names.REJECTED)) == 1
    assert world.keys(STAGING, names.RAW) == []


def test_what_was_handed_out_and_not_converted_is_known_as_left(world):
    world.stage(deliver(world, "a"))
    execution = world.start()
    (batch,) = world.plan(execution)
    assert tables_with_work(world.lake, execution).left == [batch]
    assert tables_with_work(world.lake, world.start()).left == []
    world.convert(batch)
    work = tables_with_work(world.lake, execution)
    assert work.left == []
    assert work.oldest == datetime.fromtimestamp(int(world.now), UTC) or work.oldest


def test_a_batch_that_cannot_be_published_does_not_stop_the_others(world):
    bad, execution = prepared(world, "a")
    world.lake.staging.delete_all(f"{names.attempts_of(bad)}attempt")
    _, execution = prepared(world, "b")
    published = publish_table(world.lake, "vpc_flow", execution, enough_time)
    assert (published.state, published.failed) == ("DONE", True)
    assert world.rows("vpc_flow") == rows_of("b")["vpc_flow"]
    assert world.lake.ledger.batch(bad).state == "PREPARED"


def test_a_table_that_is_held_is_busy_and_one_without_time_has_more(world):
    _, execution = prepared(world, "a")
    other = world.start()
    with world.lake.leases.held("alb", other):
        assert publish_table(world.lake, "alb", execution, enough_time).state == "BUSY"
    assert publish_table(world.lake, "alb", execution, lambda: 10.0).state == "MORE"
    # It gave the lease back.
    assert publish_table(world.lake, "alb", other, enough_time).state == "DONE"
    assert world.rows("alb") == rows_of("a")["alb"]


def test_two_attempts_that_end_at_once_publish_one(world):
    world.stage(deliver(world, "a"), deliver(world, "b"))
    execution = world.start()
    (batch,) = world.plan(execution)
    first, second = world.write(batch, cut=1), world.write(batch)
    assert (second(), first()) == ("PREPARED", "PREPARED")
    world.publish_all(execution)
    assert world.all_rows() == rows_of("a", "b")
    assert world.keys(STAGING, names.OUT) == []


# The catalog


def test_a_partition_that_points_elsewhere_is_corrected(world):
    world.glue.batch_create_partition(
        DatabaseName=DATABASE,
        TableName="vpc_flow",
        PartitionInputList=[
            {
                "Values": FLOWS.values,
                # A crawler's: above the generations.
                "StorageDescriptor": {"Location": f"s3://{LAKE}/{FLOWS.everything}"},
            }
        ],
    )
    _, execution = prepared(world, "a")
    world.publish_all(execution)
    assert location(world, FLOWS) == f"s3://{LAKE}/{FLOWS.folder('g0000')}"
    assert world.all_rows() == rows_of("a")


def test_a_table_that_is_missing_is_said_with_what_to_do(world):
    del world.aws.partitions["alb"]
    with pytest.raises(CatalogError, match="no table alb: deploy the stack again"):
        world.lake.catalog.point({Partition("alb", ACCOUNT, REGION, DAY): "g0000"})
    _, execution = prepared(world, "a")
    assert publish_table(world.lake, "alb", execution, enough_time).failed


def test_what_glue_does_not_take_is_said(world, monkeypatch):
    detail = {"ErrorCode": "ResourceNumberLimitExceededException", "ErrorMessage": "too many"}
    errors = {"Errors": [{"PartitionValues": FLOWS.values, "ErrorDetail": detail}]}

    class Refusing:
        def batch_get_partition(self, **_: Any) -> dict[str, Any]:
            return {"Partitions": []}

        def batch_create_partition(self, **_: Any) -> dict[str, Any]:
            return errors

    monkeypatch.setattr(world.lake.catalog, "_glue", Refusing())
    with pytest.raises(CatalogError, match=f"{FLOWS.path} of vpc_flow: ResourceNumber.*too many"):
        world.lake.catalog.point({FLOWS: "g0000"})


def test_a_swap_that_was_killed_before_the_catalog_knew_is_followed_first(world):
    _, execution = prepared(world, "a")
    world.publish_all(execution)
    begun = swap.begin(world.lake, FLOWS, "attempt")
    world.compact(FLOWS, begun)
    with world.lake.leases.held("vpc_flow", execution) as lease:
        world.lake.partitions.swap(lease, FLOWS, begun.generation, begun.following)
    assert location(world, FLOWS).endswith("/g0000/")
    # There is work, though no batch waits.
    assert tables_with_work(world.lake, execution).tables == ["vpc_flow"]
    world.publish_all(execution)
    assert location(world, FLOWS).endswith(f"/{begun.following}/")
    assert tables_with_work(world.lake, execution).tables == []


# Compaction


def test_generations_are_named_by_number_and_attempt():
    assert names.following("g0000", "id") == "g0001-id"
    assert names.following("g0001-0f1e-2d3c", "id") == "g0002-id"
    assert names.following("g9999-x", "id") == "g10000-id"


def test_a_compaction_that_was_overtaken_changes_nothing(world):
    world.stage(deliver(world, "a"))
    world.run()
    late = swap.begin(world.lake, FLOWS, "late")
    world.compact(FLOWS, late)
    assert compact(world, FLOWS) == "DONE"
    assert swap.swap(world.lake, late, world.start(), enough_time) == "OVERTAKEN"
    assert world.all_rows() == rows_of("a")


def test_a_swap_that_is_repeated_is_done(world):
    world.stage(deliver(world, "a"))
    world.run()
    begun = swap.begin(world.lake, FLOWS, "attempt")
    world.compact(FLOWS, begun)
    execution = world.start()
    for _ in range(2):
        assert swap.swap(world.lake, begun, execution, enough_time) == "DONE"
    assert world.all_rows() == rows_of("a")


def test_a_swap_waits_for_the_table_and_for_time(world):
    world.stage(deliver(world, "a"))
    world.run()
    begun = swap.begin(world.lake, FLOWS, "attempt")
    world.compact(FLOWS, begun)
    with world.lake.leases.held("vpc_flow", world.start()):
        assert swap.swap(world.lake, begun, world.start(), enough_time) == "BUSY"
    assert swap.swap(world.lake, begun, world.start(), lambda: 1.0) == "MORE"


def test_a_partition_where_a_batch_is_half_published_is_not_swapped(world):
    world.stage(deliver(world, "a"))
    world.run()
    begun = swap.begin(world.lake, FLOWS, "attempt")
    world.compact(FLOWS, begun)
    stuck, execution = prepared(world, "b")
    with world.lake.leases.held("vpc_flow", execution) as lease:
        world.lake.partitions.record(lease, stuck, [FLOWS])
    world.lake.staging.delete_all(f"{names.attempts_of(stuck)}attempt")
    assert swap.swap(world.lake, begun, execution, enough_time) == "OVERTAKEN"
    assert known(world, FLOWS).generation == "g0000"


def test_what_an_expired_day_was_compacted_into_is_not_swapped_to(world):
    world.stage(deliver(world, "a"))
    world.run()
    begun = swap.begin(world.lake, FLOWS, "attempt")
    world.compact(FLOWS, begun)
    expire(world, 5)
    assert swap.swap(world.lake, begun, world.start(), enough_time) == "OVERTAKEN"
    assert swap.begin(world.lake, FLOWS, "attempt") is None
    assert known(world, FLOWS).generation == ""


# Retention


def expire(world: World, days: int, after: int = 30) -> str:
    """Let tables be kept for so many days, so many days after the first one."""
    first = datetime.fromisoformat(DAY).replace(tzinfo=UTC)
    world.now = (first + timedelta(days=after, hours=1)).timestamp()
    world.change(delete_after_days={"": days})
    return world.expire()


@pytest.mark.parametrize(
    ("after", "days_left"),
    [(30, {DAY, NEXT_DAY}), (31, {NEXT_DAY}), (32, set()), (300, set())],
)
def test_a_day_expires_when_all_of_it_is_past_its_retention(world, after, days_left):
    world.stage(deliver(world, "a"))
    world.run()
    assert expire(world, 30, after) == "DONE"
    assert {row.split()[0] for row in world.rows("vpc_flow")} == days_left
    summary = names.summary_of("vpc_flow")
    assert {row.split()[0] for row in world.rows(summary)} == days_left
    days = {key.split("/")[3] for key in world.keys(LAKE, "vpc_flow")}
    assert days == days_left


def test_each_table_has_a_retention_of_its_own(world):
    world.stage(deliver(world, "a"))
    world.run()
    world.change(delete_after_days={"": 0, "alb": 1})
    world.now = datetime.fromisoformat("2027-11-20").replace(tzinfo=UTC).timestamp()
    world.expire()
    assert world.rows("alb") == {}
    assert world.rows("vpc_flow") == rows_of("a")["vpc_flow"]


def test_rows_that_come_for_an_expired_day_are_counted_as_expired(world):
    world.stage(deliver(world, "a"))
    world.run()
    expire(world, 30, 31)
    world.counts.clear()
    _, execution = prepared(world, "b")
    world.publish_all(execution)
    flows = world.counts["vpc_flow"]
    assert (flows["Records"], flows["Rows"], flows["Expired"]) == (4, 1, 2)
    assert {row.split()[0] for row in world.rows("vpc_flow")} == {NEXT_DAY}
    assert world.keys(LAKE, FLOWS.everything) == []


def test_a_table_that_is_held_expires_another_day(world):
    world.stage(deliver(world, "a"))
    world.run()
    with world.lake.leases.held("vpc_flow", world.start()):
        assert expire(world, 1) == "BUSY"
    assert world.rows("alb") == {}
    assert world.rows("vpc_flow") == rows_of("a")["vpc_flow"]
    assert world.expire() == "DONE"
    assert world.rows("vpc_flow") == {}


def test_what_a_zombie_puts_into_an_expired_day_is_deleted_after_the_time_of_grace(world):
    world.stage(deliver(world, "a"))
    world.run()
    expire(world, 5)
    world.lake.catalog.point({FLOWS: "g0000"})
    world.s3.put_object(Bucket=LAKE, Key=FLOWS.file("g0000", "zombie", 0), Body=b"late:1")
    world.expire()
    assert world.rows("vpc_flow")
    world.now += timedelta(hours=25).total_seconds()
    world.expire()
    assert world.rows("vpc_flow") == {}
    assert world.keys(LAKE, FLOWS.everything) == []


def test_what_a_zombie_pointed_back_is_corrected_before_its_folder_goes(world):
    world.stage(deliver(world, "a"))
    world.run()
    compact(world, FLOWS)
    world.lake.catalog.point({FLOWS: "g0000"})
    world.now += timedelta(hours=25).total_seconds()
    world.expire()
    assert world.all_rows() == rows_of("a")
    assert not [key for key in world.keys(LAKE, FLOWS.everything) if "/g0000/" in key]


def test_replaced_files_stay_for_the_time_of_grace(world):
    world.stage(deliver(world, "a"))
    world.run()
    compact(world, FLOWS)
    world.expire()
    assert world.keys(LAKE, FLOWS.folder("g0000"))
    # A reader of the prefix sees rows twice: that is why readers go through the catalog.
    assert len(world.keys(LAKE, FLOWS.everything)) == 2
    assert world.all_rows() == rows_of("a")


def test_what_zombies_leave_beside_batches_that_are_over_is_swept(world):
    batch, execution = prepared(world, "a")
    world.publish_all(execution)
    leftovers = [
        f"{names.attempt_folder(batch, 'zombie')}0.parquet",
        names.manifest_key(batch),
        f"{names.attempt_folder('forgotten', 'zombie')}0.parquet",
    ]
    open_batch, _ = prepared(world, "b")
    for key in leftovers:
        world.lake.staging.write(key, {})
    world.expire()
    assert set(world.keys(STAGING)).isdisjoint(leftovers[:2])
    # It may be of a batch that is just being made.
    assert leftovers[2] in world.keys(STAGING)
    world.now += timedelta(days=2).total_seconds()
    world.expire()
    assert set(world.keys(STAGING)).isdisjoint(leftovers)
    assert world.keys(STAGING, names.attempts_of(open_batch))


# What a conversion says that it wrote


def outputs(records: int = 3, rows: int = 2, in_file: int = 2) -> Outputs:
    file = OutputFile("k", "alb", ACCOUNT, REGION, DAY, in_file, 1, "", "")
    summary = OutputFile("s", "alb_summary", ACCOUNT, REGION, DAY, 7, 1, "", "")
    one = OutputObject("id", "s3://a/b", "alb", records, rows, 1, 0, 0)
    return Outputs("batch", "attempt", [file, summary], [], [one])


def test_outputs_that_do_not_add_up_are_not_chosen(world):
    outputs().check()
    with pytest.raises(Unaccounted, match="s3://a/b: of 4 records 3 are accounted for"):
        prepare(world.lake, outputs(records=4))
    with pytest.raises(Unaccounted, match="do not hold the rows"):
        prepare(world.lake, outputs(in_file=1))
    assert world.keys(STAGING) == []


def test_outputs_are_of_the_tables_whose_files_they_have():
    assert outputs().tables() == {"alb"}
    assert Outputs("batch", "attempt", [], [], []).tables() == {names.NO_ROWS}


def test_outputs_are_written_as_the_contract_has_them(world):
    assert prepare(world.lake, outputs()) == "DONE"  # there is no such batch any more
    document = json.loads(world.lines(STAGING, "out/batch/attempt/outputs.json")[0])
    assert list(document) == ["batch", "attempt", "files", "rejects", "objects"]
    assert list(document["files"][0]) == [
        "key", "table", "account_id", "region", "event_day", "rows", "bytes", "first", "last",
    ]  # fmt: skip
