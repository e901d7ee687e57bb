"""The one place where the benchmarks call what the function calls."""

import io
from collections.abc import Iterator
from datetime import UTC, datetime

from local.sample_logs import ACCOUNT, REGION
from servicelogs.formats import get
from servicelogs.opensearch.index_names import IndexNames
from servicelogs.reading import decompressed
from servicelogs.records import Source

SOURCE = Source(
    "s3://logs/key.gz", "A" * 16, datetime(2026, 11, 20, 9, tzinfo=UTC), ACCOUNT, REGION
)


def bulk_bodies(name: str, data: bytes) -> Iterator[bytes | bytearray]:
    """Turn a compressed object into bulk bodies, as the function does."""
    dates = IndexNames("aws", "day", 0).dates(get(name))
    for block in get(name).blocks(decompressed(io.BytesIO(data)), SOURCE, dates):
        yield block.body
