"""What a panel looks at: conditions on fields, written in each language that somebody asks in."""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

type Value = str | int | float | bool
type Query = dict[str, Any]

# Of a range: how the file says it, OpenSearch, and PPL.
BOUNDS: Mapping[str, tuple[str, str]] = {
    "from": ("gte", ">="),
    "above": ("gt", ">"),
    "to": ("lte", "<="),
    "below": ("lt", "<"),
}


@dataclass(frozen=True, slots=True)
class IsOneOf:
    """A field has one of these values (of an address: lies in one of these networks)."""

    field: str
    values: tuple[Value, ...]


@dataclass(frozen=True, slots=True)
class IsBetween:
    """A number lies between bounds, by the words of BOUNDS."""

    field: str
    bounds: tuple[tuple[str, int | float], ...]


@dataclass(frozen=True, slots=True)
class IsLike:
    """A keyword matches a pattern with `*`, where all else stands for itself."""

    field: str
    pattern: str


@dataclass(frozen=True, slots=True)
class HasWords:
    """A text has all of these words."""

    field: str
    words: str


@dataclass(frozen=True, slots=True)
class Exists:
    """A field has a value."""

    field: str


@dataclass(frozen=True, slots=True)
class Not:
    """A filter does not match."""

    filter: "Filter"


@dataclass(frozen=True, slots=True)
class AllOf:
    """All of these filters match."""

    filters: tuple["Filter", ...]


@dataclass(frozen=True, slots=True)
class AnyOf:
    """One of these filters matches."""

    filters: tuple["Filter", ...]


type Filter = IsOneOf | IsBetween | IsLike | HasWords | Exists | Not | AllOf | AnyOf


def query_of(filter_: Filter) -> Query:
    """Write a filter in OpenSearch's query DSL."""
    match filter_:
        case IsOneOf(field, (value,)):
            return {"term": {field: value}}
        case IsOneOf(field, values):
            return {"terms": {field: list(values)}}
        case IsBetween(field, bounds):
            return {"range": {field: {BOUNDS[word][0]: value for word, value in bounds}}}
        case IsLike(field, pattern):
            return {"wildcard": {field: {"value": re.sub(r"([\\?])", r"\\\1", pattern)}}}
        case HasWords(field, words):
            return {"match": {field: {"query": words, "operator": "and"}}}
        case Exists(field):
            return {"exists": {"field": field}}
        case Not(inner):
            return {"bool": {"must_not": [query_of(inner)]}}
        case AllOf(filters):
            return {"bool": {"filter": [query_of(one) for one in filters]}}
        case AnyOf(filters):
            some = [query_of(one) for one in filters]
            return {"bool": {"should": some, "minimum_should_match": 1}}


def lucene_of(filter_: Filter) -> str:
    """Write a filter as the query bar of Dashboards takes it (Lucene)."""
    match filter_:
        case IsOneOf(field, (value,)):
            return f"{_escaped(field)}:{_lucene_value(value)}"
        case IsOneOf(field, values):
            return f"{_escaped(field)}:({' OR '.join(map(_lucene_value, values))})"
        case IsBetween(field, bounds):
            return f"{_escaped(field)}:{_lucene_range(dict(bounds))}"
        case IsLike(field, pattern):
            return f"{_escaped(field)}:{_lucene_pattern(pattern)}"
        case HasWords(field, words):
            return f"{_escaped(field)}:({' AND '.join(map(_lucene_value, words.split()))})"
        case Exists(field):
            return f"_exists_:{_escaped(field)}"
        case Not(inner):
            return f"(NOT {lucene_of(inner)})"
        case AllOf(filters):
            return f"({' AND '.join(map(lucene_of, filters))})"
        case AnyOf(filters):
            return f"({' OR '.join(map(lucene_of, filters))})"


def _escaped(text: str, keep: str = "") -> str:
    return re.sub(rf"([^\w.@{re.escape(keep)}])", r"\\\1", text, flags=re.ASCII)


def _lucene_pattern(pattern: str) -> str:
    # Without a star it could be a word of Lucene's own, as AND.
    return _escaped(pattern, keep="*") if "*" in pattern else _lucene_value(pattern)


def _lucene_value(value: Value) -> str:
    if isinstance(value, str):
        # A line's end stands for itself: `\n` would be an n.
        return '"' + re.sub(r'(["\\])', r"\\\1", value) + '"'
    return _escaped(json.dumps(value))


def _lucene_range(bounds: Mapping[str, int | float]) -> str:
    begin = f"[{bounds['from']}" if "from" in bounds else f"{{{bounds.get('above', '*')}"
    end = f"{bounds['to']}]" if "to" in bounds else f"{bounds.get('below', '*')}}}"
    return f"{begin} TO {end}"
