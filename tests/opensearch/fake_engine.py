"""A search engine made of a dict, and its writer: they pass the contract of the real ones."""

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from servicelogs.delivery.counts import SourceCounts
from servicelogs.errors import ClusterNeedsFixing, DeliveryError, UnknownRefusal
from servicelogs.records import Block, Reject


@dataclass
class FakeEngine:
    """What a search engine keeps, and how it misbehaves."""

    documents: dict[tuple[str, str], dict[str, Any]] = field(default_factory=dict)
    """Each document by its index and `_id`."""
    refuses: Callable[[dict[str, Any]], bool] = lambda document: False
    leaves: Callable[[dict[str, Any]], bool] = lambda document: False
    """Which documents it refuses for a reason that no rule knows."""
    error: DeliveryError | None = None
    """What every request meets."""
    blocks: int = 0
    """So many were given to writers."""

    def writer(self) -> "FakeWriter":
        return FakeWriter(self)


@dataclass
class FakeWriter:
    """Sends nothing before `flush`, as the bulk writer may."""

    engine: FakeEngine
    waiting: list[tuple[Block, SourceCounts]] = field(default_factory=list)

    def add(self, block: Block, counts: SourceCounts) -> None:
        lines = block.body.count(b"\n")
        if lines != 2 * block.documents:
            raise ValueError(f"a block of {block.documents} documents has {lines} lines")
        counts.take(block)
        self.engine.blocks += 1
        if block.documents:
            self.waiting.append((block, counts))

    def flush(self) -> None:
        waiting, self.waiting = self.waiting, []
        for block, counts in waiting:
            if self.engine.error:
                counts.leave(block.documents, self.engine.error, block.first)
            else:
                self._create(block, counts)
        if waiting and isinstance(self.engine.error, ClusterNeedsFixing):
            raise self.engine.error

    def find(self, places: Sequence[tuple[str, str]]) -> list[bool]:
        return [place in self.engine.documents for place in places]

    def _earlier(self, block: Block, index: str, document_id: str) -> bool:
        return block.delivery_index == index and any(
            other == document_id for _, other in self.engine.documents
        )

    def _create(self, block: Block, counts: SourceCounts) -> None:
        lines = bytes(block.body).split(b"\n")
        for action, line in zip(lines[::2], lines[1::2], strict=False):
            target, document = json.loads(action)["create"], json.loads(line)
            place = (target["_index"], target["_id"])
            if self.engine.refuses(document):
                counts.reject(_reject(block, document["log"]["record"], *place))
            elif self.engine.leaves(document):
                counts.leave(1, UnknownRefusal("what is this"), document["log"]["record"])
            elif place in self.engine.documents or self._earlier(block, *place):
                counts.already_there += 1
            else:
                self.engine.documents[place] = document
                counts.indexed += 1


def _reject(block: Block, record: int, index: str, document_id: str) -> Reject:
    raw = block.raw(record)
    return Reject(record, "mapper_parsing_exception", "it does not map", raw, index, document_id)
