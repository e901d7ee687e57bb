"""The plain loops that ours is measured against do the same work."""

import gzip
import io
import json

import pytest

from local.sample_logs import generate
from servicelogs.formats import NAMES, get
from servicelogs.opensearch.dated_indexes import every_index
from servicelogs.opensearch.documents import blocks_of
from servicelogs.sources.decompression import decompressed
from tests.benchmarks.__main__ import FLOORS, SOURCE
from tests.benchmarks.plain_loops import LOOPS


@pytest.mark.parametrize("name", NAMES)
def test_plain_loop_makes_the_same_documents(name: str) -> None:
    data = gzip.compress(generate(name, 300))
    log_format = get(name)
    choose_index = every_index().of(log_format)
    blocks = blocks_of(log_format, decompressed(io.BytesIO(data)), SOURCE, choose_index)
    ours = b"".join(bytes(block.body) for block in blocks).splitlines()
    plain = LOOPS[name](data, SOURCE).splitlines()
    assert len(ours) == 600
    for one, other in zip(ours, plain, strict=True):
        assert _comparable(one) == _comparable(other)


def test_every_format_has_a_floor_and_a_loop() -> None:
    assert set(FLOORS) == set(LOOPS) == set(NAMES)


def _comparable(line: bytes) -> object:
    document = json.loads(line)
    document.pop("event", None)  # when it was ingested
    return document
