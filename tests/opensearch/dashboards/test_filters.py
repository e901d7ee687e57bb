"""A filter finds the same in a search request and in the query bar of Dashboards (Lucene)."""

import json
from collections.abc import Iterator

import pytest
from opensearchpy import OpenSearch

from servicelogs.opensearch.dashboards.filters import (
    AnyOf,
    Exists,
    Filter,
    HasWords,
    IsBetween,
    IsLike,
    IsOneOf,
    Not,
    lucene_of,
    query_of,
)
from tests.opensearch.conftest import REAL_ENGINES

pytestmark = pytest.mark.parametrize("engine", REAL_ENGINES, indirect=True)


MAPPINGS = {
    "keyword": {"type": "keyword"},
    "text": {"type": "text"},
    "odd name-1": {"type": "keyword"},
    "free": {"type": "flat_object"},
    "number": {"type": "double"},
    "ip": {"type": "ip"},
}
TEXTS = (
    *("a", "n", '"', 'a"b', "\\", "a\\", "\\n", "\\u0041", "a*b", "a?b", "axb", "a:b", "a b"),
    *("(a)", "[a TO b]", "{a}", "AND", "OR", "NOT", "TO", "-a", "+a", "!a", "/a/", "a~2", "a^2"),
    *("&&", "||", "\n", "a\nb", "a\tb", "a\rb", "<a", ">=5", "*", "?", "a%b", "a_b", "é", "😀"),
)
NUMBERS = (-1, -0.5, 0, 1e-7, 2.5, 1e22)
ADDRESSES = ("10.0.0.1", "2001:db8::1", "::ffff:192.0.2.1")


def filters() -> Iterator[Filter]:
    for field in ("keyword", "odd name-1", "free.x"):
        for text in TEXTS:
            yield IsOneOf(field, (text,))
            yield Not(IsOneOf(field, (text, "z")))
            yield IsLike(field, f"{text.replace('*', '')}*")
    for text in TEXTS:
        yield IsLike("keyword", text)
        yield IsLike("keyword", f"*{text}")
    for number in NUMBERS:
        yield IsOneOf("number", (number,))
        yield AnyOf((IsOneOf("number", (number, 7)), IsBetween("number", (("below", number),))))
    for address in (*ADDRESSES, "10.0.0.0/8", "2001:db8::/32"):
        yield IsOneOf("ip", (address, "198.51.100.0/24"))
    for words in ("connection refused", "example.com", "don't", "OR a"):
        yield HasWords("text", words)
    yield from map(Exists, MAPPINGS)


@pytest.fixture
def odd_values(engine: OpenSearch, unique_prefix: str) -> Iterator[tuple[OpenSearch, str]]:
    client = engine
    index = f"{unique_prefix}-odd"
    settings = {"number_of_replicas": 0}
    client.indices.create(
        index=index, body={"settings": settings, "mappings": {"properties": MAPPINGS}}
    )
    documents = [
        *({"keyword": text, "odd name-1": text, "free": {"x": text}} for text in TEXTS),
        *({"number": number} for number in NUMBERS),
        *({"ip": address} for address in ADDRESSES),
        *({"text": f"{words} a or b"} for words in ("refused: connection", "example.com", "don't")),
    ]
    lines = [f'{{"index": {{}}}}\n{json.dumps(document)}\n' for document in documents]
    assert not client.bulk(index=index, body="".join(lines), refresh=True)["errors"]
    yield client, index
    client.indices.delete(index=index)


def test_a_filter_finds_the_same_however_it_is_asked(odd_values: tuple[OpenSearch, str]) -> None:
    client, index = odd_values
    asked = list(filters())
    bodies = []
    for each in asked:
        by_bar = {"query_string": {"query": lucene_of(each), "analyze_wildcard": True}}
        for query in (query_of(each), by_bar):
            bodies += [{}, {"query": query, "size": 1000}]
    answers = client.msearch(index=index, body=bodies)["responses"]
    found = [
        sorted(hit["_id"] for hit in answer["hits"]["hits"]) if "hits" in answer else answer
        for answer in answers
    ]
    differing = [
        (each, lucene_of(each), by_body, by_bar)
        for each, by_body, by_bar in zip(asked, found[::2], found[1::2], strict=True)
        if by_body != by_bar
    ]
    assert differing == []


@pytest.mark.parametrize(
    ("pattern", "value"),
    [("a?b*", "axb"), ("a\\*", "a*"), ("a_b*", "axb"), ("A*", "a")],
)
def test_in_a_pattern_all_but_the_star_stands_for_itself(
    odd_values: tuple[OpenSearch, str], pattern: str, value: str
) -> None:
    client, index = odd_values
    own = pattern.replace("*", "")
    client.index(index=index, body={"keyword": own}, refresh=True)
    hits = client.search(index=index, body={"query": query_of(IsLike("keyword", pattern))})["hits"]
    values = {hit["_source"]["keyword"] for hit in hits["hits"]}
    assert own in values
    assert value not in values
