"""Put saved objects into OpenSearch Dashboards by its API, as its own import does.

https://docs.opensearch.org/latest/dashboards/management/saved-objects/
"""

import json
import secrets
from typing import Any
from urllib.parse import urlencode

import urllib3
from urllib3.exceptions import HTTPError

from servicelogs.errors import ConfigurationError, TryLater
from servicelogs.opensearch.client import Authentication

TIMEOUT_SECONDS = 60

_IMPORT = "/api/saved_objects/_import"
_RESOLVE = "/api/saved_objects/_resolve_import_errors"
_SHOWN = 300
_MOST_NAMED = 3


def import_objects(dashboards: str, authenticate: Authentication | None, ndjson: bytes) -> int:
    """Import saved objects at the address of Dashboards, over those that are there; count them.

    A ConfigurationError says what to do when Dashboards refuses them, a TryLater that it is not
    reached, or is busy.
    """
    post = _Post(dashboards.rstrip("/"), authenticate)
    answer = post.form(f"{_IMPORT}?{urlencode({'overwrite': 'true'})}", {}, ndjson)
    conflicts = [one for one in answer.get("errors", ()) if _kind_of(one) == "conflict"]
    if conflicts:
        # OpenSearch Service may ignore what stands in the address of a signed POST.
        retries = [{"type": o["type"], "id": o["id"], "overwrite": True} for o in _named(ndjson)]
        answer = post.form(_RESOLVE, {"retries": json.dumps(retries)}, ndjson)
    if not answer.get("success"):
        raise ConfigurationError(f"Dashboards refuses saved objects: {_refusals(answer)}")
    return int(answer["successCount"])


class _Post:
    """Posts forms to Dashboards, signed as the search engine's requests are."""

    def __init__(self, address: str, authenticate: Authentication | None) -> None:
        self._address = address
        self._authenticate = authenticate
        self._pool = urllib3.PoolManager(timeout=TIMEOUT_SECONDS, retries=False)

    def form(self, path: str, members: dict[str, str], ndjson: bytes) -> dict[str, Any]:
        """Send a form with a file of saved objects; return the answer, an object."""
        file = ("saved_objects.ndjson", ndjson, "application/ndjson")
        body, content_type = urllib3.encode_multipart_formdata(
            {**members, "file": file}, boundary=secrets.token_hex(16)
        )
        url = self._address + path
        signed = self._authenticate("POST", url, body) if self._authenticate else {}
        headers = {
            **signed,
            "content-type": content_type,
            "osd-xsrf": "true",
            # Where everybody sees them, not in the private tenant of the role.
            "securitytenant": "global",
        }
        try:
            answer = self._pool.request("POST", url, body=body, headers=headers)
        except HTTPError as error:
            raise TryLater(f"{self._address} is not reached: {error}") from error
        return _decoded(answer.status, answer.data, url)


def _decoded(status: int, data: bytes, url: str) -> dict[str, Any]:
    text = data.decode("utf-8", "replace")
    if status in (429, 502, 503, 504):
        raise TryLater(f"{url} answers {status}: {text[:_SHOWN]}")
    if status in (401, 403):
        raise ConfigurationError(
            f"{url} answers {status}: give OpenSearchMasterSecretArn, by whom the setup maps its "
            "role, or map the role of SetUpFunctionRoleArn (or the user of OpenSearchSecretArn) to "
            "what docs/opensearch.md lists as importing; the domain's access policy must allow "
            f"es:ESHttpPost: {text[:_SHOWN]}"
        )
    try:
        answer = json.loads(text)
    except ValueError:
        answer = None
    if status != 200 or not isinstance(answer, dict) or "success" not in answer:
        raise ConfigurationError(
            f"{url} answers {status}, and not as OpenSearch Dashboards does: {text[:_SHOWN]!r}"
        )
    return answer


def _named(ndjson: bytes) -> list[dict[str, Any]]:
    return [json.loads(line) for line in ndjson.splitlines()]


def _kind_of(refused: dict[str, Any]) -> str:
    return str(refused.get("error", {}).get("type", ""))


def _refusals(answer: dict[str, Any]) -> str:
    errors = answer.get("errors", [])
    some = [f"{one.get('type')} {one.get('id')} ({_kind_of(one)})" for one in errors[:_MOST_NAMED]]
    return f"{', '.join(some)}, of {len(errors)}"[:_SHOWN]
