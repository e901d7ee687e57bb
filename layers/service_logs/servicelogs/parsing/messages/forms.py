"""Compiles the forms of a kind, or of a text, into one regular expression.

Each way through the forms and those inside them ends in an empty group of its own: the number of
the last group that took part (`lastindex`) says which way a message took.
"""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import NamedTuple

from servicelogs.parsing.messages.format import MESSAGE, Form

_group = re.compile(r"\(\?P<(\w+)>")
_capturing = re.compile(r"(?<!\\)(?:\\\\)*\((?!\?)")
_class = re.compile(r"(?<!\\)((?:\\\\)*)\[\^?\]?(?:\\.|[^\]\\])*\]")


LEAST_GROUPS = 2
"""So many groups each way has: of one alone a match gives no tuple."""


class Way(NamedTuple):
    """One way in which a message can be read."""

    groups: tuple[int, ...]
    """The groups of the expression that may have a value."""
    names: tuple[str, ...]
    """What each of them is; no name: an empty group."""
    constants: Mapping[str, str]
    convert: Mapping[str, Callable[[bytes], bytes]]


class Forms[Plan]:
    """Forms, compiled; and for each way in which they are read, an engine's plan."""

    def __init__(self, forms: Iterable[Form], make_plan: Callable[[Way], Plan]) -> None:
        self._groups = 0
        self._ways: dict[int, Way] = {}
        text = "|".join([self._compile(form, Way((), (), {}, {})) for form in forms])
        self.match = re.compile((text or "(?!)").encode(), re.DOTALL).match
        self.plans: dict[int | None, Plan] = {
            number: make_plan(way) for number, way in self._ways.items()
        }
        """By the number of the last group that took part."""

    @property
    def ways(self) -> Iterator[Way]:
        """All ways in which a message can be read."""
        return iter(self._ways.values())

    def _compile(self, form: Form, above: Way) -> str:
        names = tuple(_group.findall(form.pattern))
        first = self._groups + 1
        self._groups += len(names)
        way = Way(
            (*above.groups, *range(first, self._groups + 1)),
            (*above.names, *names),
            {**above.constants, **form.constants},
            {**above.convert, **form.convert},
        )
        pattern = _anonymous(form.pattern)
        if not form.inner:
            return f"(?:{pattern})\\Z{self._end(way)}"
        # The rest of a text may be a message as a whole.
        others = Form(pattern=f"(?P<{MESSAGE}>.+)|")
        inner = "|".join([self._compile(one, way) for one in (*form.inner, others)])
        return f"(?>{pattern})(?:{inner})"

    def _end(self, way: Way) -> str:
        self._groups += 1
        missing = LEAST_GROUPS - len(way.groups)
        self._ways[self._groups] = way._replace(
            groups=(*way.groups, *[self._groups] * missing), names=(*way.names, *[""] * missing)
        )
        return "()"


def _anonymous(pattern: str) -> str:
    """Take the names out of groups: several forms have the same."""
    if _capturing.search(_class.sub(r"\1", pattern)):
        raise ValueError(f"each group that captures must be named: {pattern!r}")
    return _group.sub("(", pattern)
