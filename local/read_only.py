"""Decide which requests of a browser reach the search engine: searches of our indexes, no scripts.

What is not named here is refused, so what engines learn to do later is refused as well.
"""

import json
import re
from collections.abc import Callable, Collection, Mapping
from http import HTTPStatus
from typing import Any

from servicelogs.formats import NAMES
from servicelogs.opensearch.index_names import IndexNames

MOST_BYTES = 256 * 1024
MOST_HITS = 1000
APIS = ("_search", "_count")

SEARCH = {
    "query",
    "aggs",
    "size",
    "from",
    "sort",
    "_source",
    "docvalue_fields",
    "track_total_hits",
}
COUNT = {"query"}
# Each with the field, or what the field is compared with by name.
QUERIES_OF_A_FIELD = {"term", "range", "match", "match_phrase", "wildcard", "prefix"}
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
    "cardinality": {"field", "precision_threshold"},
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
        request = json.loads(body, parse_constant=_no_number)
    except (ValueError, RecursionError) as error:
        raise Refused(HTTPStatus.BAD_REQUEST, f"the body is not JSON: {error}") from error
    try:
        _check_request(request, SEARCH if api == "_search" else COUNT)
    except RecursionError as error:
        raise Refused(HTTPStatus.BAD_REQUEST, "the body is nested too deeply") from error
    return json.dumps(request).encode()


def _no_number(name: str) -> None:
    raise ValueError(f"{name} is not a number of JSON")


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
                values = value.values() if isinstance(value, Mapping) else [value]
                for one in values:
                    _check_scalar(one, f"{path}.{field}")
        elif kind == "terms":
            # An object instead of a list has the engine look the values up in another index.
            for field, value in _members(said, path).items():
                _check_scalars(value, f"{path}.{field}")
        elif kind in OTHER_QUERIES:
            _check_parameters(said, OTHER_QUERIES[kind], path)
        else:
            _refuse(kind, where, {"bool", "terms", *QUERIES_OF_A_FIELD, *OTHER_QUERIES})


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
            else:
                _refuse(kind, path, {"aggs", "filters", *AGGREGATIONS})


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
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value <= MOST_HITS:
        text = f"{where} is {_short(value)}, must be a number from 0 to {MOST_HITS}"
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
    "_source": _check_plain,
    "docvalue_fields": _check_plain,
    "track_total_hits": _check_scalar,
}
