"""The error table: what each answer of OpenSearch means for the records concerned.

The error's type decides, not the status alone: a 403 may mean a role that lacks a permission
or one old index under a write block, a 429 a busy moment or a full disk. Whatever is not in the
table, and is not plainly temporary, is a cluster that somebody must look at: nothing is dropped for
an error that nobody has thought about.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum, auto
from typing import Any

from opensearchpy import exceptions

from servicelogs.errors import ClusterNeedsFixing, DeliveryError, TryLater

# Of OpenSearch's reasons, which may quote a whole value.
REASON_CHARACTERS = 1000


class Verdict(Enum):
    """What is to be done with a document that was not created."""

    ALREADY_THERE = auto()
    """An earlier delivery created it."""
    REJECT = auto()
    """It never matches the mapping, or its index takes no writes: to the backup bucket."""
    SPLIT = auto()
    """The request is too large, for whatever it holds."""
    RETRY = auto()
    """It may pass in a moment."""
    FIX = auto()
    """It, and others like it, pass when somebody has acted."""


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the table."""

    verdict: Verdict
    type: str
    reason: str = ""
    """A pattern found in the error's reason; empty: any."""
    advice: str = ""
    """What it means, or what to do about it."""


TABLE: tuple[Row, ...] = (
    Row(Verdict.ALREADY_THERE, "version_conflict_engine_exception"),
    # The document's own fault.
    Row(
        Verdict.REJECT,
        "mapper_parsing_exception",
        "",
        "It is not valid JSON, or does not match the mapping of the index.",
    ),
    Row(
        Verdict.REJECT,
        "illegal_argument_exception",
        "immense term",
        "A value is too long to be indexed.",
    ),
    Row(
        Verdict.REJECT,
        "action_request_validation_exception",
        "",
        "OpenSearch does not accept the document's id.",
    ),
    # The index is past writing.
    Row(
        Verdict.REJECT,
        "index_closed_exception",
        "",
        "The index is closed: open it, then send the record again.",
    ),
    Row(
        Verdict.REJECT,
        "cluster_block_exception",
        r"^index \[.*\[FORBIDDEN/",
        "The index takes no writes: lift its block, then send the record again.",
    ),
    # The cluster must be fixed.
    Row(
        Verdict.FIX,
        "cluster_block_exception",
        "TOO_MANY_REQUESTS/",
        "A node's disk is nearly full: delete old indexes, shorten DeleteAfterDays or add storage.",
    ),
    Row(
        Verdict.FIX,
        "cluster_block_exception",
        "FORBIDDEN/",
        "The cluster takes no writes at all: lift the cluster block that the reason names.",
    ),
    Row(
        Verdict.FIX,
        "index_create_block_exception",
        "",
        "The cluster creates no new indexes, mostly because storage is short: "
        "add storage or delete old indexes.",
    ),
    Row(
        Verdict.FIX,
        "validation_exception",
        "maximum (\\w+ )?shards open",
        "The cluster has reached its shard limit: delete old indexes, choose a longer "
        "IndexPeriod or fewer IndexShards for a new IndexPrefix, or add nodes.",
    ),
    Row(
        Verdict.FIX,
        "index_not_found_exception",
        "",
        "The cluster does not create indexes by itself: let action.auto_create_index "
        "allow the indexes of IndexPrefix.",
    ),
    Row(
        Verdict.FIX,
        "security_exception",
        "",
        "Map the function's role or user to a role of the security plugin that has the "
        "permissions docs/opensearch.md lists, the one that the reason names among them.",
    ),
    Row(
        Verdict.FIX,
        "invalid_index_name_exception",
        "",
        "Choose an IndexPrefix that OpenSearch accepts.",
    ),
    Row(
        Verdict.FIX,
        "illegal_argument_exception",
        "[Dd]ocument ID is not supported",
        "The collection takes no document ids: use an OpenSearch Serverless collection "
        "of the type SEARCH.",
    ),
)

_BY_STATUS: Mapping[int, str] = {
    401: "The cluster refuses the credentials: check OpenSearchAuth and its secret or role.",
    403: "The access policy of the domain or collection must allow the function's role.",
    404: "The address is not an OpenSearch endpoint: check OpenSearchEndpoint.",
}

_TOO_LARGE = "The document alone is larger than a request may be."
_UNKNOWN = "The error is unknown: check the cluster and the index's template."


@dataclass(frozen=True, slots=True)
class Finding:
    """An error of OpenSearch, understood."""

    verdict: Verdict
    type: str
    reason: str
    advice: str = ""

    def as_rejection(self) -> str:
        """Say why a document was rejected."""
        said = f"OpenSearch refuses the document: {self.reason}"
        return f"{said}. {self.advice}" if self.advice else said

    def as_error(self) -> DeliveryError:
        """Return the error that fails what could not be delivered."""
        said = f"OpenSearch answers {self.type}: {self.reason}"
        if self.verdict is Verdict.FIX:
            return ClusterNeedsFixing(f"{said}. {self.advice}")
        return TryLater(said)


def judge(status: int, error: Mapping[str, Any] | None) -> Finding:
    """Say what an error of OpenSearch means, be it an item's or a whole request's."""
    error = error or {}
    kind = str(error.get("type") or f"status_{status}")
    reason = _reason(error)
    for row in TABLE:
        if row.type == kind and re.search(row.reason, reason):
            return Finding(row.verdict, kind, reason, row.advice)
    if status == 413:
        return Finding(Verdict.SPLIT, kind, reason, _TOO_LARGE)
    if status == 429 or status >= 500:
        return Finding(Verdict.RETRY, kind, reason)
    return Finding(Verdict.FIX, kind, reason, _BY_STATUS.get(status, _UNKNOWN))


def judge_failure(failure: exceptions.OpenSearchException) -> Finding:
    """Say what it means that a whole request failed."""
    if isinstance(failure, exceptions.SSLError):
        return Finding(
            Verdict.FIX,
            "tls_error",
            _shorten(failure.error),
            "The endpoint's certificate must be valid for the name in OpenSearchEndpoint.",
        )
    if isinstance(failure, exceptions.ConnectionError):
        return Finding(Verdict.RETRY, "no_answer", _shorten(failure.error))
    if isinstance(failure, exceptions.TransportError):
        return judge(int(failure.status_code), _details(failure))
    return Finding(
        Verdict.FIX,
        "not_opensearch",
        _shorten(str(failure)),
        "The address does not answer as OpenSearch does: check OpenSearchEndpoint.",
    )


def _details(failure: exceptions.TransportError) -> Mapping[str, Any]:
    """Return the error's object, be it OpenSearch's, a plugin's or AWS's."""
    info = failure.info if isinstance(failure.info, Mapping) else {}
    error = info.get("error")
    if isinstance(error, Mapping):
        return error
    said = error or info.get("Message") or info.get("message") or failure.error
    return {"reason": said}


def _reason(error: Mapping[str, Any]) -> str:
    reason = str(error.get("reason") or "no reason given")
    cause = error.get("caused_by")
    if isinstance(cause, Mapping) and cause.get("reason"):
        reason = f"{reason} ({cause['reason']})"
    return _shorten(reason)


def _shorten(text: object) -> str:
    return str(text)[:REASON_CHARACTERS]
