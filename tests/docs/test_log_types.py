"""The pages of the log types follow the formats, and their searches find what they ask for."""

import json
import re
from typing import Any

import pytest

from docs.generate import PAGES, pages
from servicelogs import formats
from tests.sample_indexes import SampleIndexes

# One worker runs them: they search the same indexes.
pytestmark = pytest.mark.xdist_group("sample indexes")

SEARCH = re.compile(r"```json\nGET (\S+)/_search\n(\{.*?)```", re.DOTALL)
SECTIONS = ["Switch it on", "What the bucket must allow", "A document", "Searches", "Fields"]


def searches() -> list[Any]:
    return [
        pytest.param(target, json.loads(body), id=f"{name}-{number}")
        for name in formats.NAMES
        for number, (target, body) in enumerate(SEARCH.findall(text_of(name)), 1)
    ]


def text_of(name: str) -> str:
    path = PAGES / f"{name}.md"
    return path.read_text() if path.exists() else ""


@pytest.mark.parametrize("name", formats.NAMES)
def test_a_page_has_all_it_should_say(name: str) -> None:
    text = text_of(name)

    assert re.findall(r"^## (.*)$", text, re.MULTILINE) == SECTIONS, "make docs begins a page"
    written = re.sub(r"<!-- generated: dashboard -->.*?<!-- end -->", "", text, flags=re.DOTALL)
    assert len(SEARCH.findall(written)) == 3, "three searches, each ```json with GET INDEX/_search"
    assert len(SEARCH.findall(text)) == 3 + 5, "make docs writes those of its dashboard"
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
    sample_indexes: SampleIndexes, target: str, body: dict[str, Any]
) -> None:
    answer = sample_indexes.search(target, body)

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
