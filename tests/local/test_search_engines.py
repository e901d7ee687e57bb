"""The engines that tests and local stacks rely on."""

import json
import urllib.request


def version_of(url: str) -> dict[str, str]:
    with urllib.request.urlopen(url, timeout=10) as answer:
        return json.load(answer)["version"]


def test_the_real_engine_is_the_version_we_claim_to_support(opensearch: str) -> None:
    assert version_of(opensearch)["number"] == "3.8.0"
    assert version_of(opensearch)["distribution"] == "opensearch"


def test_the_embedded_engine_answers_as_that_version(osmem: str) -> None:
    assert version_of(osmem)["number"] == "3.8.0"
