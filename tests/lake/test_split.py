"""Splitting: how a batch that fails comes down to the object that fails."""

from __future__ import annotations

import json

import pytest

from servicelogs.errors import UnreadableDocument
from servicelogs.lake import names
from servicelogs.lake.manifests import Manifest
from servicelogs.lake.split import LEFT, split_batch
from tests.lake.lake_world import STAGING, World

FAULT = {"Error": "ValueError", "Cause": json.dumps({"errorMessage": "a bad value"})}


def planned(world: World, count: int) -> str:
    world.stage(*(world.deliver(f"{n:02}", "alb 2026-11-20") for n in range(count)))
    (batch,) = world.plan(world.start())
    return batch


def sizes(world: World, batch: str) -> list[int]:
    found = []
    for child in names.children(batch, names.MOST_CHILDREN):
        if world.lake.ledger.batch(child):
            manifest = world.lake.staging.read(names.manifest_key(child), Manifest)
            found.append(len(manifest.objects))
    return found


@pytest.mark.parametrize(
    ("count", "expected"), [(2, [1, 1]), (3, [1] * 3), (16, [1] * 16), (40, [2, 3] * 8)]
)
def test_a_batch_is_split_into_sixteen_at_most_alike_in_size(world, count, expected):
    batch = planned(world, count)
    assert split_batch(world.lake, batch, FAULT) == "SPLIT"
    assert sorted(sizes(world, batch)) == sorted(expected)
    world.runs.running.clear()
    world.settle()
    assert len(world.rows("alb")) == count


def test_an_attempt_that_is_late_is_not_chosen_once_its_batch_is_split(world):
    batch = planned(world, 2)
    choose = world.write(batch)
    split_batch(world.lake, batch, FAULT)
    assert choose() == "SPLIT"
    world.runs.running.clear()
    world.settle()
    assert sum(world.rows("alb").values()) == 2


def test_a_batch_that_was_prepared_meanwhile_is_not_split(world):
    batch = planned(world, 2)
    world.convert(batch)
    assert split_batch(world.lake, batch, FAULT) == "PREPARED"
    assert split_batch(world.lake, "forgotten", FAULT) == "DONE"


@pytest.mark.parametrize(
    "name",
    ["ClientError", "Lambda.TooManyRequestsException", "Runtime.ImportModuleError",
     "ConfigurationError", "EndpointConnectionError", "ModuleNotFoundError"],
)  # fmt: skip
def test_what_every_batch_would_meet_splits_none(world, name):
    batch = planned(world, 2)
    assert split_batch(world.lake, batch, {"Error": name, "Cause": ""}) == LEFT
    assert world.lake.ledger.batch(batch).state == "OPEN"


@pytest.mark.parametrize(
    "name",
    ["Lambda.Unknown", "States.Timeout", "Runtime.ExitError", "Sandbox.Timedout", "NoSuchKey"],
)
def test_what_an_object_may_cause_splits_its_batch(world, name):
    assert split_batch(world.lake, planned(world, 2), {"Error": name}) == "SPLIT"


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        (FAULT, "ValueError: a bad value"),
        ({"Error": "States.Timeout", "Cause": ""}, "States.Timeout: "),
        ({"Error": "E", "Cause": "[not an object]"}, "E: [not an object]"),
        ({"Error": "E", "Cause": "[1]"}, "E: [1]"),
        ({}, "unknown: "),
    ],
)
def test_the_reason_of_a_quarantine_is_what_happened(world, error, reason):
    assert split_batch(world.lake, planned(world, 1), error) == "QUARANTINED"
    claim = world.claim("firehose/00")
    assert claim["reason"] == reason
    assert claim["source"] == "s3://log-archive/firehose/00"
    (item,) = world.lake.ledger._items.query("quarantined")
    assert item["reason"] == reason
    assert world.keys(STAGING, names.RAW) == []


def test_an_object_whose_copy_is_gone_is_quarantined_and_can_be_sent_again(world):
    batch = planned(world, 1)
    world.lake.staging.delete_all(names.RAW)
    assert split_batch(world.lake, batch, FAULT) == "QUARANTINED"
    assert "its staged copy is gone" in world.claim("firehose/00")["reason"]
    world.stage("firehose/00")
    world.runs.running.clear()
    world.settle()
    assert world.rows("alb") == {"2026-11-20 00:1": 1}
    assert [*world.lake.ledger._items.query("quarantined")] == []


def test_an_object_that_fails_again_is_quarantined_again(world):
    key = world.deliver("a", "bad")
    world.stage(key)
    world.run()
    for _ in range(2):
        assert world.state(key) == "QUARANTINED"
        world.stage(key)
        assert world.state(key) == "OPEN"
        world.run()
    assert world.state(key) == "QUARANTINED"
    assert len(world.keys(STAGING, names.QUARANTINED)) == 1


def test_a_copy_that_does_not_say_where_it_comes_from_is_set_aside_like_any_other(world):
    batch = planned(world, 1)
    (key,) = world.keys(STAGING, names.RAW)
    body = "\n".join(world.lines(STAGING, key)).encode()
    world.s3.put_object(Bucket=STAGING, Key=key, Body=body)
    assert split_batch(world.lake, batch, FAULT) == "QUARANTINED"
    assert world.keys(STAGING, names.RAW) == []
    assert world.lines(STAGING, names.quarantined_key(key))
    world.stage("firehose/00")  # with the object itself all is as it was
    world.runs.running.clear()
    world.settle()
    assert sum(world.rows("alb").values()) == 1


@pytest.mark.parametrize("damage", [None, b"{"])
def test_a_list_that_was_lost_is_made_again_of_the_batchs_own_claims(world, damage):
    before = planned(world, 2)
    batch = planned(world, 3)
    lost = world.lake.staging.read(names.manifest_key(batch), Manifest)
    world.lake.staging.delete([names.manifest_key(batch)])
    if damage is not None:
        world.s3.put_object(Bucket=STAGING, Key=names.manifest_key(batch), Body=damage)
    world.stage(world.deliver("nobody's yet", "alb 2026-11-20"))
    world.s3.put_object(Bucket=STAGING, Key="raw/unidentified/put there", Body=b"x")

    assert world.convert_or_split(batch) == LEFT
    assert world.lake.staging.read(names.manifest_key(batch), Manifest) == lost
    assert world.convert(batch) == "PREPARED"
    assert world.convert(before) == "PREPARED"


def test_a_list_whose_objects_are_gone_too_is_an_error_that_counts_them(world):
    batch = planned(world, 3)
    world.lake.staging.delete([names.manifest_key(batch), world.keys(STAGING, names.RAW)[0]])

    with pytest.raises(UnreadableDocument, match=f"of the 3 objects of batch {batch} only 2 are"):
        split_batch(world.lake, batch, FAULT)
    assert world.lake.ledger.batch(batch).state == "OPEN"
