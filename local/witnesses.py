"""Ask both engines, the backup bucket and the functions what became of delivered objects."""

import gzip
import json
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, fields
from datetime import datetime
from itertools import chain
from typing import Any

from opensearchpy import OpenSearch

from local import deploy, emulated_aws
from local.lake import Lake
from local.reconcile import Found, InLake, Published
from local.stack import Stack
from servicelogs.lake.names import REJECTED, main_table
from servicelogs.records import UNKNOWN

# More than the demo delivers.
MANY_OBJECTS = 10_000
FIREHOSE, STREAM = "Firehose", "stream"
INDEXING = ("IndexFunctionName", "IndexParquetFunctionName", "IndexStreamFunctionName")
"""The outputs that name the functions that index."""


def arrival(way: str, log_type: str) -> str:
    """Name the records of a type that arrive through Firehose or the stream, whatever carries them.

    In which objects or shards they come nobody knows beforehand.
    """
    return f"{log_type} through {way}"


def came_in(source: str, log_type: str) -> str:
    """Name what a record came in: the object, or the way for what has no object of its own."""
    if not source.startswith("s3://"):
        return arrival(STREAM, log_type)
    # Firehose names objects after its stream, which CloudFormation names after the resource.
    return arrival(FIREHOSE, log_type) if "-DeliveryStream" in source else source


def identity(reject: dict[str, Any]) -> str:
    """Give what a reject has again when its record is delivered again.

    Of what is sent to a stream again only the bytes are the same: each time it is another record.
    """
    in_stream = reject["source"].startswith("kinesis://") and not reject.get("log_group")
    return str(reject.get("raw") or reject["raw_base64"] if in_stream else reject["_id"])


@dataclass(frozen=True)
class Said:
    """What the functions logged: the counts of what they are done with, by what it came in."""

    published: dict[str, Published]
    skipped: int
    left_out: dict[str, int]
    """How many records were filtered, by the reason."""
    failures: list[str]
    """Why messages failed, each reason once, the latest first."""


class Witnesses:
    """One running stack, asked for its counts."""

    def __init__(self, stack: Stack, since: float, account: str = "") -> None:
        """Look at what the functions said since then (seconds since 1970).

        Of what came by a way that accounts share, look at what came from one account, if named.
        """
        self._since, self._account = int(since * 1000), account
        self._outputs = stack.outputs
        self._search = OpenSearch(stack.opensearch_endpoint, timeout=30)
        self._s3 = deploy.client("s3", stack.aws_endpoint)
        self._logs = deploy.client("logs", stack.aws_endpoint)
        self._sqs = deploy.client("sqs", stack.aws_endpoint)
        lambda_client = deploy.client("lambda", stack.aws_endpoint)
        functions = [
            lambda_client.get_function_configuration(FunctionName=stack.outputs[output])
            for output in INDEXING
            if output in stack.outputs
        ]
        self._log_groups = [function["LoggingConfig"]["LogGroup"] for function in functions]
        self._rejects: dict[tuple[str, str], list[dict[str, Any]]] = {}

    def found(self) -> Found:
        """Ask all of them."""
        said = self.said()
        rejects = {
            (came_in(reject["source"], reject["log_type"]), identity(reject))
            for reject in self.rejects()
            if _keeps_its_name(reject["source"]) or self._is_of_account(reject["account_id"])
        }
        in_backup = Counter(where for where, _ in rejects)
        return Found(self.searchable(), in_backup, said.published, said.skipped)

    def in_lake(self, lake: Lake) -> dict[str, InLake]:
        """Ask the ledger, the tables and the backup bucket what the lake has.

        Of what Firehose wrote, only what it wrote since then counts: it writes the same events into
        another object when they are delivered again.
        """
        found: dict[str, Counter[str]] = {}
        new = set()
        for one in lake.objects():
            if "records" in one and (_keeps_its_name(one["source"]) or self._is_new(one)):
                new.add(one["source"])
                arrived = came_in(one["source"], _known_type(one["type"]))
                counts = {name: int(one[name]) for name in ("records", "expired")}
                found.setdefault(arrived, Counter()).update(counts)
        for name, source, log_type, count in chain(_rows(lake), self._rejected_by_lake()):
            if _keeps_its_name(source) or source in new:
                found.setdefault(came_in(source, log_type), Counter())[name] += count
        names = [one.name for one in fields(InLake)]
        return {where: InLake(*(one[name] for name in names)) for where, one in found.items()}

    def _is_new(self, item: dict[str, Any]) -> bool:
        delivered = datetime.fromisoformat(item["delivered"])
        return int(delivered.timestamp()) >= self._since // 1000

    def _rejected_by_lake(self) -> Iterator[tuple[str, str, str, int]]:
        for reject in self.rejects(of_lake=True):
            yield "rejected", reject["source"], reject["log_type"], 1

    def searchable(self) -> dict[str, int]:
        """Count the documents that a search finds, by what they came in."""
        by_account = {
            "account": {"terms": {"field": "cloud.account_id", "missing": "", "size": 100}}
        }
        by_source = {
            "source": {"terms": {"field": "log.source", "size": MANY_OBJECTS}, "aggs": by_account}
        }
        by_type = {"type": {"terms": {"field": "log.type", "size": 100}, "aggs": by_source}}
        answer = self._search.search(index="aws-*", body={"size": 0, "aggs": by_type})
        found: Counter[str] = Counter()
        for log_type in _buckets(answer.get("aggregations", {}), "type"):
            for source in _buckets(log_type, "source"):
                for account in _buckets(source, "account"):
                    if _keeps_its_name(source["key"]) or self._is_of_account(account["key"]):
                        found[came_in(source["key"], log_type["key"])] += account["doc_count"]
        return found

    def _is_of_account(self, named: str | None) -> bool:
        """Say whether it came from the account in question, by the account that it names.

        The member's logs name the member; the central account's name several, but never the member.
        """
        if not self._account:
            return True
        return (named == emulated_aws.MEMBER) is (self._account == emulated_aws.MEMBER)

    def failures(self) -> list[str]:
        """Say why messages failed, each reason once, the latest first."""
        return self.said().failures

    def waiting(self) -> dict[str, int]:
        """Count the messages in the queues and their dead-letter queues."""
        return {
            name: sum(self._messages(self._outputs[output]))
            for name, output in {
                "queue": "QueueUrl",
                "dead-letter queue": "DeadLetterQueueUrl",
                "queue of Parquet files": "ParquetQueueUrl",
                "dead-letter queue of Parquet files": "ParquetDeadLetterQueueUrl",
                "queue of objects to stage": "StageQueueUrl",
                "dead-letter queue of objects to stage": "StageDeadLetterQueueUrl",
            }.items()
        }

    def _messages(self, url: str) -> Iterator[int]:
        attributes = self._sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["All"])
        for name in ("ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"):
            yield int(attributes["Attributes"][name])

    def rejects(self, *, of_lake: bool = False) -> Iterator[dict[str, Any]]:
        """Read the backup bucket; a file is read again only if it changed."""
        bucket = self._outputs["BackupBucketName"]
        pages = self._s3.get_paginator("list_objects_v2").paginate(
            Bucket=bucket, Prefix=REJECTED if of_lake else "rejected/"
        )
        for found in (found for page in pages for found in page.get("Contents", [])):
            if found["Key"].startswith(REJECTED) is not of_lake:
                continue
            part = (found["Key"], found["ETag"])
            if part not in self._rejects:
                body = self._s3.get_object(Bucket=bucket, Key=found["Key"])["Body"].read()
                lines = gzip.decompress(body).splitlines()
                self._rejects[part] = [json.loads(line) for line in lines]
            yield from self._rejects[part]

    def said(self) -> Said:
        """Read the functions' logs: what they published, skipped, and why they failed."""
        parts: dict[tuple[str, str], dict[int, dict[str, Any]]] = {}
        said: dict[str, list[dict[str, Any]]] = {}
        skipped, failures = 0, []
        for line in self.lines():
            if line["message"] == "source delivered":
                source = line["source"], line["log_type"]
                if line["source"].startswith("s3://"):
                    parts.setdefault(source, {})[line["from"]] = line
                else:  # a shard has no end: each batch is one of its own
                    said.setdefault(came_in(*source), []).append(line)
            elif line["message"] == "skipped":
                skipped += sum(line["skipped"].values())
            elif line.get("level") == "ERROR":
                failures.append(line.get("error") or str(line["message"]))
        for source, lines in parts.items():
            if not max(lines.items())[1]["resume_at"]:
                said.setdefault(came_in(*source), []).extend(lines.values())
        done = {where: _published(lines) for where, lines in said.items()}
        left_out: Counter[str] = Counter()
        for line in chain.from_iterable(said.values()):
            left_out.update(line["filtered"])
        return Said(done, skipped, left_out, list(dict.fromkeys(reversed(failures))))

    def lines(self) -> Iterator[dict[str, Any]]:
        """Read what the functions logged."""
        paginator = self._logs.get_paginator("filter_log_events")
        pages = chain.from_iterable(
            paginator.paginate(logGroupName=group, startTime=self._since)
            for group in self._log_groups
        )
        for event in (event for page in pages for event in page["events"]):
            try:
                line = json.loads(event["message"])
            except ValueError:
                continue  # Lambda's own lines
            if isinstance(line, dict) and "message" in line:
                yield line


def _buckets(aggregations: Any, name: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = aggregations.get(name, {}).get("buckets", [])
    return found


def _keeps_its_name(source: str) -> bool:
    return came_in(source, "") == source


def _known_type(log_types: str) -> str:
    """Give the type of an object's records, beside which it may have messages of no type."""
    return next((one for one in log_types.split(",") if one != UNKNOWN), UNKNOWN)


def _rows(lake: Lake) -> Iterator[tuple[str, str, str, int]]:
    for table in lake.open():
        if main_table(table) == table:
            for source, count in lake.rows(table).items():
                yield "rows", source, table, count


def _published(lines: list[dict[str, Any]]) -> Published:
    total: Counter[str] = Counter()
    for line in lines:
        for name in ("records", "indexed", "already_there", "rejected"):
            total[name] += line[name]
        total["filtered"] += sum(line["filtered"].values())
    return Published(
        _known_type(lines[0]["log_type"]),
        total["records"],
        total["indexed"],
        total["already_there"],
        total["rejected"],
        total["filtered"],
    )
