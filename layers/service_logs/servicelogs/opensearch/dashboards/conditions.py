"""Read filters as a file of panels has them: conditions on fields, and names of other filters."""

import ipaddress
import re
from collections.abc import Mapping

from servicelogs.opensearch.dashboards.fields import MappedField
from servicelogs.opensearch.dashboards.filters import (
    BOUNDS,
    AllOf,
    AnyOf,
    Exists,
    Filter,
    HasWords,
    IsBetween,
    IsLike,
    IsOneOf,
    Not,
    Value,
)
from servicelogs.opensearch.dashboards.written import Written, unknown

_CONDITIONS = (*BOUNDS, "like", "words", "exists")
_TOGETHER = ("not", "any", "all")


class Filters:
    """Reads the filters of a page, of which some have names."""

    def __init__(self, fields: Mapping[str, MappedField], named: Mapping[str, Written]) -> None:
        self._fields = fields
        self._named = named

    def check_named(self) -> None:
        """Read every named filter, also one that nothing uses."""
        for name, written in self._named.items():
            self._read(written, (name,))

    def read(self, written: Written) -> Filter:
        """Read a filter: the name of one, or conditions that must all hold."""
        return self._read(written, ())

    def _read(self, written: Written, inside: tuple[str, ...]) -> Filter:
        if isinstance(written.value, str):
            return self._read_named(written, inside)
        members = written.members()
        if not members:
            raise written.mistake("a filter must have a condition")
        found = tuple(self._read_member(key, its, inside) for key, its in members.items())
        return found[0] if len(found) == 1 else AllOf(found)

    def _read_named(self, written: Written, inside: tuple[str, ...]) -> Filter:
        name = written.text()
        if name not in self._named:
            raise written.mistake(unknown(name, "filter", self._named))
        if name in inside:
            circle = " -> ".join((*inside[inside.index(name) :], name))
            raise written.mistake(f"filters go round in a circle: {circle}")
        return self._read(self._named[name], (*inside, name))

    def _read_member(self, key: str, written: Written, inside: tuple[str, ...]) -> Filter:
        if key == "not":
            return Not(self._read(written, inside))
        if key in ("any", "all"):
            some = tuple(self._read(one, inside) for one in written.items())
            return AnyOf(some) if key == "any" else AllOf(some)
        return self._read_condition(self.field(key, written), written)

    def field(self, name: str, written: Written) -> MappedField:
        """Find a field; inside of a free-form field, any name is one."""
        if name in self._fields:
            return self._fields[name]
        above = name
        while "." in above:
            above = above.rpartition(".")[0]
            if above in self._fields and self._fields[above].family == "flat_object":
                return MappedField(name, "keyword", name)
        raise written.mistake(unknown(name, "field", [*self._fields, *_TOGETHER]))

    def _read_condition(self, field: MappedField, written: Written) -> Filter:
        if not isinstance(written.value, dict):
            return IsOneOf(field.name, tuple(_value_of(field, one) for one in written.items()))
        conditions = written.members(_CONDITIONS)
        if "like" in conditions and field.name not in self._fields:
            _refuse_other_than_beginning(conditions["like"])
        if conditions.keys() <= BOUNDS.keys() and conditions:
            return _range_of(field, conditions)
        if len(conditions) != 1:
            raise written.mistake(f"one condition is expected, of {', '.join(_CONDITIONS)}")
        ((word, its),) = conditions.items()
        return _condition(field, word, its)


def _condition(field: MappedField, word: str, written: Written) -> Filter:
    if word == "exists":
        if not isinstance(written.value, bool):
            raise written.mistake("exists must be true or false")
        return Exists(field.name) if written.value else Not(Exists(field.name))
    family = {"like": "keyword", "words": "text"}[word]
    if field.family != family:
        raise written.mistake(f"{word} is for a {family}, and {field.name!r} is a {field.family}")
    if word == "like":
        return IsLike(field.name, written.text())
    return HasWords(field.name, _words(written))


def _words(written: Written) -> str:
    """Read words that an engine cuts no further: in quotes such a word would be a phrase."""
    text = written.text()
    if not all(re.fullmatch(r"\w+([.']\w+)*", word) for word in text.split()):
        plain = " ".join(re.findall(r"\w+", text))
        raise written.mistake(
            f"words must be letters and digits with spaces between the words, as {plain[:60]!r}, "
            f"not {text[:60]!r}"
        )
    return text


def _refuse_other_than_beginning(written: Written) -> None:
    if not re.fullmatch(r"[^*]*\*?", written.text()):
        raise written.mistake(
            "inside of a free-form field, like must be a beginning, as `app*`: the query bar of "
            "Dashboards finds nothing else there"
        )


def _range_of(field: MappedField, conditions: Mapping[str, Written]) -> Filter:
    for two in (("from", "above"), ("to", "below")):
        if conditions.keys() >= {*two}:
            raise conditions[two[1]].mistake(f"either {two[0]} or {two[1]} is expected")
    bounds: list[tuple[str, int | float]] = []
    for word, its in conditions.items():
        if field.family != "number":
            raise its.mistake(f"{word} is for a number, and {field.name!r} is a {field.family}")
        if isinstance(its.value, bool) or not isinstance(its.value, int | float):
            raise its.mistake(f"{word} must be a number")
        bounds.append((word, its.value))
    ends = [value for _, value in sorted(bounds, key=lambda one: one[0] in ("to", "below"))]
    if ends != sorted(ends):
        raise its.mistake(f"no number is between {ends[0]} and {ends[1]}")
    return IsBetween(field.name, tuple(bounds))


def _value_of(field: MappedField, written: Written) -> Value:
    value = written.scalar()
    match field.family:
        case "number":
            fits = isinstance(value, int | float) and not isinstance(value, bool)
        case "boolean":
            fits = isinstance(value, bool)
        case "ip":
            fits = isinstance(value, str) and _is_network(value)
        case "keyword":
            fits = isinstance(value, str)
        case _:
            raise written.mistake(
                f"{field.name!r} is a {field.family}, which has no value of its own"
            )
    if not fits:
        raise written.mistake(_wrong_value(field, value))
    return value


def _wrong_value(field: MappedField, value: Value) -> str:
    hint = "; put it in quotes" if field.family == "keyword" else ""
    return f"{field.name!r} is a {field.family}, and {value!r:.60} is not{hint}"


def _is_network(text: str) -> bool:
    """Say whether it is an address or a network as OpenSearch reads them: without mask or zone."""
    try:
        ipaddress.ip_network(text, strict=False)
    except ValueError:
        return False
    return re.fullmatch(r"[^/%]+(/\d+)?", text) is not None
