"""Records as AWS might write them one day: of a sample one value is another, or a name is new."""

import copy
from collections.abc import Iterator
from typing import Any

from hypothesis import strategies as st

from servicelogs.parsing.json.values import NumberAsText
from tests.lake.oracle import json_text

NUMBERS = (0, -0.0, 1.0, 1.5, -7, 2**31, 2**53 + 1, 2**63, 1e18, 1e300, 1763626495000)
NUMBERS_AS_WRITTEN = ("1e400", "0.1234567890123456789", "9007199254740993.0", "1" * 1100)
TEXTS = (
    *("", "-", "7", "-7", "007", "+7", "-0", "1_000", "1.5", "1e5", "NaN", "true", "True", "false"),
    *("2026-11-20T08:14:55Z", "2026-11-20T08:14:55.123456789Z", "2026-02-30T08:14:55Z"),
    *("2026-11-20 08:14:55", "2026-11-20T08:14:55+01:00", "0000-01-01T00:00:00Z", "é\ud800\x00"),
    *("9999-12-31T23:59:59.999999999Z", "99999999999999999999", '{"a":1}'),
)
NAMES = ("aFieldOfNextYear", "eventId", "EVENTID", "configurationStateID", "ARN", "log", "a.b", "")

scalars = st.one_of(
    st.none(),
    st.booleans(),
    st.sampled_from(NUMBERS),
    st.sampled_from(NUMBERS_AS_WRITTEN).map(NumberAsText),
    st.sampled_from(TEXTS),
)
values = st.recursive(
    scalars,
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(NAMES), inner, max_size=2)
    ),
    max_leaves=4,
)
"""Settled values of JSON, as decode() and settled() give them."""


def mutations(record: dict[str, Any]) -> st.SearchStrategy[dict[str, Any]]:
    """Give a record with some values changed, and with names that are new."""
    return st.lists(
        st.tuples(st.integers(0, 10_000), st.sampled_from(("", *NAMES)), values),
        min_size=1,
        max_size=4,
    ).map(lambda changes: _changed(copy.deepcopy(record), changes))


def as_written(record: dict[str, Any]) -> bytes:
    """Write a record as AWS would."""
    return json_text(record).encode("utf-8", "surrogatepass").replace(b"\xed\xa0\x80", rb"\ud800")


def _changed(record: dict[str, Any], changes: list[tuple[int, str, Any]]) -> dict[str, Any]:
    for place, new_name, value in changes:
        places = [*_places(record)]
        holder, name = places[place % len(places)] if places else (record, NAMES[0])
        if new_name and isinstance(holder, dict):
            name = new_name
        holder[name] = copy.deepcopy(value)
    return record


def _places(value: Any) -> Iterator[tuple[Any, Any]]:
    """Give everything that can be changed: what holds it, and its name or number there."""
    if isinstance(value, dict | list):
        for name, one in value.items() if isinstance(value, dict) else enumerate(value):
            yield value, name
            yield from _places(one)
