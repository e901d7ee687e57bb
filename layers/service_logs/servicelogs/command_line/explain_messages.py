"""Explains the message of a log event: the fields that it becomes."""

import json
from collections.abc import Iterator
from typing import Any

from servicelogs.command_line.explanation import Explanation, Row, shown
from servicelogs.command_line.reference import type_of
from servicelogs.opensearch.dated_indexes import one_index
from servicelogs.opensearch.documents import parser_of
from servicelogs.parsing.messages.format import MESSAGE, MessageFormat
from servicelogs.records import Records, Source

_FRAME = ("cloud", "event", "log")
_NO_FORM = "it has no form that is known: it is kept as a whole"


def explain_message(
    log_format: MessageFormat,
    source: Source,
    raw: bytes,
    time: bytes | None,
    explained: Explanation,
) -> None:
    """Fill in what is to be said of a record; its event may have a time."""
    records = Records(1, [raw], times=[time] if time else None)
    block = parser_of(log_format, source, one_index("explained")).take(records, 0)
    _, *documents = bytes(block.body).split(b"\n")
    if documents:
        document = json.loads(documents[0])
        rows = [*_rows(log_format, document, raw)]
        explained.keep(rows)


def _rows(log_format: MessageFormat, document: dict[str, Any], raw: bytes) -> Iterator[Row]:
    types = {field.name: type_of(field) for field in log_format.fields}
    whole = document.get(MESSAGE) == raw.decode(errors="replace")
    names = [name for name in document if name not in _FRAME]
    for number, name in enumerate(names, 1):
        value = document[name]
        text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
        note = _NO_FORM if name == MESSAGE and whole else ""
        yield Row(number, name, shown(text), "matches", type=types.get(name, ""), note=note)
