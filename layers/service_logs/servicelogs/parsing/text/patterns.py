"""Compiles columns into a pattern that takes lines, and reads the shape of a line from its groups.

The variants of all columns of a line are its shape. Which of a pattern's groups took no part
identifies it; for each shape an engine makes one plan of what becomes of the values.
"""

import re
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from types import MappingProxyType
from typing import NamedTuple

from servicelogs.parsing.cache import Cache
from servicelogs.parsing.text.columns import Column, Group
from servicelogs.parsing.text.notation import Condition, Notation, pattern_text, unlike

ABSENT = b"(absent)"
"""Stands for groups that took no part; known by its identity."""
MOST_SHAPES = 4096

_NONE_FOLLOWS: "Following" = MappingProxyType({})

type ShapeKey = tuple[bool, ...]
"""For each of a pattern's markers, whether the group is absent."""
type MakePlan[Plan] = Callable[["Pattern[Plan]", "Shape"], Plan]
"""Decides, once for each shape, what an engine does with the values of its lines."""


class Shape(NamedTuple):
    """What the lines of one shape have."""

    groups: tuple[tuple[Column, Group | None], ...]
    """For each group of the pattern its column, and what it is; None where it takes no part."""
    rest: bool
    """Whether unknown columns follow; they are the group behind the others."""
    may_rest: bool
    """Whether the pattern has that group."""
    time: Column | None
    """The column that says when the record happened."""
    quotes: int | None
    """How many quotes a line has that the pattern may take for one of this shape; None: it was not
    made to decide."""

    def of_columns(self) -> dict[str, list[int]]:
        """List the groups of each column that has a value."""
        taken: dict[str, list[int]] = {}
        for at, (column, group) in enumerate(self.groups):
            if group:
                taken.setdefault(column.name, []).append(at)
        return taken


class Columns(NamedTuple):
    """The columns of lines, how they are written, and those that hold the time, the best first."""

    columns: tuple[Column, ...]
    notation: Notation
    times: tuple[Column, ...]
    later: tuple[Column, ...] = ()
    """What newer lines have behind them: unknown columns are not these, nor the first of these."""
    places: tuple[str, ...] = ()
    """The names of those that say the account and Region."""
    ids: tuple[str, ...] = ()
    """The names of those that make up the record's id."""


class Follows(NamedTuple):
    """A column's variant that stands exactly where an earlier column has a certain one.

    Which it is follows from that column: the pattern asks for it, and no marker is needed.
    """

    variant: int
    """By number; -1 is null."""
    place: int
    """Of the earlier column."""
    there: int
    """That column's variant."""


type Following = Mapping[int, Sequence[Follows]]
"""By the places of columns: their variants that follow, but not all of a column's."""


class Pattern[Plan]:
    """Some variants of each column, compiled: what takes a line, and the plans of its shapes."""

    def __init__(
        self,
        of: Columns,
        variants: list[set[int]],
        rests: Collection[bool],
        make_plan: MakePlan[Plan],
        *,
        quotes_counted: bool,
        following: Following = _NONE_FOLLOWS,
    ) -> None:
        """Take these variants (by number; -1 is null) of each column.

        `rests` says whether unknown columns may follow, must not, or both. A pattern with
        `quotes_counted` holds only where the number of quotes is its shape's, one with `following`
        only for lines with these variants where they follow.
        """
        self.of = of
        # In the order in which the pattern tries them: its groups are counted by it.
        self._variants = [
            [
                *(follow := [of.variant for of in following.get(place, ())]),
                *sorted(numbers - {*follow}),
            ]
            for place, numbers in enumerate(variants)
        ]
        self._rests = frozenset(rests)
        self._quotes_counted = quotes_counted
        self._following = following
        self._groups = [
            (place, number, group)
            for place, numbers in enumerate(self._variants)
            for number in numbers
            if number >= 0
            for group in of.columns[place].variants[number].groups
        ]
        self._marked = [self._marked_of(place) for place in range(len(variants))]
        """For each column the variants that have markers, and the one where none of them is."""
        self._first: dict[tuple[int, int], int] = {}
        for at, (place, number, _) in enumerate(self._groups):
            self._first.setdefault((place, number), at)
        self.match = self._compile()
        self.markers = [*self._find_markers()]
        """The groups that identify a shape: first ones of variants that have others beside them,
        and those that may take no part; last, the one with unknown columns."""
        self.plans: Cache[ShapeKey, Plan] = Cache(
            lambda key: make_plan(self, self.shape(key)), MOST_SHAPES
        )

    @property
    def groups(self) -> Iterator[tuple[Column, int, Group]]:
        """Give for each of its groups the column, the number of the variant, and what it is."""
        return ((self.of.columns[place], number, group) for place, number, group in self._groups)

    @property
    def has_rest(self) -> bool:
        """Say whether unknown columns may follow: they are the group behind the others."""
        return True in self._rests

    @property
    def same_quotes(self) -> int | None:
        """Give how many quotes the lines of all shapes have; None: these differ, or do not say."""
        if not self._quotes_counted:
            return None
        found = 0
        for column, numbers in zip(self.of.columns, self._variants, strict=True):
            inside = {self._quotes_in(column, number) for number in numbers}
            quotes = inside.pop()
            if inside or quotes is None:
                return None
            found += quotes
        return found

    def split(self, line: bytes) -> re.Match[bytes] | None:
        """Match a line so that each column, as a whole, is a group with a name."""
        return self._compile(named=True)(line)

    def _compile(self, *, named: bool = False) -> Callable[[bytes], re.Match[bytes] | None]:
        of = self.of
        conditions = {
            place: [Condition(self._first[of.place, of.there] + 1, of.variant) for of in those]
            for place, those in self._following.items()
        }
        text = pattern_text(
            of.columns,
            self._variants,
            of.notation,
            quotes_counted=self._quotes_counted,
            named=named,
            conditions=conditions,
        )
        text += of.notation.after
        if True in self._rests:
            rest = unlike(of.later, of.notation) + _rest(of.notation.separator)
            text += f"(?:{rest})?" if False in self._rests else rest
        return re.compile(text.encode(), re.DOTALL).fullmatch

    def _find_markers(self) -> Iterator[int]:
        firsts = {
            self._first[place, number]
            for place in range(len(self._variants))
            for number in self._marked[place][0]
        }
        for at, (_, _, group) in enumerate(self._groups):
            if group.optional or at in firsts:
                yield at
        if len(self._rests) > 1:
            yield len(self._groups)

    def _marked_of(self, place: int) -> tuple[list[int], int]:
        *others, last = self._variants[place][len(self._following.get(place, ())) :]
        # Null has no group; else one is known by the lack of the others.
        return ([*others[1:], last], -1) if -1 in others else (others, last)

    def key(self, values: tuple[bytes, ...]) -> ShapeKey:
        """Identify the shape of a line by its values."""
        return tuple([values[at] is ABSENT for at in self.markers])

    def variants_of(self, key: ShapeKey) -> tuple[tuple[int, ...], bool]:
        """Give each column's variant (-1: null), and whether unknown columns follow."""
        absent = self._absent(key)
        found: list[int] = []
        for place, (marked, other) in enumerate(self._marked):
            there = [n for n in marked if self._first[place, n] not in absent]
            for of in self._following.get(place, ()):
                there += [of.variant] if found[of.place] == of.there else []
            found.append(there[0] if there else other)
        rest = True in self._rests and len(self._groups) not in absent
        return tuple(found), rest

    def quotes_of(self, key: ShapeKey) -> int | None:
        """Give how many quotes a line of a shape has; None: any number."""
        quotes = 0
        for column, number in zip(self.of.columns, self.variants_of(key)[0], strict=True):
            of_column = self._quotes_in(column, number)
            if of_column is None:
                return None
            quotes += of_column
        return quotes

    def _quotes_in(self, column: Column, number: int) -> int | None:
        """Give how many quotes a column has with a variant; None: any number."""
        null = column.null.count(self.of.notation.mark)
        inside = null if number < 0 else column.variants[number].quotes
        return None if inside is None else inside + 2 * column.quoted

    def shape(self, key: ShapeKey) -> Shape:
        """Say what the lines of a shape have."""
        variants, rest = self.variants_of(key)
        absent = self._absent(key)
        groups = tuple(
            (
                self.of.columns[place],
                group if number == variants[place] and at not in absent else None,
            )
            for at, (place, number, group) in enumerate(self._groups)
        )
        taken = {column.name for column, group in groups if group}
        time = next((t for t in self.of.times if _has_time(t, taken)), None)
        quotes = self.quotes_of(key) if self._quotes_counted else None
        return Shape(groups, rest, True in self._rests, time, quotes)

    def _absent(self, key: ShapeKey) -> set[int]:
        return {at for at, missing in zip(self.markers, key, strict=True) if missing}


def _has_time(time: Column, taken: set[str]) -> bool:
    return time.name in taken and (not time.date or time.date in taken)


def _rest(separator: str) -> str:
    r"""Give the pattern of unknown columns.

    Where a quote in them is escaped or ends a word that none began, a quote that a client wrote as
    `\"` has ended its value too early: what follows is the client's, not AWS's.
    """
    inner = rf'(?<!\\)"(?=[^"{separator}])[^"{separator}]*+'
    items = rf'"[^"{separator}]*+"(?:,"[^"{separator}]*+")++'
    word = rf'(?:{items}|"[^"]*+"|[^"{separator}]++(?:{inner})*+|)'
    return rf"(?:{separator}({word}(?:{separator}{word})*+))"
