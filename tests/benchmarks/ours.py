"""The one place where the benchmarks call what the function calls."""

import io
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime

from local.sample_logs import ACCOUNT, REGION
from servicelogs.formats import get
from servicelogs.opensearch.dated_indexes import every_index
from servicelogs.opensearch.documents import blocks_of
from servicelogs.records import Source
from servicelogs.sources.decompression import decompressed

SOURCE = Source(
    "s3://logs/key.gz", "A" * 16, datetime(2026, 11, 20, 9, tzinfo=UTC), ACCOUNT, REGION
)
INDEXES = every_index()
"""Made once in a process, as the function does."""

LOG_STREAMS = {
    "lambda": ("/aws/lambda/orders", "2026/11/20/[$LATEST]0123456789abcdef"),
    "rds": ("/aws/rds/instance/shop/postgresql", "shop.0"),
}
"""The log group and stream of formats whose records are log events."""


def source_of(name: str) -> Source:
    """Give the source of a format's records."""
    group, stream = LOG_STREAMS.get(name, ("", ""))
    return replace(SOURCE, log_group=group, log_stream=stream)


def bulk_bodies(name: str, data: bytes) -> Iterator[bytes | bytearray]:
    """Turn a compressed object into bulk bodies, as the function does."""
    log_format = get(name)
    choose_index = INDEXES.of(log_format)
    for block in blocks_of(
        log_format, decompressed(io.BytesIO(data)), source_of(name), choose_index
    ):
        yield block.body
