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
"""After so many lines that the usual pattern does not take it is widened for the first time, after
twice as many for the second: to compile a pattern costs as much as 1,000 lines."""
LEAST_SHARE = 32
"""It is widened by the shapes of at least one in so many of these lines."""


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
        self._variants: list[set[int]] = [set() for _ in of.columns]
        self._rests: set[bool] = set()
        self._missed: Cache[ShapeKey, int] = Cache(lambda _: 0, MOST_SHAPES)
        self._misses = 0
        self._widenings = 0

    def learn(self, values: tuple[bytes, ...]) -> Plan:
        """Give the plan of a line that only the general pattern takes."""
        key = self.general.key(values)
        self._missed[key] += 1
        self._misses += 1
        if self._misses >= COMMON << self._widenings:
            self._widen()
        return self.general.plans[key]

    def _widen(self) -> None:
        """Let the usual pattern take the shapes that many lines had, if their quotes are known."""
        general = self.general
        before = sum(map(len, self._variants)), len(self._rests)
        for key, lines in self._missed.items():
            if lines * LEAST_SHARE >= self._misses and general.quotes_of(key) is not None:
                variants, rest = general.variants_of(key)
                for usual, variant in zip(self._variants, variants, strict=True):
                    usual.add(variant)
                self._rests.add(rest)
        if before != (sum(map(len, self._variants)), len(self._rests)):
            self.usual = Pattern(
                general.of, self._variants, self._rests, self._make_plan, quotes_counted=True
            )
        self._missed.clear()
        self._misses = 0
        self._widenings += 1
