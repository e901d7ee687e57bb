"""Stands in for what Athena does with named queries: their workgroup decides, and they are changed.

IAM asks about the workgroup of the queries that a request names by their ids. Of a named query its
name, its description and its text can be changed, by UpdateNamedQuery.
"""

import json
from collections.abc import Mapping
from typing import Any

from ministack.core import iam_actions
from ministack.core.responses import error_response_json, json_response
from ministack.services import athena

_CHANGED = ("Name", "Description", "QueryString")

handle_request = athena.handle_request
iam_resource = iam_actions.extract_resource_arn


async def handle(
    method: str, path: str, headers: Mapping[str, str], body: bytes, query: Any
) -> tuple[int, dict[str, str], bytes]:
    """Carry out a request of Athena, UpdateNamedQuery too."""
    if headers.get("x-amz-target", "").endswith(".UpdateNamedQuery"):
        return _update(json.loads(body))
    return await handle_request(method, path, headers, body, query)


def resource(
    service: str, method: str, path: str, headers: Any, body: bytes, query: Any, *place: str
) -> str:
    """Say which resource IAM asks about: for named queries the workgroup that they are in."""
    if service == "athena":
        body = _with_workgroup(body)
    return str(iam_resource(service, method, path, headers, body, query, *place))


def _with_workgroup(body: bytes) -> bytes:
    asked = json.loads(body or b"{}")
    ids = asked.get("NamedQueryIds") or [asked.get("NamedQueryId")]
    found = {athena._named_queries[one]["WorkGroup"] for one in ids if one in athena._named_queries}
    return json.dumps(asked | {"WorkGroup": found.pop()}).encode() if len(found) == 1 else body


def _update(asked: Mapping[str, str]) -> tuple[int, dict[str, str], bytes]:
    query = athena._named_queries.get(asked.get("NamedQueryId"))
    if query is None:
        return error_response_json("InvalidRequestException", "no such named query", 400)
    query |= {name: asked[name] for name in _CHANGED if name in asked}
    return json_response({})
