"""Goes through the messages of one source: which kind they are, and which are one record."""

from collections.abc import Callable, Iterable, Iterator
from typing import Protocol

from servicelogs.parsing.messages.joining import Joiner, Message
from servicelogs.records import Block, Records, Reject, Source, TooLong


class MessageEncoder(Protocol):
    """What an engine makes of messages."""

    source: Source

    def begin(self, records: Records, skipped: int) -> None:
        """Begin a block, without so many events at its beginning."""
        ...

    def write(self, messages: Iterable[Message]) -> None:
        """Take messages, in their forms or as they are."""
        ...

    def finish(self, rejects: list[Reject], raw: Callable[[int], bytes]) -> Block:
        """End the block; `raw` gives the events of a record."""
        ...


class MessageParser:
    """Parses the messages of one source."""

    def __init__(self, joiner: Joiner, encoder: MessageEncoder) -> None:
        self._joiner = joiner
        self._encoder = encoder

    @property
    def source(self) -> Source:
        """Where the messages come from."""
        return self._encoder.source

    def cut(self, chunks: Iterable[bytes]) -> Iterator[Records | TooLong]:
        """Cut an object's text into the lines of messages."""
        return self._joiner.cut(chunks)

    def of_first_events[Said](self, records: Records, said: list[Said]) -> list[Said]:
        """Give for each event what is said of the one that its record begins with."""
        return [said[at] for at in self._joiner.firsts(records)]

    def take(self, records: Records, skipped: int) -> Block:
        """Parse messages, but for those that begin in events that are skipped."""
        messages = self._joiner.messages(records)
        if skipped:
            start = records.first + skipped
            messages = [message for message in messages if message[0] >= start]
        if records.keys is None:  # lines: an empty one is none
            messages = [message for message in messages if message[2].strip()]
        self._encoder.begin(records, skipped)
        self._encoder.write(messages)
        return self._encoder.finish([], self._joiner.raw(records))
