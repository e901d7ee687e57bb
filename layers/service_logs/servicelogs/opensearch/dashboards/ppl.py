"""Write a search in PPL, OpenSearch's piped language, for those who ask in it."""

import json
import re
from collections.abc import Mapping

from servicelogs.opensearch.dashboards.bodies import RECORDS
from servicelogs.opensearch.dashboards.fields import MappedField, common_fields
from servicelogs.opensearch.dashboards.filters import (
    BOUNDS,
    AllOf,
    AnyOf,
    Exists,
    Filter,
    HasWords,
    IsBetween,
    IsLike,
    IsOneOf,
    Not,
    Value,
)
from servicelogs.opensearch.dashboards.panels import Page, Search


def ppl_of_search(search: Search, page: Page, index: str) -> str:
    """Give the query, over the indexes that a pattern names."""
    write = _Ppl(common_fields(page.log_types))
    steps = [f"source = `{index}`"]
    if search.filter:
        steps.append(f"where {write.condition(search.filter)}")
    steps += [
        f"sort - {write.name(search.sort)}",
        f"head {RECORDS}",
        f"fields {', '.join(write.name(column.name) for column in search.columns)}",
    ]
    return " | ".join(steps)


class _Ppl:
    """Writes what a search is made of; fields under their own names, for PPL knows no aliases."""

    def __init__(self, fields: Mapping[str, MappedField]) -> None:
        self._fields = fields

    def name(self, field: str) -> str:
        """Write a field's name, in quotes where it is no plain word."""
        path = self._fields[field].path if field in self._fields else field
        return path if re.fullmatch(r"[A-Za-z_]\w*", path, re.ASCII) else f"`{path}`"

    def condition(self, filter_: Filter) -> str:
        """Write a condition of `where`."""
        match filter_:
            case IsOneOf(field, values):
                return self._is_one_of(field, values)
            case IsBetween(field, bounds):
                some = (f"{self.name(field)} {BOUNDS[word][1]} {value}" for word, value in bounds)
                return " and ".join(some)
            case IsLike(field, pattern):
                escaped = re.sub(r"([\\%_])", r"\\\1", pattern).replace("*", "%")
                return f"like({self.name(field)}, {_value(escaped)})"
            case HasWords(field, words):
                return f"match({self.name(field)}, {_value(words)}, operator='AND')"
            case Exists(field):
                return f"isnotnull({self.name(field)})"
            case Not(inner):
                return self._negation(inner)
            case AllOf(filters):
                return " and ".join(f"({self.condition(one)})" for one in filters)
            case AnyOf(filters):
                return " or ".join(f"({self.condition(one)})" for one in filters)

    def _negation(self, filter_: Filter) -> str:
        """Write that a filter does not match: of a value that is not there, nothing is true."""
        match filter_:
            case Not(inner):
                return self.condition(inner)
            case AllOf(filters):
                return self.condition(AnyOf(tuple(map(Not, filters))))
            case AnyOf(filters):
                return self.condition(AllOf(tuple(map(Not, filters))))
            case Exists(field):
                return f"isnull({self.name(field)})"
            case _:
                missing = f"isnull({self.name(filter_.field)})"
                return f"{missing} or not ({self.condition(filter_)})"

    def _is_one_of(self, field: str, values: tuple[Value, ...]) -> str:
        name = self.name(field)
        networks = [value for value in values if "/" in str(value)] if self._is_ip(field) else []
        some = [f"cidrmatch({name}, {_value(network)})" for network in networks]
        others = [_value(value) for value in values if value not in networks]
        if len(others) == 1:
            some.append(f"{name} = {others[0]}")
        elif others:
            some.append(f"{name} in ({', '.join(others)})")
        return " or ".join(some)

    def _is_ip(self, field: str) -> bool:
        return field in self._fields and self._fields[field].family == "ip"


def _value(value: Value) -> str:
    if isinstance(value, str):
        return "'" + value.replace("\\", "\\\\").replace("'", "''") + "'"
    return json.dumps(value)
