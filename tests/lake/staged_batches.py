"""The lake in moto: batches of staged objects, and their conversion."""

from __future__ import annotations

import gzip
import io
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import boto3
import msgspec
import pyarrow
import pyarrow.parquet

from servicelogs.lake import names
from servicelogs.lake.convert_function import ConvertFunction
from servicelogs.lake.copies import FoundObject
from servicelogs.lake.ledger import State
from servicelogs.lake.manifests import Manifest, Outputs, StagedObject
from tests.lake.lake_world import make_ledger

LOGS, STAGING, LAKE, BACKUP, LEDGER = "log-archive", "staging", "lake", "log-backup", "ledger"
DELIVERED = datetime(2026, 11, 20, 9, 0, 0, tzinfo=UTC)
DEFAULT_ACCOUNT, DEFAULT_REGION = "999988887777", "eu-central-1"
ENVIRONMENT = {
    "STAGING_BUCKET": STAGING,
    "LAKE_BUCKET": LAKE,
    "BACKUP_BUCKET": BACKUP,
    "LEDGER_TABLE": LEDGER,
    "GLUE_DATABASE": "logs",
    "DEFAULT_ACCOUNT_ID": DEFAULT_ACCOUNT,
    "DEFAULT_REGION": DEFAULT_REGION,
    "POWERTOOLS_SERVICE_NAME": "convert_batch",
}


@dataclass
class Context:
    """What Lambda says to a function of its invocation."""

    aws_request_id: str = "attempt-1"
    memory_limit_in_mb: int = 2048
    seconds_left: Callable[[], float] = lambda: 900.0

    def get_remaining_time_in_millis(self) -> int:
        return round(self.seconds_left() * 1000)


@dataclass
class StagedBatches:
    """Batches of one deployment, and what is made of them."""

    s3: Any
    function: ConvertFunction
    staged: list[StagedObject] = field(default_factory=list)

    @classmethod
    def make(cls) -> StagedBatches:
        """Make buckets and ledger in the emulated AWS; the environment is the function's."""
        s3 = boto3.client("s3")
        for bucket in (STAGING, LAKE, BACKUP):
            s3.create_bucket(Bucket=bucket)
        make_ledger(boto3.client("dynamodb"), LEDGER)
        return cls(s3, ConvertFunction())

    def stage(self, key: str, data: bytes, delivered: datetime = DELIVERED) -> StagedObject:
        """Put a copy of an object to where plans find it."""
        found = FoundObject(LOGS, key, f"etag of {key}", len(data), delivered, {})
        raw = names.raw_key(names.UNIDENTIFIED, found.source)
        self.s3.put_object(Bucket=STAGING, Key=raw, Body=data, Metadata=found.as_source())
        self.staged.append(StagedObject(raw, found.source.id, len(data)))
        return self.staged[-1]

    def stage_text(self, key: str, text: bytes, delivered: datetime = DELIVERED) -> StagedObject:
        """Stage an object whose text is compressed."""
        return self.stage(key, gzip.compress(text, mtime=0), delivered)

    def open(self, objects: Sequence[StagedObject] | None = None) -> str:
        """Make an open batch of these objects; else of all that were staged since the last."""
        objects = self.staged if objects is None else objects
        batch = names.new_batch(DELIVERED)
        manifest = Manifest(batch, names.UNIDENTIFIED, list(objects))
        self.s3.put_object(
            Bucket=STAGING, Key=names.manifest_key(batch), Body=msgspec.json.encode(manifest)
        )
        self.function.lake.ledger.planned(batch, names.UNIDENTIFIED)
        self.function.lake.ledger.opened(batch, len(objects))
        self.staged = []
        return batch

    def convert(self, batch: str | None = None, **context: Any) -> str:
        """Convert a batch, or all that was staged; give the batch."""
        batch = batch or self.open()
        state = self.function.convert({"batch": batch, "execution": "run"}, Context(**context))
        assert state == {"state": State.PREPARED}
        return batch

    def outputs(self, batch: str, attempt: str = "attempt-1") -> Outputs:
        """Read the list that a conversion wrote last."""
        body = self.read(names.outputs_key(batch, attempt))
        return msgspec.json.decode(body, type=Outputs)

    def has_outputs(self, batch: str) -> bool:
        """Say whether any attempt came to its end."""
        return any(key.endswith("outputs.json") for key in self.keys(names.attempts_of(batch)))

    def keys(self, prefix: str) -> list[str]:
        """List the staging bucket's keys."""
        pages = self.s3.get_paginator("list_objects_v2").paginate(Bucket=STAGING, Prefix=prefix)
        return [one["Key"] for page in pages for one in page.get("Contents", [])]

    def read(self, key: str) -> bytes:
        """Read an object of the staging bucket."""
        body: bytes = self.s3.get_object(Bucket=STAGING, Key=key)["Body"].read()
        return body

    def table(self, batch: str, table: str) -> pyarrow.Table:
        """Read all rows of a table that a conversion wrote."""
        files = [file for file in self.outputs(batch).files if file.table == table]
        return pyarrow.concat_tables(
            pyarrow.parquet.read_table(io.BytesIO(self.read(file.key))) for file in files
        )

    def rejects(self, batch: str) -> dict[str, list[dict[str, Any]]]:
        """Read the lines of each file of rejects, under the key that it is to have."""
        return {
            one.to: [json.loads(line) for line in gzip.decompress(self.read(one.key)).splitlines()]
            for one in self.outputs(batch).rejects
        }
