"""Cuts decompressed chunks into blocks of whole lines."""

from collections.abc import Generator, Iterable, Iterator

from servicelogs.errors import UnreadableObject
from servicelogs.parsing.framing import KEPT_BYTES, cut
from servicelogs.records import Records, TooLong


def cut_lines(chunks: Iterable[bytes], at_least: int = 1) -> Iterator[Records | TooLong]:
    """Cut chunks into blocks of lines, counting from line 1.

    Each chunk that ends a line gives a block, unless blocks are to have so many bytes at least:
    whoever follows a pipe waits for no more. When the chunks end in an UnreadableObject, the
    unfinished line is its `tail`.
    """
    return cut(chunks, _Lines(), at_least, window_bytes=2 * at_least)


class _Lines:
    reach = 0

    def __init__(self) -> None:
        self._first = 1

    def take(self, text: bytes, *, last: bool) -> Generator[Records | TooLong, None, int]:
        """Cut up to the last line feed, or to the end; blank lines alone are only counted."""
        end = len(text) if last else text.rfind(b"\n") + 1
        if not end:
            return 0
        lines = text[: end - text.endswith(b"\n", 0, end)]
        records = Records(self._first, text=lines)
        self._first = records.end
        if not _blank(lines, len(records) - 1):
            yield records
        return end

    def give_up(self, text: bytes, *, last: bool) -> Generator[Records | TooLong, None, int]:  # noqa: ARG002 - it ends with its line
        """Reject a line that is too long."""
        yield TooLong(self._first, text[:KEPT_BYTES], len(text))
        self._first += 1
        return 0

    def go_on(self, text: bytes, start: int) -> int:
        """Find the end of a line."""
        return text.find(b"\n", start) + 1 or -1

    def end(self, rest: bytes, fault: UnreadableObject) -> Iterator[Records | TooLong]:
        """Leave what is not a whole line to the fault."""
        fault.tail, fault.number = rest[:KEPT_BYTES], self._first
        return iter(())


def _blank(lines: bytes, ends: int) -> bool:
    """Say whether lines, with so many ends, are all blank: millions of them take some kilobytes."""
    if ends == len(lines):
        return True
    if not lines.isspace():
        return False
    # A carriage return that does not end a line is damage.
    return not lines.replace(b"\r\n", b"\n").removesuffix(b"\r").strip(b" \n")
