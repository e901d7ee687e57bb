"""A deployment in one process: S3 and SQS of moto, and a search engine made of a dict."""

import gzip
import json
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import boto3

from servicelogs.delivery.attempt import Attempt
from servicelogs.delivery.failed_items import report
from servicelogs.delivery.metrics import Totals
from servicelogs.detection.objects import ObjectTypes
from servicelogs.opensearch.dated_indexes import every_index
from servicelogs.opensearch.index_objects import ObjectIndexer
from servicelogs.parsing.places import Place
from servicelogs.settings import LogSettings
from servicelogs.sources.accounts import Accounts
from servicelogs.sources.parquet import rows_as_json
from servicelogs.sources.queue import Message, Queue
from tests.opensearch.fake_engine import FakeEngine

LOGS, BACKUP = "log-archive", "log-backup"
ENOUGH_TIME = 300.0
ACCOUNT, REGION = "123456789012", "us-east-1"
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
class Deployment:
    """Buckets, queue and engine; messages are received and deleted as Lambda does it."""

    s3: Any
    sqs: Any
    queue_url: str
    parquet_queue_url: str
    engine: FakeEngine = field(default_factory=FakeEngine)
    logs: LogSettings = LogSettings()  # noqa: RUF009 - it never changes
    accounts: Accounts = Accounts(own=ACCOUNT, default=Place(ACCOUNT, REGION))  # noqa: RUF009
    counts: dict[str, Counter[str]] = field(default_factory=dict)
    skipped: Counter[str] = field(default_factory=Counter)
    routed: int = 0

    @classmethod
    def make(cls) -> "Deployment":
        """Make its buckets and queues in the emulated AWS."""
        s3, sqs = boto3.client("s3"), boto3.client("sqs")
        for bucket in (LOGS, BACKUP):
            s3.create_bucket(Bucket=bucket)
        urls = [
            sqs.create_queue(QueueName=name)["QueueUrl"] for name in ("objects", "parquet-files")
        ]
        return cls(s3, sqs, *urls)

    def put(self, key: str, text: bytes) -> None:
        self.s3.put_object(Bucket=LOGS, Key=key, Body=gzip.compress(text, mtime=0))

    def notify(self, *keys: str) -> None:
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
        """Run one event of the function for text; return the ids of the messages that failed."""
        url = self.parquet_queue_url
        parquet_queue = Queue(self.sqs, url) if url else None
        return self._carry_out(records, self.queue_url, clock, parquet_queue=parquet_queue)

    def invoke_parquet(
        self, records: list[dict[str, Any]], clock: Iterator[float] | None = None
    ) -> list[str]:
        """Run one event of the function for Parquet files."""
        return self._carry_out(records, self.parquet_queue_url, clock, text_of_parquet=rows_as_json)

    def _carry_out(
        self,
        records: list[dict[str, Any]],
        queue_url: str,
        clock: Iterator[float] | None,
        **parquet: Any,
    ) -> list[str]:
        attempt = Attempt(
            writer=self.engine.writer(),
            s3=self.s3,
            backup_bucket=BACKUP,
            seconds_left=(lambda: next(clock)) if clock else (lambda: ENOUGH_TIME),
        )
        indexer = self.indexer(attempt, Queue(self.sqs, queue_url), **parquet)
        messages = [Message.of(record) for record in records]
        answer = report([message.id for message in messages], indexer.index(messages))
        failed = [item["itemIdentifier"] for item in answer["batchItemFailures"]]
        for record in records:
            if record["messageId"] not in failed:
                self.sqs.delete_message(QueueUrl=queue_url, ReceiptHandle=record["receiptHandle"])
        self.routed += indexer.routed
        return failed

    def _count(self, totals: Totals) -> None:
        for log_type, counts in totals.by_type.items():
            self.counts.setdefault(log_type, Counter()).update(counts)
        self.skipped += totals.skipped

    def indexer(self, attempt: Attempt, queue: Queue, **parquet: Any) -> ObjectIndexer:
        return ObjectIndexer(
            attempt,
            types=ObjectTypes(self.logs),
            accounts=self.accounts,
            s3=self.s3,
            queue=queue,
            indexes=every_index(),
            on_report=self._count,
            own_buckets=[BACKUP],
            **parquet,
        )

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
