"""The vocabulary in which a format says what AWS writes and what it becomes."""

from dataclasses import dataclass
from typing import Literal

FieldType = Literal[
    "keyword",
    "text",
    "integer",
    "long",
    "float",
    "ip",
    "address",
    "timestamp",
    "timestamp_nanos",
    "boolean",
    "flat_object",
    "stored",
]
"""`text` is searched by its words, and as a whole where it is not long; `address` is an IP address
or a name (a keyword whose sub-field `ip` takes the addresses); `stored` is JSON of any shape that
is kept and not searchable."""


@dataclass(frozen=True, slots=True)
class Field:
    """One field of a record."""

    path: str
    """Where it is in the record: dots stand for nesting, `[]` stands behind what is a list."""
    type: FieldType
    description: str = ""
    since: str = ""
    """When AWS began to write it, or the version that brought it; empty: from the start."""
    date_format: str = ""
    """For a timestamp: `epoch_second`, `epoch_millis`; empty: ISO 8601."""
    alias_of: str = ""
    """Documents have it under this name instead (`@timestamp`), and an alias stands for it."""
    indexed: bool = True
    """It can be searched; else documents have it all the same, and the lake has its column."""

    @property
    def name(self) -> str:
        """Its name in a document, which does not say where lists are."""
        return self.path.replace("[]", "")

    @property
    def many(self) -> bool:
        """Whether a record may have several values of it."""
        return "[]" in self.path
