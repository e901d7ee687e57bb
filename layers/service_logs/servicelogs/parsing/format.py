"""What every log format tells about itself, whichever way its records are cut."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from servicelogs.parsing.fields import Field
from servicelogs.records import Source


@dataclass(frozen=True, kw_only=True, eq=False)
class Format:
    """A log format: parser, document, mapping, schema and reference follow from it."""

    name: str
    title: str
    page: str
    """The AWS documentation page that it follows."""
    keys: tuple[str, ...]
    """Object keys as AWS lays them out, without any prefix before them (formats/keys.py)."""
    deliverer: str
    """The service principal that writes the objects."""
    common: Mapping[str, str] = field(default_factory=dict)
    """Elastic Common Schema name → our field, for alias fields."""
    snapshots: str = ""
    """A regular expression found in the keys of objects that tell of one moment, whenever their
    records happened: these are dated by their delivery."""
    starts: str = ""
    """A regular expression that only this format's first bytes match."""

    @property
    def fields(self) -> tuple[Field, ...]:
        """The document's fields in the order AWS documents them."""
        raise NotImplementedError

    def is_snapshot(self, source: Source) -> bool:
        """Say whether the records of a source tell of the moment of their delivery."""
        return bool(self.snapshots) and re.search(self.snapshots, source.uri) is not None
