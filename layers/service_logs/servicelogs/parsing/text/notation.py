"""How the columns of a line are put together, as patterns: separated, or members of an object."""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from operator import add
from types import MappingProxyType
from typing import NamedTuple

from servicelogs.parsing.text.columns import Column, Variant

_NO_CONDITIONS: "Mapping[int, Sequence[Condition]]" = MappingProxyType({})


class Notation(NamedTuple):
    """What is around the columns of a line."""

    before: tuple[str, ...]
    """The patterns of what stands before each column."""
    after: str
    """The pattern of what stands after the last one."""
    separator: str
    """The character that ends a value without quotes."""
    next: str
    """The pattern of what follows a column, the last one too."""
    mark: str
    """What is counted to know that no value without quotes holds one."""
    excluded: str = ""
    """The pattern of what these lines do not begin with, though their columns could."""


class Condition(NamedTuple):
    """A column has this variant if the group took part, else another one."""

    group: int
    """By number, from 1."""
    variant: int


def separated(columns: int, separator: str) -> Notation:
    """Give the notation of so many columns with a separator between them."""
    before = ("", *[separator] * (columns - 1))
    return Notation(before[:columns], "", separator, f"(?:{separator}|$)", '"')


def members(names: tuple[str, ...]) -> Notation:
    """Give the notation of a JSON object whose members have these names, as they are in quotes."""
    first, *others = (f'"{re.escape(name)}": ?' for name in names)
    before = (r"\{" + first, *(", ?" + other for other in others))
    # A string ends at a quote whatever is in it; a line has no newlines to be counted.
    return Notation(before, r"\}", '"', "[,}]", "\n")


_NUMBER = r"(?=-?\d[\d.]*+[,}])"


def as_member(column: Column) -> Column:
    """Give a column as the value of a member: a string with its text, or a number, true, null."""
    column = column.in_json or column
    variants = []
    for at, variant in enumerate(column.variants):
        text = _variant_text(column, at, '"', '"')
        variants.append(Variant(f'"{text}"', variant.groups))
        if any(group.kind in ("number", "hidden") for group in variant.groups):
            variants.append(Variant(_NUMBER + text, variant.groups))
    (group, *others) = column.variants[0].groups
    if not others and group.field and group.field.type == "keyword":
        variants.append(Variant(r"(true|false|-?\d++(?:\.\d++)?)(?=[,}])", (group,)))
    null = f'"(?:{column.null}|)"|null|{_NUMBER}(?:{column.null})'
    return replace(column, variants=tuple(variants), null=null, quoted=False)


def pattern_text(
    columns: tuple[Column, ...],
    variants: Iterable[Iterable[int]],
    notation: Notation,
    *,
    quotes_counted: bool = False,
    named: bool = False,
    conditions: Mapping[int, Sequence[Condition]] = _NO_CONDITIONS,
) -> str:
    """Write the pattern of some variants of each column; `named`: each in a group of its own.

    A quote inside a value without quotes would end it in the document, so none is taken, unless
    they were counted: one character less to exclude makes a pattern a third faster. `conditions`
    are those of columns, by their places.
    """
    end = notation.separator
    ends = end if quotes_counted or end == '"' else f'"{end}'
    texts = (
        _column_text(
            column, numbers, end, '"' if column.quoted else ends, conditions.get(place, ())
        )
        for place, (column, numbers) in enumerate(zip(columns, variants, strict=False))
    )
    if named:
        texts = (f"(?P<{group_name(at)}>{text})" for at, text in enumerate(texts))
    start = f"(?!{notation.excluded})" if notation.excluded else ""
    return start + "".join(map(add, notation.before, texts))


def group_name(at: int) -> str:
    """Give the name that the group of a column has, by its place from 0 on."""
    return f"column_{at}"


def unlike(columns: tuple[Column, ...], notation: Notation) -> str:
    """Write the pattern of where these columns do not follow, nor the first of them to the end."""
    end = notation.separator
    text = notation.next
    for column in reversed(columns):
        every = [-1, *range(len(column.variants))]
        one = _column_text(column, every, end, '"' if column.quoted else f'"{end}')
        text = f"{end}{_without_groups(one)}{text}"
        text = text if column is columns[0] else f"(?:$|{text})"
    return f"(?!{text})" if columns else ""


def _column_text(
    column: Column,
    numbers: Iterable[int],
    separator: str,
    ends: str,
    conditions: Sequence[Condition] = (),
) -> str:
    """Write the pattern of some of a column's variants, first those with conditions; -1 is null."""
    end = '"' if column.quoted else separator

    def either(numbers: Iterable[int]) -> str:
        texts = (
            _variant_text(column, number, end, ends) if number >= 0 else column.null
            for number in numbers
        )
        text = "|".join(texts)
        return f"(?:{text})" if "|" in text else text

    text = either([*numbers][len(conditions) :])
    for group, variant in reversed(conditions):
        text = f"(?({group}){either([variant])}|{text})"
    return f'"{text}"' if column.quoted else text


def _variant_text(column: Column, number: int, end: str, ends: str) -> str:
    variant = column.variants[number]
    text = variant.pattern
    if variant.otherwise:
        before = "|".join([column.null, *(v.pattern for v in column.variants[:number])])
        text = f"(?!(?:{_without_groups(before)})(?:{end}|$)){text}"
    return text.replace("<end>", ends)


def _without_groups(pattern: str) -> str:
    return re.sub(r"(?<!\\)\((?!\?)", "(?:", pattern)
