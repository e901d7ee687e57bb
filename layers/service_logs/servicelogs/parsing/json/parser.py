"""Goes through the JSON records of one source."""

from collections.abc import Iterable, Iterator
from typing import Any, Protocol

from servicelogs.parsing.framing import KEPT_BYTES, MAX_RECORD_BYTES, too_long
from servicelogs.parsing.json.cutting import JsonCutter
from servicelogs.parsing.json.format import JsonFormat
from servicelogs.parsing.json.proof import Decoder
from servicelogs.parsing.json.values import decode
from servicelogs.records import Block, Records, Reject, Source, TooLong

_TOO_DEEP = "the record nests too deeply to be decoded"


class JsonEncoder(Protocol):
    """What an engine makes of JSON records."""

    source: Source

    @property
    def decoder(self) -> Decoder:
        """Decodes a record, which proves that it was cut where it ends."""
        ...

    def begin(self, records: Records, skipped: int) -> None:
        """Begin a block, without so many records at its beginning."""
        ...

    def take(self) -> Iterator[int]:
        """Take the block's records as they are; give the numbers of those that must be decoded."""
        ...

    def write(self, number: int, record: dict[str, Any]) -> None:
        """Take a decoded record; a ValueError if it cannot be what the engine takes."""
        ...

    def finish(self, rejects: list[Reject]) -> Block:
        """End the block."""
        ...


class JsonParser:
    """Parses the records of one source."""

    def __init__(self, log_format: JsonFormat, encoder: JsonEncoder) -> None:
        self._array = log_format.array
        self._encoder = encoder

    @property
    def source(self) -> Source:
        """Where the records come from."""
        return self._encoder.source

    def cut(self, chunks: Iterable[bytes]) -> Iterator[Records | TooLong]:
        """Cut an object's text into records."""
        return JsonCutter(self._array, self._encoder.decoder).cut(chunks)

    def take(self, records: Records, skipped: int) -> Block:
        """Parse records, without those that are skipped."""
        encoder = self._encoder
        encoder.begin(records, skipped)
        rejects = []
        for number in encoder.take():
            raw = records.raw(number)
            id_ = f"{self.source.id}-{records.key(number)}"
            if len(raw) > MAX_RECORD_BYTES:
                reason = too_long(f"{len(raw)} bytes")
                rejects.append(Reject(number, "too_long", reason, raw[:KEPT_BYTES], id=id_))
                continue
            try:
                encoder.write(number, decode(raw))
            except ValueError as error:
                rejects.append(Reject(number, "does_not_match", str(error), raw, id=id_))
            except RecursionError:
                rejects.append(Reject(number, "does_not_match", _TOO_DEEP, raw, id=id_))
        return encoder.finish(rejects)
