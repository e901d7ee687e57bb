"""Learns which shapes lines commonly have.

One pattern with all variants of all columns takes any line; another, with only the variants that
lines commonly have, takes most lines faster. What has been learned lasts as long as the process.
"""

from collections import Counter
from collections.abc import Iterator, Mapping

from servicelogs.parsing.cache import Cache
from servicelogs.parsing.text.patterns import (
    MOST_SHAPES,
    Columns,
    Follows,
    MakePlan,
    Pattern,
    ShapeKey,
)

COMMON = 32
"""After so many lines that the usual pattern does not take it is widened for the first time, after
twice as many for the second: to compile a pattern costs as much as 1,000 lines."""
LEAST_SHARE = 32
"""It is widened by the shapes of at least one in so many of these lines."""

EVIDENCE = 4
"""So many lines have a variant, and as many have not, before another one is taken to follow it."""


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
        self._common: Counter[tuple[tuple[int, ...], bool]] = Counter()
        """The shapes that the usual pattern was made for (each column's variant, and whether
        unknown columns follow), and how many lines of them it was made by."""
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
        before = len(self._common)
        for key, lines in self._missed.items():
            if lines * LEAST_SHARE >= self._misses and general.quotes_of(key) is not None:
                self._common[general.variants_of(key)] += lines
        if len(self._common) > before:
            self.usual = self._of_common()
        self._missed.clear()
        self._misses = 0
        self._widenings += 1

    def _of_common(self) -> Pattern[Plan]:
        """Compile the pattern of the common shapes."""
        columns = [set(column) for column in zip(*(of for of, _ in self._common), strict=True)]
        rests = {rest for _, rest in self._common}
        # With any number of columns behind them, a line that fails by such a condition could match
        # with words that are not where they belong.
        following = {} if True in rests else dict(_following(columns, self._common))
        return Pattern(
            self.general.of,
            columns,
            rests,
            self._make_plan,
            quotes_counted=True,
            following=following,
        )


def _following(
    columns: list[set[int]], shapes: Mapping[tuple[tuple[int, ...], bool], int]
) -> Iterator[tuple[int, list[Follows]]]:
    """Find the variants of columns that stand, in all shapes, where an earlier one does.

    Neither that nor its opposite may be rare: it would be chance.
    """
    earlier: dict[frozenset[int], tuple[int, int]] = {}
    for place, numbers in enumerate(columns):
        having: dict[int, frozenset[int]] = {
            number: frozenset(at for at, (of, _) in enumerate(shapes) if of[place] == number)
            for number in numbers
        }
        follow = [Follows(n, *earlier[having[n]]) for n in sorted(numbers) if having[n] in earlier]
        if len(numbers) > 1 and follow:
            yield place, follow[-(len(numbers) - 1) :]
        lines = [*shapes.values()]
        for number in numbers - {-1}:
            with_it = sum(lines[at] for at in having[number])
            if min(with_it, sum(lines) - with_it) >= EVIDENCE:
                earlier.setdefault(having[number], (place, number))
