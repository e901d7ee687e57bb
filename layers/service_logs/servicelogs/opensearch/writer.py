"""Deliver blocks in shared bulk requests, and count what became of every record."""

import json
import random
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import batched
from typing import Any

import msgspec
from aws_lambda_powertools import Logger
from opensearchpy import OpenSearch
from opensearchpy.exceptions import OpenSearchException

from servicelogs import formats
from servicelogs.delivery.counts import SourceCounts
from servicelogs.errors import DeliveryError, TryLater
from servicelogs.opensearch.answers import (
    Finding,
    Verdict,
    created,
    hits_of,
    judge,
    judge_failure,
    judge_unread,
    results_of,
)
from servicelogs.opensearch.packed import Packed, Packer, gzipped
from servicelogs.records import Block, Reject

logger = Logger(child=True)

# A body is sent when it holds this much, and never holds more than that.
ENOUGH_BYTES = 5_000_000
MOST_BYTES = 10_000_000

# One request waits this long at most: what takes longer did not arrive, or will be there already.
REQUEST_SECONDS = 60.0

# With less than this left nothing new is begun.
LEAST_SECONDS = 2.0

# Waiting doubles from the first to the longest, each time by a random part.
FIRST_WAIT_SECONDS = 0.5
LONGEST_WAIT_SECONDS = 15.0

# Each item's status keeps its place in the answer; all else OpenSearch says is left out.
ANSWER = ",".join(
    f"items.create.{name}"
    for name in ("status", "error.type", "error.reason", "error.caused_by.reason")
)

# Of each document asked for: whether it is there, or why that cannot be said.
FOUND = "docs._id,docs.found,docs.error.type,docs.error.reason"

# So many ids are looked for in a search; they are in few indexes, if in any.
SOUGHT_IDS = 1000
MOST_HITS = 10_000

_LINE_FEED = ord("\n")


@dataclass(frozen=True, slots=True)
class Piece:
    """Documents of one source that travel together: a block's, or what is left of them."""

    block: Block
    counts: SourceCounts
    packed: Packed
    documents: int
    adjusted: bool = False
    """Whether each was refused once, and changed so that it fits."""

    def lines(self) -> list[tuple[bytes, bytes]]:
        """Return each document's action line and its own."""
        lines = self.packed.text().split(b"\n")
        return list(zip(lines[::2], lines[1::2], strict=False))

    def first(self) -> int:
        """Give the number of the first of its records."""
        return _record_number(self.packed.text().split(b"\n", 2)[1])

    def of(self, lines: Sequence[tuple[bytes, bytes]]) -> "Piece":
        """Return a piece that holds only these of its documents."""
        body = b"".join(b"%b\n%b\n" % pair for pair in lines)
        return Piece(self.block, self.counts, Packer().pack(body), len(lines), self.adjusted)

    def in_another_form(self, action: bytes, document: bytes) -> "Piece | None":
        """Return a piece of a refused document, changed so that it fits; None if it was already."""
        if self.adjusted:
            return None
        from servicelogs.opensearch.fitting import adjust  # late: few records are refused

        fitting = adjust(document, formats.get(self.counts.log_type))
        if fitting is None:
            return None
        return replace(self.of([(action, fitting)]), adjusted=True)

    def reject(self, action: bytes, document: bytes, finding: Finding) -> None:
        """Hand a document that will never be taken to its source's counts."""
        target = json.loads(action)["create"]
        number = _record_number(document)
        reject = Reject(
            number=number,
            error_type=finding.type,
            reason=finding.as_rejection(),
            raw=self.block.raw(number),
            index=target["_index"],
            id=target["_id"],
        )
        self.block.locate(reject)
        self.counts.reject(reject)


@dataclass(slots=True)
class _Pause:
    """How often in a row OpenSearch was too busy, and how long to wait for it."""

    seconds_left: Callable[[], float]
    sleep: Callable[[float], None]
    times: int = 0

    def over(self) -> bool:
        """Wait, and say whether there is time for another try."""
        longest = min(LONGEST_WAIT_SECONDS, FIRST_WAIT_SECONDS * 2**self.times)
        wait = random.uniform(longest / 2, longest)  # noqa: S311 - spreads load, guards nothing
        if self.seconds_left() - wait < LEAST_SECONDS:
            return False
        self.times += 1
        self.sleep(wait)
        return True


class BulkWriter:
    """Gathers the blocks of many sources into bulk requests.

    Every document that is added ends, at the latest with `flush`, as one of: indexed, already
    there, rejected, or left for a later delivery.
    """

    def __init__(
        self,
        client: OpenSearch,
        *,
        seconds_left: Callable[[], float],
        ensure_template: Callable[[str], None],
        ensure_index: Callable[[str], None] | None = None,
        takes_ids: bool = True,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        """Write for one attempt; to an engine that takes no ids what comes again is there twice."""
        self._client = client
        self._seconds_left = seconds_left
        self._ensure_template = ensure_template
        self._ensure_index = ensure_index
        self._takes_ids = takes_ids
        self._sleep = sleep
        self._ensured: set[str] = set()
        self._pieces: list[Piece] = []
        self._packer = Packer()
        self._bytes = 0
        self._most_bytes = MOST_BYTES

    def add(self, block: Block, counts: SourceCounts) -> None:
        """Take a block's records, its body with them; send what was gathered when it is enough."""
        _check(block)
        if not block.documents:
            counts.take(block)
            return
        self._ensure(counts.log_type, self._ensure_template)
        if self._ensure_index:
            for index in block.indexes - self._ensured:
                self._ensure(index, self._ensure_index)
        if self._bytes + len(block.body) > self._most_bytes:
            self.flush()
        piece = Piece(block, counts, self._packer.pack(block.body), block.documents)
        block.body = b""
        if block.delivery_index and self._takes_ids:
            piece = self._without_those_of_earlier_deliveries(piece)
        counts.take(block)
        counts.already_there += block.documents - piece.documents
        if not piece.documents:
            return
        self._pieces.append(piece)
        self._bytes += piece.packed.size
        if self._bytes >= min(ENOUGH_BYTES, self._most_bytes):
            self.flush()

    def flush(self) -> None:
        """Send what was gathered and settle each document of it."""
        pieces, self._pieces, self._bytes = self._pieces, [], 0
        self._packer = Packer()
        if pieces:
            self._deliver(pieces)

    def find(self, places: Sequence[tuple[str, str]]) -> list[bool]:
        """Say of each document, by its index and `_id`, whether it is there and can be read.

        What is in a closed index cannot: nobody finds it, until the index is opened. An engine that
        takes no ids finds none.
        """
        if not self._takes_ids:
            return [False] * len(places)
        documents = [{"_index": index, "_id": document_id} for index, document_id in places]
        # By id also what no search finds yet is found.
        results = self._ask(
            "/_mget",
            {"filter_path": FOUND, "_source": "false"},
            {"docs": documents},
            lambda answer: results_of(answer, "docs", len(documents)),
        )
        return [_is_there(result) for result in results]

    def _without_those_of_earlier_deliveries(self, piece: Piece) -> Piece:
        """Leave out what an earlier delivery of the same bytes put into another index.

        Of records that say no time the delivery dates the index, so that an object that is copied
        onto itself on a later day would put them there under the same `_id` once more.
        """
        index = piece.block.delivery_index
        lines = piece.lines()
        targets = [json.loads(action)["create"] for action, _ in lines]
        ids = [target["_id"] for target in targets if target["_index"] == index]
        earlier: set[str] = set()
        for asked in batched(ids, SOUGHT_IDS, strict=False):
            earlier |= self._in_other_indexes(index, asked)
        if not earlier:
            return piece
        return piece.of(
            [
                pair
                for pair, target in zip(lines, targets, strict=True)
                if target["_index"] != index or target["_id"] not in earlier
            ]
        )

    def _in_other_indexes(self, index: str, ids: Sequence[str]) -> set[str]:
        stem, _, _ = index.rpartition("-")
        # The years begin so: `aws-alb-*` would also be the indexes of `aws-alb-connection`.
        path = f"/{stem}-1*,{stem}-2*/_search"
        hits = self._ask(
            path,
            {
                "filter_path": "hits.hits._id,hits.hits._index",
                "ignore_unavailable": "true",
                "allow_partial_search_results": "false",
            },
            {"size": MOST_HITS, "_source": False, "query": {"ids": {"values": ids}}},
            hits_of,
        )
        return {hit["_id"] for hit in hits if hit["_index"] != index}

    def _ask[Answer](
        self,
        path: str,
        params: Mapping[str, str],
        body: Mapping[str, Any],
        read: Callable[[object], Answer | Finding],
    ) -> Answer:
        """Ask until there is an answer, or no time; raise why there is none."""
        pause = self._pause()
        while True:
            try:
                answer = read(
                    self._client.transport.perform_request(
                        "POST",
                        path,
                        params=params,
                        body=body,
                        timeout=min(REQUEST_SECONDS, max(self._seconds_left(), LEAST_SECONDS)),
                    )
                )
            except OpenSearchException as failure:
                answer = judge_failure(failure)
            if not isinstance(answer, Finding):
                return answer
            if answer.verdict is not Verdict.RETRY or not pause.over():
                raise answer.as_error()

    def _ensure(self, name: str, ensure: Callable[[str], None]) -> None:
        """Make sure of a log type's template or of an index, once per writer."""
        pause = self._pause()
        while name not in self._ensured:
            try:
                ensure(name)
            except TryLater:
                if not pause.over():
                    raise
            else:
                self._ensured.add(name)

    def _pause(self) -> _Pause:
        return _Pause(self._seconds_left, self._sleep)

    def _deliver(self, pieces: list[Piece]) -> None:
        pause = self._pause()
        # What is still to be sent, the next request last.
        requests = [pieces]
        busy: Finding | None = None
        while requests:
            if self._seconds_left() < LEAST_SECONDS:
                return _leave(requests, _out_of_time(busy))
            request = requests.pop()
            if _size(request) > self._most_bytes and _documents(request) > 1:
                requests += _halves(request)
                continue
            outcome = self._send(request)
            if isinstance(outcome, Finding):
                logger.warning(
                    "bulk request not answered by its items' results",
                    extra={"error_type": outcome.type, "reason": outcome.reason},
                )
                again, blocking_error = self._refused(request, outcome)
            else:
                again, blocking_error = _settle(request, outcome)
            requests += again
            if blocking_error is None:
                pause.times = 0
            elif blocking_error.verdict is Verdict.FIX:
                error = blocking_error.as_error()
                _leave(requests, error)
                raise error
            else:
                busy = blocking_error
                if not pause.over():
                    return _leave(requests, busy.as_error())
        return None

    def _send(self, request: list[Piece]) -> list[Mapping[str, Any]] | Finding:
        """Send one bulk request; return its items' results, or why there are none."""
        documents = _documents(request)
        try:
            answer = self._client.transport.perform_request(
                "POST",
                "/_bulk",
                params={"filter_path": ANSWER},
                headers={"content-type": "application/x-ndjson"},
                body=gzipped(map(self._sent, request)),
                timeout=min(REQUEST_SECONDS, self._seconds_left()),
            )
        except OpenSearchException as failure:
            return judge_failure(failure)
        return created(answer, documents)

    def _sent(self, piece: Piece) -> Packed:
        """Give a piece as it is sent: it keeps its ids for what is rejected."""
        return piece.packed if self._takes_ids else Packer().pack(_without_ids(piece.packed.text()))

    def _refused(
        self, request: list[Piece], finding: Finding
    ) -> tuple[list[list[Piece]], Finding | None]:
        """Return the requests that follow a refused one, and what holds them up."""
        if finding.verdict in (Verdict.RETRY, Verdict.FIX):
            return [request], finding
        if _documents(request) > 1:
            if finding.verdict is Verdict.SPLIT:
                self._most_bytes = _size(request) // 2
            return _halves(request), None
        piece = request[0]
        ((action, document),) = piece.lines()
        piece.reject(action, document, finding)
        return [], None


def _without_ids(body: bytes) -> bytes:
    """Take the ids out of the action lines, which are every other one."""
    lines = body.split(b"\n")
    for number in range(0, len(lines) - 1, 2):
        target = msgspec.json.decode(lines[number])["create"]
        lines[number] = msgspec.json.encode({"create": {"_index": target["_index"]}})
    return b"\n".join(lines)


def _settle(
    request: list[Piece], items: list[Mapping[str, Any]]
) -> tuple[list[list[Piece]], Finding | None]:
    """Count what became of each item; return what must be sent again and what holds it up."""
    if to_all := _unknown_to_all(request, items):
        return [request], to_all
    again: list[Piece] = []
    blocking: list[Finding] = []
    start = 0
    for piece in request:
        left, found = _settle_piece(piece, items[start : start + piece.documents])
        start += piece.documents
        again += left
        blocking += found
    return [again] if again else [], _most_severe(blocking)


def _unknown_to_all(request: list[Piece], items: list[Mapping[str, Any]]) -> Finding | None:
    """Return what every document of several sources is refused for, if no rule knows it.

    Of one source alone it may be the source's own fault: then it fails no other.
    """
    if len({id(piece.counts) for piece in request}) == 1:
        return None
    finding = None
    for result in items:
        if result["status"] == 201:
            return None
        finding = judge(result["status"], result.get("error"))
        if finding.verdict is not Verdict.UNKNOWN:
            return None
    return finding.to_all() if finding else None


def _settle_piece(
    piece: Piece, results: list[Mapping[str, Any]]
) -> tuple[list[Piece], list[Finding]]:
    """Count what became of a piece's documents; return what must be sent again, and why."""
    failed = [number for number, result in enumerate(results) if result["status"] != 201]
    piece.counts.indexed += len(results) - len(failed)
    left: list[tuple[bytes, bytes]] = []
    adjusted: list[Piece] = []
    blocking: list[Finding] = []
    lines: list[tuple[bytes, bytes]] = []
    for number in failed:
        result = results[number]
        finding = judge(result["status"], result.get("error"))
        if finding.verdict is Verdict.ALREADY_THERE:
            piece.counts.already_there += 1
            continue
        lines = lines or piece.lines()
        if finding.verdict is Verdict.ADJUST and (other := piece.in_another_form(*lines[number])):
            adjusted.append(other)
        elif finding.verdict in (Verdict.ADJUST, Verdict.REJECT):
            piece.reject(*lines[number], finding)
        elif finding.verdict is Verdict.UNKNOWN:
            number = _record_number(lines[number][1])
            piece.counts.leave(1, finding.as_error(), number)
        else:
            left.append(lines[number])
            blocking.append(finding)
    return [*adjusted, *([piece.of(left)] if left else [])], blocking


def _is_there(result: Mapping[str, Any]) -> bool:
    if "error" not in result:
        return result.get("found") is True
    finding = judge_unread(result["error"])
    if finding is not None:
        raise finding.as_error()
    return False


def _most_severe(blocking: list[Finding]) -> Finding | None:
    """Choose what must be fixed before what passes by itself."""
    return max(blocking, key=lambda found: found.verdict is Verdict.FIX, default=None)


def _check(block: Block) -> None:
    """Refuse a block whose lines are not its documents: one stray line would shift all others."""
    lines = _count_lines(block.body)
    if lines != 2 * block.documents or block.body[-1:] not in (b"\n", b""):
        raise ValueError(
            f"a block of {block.documents} documents has {lines} lines: "
            "each document is an action line and a document line"
        )


def _count_lines(body: bytes | bytearray) -> int:
    """Count the ends of lines: they are far apart, and `count` looks at each byte."""
    lines, at = 0, body.find(_LINE_FEED)
    while at >= 0:
        lines, at = lines + 1, body.find(_LINE_FEED, at + 1)
    return lines


def _record_number(document: bytes) -> int:
    """Read `log.record`, and nothing after it: the rest may be why the document was refused."""
    text = document.decode("utf-8", "replace")
    decoder = json.JSONDecoder(strict=False)
    name, end = None, 0
    while name != "log":  # what we add stands in front, without spaces: {"cloud":…,"log":…
        name, end = decoder.raw_decode(text, end + 1)
        value, end = decoder.raw_decode(text, end + 1)
    return int(value["record"])


def _halves(request: list[Piece]) -> list[list[Piece]]:
    """Cut a request in two, in the order in which `_deliver` takes them."""
    if len(request) > 1:
        middle = len(request) // 2
        return [request[middle:], request[:middle]]
    piece = request[0]
    lines = piece.lines()
    middle = len(lines) // 2
    return [[piece.of(lines[middle:])], [piece.of(lines[:middle])]]


def _documents(request: Iterable[Piece]) -> int:
    return sum(piece.documents for piece in request)


def _size(request: Iterable[Piece]) -> int:
    return sum(piece.packed.size for piece in request)


def _leave(requests: Iterable[list[Piece]], error: DeliveryError) -> None:
    for request in requests:
        for piece in request:
            piece.counts.leave(piece.documents, error, piece.first())


def _out_of_time(busy: Finding | None) -> TryLater:
    if busy is not None:
        return TryLater(str(busy.as_error()))
    return TryLater("no time was left to send these records: they come again from the queue")
