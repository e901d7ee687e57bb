"""`sample_indexes`: what tests of searches and panels search, on OpenSearch 3.8.0 and on 2.19.4.

The sample logs of every type, and what the golden inputs become, for they have the rare fields.
"""

import json
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from io import BytesIO
from typing import Any

import pytest
from opensearchpy import OpenSearch

from local.sample_logs import ACCOUNT, REGION, objects
from servicelogs import formats
from servicelogs.dates import iso
from servicelogs.delivery.counts import SourceCounts
from servicelogs.detection.objects import ObjectTypes
from servicelogs.opensearch.client import connect
from servicelogs.opensearch.dated_indexes import every_index
from servicelogs.opensearch.documents import blocks_of
from servicelogs.opensearch.index_names import IndexNames
from servicelogs.opensearch.setup import set_up, template_check
from servicelogs.opensearch.writer import BulkWriter
from servicelogs.records import Source
from servicelogs.settings import IndexSettings, LogSettings, SearchSettings
from servicelogs.sources.decompression import decompressed
from servicelogs.sources.parquet import rows_as_json
from tests.formats.make_cases import cases, event_cases, expected_file
from tests.secured_engine import Secured

DELIVERED = datetime(2026, 11, 20, 8, 20, tzinfo=UTC)
# Of one object: its records seem to be of days after their delivery, so their date is adjusted.
EARLIER = DELIVERED - timedelta(days=3)


@dataclass(frozen=True, slots=True)
class SampleIndexes:
    """The engine that has them, and what their names begin with."""

    client: OpenSearch
    prefix: str

    def search(self, index: str, body: dict[str, Any]) -> dict[str, Any]:
        """Ask of the indexes that a pattern for the prefix `aws` names."""
        answer: dict[str, Any] = self.client.search(
            index=index.replace("aws-", f"{self.prefix}-"), body=body
        )
        assert answer["_shards"]["failed"] == 0, answer["_shards"]["failures"]
        return answer


@pytest.fixture(scope="session", params=["opensearch", "secured"], ids=["3.8", "2.19"])
def sample_indexes(request: pytest.FixtureRequest) -> SampleIndexes:
    """Index the sample logs of every type, and the golden documents, in both real engines."""
    engine = request.getfixturevalue(request.param)
    prefix = f"test-{uuid.uuid4().hex[:12]}"
    return (
        indexed_by(engine.client(), prefix)
        if isinstance(engine, Secured)
        else indexed(engine, prefix)
    )


def indexed(url: str, prefix: str) -> SampleIndexes:
    """Index them under a prefix in the engine at an address."""
    return indexed_by(connect(SearchSettings(endpoint=url, auth="none")), prefix)


def indexed_by(client: OpenSearch, prefix: str) -> SampleIndexes:
    """Index them under a prefix in the engine of a client."""
    settings = IndexSettings(prefix=prefix, period="year", replicas=0)
    set_up(client, settings, formats.NAMES)
    writer = BulkWriter(
        client, seconds_left=lambda: 60, ensure_template=template_check(client, settings)
    )
    types = ObjectTypes(LogSettings())
    for number, sample in enumerate(objects()):
        start = b"".join(decompressed(BytesIO(sample.data), rows_as_json))
        detected = types.identify(sample.key, start, None)
        if detected.format is None:
            continue
        delivered = DELIVERED if number else EARLIER
        uri = f"s3://logs/{sample.key}"
        source = Source(uri, f"{number:016}", delivered, ACCOUNT, REGION)
        choose_index = every_index(prefix).of(detected.format)
        counts = SourceCounts(source, sample.format, lambda reject: None)
        for block in blocks_of(
            detected.format,
            decompressed(BytesIO(sample.data), rows_as_json),
            source,
            choose_index,
        ):
            writer.add(block, counts)
    writer.flush()
    answer = client.bulk(body="".join(_golden(IndexNames(prefix, "year"))), timeout=60)
    # Some need what the writer does with documents that are refused: they are not needed here.
    refused = [item for item in answer["items"] if "error" in item["create"]]
    assert len(refused) < len(answer["items"]) / 50, refused[:3]
    client.indices.refresh(index=f"{prefix}-*")
    return SampleIndexes(client, prefix)


def _golden(names: IndexNames) -> Iterator[str]:
    """Give the golden documents as a bulk body, each case's apart from the others', all of a day.

    A histogram over the years that they are of has more buckets than an engine gives.
    """
    same = {
        "cloud": {"account_id": ACCOUNT, "region": REGION},
        "@timestamp": iso(DELIVERED),
    }
    for case in (*cases(), *event_cases()):
        index = f"{names.stem(case.parent.name)}-{DELIVERED:%Y}"
        for document in json.loads(expected_file(case).read_text())["documents"]:
            name = f"{case.parent.name}/{case.name}/{document.pop('_id')}"
            yield json.dumps({"create": {"_index": index, "_id": name[-512:]}}) + "\n"
            yield json.dumps(document | same) + "\n"
