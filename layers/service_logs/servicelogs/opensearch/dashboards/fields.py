"""The fields that panels can ask for: what the mappings of log types say."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

from servicelogs import formats
from servicelogs.opensearch.mappings import mappings

NUMBERS = frozenset({"integer", "long", "float"})
DATES = frozenset({"date", "date_nanos"})


@dataclass(frozen=True, slots=True)
class MappedField:
    """A field as an index has it."""

    name: str
    type: str
    """Its type in the mapping; an alias has that of the field it stands for."""
    path: str
    """The field it stands for, else its own name."""
    parent: str = ""
    """The field that it is a sub-field of."""

    @property
    def family(self) -> str:
        """Say what can be asked of it: number, date, keyword, ip, boolean, text, flat_object."""
        return "number" if self.type in NUMBERS else "date" if self.type in DATES else self.type

    @property
    def is_aggregatable(self) -> bool:
        """Whether its values can be counted and sorted by."""
        return self.family not in {"text", "flat_object"}


@cache
def fields_of(log_type: str) -> Mapping[str, MappedField]:
    """Give the fields of a log type's documents that can be searched, by name."""
    found = {field.name: field for field in _flattened(mappings(formats.get(log_type)), "")}
    return {
        name: MappedField(name, found[field.path].type, field.path, field.parent)
        for name, field in found.items()
    }


def common_fields(log_types: Iterable[str]) -> Mapping[str, MappedField]:
    """Give the fields of several log types; those of differing families have the type conflict."""
    found: dict[str, MappedField] = {}
    for log_type in log_types:
        for name, field in fields_of(log_type).items():
            other = found.setdefault(name, field)
            if other.family != field.family:
                found[name] = MappedField(name, "conflict", name)
    return found


def _flattened(holder: Mapping[str, Any], above: str) -> Iterator[MappedField]:
    for leaf, mapping in holder["properties"].items():
        name = f"{above}{leaf}"
        if "properties" in mapping:
            yield from _flattened(mapping, f"{name}.")
        elif mapping["type"] != "object":
            yield MappedField(name, mapping["type"], mapping.get("path", name))
            for sub_field, its in mapping.get("fields", {}).items():
                full = f"{name}.{sub_field}"
                yield MappedField(full, its["type"], full, name)
