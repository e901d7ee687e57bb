"""Ask which indexes there are."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from opensearchpy import OpenSearch
from opensearchpy.exceptions import NotFoundError, OpenSearchException

from servicelogs.opensearch.answers import Finding, judge_failure, object_of

PAGE = 100
"""So many indexes of cold storage are listed at a time."""


def indexes_of(client: OpenSearch, patterns: Iterable[str]) -> list[str]:
    """List the indexes whose names match one of the patterns, closed ones too; no aliases."""
    path = f"/{','.join(patterns)}/_settings"
    answer = get(client, path, expand_wildcards="open,closed", filter_path="*.settings.index.uuid")
    return sorted(answer)


def cold_indexes(client: OpenSearch, stem: str) -> Iterator[str]:
    """List the indexes in cold storage (of Amazon OpenSearch Service) whose names begin so."""
    asked: dict[str, Any] = {"filters": {"index_pattern": f"{stem}-*"}}
    while True:
        path = "/_cold/indices/_search"
        try:
            answer = object_of(
                client.transport.perform_request(
                    "GET", path, params={"page_size": str(PAGE)}, body=asked
                )
            )
        except OpenSearchException as failure:
            raise judge_failure(failure).as_error() from failure
        if isinstance(answer, Finding):
            raise answer.as_error()
        page = [each["index"] for each in answer.get("indices", ())]
        yield from page
        if len(page) < PAGE:
            return
        asked = {"pagination_id": answer["pagination_id"]}


def get(client: OpenSearch, path: str, **params: str) -> Mapping[str, Any]:
    """Ask for something; what is not there is empty."""
    try:
        answer = object_of(client.transport.perform_request("GET", path, params=params))
    except NotFoundError:
        return {}
    except OpenSearchException as failure:
        raise judge_failure(failure).as_error() from failure
    if isinstance(answer, Finding):
        raise answer.as_error()
    return answer
