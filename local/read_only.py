"""Decide which requests of a browser reach the search engine: searches of our indexes, no scripts.

What is not named here is refused, so what engines learn to do later is refused as well. What is let
through is bounded, for an engine does not do that itself: queries nested deeply, or a text with
thousands of parentheses, end a real one (OpenSearch 3.8.0) by a stack overflow.
"""

import json
import re
import sys
from collections.abc import Callable, Collection, Mapping
from http import HTTPStatus
from typing import Any

from servicelogs.formats import NAMES
from servicelogs.opensearch.index_names import IndexNames

MOST_BYTES = 16 * 1024
MOST_CHARACTERS = 1000
"""Of a text, and of a name."""
MOST_LEVELS = 40
"""Of lists and objects in each other."""
MOST_HITS = 1000
MOST_FIELDS = 100
MOST_RESULTS = 25_000
"""Of aggregations: an engine counts its buckets when it has made them, or not at all."""
STEPS = 100
"""So many buckets of a panel over time are reckoned with."""
SKETCH = 20
"""What is remembered of many values for a number has about the size of so many buckets."""
APIS = ("_search", "_count")

SEARCH = {
    "query",
    "aggs",
    "size",
    "from",
    "sort",
    "docvalue_fields",
    "track_total_hits",
}
COUNT = {"query"}
# What a field is compared with, by name; or without one.
QUERIES_OF_A_FIELD = {
    "term": {"value"},
    "range": {"gte", "gt", "lte", "lt", "format"},
    "match": {"query", "operator"},
    "wildcard": {"value"},
}
OTHER_QUERIES = {
    "exists": {"field"},
    "match_all": set[str](),
    "query_string": {"query", "fields", "default_operator", "lenient", "analyze_wildcard"},
}
CLAUSES = {"filter", "must", "should", "must_not"}
AGGREGATIONS = {
    "terms": {"field", "size", "shard_size", "order", "missing", "min_doc_count"},
    "date_histogram": {"field", "fixed_interval", "min_doc_count", "time_zone"},
    "range": {"field", "ranges"},
    "sum": {"field"},
    "avg": {"field"},
    "min": {"field"},
    "max": {"field"},
    "cardinality": {"field"},
    "percentiles": {"field", "percents"},
}
SORT = {"order", "unmapped_type", "missing"}


class Refused(Exception):
    """A request that is not let through, with the status of the answer."""

    def __init__(self, status: HTTPStatus, text: str) -> None:
        super().__init__(text)
        self.status = status


def check_index(index: str, prefix: str) -> None:
    """Refuse an index, or a pattern, that could be another's than this deployment's."""
    names = IndexNames(prefix, "day")
    stems = "|".join(re.escape(names.stem(name)) for name in NAMES)
    # After the type comes the year's first digit: a wildcard before it could be of another type.
    for part in index.split(","):
        if not re.fullmatch(rf"({stems})-2[0-9.w]*\*?", part):
            raise Refused(
                HTTPStatus.FORBIDDEN,
                f"the index {_short(part)} is not one of this deployment's: name those of a log "
                f"type, as {names.searched('alb')}",
            )


def checked_body(api: str, body: bytes) -> bytes:
    """Give the body to send on: what was checked, and nothing that was written beside it."""
    try:
        request = json.loads(body)
        # NaN is refused, and what no double holds, as 1e999.
        checked = json.dumps(request, allow_nan=False).encode()
    except (ValueError, RecursionError) as error:
        raise Refused(HTTPStatus.BAD_REQUEST, f"the body is not JSON: {error}") from error
    _check_extent(request)
    _check_request(request, SEARCH if api == "_search" else COUNT)
    if (results := _results(request.get("aggs", {}))) > MOST_RESULTS:
        text = (
            f"the aggregations may have {results} buckets and numbers, must have at most "
            f"{MOST_RESULTS}"
        )
        raise Refused(HTTPStatus.BAD_REQUEST, text)
    return checked


def _check_extent(value: Any, levels: int = MOST_LEVELS) -> None:
    """Refuse what is nested deeply, or has a long text or name in it."""
    if isinstance(value, str) and len(value) > MOST_CHARACTERS:
        text = f"{_short(value)} has {len(value)} characters, may have {MOST_CHARACTERS}"
        raise Refused(HTTPStatus.BAD_REQUEST, text)
    if isinstance(value, list | dict):
        if not levels:
            text = f"the body has more than {MOST_LEVELS} lists and objects in each other"
            raise Refused(HTTPStatus.BAD_REQUEST, text)
        for one in [*value, *value.values()] if isinstance(value, dict) else value:
            _check_extent(one, levels - 1)


def _check_request(request: Any, members: Collection[str]) -> None:
    for name, value in _members(request, "the body").items():
        if name not in members:
            _refuse(name, "the body", members)
        _MEMBERS[name](value, name)


def _check_query(query: Any, where: str) -> None:
    for kind, said in _members(query, where).items():
        path = f"{where}.{kind}"
        if kind == "bool":
            _check_bool(said, path)
        elif kind in QUERIES_OF_A_FIELD:
            for field, value in _members(said, path).items():
                _check_compared(value, QUERIES_OF_A_FIELD[kind], f"{path}.{field}")
        elif kind == "terms":
            # An object instead of a list has the engine look the values up in another index.
            for field, value in _members(said, path).items():
                _check_scalars(value, f"{path}.{field}")
        elif kind in OTHER_QUERIES:
            _check_parameters(said, OTHER_QUERIES[kind], path)
        else:
            _refuse(kind, where, {"bool", "terms", *QUERIES_OF_A_FIELD, *OTHER_QUERIES})


def _check_compared(value: Any, known: Collection[str], where: str) -> None:
    if isinstance(value, Mapping):
        for name in value.keys() - set(known):
            _refuse(name, where, known)
        _check_scalars(list(value.values()), where)
    else:
        _check_scalar(value, where)


def _check_bool(said: Any, where: str) -> None:
    for name, value in _members(said, where).items():
        path = f"{where}.{name}"
        if name in CLAUSES:
            for query in value if isinstance(value, list) else [value]:
                _check_query(query, path)
        elif name == "minimum_should_match":
            _check_scalar(value, path)
        else:
            _refuse(name, where, CLAUSES)


def _check_aggregations(aggregations: Any, where: str) -> None:
    for name, aggregation in _members(aggregations, where).items():
        path = f"{where}.{name}"
        for kind, said in _members(aggregation, path).items():
            if kind == "aggs":
                _check_aggregations(said, f"{path}.aggs")
            elif kind == "filters":
                _check_filters(said, f"{path}.filters")
            elif kind in AGGREGATIONS:
                _check_parameters(said, AGGREGATIONS[kind], f"{path}.{kind}")
                _check_numbers(kind, said, f"{path}.{kind}")
            else:
                _refuse(kind, path, {"aggs", "filters", *AGGREGATIONS})


def _check_numbers(kind: str, said: Mapping[str, Any], where: str) -> None:
    match kind:
        case "terms":
            for name in said.keys() & {"size", "shard_size"}:
                _check_number(said[name], f"{where}.{name}", 1, MOST_RESULTS)
        case "range":
            if not isinstance(said.get("ranges"), list):
                raise Refused(HTTPStatus.BAD_REQUEST, f"{where}.ranges must be a list")
        case "date_histogram":
            # Else an engine makes buckets for all the time between records, and may end of it.
            name = f"{where}.min_doc_count"
            _check_number(said.get("min_doc_count", 0), name, 1, sys.maxsize)


def _results(aggregations: Mapping[str, Any]) -> int:
    """Count the buckets and numbers that aggregations, checked before, may come to."""
    found = 0
    for aggregation in aggregations.values():
        inner = _results(aggregation.get("aggs", {}))
        for kind, said in aggregation.items():
            if kind != "aggs":
                found += _results_of(kind, said) * (1 + inner)
    return found


def _results_of(kind: str, said: Mapping[str, Any]) -> int:
    match kind:
        case "terms":
            # Not `shard_size`: there are so many only where there are documents for them.
            return int(said.get("size", 10))
        case "date_histogram":
            return STEPS
        case "range":
            return len(said["ranges"])
        case "filters":
            return len(said.get("filters", {}))
        case "cardinality" | "percentiles":
            return SKETCH
        case _:
            return 1


def _check_filters(said: Any, where: str) -> None:
    for name, filters in _members(said, where).items():
        if name != "filters":
            _refuse(name, where, {"filters"})
        for label, query in _members(filters, where).items():
            _check_query(query, f"{where}.{label}")


def _check_parameters(said: Any, known: Collection[str], where: str) -> None:
    for name, value in _members(said, where).items():
        if name not in known:
            _refuse(name, where, known)
        _check_plain(value, f"{where}.{name}")


def _check_sort(value: Any, where: str) -> None:
    for one in value if isinstance(value, list) else [value]:
        fields = {one: "asc"} if isinstance(one, str) else _members(one, where)
        for field, how in fields.items():
            if field.startswith("_") and field not in ("_score", "_doc"):
                _refuse(field, where, ["a field"])
            if isinstance(how, Mapping):
                _check_parameters(how, SORT, f"{where}.{field}")
            else:
                _check_scalar(how, f"{where}.{field}")


def _check_size(value: Any, where: str) -> None:
    _check_number(value, where, 0, MOST_HITS)


def _check_number(value: Any, where: str, least: int, most: int) -> None:
    if isinstance(value, bool) or not isinstance(value, int) or not least <= value <= most:
        text = f"{where} is {_short(value)}, must be a number from {least} to {most}"
        raise Refused(HTTPStatus.BAD_REQUEST, text)


def _check_fields(value: Any, where: str) -> None:
    _check_scalars(value, where)
    if len(value) > MOST_FIELDS or "*" in str(value):
        text = f"{where} is {_short(value)}, must be the names of at most {MOST_FIELDS} fields"
        raise Refused(HTTPStatus.BAD_REQUEST, text)


def _check_plain(value: Any, where: str) -> None:
    """Take values, and lists or objects of them: parameters have nothing deeper."""
    for one in value if isinstance(value, list) else [value]:
        for inner in one.values() if isinstance(one, Mapping) else [one]:
            _check_scalar(inner, where)


def _check_scalars(value: Any, where: str) -> None:
    if not isinstance(value, list):
        text = f"{where} is {_short(value)}, must be a list of values"
        raise Refused(HTTPStatus.FORBIDDEN, text)
    for one in value:
        _check_scalar(one, where)


def _check_scalar(value: Any, where: str) -> None:
    if isinstance(value, list | Mapping):
        text = f"{where} is {_short(value)}, must be a single value"
        raise Refused(HTTPStatus.FORBIDDEN, text)


def _members(value: Any, where: str) -> Mapping[str, Any]:
    if not isinstance(value, Mapping):
        text = f"{where} is {_short(value)}, must be an object"
        raise Refused(HTTPStatus.BAD_REQUEST, text)
    return value


def _refuse(name: str, where: str, known: Collection[str]) -> None:
    what = "scripts are" if "script" in name else f"{_short(name)} is"
    raise Refused(
        HTTPStatus.FORBIDDEN,
        f"{what} not let through ({_short(name)} in {_short(where)}): this server takes "
        f"searches of {', '.join(sorted(known)) or 'nothing'}",
    )


def _short(value: object) -> str:
    text = repr(value)
    return text if len(text) <= 80 else f"{text[:80]}…"


_MEMBERS: Mapping[str, Callable[[Any, str], None]] = {
    "query": _check_query,
    "aggs": _check_aggregations,
    "size": _check_size,
    "from": _check_size,
    "sort": _check_sort,
    "docvalue_fields": _check_fields,
    "track_total_hits": _check_scalar,
}
