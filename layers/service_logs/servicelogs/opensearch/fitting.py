"""How documents are changed so that OpenSearch takes them: member by member, as the mapping says.

A value that its field does not take is moved to `log.original`. What is free-form stays searchable:
a value that is no object becomes one, leaves that are too long for a term are cut, and the whole is
kept as delivered in `log.original`. Names that are the engine's or ours move to `extra_fields`.
Each rule is what the real OpenSearch 3.8.0 refuses, or obeys; tests/opensearch/test_odd_values.py
holds them against it.
"""

import copy
import math
import operator
from collections.abc import Collection, Mapping
from functools import lru_cache
from typing import Any

from servicelogs.opensearch.mappings import mappings
from servicelogs.parsing.format import Format
from servicelogs.parsing.frame import RESERVED
from servicelogs.parsing.json.values import MOST_DIGITS, NumberAsText, Repeated, decode, encode

OBEYED = ("_doc_count",)
"""The metadata that OpenSearch takes from inside a document; all other names of its own it refuses.
A record with `"_doc_count": 1000000` would count as a million."""
MOST_TERM_BYTES = 32766
"""Lucene's longest term: a leaf of a flat_object that is longer fails its whole document."""
MOST_DEPTH = 100
"""How deep a value may nest: OpenSearch 2.19 and 3.8 end with a stack overflow, the whole node, on
a flat_object of some hundred levels (400 were fine, 600 were not)."""
CUT_CHARACTERS = 8191
"""What a longer leaf is cut to: so many characters never take more bytes than a term may have."""
LEAST_ROOM = MOST_DIGITS + 100
"""A leaf of a flat_object has so much room at least, which no number exceeds: names that leave less
are left out."""
MOST_NAME = 50_000
"""The longest name, in characters, that OpenSearch's parser takes."""
MOST_ARRAYS = 20
"""How many arrays may directly hold each other outside of what is free-form."""

_MOST_FORMATS = 64
_WIDE = math.inf
_SCALARS = (str, int, float, bool, type(None))
_FITTING: Mapping[str, tuple[type, ...]] = {
    **dict.fromkeys(
        ("keyword", "text", "integer", "long", "float", "ip", "date", "date_nanos"), _SCALARS
    ),
    "boolean": (bool, type(None)),
}
"""The types of Python whose values each type of field takes without another look."""
_OUT = object()
"""Stands for a value that cannot be where it is."""


def fit(record: dict[str, Any], log_format: Format) -> dict[str, Any]:
    """Make a record's own members fit in place; give what was changed, as it was delivered."""
    ours = {name: record.pop(name) for name in [*record] if _is_ours(name)}
    if ours:
        record["extra_fields"] = ours
    return _fit(record, log_format)


def adjust(document: bytes, log_format: Format) -> bytes | None:
    """Give a document that was refused in a form that fits; None if there is none."""
    try:
        members = decode(document)
        frame = {name: members.pop(name) for name in RESERVED if name in members}
        extra = frame.pop("extra_fields", {})
        extra |= {name: members.pop(name) for name in [*members] if _is_ours(name)}
        if extra:
            members["extra_fields"] = extra
        original = _fit(members, log_format)
        if original:
            earlier = frame["log"].get("original", {})
            frame["log"]["original"] = original | earlier
            frame["log"]["adjusted"] = [*frame["log"]["original"]]
        return encode(frame | members)
    except (ValueError, RecursionError):
        return None


def _is_ours(name: str) -> bool:
    """Find out whether a name of a record's is the engine's (`_id`), or one that we add."""
    return name.startswith("_") or name.partition(".")[0] in RESERVED


def _fit(members: dict[str, Any], log_format: Format) -> dict[str, Any]:
    fitting = _Fitting()
    fitting.fit_members(members, _properties(log_format), "")
    return {path: found if len(found) > 1 else found[0] for path, found in fitting.found.items()}


@lru_cache(_MOST_FORMATS)
def _properties(log_format: Format) -> Mapping[str, Any]:
    properties: Mapping[str, Any] = mappings(log_format)["properties"]
    return properties


class _Unfit(Exception):
    """A value nests too deep, or has a name that is too long."""


class _Fitting:
    """Fits one document."""

    def __init__(self) -> None:
        self.found: dict[str, list[Any]] = {}
        """What was changed, as delivered, by its path; a list's elements share theirs."""

    def fit_members(
        self, holder: dict[str, Any], properties: Mapping[str, Any], above: str
    ) -> None:
        """Fit an object's members in place."""
        for name, value in [*holder.items()]:
            mapping = properties.get(name) or _mapping_of(name, properties)
            if mapping and type(value) in _FITTING.get(mapping.get("type", ""), ()):
                continue
            path = f"{above}.{name}" if above else name
            delivered = value
            if isinstance(value, Repeated):
                # What is in it may be changed in place.
                delivered, value = copy.deepcopy(value), [*value]
            fitting = _OUT if mapping is None else self._fit_value(value, mapping, path)
            if fitting is delivered:
                continue
            self._keep(path, delivered)
            if fitting is _OUT:
                del holder[name]
            else:
                holder[name] = fitting

    def _fit_value(self, value: Any, mapping: Mapping[str, Any], path: str) -> Any:
        """Give the value as it fits: itself if it does, _OUT if it cannot be made to."""
        kind = mapping.get("type")
        if kind == "alias":
            return _OUT
        if value is None:
            return value
        try:
            if kind == "flat_object":
                room = MOST_TERM_BYTES - 2 * len(path.encode("utf-8", "replace")) - len(".=")
                free_form = value if isinstance(value, dict) else {"value": value}
                fitting = _parseable(free_form, room)
                return value if fitting is value else fitting
            if "properties" in mapping:
                return self._fit_objects(value, mapping["properties"], path)
            fitting = _parseable(value)
        except _Unfit:
            return _OUT
        if _hold_each_other(fitting, MOST_ARRAYS) or not _takes(kind, fitting):
            return _OUT
        return fitting

    def _fit_objects(self, value: Any, properties: Mapping[str, Any], path: str) -> Any:
        """Fit an object, or lists of objects, in place."""
        if _hold_each_other(value, MOST_ARRAYS) or not _are_objects(value):
            return _OUT
        for one in _flattened(value):
            if one is not None:
                self.fit_members(one, properties, path)
        return value

    def _keep(self, path: str, value: Any) -> None:
        if len(path) > MOST_NAME:
            path, value = path[:CUT_CHARACTERS], {path: value}
        self.found.setdefault(path, []).append(_storable(value))


def _mapping_of(name: str, properties: Mapping[str, Any]) -> Mapping[str, Any] | None:
    """Give how a member is mapped (empty: it is not); None: no member may have this name."""
    if len(name) > MOST_NAME:
        return None
    if "." not in name:
        return properties.get(name, {}) if name else None
    mapping: Mapping[str, Any] = {"properties": properties}
    parts = name.rstrip(".").split(".")
    if not all(part.strip() for part in parts):
        return None
    for part in parts:  # OpenSearch follows the dots in names
        if "properties" not in mapping:
            return None if mapping else mapping
        mapping = mapping["properties"].get(part, {})
    return mapping


def _takes(kind: str | None, value: Any) -> bool:
    """Find out whether a field takes a value; those that ignore what is malformed take any."""
    if isinstance(value, list):
        return all(_takes(kind, one) for one in value)
    match kind:
        case "keyword" | "text":
            return not isinstance(value, dict)
        case "boolean":
            return value is None or isinstance(value, bool) or value in ("true", "false", "")
        case _:
            return True


def _parseable(value: Any, room: float = _WIDE, depth: int = 1) -> Any:
    """Give a value as OpenSearch's parser takes it, itself if it does; an _Unfit if it cannot be.

    In a free-form value, `room` is how many bytes a leaf and the names above it may still take.
    """
    if isinstance(value, dict):
        return _parseable_members(value, room, depth)
    if isinstance(value, list):
        _check_depth(depth)
        items = [_parseable(one, room, depth + 1) for one in value]
        return value if type(value) is list and _same(value, items) else items
    if not isinstance(value, str):
        return value
    if len(value) * 4 > room:
        data = value.encode("utf-8", "replace")
        if len(data) > room:
            return data[: int(room)].decode("utf-8", "ignore")[:CUT_CHARACTERS]
    return str(value) if isinstance(value, NumberAsText) else value


def _parseable_members(value: dict[str, Any], room: float, depth: int) -> dict[str, Any]:
    _check_depth(depth)
    members = {}
    for name, inner in value.items():
        if len(name) > MOST_NAME:
            raise _Unfit
        left = room - (len(name) if name.isascii() else len(name.encode("utf-8", "replace"))) - 1
        if left >= LEAST_ROOM:
            members[name] = _parseable(inner, left, depth + 1)
    return value if _same(value.values(), members.values()) else members


def _check_depth(depth: int) -> None:
    if depth > MOST_DEPTH:
        raise _Unfit


def _same(values: Collection[Any], others: Collection[Any]) -> bool:
    return len(values) == len(others) and all(map(operator.is_, values, others))


def _storable(value: Any) -> Any:
    """Give a value as it can be kept without being searchable: as it is, else as its JSON text."""
    try:
        return _parseable(value)
    except _Unfit:
        return encode(value).decode()


def _hold_each_other(value: Any, levels: int) -> bool:
    """Find out whether more levels of lists than so many hold each other directly."""
    if not isinstance(value, list):
        return False
    return levels == 0 or any(_hold_each_other(one, levels - 1) for one in value)


def _are_objects(value: Any) -> bool:
    if isinstance(value, list):
        return all(one is None or _are_objects(one) for one in value)
    return isinstance(value, dict)


def _flattened(value: Any) -> list[Any]:
    """Give what lists of lists hold."""
    if isinstance(value, list):
        return [inner for one in value for inner in _flattened(one)]
    return [value]
