"""The order in which columns and members of structs were published, which only grows at its end.

Athena finds a struct's members by their place: one that comes in the middle breaks every older
partition. So `columns/<log type>.txt` has a line for each value that a row may hold, in the order
in which they came, and what a declaration has beyond them is behind them, at each level.
"""

from collections.abc import Iterable, Mapping
from functools import cache
from pathlib import Path
from typing import Any

COLUMNS = Path(__file__).parent / "columns"

type Order = Mapping[str, "Order"]
"""The names of one level, in order, with those below them."""


def published_lines(log_type: str) -> tuple[str, ...]:
    """Give a log type's lines, `struct.list[].member type`; none before it is published."""
    file = COLUMNS / f"{log_type}.txt"
    return tuple(file.read_text().splitlines()) if file.exists() else ()


@cache
def published_order(log_type: str) -> Order:
    """Give the order of a log type's columns."""
    return order_of(published_lines(log_type))


def order_of(lines: Iterable[str]) -> Order:
    """Read lines as the order that they are in."""
    order: dict[str, Any] = {}
    for line in lines:
        path, _, _ = line.partition(" ")
        level = order
        for name in path.replace("[]", "").split("."):
            level = level.setdefault(name, {})
    return order
