"""What encoders of documents have in common: the frames of a source."""

from collections.abc import Callable
from typing import override

from servicelogs.opensearch.frames import Frames
from servicelogs.parsing.encoder import Encoder
from servicelogs.records import Block, Reject


class DocumentEncoder(Encoder):
    """Gathers the documents of one source, block by block."""

    def __init__(self, frames: Frames) -> None:
        super().__init__(frames.source)
        self._frames = frames.of_hour
        self._frames_of_place = frames.of_place
        self._by_record = frames.by_record
        self._all_frames = frames

    @override
    def finish(self, rejects: list[Reject], raw: Callable[[int], bytes] | None = None) -> Block:
        block = super().finish(rejects, raw)
        block.indexes = self._all_frames.indexes
        block.delivery_index = self._all_frames.delivery_index
        return block
