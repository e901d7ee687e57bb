"""Deliver sample logs, wait until every record is accounted for, and search them."""

import sys
import time
from collections.abc import Iterator

from local import deploy, sample_logs, searches
from local.reconcile import Expected, Found, Row, differences, settled, shortened, table
from local.stack import Stack
from local.witnesses import Witnesses

# The local stack indexes within seconds: so long without any progress is a stop, and a shorter time
# is enough when the function has said of every object that it is done.
PATIENCE_SECONDS = 60
PATIENCE_AFTER_THE_END_SECONDS = 10
COLUMNS = ("objects", "records", "indexed", "rejected", "filtered")


def run(stack: Stack) -> int:
    """Deliver, wait, show; return the exit code."""
    began = time.time()
    witnesses = Witnesses(stack, began)
    expected, written = _deliver(stack)
    found, seconds = _wait(witnesses, expected, written)
    print(_text(table(expected, found, seconds)))
    wrong = differences(expected, found)
    wrong += [f"{count} messages in the {name}" for name, count in _left(witnesses).items()]
    if wrong:
        _complain(wrong, witnesses)
        return 1
    known = sum(said.already_there for said in found.published.values())
    if known:
        print(
            f"\n{known:,} of the documents were there already: a second delivery changes nothing."
        )
    for line in [*searches.show(stack.opensearch_endpoint), *_rejected(witnesses, expected)]:
        print(line)
    print(_next(stack))
    return 0


def _deliver(stack: Stack) -> tuple[list[Expected], dict[str, float]]:
    """Write the sample objects to the log bucket, as AWS services do."""
    bucket = stack.outputs["LogBucketName"]
    s3 = deploy.client("s3", stack.aws_endpoint)
    expected, written = [], {}
    for sample in sample_logs.objects():
        uri = f"s3://{bucket}/{sample.key}"
        s3.put_object(Bucket=bucket, Key=sample.key, Body=sample.data)
        written[uri] = time.monotonic()
        expected.append(
            Expected(uri, sample.format, sample.records, sample.rejected, sample.filtered)
        )
        _progress(f"delivered {len(expected)} objects to {bucket}")
    return expected, written


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
    print("\n")
    return found, seconds


def _left(witnesses: Witnesses) -> dict[str, int]:
    return {name: count for name, count in witnesses.waiting().items() if count}


def _rejected(witnesses: Witnesses, expected: list[Expected]) -> Iterator[str]:
    uris = {one.uri for one in expected}
    yield "\nRejected records, and why (backup bucket)"
    for reject in witnesses.rejects():
        if reject["source"] in uris:
            number = reject["record_number"]
            yield f"  {reject['log_type']:<17} record {number:>4}: {reject['reason']}"


def _complain(wrong: list[str], witnesses: Witnesses) -> None:
    rejected = [
        f"{reject['source']}, record {reject['record_number']}: {reject['reason']}"
        for reject in witnesses.rejects()
        if any(line.startswith(f"{reject['source']}: ") for line in wrong)
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
        "What the servers said is in .local/processes/*.log.",
        file=sys.stderr,
    )


def _text(rows: list[Row]) -> str:
    heading = f"{'type':<18}" + "".join(f"{name:>10}" for name in COLUMNS) + f"{'seconds':>10}"
    lines = [
        f"{row.log_type:<18}"
        + "".join(f"{getattr(row, name):>10,}" for name in COLUMNS)
        + f"{row.seconds:>10.1f}"
        for row in rows
    ]
    return "\n".join([heading, *lines, "(seconds from the slowest object's arrival to searchable)"])


def _next(stack: Stack) -> str:
    engine = stack.opensearch_endpoint
    return f"""
Where to look next
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
