"""Staging: which objects are copied, under which name, and what their copies say of them."""

from __future__ import annotations

import json
from typing import Any

import pytest
from botocore.exceptions import ClientError

from servicelogs.errors import (
    ForeignBucket,
    ObjectReplaced,
    ObjectUnreachable,
    OutOfTime,
    UnreadableMessage,
)
from servicelogs.lake import copies, names
from servicelogs.lake.stage import Stager
from servicelogs.sources.queue import Message
from tests.lake.lake_world import ACCOUNT, LOGS, MEMBER, STAGING, World

ALB_KEY = (
    "AWSLogs/111122223333/elasticloadbalancing/eu-west-1/2026/11/20/111122223333_"
    "elasticloadbalancing_eu-west-1_app.shop.0123456789abcdef_20261120T0005Z_192.0.2.1_a1b2c3d4.log.gz"
)


def put(world: World, key: str, body: bytes = b"text") -> None:
    world.s3.put_object(Bucket=LOGS, Key=key, Body=body)


def stage_bodies(world: World, *bodies: str, seconds_left: float = 900.0) -> Any:
    """Stage what messages say; give the stager, and the errors."""
    stager = Stager(world.lake, world.types, world.accounts, lambda: seconds_left)
    return stager, stager.stage([Message("id", "handle", 1, body) for body in bodies])


def staged(world: World) -> list[str]:
    return world.keys(STAGING, names.RAW)


def test_the_copy_is_named_by_type_delivery_and_id_and_says_where_it_comes_from(world):
    put(world, ALB_KEY)
    world.stage(ALB_KEY)
    found = copies.find(world.s3, LOGS, ALB_KEY)
    (key,) = staged(world)
    assert key == f"raw/alb/{found.delivered:%Y%m%dT%H%M%SZ}-{found.source.id}"
    copy = copies.find(world.s3, STAGING, key)
    assert copies.source_of(copy.metadata, names.id_of(key)) == found.source
    assert copy.metadata["etag"] == found.etag
    assert names.delivered_of(key) == found.delivered.replace(microsecond=0)
    assert names.log_type_of(key) == "alb"


def test_an_object_whose_key_does_not_say_its_type_is_staged_unidentified(world):
    world.stage(world.deliver("a"))
    assert [key.split("/")[1] for key in staged(world)] == [names.UNIDENTIFIED]


@pytest.mark.parametrize(
    ("key", "reason"),
    [
        ("AWSLogs/1/CloudTrail-Digest/eu-west-1/a.json.gz", "a CloudTrail digest file"),
        ("AWSLogs/111122223333/ELBAccessLogTestFile", "an AWS test file"),
        ("folder/", "a folder marker"),
        ("nothing", "deleted before it was read"),
        ("empty", "an empty object"),
    ],
)
def test_what_is_no_log_is_acknowledged_and_counted(world, key, reason):
    if key != "nothing":
        put(world, key, b"" if key == "empty" else b"text")
    assert world.stage(key).staged.skipped == {reason: 1}
    assert staged(world) == []


def test_types_that_the_lake_does_not_take_are_skipped(world):
    from servicelogs.detection.objects import ObjectTypes
    from servicelogs.settings import LogSettings

    world.types = ObjectTypes(LogSettings(log_types=("waf",)))
    put(world, ALB_KEY)
    assert world.stage(ALB_KEY).staged.skipped == {"alb is not among LogTypes": 1}
    assert staged(world) == []


def test_an_object_that_a_batch_has_is_acknowledged(world):
    key = world.deliver("a", "alb 2026-11-20")
    world.stage(key)
    world.run()
    assert world.stage(key).staged.already_there == 1
    assert staged(world) == []


def test_an_object_that_is_replaced_before_it_is_copied_is_read_anew(world):
    put(world, "a", b"old")
    replaced = []

    def replace(operation: str, before: bool) -> None:
        if operation == "copy_object" and before and not replaced:
            replaced.append(True)
            put(world, "a", b"new")

    world.aws.on_call = replace
    world.stage("a")
    (key,) = staged(world)
    assert world.lines(STAGING, key) == ["new"]
    assert names.id_of(key) == copies.find(world.s3, LOGS, "a").source.id


def test_an_object_that_is_replaced_each_time_comes_again_later(world):
    put(world, "a", b"0")
    count = iter(range(1, 100))

    def replace(operation: str, before: bool) -> None:
        if operation == "copy_object" and before:
            put(world, "a", str(next(count)).encode())

    world.aws.on_call = replace
    with pytest.raises(ObjectUnreachable, match="replaced again and again"):
        world.stage("a")
    assert staged(world) == []


def test_an_object_that_is_deleted_before_it_is_copied_is_skipped(world):
    put(world, "a")

    def delete(operation: str, before: bool) -> None:
        if operation == "copy_object" and before:
            world.aws.objects.pop((LOGS, "a"))

    world.aws.on_call = delete
    assert world.stage("a").staged.skipped == {"deleted before it was read": 1}


def test_keys_as_the_envelopes_of_aws_encode_them_are_found(world):
    for key in ("a b+c%/ü", "plain+plus", "was encoded?"):
        put(world, key, key.encode())
    s3_event = {
        "eventSource": "aws:s3",
        "eventName": "ObjectCreated:Put",
        "s3": {"bucket": {"name": LOGS}, "object": {"key": "a+b%2Bc%25/%C3%BC"}},
    }

    def eventbridge(key: str) -> dict[str, Any]:
        detail = {"bucket": {"name": LOGS}, "object": {"key": key}}
        return {"source": "aws.s3", "detail-type": "Object Created", "detail": detail}

    bodies = ({"Records": [s3_event]}, eventbridge("plain+plus"), eventbridge("was+encoded%3F"))
    _, errors = stage_bodies(world, *map(json.dumps, bodies))
    assert errors == [None] * 3
    bodies_staged = {world.lines(STAGING, key)[0] for key in staged(world)}
    assert bodies_staged == {"a b+c%/ü", "plain+plus", "was encoded?"}


def test_a_denied_kms_key_is_said_with_what_to_do(world):
    put(world, "a")

    def deny(operation: str, before: bool) -> None:
        if operation == "copy_object" and before:
            message = "not authorized to perform: kms:Decrypt on resource: arn:aws:kms:…"
            raise ClientError({"Error": {"Code": "AccessDenied", "Message": message}}, "CopyObject")

    world.aws.on_call = deny
    with pytest.raises(ObjectUnreachable, match="let this function's role decrypt with the KMS"):
        world.stage("a")


def test_a_bad_message_fails_alone(world):
    key = world.deliver("a")
    bodies = ["not a notification", json.dumps({"bucket": LOGS, "key": key})]
    _, (bad, good) = stage_bodies(world, *bodies)
    assert isinstance(bad, UnreadableMessage)
    assert good is None
    assert len(staged(world)) == 1


def test_what_there_is_no_time_for_comes_again(world):
    body = json.dumps({"bucket": LOGS, "key": world.deliver("a")})
    _, (error,) = stage_bodies(world, body, seconds_left=20.0)
    assert isinstance(error, OutOfTime)
    assert staged(world) == []


def test_only_quarantined_objects_can_be_sent_again_from_the_staging_bucket(world):
    world.stage(world.deliver("a"))
    (key,) = staged(world)
    with pytest.raises(UnreadableMessage, match="only objects under quarantined/"):
        world.stage(key, bucket=STAGING)


def test_an_object_of_a_bucket_that_the_deployment_writes_to_is_refused(world):
    stager = Stager(world.lake, world.types, world.accounts, lambda: 900.0, own_buckets=[LOGS])
    body = json.dumps({"bucket": LOGS, "key": world.deliver("a")})
    (error,) = stager.stage([Message("id", "handle", 1, body)])
    assert isinstance(error, UnreadableMessage)
    assert "this deployment writes to its bucket itself" in str(error)
    assert staged(world) == []


# Copies


def test_a_large_object_is_copied_in_parts_of_the_same_bytes(world, monkeypatch):
    monkeypatch.setattr(copies, "LARGEST_AT_ONCE", 100)
    monkeypatch.setattr(copies, "PART_BYTES", 64)
    body = bytes(range(200)) + b"end"
    put(world, "large", body)
    world.stage("large")
    (key,) = staged(world)
    assert world.aws.objects[STAGING, key].body == body
    assert copies.find(world.s3, STAGING, key).metadata["uri"] == f"s3://{LOGS}/large"
    assert world.aws.uploads == {}


def test_a_large_object_that_is_replaced_between_parts_is_not_staged_as_another(world, monkeypatch):
    monkeypatch.setattr(copies, "LARGEST_AT_ONCE", 100)
    monkeypatch.setattr(copies, "PART_BYTES", 64)
    put(world, "large", b"a" * 200)
    found = copies.find(world.s3, LOGS, "large")
    parts = []

    def replace(operation: str, before: bool) -> None:
        if operation == "upload_part_copy" and before:
            parts.append(operation)
            if len(parts) == 2:
                put(world, "large", b"b" * 200)

    world.aws.on_call = replace
    with pytest.raises(ObjectReplaced):
        copies.copy(world.s3, found, STAGING, "raw/copy", found.as_source())
    assert world.aws.uploads == {}
    assert staged(world) == []


@pytest.mark.parametrize(
    "key", ["plain", "with space%20+", "ü" * 512, "日" * 341, "a%2Fb", "%", "\u2028", "~{}|^"]
)
def test_whatever_a_key_holds_its_copy_names_it_in_what_s3_takes_as_metadata(world, key):
    put(world, key)
    found = copies.find(world.s3, LOGS, key)
    metadata = found.as_source()
    assert sum(len(name) + len(value) for name, value in metadata.items()) <= 2048
    assert all(value.isascii() and value.isprintable() for value in metadata.values())
    assert copies.source_of(metadata, found.source.id) == found.source


def test_ids_are_those_of_the_search_engines_path(world):
    from servicelogs.sources.s3_objects import identify

    put(world, "a")
    found = copies.find(world.s3, LOGS, "a")
    assert found.source.id == identify(LOGS, "a", found.etag)


def test_a_key_that_is_not_ours_is_no_staged_copy():
    good = "raw/alb/20261120T101500Z--1234567890abcde"
    assert names.is_copy(good)
    assert not any(map(names.is_copy, ("raw/alb/x", "raw/a/b/20261120T101500Z-0123456789abcdef")))


def announce(bucket: str, key: str, account: str, region: str = "ap-south-1") -> str:
    return json.dumps({"bucket": bucket, "key": key, "account": account, "region": region})


def test_an_object_of_another_account_is_copied_for_its_owner_and_its_place_is_kept(world):
    world.aws.owners[LOGS] = MEMBER
    put(world, "a")
    _, errors = stage_bodies(world, announce(LOGS, "a", MEMBER))
    assert errors == [None]
    (key,) = staged(world)
    metadata = copies.find(world.s3, STAGING, key).metadata
    assert (metadata["account"], metadata["region"]) == (MEMBER, "ap-south-1")
    source = copies.source_of(metadata, names.id_of(key))
    assert (source.default_account_id, source.default_region) == (MEMBER, "ap-south-1")
    assert source.account_id == ""


def test_of_an_object_of_this_account_the_deployment_says_the_place(world):
    put(world, "a")
    stage_bodies(world, announce(LOGS, "a", ACCOUNT))
    (key,) = staged(world)
    assert not {"account", "region"} & set(copies.find(world.s3, STAGING, key).metadata)


def test_an_account_that_is_not_listed_is_not_asked_for_an_object(world):
    calls = []
    world.aws.on_call = lambda operation, _before: calls.append(operation)
    _, (error,) = stage_bodies(world, announce(LOGS, "a", "999988887777"))
    assert isinstance(error, ForeignBucket)
    assert calls == []


@pytest.mark.parametrize("said", ["", MEMBER])
def test_a_bucket_that_is_somebody_elses_now_is_neither_looked_at_nor_copied(world, said):
    world.aws.owners[LOGS] = "999988887777"
    put(world, "a")
    _, (error,) = stage_bodies(world, announce(LOGS, "a", said))
    assert isinstance(error, ObjectUnreachable)
    assert f"must be account {said or ACCOUNT}'s" in str(error)
    assert staged(world) == []


@pytest.mark.parametrize("size", [10, 2000])
def test_a_bucket_that_changes_hands_before_the_copy_is_not_copied(world, monkeypatch, size):
    monkeypatch.setattr(copies, "LARGEST_AT_ONCE", 1000)
    put(world, "a", b"x" * size)

    def take(operation: str, before: bool) -> None:
        if operation in {"copy_object", "create_multipart_upload"} and before:
            world.aws.owners[LOGS] = "999988887777"

    world.aws.on_call = take
    _, (error,) = stage_bodies(world, announce(LOGS, "a", MEMBER))
    assert isinstance(error, ObjectUnreachable)
    assert staged(world) == []
