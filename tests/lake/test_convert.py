"""A batch becomes files of rows and of rejects: every record is in one of them, or is counted."""

from collections import Counter
from collections.abc import Iterator
from datetime import timedelta
from itertools import count
from typing import Any

import pyarrow
import pyarrow.parquet
import pytest
from botocore.exceptions import ClientError

from local import sample_logs
from servicelogs.errors import ObjectNotConverted
from servicelogs.lake import buffers, convert, names, staged
from servicelogs.lake.conversion import Conversion, Counts
from servicelogs.lake.ledger import State
from tests.lake.staged_batches import (
    DEFAULT_ACCOUNT,
    DEFAULT_REGION,
    DELIVERED,
    ENVIRONMENT,
    LOGS,
    STAGING,
    Context,
    StagedBatches,
)
from tests.sources.envelopes import envelope, event
from tests.sources.stream_events import compressed, failed_batch, stream_event

pytestmark = pytest.mark.slow

HEADER = (
    "version account-id interface-id srcaddr dstaddr srcport dstport protocol packets bytes "
    "start end action log-status"
)
START = 1795162490
"""2026-11-20T08:14:50Z."""
DAY = 86_400


@pytest.fixture
def lake(aws: None, monkeypatch: pytest.MonkeyPatch) -> StagedBatches:
    for name, value in ENVIRONMENT.items():
        monkeypatch.setenv(name, value)
    return StagedBatches.make()


def flow_key(name: str, account: str = "111122223333", region: str = "eu-west-1") -> str:
    return (
        f"AWSLogs/{account}/vpcflowlogs/{region}/2026/11/20/{account}_vpcflowlogs_"
        f"{region}_fl-0a1b2c3d4e5f60718_20261120T0815Z_{name.encode().hex()}.log.gz"
    )


def flow_line(number: int, start: int = START) -> str:
    return (
        f"2 111122223333 eni-0a1b2c3d4e5f60718 192.0.2.{number % 250} 198.51.100.20 "
        f"{1024 + number % 60000} 443 6 12 5120 {start} {start + 59} ACCEPT OK"
    )


def flow_text(*lines: str) -> bytes:
    return "\n".join([HEADER, *lines, ""]).encode()


def flows(records: int, start: int = START) -> bytes:
    return flow_text(*(flow_line(number, start) for number in range(1, records + 1)))


def counting_down(seconds: float, step: float = 1.0) -> Any:
    left = count(seconds, -step)
    return lambda: next(left)


# What becomes of records


def test_every_record_of_every_sample_object_is_a_row_or_a_reject_or_is_counted(lake) -> None:
    samples = {f"s3://{LOGS}/{one.key}": one for one in sample_logs.objects()}
    for sample in samples.values():
        lake.stage(sample.key, sample.data, DELIVERED + timedelta(hours=1))
    batch = lake.convert()

    outputs = lake.outputs(batch)
    found = {one.source: one for one in outputs.objects}
    assert found.keys() == samples.keys()
    for source, sample in samples.items():
        one = found[source]
        if one.skipped:
            assert (one.records, sample.records) == (0, 0)
            continue
        assert (one.type, one.records, one.rejected) == (
            sample.format,
            sample.records,
            sample.rejected,
        )
        assert one.rows + one.rejected + one.expired == one.records
    lines = lake.rejects(batch)
    assert sum(map(len, lines.values())) == sum(sample.rejected for sample in samples.values())
    for table in {file.table for file in outputs.files}:
        read = lake.table(batch, table)
        assert len(read) == sum(file.rows for file in outputs.files if file.table == table)
        if "log_source" in read.column_names:
            sources = Counter(read.column("log_source").to_pylist())
            assert sources == {
                one.source: one.rows for one in outputs.objects if one.type == table and one.rows
            }
            pairs = set(
                zip(read["log_source"].to_pylist(), read["log_record"].to_pylist(), strict=True)
            )
            assert len(pairs) == len(read)


def test_a_file_says_what_it_holds(lake) -> None:
    lake.stage_text(flow_key("a"), flow_text(flow_line(1, START + 60), flow_line(2, START)))
    batch = lake.convert()
    file = next(one for one in lake.outputs(batch).files if one.table == "vpc_flow")
    assert file.key == (
        f"out/{batch}/attempt-1/vpc_flow/111122223333/eu-west-1/2026-11-20/0.parquet"
    )
    assert (file.account_id, file.region, file.event_day, file.rows) == (
        "111122223333",
        "eu-west-1",
        "2026-11-20",
        2,
    )
    assert file.bytes == len(lake.read(file.key))
    assert (file.first, file.last) == (
        "2026-11-20T08:14:50.000000Z",
        "2026-11-20T08:15:50.000000Z",
    )


def test_rows_of_several_days_and_accounts_are_in_their_partitions(lake) -> None:
    for account in ("111122223333", "444455556666"):
        lines = [flow_line(number, START - DAY * (number % 3)) for number in range(30)]
        lake.stage_text(flow_key("a", account), flow_text(*lines))
    batch = lake.convert()
    found = {
        (one.account_id, one.event_day): one.rows
        for one in lake.outputs(batch).files
        if one.table == "vpc_flow"
    }
    assert found == {
        (account, day): 10
        for account in ("111122223333", "444455556666")
        for day in ("2026-11-18", "2026-11-19", "2026-11-20")
    }


def test_the_summary_of_a_batch_counts_its_rows(lake) -> None:
    for name in "abc":
        lake.stage_text(flow_key(name), flows(100))
    batch = lake.convert()
    (row,) = lake.table(batch, "vpc_flow_summary").to_pylist()
    assert (row["records"], row["bytes_sum"], row["bytes_count"]) == (300, 300 * 5120, 300)
    assert lake.function.lake.ledger.batch(batch).tables == {"vpc_flow"}


def test_a_bad_line_is_in_a_file_that_is_to_be_where_the_next_attempt_would_put_it(lake) -> None:
    text = flow_text(flow_line(1), "this line does not fit", flow_line(3))
    one = lake.stage_text(flow_key("a"), text)
    batch = lake.convert()

    (counts,) = lake.outputs(batch).objects
    assert (counts.records, counts.rows, counts.rejected) == (3, 2, 1)
    ((key, (line,)),) = lake.rejects(batch).items()
    assert key == f"rejected/light-engine/vpc_flow/2026/11/20/{one.id}/1.ndjson.gz"
    assert (line["record_number"], line["raw"]) == (3, "this line does not fit")
    assert line["source"] == f"s3://{LOGS}/{flow_key('a')}"
    assert line["account_id"] == "111122223333"


def test_an_object_of_unknown_type_is_one_reject(lake) -> None:
    lake.stage("some/where.log", b"hello\nworld\n")
    batch = lake.convert()
    (counts,) = lake.outputs(batch).objects
    assert (counts.type, counts.records, counts.rejected) == ("unknown", 1, 1)
    ((key, (line,)),) = lake.rejects(batch).items()
    assert key.startswith("rejected/light-engine/unknown/2026/11/20/")
    assert "matches no known layout" in line["reason"]
    assert lake.function.lake.ledger.batch(batch).state is State.PREPARED


@pytest.mark.parametrize(
    ("key", "data"),
    [
        (flow_key("a"), b""),
        ("AWSLogs/111122223333/ELBAccessLogTestFile", b"Enable AccessLog for ELB: x at y"),
        ("odd/name", b'{"log_type":"alb","error_type":"does_not_match","reason":"x"}\n'),
    ],
    ids=["empty", "test file", "rejects file"],
)
def test_an_object_that_is_no_log_is_skipped_and_counted(lake, key: str, data: bytes) -> None:
    lake.stage(key, data)
    batch = lake.convert()
    (counts,) = lake.outputs(batch).objects
    assert (counts.records, counts.skipped) == (0, 1)
    assert not lake.outputs(batch).files
    assert not lake.outputs(batch).rejects


def test_a_type_that_the_lake_does_not_take_is_skipped(lake, monkeypatch) -> None:
    monkeypatch.setenv("LAKE_LOG_TYPES", "alb,waf")
    lake.function = type(lake.function)()
    lake.stage_text(flow_key("a"), flows(3))
    (counts,) = lake.outputs(lake.convert()).objects
    assert (counts.records, counts.skipped) == (0, 1)


def test_what_is_good_of_a_truncated_object_becomes_rows_and_the_rest_one_reject(lake) -> None:
    whole = lake.stage_text(flow_key("a"), flows(6_000))
    data = lake.read(whole.key)
    lake.staged = []
    lake.stage(flow_key("b"), data[: len(data) // 2])
    batch = lake.convert()
    (counts,) = lake.outputs(batch).objects
    assert counts.rows > 1000
    assert counts.rejected == 1
    ((line,),) = lake.rejects(batch).values()
    assert line["error_type"] == "unreadable"


def test_a_parquet_file_becomes_the_rows_of_its_rows_and_a_hostile_one_a_reject(lake) -> None:
    from local.sample_logs.parquet import parquet

    good = parquet(flows(100).decode())
    lake.stage(flow_key("a").replace(".log.gz", ".log.parquet"), good)
    hostile = good[:-12] + b"\xff" * 4 + good[-8:]
    lake.stage(flow_key("b").replace(".log.gz", ".log.parquet"), hostile)
    batch = lake.convert()
    counts = {one.source[-30:]: one for one in lake.outputs(batch).objects}
    assert sorted((one.records, one.rows, one.rejected) for one in counts.values()) == [
        (1, 0, 1),
        (100, 100, 0),
    ]


def test_log_events_are_rows_of_the_tables_of_their_groups(lake) -> None:
    text = envelope(
        "START RequestId: 7a1f Version: 1", logGroup="/aws/lambda/shop", logStream="2026/11/20/x"
    ) + envelope(
        "2026-11-20 08:14:55 UTC:192.0.2.5(40112):app@shop:[123]:LOG:  statement: select",
        logGroup="/aws/rds/instance/shop/postgresql",
        logStream="shop.0",
    )
    lake.stage_text("firehose/2026/11/20/09/shop-logs-1-2026-11-20-09-00-00-x.gz", text)
    batch = lake.convert()
    outputs = lake.outputs(batch)
    assert {(one.type, one.rows) for one in outputs.objects} == {("lambda", 1), ("rds", 1)}
    assert lake.function.lake.ledger.batch(batch).tables == {"lambda", "rds"}
    assert {file.region for file in outputs.files} == {DEFAULT_REGION}
    assert {file.account_id for file in outputs.files} == {"111122223333"}


@pytest.mark.parametrize(("kept", "expected"), [("true", '{"$.a": "1"}'), ("false", None)])
def test_what_a_filter_found_is_kept_where_the_deployment_says_so(
    lake, monkeypatch, kept: str, expected: str | None
) -> None:
    monkeypatch.setenv("EXTRACTED_FIELDS", kept)
    lake.function = type(lake.function)()
    line = event(1, flow_line(1), extractedFields={"$.a": "1"})
    lake.stage_text("firehose/flows.gz", envelope(line, logGroup="/aws/vpc/flow"))
    table = lake.table(lake.convert(), "vpc_flow")
    assert table["log_extracted_fields"].to_pylist() == [expected]


def test_records_without_any_place_are_in_the_deployments(lake) -> None:
    line = flow_line(1).replace("111122223333", "-")
    lake.stage_text("copied/flows.log.gz", flow_text(line))
    (file,) = (one for one in lake.outputs(lake.convert()).files if one.table == "vpc_flow")
    assert (file.account_id, file.region) == (DEFAULT_ACCOUNT, DEFAULT_REGION)


def test_records_of_a_streams_batch_that_was_given_up_are_numbered_by_their_object(lake) -> None:
    """A shard has many batches: two records of it must not look as if they were one."""
    events = stream_event(compressed(envelope(flow_line(1), logGroup="/aws/vpc/flow")))
    for name in "ab":
        lake.stage(f"failed/{name}.json", failed_batch(events))
    batch = lake.convert()
    sources = lake.table(batch, "vpc_flow").column("log_source").to_pylist()
    assert sorted(sources) == [f"s3://{LOGS}/failed/{name}.json" for name in "ab"]


def test_records_past_the_tables_retention_are_counted_as_expired(lake, monkeypatch) -> None:
    monkeypatch.setenv("LAKE_DELETE_AFTER_DAYS", "36500, vpc_flow=1")
    lake.function = type(lake.function)()
    lake.stage_text(flow_key("a"), flows(7, start=1_600_000_000))
    (counts,) = lake.outputs(lake.convert()).objects
    assert (counts.records, counts.expired, counts.rows) == (7, 7, 0)


# Memory and order


def test_memory_is_bounded_by_writing_what_is_largest(lake, monkeypatch) -> None:
    most = 0
    add = buffers.Buffers.add

    def noted(self: Any, partition: Any, batch: Any) -> None:
        nonlocal most
        add(self, partition, batch)
        most = max(most, sum(one.nbytes for b in self._of.values() for one in b.batches))

    monkeypatch.setattr(buffers.Buffers, "add", noted)
    for account in range(3):
        lake.stage_text(flow_key("a", f"{account:012}"), flows(25_000))
    batch = lake.convert(memory_limit_in_mb=8)
    files = [one for one in lake.outputs(batch).files if one.table == "vpc_flow"]
    assert most < 8 * 1024 * 1024 // 8
    assert len(files) > 3, "what was too much was written before the end"
    assert sum(file.rows for file in files) == 75_000
    assert len({file.key for file in files}) == len(files)


def test_where_there_is_much_each_account_is_written_before_the_next_is_read(
    lake, monkeypatch
) -> None:
    """Else its rows would be in many small files, one each time that memory was full."""
    monkeypatch.setattr(convert, "ORDERED_BYTES", 1)
    steps: list[tuple[str, set[str]]] = []
    take = Conversion.take

    def noted(self: Any, detected: Any, chunks: Any, source: Any, *others: Any) -> None:
        steps.append((source.account_id, {one.partition.account_id for one in self.written}))
        take(self, detected, chunks, source, *others)

    monkeypatch.setattr(Conversion, "take", noted)
    accounts = [f"{number:012}" for number in (5, 3, 4)]
    for name in "ab":
        for account in accounts:
            lake.stage_text(flow_key(name, account), flows(10))
    files = [one for one in lake.outputs(lake.convert()).files if one.table == "vpc_flow"]
    assert [file.account_id for file in files] == sorted(accounts)
    assert [account for account, _ in steps] == sorted(accounts * 2)
    for account, written in steps:
        assert written == {other for other in accounts if other < account}


def test_many_tiny_objects_are_turned_into_rows_together(lake, monkeypatch) -> None:
    turned: list[int] = []
    part = buffers.by_partition

    def noted(table: str, schema: Any, batch: Any) -> Iterator[Any]:
        turned.append(batch.num_rows)
        return part(table, schema, batch)

    monkeypatch.setattr("servicelogs.lake.conversion.by_partition", noted)
    for number in range(30):
        lake.stage_text(flow_key(str(number)), flows(20))
    lake.convert()
    assert turned == [600]


def test_objects_are_asked_for_ahead_of_their_need_but_few(lake, monkeypatch) -> None:
    ahead: list[int] = []
    opened: list[str] = []
    get = staged.Staging._open
    take = convert.BatchConverter._convert

    def noted(self: Any, one: Any) -> Any:
        opened.append(one.key)
        return get(self, one)

    def taken(self: Any, one: Any, log: Any) -> None:
        take(self, one, log)
        ahead.append(len(opened) - len(self._objects))

    monkeypatch.setattr(staged.Staging, "_open", noted)
    monkeypatch.setattr(convert.BatchConverter, "_convert", taken)
    for number in range(40):
        lake.stage_text(flow_key(str(number)), flows(1))
    lake.convert()
    assert len(opened) == 40
    assert 1 <= max(ahead) <= staged.AHEAD


def test_an_object_that_is_not_small_is_read_as_it_comes(lake, monkeypatch) -> None:
    monkeypatch.setattr(staged, "FETCHED_BYTES", 100)
    lake.stage_text(flow_key("a"), flows(2500))
    (counts,) = lake.outputs(lake.convert()).objects
    assert counts.rows == 2500


# What goes wrong


def fails(lake: StagedBatches, batch: str, match: str, **context: Any) -> None:
    """A conversion that fails says so, and leaves nothing that would count."""
    with pytest.raises(ObjectNotConverted, match=match):
        lake.function.convert({"batch": batch, "execution": "run"}, Context(**context))
    assert not lake.has_outputs(batch)
    assert lake.function.lake.ledger.batch(batch).state is State.OPEN


def test_an_object_that_is_gone_from_staging_is_named(lake) -> None:
    lake.stage_text(flow_key("a"), flows(3))
    gone = lake.stage_text(flow_key("b"), flows(3))
    batch = lake.open()
    lake.s3.delete_object(Bucket=STAGING, Key=gone.key)
    fails(lake, batch, f"{gone.key} is not there any more")


def test_a_copy_that_does_not_say_where_it_comes_from_is_named(lake) -> None:
    one = lake.stage_text(flow_key("a"), flows(3))
    lake.s3.put_object(Bucket=STAGING, Key=one.key, Body=b"x")
    fails(lake, lake.open(), f"{one.key} does not say where it comes from")


def test_where_the_objects_place_is_asked_for_a_missing_one_is_named_too(lake, monkeypatch) -> None:
    monkeypatch.setattr(convert, "ORDERED_BYTES", 1)
    one = lake.stage_text(flow_key("a"), flows(3))
    batch = lake.open()
    lake.s3.delete_object(Bucket=STAGING, Key=one.key)
    fails(lake, batch, f"{one.key} is not there any more")


def test_when_the_time_is_over_the_object_is_named_that_was_read(lake) -> None:
    for name in "abc":
        lake.stage_text(flow_key(name), flows(300))
    batch = lake.open()
    fails(lake, batch, "object [123] of 3", seconds_left=counting_down(100, 10))


def test_time_is_looked_at_within_an_object(lake) -> None:
    lake.stage_text(flow_key("a"), flows(20_000))
    batch = lake.open()
    with pytest.raises(ObjectNotConverted, match="deliver it in parts"):
        lake.function.convert(
            {"batch": batch, "execution": "run"}, Context(seconds_left=counting_down(90, 9))
        )
    assert not lake.has_outputs(batch)


def test_time_is_looked_at_within_the_rows_of_a_parquet_file(lake, monkeypatch) -> None:
    """All of it was read before its first row."""
    from local.sample_logs.parquet import parquet

    left = [900.0]
    add = Counts.add

    def noted(self: Counts, block: Any) -> None:
        add(self, block)
        left[0] = 1.0

    monkeypatch.setattr(Counts, "add", noted)
    data = parquet(flows(100).decode())
    lake.stage(flow_key("a").replace(".log.gz", ".log.parquet"), data)
    fails(lake, lake.open(), "deliver it in parts", seconds_left=lambda: left[0])


@pytest.mark.parametrize("operation", ["PutObject", "HeadObject"])
def test_a_conversion_that_dies_on_the_way_leaves_nothing_that_counts(
    lake, monkeypatch, operation: str
) -> None:
    from botocore.client import BaseClient

    call = BaseClient._make_api_call

    def refuse(self: Any, name: str, request: dict[str, Any]) -> Any:
        if name == operation and "out/" in request["Key"]:
            raise ClientError({"Error": {"Code": "SlowDown", "Message": "slow"}}, name)
        return call(self, name, request)

    lake.stage_text(flow_key("a"), flow_text(flow_line(1), "bad"))
    batch = lake.open()
    with monkeypatch.context() as patch:
        patch.setattr(BaseClient, "_make_api_call", refuse)
        with pytest.raises(ClientError):
            lake.function.convert({"batch": batch, "execution": "run"}, Context())
    assert not lake.has_outputs(batch)

    lake.convert(batch, aws_request_id="attempt-2")
    assert lake.function.lake.ledger.batch(batch).attempt == "attempt-2"
    assert lake.outputs(batch, "attempt-2").files


def test_a_batch_that_is_prepared_is_not_converted_again(lake) -> None:
    lake.stage_text(flow_key("a"), flows(3))
    batch = lake.convert()
    lake.convert(batch, aws_request_id="attempt-2")
    assert not lake.keys(names.attempt_folder(batch, "attempt-2"))
    assert lake.function.lake.ledger.batch(batch).attempt == "attempt-1"


def test_of_two_attempts_at_once_one_counts(lake, monkeypatch) -> None:
    """One that outlives its execution may come to its end after the next."""
    lake.stage_text(flow_key("a"), flows(3))
    batch = lake.open()
    write = convert.BatchConverter.convert

    def overtaken(self: Any) -> Any:
        monkeypatch.setattr(convert.BatchConverter, "convert", write)
        lake.convert(batch, aws_request_id="quicker")
        return write(self)

    monkeypatch.setattr(convert.BatchConverter, "convert", overtaken)
    lake.convert(batch, aws_request_id="slower")
    assert lake.function.lake.ledger.batch(batch).attempt == "quicker"


def test_a_batch_that_is_being_split_is_not_prepared(lake, monkeypatch) -> None:
    lake.stage_text(flow_key("a"), flows(3))
    batch = lake.open()
    write = convert.BatchConverter.convert

    def split(self: Any) -> Any:
        lake.function.lake.ledger.splitting(batch)
        return write(self)

    monkeypatch.setattr(convert.BatchConverter, "convert", split)
    state = lake.function.convert({"batch": batch, "execution": "run"}, Context())
    assert state == {"state": State.SPLITTING}


def test_two_attempts_write_the_same_rows_under_the_same_names(lake) -> None:
    samples = [one for one in sample_logs.objects() if one.format in ("alb", "waf")]
    for sample in samples:
        lake.stage(sample.key, sample.data)
    staged_objects = lake.staged
    found: list[dict[str, Any]] = []
    for _ in range(2):
        batch = lake.convert(lake.open(staged_objects))
        folder = names.attempt_folder(batch, "attempt-1")
        found.append(
            {
                key.removeprefix(folder): content(lake.read(key))
                for key in lake.keys(folder)
                if not key.endswith("outputs.json")
            }
        )
    assert found[0] == found[1]
    assert len(found[0]) > 2


def content(file: bytes) -> Any:
    """Give a file's bytes; of Parquet its rows, for which is first of one moment's is not said."""
    if not file.startswith(b"PAR1"):
        return file
    rows = pyarrow.parquet.read_table(pyarrow.BufferReader(file)).to_pylist()
    return Counter(map(repr, rows))
