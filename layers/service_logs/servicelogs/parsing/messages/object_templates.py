"""Writes messages that are JSON objects, or end in one.

The object lies under one field as it is; which members become fields of their own depends on its
names: for those of each object that are alike there is a template.
"""

import operator
import re
from collections.abc import Callable
from typing import NamedTuple

from servicelogs.parsing.cache import Cache
from servicelogs.parsing.messages.format import TIME, JsonForm
from servicelogs.parsing.messages.json_members import Members
from servicelogs.parsing.messages.templates import START, Implied

_MOST_BEGINNINGS = 64
MOST_NAMES_BYTES = 4 * 1024 * 1024
"""Of the names of objects whose templates are kept, all together."""
_NAMES_OF_TEMPLATE = 500
BETWEEN = b"\0"
_NO_VALUES = b"{[n"
"""How objects, lists and null begin."""

_NONE: frozenset[str] = frozenset()
_START = START.replace("%d", "%b")
"""Takes as the number what else is said of the record too."""

has_several = re.compile(rb"\0[{\[n]").search
"""Finds a value, of those joined, that begins as objects, lists and null do."""

type Shape = tuple[tuple[str, ...], frozenset[str]]
"""The names in an object, and which of them have several values or none."""


class ObjectTemplate(NamedTuple):
    """Prints the objects that have the same names."""

    text: bytes
    """Takes action line, key, frame, number, time, what is implied, what comes from
    splitting the values (nothing, then each of them), and the object."""
    pick: Callable[[Members], bytes]
    """Gives the values of those members that may become fields; before each stands what is in no
    JSON."""
    by_beginnings: Cache[bytes, "ObjectTemplate"]
    """From the first bytes of the values to the template without those that are not single."""
    time_at: int
    """Which of what comes from splitting is the time; 0, which is nothing: none is."""
    fields: frozenset[str]
    conversions: tuple[tuple[int, Callable[[bytes], bytes]], ...]
    implied: Implied
    form: JsonForm

    def without_several(self, values: list[bytes]) -> "ObjectTemplate":
        """Give the template that shows those of the values, behind nothing, that are single."""
        return self.by_beginnings[bytes([value[0] for value in values[1:]])]


class ObjectPrinter:
    """Prints the objects that have one form."""

    def __init__(self, form: JsonForm, of_source: frozenset[str]) -> None:
        """Print its members; `of_source` are the fields that a source may imply."""
        self.form = form
        self._of_source = of_source
        self._implied: Cache[frozenset[str], Implied] = Cache(
            lambda replaced: Implied(form.constants, replaced), 64
        )
        self._templates: Cache[Shape, ObjectTemplate] = Cache(
            lambda shape: self._template(*shape), MOST_NAMES_BYTES, _weight
        )

    def template_of(self, members: Members) -> ObjectTemplate:
        """Give the template of objects with these names."""
        return self._templates[tuple(members), _NONE]

    def _template(self, names: tuple[str, ...], several: frozenset[str]) -> ObjectTemplate:
        """Print members, but those with several values; the first that is a field's counts."""
        leaves = {name: field for name, field in self.form.leaves if name in names}
        first: dict[str, str] = {}
        for name, field in leaves.items():
            if name not in several:
                first.setdefault(field, name)
        # Behind nothing, which splitting the values gives first.
        numbers = {name: number for number, name in enumerate(leaves, 1)}
        shown = {field: numbers[name] for field, name in first.items()}
        members = "".join(
            f',"{field}":%b' if first.get(field) == name and field != TIME else "%.0b"
            for name, field in leaves.items()
        )
        convert = self.form.convert

        def single(beginnings: bytes) -> ObjectTemplate:
            begun = zip(leaves, beginnings, strict=True)
            return self._templates[names, frozenset(n for n, b in begun if b in _NO_VALUES)]

        return ObjectTemplate(
            f'{_START}"@timestamp":"%bZ"%b%.0b{members},"{self.form.whole}":%b}}\n'.encode(),
            _picker([*leaves]),
            Cache(single, _MOST_BEGINNINGS),
            shown.get(TIME, 0),
            frozenset(shown),
            tuple((shown[field], convert[field]) for field in shown if field in convert),
            self._implied[self._of_source.intersection(shown)],
            self.form,
        )


def _picker(names: list[str]) -> Callable[[Members], bytes]:
    """Join the values of members, with what is in no JSON before each."""
    if len(names) > 1:
        get = operator.itemgetter(*names)
        return lambda members: BETWEEN + BETWEEN.join(get(members))
    return lambda members: b"".join([BETWEEN + members[name] for name in names])


def weight_of(names: tuple[str, ...]) -> int:
    """Say how much a template for these names counts."""
    return _NAMES_OF_TEMPLATE + sum(map(len, names))


def _weight(shape: Shape) -> int:
    return weight_of(shape[0])
