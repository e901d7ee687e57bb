"""Whether a query is one that Athena runs, on the lake's tables, without reading all days of them.

sqlglot reads more than Athena does, and DuckDB compares a number with a text without complaint:
what either lets pass is looked for here.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import cache

import sqlglot
from sqlglot import exp
from sqlglot.optimizer.annotate_types import annotate_types
from sqlglot.optimizer.qualify import qualify
from sqlglot.optimizer.scope import traverse_scope
from sqlglot.schema import MappingSchema
from sqlglot.tokens import TokenType

from servicelogs import formats
from servicelogs.lake.schema import as_glue_columns, partition_keys
from servicelogs.lake.tables import tables_of

FUNCTIONS = {
    # https://trino.io/docs/current/functions/aggregate.html
    *("approx_percentile", "array_agg", "avg", "count", "count_if", "max", "max_by", "min", "sum"),
    # .../array.html, conditional.html, conversion.html, json.html, string.html
    *("array_join", "array_sort", "cast", "coalesce", "if", "json_extract", "json_extract_scalar"),
    *("lower", "nullif"),
}
"""What our queries and examples call; look one that you add up in Trino's reference."""
_BEFORE_A_PARENTHESIS = {"and", "or", "not", "in", "from", "join", "unnest", "exists", "as", "on"}

# https://docs.aws.amazon.com/athena/latest/ug/reserved-words.html, of SELECT statements
RESERVED = {
    *("alter", "and", "as", "between", "by", "case", "cast", "constraint", "create", "cross"),
    *("cube", "current_catalog", "current_date", "current_path", "current_schema"),
    *("current_time", "current_timestamp", "current_user", "deallocate", "delete", "describe"),
    *("distinct", "drop", "else", "end", "escape", "except", "execute", "exists", "extract"),
    *("false", "first", "for", "from", "full", "group", "grouping", "having", "in", "inner"),
    *("insert", "intersect", "into", "is", "join", "json_array", "json_exists", "json_object"),
    *("json_query", "json_table", "json_value", "last", "left", "like", "listagg", "localtime"),
    *("localtimestamp", "natural", "normalize", "not", "null", "of", "on", "or", "order"),
    *("outer", "prepare", "recursive", "right", "rollup", "select", "skip", "table", "then"),
    *("trim", "true", "uescape", "union", "unnest", "using", "values", "when", "where", "with"),
}

_OF_ONE_KIND = (
    *(exp.EQ, exp.NEQ, exp.GT, exp.GTE, exp.LT, exp.LTE, exp.Between, exp.In, exp.Like),
    exp.Coalesce,
)


class NotForAthena(ValueError):
    """Athena would refuse the query, or read all that there is."""


@cache
def schema() -> MappingSchema:
    """Give the columns that the tables have in Glue's catalog, with those of partitions."""
    return MappingSchema(
        {
            table: {
                column["Name"]: column["Type"]
                for column in [*as_glue_columns(columns), *partition_keys()]
            }
            for name in formats.NAMES
            for table, columns in tables_of(formats.get(name)).items()
        },
        dialect="hive",
    )


def check(sql: str) -> None:
    """Raise NotForAthena, or an error of sqlglot's, if it is not one that we would offer."""
    _check_functions(sql)
    trees = sqlglot.parse(sql, read="athena")
    if len(trees) != 1 or not isinstance(trees[0], exp.Select):
        raise NotForAthena("it is not one SELECT")
    (tree,) = trees
    for name in tree.find_all(exp.Identifier):
        if not name.quoted and name.name.lower() in RESERVED:
            raise NotForAthena(f"{name.name} is a reserved word: write it in quotes")
    qualified = qualify(tree, schema=schema(), dialect="athena")
    for table, conditions in _tables_and_conditions(qualified):
        if not any(_chooses_days(one, table) for one in conditions):
            raise NotForAthena(f"{table} is read whole: no condition on its event_day")
    _check_types(annotate_types(qualified, schema=schema(), dialect="athena"))


def _check_functions(sql: str) -> None:
    tokens = sqlglot.tokenize(sql, read="athena")
    for before, token, after in zip([None, *tokens], tokens, tokens[1:], strict=False):
        name = token.text.lower()
        is_alias = before is not None and before.token_type is TokenType.ALIAS
        is_word = name.replace("_", "").isalnum() and token.token_type is not TokenType.NUMBER
        is_call = after.token_type is TokenType.L_PAREN and is_word and not is_alias
        named_before = before is not None and before.token_type is TokenType.VAR
        if is_call and not named_before and name not in FUNCTIONS | _BEFORE_A_PARENTHESIS:
            raise NotForAthena(f"{token.text} is no function that our queries call")


def _tables_and_conditions(tree: exp.Expr) -> Iterator[tuple[str, list[exp.Expr]]]:
    """Give each table that is read, and what holds of all rows that are read of it."""
    for scope in traverse_scope(tree):
        if scope.is_udtf:
            continue  # an UNNEST sees the tables beside it
        where = scope.expression.args.get("where")
        conditions = _all_of(where.this) if where else []
        for name, source in scope.sources.items():
            if isinstance(source, exp.Table):
                yield name, conditions


def _all_of(condition: exp.Expr) -> list[exp.Expr]:
    return list(condition.flatten()) if isinstance(condition, exp.And) else [condition]


def _chooses_days(condition: exp.Expr, table: str) -> bool:
    """Say whether a condition compares the days of a table with what is no column."""
    if not isinstance(condition, exp.EQ | exp.GT | exp.GTE | exp.Between | exp.In):
        return False
    day, *others = condition.iter_expressions()
    return (
        isinstance(day, exp.Column)
        and (day.table, day.name) == (table, "event_day")
        and not any(other.find(exp.Column) for other in others)
    )


def _check_types(tree: exp.Expr) -> None:
    """Refuse members that a struct does not have, and what takes values of different kinds.

    The elements of lists have no types here: DuckDB looks at their members.
    """
    for dot in tree.find_all(exp.Dot):
        struct = dot.this.type
        if struct and struct.expressions and dot.name not in {m.name for m in struct.expressions}:
            raise NotForAthena(f"{dot.this.sql('athena')} has no {dot.name}")
    for comparison in tree.find_all(*_OF_ONE_KIND):
        kinds = {_kind(one) for one in comparison.iter_expressions()} - {""}
        if len(kinds) > 1 or (isinstance(comparison, exp.Like) and kinds - {"text"}):
            raise NotForAthena(f"{comparison.sql('athena')} mixes {' and '.join(sorted(kinds))}")


_KINDS: Mapping[str, set[exp.DType]] = {
    "text": exp.DataType.TEXT_TYPES,
    "number": exp.DataType.NUMERIC_TYPES,
    "truth": {exp.DType.BOOLEAN},
    "time": exp.DataType.TEMPORAL_TYPES,
    "structure": {exp.DType.STRUCT, exp.DType.ARRAY, exp.DType.MAP},
}


def _kind(value: exp.Expr) -> str:
    found = value.type.this if value.type else None
    return next((kind for kind, types in _KINDS.items() if found in types), "")
