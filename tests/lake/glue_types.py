"""Reads Hive's way of writing types, which is how Glue has them, as Arrow's."""

import re

import pyarrow

SIMPLE = {
    "string": pyarrow.string(),
    "int": pyarrow.int32(),
    "bigint": pyarrow.int64(),
    "double": pyarrow.float64(),
    "boolean": pyarrow.bool_(),
    "timestamp": pyarrow.timestamp("us", tz="UTC"),
}


def parse_hive_type(text: str) -> pyarrow.DataType:
    type_, rest = _parse(text)
    assert not rest, f"{rest!r} is left of {text!r}"
    return type_


def _parse(text: str) -> tuple[pyarrow.DataType, str]:
    if text.startswith("array<"):
        item, rest = _parse(text.removeprefix("array<"))
        return pyarrow.list_(item), rest.removeprefix(">")
    if text.startswith("struct<"):
        members = []
        rest = "," + text.removeprefix("struct<")
        while rest.startswith(","):
            name, _, rest = rest[1:].partition(":")
            member, rest = _parse(rest)
            members.append((name, member))
        return pyarrow.struct(members), rest.removeprefix(">")
    word = re.match(r"[a-z]+", text)
    assert word, text
    return SIMPLE[word[0]], text[word.end() :]
