"""The pages of the log types follow the formats, and their searches find what they ask for."""

import json
import re
import uuid
from datetime import UTC, datetime
from io import BytesIO
from typing import Any

import pytest
from opensearchpy import OpenSearch

from docs.generate import PAGES, pages
from local.sample_logs import objects
from servicelogs import formats
from servicelogs.delivery.counts import SourceCounts
from servicelogs.detection.objects import ObjectTypes
from servicelogs.opensearch.client import connect
from servicelogs.opensearch.dated_indexes import every_index
from servicelogs.opensearch.documents import blocks_of
from servicelogs.opensearch.setup import set_up, template_check
from servicelogs.opensearch.writer import BulkWriter
from servicelogs.records import Source
from servicelogs.settings import IndexSettings, LogSettings, SearchSettings
from servicelogs.sources.decompression import decompressed
from servicelogs.sources.parquet import rows_as_json

# One worker runs them: they search the same indexes.
pytestmark = pytest.mark.xdist_group("sample indexes")

SEARCH = re.compile(r"```json\nGET (\S+)/_search\n(\{.*?)```", re.DOTALL)
SECTIONS = ["Switch it on", "What the bucket must allow", "A document", "Searches", "Fields"]
DELIVERED = datetime(2026, 11, 20, 8, 20, tzinfo=UTC)


def searches() -> list[Any]:
    return [
        pytest.param(target, json.loads(body), id=f"{name}-{number}")
        for name in formats.NAMES
        for number, (target, body) in enumerate(SEARCH.findall(text_of(name)), 1)
    ]


def text_of(name: str) -> str:
    path = PAGES / f"{name}.md"
    return path.read_text() if path.exists() else ""


@pytest.fixture(scope="module")
def sample_indexes(opensearch: str) -> tuple[OpenSearch, str]:
    """Index the sample logs of every type."""
    prefix = f"test-{uuid.uuid4().hex[:12]}"
    settings = IndexSettings(prefix=prefix, period="year", replicas=0)
    client = connect(SearchSettings(endpoint=opensearch, auth="none"))
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
        source = Source(f"s3://logs/{sample.key}", f"{number:016}", DELIVERED)
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
    client.indices.refresh(index=f"{prefix}-*")
    return client, prefix


@pytest.mark.parametrize("name", formats.NAMES)
def test_a_page_has_all_it_should_say(name: str) -> None:
    text = text_of(name)

    assert re.findall(r"^## (.*)$", text, re.MULTILINE) == SECTIONS, "make docs begins a page"
    assert len(SEARCH.findall(text)) == 3, "three searches, each ```json with GET INDEX/_search"
    for section in re.split(r"^## .*$", text, flags=re.MULTILINE):
        prose = re.sub(r"<!-- generated: (\w+) -->.*?<!-- end -->", r"\1", section, flags=re.DOTALL)
        assert len(prose.split()) > 1 or "fields" in prose, f"a section without prose: {section}"
        assert not re.search(r"^[A-Z ,]+\.$", prose, re.MULTILINE), "still to be written"


def test_what_follows_from_the_formats_is_up_to_date() -> None:
    stale = [path.name for path, text in pages() if not path.exists() or path.read_text() != text]

    assert stale == [], "run make docs"


def test_the_overview_has_a_row_for_each_type() -> None:
    text = (PAGES / "README.md").read_text()

    for name in formats.NAMES:
        (row,) = [line for line in text.splitlines() if line.startswith(f"| `{name}` |")]
        assert f"({name}.md)" in row
        assert formats.get(name).service_principal in row


@pytest.mark.parametrize(("target", "body"), searches())
def test_a_search_finds_something_in_the_sample_logs(
    sample_indexes: tuple[OpenSearch, str], target: str, body: dict[str, Any]
) -> None:
    client, prefix = sample_indexes

    answer = client.search(index=target.replace("aws-", f"{prefix}-"), body=body)

    assert answer["_shards"]["failed"] == 0
    assert answer["hits"]["total"]["value"] > 0
    assert everywhere_filled(answer.get("aggregations", {}))
    if "_source" in body:
        assert set(body["_source"]) <= set(found_paths(answer["hits"]["hits"]))


def everywhere_filled(aggregations: dict[str, Any]) -> bool:
    """Say whether every aggregation has a bucket with all of its own filled, or a value."""
    return all(
        any(
            everywhere_filled({k: v for k, v in bucket.items() if isinstance(v, dict)})
            for bucket in found["buckets"]
        )
        if "buckets" in found
        else found["value"] is not None
        for found in aggregations.values()
    )


def found_paths(value: object, above: str = "") -> list[str]:
    if isinstance(value, list):
        return [path for hit in value for path in found_paths(hit["_source"])]
    if isinstance(value, dict):
        return [path for k, v in value.items() for path in found_paths(v, f"{above}{k}.")]
    return [above.removesuffix(".")]
