"""What every log format says of itself, whichever way its records are cut."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import ClassVar, Literal, get_args

from servicelogs.errors import ConfigurationError
from servicelogs.parsing.fields import Field
from servicelogs.records import Source

Period = Literal["hour", "day", "week", "month", "year"]

# From the shortest to the longest.
PERIODS: tuple[Period, ...] = get_args(Period)
MOST_DAYS: Mapping[Period, int] = MappingProxyType(
    {"hour": 1, "day": 1, "week": 7, "month": 31, "year": 366}
)
"""Days that begin in a period, at most."""


@dataclass(frozen=True, slots=True)
class Summary:
    """What is kept of the records of a minute where nobody asks for each of them."""

    by: tuple[str, ...]
    """The fields by which they are counted apart: of few values, so no client and no path."""
    sums: tuple[str, ...] = ()
    """The numbers that are added up."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Format:
    """A log format: parser, document, mapping, schema and reference follow from it."""

    kind: ClassVar[Literal["text", "json", "messages"]]
    """How its records are cut and parsed; what does that is loaded when it is needed."""

    name: str
    title: str
    page: str
    """The AWS documentation page that it follows."""
    keys: tuple[str, ...]
    """Object keys as AWS lays them out, without any prefix before them (detection/keys.py)."""
    service_principal: str
    """The service principal that writes the objects; empty: none does."""
    common: Mapping[str, str] = field(default_factory=dict)
    """Elastic Common Schema name → our field, for alias fields."""
    personal: Mapping[str, str] = field(default_factory=dict)
    """The fields that can say something of a person, beside those whose type or common name says so
    (command_line/reference.py), and what they hold."""
    places: tuple[str, ...] = ()
    """The fields (of text: the columns) that name a record's account and Region, or an ARN in them,
    the best first; they count where the object's key does not say."""
    worldwide: str = ""
    """A regular expression found in the URIs of objects, or in the values of `places`, whose
    records are of no Region; the lake has them under `global`."""
    snapshots: str = ""
    """A regular expression found in the keys of objects that describe one moment, whenever their
    records happened: these are dated by their delivery."""
    least_period: Period = "hour"
    """The shortest time that is kept apart (in an index of its own)."""
    log_groups: str = ""
    """A regular expression of the log groups of CloudWatch Logs whose events are of this type."""
    starts: str = ""
    """A regular expression that only this format's first lines match."""
    option: str = ""
    """The parameter that says which columns files without a header have; another format may have
    it too. Empty: the columns are always the same, or in each file."""
    headless: str = ""
    """A regular expression of lines with the columns of the option."""
    summary: Summary | None = None
    """What the lake's summary of it has; None: it has none."""

    @property
    def fields(self) -> tuple[Field, ...]:
        """The document's fields in the order AWS documents them."""
        raise NotImplementedError

    def is_worldwide(self, source: Source, values: Iterable[str]) -> bool:
        """Say whether a record of a source, with these values of `places`, is of no Region."""
        pattern = self.worldwide
        return bool(pattern) and any(re.search(pattern, text) for text in (source.uri, *values))

    def is_snapshot(self, source: Source) -> bool:
        """Say whether the records of a source describe the moment of their delivery."""
        return bool(self.snapshots) and re.search(self.snapshots, source.uri) is not None

    def with_fields(self, names: tuple[str, ...]) -> "Format":
        """Give this format with these columns in files without a header.

        A ConfigurationError that says why if it cannot have them.
        """
        asked = " ".join(names)
        raise ConfigurationError(
            f"the columns of {self.name} are always the same, and not {asked[:60]!r}"
        )
