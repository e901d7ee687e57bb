"""The plain loops that ours is measured against do the same work."""

import gzip
import json

import pytest

from local.sample_logs import generate
from servicelogs.detection.log_events import EventTypes
from servicelogs.formats import NAMES
from servicelogs.settings import LogSettings
from tests.benchmarks import log_events, polars_columns
from tests.benchmarks.__main__ import FLOORS
from tests.benchmarks.ours import bulk_bodies, source_of
from tests.benchmarks.plain_loops import LOOPS
from tests.sources.envelopes import envelope
from tests.sources.stream_events import compressed, stream_record


@pytest.mark.parametrize("name", NAMES)
def test_plain_loop_makes_the_same_documents(name: str) -> None:
    data = gzip.compress(generate(name, 300))
    ours = b"".join(bulk_bodies(name, data)).splitlines()
    plain = LOOPS[name](data, source_of(name)).splitlines()
    assert len(ours) == 600
    for one, other in zip(ours, plain, strict=True):
        assert _comparable(one) == _comparable(other)


@pytest.mark.parametrize("name", polars_columns.READERS)
def test_polars_reads_each_record(name: str) -> None:
    assert polars_columns.read(name, gzip.compress(generate(name, 300))) == 300


def test_every_format_has_a_floor_and_a_loop() -> None:
    assert set(LOOPS) == set(NAMES), "one loop for each in LOOPS of tests/benchmarks/plain_loops.py"
    assert set(FLOORS) == set(NAMES), "one floor for each in FLOORS of tests/benchmarks/__main__.py"


@pytest.mark.parametrize("name", log_events.NAMES)
def test_events_that_are_measured_hold_the_records_of_the_object(name: str) -> None:
    messages = log_events.messages_of(name, 250)
    batch = [stream_record(compressed(envelope(*messages)))]
    assert log_events.documents_of(batch, EventTypes(LogSettings())) == 250


def _comparable(line: bytes) -> object:
    document = json.loads(line)
    document.pop("event", None)  # when it was ingested
    return document
