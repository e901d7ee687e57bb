"""A deployment in one process: S3 and SQS of moto, and a search engine made of a dict."""

import gzip
import json
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any

from aws_lambda_powertools.utilities.batch import process_partial_response

from servicelogs.accounts import Account
from servicelogs.batch_processor import SharedDeliveryProcessor
from servicelogs.detection.objects import ObjectTypes
from servicelogs.errors import DeliveryError, TryLater
from servicelogs.indexing import Batch
from servicelogs.opensearch.index_names import IndexNames
from servicelogs.parquet import json_lines
from servicelogs.records import Block, Reject
from servicelogs.settings import LogSettings
from servicelogs.sources.queue import Message, Queue

LOGS, BACKUP = "log-archive", "log-backup"
ENOUGH_TIME = 300.0
NOW = datetime.now(UTC)


def flow_key(name: str) -> str:
    """Name an object as VPC flow logs are named."""
    return (
        f"AWSLogs/111122223333/vpcflowlogs/eu-west-1/{NOW:%Y/%m/%d}/111122223333_vpcflowlogs_"
        f"eu-west-1_fl-0a1b2c3d4e5f60718_{NOW:%Y%m%dT%H%MZ}_{name.encode().hex()}.log.gz"
    )


def flow_lines(records: int, bad: tuple[int, ...] = ()) -> bytes:
    """Write a flow log; the records with these numbers do not fit."""
    start = int(NOW.timestamp()) - 600
    header = (
        "version account-id interface-id srcaddr dstaddr srcport dstport protocol packets bytes "
        "start end action log-status"
    )
    lines = (
        "this line does not fit"
        if number in bad
        else f"2 111122223333 eni-0a1b2c3d4e5f60718 192.0.2.{number % 250} 198.51.100.20 "
        f"{1024 + number % 60000} 443 6 12 5120 {start} {start + 59} ACCEPT OK"
        for number in range(1, records + 1)
    )
    return "\n".join([header, *lines, ""]).encode()


@dataclass
class Engine:
    """What a search engine keeps, and how it misbehaves."""

    documents: dict[str, dict[str, Any]] = field(default_factory=dict)
    refuses: Callable[[dict[str, Any]], bool] = lambda document: False
    error: DeliveryError | None = None
    """What every request meets."""

    def writer(self, *_args: Any, **_kwargs: Any) -> "EngineWriter":
        return EngineWriter(self)


@dataclass
class EngineWriter:
    """Settles nothing before `flush`, as the bulk writer may."""

    engine: Engine
    waiting: list[tuple[Block, Account]] = field(default_factory=list)

    def add(self, block: Block, account: Account) -> None:
        account.take(block)
        self.waiting.append((block, account))

    def flush(self) -> None:
        waiting, self.waiting = self.waiting, []
        for block, account in waiting:
            if isinstance(self.engine.error, TryLater):
                account.leave(block.documents, self.engine.error)
            elif self.engine.error:
                raise self.engine.error
            else:
                self._create(block, account)

    def _create(self, block: Block, account: Account) -> None:
        lines = bytes(block.body).splitlines()
        for action, line in zip(lines[::2], lines[1::2], strict=True):
            target, document = json.loads(action)["create"], json.loads(line)
            if self.engine.refuses(document):
                ordinal = document["log"]["record"]
                account.reject(
                    Reject(
                        ordinal,
                        "mapper_parsing_exception",
                        "it does not map",
                        block.raw(ordinal),
                        target["_index"],
                        target["_id"],
                    )
                )
            elif target["_id"] in self.engine.documents:
                account.already_there += 1
            else:
                self.engine.documents[target["_id"]] = document
                account.indexed += 1


@dataclass
class Deployment:
    """Buckets, queue and engine; messages are received and deleted as Lambda does it."""

    s3: Any
    sqs: Any
    queue_url: str
    parquet_queue_url: str
    engine: Engine = field(default_factory=Engine)
    logs: LogSettings = LogSettings()  # noqa: RUF009 - it never changes
    counts: dict[str, Counter[str]] = field(default_factory=dict)
    passed_over: Counter[str] = field(default_factory=Counter)
    routed: int = 0

    def put(self, key: str, text: bytes) -> None:
        self.s3.put_object(Bucket=LOGS, Key=key, Body=gzip.compress(text, mtime=0))

    def announce(self, *keys: str) -> None:
        records = [
            {
                "eventSource": "aws:s3",
                "eventName": "ObjectCreated:Put",
                "s3": {"bucket": {"name": LOGS}, "object": {"key": key, "eTag": "from the event"}},
            }
            for key in keys
        ]
        self.send(json.dumps({"Records": records}))

    def send(self, body: str) -> None:
        self.sqs.send_message(QueueUrl=self.queue_url, MessageBody=body)

    def receive(self, queue_url: str = "") -> list[dict[str, Any]]:
        answer = self.sqs.receive_message(
            QueueUrl=queue_url or self.queue_url, MaxNumberOfMessages=10, AttributeNames=["All"]
        )
        return [
            {
                "messageId": message["MessageId"],
                "receiptHandle": message["ReceiptHandle"],
                "body": message["Body"],
                "attributes": message["Attributes"],
                "eventSource": "aws:sqs",
            }
            for message in answer.get("Messages", [])
        ]

    def invoke(
        self, records: list[dict[str, Any]], clock: Iterator[float] | None = None
    ) -> list[str]:
        """Run one batch of the function for text; return the ids of the messages that failed."""
        batch = self._batch(
            self.queue_url, clock, parquet_queue=Queue(self.sqs, self.parquet_queue_url)
        )
        return self._carry_out(batch, records, self.queue_url)

    def invoke_parquet(
        self, records: list[dict[str, Any]], clock: Iterator[float] | None = None
    ) -> list[str]:
        """Run one batch of the function for Parquet files."""
        batch = self._batch(self.parquet_queue_url, clock, text_of_parquet=json_lines)
        return self._carry_out(batch, records, self.parquet_queue_url)

    def _batch(self, queue_url: str, clock: Iterator[float] | None, **parquet: Any) -> Batch:
        return Batch(
            types=ObjectTypes(self.logs),
            backup_bucket=BACKUP,
            s3=self.s3,
            queue=Queue(self.sqs, queue_url),
            writer=self.engine.writer(),
            dates=IndexNames("aws", "day", 0).dates,
            seconds_left=(lambda: next(clock)) if clock else (lambda: ENOUGH_TIME),
            **parquet,
        )

    def _carry_out(self, batch: Batch, records: list[dict[str, Any]], queue_url: str) -> list[str]:
        answer = process_partial_response(
            {"Records": records},
            lambda record: batch.take(Message.of(record.raw_event)),
            SharedDeliveryProcessor(batch.finish),
            SimpleNamespace(),
        )
        failed = [item["itemIdentifier"] for item in answer["batchItemFailures"]]
        for record in records:
            if record["messageId"] not in failed:
                self.sqs.delete_message(QueueUrl=queue_url, ReceiptHandle=record["receiptHandle"])
        for log_type, counts in batch.totals.by_type.items():
            self.counts.setdefault(log_type, Counter()).update(counts)
        self.passed_over += batch.totals.passed_over
        self.routed += batch.totals.routed
        return failed

    def run(self, clock: Iterator[float] | None = None) -> list[str]:
        """Run the batch that the queue holds."""
        return self.invoke(self.receive(), clock)

    def run_parquet(self, clock: Iterator[float] | None = None) -> list[str]:
        """Run the batch that the queue of Parquet files holds."""
        return self.invoke_parquet(self.receive(self.parquet_queue_url), clock)

    def rejected(self) -> dict[str, list[dict[str, Any]]]:
        """Read the backup bucket: its keys, and the lines of each."""
        found = {}
        for entry in self.s3.list_objects_v2(Bucket=BACKUP).get("Contents", []):
            body = self.s3.get_object(Bucket=BACKUP, Key=entry["Key"])["Body"].read()
            found[entry["Key"]] = [json.loads(line) for line in gzip.decompress(body).splitlines()]
        return found

    def waiting(self, queue_url: str = "") -> tuple[int, int]:
        """Count the messages that can be received, and those that are kept back."""
        attributes = self.sqs.get_queue_attributes(
            QueueUrl=queue_url or self.queue_url, AttributeNames=["All"]
        )
        found = attributes["Attributes"]
        return (
            int(found["ApproximateNumberOfMessages"]),
            int(found["ApproximateNumberOfMessagesNotVisible"]),
        )
