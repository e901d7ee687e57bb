"""Prints the documents of messages that are JSON objects, or end in one.

The object lies under one field as it is; which members become fields of their own depends on its
names: for those of each object that are alike there is a template.
"""

import operator
import re
from collections.abc import Callable, Iterable
from typing import NamedTuple

from servicelogs.opensearch.message_templates import START, Implied
from servicelogs.parsing.cache import Cache
from servicelogs.parsing.messages.format import TIME, JsonForm
from servicelogs.parsing.messages.json_members import Found, Members, Value

_MOST_BEGINNINGS = 64
MOST_NAMES_BYTES = 4 * 1024 * 1024
"""Of the names of objects whose templates are kept, all together."""
_NAMES_OF_TEMPLATE = 500
BETWEEN = b"\0"
_NO_VALUES = b"{[n"
"""How objects, lists and null begin."""

_NONE: frozenset["Leaf"] = frozenset()
_START = START.replace("%d", "%b")
"""Takes as the number what else is said of the record too."""

has_several = re.compile(rb"\0[{\[n]").search
"""Finds a value, of those joined, that begins as objects, lists and null do."""

type Leaf = tuple[int, str]
"""At which place a member is, and its name there."""
type Names = tuple[tuple[str, ...], ...]
"""The names in an object, and in those inside of it."""
type Shape = tuple[Names, frozenset[Leaf]]
"""The names, and which of them have several values or none."""


class ObjectTemplate(NamedTuple):
    """Prints the objects that have the same names."""

    text: bytes
    """Takes action line, key, frame, number, time, what is implied, what comes from
    splitting the values (nothing, then each of them), and the object."""
    pick: Callable[[Found], bytes]
    """Gives the values of those members that become fields, first the time's; before each stands
    what is in no JSON."""
    by_beginnings: Cache[bytes, "ObjectTemplate"]
    """From the first bytes of the values to the template without those that are not single."""
    has_time: bool
    fields: frozenset[str]
    conversions: tuple[tuple[int, Callable[[bytes], bytes]], ...]
    implied: Implied
    form: JsonForm


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

    def template_of(self, found: Found) -> ObjectTemplate:
        """Give the template of objects with these names."""
        return self._templates[tuple(map(tuple, found)), _NONE]

    def _template(self, names: Names, several: frozenset[Leaf]) -> ObjectTemplate:
        """Print members, but those with several values; the first that is a field's counts."""
        first: dict[str, Leaf] = {}
        for at, name, field in self.form.leaves:
            if name in names[at] and (at, name) not in several:
                first.setdefault(field, (at, name))
        fields = sorted(first, key=lambda field: (first[field][0], field != TIME))
        members = "".join("%.0b" if field == TIME else f',"{field}":%b' for field in fields)
        convert = self.form.convert
        leaves = [first[field] for field in fields]

        def fitting(beginnings: bytes) -> ObjectTemplate:
            more = {
                leaf
                for leaf, begins in zip(leaves, beginnings, strict=True)
                if begins in _NO_VALUES
            }
            return self._templates[names, several | more]

        return ObjectTemplate(
            f'{_START}"@timestamp":"%bZ"%b%.0b{members},"{self.form.whole}":%b}}\n'.encode(),
            _picker(leaves),
            Cache(fitting, _MOST_BEGINNINGS),
            TIME in first,
            frozenset(fields),
            tuple((at, convert[field]) for at, field in enumerate(fields, 1) if field in convert),
            self._implied[self._of_source.intersection(fields)],
            self.form,
        )


def _picker(leaves: list[Leaf]) -> Callable[[Found], bytes]:
    """Give what finds the members at some places."""
    places: dict[int, list[str]] = {}
    for at, name in leaves:
        places.setdefault(at, []).append(name)
    getters = [(at, _getter(names)) for at, names in places.items()]
    if len(getters) == 1:
        ((only, get),) = getters
        return lambda found: BETWEEN + BETWEEN.join(get(found[only]))
    return lambda found: b"".join(
        [BETWEEN + BETWEEN.join(get(found[at])) for at, get in getters],
    )


def _getter(names: list[str]) -> Callable[[Members], Iterable[Value]]:
    if len(names) > 1:
        return operator.itemgetter(*names)
    (only,) = names
    return lambda members: (members[only],)


def values_of(found: Found, template: ObjectTemplate) -> tuple[ObjectTemplate, list[bytes]]:
    """Give the values of members with a single one, and the template that takes them."""
    joined = template.pick(found)
    while has_several(joined):
        _, *values = joined.split(BETWEEN)
        template = template.by_beginnings[bytes([value[0] for value in values])]
        joined = template.pick(found)
    return template, joined.split(BETWEEN)


def weight_of(names: tuple[str, ...]) -> int:
    """Say how much a template for these names counts."""
    return _NAMES_OF_TEMPLATE + sum(map(len, names))


def _weight(shape: Shape) -> int:
    return sum(map(weight_of, shape[0]))
