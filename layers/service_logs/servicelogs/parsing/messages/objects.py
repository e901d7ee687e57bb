"""Finds the fields of messages that are JSON objects, or end in one.

The object lies under one field as it is; which members become fields of their own depends on its
names: for those of each object that are alike this is decided once.
"""

import operator
import re
from collections.abc import Callable, Mapping
from typing import NamedTuple

from servicelogs.parsing.cache import Cache
from servicelogs.parsing.messages.format import TIME, JsonForm
from servicelogs.parsing.messages.json_members import Members

_MOST_BEGINNINGS = 64
MOST_NAMES_BYTES = 4 * 1024 * 1024
"""Of the names of objects whose shapes are kept, all together."""
_NAMES_OF_SHAPE = 500
BETWEEN = b"\0"
_NO_VALUES = b"{[n"
"""How objects, lists and null begin."""

_NONE: frozenset[str] = frozenset()

has_several = re.compile(rb"\0[{\[n]").search
"""Finds a value, of those joined, that begins as objects, lists and null do."""

type MakePlan[Plan] = Callable[[JsonForm, int, Mapping[str, int]], Plan]
"""Makes an engine's plan of a form, of how many values are picked, and of the place among them
(from 1) of each field's value."""


class ObjectShape[Plan](NamedTuple):
    """How objects are read that have the same names."""

    plan: Plan
    """What an engine does with the values."""
    pick: Callable[[Members], bytes]
    """Gives the values of those members that may become fields; before each stands what is in no
    JSON."""
    by_beginnings: "Cache[bytes, ObjectShape[Plan]]"
    """From the first bytes of the values to the shape without those that are not single."""
    time_at: int
    """Which of what comes from splitting is the time; 0, which is nothing: none is."""
    fields: Mapping[str, int]
    """Which of what comes from splitting is which field."""
    conversions: tuple[tuple[int, Callable[[bytes], bytes]], ...]
    form: JsonForm

    def without_several(self, values: list[bytes]) -> "ObjectShape[Plan]":
        """Give the shape that shows those of the values, behind nothing, that are single."""
        return self.by_beginnings[bytes([value[0] for value in values[1:]])]


class ObjectShapes[Plan]:
    """The shapes of the objects that have one form."""

    def __init__(self, form: JsonForm, make_plan: MakePlan[Plan]) -> None:
        self._form = form
        self._make_plan = make_plan
        self._shapes: Cache[tuple[tuple[str, ...], frozenset[str]], ObjectShape[Plan]] = Cache(
            lambda of: self._shape(*of), MOST_NAMES_BYTES, lambda of: weight_of(of[0])
        )
        """By the names in an object, and which of them have several values or none."""

    def shape_of(self, members: Members) -> ObjectShape[Plan]:
        """Give the shape of objects with these names."""
        return self._shapes[tuple(members), _NONE]

    def _shape(self, names: tuple[str, ...], several: frozenset[str]) -> ObjectShape[Plan]:
        """Show members, but those with several values; the first that is a field's counts."""
        leaves = {name: field for name, field in self._form.leaves if name in names}
        shown: dict[str, int] = {}
        # Behind nothing, which splitting the values gives first.
        for place, (name, field) in enumerate(leaves.items(), 1):
            if name not in several:
                shown.setdefault(field, place)
        convert = self._form.convert

        def single(beginnings: bytes) -> ObjectShape[Plan]:
            begun = zip(leaves, beginnings, strict=True)
            return self._shapes[names, frozenset(n for n, b in begun if b in _NO_VALUES)]

        return ObjectShape(
            self._make_plan(self._form, len(leaves), shown),
            _picker([*leaves]),
            Cache(single, _MOST_BEGINNINGS),
            shown.get(TIME, 0),
            shown,
            tuple((shown[field], convert[field]) for field in shown if field in convert),
            self._form,
        )


def _picker(names: list[str]) -> Callable[[Members], bytes]:
    """Join the values of members, with what is in no JSON before each."""
    if len(names) > 1:
        get = operator.itemgetter(*names)
        return lambda members: BETWEEN + BETWEEN.join(get(members))
    return lambda members: b"".join([BETWEEN + members[name] for name in names])


def weight_of(names: tuple[str, ...]) -> int:
    """Say how much a shape of these names counts."""
    return _NAMES_OF_SHAPE + sum(map(len, names))
