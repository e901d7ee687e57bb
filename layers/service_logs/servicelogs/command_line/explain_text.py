"""Explains a line with columns: what matched, what it became, which column did not match."""

import json
import re
from collections.abc import Iterator, Sequence
from typing import Any

from servicelogs.command_line.explanation import (
    MOST_ROWS,
    Break,
    Explanation,
    Row,
    break_at,
    shown,
)
from servicelogs.opensearch.dated_indexes import one_index
from servicelogs.opensearch.documents import layouts_of
from servicelogs.opensearch.frames import Frames
from servicelogs.opensearch.text_documents import Printer, TextDocuments, make_printer
from servicelogs.parsing.text.columns import Column
from servicelogs.parsing.text.format import TextFormat
from servicelogs.parsing.text.json_objects import as_columns
from servicelogs.parsing.text.layout import EXTRA, Layout
from servicelogs.parsing.text.patterns import ABSENT
from servicelogs.records import Records, Source

_MOST_WORDS = 2 * MOST_ROWS
"""Of what follows the columns that match."""
_WITHOUT_QUOTES = {" ": "a word without spaces or quotes", "\t": "a value without tabs or quotes"}

_DEFAULT_COLUMNS = (
    "The columns are those of lines without a header; if this one has others, name them with "
    "--fields."
)
_ALL_COLUMNS = (
    "The columns are all that CloudFront has; if the configuration selects others, name them with "
    "--fields, and in a deployment by the parameter CloudFrontRealtimeFields."
)


class TextExplainer:
    """Explains lines of one source."""

    def __init__(self, log_format: TextFormat, source: Source, *, given_columns: bool) -> None:
        """Explain lines whose columns, where there is no header, the user may have given."""
        self._layouts = layouts_of(log_format)
        self._advice = "" if given_columns else _advice(log_format)
        frames = Frames(log_format, source, one_index("explained"))
        self._documents = TextDocuments(frames)

    def columns_after(self, lines: Sequence[bytes], columns: Layout[Printer]) -> Layout[Printer]:
        """Give the layout of text that counts behind lines, by the headers among them."""
        for line in lines:
            columns = self._layouts.of_text.after(self._safe(line), columns) or columns
        return columns

    def explain(self, raw: bytes, columns: Layout[Printer], explained: Explanation) -> None:
        """Fill in what is to be said of a line; `columns` are those that the last header names."""
        line = self._safe(raw)
        is_json = line.lstrip().startswith(b"{")
        try:
            of_json = self._of_json(raw) if is_json else None
        except ValueError as error:
            of_json = None
            if (fault := error.__cause__) is not None:
                explained.not_json_at = _where_json_breaks(raw, fault)
        if explained.matches:
            explained.keep([*self._rows_of_match(line, columns, of_json)])
        elif of_json:
            explained.keep([*self._rows_of_reject(*of_json)])
        elif not is_json:
            if self._advice and columns is self._layouts.of_text.first:
                explained.notes.append(self._advice)
            explained.keep([*self._rows_of_reject(self._layouts.nearest(line, columns), line)])

    def _safe(self, raw: bytes) -> bytes:
        return self._layouts.safe(raw).replace(b"\n", rb"\n")

    def _of_json(self, raw: bytes) -> tuple[Layout[Printer], bytes]:
        names, line = as_columns(raw)
        return self._layouts.of_json(names), line

    def _rows_of_match(
        self, line: bytes, columns: Layout[Printer], of_json: tuple[Layout[Printer], bytes] | None
    ) -> Iterator[Row]:
        choice = self._layouts.of_text
        readings = [
            (layout, reading)
            for reading in dict.fromkeys(choice.readings(line))
            for layout in (columns, *choice.others)
        ]
        for layout, reading in [of_json, *readings] if of_json else readings:
            document = self._document(layout, reading)
            if document is None:
                continue
            texts, rest = _texts(layout, reading)
            becomes = _becomes(layout, reading, document)
            yield from _matching(layout, texts, becomes)
            yield from _unknown(len(texts), _words(rest, layout), document)
            return

    def _rows_of_reject(self, layout: Layout[Printer], line: bytes) -> Iterator[Row]:
        """Go through the columns of a line up to the one that does not match, and beyond."""
        number = layout.matching(line)
        texts, rest = _texts(layout, line)
        wrong = number
        expected = _expected(layout, number)
        if number == len(layout.columns) and (at := _impossible_time(layout, line)) is not None:
            wrong, expected = at, f"{layout.columns[at].expects}; this one does not exist"
        rows = [
            *_matching(layout, texts[:number], self._becomes_of_beginning(layout, line, number))
        ]
        if wrong < number:
            found = rows[wrong]
            rows[wrong] = Row(
                wrong + 1, found.name, found.text, "does not match", expected=expected
            )
            yield from rows
            return
        yield from rows
        words = texts[number:] or _words(rest, layout)
        names = [_name(column) for column in layout.columns[number:]] or ["(behind the last one)"]
        found_there = words[0] if words else b""
        yield Row(number + 1, names[0], shown(found_there), "does not match", expected=expected)
        for at, word in enumerate(words[1:_MOST_WORDS], 1):
            name = names[at] if at < len(names) else ""
            yield Row(number + at + 1, name, shown(word), "not reached")

    def _becomes_of_beginning(
        self, layout: Layout[Printer], line: bytes, number: int
    ) -> dict[str, dict[str, str]]:
        """Say what the columns that match become: as if the line ended behind them."""
        texts, _ = _texts(layout, line)
        for size in range(number, 0, -1):
            beginning = _beginning(layout, line, texts, size)
            for timeless in (False, True):
                shorter = layout.beginning(size, make_printer, timeless=timeless)
                if (document := self._document(shorter, beginning)) is not None:
                    return _becomes(shorter, beginning, document)
        return {}

    def _document(self, layout: Layout[Printer], line: bytes) -> dict[str, Any] | None:
        """Give the document of a line; None if it does not have this layout."""
        documents = self._documents
        documents.begin(Records(1, [line]), 0)
        if documents.write(layout, iter([(1, 1, line)])):
            return None
        _, document, _ = bytes(documents.finish([]).body).split(b"\n")
        # Numbers are shown as the document has them: 0.000 is not 0.0.
        read: dict[str, Any] = json.loads(document, parse_float=str)
        return read


def _advice(log_format: TextFormat) -> str:
    """Say what to do where a line may have other columns than those of its type."""
    if log_format.selection:
        return _ALL_COLUMNS
    return _DEFAULT_COLUMNS if log_format.header else ""


def _is_json(layout: Layout[Printer]) -> bool:
    return bool(layout.shapes.general.of.notation.after)


def _texts(layout: Layout[Printer], line: bytes) -> tuple[list[bytes], bytes]:
    """Give what stands in the columns, as far as they match, or of all members; and the rest."""
    if _is_json(layout):
        members: dict[str, str] = json.loads(line, strict=False)
        return [value.encode(errors="replace") for value in members.values()], b""
    return layout.split(line)


def _beginning(layout: Layout[Printer], line: bytes, texts: list[bytes], size: int) -> bytes:
    """Give a line that ends after so many columns."""
    if _is_json(layout):
        match = layout.prefix(size)(line)
        return line[: match.end() - 1] + b"}" if match else line
    return layout.shapes.general.of.notation.separator.encode().join(texts[:size])


def _words(rest: bytes, layout: Layout[Printer]) -> list[bytes]:
    """Split what follows the columns that match."""
    separator = re.escape(layout.shapes.general.of.notation.separator.encode())
    return re.findall(rb'"[^"]*+"(?=%b|$)|[^%b]++' % (separator, separator), rest)


def _matching(
    layout: Layout[Printer], texts: list[bytes], becomes: dict[str, dict[str, str]]
) -> Iterator[Row]:
    columns = zip(layout.columns, texts, strict=False)
    for number, (column, text) in enumerate(columns, 1):
        fields = becomes.get(column.name, {})
        yield Row(number, _name(column), shown(text), "matches", fields)


def _unknown(known: int, words: list[bytes], document: dict[str, Any]) -> Iterator[Row]:
    """Go through columns behind the last one that is known."""
    extra = document.get("extra_fields", {})
    for number, word in enumerate(words[:_MOST_WORDS], known + 1):
        name = f"column_{number}"
        fields = {EXTRA + name: shown(extra[name])} if name in extra else {}
        yield Row(number, "(not known yet)", shown(word), "matches", fields)


def _becomes(
    layout: Layout[Printer], line: bytes, document: dict[str, Any]
) -> dict[str, dict[str, str]]:
    """Give the fields of a document that each column became, by the columns' names."""
    general = layout.shapes.general
    match = general.match(line)
    if match is None:
        return {}
    shape = general.shape(general.key(match.groups(ABSENT)))
    time = shape.time
    times = {time.name, time.date} if time else set()
    extra = document.get("extra_fields", {})
    becomes: dict[str, dict[str, str]] = {}
    for column, group in shape.groups:
        if group is None:
            continue
        fields = becomes.setdefault(column.name, {})
        name = group.field.name if group.field else ""
        if name in document:
            fields[name] = _value(document[name])
        elif (within := name.removeprefix(EXTRA)) in extra:
            fields[EXTRA + within] = _value(extra[within])
        if column.name in times:
            fields["@timestamp"] = _value(document["@timestamp"])
    return becomes


def _value(value: object) -> str:
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    return shown(text)


def _expected(layout: Layout[Printer], at: int) -> str:
    """Say in plain words what stands in a column, and how AWS writes that it has no value."""
    if at == len(layout.columns):
        return "the end of the line"
    column = layout.columns[at]
    separator = layout.shapes.general.of.notation.separator
    any_value = "text in quotes" if column.quoted else _WITHOUT_QUOTES.get(separator, "text")
    return f"{column.expects or any_value}, or {'null' if _is_json(layout) else '-'}"


def _impossible_time(layout: Layout[Printer], line: bytes) -> int | None:
    """Find the column with a date or time that does not exist."""
    general = layout.shapes.general
    match = general.match(line)
    if match is None:
        return None
    values = match.groups(ABSENT)
    shape = general.shape(general.key(values))
    if shape.time is None:
        return None
    name = shape.time.name
    if shape.time.date and shape.time.read_time:
        date = values[shape.of_columns()[shape.time.date][0]]
        try:
            shape.time.read_time(date + b"T00")
        except ValueError:
            name = shape.time.date
    return [column.name for column in layout.columns].index(name)


def _name(column: Column) -> str:
    return shown(column.name.removeprefix(EXTRA))


def _where_json_breaks(raw: bytes, fault: BaseException) -> Break | None:
    """Find where a line stops being a JSON object; None if that is not known."""
    text = raw.decode(errors="replace")
    try:
        json.loads(text)
    except json.JSONDecodeError as error:
        return break_at(text, error.pos)
    except RecursionError:
        return None
    found = re.search(r"\(byte (\d+)\)", str(fault))
    return break_at(text, len(raw[: int(found[1])].decode(errors="replace"))) if found else None
