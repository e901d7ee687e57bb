"""Text as UTF-8 without a byte order mark, whatever encoding its mark names."""

import codecs
from collections.abc import Iterator

from servicelogs.errors import UnreadableObject
from servicelogs.sources.feed import Feed

# The mark of UTF-32 begins like that of UTF-16.
_MARKS = {
    codecs.BOM_UTF32_LE: "utf-32",
    codecs.BOM_UTF32_BE: "utf-32",
    codecs.BOM_UTF16_LE: "utf-16",
    codecs.BOM_UTF16_BE: "utf-16",
}
_EVERY_MARK = (codecs.BOM_UTF8, *_MARKS)


def is_marked(start: bytes) -> bool:
    """Say whether a text that begins so has a byte order mark."""
    return start.startswith(_EVERY_MARK)


def in_utf_8(feed: Feed) -> Feed:
    """Leave out the byte order mark of a text, and write it in UTF-8 if it names another."""
    if feed.peek(len(codecs.BOM_UTF8)) == codecs.BOM_UTF8:
        feed.take(len(codecs.BOM_UTF8))
        return feed
    start = feed.peek(len(codecs.BOM_UTF32_LE))
    if not is_marked(start):
        return feed
    encoding = next((name for mark, name in _MARKS.items() if start.startswith(mark)), "")
    return Feed(_recoded(feed, encoding)) if encoding else feed


def _recoded(pieces: Iterator[bytes], encoding: str) -> Iterator[bytes]:
    decoder = codecs.getincrementaldecoder(encoding)("replace")
    for piece in pieces:
        if text := decoder.decode(piece).encode():
            yield text
    rest, _ = decoder.getstate()
    if rest:
        raise UnreadableObject(
            f"the text in {encoding.upper()} is truncated: it ends with {rest!r}"
        )
