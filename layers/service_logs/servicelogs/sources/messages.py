"""Lines that came wrapped: `{"message": "…"}` is the line in it, whatever the log type.

So Firehose delivers what an agent or a subscription handed it, with or without newlines between. An
object with other members beside the message is a record of its own, and stays as it is.
"""

import json
import re
from collections.abc import Iterator

from servicelogs.errors import UnreadableObject
from servicelogs.parsing.framing import BLOCK_BYTES, MAX_RECORD_BYTES
from servicelogs.sources.feed import Feed

_BEGINNING = rb'\{[ \t]*+"message"[ \t]*+:[ \t]*+"'
_wrapped = re.compile(
    rb'[ \t,]*+%b([^"\\\n]*+(?:\\.[^"\\\n]*+)*+)"[ \t]*+\}[ \t,\r]*+\n?' % _BEGINNING
).match
_begins = re.compile(rb"\s*+" + _BEGINNING).match
_next_line = re.compile(rb"\n|(?=%b)" % _BEGINNING).search
_LONGEST_BEGINNING = 256
_START_BYTES = 1024


def unwrapped(feed: Feed) -> Iterator[bytes]:
    """Take the lines of a text out of their messages, if it begins with one."""
    return _lines(feed) if _begins(feed.peek(_START_BYTES)) else feed


def _lines(pieces: Iterator[bytes]) -> Iterator[bytes]:
    pending: list[bytes] = []
    size, enough = 0, BLOCK_BYTES
    lost = False
    try:
        for piece in pieces:
            pending.append(piece)
            size += len(piece)
            if size < enough:
                continue
            text, rest, lost = _taken(b"".join(pending), lost=lost)
            yield text
            pending, size = [rest], len(rest)
            # A message that fills the buffer is looked at again when there is twice as much.
            enough = max(BLOCK_BYTES, 2 * size)
    except UnreadableObject:
        text, rest, _ = _taken(b"".join(pending), lost=lost)
        yield text + rest
        raise
    text, rest, _ = _taken(b"".join(pending), lost=lost, last=True)
    yield text + rest


def _taken(buffer: bytes, *, lost: bool, last: bool = False) -> tuple[bytes, bytes, bool]:
    """Give the lines that a text begins with, what is left of it, and whether that is given up.

    A message that does not end is, once it is longer than any record.
    """
    lines: list[bytes] = []
    at = 0
    if lost:
        if not (found := _next_line(buffer)):
            keep = max(0, len(buffer) - _LONGEST_BEGINNING)
            return buffer[:keep], buffer[keep:], True
        lines.append(buffer[: found.start()])
        at = found.end()
    while at < len(buffer):
        if message := _wrapped(buffer, at):
            if message.end() == len(buffer) and not last:
                break  # what ends its line may follow
            lines.append(_line(message[1]))
            at = message.end()
            continue
        end = buffer.find(b"\n", at)
        if end < 0:
            break
        lines.append(buffer[at:end])
        at = end + 1
    text = b"\n".join((*lines, b""))
    rest = buffer[at:]
    if len(rest) > MAX_RECORD_BYTES:
        return text + rest, b"", True
    return text, rest, False


def _line(message: bytes) -> bytes:
    """Read what stands between the quotes of a message; as it is, if that is not JSON."""
    if b"\\" not in message:
        return message
    try:
        text: str = json.loads(f'"{message.decode("utf-8", "replace")}"', strict=False)
    except ValueError:
        return message
    return text.rstrip("\r\n").encode("utf-8", "replace")
