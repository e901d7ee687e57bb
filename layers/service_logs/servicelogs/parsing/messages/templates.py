"""What the templates of messages share, whether these are text or JSON."""

from collections.abc import Mapping
from dataclasses import dataclass

START = '%b%b"}}\n%b%d},'
"""Takes action line, key, frame and the record's number."""


@dataclass(frozen=True, slots=True, eq=False)
class Implied:
    """Fields that messages of one shape have without saying them."""

    constants: Mapping[str, str]
    """Those of the form."""
    replaced: frozenset[str]
    """Those of the kind, the group and the stream that the message says itself."""
