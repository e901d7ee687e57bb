"""The lake in memory answers as the emulated AWS does: the same course of things, the same end."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError

from servicelogs.lake import names, swap
from servicelogs.lake.items import ConditionFailed, Items, check, delete, put, put_new, update
from servicelogs.lake.names import Partition
from tests.lake.lake_world import ACCOUNT, LEDGER, LOGS, REGION, STAGING, World
from tests.lake.test_kills import FLOWS, compact, deliver, rows_of

pytestmark = pytest.mark.slow


@pytest.fixture(params=["memory", "moto"])
def either(request: pytest.FixtureRequest) -> World:
    world: World = request.getfixturevalue("world" if request.param == "memory" else "moto_world")
    return world


def test_rows_go_all_the_way(either: World) -> None:
    world = either
    world.stage(deliver(world, "a"), deliver(world, "b"))
    world.run()
    world.stage(deliver(world, "c"), world.deliver("d", "bad"))
    world.run()
    world.run()
    assert compact(world, FLOWS) == "DONE"
    assert world.all_rows() == rows_of("a", "b", "c")
    assert world.state("firehose/d") == "QUARANTINED"
    assert world.summed_up("vpc_flow") == 6
    # The time of grace is over for what was replaced, and the days are past their retention.
    world.now += 40 * 86400
    world.change(delete_after_days={"": 30})
    assert world.expire() == "DONE"
    assert world.expire() == "DONE"
    assert not any(world.all_rows().values())


def test_conditions_of_transactions_are_told_apart(either: World) -> None:
    items = Items(either.dynamodb, LEDGER)
    items.write(put_new(("a", "-"), {"n": 1, "s": {"x"}, "none": None}))
    with pytest.raises(ConditionFailed) as raised:
        items.write(
            check(("a", "-"), n=1), put_new(("a", "+"), {}), update(("a", "2"), {"k": 1}, n=3)
        )
    assert raised.value.failed == {2}
    assert items.get(("a", "+")) is None
    items.write(check(("a", "-"), n=1), update(("a", "+"), {"k": 2, "z": None}, add={"s": {"y"}}))
    items.write(update(("a", "-"), {"n": None}, add={"s": {"y"}}, n=1), delete(("a", "+"), k=2))
    assert items.get(("a", "-")) == {"pk": "a", "sk": "-", "s": {"x", "y"}}
    assert items.get(("a", "+")) is None
    for single in (put(("a", "-"), {}, n=1), put_new(("a", "-"), {}), delete(("a", "-"), n=1)):
        assert not items.try_to_write(single)
    assert items.try_to_write(delete(("a", "-")))
    assert items.try_to_write(delete(("a", "-")))


def test_items_are_read_by_pages_and_by_hundreds(either: World) -> None:
    items = Items(either.dynamodb, LEDGER)
    keys = [("p", f"x#{number:03}") for number in range(250)]
    for key in keys:
        items.write(put(key, {"text": "long" * 2000}))
    items.write(put(("p", "y"), {}))
    assert [item["sk"] for item in items.query("p", "x#")] == [sk for _, sk in keys]
    assert [item["sk"] for item in items.query("p", "x#", limit=1)] == ["x#000"]
    found = items.get_many([*keys, keys[0], ("p", "none")])
    assert sorted(item["sk"] for item in found) == [sk for _, sk in keys]


def refused(call: Callable[..., Any], **parameters: Any) -> str:
    with pytest.raises(ClientError) as raised:
        call(**parameters)
    code: str = raised.value.response["Error"]["Code"]
    return code


def test_objects_that_are_not_there_or_are_already_are_refused_alike(either: World) -> None:
    s3, nothing = either.s3, {"Bucket": LOGS, "Key": "nothing"}
    assert refused(s3.head_object, **nothing) == "404"
    assert refused(s3.get_object, **nothing) == "NoSuchKey"
    copy = {"Bucket": STAGING, "Key": "copy", "CopySource": nothing}
    assert refused(s3.copy_object, **copy) == "NoSuchKey"
    either.lake.staging.write_once("once", 1)
    either.lake.staging.write_once("once", 2)
    assert either.lake.staging.read("once", int) == 1
    either.lake.staging.delete(["once", "nothing"])
    assert [*either.lake.staging.list("")] == []


def test_a_copy_says_what_it_is_told_and_no_more(either: World) -> None:
    s3 = either.s3
    s3.put_object(Bucket=LOGS, Key="a/b", Body=b"text")
    source = {"Bucket": LOGS, "Key": "a/b"}
    s3.copy_object(
        Bucket=STAGING,
        Key="x/y/z",
        CopySource=source,
        MetadataDirective="REPLACE",
        TaggingDirective="REPLACE",
        Metadata={"uri": "s3://a"},
    )
    s3.copy_object(Bucket=LOGS, Key="again", CopySource={"Bucket": STAGING, "Key": "x/y/z"})
    assert s3.head_object(Bucket=LOGS, Key="again")["Metadata"] == {"uri": "s3://a"}
    assert [*either.lake.staging.folders("x/")] == ["y"]
    assert [one["Size"] for one in either.lake.staging.list("x/")] == [4]


def test_the_catalog_takes_partitions_and_gives_them_back(either: World) -> None:
    catalog = either.lake.catalog
    days = [Partition("alb", ACCOUNT, REGION, f"2026-{n // 28 + 1:02}-{n % 28 + 1:02}")
            for n in range(130)]  # fmt: skip
    catalog.point(dict.fromkeys(days[:60], "g0000"))
    catalog.point(dict.fromkeys(days, "g0001"))
    found = catalog.locations([*days, Partition("alb", ACCOUNT, REGION, "2020-01-01")])
    assert len(found) == 130
    assert found[days[0]] == f"s3://log-lake/{days[0].folder('g0001')}"
    catalog.remove([days[0], days[0]])
    assert days[0] not in catalog.locations(days)


def test_a_partition_has_no_columns_of_its_own(moto_world: World) -> None:
    moto_world.lake.catalog.point({FLOWS: "g0000"})
    found = boto3.client("glue").get_partition(
        DatabaseName="logs", TableName="vpc_flow", PartitionValues=FLOWS.values
    )
    assert not found["Partition"]["StorageDescriptor"].get("Columns")


def test_a_compaction_that_was_given_up_leaves_nothing(either: World) -> None:
    world = either
    world.stage(deliver(world, "a"))
    world.run()
    begun = swap.begin(world.lake, FLOWS, "attempt")
    assert begun
    world.compact(FLOWS, begun)
    world.now += 25 * 3600
    world.expire()
    assert world.all_rows() == rows_of("a")
    assert {key.split("/")[4] for key in world.keys("log-lake", FLOWS.everything)} == {
        names.FIRST_GENERATION
    }
