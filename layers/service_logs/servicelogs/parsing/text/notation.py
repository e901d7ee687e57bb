"""How the columns of a line are put together, as patterns: separated, or members of an object."""

import re
from collections.abc import Iterable
from dataclasses import replace
from operator import add
from typing import NamedTuple

from servicelogs.parsing.text.columns import Column, Variant


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
    variants = []
    for at, variant in enumerate(column.variants):
        text = _variant_text(column, at, '"', '"')
        variants.append(Variant(f'"{text}"', variant.groups))
        if any(group.kind in ("number", "hidden") for group in variant.groups):
            variants.append(Variant(_NUMBER + text, variant.groups))
    (group, *others) = column.variants[0].groups
    if not others and group.field and group.field.type == "keyword":
        variants.append(Variant(r"(true|false|-?\d++(?:\.\d++)?)(?=[,}])", (group,)))
    empty = "" if column.quoted else "|"
    null = f'"(?:{column.null}{empty})"|null|{_NUMBER}(?:{column.null})'
    return replace(column, variants=tuple(variants), null=null, quoted=False)


def pattern_text(
    columns: tuple[Column, ...],
    variants: Iterable[Iterable[int]],
    notation: Notation,
    *,
    quotes_counted: bool = False,
    named: bool = False,
) -> str:
    """Write the pattern of some variants of each column; `named`: each in a group of its own.

    A quote inside a value without quotes would end it in the document, so none is taken, unless
    they were counted: one character less to exclude makes a pattern a third faster.
    """
    end = notation.separator
    ends = end if quotes_counted or end == '"' else f'"{end}'
    texts = (
        _column_text(column, numbers, end, '"' if column.quoted else ends)
        for column, numbers in zip(columns, variants, strict=False)
    )
    if named:
        texts = (f"(?P<{group_name(at)}>{text})" for at, text in enumerate(texts))
    return "".join(map(add, notation.before, texts))


def group_name(at: int) -> str:
    """Give the name that the group of a column has, by its place from 0 on."""
    return f"column_{at}"


def _column_text(column: Column, numbers: Iterable[int], separator: str, ends: str) -> str:
    """Write the pattern of some of a column's variants; -1 is null."""
    end = '"' if column.quoted else separator
    texts = [
        _variant_text(column, number, end, ends) if number >= 0 else column.null
        for number in numbers
    ]
    either = "|".join(texts)
    text = f"(?:{either})" if "|" in either else either
    return f'"{text}"' if column.quoted else text


def _variant_text(column: Column, number: int, end: str, ends: str) -> str:
    variant = column.variants[number]
    text = variant.pattern
    if variant.otherwise:
        before = "|".join([column.null, *(v.pattern for v in column.variants[:number])])
        no_groups = re.sub(r"(?<!\\)\((?!\?)", "(?:", before)
        text = f"(?!(?:{no_groups})(?:{end}|$)){text}"
    return text.replace("<end>", ends)
