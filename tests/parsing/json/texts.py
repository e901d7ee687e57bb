"""Records as JSON text, written in the ways that cutters have to read."""

import json
from typing import Any

import msgspec

COMPACT: dict[str, Any] = {"separators": (",", ":")}
LAYOUTS: dict[str, dict[str, Any]] = {
    "compact": COMPACT,
    "spaced": {},
    "pretty": {"indent": 2},
}
DECODER = msgspec.json.Decoder(dict[str, Any])
# A string in which everything stands that ends a record elsewhere.
STRUCTURE = '}{"n":1},{"n":2}]}{"Records":[\\"'
RECORDS = [
    {"n": number, "text": STRUCTURE * (number % 3), "inner": {"n": [{}, []]}} for number in range(8)
]


def written(records: list[dict[str, Any]], layout: str = "compact") -> list[bytes]:
    """Write each record as JSON."""
    return [json.dumps(record, **LAYOUTS[layout]).encode() for record in records]
