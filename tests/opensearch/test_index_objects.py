"""Every record of every new object ends once, whatever happens on the way."""

import gzip
import json
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from typing import Any
from urllib.parse import quote

import pytest
from botocore.exceptions import ClientError

from local import sample_logs
from local.sample_events import KEYS
from servicelogs import formats
from servicelogs.errors import ClusterNeedsFixing, EveryItemFailed, TryLater
from servicelogs.records import Block
from servicelogs.settings import LogSettings
from servicelogs.sources.s3_objects import open_object
from tests.deployment import BACKUP, LOGS, NOW, Deployment, flow_key, flow_lines
from tests.sources.envelopes import CONTROL, GROUP, envelope
from tests.sources.stream_events import SHARD, compressed, failed_batch, stream_event


def records_of(deployment: Deployment, key: str) -> list[int]:
    """Say which records of an object the engine holds."""
    return sorted(
        document["log"]["record"]
        for document in deployment.engine.documents.values()
        if document["log"]["source"] == f"s3://{LOGS}/{key}"
    )


def test_the_records_of_new_objects_are_indexed(deployment):
    for name in "ab":
        deployment.put(flow_key(name), flow_lines(10))
        deployment.notify(flow_key(name))

    assert deployment.run() == []

    assert records_of(deployment, flow_key("a")) == list(range(2, 12))
    assert records_of(deployment, flow_key("b")) == list(range(2, 12))
    assert deployment.counts["vpc_flow"] == {
        "Objects": 2,
        "Records": 20,
        "Indexed": 20,
        "AlreadyThere": 0,
        "Rejected": 0,
        "Filtered": 0,
    }
    assert deployment.waiting() == (0, 0)


def test_a_redelivered_message_changes_nothing(deployment):
    deployment.put(flow_key("a"), flow_lines(10, bad=(3,)))
    found = []
    for _ in range(2):
        deployment.notify(flow_key("a"))
        deployment.run()
        found.append((dict(deployment.engine.documents), deployment.rejected()))

    once, twice = found
    assert len(once[0]) == 9
    assert [len(lines) for lines in once[1].values()] == [1]
    assert twice == once
    assert deployment.counts["vpc_flow"]["Indexed"] == 9
    assert deployment.counts["vpc_flow"]["AlreadyThere"] == 9


def test_a_line_that_does_not_fit_is_one_reject_and_the_lines_around_it_go_on(deployment):
    deployment.put(flow_key("a"), flow_lines(10, bad=(3,)))
    deployment.notify(flow_key("a"))

    deployment.run()

    ((key, (reject,)),) = deployment.rejected().items()
    assert key.startswith("rejected/vpc_flow/20")
    assert key.endswith("/1.ndjson.gz")
    assert reject["record_number"] == 4
    assert reject["raw"] == "this line does not fit"
    assert reject["source"] == f"s3://{LOGS}/{flow_key('a')}"
    assert reject["source_id"] == key.split("/")[-2]
    assert len(records_of(deployment, flow_key("a"))) == 9


def test_what_the_engine_refuses_is_in_the_backup_bucket_with_its_id(deployment):
    deployment.put(flow_key("a"), flow_lines(5))
    deployment.notify(flow_key("a"))
    deployment.engine.refuses = lambda document: document["log"]["record"] == 4

    assert deployment.run() == []

    ((reject,),) = deployment.rejected().values()
    assert reject["error_type"] == "mapper_parsing_exception"
    assert reject["_id"].startswith(reject["source_id"])
    assert reject["_index"].startswith("aws-vpc-flow-")
    assert reject["raw"] == flow_lines(5).splitlines()[3].decode()


def test_rejects_are_overwritten_by_their_own_retry_and_go_when_nothing_is_rejected(deployment):
    deployment.put(flow_key("a"), flow_lines(5))
    sizes = []
    for refused in ({3, 4}, {4}, set[int]()):
        deployment.engine.documents.clear()
        deployment.engine.refuses = lambda document, refused=refused: (
            document["log"]["record"] in refused
        )
        deployment.notify(flow_key("a"))
        deployment.run()
        sizes.append([len(lines) for lines in deployment.rejected().values()])

    assert sizes == [[2], [1], []]


def test_a_poison_object_does_not_hold_up_the_good_ones(deployment):
    for name in "abc":
        deployment.put(flow_key(name), flow_lines(10))
    deployment.s3.put_object(Bucket=LOGS, Key=flow_key("b"), Body=b"\x1f\x8b\x08poison")
    for name in "abc":
        deployment.notify(flow_key(name))

    assert deployment.run() == []

    assert len(deployment.engine.documents) == 20
    ((reject,),) = deployment.rejected().values()
    assert reject["source"].endswith(flow_key("b"))
    assert deployment.waiting() == (0, 0)


def test_a_cut_object_gives_its_good_part_and_one_reject(deployment):
    whole = gzip.compress(flow_lines(5000))
    deployment.s3.put_object(Bucket=LOGS, Key=flow_key("a"), Body=whole[: len(whole) // 2])
    deployment.notify(flow_key("a"))

    assert deployment.run() == []

    indexed = records_of(deployment, flow_key("a"))
    ((reject,),) = deployment.rejected().values()
    assert len(indexed) > 1000
    assert indexed == list(range(2, 2 + len(indexed)))
    assert reject["record_number"] == indexed[-1] + 1


def test_an_object_of_unknown_type_is_one_reject_that_shows_its_beginning(deployment):
    deployment.put("notes/readme.txt", b"nothing that AWS writes\n" * 1000)
    deployment.notify("notes/readme.txt")

    assert deployment.run() == []

    ((key, (reject,)),) = deployment.rejected().items()
    assert key.startswith("rejected/unknown/")
    assert reject["error_type"] == "unknown_log_type"
    assert reject["raw"].startswith("nothing that AWS writes")
    assert deployment.counts["unknown"]["Rejected"] == 1


@pytest.mark.parametrize(
    ("key", "body"),
    [
        ("AWSLogs/111122223333/ELBAccessLogTestFile", b"Enable AccessLog for ELB"),
        ("AWSLogs/111122223333/CloudTrail/", b""),
        (flow_key("empty"), b""),
        ("something", b""),
    ],
)
def test_what_is_no_log_is_skipped_with_a_count(deployment, key, body):
    deployment.s3.put_object(Bucket=LOGS, Key=key, Body=body)
    deployment.notify(key)

    assert deployment.run() == []

    assert deployment.skipped.total() == 1
    assert deployment.counts == {}
    assert deployment.rejected() == {}


def test_a_test_event_is_skipped_with_a_count(deployment):
    deployment.send(json.dumps({"Service": "Amazon S3", "Event": "s3:TestEvent", "Bucket": LOGS}))

    assert deployment.run() == []

    assert deployment.skipped == {"s3:TestEvent": 1}


def test_a_type_that_is_not_wanted_is_skipped_with_a_count(deployment):
    deployment.logs = LogSettings(log_types=("alb",))
    deployment.put(flow_key("a"), flow_lines(10))
    deployment.put("flow.log", flow_lines(10))
    deployment.notify(flow_key("a"), "flow.log")

    assert deployment.run() == []

    assert deployment.skipped == {"vpc_flow is not among LogTypes": 2}
    assert deployment.rejected() == {}
    assert deployment.engine.documents == {}


def test_a_pinned_type_reads_objects_that_tell_nothing(deployment):
    deployment.logs = LogSettings(log_type="vpc_flow")
    deployment.put("copy/of/a/log", flow_lines(10))
    deployment.notify("copy/of/a/log")

    assert deployment.run() == []

    assert len(records_of(deployment, "copy/of/a/log")) == 10


def test_a_deleted_object_is_gone_and_not_an_error(deployment):
    deployment.notify(flow_key("deleted"))

    assert deployment.run() == []

    assert deployment.skipped == {"deleted before it was read": 1}


def test_an_eventbridge_key_is_decoded_only_when_nothing_has_it_as_it_is(deployment):
    for key in ("100%25+1.log", "a b.log"):
        deployment.put(key, flow_lines(3))
    for key in ("100%25+1.log", "a+b.log"):
        event = {
            "source": "aws.s3",
            "detail-type": "Object Created",
            "detail": {"bucket": {"name": LOGS}, "object": {"key": key}},
        }
        deployment.send(json.dumps(event))

    assert deployment.run() == []

    assert len(records_of(deployment, "100%25+1.log")) == 3
    assert len(records_of(deployment, "a b.log")) == 3


def forbid(monkeypatch: pytest.MonkeyPatch, s3: Any, key: str) -> None:
    get_object = s3.get_object

    def refuse(**arguments: Any) -> Any:
        if arguments["Key"] == key:
            raise ClientError({"Error": {"Code": "AccessDenied", "Message": "no"}}, "GetObject")
        return get_object(**arguments)

    monkeypatch.setattr(s3, "get_object", refuse)


def test_a_forbidden_object_comes_again_later_and_the_others_are_done(deployment, monkeypatch):
    for name in "ab":
        deployment.put(flow_key(name), flow_lines(10))
        deployment.notify(flow_key(name))
    forbid(monkeypatch, deployment.s3, flow_key("b"))

    assert len(deployment.run()) == 1

    assert len(deployment.engine.documents) == 10
    assert deployment.waiting() == (0, 1)


def test_a_message_that_nobody_can_read_fails_at_once_and_alone(deployment):
    deployment.put(flow_key("a"), flow_lines(10))
    deployment.notify(flow_key("a"))
    deployment.send("not a notification")

    assert len(deployment.run()) == 1

    assert len(deployment.engine.documents) == 10
    # It can be received again at once: on its way to the dead-letter queue it waits for nothing.
    assert deployment.waiting() == (1, 0)


OWN, MEMBER, STRANGER = "123456789012", "222233334444", "999988887777"


def announce(account: str, key: str, region: str = "ap-south-1") -> str:
    event = {"source": "aws.s3", "detail-type": "Object Created", "account": account}
    detail = {"bucket": {"name": LOGS}, "object": {"key": key}}
    return json.dumps(event | {"region": region, "detail": detail})


def test_a_bucket_of_an_account_that_is_not_listed_is_not_asked_for(deployment, monkeypatch):
    for name in "ab":
        deployment.put(flow_key(name), flow_lines(10))
    deployment.notify(flow_key("a"))
    deployment.send(announce(STRANGER, flow_key("b")))
    get_object, keys = deployment.s3.get_object, []

    def answer(**arguments: Any) -> Any:
        keys.append(arguments["Key"])
        return get_object(**arguments)

    monkeypatch.setattr(deployment.s3, "get_object", answer)

    assert len(deployment.run()) == 1

    assert flow_key("b") not in keys
    assert len(deployment.engine.documents) == 10
    # It can be received again at once: on its way to the dead-letter queue it waits for nothing.
    assert deployment.waiting() == (1, 0)


@pytest.mark.parametrize(
    ("account", "cloud"),
    [
        (OWN, {"account_id": OWN, "region": "us-east-1"}),
        (MEMBER, {"account_id": MEMBER, "region": "ap-south-1"}),
    ],
)
def test_documents_have_the_account_and_region_of_the_bucket_where_nothing_names_them(
    deployment, monkeypatch, account, cloud
):
    deployment.accounts = replace(deployment.accounts, members=[MEMBER])
    key = "access/2026-11-20-08-15-00-0A1B2C3D4E5F6071"
    deployment.put(key, sample_logs.generate("s3_access", 20, seed=1))
    get_object, owners = deployment.s3.get_object, []

    def answer(**arguments: Any) -> Any:
        if arguments["Bucket"] == LOGS:
            owners.append(arguments.pop("ExpectedBucketOwner"))
        return get_object(**arguments)

    monkeypatch.setattr(deployment.s3, "get_object", answer)
    deployment.send(announce(account, key))

    assert deployment.run() == []

    documents = deployment.engine.documents.values()
    assert {tuple(document["cloud"].items()) for document in documents} == {tuple(cloud.items())}
    assert owners == [account]


def test_parquet_files_and_rests_of_other_accounts_stay_theirs(deployment):
    deployment.accounts = replace(deployment.accounts, members=[MEMBER])
    deployment.send(announce(MEMBER, "a.parquet"))
    assert deployment.run() == []
    (routed,) = deployment.receive(deployment.parquet_queue_url)
    body = json.loads(routed["body"])
    assert (body["account"], body["region"]) == (MEMBER, "ap-south-1")


def test_an_object_of_the_deployments_own_is_refused_and_fails_alone(deployment, caplog):
    deployment.put(flow_key("a"), flow_lines(10))
    deployment.notify(flow_key("a"))
    deployment.s3.put_object(Bucket=BACKUP, Key="copy.log", Body=flow_lines(10))
    deployment.send(json.dumps({"bucket": BACKUP, "key": "copy.log"}))

    assert len(deployment.run()) == 1

    assert len(deployment.engine.documents) == 10
    errors = [getattr(one, "error", "") for one in caplog.records]
    assert any("this deployment writes to its bucket itself" in error for error in errors)
    assert deployment.waiting() == (1, 0)


def test_records_that_could_not_be_delivered_come_again(deployment):
    deployment.put(flow_key("a"), flow_lines(10, bad=(1,)))
    deployment.notify(flow_key("a"))
    deployment.engine.error = TryLater("too many requests")

    with pytest.raises(EveryItemFailed):
        deployment.run()

    assert deployment.counts == {}
    assert deployment.rejected() == {}
    assert deployment.waiting() == (0, 1)


def test_an_engine_that_is_busy_is_left_alone_by_the_rest_of_the_batch(deployment, monkeypatch):
    for name in "ab":
        deployment.put(flow_key(name), flow_lines(10))
        deployment.notify(flow_key(name))
    busy = TryLater("too many requests")
    monkeypatch.setattr(
        "tests.opensearch.fake_engine.FakeWriter.add",
        lambda self, block, counts: (
            counts.take(block),
            counts.leave(block.documents, busy, block.first),
        ),
    )
    read = []
    get_object = deployment.s3.get_object
    monkeypatch.setattr(
        deployment.s3,
        "get_object",
        lambda **arguments: read.append(arguments["Key"]) or get_object(**arguments),
    )

    with pytest.raises(EveryItemFailed):
        deployment.run()

    assert len(read) == 1
    assert deployment.waiting() == (0, 2)


@pytest.mark.parametrize(
    ("receive_count", "minutes"), [(1, 1), (2, 2), (3, 4), (5, 16), (6, 30), (16, 30)]
)
def test_the_delay_grows_with_the_receive_count(deployment, monkeypatch, receive_count, minutes):
    deployment.put(flow_key("a"), flow_lines(10))
    deployment.notify(flow_key("a"))
    deployment.engine.error = TryLater("too many requests")
    delays = []
    change = deployment.sqs.change_message_visibility_batch

    def note(**arguments: Any) -> Any:
        delays.extend(entry["VisibilityTimeout"] for entry in arguments["Entries"])
        return change(**arguments)

    monkeypatch.setattr(deployment.sqs, "change_message_visibility_batch", note)
    (record,) = deployment.receive()
    record["attributes"]["ApproximateReceiveCount"] = str(receive_count)

    with pytest.raises(EveryItemFailed):
        deployment.invoke([record])

    assert 30 * minutes <= delays[-1] <= 90 * minutes


def test_a_cluster_that_needs_fixing_fails_the_invocation_and_says_what_to_do(deployment):
    for name in "ab":
        deployment.put(flow_key(name), flow_lines(10))
        deployment.notify(flow_key(name))
    deployment.engine.error = ClusterNeedsFixing("raise cluster.max_shards_per_node")

    with pytest.raises(ClusterNeedsFixing, match="max_shards_per_node"):
        deployment.run()

    assert deployment.counts == {}
    assert deployment.waiting() == (0, 2)


def test_a_rejects_file_that_cannot_be_written_fails_its_message_alone(deployment, monkeypatch):
    deployment.put(flow_key("a"), flow_lines(10, bad=(1,)))
    deployment.put(flow_key("b"), flow_lines(10))
    for name in "ab":
        deployment.notify(flow_key(name))

    def refuse(**_arguments: Any) -> Any:
        raise ClientError({"Error": {"Code": "SlowDown", "Message": "later"}}, "PutObject")

    monkeypatch.setattr(deployment.s3, "put_object", refuse)

    assert len(deployment.run()) == 1

    assert deployment.counts["vpc_flow"]["Objects"] == 1
    assert deployment.waiting() == (0, 1)


def test_an_object_that_does_not_add_up_is_never_a_success(deployment, monkeypatch):
    deployment.put(flow_key("a"), flow_lines(10))
    deployment.notify(flow_key("a"))
    monkeypatch.setattr("tests.opensearch.fake_engine.FakeWriter._create", lambda *_arguments: None)

    with pytest.raises(EveryItemFailed):
        deployment.run()

    assert deployment.counts == {}


def counting_down(deployment: Deployment, blocks: int) -> Iterator[float]:
    """Give time until so many blocks were delivered, then none."""
    end = deployment.engine.blocks + blocks
    while True:
        yield 300.0 if deployment.engine.blocks < end else 1.0


def test_what_there_is_no_time_for_is_sent_again_and_nothing_is_lost_or_doubled(deployment):
    for name in "abc":
        deployment.put(flow_key(name), flow_lines(6_000, bad=(7, 5_500)))
        deployment.notify(flow_key(name))

    invocations = 0
    while deployment.waiting() != (0, 0):
        invocations += 1
        assert deployment.run(counting_down(deployment, 3)) == []

    assert invocations > 3
    for name in "abc":
        assert len(records_of(deployment, flow_key(name))) == 5_998
    counts = deployment.counts["vpc_flow"]
    assert counts["Objects"] == 3
    assert counts["Records"] == 18_000
    assert counts["AlreadyThere"] == 0
    lines = [line for part in deployment.rejected().values() for line in part]
    assert sorted(line["record_number"] for line in lines) == [8] * 3 + [5_501] * 3


def test_a_fault_that_the_time_just_sufficed_for_is_one_reject(deployment):
    whole = gzip.compress(flow_lines(5_000))
    deployment.s3.put_object(Bucket=LOGS, Key=flow_key("a"), Body=whole[: len(whole) // 2])
    deployment.notify(flow_key("a"))

    while deployment.waiting() != (0, 0):
        assert deployment.run(counting_down(deployment, 1)) == []

    ((reject,),) = deployment.rejected().values()
    assert reject["error_type"] == "unreadable"
    counts = deployment.counts["vpc_flow"]
    assert (counts["Objects"], counts["Rejected"]) == (1, 1)
    assert counts["Records"] == len(deployment.engine.documents) + 1


def test_an_object_of_rejects_alone_is_saved_in_as_many_attempts_as_it_takes(
    deployment, monkeypatch
):
    monkeypatch.setattr("servicelogs.delivery.rejects.FILE_RECORDS", 300)
    monkeypatch.setattr("servicelogs.delivery.rejects.MOST_FILES", 2)
    for size in ("PIECE_SIZE", "LEAST_PIECE_SIZE"):
        monkeypatch.setattr(f"servicelogs.sources.decompression.{size}", 8_192)
    deployment.put(flow_key("a"), flow_lines(0) + b"this line does not fit\n" * 2_000)
    deployment.notify(flow_key("a"))

    invocations = 0
    while deployment.waiting() != (0, 0):
        invocations += 1
        assert deployment.run() == []

    assert invocations > 1
    lines = [line["record_number"] for part in deployment.rejected().values() for line in part]
    assert sorted(lines) == list(range(2, 2_002))
    assert deployment.counts["vpc_flow"]["Rejected"] == 2_000


def test_log_events_that_are_rejects_alone_are_saved_in_as_many_attempts_as_it_takes(
    deployment, monkeypatch
):
    monkeypatch.setattr("servicelogs.delivery.rejects.FILE_RECORDS", 300)
    monkeypatch.setattr("servicelogs.delivery.rejects.MOST_FILES", 2)
    unknown = envelope(*["what is this"] * 100, logGroup="/odd")
    deployment.put("firehose/a", unknown * 20)
    deployment.notify("firehose/a")

    invocations = 0
    while deployment.waiting() != (0, 0):
        invocations += 1
        assert deployment.run() == []

    assert invocations > 1
    lines = [line["record_number"] for part in deployment.rejected().values() for line in part]
    assert sorted(lines) == list(range(1, 2_001))
    assert deployment.counts["unknown"]["Rejected"] == 2_000


# Of every type so much text that it takes several invocations.
TEXT_BYTES = 300_000


@pytest.mark.slow
@pytest.mark.parametrize("log_type", formats.NAMES)
def test_every_format_goes_on_where_it_stopped(deployment, log_type):
    records = TEXT_BYTES // (len(sample_logs.generate(log_type, 100)) // 100)
    text = sample_logs.generate(log_type, records)
    found, invocations = [], 0
    deployment.put("a.log", text)  # once: what says no time has its delivery's
    for clock in (None, 1):
        deployment.engine.documents.clear()
        deployment.notify("a.log")
        while deployment.waiting() != (0, 0):
            invocations += 1
            assert deployment.run(counting_down(deployment, clock) if clock else None) == []
        found.append(
            {
                key: document | {"event": None}
                for key, document in deployment.engine.documents.items()
            }
        )

    at_once, in_parts = found
    assert invocations > 2
    assert len(at_once) == records
    assert in_parts == at_once
    assert deployment.counts[log_type]["AlreadyThere"] == 0


@pytest.mark.slow
@pytest.mark.parametrize("sample", list(sample_logs.objects()), ids=lambda sample: sample.key[-30:])
def test_of_each_sample_object_the_counts_are_as_it_says(deployment, sample):
    deployment.s3.put_object(Bucket=LOGS, Key=sample.key, Body=sample.data)
    deployment.notify(sample.key)

    assert deployment.run() == []
    if deployment.routed:
        assert deployment.run_parquet() == []

    counts = deployment.counts.get(sample.format, Counter())
    assert (counts["Records"], counts["Rejected"], counts["Filtered"]) == (
        sample.records,
        sample.rejected,
        sample.filtered,
    )
    assert len(deployment.engine.documents) == counts["Indexed"]
    assert sum(map(len, deployment.rejected().values())) == sample.rejected
    assert bool(counts["Objects"]) != bool(deployment.skipped)


def test_an_invocation_that_dies_before_its_end_only_repeats_work(deployment, monkeypatch):
    deployment.put(flow_key("a"), flow_lines(1000, bad=(5,)))
    deployment.notify(flow_key("a"))
    (record,) = deployment.receive()
    with monkeypatch.context() as patch:
        patch.setattr("servicelogs.delivery.rejects.SourceRejects.save", _die)
        with pytest.raises(KeyboardInterrupt):
            deployment.invoke([record])

    assert deployment.invoke([record]) == []

    assert len(deployment.engine.documents) == 999
    assert deployment.counts["vpc_flow"]["AlreadyThere"] == 999
    ((reject,),) = deployment.rejected().values()
    assert reject["record_number"] == 6


def _die(*_arguments: Any) -> None:
    raise KeyboardInterrupt


def test_the_rest_of_an_object_that_was_replaced_is_left_to_its_own_notification(deployment):
    deployment.put(flow_key("a"), flow_lines(5))
    rest = {"bucket": LOGS, "key": flow_key("a"), "etag": "of other bytes", "from": 3}
    deployment.send(json.dumps(rest))

    assert deployment.run() == []

    assert deployment.engine.documents == {}
    assert deployment.skipped.total() == 1


def test_each_message_for_a_rest_says_how_many_there_were(deployment):
    deployment.put(flow_key("a"), flow_lines(15_000))
    deployment.notify(flow_key("a"))
    said = []
    while records := deployment.receive():
        said += [json.loads(record["body"]).get("continuations", 0) for record in records]
        deployment.invoke(records, counting_down(deployment, 2))

    assert len(said) > 2
    assert said == list(range(len(said)))


def test_an_object_that_goes_on_for_ever_ends_in_the_dead_letter_queue(deployment, caplog):
    deployment.put(flow_key("a"), flow_lines(10))
    rest = {"bucket": LOGS, "key": flow_key("a"), "from": 3, "continuations": 201}
    deployment.send(json.dumps(rest))

    with pytest.raises(EveryItemFailed, match="left for later 201 times"):
        deployment.run()

    # It can be received again at once: on its way to the dead-letter queue it waits for nothing.
    assert deployment.waiting() == (1, 0)
    assert deployment.engine.documents == {}


def test_an_attempt_that_came_no_further_is_not_continued(deployment, monkeypatch):
    deployment.put(flow_key("a"), flow_lines(10))
    deployment.notify(flow_key("a"))
    monkeypatch.setattr(
        "servicelogs.opensearch.index_objects.blocks_of",
        lambda *_arguments: iter([Block(1, 1, b"", 0, lambda _: b"")] * 100),
    )

    with pytest.raises(EveryItemFailed, match="too short to come to record 1 of"):
        deployment.run(counting_down(deployment, 3))

    assert deployment.waiting() == (0, 1)


WITHOUT_TIME = b"""interface-id srcaddr dstaddr bytes
eni-0a1b2c3d4e5f60718 192.0.2.1 198.51.100.20 5120
eni-0a1b2c3d4e5f60718 192.0.2.2 198.51.100.20 40
"""


def deliver_later(deployment: Deployment, monkeypatch: pytest.MonkeyPatch, days: int) -> None:
    """Deliver an object again, so many days later."""
    with monkeypatch.context() as patch:

        def open_later(*arguments: Any) -> Any:
            opened = open_object(*arguments)
            later = opened.source.delivered + timedelta(days=days)
            opened.source = replace(opened.source, delivered=later)
            return opened

        patch.setattr("servicelogs.opensearch.index_objects.open_object", open_later)
        deployment.notify(flow_key("a"))
        assert deployment.run() == []


def test_records_that_say_no_time_stay_where_their_first_delivery_put_them(deployment, monkeypatch):
    deployment.put(flow_key("a"), WITHOUT_TIME)
    for days in (0, 3, 40):
        deliver_later(deployment, monkeypatch, days)

    assert len(deployment.engine.documents) == 2
    assert deployment.counts["vpc_flow"]["AlreadyThere"] == 4


def test_records_that_say_their_time_are_not_looked_for(deployment, monkeypatch):
    monkeypatch.setattr("tests.opensearch.fake_engine.FakeWriter._earlier", lambda *_: pytest.fail)
    blocks: list[Block] = []
    monkeypatch.setattr(
        "tests.opensearch.fake_engine.FakeWriter.add", lambda _, block, __: blocks.append(block)
    )
    deployment.put(flow_key("a"), flow_lines(10))
    deliver_later(deployment, monkeypatch, 0)

    assert [block.delivery_index for block in blocks] == [""] * len(blocks)
    assert blocks


def test_records_whose_time_cannot_be_true_stay_where_their_first_delivery_put_them(
    deployment, monkeypatch
):
    later = str(int(NOW.timestamp()) + 300 * 86_400).encode()
    line = b"2 111122223333 eni-0a1b2c3d 192.0.2.1 198.51.100.20 1 443 6 12 5120 %b %b ACCEPT OK\n"
    deployment.put(flow_key("a"), flow_lines(1) + line % (later, later))
    for days in (0, 3):
        deliver_later(deployment, monkeypatch, days)

    assert len(deployment.engine.documents) == 2
    assert sum("date_adjusted" in d["log"] for d in deployment.engine.documents.values()) == 1


def test_the_same_key_with_other_bytes_is_another_object(deployment):
    for records in (5, 6):
        deployment.put(flow_key("a"), flow_lines(records))
        deployment.notify(flow_key("a"))
        deployment.run()

    assert len(deployment.engine.documents) == 11


def test_a_message_of_several_objects_fails_whole_and_counts_once(deployment, monkeypatch):
    for name in "ab":
        deployment.put(flow_key(name), flow_lines(10))
    deployment.put(flow_key("c"), flow_lines(10))
    deployment.notify(flow_key("a"), flow_key("b"))
    deployment.notify(flow_key("c"))
    records = deployment.receive()
    with monkeypatch.context() as patch:
        forbid(patch, deployment.s3, flow_key("b"))
        (failed,) = deployment.invoke(records)
    again = [record for record in records if record["messageId"] == failed]

    assert deployment.invoke(again) == []

    assert len(deployment.engine.documents) == 30
    assert deployment.counts["vpc_flow"]["Objects"] == 3
    assert deployment.counts["vpc_flow"]["Records"] == 30


def test_a_key_that_may_be_encoded_is_not_skipped_before_it_is_known(deployment):
    deployment.logs = LogSettings(
        log_types=("vpc_flow",), log_type_prefixes={"of=flow/": "vpc_flow"}
    )
    key = f"of=flow/{KEYS['alb']}"
    deployment.put(key, flow_lines(10))
    detail = {"bucket": {"name": LOGS}, "object": {"key": quote(key)}}
    deployment.send(
        json.dumps({"source": "aws.s3", "detail-type": "Object Created", "detail": detail})
    )

    assert deployment.run() == []

    assert len(records_of(deployment, key)) == 10


def test_an_object_of_envelopes_is_read_event_by_event_and_its_types_are_counted_apart(deployment):
    key = "firehose/2026/11/20/08/logs-4-2026-11-20-08-14-55-1b4e28ba"
    flows = [line.decode() for line in flow_lines(3).splitlines()[1:]]
    texts = (envelope(*flows), CONTROL, envelope("what is this", first=9), envelope("cut")[:-9])
    for _ in range(2):
        deployment.put(key, b"".join(map(compressed, texts)))
        deployment.notify(key)
        assert deployment.run() == []

    assert records_of(deployment, key) == [1, 2, 3]
    assert deployment.counts["vpc_flow"]["Indexed"] == 3
    assert deployment.counts["vpc_flow"]["AlreadyThere"] == 3
    ((of_unknown, (unknown, truncated)),) = deployment.rejected().items()
    assert of_unknown.startswith("rejected/unknown/")
    assert (unknown["raw"], unknown["log_group"], unknown["record_number"]) == (
        "what is this",
        GROUP,
        4,
    )
    assert unknown["time"] == "2026-11-20T08:14:55.132Z"
    assert truncated["record_number"] == 5
    assert truncated["raw"] == texts[-1].decode()


def test_an_object_with_control_messages_alone_is_read_and_has_no_record(deployment):
    deployment.put("firehose/probe", CONTROL * 2)
    deployment.notify("firehose/probe")

    assert deployment.run() == []

    assert deployment.rejected() == {}
    assert {counts["Objects"] for counts in deployment.counts.values()} == {1}
    assert {counts["Records"] for counts in deployment.counts.values()} == {0}


def test_events_that_there_is_no_time_for_are_read_by_the_next_attempt(deployment):
    flows = [line.decode() for line in flow_lines(3).splitlines()[1:]]
    deployment.put("firehose/a", b"".join(envelope(one, first=n) for n, one in enumerate(flows)))
    deployment.notify("firehose/a")
    runs = 0
    while deployment.waiting() != (0, 0):
        deployment.run(counting_down(deployment, 1))
        runs += 1

    assert runs > 1
    assert records_of(deployment, "firehose/a") == [1, 2, 3]


def test_an_object_with_what_the_aws_cli_prints_holds_log_events(deployment):
    flows = [line.decode() for line in flow_lines(3, bad=(2,)).splitlines()[1:]]
    events = [
        {
            "logStreamName": "eni",
            "timestamp": 1795162495123,
            "message": one,
            "eventId": f"e{number}",
        }
        for number, one in enumerate(flows)
    ]
    deployment.put("copies/events.json", json.dumps({"events": events}, indent=4).encode())
    for _ in range(2):
        deployment.notify("copies/events.json")
        assert deployment.run() == []

    assert records_of(deployment, "copies/events.json") == [1, 3]
    assert deployment.counts["vpc_flow"]["AlreadyThere"] == 2
    (line,) = (line for lines in deployment.rejected().values() for line in lines)
    assert line["_id"].endswith("-e1")


def test_a_batch_that_lambda_gave_up_becomes_what_the_stream_would_have_given(deployment):
    flows = [line.decode() for line in flow_lines(3, bad=(2,)).splitlines()[1:]]
    event = stream_event(compressed(envelope(*flows)), b"no log", compressed(CONTROL))
    key = "aws/lambda/0f1e2d3c/shardId-000000000003/2026/11/20/2026-11-20T08.16.06-1b4e28ba"
    for body in (failed_batch(event), json.dumps(event).encode()):
        deployment.s3.put_object(Bucket=LOGS, Key=key, Body=body)
        deployment.notify(key)
        assert deployment.run() == []

    documents = list(deployment.engine.documents.values())
    assert len(documents) == 2
    assert {one["log"]["source"] for one in documents} == {f"kinesis://shop-logs/{SHARD}"}
    assert deployment.counts["vpc_flow"]["AlreadyThere"] == 2
    lines = {line["raw"]: line for value in deployment.rejected().values() for line in value}
    assert {*lines} == {"this line does not fit", "no log"}
    assert lines["no log"]["sequence_number"] == event["Records"][1]["kinesis"]["sequenceNumber"]


def test_a_batch_without_its_records_is_one_reject(deployment):
    deployment.s3.put_object(Bucket=LOGS, Key="aws/lambda/x", Body=failed_batch({}))
    deployment.notify("aws/lambda/x")

    assert deployment.run() == []

    ((line,),) = deployment.rejected().values()
    assert line["error_type"] == "unreadable"
    assert "no payload" in line["reason"]
