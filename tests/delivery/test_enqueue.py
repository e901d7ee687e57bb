"""Objects that are in a bucket already are sent to the engines' queues, against emulated AWS."""

from __future__ import annotations

import gzip
import hashlib
import json
from datetime import UTC, datetime
from typing import Any

import boto3
import pytest

from servicelogs.delivery import enqueue
from servicelogs.delivery.enqueue import Engine, Enqueuer, Progress
from servicelogs.delivery.rejects import file_key, line
from servicelogs.errors import DeliveryError, UnreadableEvent
from servicelogs.records import Reject, Source
from servicelogs.settings import AccountSettings, EnqueueSettings
from servicelogs.sources.event_notifications import ObjectToRead, read_notification
from servicelogs.sources.queue import Queue

LOGS, BACKUP, THEIRS = "log-archive", "log-backup", "aws-waf-logs-theirs"
OWN, MEMBER, STRANGER = "123456789012", "222233334444", "777788889999"
ACCOUNTS = AccountSettings(account_id=OWN, member_account_ids=(MEMBER, "333344445555"))
OF_MEMBER = {"bucket": THEIRS, "account": MEMBER, "region": "eu-west-1"}
SETTINGS = EnqueueSettings(log_bucket=LOGS, log_bucket_prefix="logs/", backup_bucket=BACKUP)
ODD = 'logs/a+b %41 "é\u2028\x7f'


class World:
    """Both buckets, both queues, and what sends objects from one to the other."""

    def __init__(self, engines: tuple[Engine, ...] = ("OpenSearch", "LightEngine")) -> None:
        self.s3, self.sqs = boto3.client("s3"), boto3.client("sqs")
        for bucket in (LOGS, BACKUP, THEIRS):
            self.s3.create_bucket(Bucket=bucket)
        self.urls = {e: self.sqs.create_queue(QueueName=e)["QueueUrl"] for e in engines}
        queues = {engine: Queue(self.sqs, url) for engine, url in self.urls.items()}
        self.enqueuer = Enqueuer(self.s3, queues, SETTINGS, ACCOUNTS)
        self.listed: list[tuple[str, str]] = []
        """Which buckets were listed, and who had to own them."""
        self.s3.meta.events.register("provide-client-params.s3.ListObjectsV2", self._note)

    def _note(self, params: dict[str, Any], **_: Any) -> None:
        self.listed.append((params["Bucket"], params["ExpectedBucketOwner"]))

    def put(self, *keys: str, bucket: str = LOGS, **more: Any) -> None:
        for key in keys:
            self.s3.put_object(Bucket=bucket, Key=key, Body=b"x", **more)

    def reject(self, uri: str, number: int = 1, folder: str = "rejected/") -> None:
        source = Source(
            uri, hashlib.sha256(uri.encode()).hexdigest()[:16], datetime(2026, 11, 20, tzinfo=UTC)
        )
        reject = Reject(number, "parse", "no reason", b"a line", "id")
        body = gzip.compress(line(reject, source, "alb"))
        self.s3.put_object(Bucket=BACKUP, Key=file_key(source, "alb", number, folder), Body=body)

    def enqueue(self, seconds_left: float = 300, progress: Any = None, **asked: Any) -> Progress:
        found = Progress.read(progress or {})
        return self.enqueuer.enqueue({"bucket": LOGS, **asked}, found, lambda: seconds_left)

    def sent(self, engine: Engine) -> list[tuple[str, str]]:
        """Receive all messages about objects of this account."""
        found = self.received(engine)
        assert not {one.account_id or one.region for one in found} - {""}
        return sorted((one.bucket, one.key) for one in found)

    def received(self, engine: Engine) -> list[ObjectToRead]:
        """Receive all messages, as the engine's function reads them."""
        found = []
        while messages := self.sqs.receive_message(
            QueueUrl=self.urls[engine], MaxNumberOfMessages=10
        ).get("Messages"):
            for message in messages:
                (wanted,) = read_notification(message["Body"]).objects
                assert (wanted.start, wanted.etag, wanted.continuations) == (1, "", 0)
                found.append(wanted)
        return found


@pytest.fixture
def world(aws: None) -> World:
    return World()


def of_logs(*keys: str) -> list[tuple[str, str]]:
    return sorted((LOGS, key) for key in keys)


def test_objects_of_a_prefix_reach_each_engine_under_their_keys(world: World) -> None:
    keys = [f"logs/alb/{number}" for number in range(25)]
    world.put(*keys, ODD, "logs/waf/1", "other/1")

    progress = world.enqueue(prefix="logs/a")

    assert world.sent("OpenSearch") == world.sent("LightEngine") == of_logs(*keys, ODD)
    assert (progress.listed, progress.sent, progress.more) == (26, 52, False)


def test_objects_of_another_account_are_sent_as_its_own_and_the_bucket_has_to_be_its(
    world: World,
) -> None:
    world.put("a/1", "b/1", bucket=THEIRS)

    progress = world.enqueue(prefix="a/", engine="LightEngine", **OF_MEMBER)

    assert (progress.listed, progress.sent) == (1, 1)
    (wanted,) = world.received("LightEngine")
    assert wanted == ObjectToRead(THEIRS, "a/1", account_id=MEMBER, region="eu-west-1")
    assert world.listed == [(THEIRS, MEMBER)]


def test_a_bucket_of_this_account_has_to_be_its_own(world: World) -> None:
    world.put("logs/1")
    for account in ({}, {"account": OWN, "region": "eu-west-1"}):
        assert world.enqueue(engine="OpenSearch", **account).sent == 1
        assert world.sent("OpenSearch") == of_logs("logs/1")
    assert world.listed == [(LOGS, OWN)] * 2


def test_each_account_of_an_organization_may_be_asked_for(world: World) -> None:
    world.put("1", bucket=THEIRS)
    accounts = AccountSettings(account_id=OWN, organization_id="o-a1b2c3d4e5")
    enqueuer = Enqueuer(world.s3, {}, SETTINGS, accounts)
    progress = enqueuer.enqueue(OF_MEMBER | {"account": STRANGER}, Progress(), lambda: 300)
    assert progress.listed == 1
    with pytest.raises(UnreadableEvent, match="account: must be among"):
        enqueuer.enqueue(OF_MEMBER | {"account": "777"}, Progress(), lambda: 300)


def test_one_engine_alone_gets_what_is_for_it(world: World) -> None:
    world.put("logs/1")

    assert world.enqueue(engine="LightEngine").sent == 1
    assert world.sent("LightEngine") == of_logs("logs/1")
    assert world.sent("OpenSearch") == []


def test_without_a_prefix_it_is_that_of_the_deployment(world: World) -> None:
    world.put("logs/1", "other/1")
    world.enqueue(engine="OpenSearch")

    assert world.sent("OpenSearch") == of_logs("logs/1")


def test_many_objects_are_sent_a_part_at_a_time_each_once(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(enqueue, "MOST_OBJECTS", 40)
    monkeypatch.setattr(enqueue, "PAGE_OBJECTS", 20)
    keys = [f"logs/{number:05}" for number in range(90)]
    world.put(*keys)
    progress, parts = {}, []
    while not parts or progress["more"]:
        progress = world.enqueue(engine="OpenSearch", progress=progress).answer()
        # A step of the state machine hands it on as JSON.
        progress = json.loads(json.dumps(progress))
        parts.append(progress["listed"])

    assert parts == [40, 80, 90]
    assert world.sent("OpenSearch") == of_logs(*keys)


def test_an_empty_page_is_not_the_last_if_s3_says_so(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.put("logs/1")
    listed = world.s3.list_objects_v2
    asked: list[str] = []

    def empty_first(**request: Any) -> Any:
        asked.append(request.pop("ContinuationToken", ""))
        assert len(asked) < 4, "it asks for the same page again"
        if asked[-1] != "further":
            return {"IsTruncated": True, "NextContinuationToken": "further"}
        return listed(**request)

    monkeypatch.setattr(world.s3, "list_objects_v2", empty_first)
    assert (world.enqueue().listed, asked) == (1, ["", "further"])


def test_where_there_is_no_time_nothing_is_sent_and_there_is_more(world: World) -> None:
    world.put("logs/1")

    progress = world.enqueue(seconds_left=10)

    assert (progress.listed, progress.more) == (0, True)


def test_a_new_execution_goes_on_behind_a_key(world: World) -> None:
    world.put("logs/1", "logs/2", "logs/3")
    world.enqueue(engine="OpenSearch", startAfter="logs/1")

    assert world.sent("OpenSearch") == of_logs("logs/2", "logs/3")


def test_objects_of_other_times_are_counted_and_not_sent(world: World) -> None:
    world.put("logs/1")
    for times, sent in [
        ({"modifiedSince": "2020-01-01"}, 1),
        ({"modifiedSince": "2020-01-01T00:00:00+02:00", "modifiedBefore": "2200-01-01"}, 1),
        ({"modifiedBefore": "2020-01-01T00:00:00Z"}, 0),
        ({"modifiedSince": "2200-01-01"}, 0),
    ]:
        progress = world.enqueue(engine="OpenSearch", **times)
        assert (progress.sent, progress.other_times) == (sent, 1 - sent), times


def test_archived_objects_are_counted_and_not_sent(world: World) -> None:
    world.put("logs/1", StorageClass="DEEP_ARCHIVE")
    world.put("logs/2", StorageClass="GLACIER_IR")

    progress = world.enqueue(engine="OpenSearch")

    assert (progress.sent, progress.archived) == (1, 1)
    assert world.sent("OpenSearch") == of_logs("logs/2")


def test_objects_whose_records_were_rejected_are_sent_again_to_the_search_engine(
    world: World,
) -> None:
    for number in (1, 200_001):
        world.reject(f"s3://{LOGS}/logs/odd key", number)
    world.reject(f"s3://{LOGS}/logs/2")
    world.reject("kinesis://stream/shardId-000000000000")
    world.reject("s3://somebody-elses/logs/1")
    world.reject(f"s3://{LOGS}/logs/3", folder="rejected/light-engine/")
    world.s3.put_object(Bucket=BACKUP, Key="rejected/alb/not-gzip", Body=b"x")
    world.s3.put_object(Bucket=BACKUP, Key="rejected/alb/no-line", Body=gzip.compress(b"x"))
    world.s3.put_object(Bucket=BACKUP, Key="failed/kinesis/1", Body=b"x")

    progress = world.enqueue(bucket=BACKUP)

    assert world.sent("OpenSearch") == of_logs("logs/odd key", "logs/2")
    assert world.sent("LightEngine") == []
    assert (progress.listed, progress.sent, progress.unsendable) == (8, 2, 5)


@pytest.mark.parametrize(
    ("asked", "reason"),
    [
        ({"bucket": "somebody-elses"}, "bucket: must be log-archive or log-backup, not 'somebody"),
        ({"bucket": ""}, "bucket: must be log-archive or log-backup, not ''"),
        ({"bucket": None}, "Expected `str`, got `null` - at `$.bucket`"),
        (OF_MEMBER | {"account": STRANGER}, "account: must be among MemberAccountIds, or of Orga"),
        (OF_MEMBER | {"account": ""}, "for a bucket of another account, account must be given"),
        (OF_MEMBER | {"region": ""}, "region: must be that of the bucket, as eu-west-1"),
        (OF_MEMBER | {"region": "eu-west-1/../x"}, "region: must be that of the bucket"),
        ({"prefix": "other/"}, "prefix: must begin with 'logs/', not 'other/'"),
        ({"prefx": "logs/"}, "unknown field `prefx`"),
        ({"engine": "opensearch"}, "Invalid enum value 'opensearch' - at `$.engine`"),
        ({"modifiedSince": "yesterday"}, "modifiedSince: must be a time as 2026-01-31T00:00:00Z"),
        ({"modifiedBefore": "2026-02-30"}, "modifiedBefore: must be a time"),
        ({"bucket": BACKUP, "prefix": "failed/"}, "prefix: must begin with 'rejected/'"),
        ({"bucket": BACKUP, "engine": "LightEngine"}, "engine: must be OpenSearch for the backup"),
    ],
)
def test_what_makes_no_sense_is_refused_with_what_it_must_be(
    world: World, asked: dict[str, Any], reason: str
) -> None:
    with pytest.raises(UnreadableEvent) as refused:
        world.enqueue(**asked)

    assert reason in str(refused.value)


def test_an_engine_that_is_not_there_is_refused(aws: None) -> None:
    with pytest.raises(UnreadableEvent, match="engine: must be OpenSearch, not 'LightEngine'"):
        World(("OpenSearch",)).enqueue(engine="LightEngine")


def test_a_message_that_is_not_taken_ends_the_attempt_before_its_page_counts(world: World) -> None:
    world.put(*(f"logs/{number}" for number in range(25)))
    world.sqs.delete_queue(QueueUrl=world.urls["LightEngine"])
    progress = Progress()

    with pytest.raises(DeliveryError):
        world.enqueuer.enqueue({"bucket": LOGS}, progress, lambda: 300)
    assert (progress.listed, progress.start_after) == (0, "")
