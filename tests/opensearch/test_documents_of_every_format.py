"""Sample logs of every format arrive without a reject, and each of their fields can be searched."""

import ipaddress
import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from io import BytesIO
from typing import Any

import pytest
from opensearchpy import OpenSearch

from local.sample_logs import generate, objects
from servicelogs import formats
from servicelogs.opensearch.dated_indexes import every_index
from servicelogs.opensearch.documents import blocks_of
from servicelogs.opensearch.setup import set_up, template_check
from servicelogs.opensearch.writer import BulkWriter
from servicelogs.parsing.format import Format
from servicelogs.records import Block, Source
from servicelogs.settings import IndexSettings
from servicelogs.sources.decompression import decompressed
from servicelogs.sources.parquet import rows_as_json
from tests.opensearch.blocks import Rejects, counts_of

RECORDS = 400
SOURCE = Source(
    "s3://logs/sample", "0123456789abcdef", datetime.now(UTC), "123456789012", "eu-west-1"
)


@pytest.fixture(params=formats.NAMES)
def log_format(request: pytest.FixtureRequest) -> Format:
    return formats.get(request.param)


@pytest.fixture
def deployment(unique_prefix: str) -> IndexSettings:
    return IndexSettings(prefix=unique_prefix, period="year", replicas=0)


def documents_in(block: Block) -> Iterator[tuple[str, dict[str, Any]]]:
    """Return the `_id` and content of each document of a block."""
    lines = bytes(block.body).split(b"\n")
    for action, document in zip(lines[::2], lines[1::2], strict=False):
        yield json.loads(action)["create"]["_id"], json.loads(document)


def values_at(document: Any, path: str) -> list[Any]:
    """Return the values at a dotted path, through lists too."""
    if isinstance(document, list):
        return [value for one in document for value in values_at(one, path)]
    if not path:
        return [] if document is None else [document]
    name, _, rest = path.partition(".")
    return values_at(document.get(name), rest) if isinstance(document, dict) else []


def query_for(kind: str, name: str, value: Any) -> dict[str, Any] | None:
    """Return a query of the kind that users ask of such a field; None when there is none for it."""
    if kind in ("integer", "long", "float", "timestamp"):
        return {"range": {name: {"gte": value, "lte": value}}}
    if kind in ("keyword", "boolean", "address"):
        return {"term": {name: value}} if len(str(value)) <= 8191 else None
    if kind == "ip":
        try:
            network = ipaddress.ip_network(value).supernet(4)
        except ValueError:
            return None
        return {"term": {name: str(network)}}
    return None


def promised(log_format: Format) -> Iterator[tuple[str, str, str]]:
    """Return each name that can be searched, the field it stands for, and its type."""
    types: dict[str, str] = {}
    for field in filter(lambda field: field.indexed, log_format.fields):
        types[field.name] = field.type
        if field.type == "address":
            types[f"{field.name}.ip"] = "ip"
    for name, kind in types.items():
        yield name, name, kind
    for common, path in log_format.common.items():
        if types.get(path, "flat_object") != "flat_object":
            yield common, path, types[path]


def searches(log_format: Format, documents: dict[str, Any]) -> Iterator[tuple[str, str, dict]]:
    """Return for each name with a value the document that has it and a query that finds it."""
    for name, path, kind in promised(log_format):
        place = path.removesuffix(".ip") if kind == "ip" and "." in path else path
        for id_, document in documents.items():
            values = values_at(document, path) or values_at(document, place)
            query = query_for(kind, name, values[0]) if values else None
            if query:
                yield name, id_, query
                break


def test_sample_logs_are_indexed_and_every_field_with_a_value_is_found_by_it(
    log_format: Format, deployment: IndexSettings, real: OpenSearch
) -> None:
    set_up(real, deployment, [log_format.name])
    writer = BulkWriter(
        real, seconds_left=lambda: 60, ensure_template=template_check(real, deployment)
    )
    rejects = Rejects()
    one = counts_of(rejects, log_format.name)
    documents: dict[str, Any] = {}
    choose_index = every_index(deployment.prefix).of(log_format)
    for block in blocks_of(
        log_format, [generate(log_format.name, RECORDS, seed=1)], SOURCE, choose_index
    ):
        documents |= documents_in(block)
        writer.add(block, one)
    writer.flush()
    assert [reject for reject in rejects if reject.index] == []
    assert one.indexed == len(documents) > RECORDS / 2
    pattern = f"{deployment.prefix}-*"
    real.indices.refresh(index=pattern)
    asked = list(searches(log_format, documents))
    lines = [
        line
        for _, id_, query in asked
        for line in (
            {"index": pattern},
            {"query": {"bool": {"filter": [query, {"ids": {"values": [id_]}}]}}, "size": 0},
        )
    ]
    answers = real.msearch(body=lines)["responses"]
    missed = [
        (name, query)
        for (name, _, query), answer in zip(asked, answers, strict=True)
        if answer.get("hits", {}).get("total", {}).get("value") != 1
    ]
    assert missed == []
    assert {name for name, _, _ in asked} >= {"source.ip"} & {*log_format.common}


def test_what_is_easy_to_get_wrong_is_indexed_unless_the_parser_rejects_it(
    log_format: Format, deployment: IndexSettings, real: OpenSearch
) -> None:
    set_up(real, deployment, [log_format.name])
    writer = BulkWriter(
        real, seconds_left=lambda: 60, ensure_template=template_check(real, deployment)
    )
    choose_index = every_index(deployment.prefix).of(log_format)
    samples = [one for one in objects() if one.format == log_format.name and one.records]
    assert samples
    for number, sample in enumerate(samples):
        rejects = Rejects()
        one = counts_of(rejects, log_format.name)
        source = replace(SOURCE, id=f"{number:016}")
        for block in blocks_of(
            log_format, decompressed(BytesIO(sample.data), rows_as_json), source, choose_index
        ):
            writer.add(block, one)
        writer.flush()
        assert one.add_up()
        assert (one.rejected, one.already_there, one.left) == (sample.rejected, 0, 0), rejects
