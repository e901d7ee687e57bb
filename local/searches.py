"""A few searches that show what the data is good for."""

from collections.abc import Iterator
from typing import Any

from opensearchpy import OpenSearch

ROWS = 5
MINUTES = 6
# What AWS services answer, as errorCode, when a policy says no.
DENIED = ["AccessDenied", "AccessDeniedException", "Client.UnauthorizedOperation"]


def show(url: str) -> Iterator[str]:
    """Search, and write what was found line by line."""
    client = OpenSearch(url, timeout=30)
    yield "\nTop client addresses, all log types (source.ip)"
    for bucket in _buckets(client, "aws-*", {"match_all": {}}, _terms("source.ip")):
        yield f"  {bucket['key']:<40}{bucket['doc_count']:>8,}"
    yield "\nLoad balancer answers by minute (http.response.status_code)"
    yield from _status_codes(client)
    yield "\nDenied API calls, and who made most of them (errorCode, userIdentity.arn)"
    by_call = _terms("eventName") | {"aggs": {"who": _terms("userIdentity.arn", 1)}}
    denied = {"terms": {"errorCode": DENIED}}
    for bucket in _buckets(client, "aws-cloudtrail-*", denied, by_call):
        callers = [caller["key"].rpartition(":")[2] for caller in bucket["who"]["buckets"]]
        yield f"  {bucket['key']:<40}{bucket['doc_count']:>8,}  {', '.join(callers)}"


def _status_codes(client: OpenSearch) -> Iterator[str]:
    by_minute = {
        "date_histogram": {
            "field": "@timestamp",
            "fixed_interval": "1m",
            "min_doc_count": 1,
            "order": {"_count": "desc"},
        },
        "aggs": {"code": _terms("http.response.status_code", 10)},
    }
    minutes = _buckets(client, "aws-alb-2*", {"match_all": {}}, by_minute)[:MINUTES]
    counts = {
        minute["key_as_string"][:16].replace("T", " "): {
            code["key"]: code["doc_count"] for code in minute["code"]["buckets"]
        }
        for minute in sorted(minutes, key=lambda bucket: bucket["key"])
    }
    codes = sorted({code for found in counts.values() for code in found})
    yield f"  {'minute':<18}" + "".join(f"{code:>6}" for code in codes)
    for minute, found in counts.items():
        yield f"  {minute:<18}" + "".join(f"{found.get(code, 0):>6,}" for code in codes)


def _terms(field: str, size: int = ROWS) -> dict[str, Any]:
    return {"terms": {"field": field, "size": size}}


def _buckets(
    client: OpenSearch, index: str, query: dict[str, Any], aggregation: dict[str, Any]
) -> list[dict[str, Any]]:
    body = {"size": 0, "query": query, "aggs": {"found": aggregation}}
    answer = client.search(index=index, body=body)
    return answer.get("aggregations", {}).get("found", {}).get("buckets", [])
