"""What is said of one record: column by column, or field by field, and for people as a table."""

import textwrap
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Literal

from servicelogs.errors import one_line

type State = Literal["matches", "does not match", "not reached", "unknown"]

MOST_CHARACTERS = 500
"""Of a value that is shown; a table cuts it further."""
MOST_ROWS = 300
_NUMBER_WIDTH = 5
_GAP = "  "
_BECOMES = "what it becomes"
_EXCERPT_BEFORE, _EXCERPT_AFTER = 35, 20


@dataclass(frozen=True, slots=True)
class Row:
    """A column of a line, or a field of a JSON record."""

    number: int
    name: str
    """AWS's own; of a field, its path."""
    text: str
    """What stands there."""
    state: State
    becomes: dict[str, str] = field(default_factory=dict)
    """The fields of the document, and their values."""
    type: str = ""
    """Of a field of JSON, as it is declared."""
    expected: str = ""
    """What should stand there, where it does not match."""
    note: str = ""


@dataclass(frozen=True, slots=True)
class Break:
    """Where a text stops being JSON."""

    position: int
    """Characters before it."""
    excerpt: str
    caret: int
    """Characters of the excerpt before it."""


@dataclass(slots=True)
class Explanation:
    """What becomes of one record, and why."""

    log_type: str
    record: int
    """Its number in its source."""
    matches: bool = True
    reason: str = ""
    """Why it is rejected: what `parse` says."""
    rows: list[Row] = field(default_factory=list)
    more_rows: int = 0
    """Rows that are not shown."""
    not_json_at: Break | None = None
    notes: list[str] = field(default_factory=list)
    also_rejected: list[int] = field(default_factory=list)
    """Numbers of other records of its source that are rejected, the first of them."""

    def keep(self, rows: list[Row]) -> None:
        """Take rows, as many as a person may look through."""
        self.rows = rows[:MOST_ROWS]
        self.more_rows = len(rows) - len(self.rows)


def shown(value: str | bytes, most: int = MOST_CHARACTERS) -> str:
    """Make a value safe for a terminal, and cut it."""
    text = (
        value[: 4 * most].decode(errors="backslashreplace") if isinstance(value, bytes) else value
    )
    safe = one_line(text[: most + 1])
    return safe if len(safe) <= most else f"{safe[: most - 1]}…"


def break_at(text: str, position: int) -> Break:
    """Show where a text stops being JSON."""
    before = shown(text[max(position - _EXCERPT_BEFORE, 0) : position])
    return Break(position, before + shown(text[position : position + _EXCERPT_AFTER]), len(before))


def as_lines(explained: Explanation, title: str, width: int) -> Iterator[str]:
    """Write what is explained as a table of this width, with a verdict below it."""
    yield f"{explained.log_type}, record {explained.record}: {title}"
    if explained.rows:
        yield ""
        yield from _table(explained.rows, width)
    if explained.more_rows:
        yield f"… and {explained.more_rows} more"
    if explained.not_json_at:
        yield ""
        yield explained.not_json_at.excerpt
        yield " " * _width(explained.not_json_at.excerpt[: explained.not_json_at.caret]) + "^"
    yield ""
    yield "matches" if explained.matches else f"rejected: {shown(explained.reason)}"
    notes = [*explained.notes]
    if also := ", ".join(map(str, explained.also_rejected)):
        notes.append(f"Also rejected: {also}; --record NUMBER explains one.")
    for note in notes:
        yield from textwrap.wrap(note, width)


def _table(rows: list[Row], width: int) -> Iterator[str]:
    name_width = min(max(len("column"), *(_width(row.name) for row in rows)), width * 3 // 8)
    rest = width - _NUMBER_WIDTH - name_width - 2 * len(_GAP)
    text_width = rest * 2 // 5
    is_json = any(row.type for row in rows)
    name, outcome = ("field", "type, or what it becomes") if is_json else ("column", _BECOMES)
    headings = (_cell(name, name_width), _cell("what stands there", text_width))
    yield _GAP.join((" " * _NUMBER_WIDTH, *headings, _cut(outcome, rest - text_width - len(_GAP))))
    for row in rows:
        mark = ">" if row.state == "does not match" else ""
        cells = (
            f"{mark}{row.number}".rjust(_NUMBER_WIDTH),
            _cell(row.name, name_width),
            _cell(row.text, text_width),
        )
        first, *others = _outcome(row, rest - text_width - len(_GAP)) or [""]
        yield _GAP.join((*cells, first)).rstrip()
        indent = " " * (width - (rest - text_width - len(_GAP)))
        yield from (f"{indent}{other}" for other in others)


def _outcome(row: Row, width: int) -> list[str]:
    """Say what becomes of a row, in lines of this width."""
    lines = [f"{name}={value}" if value else name for name, value in row.becomes.items()]
    lines = [_cut(line, width) for line in lines]
    match row.state:
        case "does not match":
            lines += textwrap.wrap(f"does not match; expected: {row.expected}", width)
        case "not reached":
            lines.append(row.state)
    aside = row.note or (row.type if not lines else "")
    return [*lines, *textwrap.wrap(aside, width)]


def _cell(text: str, width: int) -> str:
    cut = _cut(text, width)
    return cut + " " * (width - _width(cut))


def _cut(text: str, width: int) -> str:
    if _width(text) <= width:
        return text
    while _width(text) >= width:
        text = text[:-1] if len(text) <= 2 * width else text[: 2 * width]
    return f"{text}…"


def _width(text: str) -> int:
    """Count the places that a text takes on a terminal."""
    return sum(1 + (unicodedata.east_asian_width(character) in "WF") for character in text)
