"""An index keeps the mapping that it was made with, and takes what a later version writes.

No mapping has changed since the versions that tests/upgrades has: here each type's was another one.
"""

from collections.abc import Iterator
from typing import Any

from opensearchpy import OpenSearch

from servicelogs import formats
from servicelogs.opensearch.index_names import IndexNames
from tests.sample_indexes import SampleIndexes, indexed_by

NUMBER, KEYWORD = {"type": "integer", "ignore_malformed": True}, {"type": "keyword"}
BEFORE = {"keyword": NUMBER, "integer": KEYWORD, "long": KEYWORD, "ip": KEYWORD, "date": KEYWORD}
"""What a field was whose type has changed."""
KEPT = ("@timestamp", "log.", "cloud.", "event.ingested")
"""What every document has."""


def leaves(mapping: dict[str, Any], above: str = "") -> Iterator[tuple[str, dict[str, Any]]]:
    """Give the fields that are not objects, by their names."""
    for name, field in mapping["properties"].items():
        if "properties" in field:
            yield from leaves(field, f"{above}{name}.")
        else:
            yield f"{above}{name}", field


def older(mapping: dict[str, Any]) -> dict[str, Any]:
    """Make of a mapping that of a version without some fields, and with others of another type."""
    fields = {}
    for number, (name, field) in enumerate(leaves(mapping)):
        if field["type"] == "alias":
            continue
        if name.startswith(KEPT) or number % 3 == 2:
            fields[name] = field
        elif number % 3 == 1:
            fields[name] = BEFORE.get(field["type"], field)
    return {"dynamic": False, "properties": fields}


def mapping_of(client: OpenSearch, index: str) -> dict[str, Any]:
    """Give an index's mapping."""
    found: dict[str, Any] = client.indices.get_mapping(index=index)[index]["mappings"]
    return found


def documents_of(client: OpenSearch, index: str) -> dict[str, Any]:
    """Give an index's documents by their ids."""
    hits = client.search(index=index, body={"size": 10_000})["hits"]["hits"]
    return {one["_id"]: one["_source"] for one in hits}


def test_indexes_of_another_mapping_take_every_record_and_later_ones_have_ours(
    sample_indexes: SampleIndexes, unique_prefix: str
) -> None:
    client = sample_indexes.client
    names = {name: IndexNames(sample_indexes.prefix, "year").stem(name) for name in formats.NAMES}
    old = {name: IndexNames(unique_prefix, "year").stem(name) for name in formats.NAMES}
    before = {}
    for log_type, stem in old.items():
        mapping = older(mapping_of(client, f"{names[log_type]}-2026"))
        body = {"settings": {"number_of_replicas": 0}, "mappings": mapping}
        client.indices.create(index=f"{stem}-2026", body=body)
        before[log_type] = mapping_of(client, f"{stem}-2026")

    indexed_by(client, unique_prefix)

    for log_type, stem in old.items():
        expected = documents_of(client, f"{names[log_type]}-2026")
        assert expected, log_type
        assert documents_of(client, f"{stem}-2026") == expected, log_type
        ours = mapping_of(client, f"{names[log_type]}-2026")
        assert mapping_of(client, f"{stem}-2026") == before[log_type] != ours, log_type
        client.indices.create(index=f"{stem}-2027")
        assert mapping_of(client, f"{stem}-2027") == ours, log_type
    client.indices.delete(index=f"{unique_prefix}-*")
