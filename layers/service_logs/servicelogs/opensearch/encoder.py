"""What encoders of text and of JSON have in common: a block is begun, filled and finished."""

from collections.abc import Callable

from servicelogs.opensearch.frames import Frames
from servicelogs.records import Block, Records, Reject


class Encoder:
    """Gathers the documents of one source, block by block."""

    def __init__(self, frames: Frames) -> None:
        self.source = frames.source
        self._frames = frames.of_hour
        self._frames_of_place = frames.of_place
        self._by_record = frames.by_record
        self._all_frames = frames

    def begin(self, records: Records, skipped: int) -> None:
        """Begin a block, without so many records at its beginning."""
        self._records = records
        self._skipped = skipped
        self._body = bytearray()
        self._documents = self._expired = 0

    def finish(self, rejects: list[Reject], raw: Callable[[int], bytes] | None = None) -> Block:
        """End the block; `raw` gives a record that is not one of the source's alone."""
        records, body = self._records, self._body
        # A block is kept until it is delivered: nothing else of it may stay, here or there.
        del self._records, self._body
        records.decoded = None
        return Block(
            first=records.first + self._skipped,
            end=records.end,
            body=body,
            documents=self._documents,
            raw=raw or records.raw,
            filtered={"expired": self._expired} if self._expired else {},
            rejects=rejects,
            delivery_index=self._all_frames.delivery_index,
        )
