"""The error table: what each answer of OpenSearch means for the records concerned.

The error's type decides, not the status alone: a 403 may mean a role that lacks a permission
or one old index under a write block, a 429 a busy moment or a full disk. Whatever is not in the
table and not plainly temporary fails what it is about until somebody has looked at it: one record's
error its own message, the answer to a whole request the invocation. Nothing is dropped for an error
that nobody has thought about.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from enum import Enum, auto
from typing import Any

from opensearchpy import exceptions

from servicelogs.errors import ClusterNeedsFixing, DeliveryError, TryLater, UnknownRefusal

# Of OpenSearch's reasons, which may quote a whole value.
REASON_CHARACTERS = 1000
# Of an answer that nobody expected.
SHOWN_CHARACTERS = 200
CREATED = {"create": {"status": 201}}
"""What the answer to a bulk request says of a document that was created."""


class Verdict(Enum):
    """What is to be done with a document that was not created."""

    ALREADY_THERE = auto()
    """An earlier delivery created it."""
    ADJUST = auto()
    """It does not match the mapping: once more in another form; refused again: a reject."""
    REJECT = auto()
    """It never matches the mapping, or its index takes no writes: to the backup bucket."""
    SPLIT = auto()
    """The request is too large, for whatever it holds."""
    RETRY = auto()
    """It may pass in a moment."""
    FIX = auto()
    """It, and others like it, pass when somebody has acted."""
    UNKNOWN = auto()
    """Nobody has thought about it: it fails its own message, unless it is the answer to all."""


class Guard(Enum):
    """What decides who may ask for what."""

    SECURITY_PLUGIN = auto()
    DOMAIN_POLICY = auto()
    """And the policies of the role, which AWS looks at before the domain does."""
    COLLECTION_POLICY = auto()


class NotPermitted(ClusterNeedsFixing):
    """Whoever asks lacks a permission; `guard` decides over it, `cause` is what it said."""

    def __init__(self, cause: str, advice: str, guard: Guard) -> None:
        """Say what was refused, and what helps in general."""
        super().__init__(f"{cause}. {advice}")
        self.cause = cause
        self.guard = guard


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the table."""

    verdict: Verdict
    type: str
    reason: str = ""
    """A pattern found in the error's reason; empty: any."""
    advice: str = ""
    """What it means, or what to do about it."""
    guard: Guard | None = None
    """What must let in whoever asks."""


TABLE: tuple[Row, ...] = (
    Row(Verdict.ALREADY_THERE, "version_conflict_engine_exception"),
    # The document's own fault.
    Row(
        Verdict.ADJUST,
        "mapper_parsing_exception",
        "",
        "It is not valid JSON, or does not match the mapping of the index.",
    ),
    Row(
        Verdict.ADJUST,
        "illegal_argument_exception",
        "immense term",
        "A value is too long to be indexed.",
    ),
    Row(
        Verdict.ADJUST,
        "illegal_argument_exception",
        "^DocValuesField .* is too large",
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
    # Of OpenSearch Serverless: before what all other security exceptions mean.
    Row(
        Verdict.FIX,
        "security_exception",
        "authorization_exception",
        "The collection's data access policy must let the function's role in: check that "
        "CollectionName names the collection at OpenSearchEndpoint.",
        Guard.COLLECTION_POLICY,
    ),
    Row(
        Verdict.FIX,
        "Forbidden",
        "",
        "The collection's network policy must let the function in, and OpenSearchArn be the "
        "collection's.",
        Guard.COLLECTION_POLICY,
    ),
    Row(
        Verdict.FIX,
        "security_exception",
        "",
        "Map the role or user that it names to a role of the security plugin that has the "
        "permissions docs/opensearch.md lists, this one among them.",
        Guard.SECURITY_PLUGIN,
    ),
    # Of AWS, which stands before a domain.
    Row(
        Verdict.FIX,
        "status_403",
        "not authorized to perform",
        "The domain's access policy must let in the role that it names, and OpenSearchArn be the "
        "domain's.",
        Guard.DOMAIN_POLICY,
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

# Of answers that are no answers to a bulk request, whatever their status: our own types of them.
NO_ANSWER = Row(Verdict.RETRY, "no_answer")
EMPTY_ANSWER = Row(Verdict.RETRY, "empty_answer")
TRUNCATED_ANSWER = Row(Verdict.RETRY, "truncated_answer")
UNEXPECTED_ANSWER = Row(
    Verdict.FIX,
    "unexpected_answer",
    "",
    "The address does not answer as OpenSearch does: check OpenSearchEndpoint, and any proxy "
    "before it.",
)
TLS_ERROR = Row(
    Verdict.FIX,
    "tls_error",
    "",
    "The endpoint's certificate must be valid for the name in OpenSearchEndpoint.",
)

# Why a document cannot be read, so that a search does not find it either.
_UNREADABLE = {"index_not_found_exception", "index_closed_exception", "cluster_block_exception"}

_BY_STATUS: Mapping[int, str] = {
    401: "The cluster refuses the credentials: check OpenSearchAuth and its secret or role.",
    403: "The access policy of the domain or collection must allow the function's role or user.",
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
    guard: Guard | None = None

    def as_rejection(self) -> str:
        """Say why a document was rejected."""
        said = f"OpenSearch refuses the document: {self.reason}"
        return f"{said}. {self.advice}" if self.advice else said

    def as_error(self) -> DeliveryError:
        """Return the error that fails what could not be delivered."""
        said = f"OpenSearch answers {self.type}: {self.reason}"
        match self.verdict:
            case Verdict.FIX if self.guard:
                return NotPermitted(said, self.advice, self.guard)
            case Verdict.FIX:
                return ClusterNeedsFixing(f"{said}. {self.advice}")
            case Verdict.UNKNOWN:
                return UnknownRefusal(f"{said}. {self.advice}")
        return TryLater(said)

    def to_all(self) -> "Finding":
        """Understand the error as the answer to all: what nobody knows must be looked at first."""
        return replace(self, verdict=Verdict.FIX) if self.verdict is Verdict.UNKNOWN else self


def judge(status: int, error: object) -> Finding:
    """Say what an error of OpenSearch means, be it an item's or a whole request's."""
    error = error if isinstance(error, Mapping) else {"reason": error}
    kind = str(error.get("type") or f"status_{status}")
    reason = _reason(error)
    for row in TABLE:
        if row.type == kind and re.search(row.reason, reason):
            return Finding(row.verdict, kind, reason, row.advice, row.guard)
    if status == 413:
        return Finding(Verdict.SPLIT, kind, reason, _TOO_LARGE)
    if status == 429 or status >= 500:
        return Finding(Verdict.RETRY, kind, reason)
    return Finding(Verdict.UNKNOWN, kind, reason, _BY_STATUS.get(status, _UNKNOWN))


def judge_unread(error: object) -> Finding | None:
    """Say what it means that a document could not be asked for; None: nobody can read it."""
    finding = judge(0, error)
    return None if finding.type in _UNREADABLE else finding


def judge_failure(failure: exceptions.OpenSearchException) -> Finding:
    """Say what it means that a whole request failed."""
    match failure:
        case exceptions.SSLError():
            return _found(TLS_ERROR, failure.error)
        case exceptions.ConnectionError() if isinstance(failure.info, UnicodeError):
            return _found(UNEXPECTED_ANSWER, f"the answer is not text: {failure.error}")
        case exceptions.ConnectionError():
            return _found(NO_ANSWER, failure.error)
        case exceptions.TransportError():
            return judge(int(failure.status_code), _details(failure)).to_all()
        case exceptions.SerializationError():
            return _not_json(failure.args[0])
    return _found(UNEXPECTED_ANSWER, failure)


def _not_json(answer: object) -> Finding:
    """Say what an answer is that cannot be decoded: the beginning of one, or something else."""
    if isinstance(answer, str) and answer.startswith('{"'):
        return _found(TRUNCATED_ANSWER, f"the answer is truncated JSON: {_shown(answer)}")
    return _found(UNEXPECTED_ANSWER, f"the answer is not JSON: {_shown(answer)}")


def object_of(answer: object) -> Mapping[str, Any] | Finding:
    """Take an answer that is an object; say what it is instead."""
    if answer == "":
        return _found(EMPTY_ANSWER, "the answer is empty")
    if not isinstance(answer, dict):
        return _found(UNEXPECTED_ANSWER, f"the answer is not an object: {_shown(answer)}")
    return answer


def results_of(answer: object, name: str, number: int) -> list[Mapping[str, Any]] | Finding:
    """Take the list of results from an answer; say what it is if it is none for so many items."""
    found = object_of(answer)
    if isinstance(found, Finding):
        return found
    results = found.get(name)
    if not isinstance(results, list):
        return _found(UNEXPECTED_ANSWER, f"the answer has no list {name!r}: {_shown(answer)}")
    if len(results) != number:
        return _found(UNEXPECTED_ANSWER, f"{len(results)} results for {number} documents")
    if set(map(type, results)) - {dict}:
        return _found(UNEXPECTED_ANSWER, f"the results of documents are {_shown(results)}")
    return results


def hits_of(answer: object) -> list[Mapping[str, Any]] | Finding:
    """Take the hits from the answer to a search, whose empty parts are left out."""
    found = object_of(answer)
    if isinstance(found, Finding):
        return found
    outer = found.get("hits", {"hits": []})
    hits = outer.get("hits") if isinstance(outer, dict) else None
    if isinstance(hits, list):
        return hits
    return _found(UNEXPECTED_ANSWER, f"the answer to a search has no hits: {_shown(answer)}")


def created(answer: object, number: int) -> list[Mapping[str, Any]] | Finding:
    """Take each document's result from the answer to a bulk request that creates so many."""
    items = results_of(answer, "items", number)
    if isinstance(items, Finding):
        return items
    if items.count(CREATED) == number:  # a fifth of the time of looking into each
        return [CREATED["create"]] * number
    results: list[Any] = [item.get("create") for item in items]
    if set(map(type, results)) - {dict} or {type(each.get("status")) for each in results} - {int}:
        return _found(UNEXPECTED_ANSWER, f"the results of documents are {_shown(items)}")
    return results


def _found(row: Row, reason: object) -> Finding:
    return Finding(row.verdict, row.type, _shorten(reason), row.advice)


def _shown(answer: object) -> str:
    return repr(answer)[:SHOWN_CHARACTERS]


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
