"""Parquet files go to the function that can read them, and none is lost or counted twice."""

import gc
import json
import tempfile
from tempfile import TemporaryFile
from typing import Any

import pytest
from botocore.exceptions import ClientError

from local.sample_logs import generate
from local.sample_logs.parquet import parquet
from servicelogs.delivery.counts import SourceCounts
from servicelogs.errors import EveryItemFailed, TryLater
from servicelogs.records import Block
from servicelogs.settings import LogSettings
from tests.deployment import LOGS, Deployment, flow_key, flow_lines
from tests.opensearch.fake_engine import FakeWriter
from tests.opensearch.test_index_objects import counting_down, forbid, records_of

RECORDS = 3000
FILE = parquet(generate("vpc_flow", RECORDS).decode(), row_group_size=1000)
KEY = flow_key("a").replace(".log.gz", ".log.parquet")


def put(deployment: Deployment, key: str, data: bytes = FILE) -> None:
    deployment.s3.put_object(Bucket=LOGS, Key=key, Body=data)
    deployment.notify(key)


def forwarded(deployment: Deployment) -> list[dict[str, Any]]:
    records = deployment.receive(deployment.parquet_queue_url)
    return [json.loads(record["body"]) for record in records]


def test_a_parquet_file_is_indexed_and_counted_once_by_the_function_that_reads_it(deployment):
    put(deployment, KEY)

    assert deployment.run() == []
    assert (deployment.counts, deployment.routed) == ({}, 1)
    assert deployment.run_parquet() == []

    assert records_of(deployment, KEY) == list(range(1, RECORDS + 1))
    assert deployment.counts["vpc_flow"]["Objects"] == 1
    assert deployment.counts["vpc_flow"]["Records"] == RECORDS
    (cloud,) = {json.dumps(d["cloud"]) for d in deployment.engine.documents.values()}
    assert json.loads(cloud) == {"account_id": "111122223333", "region": "eu-west-1"}
    assert deployment.waiting() == deployment.waiting(deployment.parquet_queue_url) == (0, 0)


def test_a_key_that_ends_so_is_handed_on_without_being_read(deployment, monkeypatch):
    put(deployment, KEY)
    forbid(monkeypatch, deployment.s3, KEY)

    assert deployment.run() == []

    (message,) = forwarded(deployment)
    assert (message["bucket"], message["key"], message["from"]) == (LOGS, KEY, 1)


def test_any_other_is_known_by_its_first_bytes(deployment):
    put(deployment, "copies/flow")

    assert deployment.run() == []
    assert deployment.run_parquet() == []

    assert len(records_of(deployment, "copies/flow")) == RECORDS


def test_a_file_that_is_delivered_twice_changes_nothing(deployment):
    for _ in range(2):
        put(deployment, KEY)
        deployment.run()
        deployment.run_parquet()

    assert len(deployment.engine.documents) == RECORDS
    assert deployment.counts["vpc_flow"]["AlreadyThere"] == RECORDS


def test_one_of_a_type_that_is_not_indexed_is_not_handed_on(deployment):
    deployment.logs = LogSettings(log_types=("alb",), log_type_prefixes={"AWSLogs/": "vpc_flow"})
    put(deployment, KEY)

    deployment.run()

    assert deployment.skipped == {"vpc_flow is not among LogTypes": 1}
    assert forwarded(deployment) == []


def test_where_only_its_rows_tell_the_type_it_is_skipped_after_it_was_handed_on(deployment):
    deployment.logs = LogSettings(log_types=("alb",))
    put(deployment, "copies/some.parquet")

    deployment.run()
    deployment.run_parquet()

    assert deployment.skipped == {"vpc_flow is not among LogTypes": 1}
    assert (deployment.engine.documents, deployment.rejected()) == ({}, {})


def test_a_prefix_tells_the_type_of_a_parquet_file_too(deployment):
    deployment.logs = LogSettings(log_type_prefixes={"copies/": "vpc_flow"})
    put(deployment, "copies/some.parquet")

    deployment.run()
    deployment.run_parquet()

    assert len(records_of(deployment, "copies/some.parquet")) == RECORDS


def test_a_message_succeeds_only_after_its_files_were_handed_on(deployment, monkeypatch):
    put(deployment, KEY)

    def refuse(**_arguments: Any) -> Any:
        raise ClientError({"Error": {"Code": "RequestThrottled", "Message": "no"}}, "SendMessage")

    monkeypatch.setattr(deployment.sqs, "send_message_batch", refuse)
    with pytest.raises(EveryItemFailed):
        deployment.run()

    assert deployment.routed == 0
    assert deployment.waiting() == (0, 1)


def test_text_and_parquet_of_one_message_each_go_their_way(deployment):
    deployment.put(flow_key("text"), flow_lines(10))
    deployment.s3.put_object(Bucket=LOGS, Key=KEY, Body=FILE)
    deployment.notify(flow_key("text"), KEY)

    assert deployment.run() == []
    assert len(deployment.engine.documents) == 10
    assert deployment.run_parquet() == []

    assert len(deployment.engine.documents) == 10 + RECORDS
    assert deployment.counts["vpc_flow"]["Objects"] == 2


def test_a_file_there_is_no_time_for_is_gone_on_with_row_by_row(deployment):
    put(deployment, KEY)
    deployment.run()

    invocations = 0
    while deployment.waiting(deployment.parquet_queue_url) != (0, 0):
        invocations += 1
        assert deployment.run_parquet(counting_down(deployment, 2)) == []

    assert invocations > 1
    assert records_of(deployment, KEY) == list(range(1, RECORDS + 1))
    assert deployment.counts["vpc_flow"]["Objects"] == 1
    assert deployment.counts["vpc_flow"]["AlreadyThere"] == 0


def test_a_broken_file_is_one_reject_in_the_backup_bucket(deployment):
    deployment.logs = LogSettings(log_type_prefixes={"AWSLogs/": "vpc_flow"})
    put(deployment, KEY, FILE[:1000])
    deployment.run()

    assert deployment.run_parquet() == []

    ((key, (reject,)),) = deployment.rejected().items()
    assert key.startswith("rejected/vpc_flow/")
    assert reject["error_type"] == "unreadable"
    assert "Parquet" in reject["reason"]
    assert deployment.counts["vpc_flow"]["Rejected"] == 1


def test_an_object_that_is_text_after_all_is_indexed_all_the_same(deployment):
    deployment.put(KEY, flow_lines(10))
    deployment.notify(KEY)

    deployment.run()
    deployment.run_parquet()

    assert len(records_of(deployment, KEY)) == 10


def test_without_a_function_for_it_a_parquet_file_is_one_reject_that_says_so(deployment):
    put(deployment, KEY)
    deployment.parquet_queue_url = ""

    assert deployment.run() == []

    ((reject,),) = deployment.rejected().values()
    assert "Parquet" in reject["reason"]


def test_the_copy_of_a_file_that_could_not_be_delivered_makes_room_at_once(deployment, monkeypatch):
    """Nobody waits for the garbage collector: the next file may need the room."""
    copies = []

    def copy() -> Any:
        copies.append(TemporaryFile())  # noqa: SIM115 - whoever asks for it closes it
        return copies[-1]

    monkeypatch.setattr(tempfile, "TemporaryFile", copy)
    monkeypatch.setattr(FakeWriter, "add", _left)
    put(deployment, KEY)
    deployment.run()

    gc.disable()
    try:
        with pytest.raises(EveryItemFailed):
            deployment.run_parquet()
        assert [copy.closed for copy in copies] == [True]
    finally:
        gc.enable()


def _left(_writer: FakeWriter, block: Block, counts: SourceCounts) -> None:
    counts.take(block)
    counts.leave(block.documents, TryLater("the engine is busy"), block.first)
