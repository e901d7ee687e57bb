"""Cuts where the braces of a record close: sure, and ten times slower than the other ways."""

import re
from collections.abc import Iterator

from servicelogs.parsing.json.cutter import Found
from servicelogs.parsing.json.proof import is_json

_TOKEN = re.compile(rb'"[^"\\]*+(?:\\.[^"\\]*+)*+(?:"|(\\?\Z))|([{[]++)|([]}])|(,)', re.DOTALL)
_UNFINISHED, _OPENING, _CLOSING = 1, 2, 3
"""The kinds of tokens by the group that matched last; a string has none."""


class ByBraces:
    """Follows strings, braces and brackets; what stands between two records is one too."""

    def __init__(self, opening: re.Pattern[bytes] | None = None) -> None:
        """Cut records of an array, or, with what opens a document, those between documents."""
        self._opening = opening
        self._stray = b"}, \t\r\n" if opening is None else b"]}, \t\r\n"

    def cut(self, text: bytes, *, last: bool) -> Found:  # noqa: ARG002 - braces close or do not
        """Find the records token by token, up to what ends the array or opens a document."""
        stray = len(text) - len(text.lstrip(self._stray))
        return Found([], [], stray) if stray else self._follow(text)

    def _follow(self, text: bytes) -> Found:
        found = Found([], [], 0)
        depth = start = 0
        for token in _TOKEN.finditer(text):
            kind = token.lastindex
            if kind is None:
                continue
            if kind == _OPENING:
                depth += token.end() - token.start()
                continue
            if kind == _UNFINISHED:
                break
            if kind == _CLOSING:
                depth -= 1
            mark = token[0]
            if depth > 0 or (depth == 0 and mark == b"]"):
                continue
            end = token.end() if depth == 0 and mark == b"}" else token.start()
            if record := text[start:end].strip(b" \t\r\n,"):
                found.records.append(record)
            start = found.end = token.end()
            if self._opening is None and depth < 0 and mark == b"]":
                found.closed = True
                break
            if self._opening and self._opening.match(text, start):
                break
            depth = 0  # a stray bracket ends nothing
        found.known = [None] * len(found.records)
        return found


def tokens(text: bytes) -> Iterator[tuple[re.Match[bytes], int]]:
    """Give strings, commas, openings and ends, each with how deep it is nested behind it.

    Openings that follow each other are one.
    """
    depth = 0
    for token in _TOKEN.finditer(text):
        if token.lastindex == _OPENING:
            depth += token.end() - token.start()
        elif token.lastindex == _CLOSING:
            depth -= 1
        yield token, depth


def records_in(line: bytes) -> list[bytes]:
    """Cut records that follow each other on one line; the line itself where they do not end."""
    records = []
    start = 0
    for token, depth in tokens(line):
        if depth == 0 and token[0] == b"}":
            records.append(line[start : token.end()].strip(b" \t\r,"))
            start = token.end()
    if line[start:].strip(b" \t\r,") or not all(map(is_json, records)):
        return [line]
    return records
