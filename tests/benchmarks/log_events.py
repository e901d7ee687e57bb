"""What records cost as log events of a Kinesis stream, beside the same records in an S3 object."""

import gzip
import json
from collections.abc import Callable
from typing import NamedTuple

from local.sample_logs import generate
from servicelogs.detection.event_blocks import EventBlocks
from servicelogs.detection.log_events import EventTypes
from servicelogs.opensearch.dated_indexes import every_index
from servicelogs.opensearch.documents import parsers_of
from servicelogs.settings import LogSettings
from servicelogs.sources.kinesis import ShardRecords, StreamRecord
from tests.benchmarks.ours import bulk_bodies
from tests.sources.envelopes import envelope
from tests.sources.stream_events import compressed, stream_record

NAMES = ("vpc_flow", "cloudtrail")
EVENTS = 100
"""So many events an envelope has."""
FLOOR = 0.5
"""The least share of the records that a CPU second makes of an object that it makes of events."""


class Share(NamedTuple):
    """What was measured of a format."""

    name: str
    share: float

    def __str__(self) -> str:
        """Write it for a person."""
        return f"{self.name} as log events: {self.share:.2f} of an object's (floor {FLOOR})"

    @property
    def is_slow(self) -> bool:
        """Whether it is below the floor."""
        return self.share < FLOOR


def messages_of(name: str, records: int) -> list[str]:
    """Give the messages of the events that hold the same records as an object."""
    text = generate(name, records)
    if name == "cloudtrail":
        return [json.dumps(one, separators=(",", ":")) for one in json.loads(text)["Records"]]
    return text.decode().splitlines()[1:]


def measure(
    name: str,
    records: int,
    rounds: int,
    best_times: Callable[[dict[str, Callable[[], object]], int], dict[str, float]],
) -> Share:
    """Measure one format."""
    data = gzip.compress(generate(name, records), 6)
    messages = messages_of(name, records)
    batch = [
        stream_record(compressed(envelope(*messages[at : at + EVENTS], first=at)), at)
        for at in range(0, len(messages), EVENTS)
    ]
    types = EventTypes(LogSettings())
    times = best_times(
        {
            "object": lambda: [None for _ in bulk_bodies(name, data)],
            "events": lambda: documents_of(batch, types),
        },
        rounds,
    )
    return Share(name, times["object"] / times["events"])


def documents_of(batch: list[dict[str, object]], types: EventTypes) -> int:
    """Turn a batch into bulk bodies, and keep none; say how many documents they hold."""
    shard = ShardRecords([StreamRecord.of(record) for record in batch])
    blocks = EventBlocks(types.identify, parsers_of(every_index())).blocks(shard.runs())
    return sum(block.documents for _, block in blocks)
