"""Joins the events of a record, and takes apart those that hold several.

A record that goes on in the next events is joined within the records that came together: those of
one envelope of CloudWatch Logs, which comes again as a whole, so that the result is always the
same; or the lines of an object.
"""

import re
from collections.abc import Callable, Iterable, Iterator
from itertools import repeat

from servicelogs.errors import UnreadableObject
from servicelogs.parsing.framing import MAX_RECORD_BYTES
from servicelogs.parsing.messages.format import Kind
from servicelogs.parsing.text.lines import cut_lines
from servicelogs.records import Records, TooLong

_MOST_BLANK_LINES = 1000
"""A record does not go on behind more blank lines that come together."""

type Message = tuple[int, bytes, bytes, bool]
"""A record: the text of one event, of several, or a part of one. The number of its first event,
what follows the source's id in its `_id`, its text, and whether it continues a record that is not
here, because the events that came together begin with it."""


class Joiner:
    """Makes records of events, as their kind says."""

    def __init__(self, kind: Kind) -> None:
        self.joins = bool(kind.begins)
        self._begins = _compiled(rf"(?!{kind.continues})(?:{kind.begins})").match
        self._unfinished = _compiled(kind.unfinished).fullmatch if kind.unfinished else None
        self._inside = [
            (_compiled(begins).match, _compiled(between).split) for begins, between in kind.inside
        ]

    def messages(self, records: Records) -> Iterable[Message]:
        """Give the records of events that came together."""
        items = [item.rstrip(b"\r\n") for item in records.items]
        keys = records.keys or [b"%d" % number for number in records.numbers()]
        found: Iterable[Message] = zip(
            records.numbers(), keys, items, repeat(False, len(items)), strict=True
        )
        if self.joins and None in (begun := self._begun(items)):
            found = self._joined(records.first, keys, items, begun)
        return self._taken_apart(found) if self._inside else found

    def firsts(self, records: Records) -> Iterator[int]:
        """Give for each event the place of the one that its record begins with."""
        first = 0
        begun = self._begun([item.rstrip(b"\r\n") for item in records.items])
        for at, begins in enumerate(begun):
            if begins or not self.joins:
                first = at
            yield first

    def raw(self, records: Records) -> Callable[[int], bytes]:
        """Give what finds all events of a record again."""

        def raw(number: int) -> bytes:
            at = number - records.first
            if not self.joins:
                return records.items[at].rstrip(b"\r\n")
            items = [item.rstrip(b"\r\n") for item in records.items[at:]]
            begun = enumerate(self._begun(items)[1:], 1)
            return b"\n".join(items[: next((end for end, begins in begun if begins), len(items))])

        return raw

    def cut(self, chunks: Iterable[bytes]) -> Iterator[Records | TooLong]:
        """Cut an object's text into lines, and never inside a record."""
        if not self.joins:
            yield from cut_lines(chunks)
            return
        held: Records | None = None
        lines = cut_lines(chunks)
        while True:
            try:
                piece = next(lines, None)
            except UnreadableObject:
                if held:
                    yield held
                raise
            if not isinstance(piece, Records):
                if held:
                    yield held
                    held = None
                if piece is None:
                    return
                yield piece
                continue
            if held and piece.first - held.end > _MOST_BLANK_LINES:
                yield held
                held = None
            whole, held = self._divided(_together(held, piece))
            if whole:
                yield whole

    def _begun(self, items: list[bytes]) -> list[re.Match[bytes] | None]:
        """Say of each event whether a record begins with it."""
        begun = [*map(self._begins, items)]
        if self._unfinished:
            for at, item in enumerate(items[:-1], 1):
                if self._unfinished(item):
                    begun[at] = None
        return begun

    def _divided(self, records: Records) -> tuple[Records | None, Records | None]:
        """Divide lines where the last record begins, whose end may be still to come."""
        items = records.items
        places = reversed(range(len(items)))
        last = next((at for at in places if self._begun(items[max(at - 1, 0) : at + 1])[-1]), 0)
        if sum(map(len, items[last:])) > MAX_RECORD_BYTES:
            return records, None
        before, after = items[:last], items[last:]
        return (
            Records(records.first, before) if before else None,
            Records(records.first + last, after),
        )

    def _joined(
        self,
        first: int,
        keys: Iterable[bytes],
        items: list[bytes],
        begun: list[re.Match[bytes] | None],
    ) -> Iterator[Message]:
        number, start, texts = first, b"", list[bytes]()
        continues = False
        for at, (key, item, begins) in enumerate(zip(keys, items, begun, strict=True), first):
            if texts and begins is None:
                texts.append(item)
                continue
            if texts:
                yield number, start, b"\n".join(texts), continues
            number, start, texts, continues = at, key, [item], begins is None
        if texts:
            yield number, start, b"\n".join(texts), continues

    def _taken_apart(self, messages: Iterable[Message]) -> Iterator[Message]:
        for message in messages:
            number, key, text, continues = message
            if b"\n" not in text:
                yield message
                continue
            texts = [text]
            for begins, split in self._inside:
                texts = [
                    part
                    for one in texts
                    for part in (filter(None, split(one)) if begins(one) else (one,))
                ]
            first, *others = texts
            yield number, key, first, continues
            for part, another in enumerate(others, 2):
                yield number, b"%b-%d" % (key, part), another, False


def _compiled(pattern: str) -> re.Pattern[bytes]:
    return re.compile(pattern.encode(), re.DOTALL)


def _together(held: Records | None, piece: Records) -> Records:
    """Put lines together, with the blank ones between them, which were only counted."""
    if held is None:
        return piece
    return Records(held.first, [*held.items, *[b""] * (piece.first - held.end), *piece.items])
