"""What OpenSearch's flat_object bears, and how a record is changed so that it fits."""

from collections.abc import Iterable
from typing import Any

from servicelogs.parsing.frame import RESERVED
from servicelogs.parsing.json.values import value_at

MOST_TERM_BYTES = 32766
"""Lucene's longest term: a leaf of a flat_object that is longer fails its whole document."""
MOST_DEPTH = 100
"""How deep a free-form value may nest: OpenSearch 2.19 and 3.8 end with a stack overflow, the whole
node, on a flat_object of some hundred levels (400 were fine, 600 were not)."""
CUT_CHARACTERS = 8191
"""What a longer leaf is cut to: so many characters never take more bytes than a term may have."""


def fit_free_form(record: dict[str, Any], free_form: Iterable[str]) -> dict[str, Any]:
    """Make a record fit its mapping in place; give what was changed, as it was delivered.

    A ValueError if it nests too deep.
    """
    original: dict[str, Any] = {}
    ours = {name: record.pop(name) for name in RESERVED if name in record}
    if ours:
        record["extra_fields"] = ours
    for path in (*free_form, "extra_fields"):
        above, _, name = path.rpartition(".")
        holder = value_at(record, above) if above else record
        if not isinstance(holder, dict) or (value := holder.get(name)) is None:
            continue
        fitting = _fit_leaves(value if isinstance(value, dict) else {"value": value}, path)
        if fitting != value:
            original[path] = value
            holder[name] = fitting
    return original


def _fit_leaves(value: Any, path: str, depth: int = 1) -> Any:
    """Cut strings that are too long for a term (which holds their path too)."""
    if isinstance(value, dict | list) and depth > MOST_DEPTH:
        raise ValueError(
            f"{path[:40]!r} nests more than {MOST_DEPTH} levels deep: a node of OpenSearch can "
            "crash on it"
        )
    if isinstance(value, dict):
        return {
            name: _fit_leaves(inner, f"{path}.{name}", depth + 1) for name, inner in value.items()
        }
    if isinstance(value, list):
        return [_fit_leaves(inner, path, depth + 1) for inner in value]
    if isinstance(value, str):
        room = max(MOST_TERM_BYTES - len(path.encode("utf-8", "replace")) - 2, 0)
        data = value.encode("utf-8", "replace")
        if len(data) > room:
            return data[:room].decode("utf-8", "ignore")[:CUT_CHARACTERS]
    return value
