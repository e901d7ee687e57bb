"""What the tests of formats ask for: an object's bytes parsed, each line of the body checked."""

import json
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any

from servicelogs import formats
from servicelogs.opensearch.dated_indexes import ChooseIndex, one_index
from servicelogs.opensearch.documents import blocks_of
from servicelogs.parsing.format import Format
from servicelogs.parsing.frame import RESERVED
from servicelogs.records import Block, Reject, Source

SOURCE = Source(
    uri="s3://logs/some/key",
    id="0123456789abcdef",
    delivered=datetime(2026, 11, 20, 8, 30, tzinfo=UTC),
    account_id="111122223333",
    region="eu-west-1",
)
ACTIONS = {"create", "index", "update", "delete"}


@dataclass(slots=True)
class Parsed:
    """What became of an object's records, by record number."""

    documents: dict[int, dict[str, Any]] = field(default_factory=dict)
    actions: dict[int, dict[str, str]] = field(default_factory=dict)
    rejects: list[Reject] = field(default_factory=list)
    filtered: Counter[str] = field(default_factory=Counter)
    records: int = 0

    def summary(self) -> tuple[Any, ...]:
        """Return all of it but when it was parsed, to compare two ways that must agree."""
        rejects = [(reject.number, reject.error_type, reject.raw) for reject in self.rejects]
        return self.documents, self.actions, rejects, self.filtered

    def numbers(self) -> set[int]:
        """Return the numbers of all documents and rejects."""
        return {*self.documents, *(reject.number for reject in self.rejects)}


def fresh(name: str) -> Format:
    """Return a format that has not compiled or learned anything yet."""
    return replace(formats.get(name))


def parse(
    log_format: str | Format,
    data: bytes | Iterable[bytes],
    *,
    start: int = 1,
    choose_index: ChooseIndex = one_index("an-index"),  # noqa: B008 - it has no state
) -> Parsed:
    """Parse an object, and check what holds for every body."""
    if isinstance(log_format, str):
        log_format = formats.get(log_format)
    chunks = [data] if isinstance(data, bytes) else data
    parsed = Parsed()
    for block in blocks_of(log_format, chunks, SOURCE, choose_index, start):
        _take(block, parsed)
    assert parsed.records == (len(parsed.documents) + len(parsed.rejects) + parsed.filtered.total())
    return parsed


def _take(block: Block, parsed: Parsed) -> None:
    assert block.first < block.end
    documents = 0
    for action, document in _pairs(bytes(block.body)):
        number = document["log"]["record"]
        assert block.first <= number < block.end
        assert number not in parsed.documents
        assert isinstance(block.raw(number), bytes)
        assert datetime.fromisoformat(document.pop("event")["ingested"]).tzinfo is UTC
        parsed.documents[number] = document
        parsed.actions[number] = action
        documents += 1
    assert documents == block.documents
    for reject in block.rejects:
        assert block.first <= reject.number < block.end
        assert reject.reason.isprintable()
        assert block.raw(reject.number).startswith(reject.raw)
    parsed.rejects += block.rejects
    parsed.filtered.update(block.filtered)
    parsed.records += block.records
    seen = [*parsed.documents, *(reject.number for reject in parsed.rejects)]
    assert len(seen) == len({*seen})


def _pairs(body: bytes) -> Iterator[tuple[dict[str, str], dict[str, Any]]]:
    """Read a bulk body as strictly as OpenSearch does."""
    *lines, end = body.split(b"\n")
    assert end == b""
    assert len(lines) % 2 == 0
    for action_line, document_line in zip(lines[::2], lines[1::2], strict=True):
        action, document = strict(action_line), strict(document_line)
        assert action.keys() == {"create"}
        assert action["create"].keys() == {"_index", "_id"}
        assert 0 < len(action["create"]["_id"].encode()) <= 512
        assert next(iter(document)) not in ACTIONS
        yield action["create"], document


def strict(line: bytes) -> dict[str, Any]:
    """Decode one JSON object in UTF-8 in which no name of ours comes twice.

    A name of AWS's own that comes twice in a record goes through: OpenSearch refuses that document.
    """
    members: list[tuple[str, Any]] = []

    def object_of(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        nonlocal members
        members = pairs  # the outermost object's are the last
        return dict(pairs)

    found = json.loads(
        line.decode(), object_pairs_hook=object_of, parse_constant=_no_constant, parse_int=_integer
    )
    assert isinstance(found, dict)
    if len(members) != len(found):
        names = Counter(name for name, _ in members)
        assert all(names[name] <= 1 for name in RESERVED), f"a name comes twice in {line[:300]!r}"
    return found


def _integer(text: str) -> int | str:
    return int(text) if len(text) < 1_000 else text


def _no_constant(text: str) -> None:
    raise ValueError(f"{text} is not JSON")


def chunked(data: bytes, size: int) -> list[bytes]:
    """Cut bytes into chunks of one size."""
    return [data[start : start + size] for start in range(0, len(data), size)]
