"""Deliver sample logs, wait until both engines account for every record, and search them."""

import sys
import tempfile
import time
from collections.abc import Container, Iterator
from contextlib import suppress
from dataclasses import dataclass
from itertools import batched, chain
from pathlib import Path
from typing import Any

from local import deploy, emulated_aws, lake_queries, sample_logs, searches
from local.lake import Lake, Run
from local.reconcile import (
    Expected,
    Found,
    Row,
    differences,
    lake_differences,
    settled,
    shortened,
    table,
    together,
)
from local.sample_logs import SampleEvents, SampleRecords
from local.stack import Stack
from local.witnesses import FIREHOSE, STREAM, Witnesses, arrival, came_in, identity

# The local stack indexes within seconds: so long without any progress is a stop, and a shorter time
# is enough when the function has said of every object that it is done.
PATIENCE_SECONDS = 60
PATIENCE_AFTER_THE_END_SECONDS = 10
REALTIME = "cloudfront_realtime"
COLUMNS = ("objects", "records", "indexed", "rejected", "filtered", "rows")
# More than CloudWatch Logs sends in one message, and as many as Kinesis takes.
EVENTS_A_REQUEST, RECORDS_A_REQUEST = 1000, 500


@dataclass(frozen=True)
class Sender:
    """An account that sends logs: where it has its bucket, which samples it sends."""

    account: str
    bucket: str
    named: str
    """The account that its logs name."""
    seed: int
    realtime: bool
    """Whether CloudFront sends its real-time logs: it may in the stream's own account alone."""


def senders(stack: Stack) -> Iterator[Sender]:
    """Name the accounts that send, and what is only theirs."""
    bucket = stack.outputs["LogBucketName"]
    yield Sender(emulated_aws.ACCOUNT, bucket, sample_logs.ACCOUNT, 1, True)
    if stack.member:
        member = emulated_aws.MEMBER
        yield Sender(member, stack.member["LogBucketName"], member, 2, False)


def run(stack: Stack) -> int:
    """Deliver, wait, show; return the exit code."""
    rows: list[Row] = []
    wrong: list[str] = []
    known, uris = 0, set()
    began = time.time()
    with tempfile.TemporaryDirectory() as folder:
        lake = Lake(stack, Path(folder))
        # One after the other: Firehose and the stream mix what comes from several.
        for sender in senders(stack):
            witnesses = Witnesses(stack, time.time(), sender.account)
            expected, written = _deliver(stack, sender)
            found, seconds = _wait(witnesses, expected, written)
            converted = _convert(lake)
            in_lake = witnesses.in_lake(lake)
            rows += table(sender.account, expected, found, seconds, in_lake)
            wrong += differences(expected, found) + lake_differences(expected, in_lake)
            if converted.status != "SUCCEEDED":
                wrong.append(f"{converted.arn} {converted.status}: {converted.reason}")
            known += sum(said.already_there for said in found.published.values())
            uris |= {one.uri for one in expected}
        print(_text(rows))
        witnesses = Witnesses(stack, began)
        wrong += [f"{count} messages in the {name}" for name, count in _left(witnesses).items()]
        wrong += lake_queries.findings(lake)
        if wrong:
            _complain(wrong, witnesses, stack)
            return 1
        if known:
            print(
                f"\n{known:,} of the documents were there already: a second delivery changes "
                "nothing."
            )
        for line in chain(
            searches.show(stack.opensearch_endpoint),
            lake_queries.show(lake),
            _rejected(witnesses, uris),
        ):
            print(line)
    print(_next(stack))
    return 0


def _deliver(stack: Stack, sender: Sender) -> tuple[list[Expected], dict[str, float]]:
    """Have the samples arrive in every way there is; say what is expected, and when it was sent."""
    expected, sent = [], {}
    streamed = _stream_records(stack) if sender.realtime else ()
    for arrived in chain(_objects(stack, sender), _log_events(stack, sender), streamed):
        sent[arrived.uri] = time.monotonic()
        expected.append(arrived)
        _progress(f"{sender.account}: delivered {len(expected)} objects and log types")
    return together(expected), sent


def _objects(stack: Stack, sender: Sender) -> Iterator[Expected]:
    """Write the sample objects to the log bucket, as AWS services do."""
    s3 = deploy.client("s3", stack.aws_endpoint, sender.account)
    for sample in sample_logs.objects(sender.seed, sender.named):
        if sample.format == REALTIME and not sender.realtime:
            continue
        uri = f"s3://{sender.bucket}/{sample.key}"
        s3.put_object(Bucket=sender.bucket, Key=sample.key, Body=sample.data)
        yield Expected(uri, sample.format, sample.records, sample.rejected, sample.filtered)


def _log_events(stack: Stack, sender: Sender) -> Iterator[Expected]:
    """Put the sample events into their log groups, from which the subscriptions take them."""
    logs = deploy.client("logs", stack.aws_endpoint, sender.account)
    for sample in sample_logs.log_events(sender.seed, sender.named):
        place = {"logGroupName": sample.group, "logStreamName": sample.stream}
        # A group that the account-level policy alone takes may be made after the deployment.
        with suppress(logs.exceptions.ResourceAlreadyExistsException):
            logs.create_log_group(logGroupName=sample.group)
        with suppress(logs.exceptions.ResourceAlreadyExistsException):
            logs.create_log_stream(**place)
        for some in batched(sample.events, EVENTS_A_REQUEST, strict=False):
            events = [{"timestamp": moment, "message": message} for moment, message in some]
            logs.put_log_events(**place, logEvents=events)
        yield _through(_way_from(logs, sample.group, stack), sample)


def _stream_records(stack: Stack) -> Iterator[Expected]:
    """Send what CloudFront would, with the fields of the configuration that was deployed."""
    kinesis = deploy.client("kinesis", stack.aws_endpoint)
    for sample in sample_logs.stream_records(
        deploy.realtime_fields(stack.aws_endpoint, stack.outputs)
    ):
        for some in batched(enumerate(sample.data), RECORDS_A_REQUEST, strict=False):
            records = [{"Data": data, "PartitionKey": str(number)} for number, data in some]
            kinesis.put_records(StreamName=stack.outputs["StreamName"], Records=records)
        yield _through(STREAM, sample)


def _way_from(logs: Any, group: str, stack: Stack) -> str:
    """Say where a log group's events go: to the stream by a filter of its own, or to Firehose."""
    filters = logs.describe_subscription_filters(logGroupName=group)["subscriptionFilters"]
    stream = stack.outputs["StreamArn"], stack.outputs.get("StreamDestinationArn")
    to_stream = any(one["destinationArn"] in stream for one in filters)
    return STREAM if to_stream else FIREHOSE


def _through(way: str, sample: SampleEvents | SampleRecords) -> Expected:
    return Expected(
        arrival(way, sample.format),
        f"{sample.format} ({way})",
        sample.records,
        sample.rejected,
        sample.filtered,
        in_bucket=way == FIREHOSE,
    )


def _wait(
    witnesses: Witnesses, expected: list[Expected], written: dict[str, float]
) -> tuple[Found, dict[str, float]]:
    """Wait until all is accounted for, or nothing moves; note when each object was searchable."""
    records = sum(one.records for one in expected)
    seconds: dict[str, float] = {}
    best, moved = -1, time.monotonic()
    while True:
        found, now = witnesses.found(), time.monotonic()
        for one in expected:
            if one.indexed and found.searchable.get(one.uri, 0) >= one.indexed:
                seconds.setdefault(one.uri, now - written[one.uri])
        done = settled(expected, found) + len(found.published)
        if done > best:
            best, moved = done, now
        accounted = settled(expected, found)
        _progress(f"{accounted:,} of {records:,} records of {len(expected)} objects accounted for")
        left = _left(witnesses)
        if not differences(expected, found) and not left:
            break
        ended = not left and all(one.uri in found.published for one in expected if one.records)
        if now - moved > (PATIENCE_AFTER_THE_END_SECONDS if ended else PATIENCE_SECONDS):
            break
        time.sleep(0.2)
    return found, seconds


def _convert(lake: Lake) -> Run:
    """Convert what has been staged now, instead of when the schedule would."""
    run = lake.start()
    return lake.wait(run, lambda: _progress(f"lake: {lake.state(run)}"))


def _left(witnesses: Witnesses) -> dict[str, int]:
    return {name: count for name, count in witnesses.waiting().items() if count}


def _rejected(witnesses: Witnesses, uris: Container[str]) -> Iterator[str]:
    yield "\nRejected records, and why (backup bucket)"
    # What was sent to the stream again is another record there, and the same to who reads this.
    rejects = {
        (uri, identity(reject)): reject
        for reject in witnesses.rejects()
        if (uri := came_in(reject["source"], reject["log_type"])) in uris
    }
    width = max((len(reject["log_type"]) for reject in rejects.values()), default=0)
    for reject in rejects.values():
        name, number = reject["log_type"], reject["record_number"]
        yield f"  {name:<{width}} record {number:>4}: {reject['reason']}"


def _complain(wrong: list[str], witnesses: Witnesses, stack: Stack) -> None:
    rejected = [
        f"{reject['source']}, record {reject['record_number']}: {reject['reason']}"
        for reject in witnesses.rejects()
        if any(
            line.startswith(f"{came_in(reject['source'], reject['log_type'])}: ") for line in wrong
        )
    ]
    for heading, lines in {
        "Not every record is accounted for:": wrong,
        "The function said:": witnesses.failures(),
        "It rejected:": rejected,
    }.items():
        if lines:
            print("\n  ".join([f"\n{heading}", *shortened(lines)]), file=sys.stderr)
    print(
        "\nThe stack still runs: `make demo` delivers again (what is there stays as it is); "
        "`make down`, then `make demo` begins anew.\n"
        "What the servers said is in .local/processes/*.log, what the functions said in their log "
        "groups (LogGroupNames in .local/endpoints.json), as the AWS CLI reads them:\n"
        f"  AWS_ACCESS_KEY_ID={emulated_aws.ACCOUNT} AWS_SECRET_ACCESS_KEY=test "
        f"AWS_DEFAULT_REGION={emulated_aws.REGION} aws --endpoint-url {stack.aws_endpoint} "
        "logs filter-log-events --output text --log-group-name NAME",
        file=sys.stderr,
    )


def _text(rows: list[Row]) -> str:
    heading = (
        f"{'type':<30}{'account':<12}"
        + "".join(f"{name:>10}" for name in COLUMNS)
        + f"{'seconds':>10}"
    )
    lines = [
        f"{row.log_type:<30}{row.account:<12}"
        + "".join(f"{_count(getattr(row, name)):>10}" for name in COLUMNS)
        + f"{row.seconds:>10.1f}"
        for row in rows
    ]
    notes = [
        "(account: whose bucket, log group or stream it came from;",
        " rows: in the lake, which has the log bucket's objects, and not a stream's records;",
        " seconds: from the slowest object's arrival until a search found it)",
    ]
    return "\n".join(["\n", heading, *lines, *notes])


def _count(count: int | None) -> str:
    return "-" if count is None else f"{count:,}"


def _next(stack: Stack) -> str:
    engine = stack.opensearch_endpoint
    return f"""
Where to look next
  dashboards of all log types, in a browser: {stack.page}/
  the stack runs on: {engine} takes searches, {stack.aws_endpoint} is AWS
    curl '{engine}/aws-*/_search?q=source.ip:%22203.0.113.0%2F24%22&size=3&pretty'
  all names and addresses: .local/endpoints.json
  the rejected records as AWS wrote them: s3://{stack.outputs["BackupBucketName"]}/rejected/
  the fields of each type: .venv/bin/servicelogs formats alb
  a real OpenSearch instead of the small one: make down, then SEARCH=opensearch make demo
  `make down` ends it all"""


def _progress(text: str) -> None:
    """Show where we are: over itself on a terminal, else not at all."""
    if sys.stdout.isatty():
        print(f"\r\033[K{text}", end="", flush=True)
