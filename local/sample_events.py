"""Put the objects that events/*.json name where `sam local invoke` finds them."""

import gzip
import json
from collections.abc import Iterator
from typing import Any

from local import ROOT, sample_logs
from servicelogs import formats
from servicelogs.sources.announcements import ObjectToRead, read_announcement

BUCKET = "service-logs-samples"
RECORDS = 200


def put_objects(s3: Any) -> None:
    """Make the bucket of the sample events and each object they name."""
    s3.create_bucket(Bucket=BUCKET)
    for wanted in {wanted.key: wanted for wanted in _announced()}.values():
        detected = formats.detect_by_key(wanted.key)
        if detected is None or detected.format is None:
            raise ValueError(f"no format has objects like {wanted.key!r}")
        text = sample_logs.generate(detected.format.name, RECORDS, seed=1)
        s3.put_object(Bucket=BUCKET, Key=wanted.key, Body=gzip.compress(text, mtime=0))


def _announced() -> Iterator[ObjectToRead]:
    for path in sorted((ROOT / "events").glob("*.json")):
        for record in json.loads(path.read_text())["Records"]:
            yield from read_announcement(record["body"]).objects
