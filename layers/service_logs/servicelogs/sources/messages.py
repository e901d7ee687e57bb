"""Lines that came wrapped: `{"message": "…"}` is the line in it, whatever the log type.

So Firehose delivers what an agent or a subscription handed it, with or without newlines between. An
object with other members beside the message is a record of its own, and stays as it is.
"""

import json
import re
from collections.abc import Generator, Iterator

from servicelogs.errors import UnreadableObject
from servicelogs.parsing.framing import BLOCK_BYTES, cut
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
    return cut(feed, _Messages(), BLOCK_BYTES) if _begins(feed.peek(_START_BYTES)) else feed


class _Messages:
    """Finds messages, and lines that are none."""

    reach = _LONGEST_BEGINNING

    def take(self, text: bytes, *, last: bool) -> Generator[bytes, None, int]:
        """Give the lines that a text begins with, each with its end."""
        lines: list[bytes] = []
        at = 0
        while at < len(text):
            if message := _wrapped(text, at):
                if message.end() == len(text) and not last:
                    break  # what ends its line may follow
                lines.append(_line(message[1]))
                at = message.end()
                continue
            # Of lines without a brace none is a message.
            brace = text.find(b"{", at)
            end = text.rfind(b"\n", at, brace if brace >= 0 else len(text))
            if end < 0 and (end := text.find(b"\n", at)) < 0:
                break
            lines.append(text[at:end])
            at = end + 1
        if lines:
            yield b"\n".join((*lines, b""))
        return at

    def give_up(self, text: bytes, *, last: bool) -> Generator[bytes, None, int]:
        """Give what does not end as it is; it is longer than any record, unless it is the last."""
        yield text if last else text + b"\n"
        return 0

    def go_on(self, text: bytes, start: int) -> int:
        """Find the next line or message."""
        found = _next_line(text, start)
        return found.end() if found else -1

    def end(self, rest: bytes, _fault: UnreadableObject) -> Iterator[bytes]:
        """Give what there is of a last line."""
        yield rest


def _line(message: bytes) -> bytes:
    """Read what stands between the quotes of a message; as it is, if that is not JSON."""
    if b"\\" not in message:
        return message
    try:
        text: str = json.loads(f'"{message.decode("utf-8", "replace")}"', strict=False)
    except ValueError:
        return message
    return text.rstrip("\r\n").encode("utf-8", "replace")
