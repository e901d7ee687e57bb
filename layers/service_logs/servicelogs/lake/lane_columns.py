"""What a column is in the lane of clean lines: a pattern for RE2, and kernels that find its groups.

Both are made of the column's declaration. The lane takes those variants whose patterns say all by
themselves; one with a look at what is around it, or with quotes of its own, is for the patterns.
"""

import re
from collections.abc import Callable, Sequence
from functools import partial
from typing import NamedTuple

import pyarrow
import pyarrow.compute

from servicelogs.lake.arrow_values import TEXT
from servicelogs.lake.schema import KINDS, arrow_types
from servicelogs.lake.text_columns import GroupOf, Values, has_one
from servicelogs.parsing.text.columns import Column, Group

NO_VALUE = ("-", "")
"""What stands for no value in any column of clean lines, without its quotes."""

_ESCAPED = r"\x00-\x1f\\\x80-\xff"
"""What JSON escapes, and what is not ASCII, in a set of characters."""
_parts_of = re.compile(
    r"(?P<mark>\(\?:\\.(?=\((?!\?)))|(?P<group>\((?!\?))|(?P<open>\(\?:)|(?P<close>\))"
    r"|\[(?P<no>\^?)(?P<set>\]?(?:\\.|[^]\\])*)\]"
    r"|(?P<foreign>\(\?|\\[DSWsw]|\.)|(?P<possessive>[*+?}])\+|\\.|."
).finditer
_group_name = re.compile(r"\?P<\w+>")

AT_ONCE = 4
"""RE2 finds so many groups in one pass; more take it three times as long."""
WHOLE = ""

type Read = Callable[[pyarrow.Array], Values]
"""Gives of a column's values those of its groups."""


class LaneColumn(NamedTuple):
    """How a column of clean lines is read."""

    pattern: str
    """What it is in such lines, as RE2 has it."""
    type: pyarrow.DataType | None
    """What its values are read as; None: as those of its first group."""
    groups: Sequence[GroupOf]
    read: Read


class _Variant(NamedTuple):
    """A variant that clean lines may have."""

    number: int
    groups: tuple[Group, ...]
    pattern: str
    """As RE2 has it, with names: `g0` is the first group, or `m0` that with a mark before it."""
    whole: bool
    """Its one group is all of the value."""
    in_quotes: bool
    """It is in quotes that the column itself need not have."""
    marks: str


def lane_column(column: Column, separator: str, *, quoting: bool) -> LaneColumn | None:
    """Say how a column is read; None: only patterns can.

    `quoting`: values in quotes are cut at the quotes, for they may hold a separator.
    """
    numbers = range(len(column.variants))
    found = [_variant(column, number, separator, quoting=quoting) for number in numbers]
    variants = [variant for variant in found if variant]
    valued = [variant for variant in variants if _has_value(variant.groups)]
    if not valued:
        return None
    if column.separator:
        return _list_column(column, variants, valued, quoting=quoting)
    if all(variant.whole for variant in valued):
        return _whole_column(column, variants, valued, quoting=quoting)
    groups = [(column, variant.number, group) for variant in valued for group in variant.groups]
    extractions = [_extraction(variant) for variant in valued]
    pattern = _pattern(column, variants, quoting=quoting)
    return LaneColumn(pattern, TEXT, groups, partial(_extracted, extractions))


def _list_column(
    column: Column, variants: Sequence[_Variant], valued: Sequence[_Variant], *, quoting: bool
) -> LaneColumn:
    """Read lists as a whole, however many items they have."""
    groups = [(column, v.number, g) for v in valued for g in v.groups if g.kind == "list"]
    return LaneColumn(_pattern(column, variants, quoting=quoting), TEXT, groups[:1], _as_they_are)


def _whole_column(
    column: Column, variants: Sequence[_Variant], valued: Sequence[_Variant], *, quoting: bool
) -> LaneColumn | None:
    """Read values that are each one group; those that are converted are known by their marks."""
    if len({(v.groups[0].field, v.groups[0].kind) for v in valued}) > 1:
        return None
    plain = [variant for variant in valued if not variant.groups[0].convert]
    marked = [variant for variant in valued if variant.marks]
    read: Read = _as_they_are
    type_ = None
    firsts = valued[:1]
    if plain and len(marked) == 1:
        firsts, read, type_ = [plain[0], marked[0]], _by_marks(marked[0].marks), TEXT
    elif plain:
        variants = [variant for variant in variants if not variant.groups[0].convert]
        firsts = plain[:1]
    if re.fullmatch(column.null, "-1"):
        read = _null_below_zero
    groups = [(column, variant.number, variant.groups[0]) for variant in firsts]
    return LaneColumn(_pattern(column, variants, quoting=quoting), type_, groups, read)


def _variant(column: Column, number: int, separator: str, *, quoting: bool) -> _Variant | None:
    """Give a variant, if clean lines may have it."""
    variant = column.variants[number]
    text, quotes = variant.pattern, variant.quotes
    in_quotes = quoting and quotes == 2 and text[0] == text[-1] == '"'
    if in_quotes:
        text, quotes = text[1:-1], 0
    if variant.otherwise or quotes is None or (quoting and quotes):
        return None
    end = '"' if column.quoted or in_quotes else f'{separator}"'
    pattern = _as_re2(text.replace("<end>", end), "" if end == '"' else separator)
    if pattern is None:
        return None
    if _has_value(variant.groups):
        if any(re.fullmatch(pattern, none) for none in NO_VALUE):
            return None
    elif not re.fullmatch(r"\(\?P<g0>-?\)", pattern):
        return None
    whole = len(variant.groups) == 1 and _is_one_group(pattern)
    return _Variant(number, variant.groups, pattern, whole, in_quotes, variant.marks)


def _has_value(groups: Sequence[Group]) -> bool:
    return len(groups) > 1 or groups[0].field is not None


def _as_re2(pattern: str, separator: str) -> str | None:
    """Write a pattern for RE2, for clean characters but no separator; None: it is not for RE2."""
    found, groups, marked = "", 0, False
    for part in _parts_of(pattern):
        text = part[0]
        if part["foreign"] or text == (separator or '"'):
            return None
        if part["mark"]:
            text = f"(?P<m{groups}>{text.removeprefix('(?:')}"
            marked = True
        elif part["group"]:
            text = "(?:" if marked else f"(?P<g{groups}>"
            groups, marked = groups + 1, False
        elif part["no"]:
            if not {*separator, '"'} <= {*part["set"]}:
                return None
            begins = "\\" if part["set"].startswith("]") else ""
            text = f"[^{_ESCAPED}{begins}{part['set']}]"
        elif {*separator, '"'} & {*(part["set"] or "")}:
            return None
        found += part["possessive"] or text
    return found


def _is_one_group(pattern: str) -> bool:
    """Say whether a pattern of one group is nothing else."""
    depth = 0
    for part in _parts_of(_group_name.sub("", pattern)):
        if part.start() and not depth:
            return False
        depth += bool(part["group"] or part["open"]) - bool(part["close"])
    return True


def _pattern(column: Column, variants: Sequence[_Variant], *, quoting: bool) -> str:
    """Write the pattern of a column in clean lines."""
    nulls = ["-", "-1", '"-"'] if quoting else ["-", "-1"]
    texts = [null for null in nulls if re.fullmatch(column.null, null)]
    for variant in variants:
        text = _group_name.sub("?:", variant.pattern)
        texts.append(f'"{text}"' if variant.in_quotes else text)
    text = f"(?:{'|'.join(texts)})"
    return f'"{text}"' if column.quoted else text


def _as_they_are(values: pyarrow.Array) -> Values:
    return [values]


def _null_below_zero(values: pyarrow.Array) -> Values:
    negative = pyarrow.compute.less(values, pyarrow.scalar(0, values.type))
    if not pyarrow.compute.any(negative).as_py():
        return [values]
    return [pyarrow.compute.if_else(negative, pyarrow.scalar(None, values.type), values)]


def _by_marks(marks: str) -> Read:
    """Part the values with one of these characters from those without."""
    one = f"[{re.escape(marks)}]"
    search = re.compile(one.encode()).search

    def read(values: pyarrow.Array) -> Values:
        if not has_one(search, values):
            return [values, None]
        is_marked = pyarrow.compute.match_substring_regex(values, one)
        none = pyarrow.scalar(None, TEXT)
        marked = pyarrow.compute.if_else(is_marked, values, none)
        return [pyarrow.compute.if_else(is_marked, none, values), marked.dictionary_encode()]

    return read


class _Extraction(NamedTuple):
    """How the groups of a variant are found: those in others after these, in what these have."""

    steps: Sequence[tuple[str, str]]
    """Of which group, or of the whole value, and a pattern."""
    groups: Sequence[tuple[Group, str]]
    """Each group, and its name in the patterns."""


def _extraction(variant: _Variant) -> _Extraction:
    names = _group_names(variant.pattern)
    groups = [*zip(variant.groups, names, strict=True)]
    if len(names) <= AT_ONCE:
        return _Extraction([(WHOLE, f"^(?:{variant.pattern})$")], groups)
    outer, steps = variant.pattern, []
    for name in names:
        inside = _inside(outer, name)
        if _group_names(inside):
            outer = outer.replace(inside, _group_name.sub("?:", inside))
            steps.append((name, f"^(?:{inside})$"))
    return _Extraction([(WHOLE, f"^(?:{outer})$"), *steps], groups)


def _group_names(pattern: str) -> list[str]:
    return [name[3:-1] for name in _group_name.findall(pattern)]


def _inside(pattern: str, name: str) -> str:
    """Give the pattern of a group, without its name; empty if it has none of that name."""
    _, opening, behind = pattern.partition(f"(?P<{name}>")
    depth = 1
    for part in _parts_of(behind if opening else ""):
        depth += (part[0][0] == "(") - bool(part["close"])
        if not depth:
            return behind[: part.start()]
    return ""


def _extracted(extractions: Sequence[_Extraction], values: pyarrow.Array) -> Values:
    """Find the groups of each variant in turn, until all values are of one."""
    found: list[pyarrow.Array | None] = []
    left = len(values) - values.null_count
    for extraction in extractions:
        named = _named(extraction, values) if left else {}
        if named:
            first = named[extraction.groups[0][1]]
            left -= len(first) - first.null_count
        found += [
            _group(named[name], group, name) if named else None for group, name in extraction.groups
        ]
    return found


def _named(extraction: _Extraction, values: pyarrow.Array) -> dict[str, pyarrow.Array]:
    """Find the groups of a variant; none if no value is of it."""
    found = {WHOLE: values}
    for of, pattern in extraction.steps:
        matches = pyarrow.compute.extract_regex(found[of], pattern)
        if matches.null_count == len(matches):
            return {}
        names = [field.name for field in matches.type]
        found |= {name: pyarrow.compute.struct_field(matches, name) for name in names}
    return found


def _group(values: pyarrow.Array, group: Group, name: str) -> pyarrow.Array:
    if group.optional:  # RE2 gives an empty text where a group takes no part
        there = pyarrow.compute.not_equal(values, "")
        values = pyarrow.compute.if_else(there, values, pyarrow.scalar(None, TEXT))
    if name.startswith("m"):
        values = pyarrow.compute.utf8_slice_codeunits(values, 1)
    if group.convert:
        return values.dictionary_encode()
    if group.kind == "number" and group.field:
        return values.cast(arrow_types()[KINDS[group.field.type]])
    return values
