"""Learns which shapes lines commonly have.

One pattern with all variants of all columns takes any line; another, with only the variants that
lines commonly have, takes most lines faster. What has been learned lasts as long as the process.
"""

from servicelogs.parsing.cache import Cache
from servicelogs.parsing.text.patterns import (
    MOST_SHAPES,
    Columns,
    MakePlan,
    Pattern,
    ShapeKey,
)

COMMON = 32
"""A shape that so many lines have is common; compiling a pattern costs as much as 1,000 lines."""


class Shapes[Plan]:
    """The two patterns of some columns."""

    def __init__(self, of: Columns, make_plan: MakePlan[Plan], *, open_end: bool) -> None:
        """With `open_end` unknown columns may follow those that are known."""
        every = [{-1, *range(len(column.variants))} for column in of.columns]
        rests = {False, True} if open_end else {False}
        self.general = Pattern(of, every, rests, make_plan, quotes_counted=False)
        """Takes any line of these columns."""
        self.usual = self.general
        """Takes the lines of common shapes, if they have their shape's number of quotes."""
        self._make_plan = make_plan
        self._lines: Cache[ShapeKey, int] = Cache(lambda _: 0, MOST_SHAPES)
        self._variants: list[set[int]] = [set() for _ in of.columns]
        self._rests: set[bool] = set()

    def learn(self, values: tuple[bytes, ...]) -> Plan:
        """Give the plan of a line that only the general pattern takes.

        If such lines are common, and their quotes can be counted, the usual pattern is widened.
        """
        general = self.general
        key = general.key(values)
        self._lines[key] += 1
        if self._lines[key] == COMMON and general.quotes_of(key) is not None:
            variants, rest = general.variants_of(key)
            for usual, variant in zip(self._variants, variants, strict=True):
                usual.add(variant)
            self._rests.add(rest)
            self.usual = Pattern(
                general.of, self._variants, self._rests, self._make_plan, quotes_counted=True
            )
        return general.plans[key]
