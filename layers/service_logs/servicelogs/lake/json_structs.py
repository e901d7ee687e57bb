"""Types that JSON records are decoded into, made from the columns of their table.

A record is decoded once: members with columns become attributes, what is free-form stays bytes. A
single value may be of another JSON type than its column's, as far as the column may read it. What
has no column is refused by the decoder, so that nothing is lost; then its path is learned, and from
there on it stays bytes, too.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import cache
from types import MappingProxyType
from typing import Any

import msgspec
import pyarrow

from servicelogs.lake.schema import LakeColumn

ABSENT = msgspec.Raw(b"")
"""What stays bytes, and is not there."""
MOST_LEARNED = 64
"""So many paths of members without a column are learned: records with others are fitted alone."""

_TYPES: Mapping[str, Any] = MappingProxyType(
    {
        # Doubles are not among them: which digits they were written with would be lost.
        "text": str | int | bool | None,
        "integer": int | str | None,
        "long": int | str | None,
        "float": float | int | str | None,
        "boolean": bool | str | None,
        "json": msgspec.Raw,
    }
)
_NEVER_IN_NAMES = frozenset('\\"')
_FIRST_PRINTABLE = " "

type Path = tuple[str, ...]
type Unknown = dict[str, Any]
"""Members without a column: whether one ever had a value. Of one that has a column, those below."""


class Shape:
    """How the objects of one level are decoded, and read."""

    def __init__(self, name: str, columns: Sequence[LakeColumn], unknown: Unknown) -> None:
        self.columns = columns
        self.type = pyarrow.struct([(column.name, column.arrow_type()) for column in columns])
        """The type of the column that they become."""
        self.below: dict[str, Shape] = {}
        """The shapes of members that are objects, or lists of them."""
        self.slots: dict[str, str] = {}
        """The attribute of each member that has a column."""
        self.extra_slots: dict[str, str] = {}
        """The attribute of each member that has none, and ever had a value."""
        members: list[tuple[str, Any, Any]] = []
        for column in columns:
            for member in column.paths:
                slot = self.slots[member] = f"m{len(members)}"
                if column.kind is None:
                    self.below[member] = Shape(member, column.members, unknown.get(member, {}))
                members.append((slot, *self._type_of(column, member)))
        names = [*self.slots]
        for member, valued in unknown.items():
            if isinstance(valued, dict):
                continue
            slot = f"m{len(members)}"
            names.append(member)
            members.append((slot, msgspec.Raw, ABSENT) if valued else (slot, None, None))
            if valued:
                self.extra_slots[member] = slot
        renamed = {f"m{at}": member for at, member in enumerate(names)}
        self.struct = msgspec.defstruct(
            name or "_", members, rename=renamed, gc=False, forbid_unknown_fields=True
        )
        self.read: Callable[[Sequence[Any]], tuple[list[Any], ...]] = _reader(len(self.slots))
        """Give the values of all objects for each member that has a column."""
        self.has_extra: bool = bool(self.extra_slots) or any(
            b.has_extra for b in self.below.values()
        )
        """Whether there may be members without a column here or below."""

    def _type_of(self, column: LakeColumn, member: str) -> tuple[Any, Any]:
        """Give a member's type and what stands for it where it is not there."""
        one: Any
        if column.kind is None:
            one = self.below[member].struct | None
        elif column.kind == "time":
            one = int | str | None if column.date_format else str | None
        else:
            one = _TYPES[column.kind]
        if column.many:
            return list[one] | None, None
        return one, ABSENT if column.kind == "json" else None

    def extra_of(self, value: Any) -> Any:
        """Give the members of an object, or of each in a list, that have no column; None: none."""
        if isinstance(value, list):
            found = [None if one is None else self.extra_of(one) for one in value]
            return found if any(found) else None
        extra = {}
        for member, slot in self.extra_slots.items():
            raw = getattr(value, slot)
            if raw is not ABSENT and bytes(raw) != b"null":
                extra[member] = raw
        for member, shape in self.below.items():
            if shape.has_extra and (inner := getattr(value, self.slots[member])) is not None:
                rest = shape.extra_of(inner)
                if rest is not None:
                    extra[member] = rest
        return extra or None


@cache
def attribute_reader(slot: str) -> Callable[[Sequence[Any]], list[Any]]:
    """Compile what reads an attribute of all objects: it takes half of what attrgetter takes."""
    read: Callable[[Sequence[Any]], list[Any]] = _compiled(f"[o.{slot} for o in objects]")
    return read


def _reader(slots: int) -> Callable[[Sequence[Any]], tuple[list[Any], ...]]:
    """Compile what reads so many attributes of all objects."""
    lists = "".join(f"[o.m{slot} for o in objects]," for slot in range(slots))
    read: Callable[[Sequence[Any]], tuple[list[Any], ...]] = _compiled(f"({lists})")
    return read


def _compiled(expression: str) -> Any:
    return eval(f"lambda objects: {expression}")  # noqa: S307 - it names attributes of ours alone


class Structs:
    """The types of one log type's records, and what was learned of them in this process.

    `decode` changes with what is learned: it is to be looked up each time, as in a decoder.
    """

    def __init__(self, columns: Sequence[LakeColumn]) -> None:
        self.columns = columns
        self._learned: dict[Path, bool] = {}
        """Members without a column, and whether one ever had a value: null costs nothing."""
        self._make()

    def _make(self) -> None:
        self.shape = Shape("record", self.columns, _nested(self._learned))
        self.decode: Callable[[bytes], Any] = msgspec.json.Decoder(self.shape.struct).decode
        """Decode a record; a DecodeError if it is none, or does not fit."""

    def learn(self, record: bytes) -> bool:
        """Learn the members of a record that have no column; False if there is nothing new."""
        try:
            members = msgspec.json.decode(record)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            return False
        new = False
        for path, valued in _unknown(members, self.columns):
            known = self._learned.get(path)
            has_room = known is not None or len(self._learned) < MOST_LEARNED
            if known or known is valued or not has_room or not _can_be_renamed(path[-1]):
                continue
            self._learned[path] = valued
            new = True
        if new:
            self._make()
        return new


def _nested(paths: Mapping[Path, bool]) -> Unknown:
    names: Unknown = {}
    for (*above, last), valued in paths.items():
        at = names
        for name in above:
            at = at.setdefault(name, {})
        at[last] = valued
    return names


def _unknown(value: Any, columns: Sequence[LakeColumn]) -> Iterator[tuple[Path, bool]]:
    """Find the members of an object that have no column; say which have a value."""
    known = {path: column for column in columns for path in column.paths}
    for name, inner in value.items() if isinstance(value, dict) else ():
        column = known.get(name)
        if column is None:
            yield (name,), inner is not None
        elif column.kind is None:
            for one in inner if column.many and isinstance(inner, list) else [inner]:
                for path, valued in _unknown(one, column.members):
                    yield (name, *path), valued


def _can_be_renamed(name: str) -> bool:
    """Say whether a type may have a member of this name."""
    return _NEVER_IN_NAMES.isdisjoint(name) and min(name, default=" ") >= _FIRST_PRINTABLE
