"""What encoders have in common, whatever the engine: a block is begun, filled and finished."""

from collections.abc import Callable
from functools import cached_property

from servicelogs.dates import DELIVERY_HOUR, iso, read_iso_hour
from servicelogs.records import Block, Records, Reject, Source


class Encoder:
    """Encodes the records of one source, block by block."""

    def __init__(self, source: Source) -> None:
        self.source = source

    def begin(self, records: Records, skipped: int) -> None:
        """Begin a block, without so many records at its beginning."""
        self._records = records
        self._skipped = skipped
        self._body = bytearray()
        self._documents = self._expired = 0

    def _time_of_source(self, number: int) -> tuple[int, bytes]:
        """Give the hour and the time of a record that tells none itself."""
        time = self._records.time(number)
        return (read_iso_hour(time[:13])[0], time) if time else self._delivered

    @cached_property
    def _delivered(self) -> tuple[int, bytes]:
        return DELIVERY_HOUR, iso(self.source.delivered)[:-1].encode()

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
        )
