"""The cutters find the same records, each in the texts that are its own."""

import json
import re
from typing import Any

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from servicelogs.parsing.json.by_braces import ByBraces
from servicelogs.parsing.json.by_decoding import ByDecoding
from servicelogs.parsing.json.by_line import ByLine
from servicelogs.parsing.json.by_separator import BySeparator
from servicelogs.parsing.json.cutter import Cutter
from tests.parsing.json.texts import COMPACT, LAYOUTS, STRUCTURE

DECODER = msgspec.json.Decoder(Any)
values = st.recursive(
    st.one_of(
        st.none(),
        st.integers(),
        st.text(max_size=5),
        st.sampled_from((STRUCTURE, "{", "}", "[", '"', "\\", "\n", "é")),
    ),
    lambda inner: st.one_of(
        st.lists(inner, max_size=3), st.dictionaries(st.text(max_size=3), inner, max_size=3)
    ),
    max_leaves=6,
)
records = st.lists(
    st.builds(lambda more: {"first": 1} | more, st.dictionaries(st.text(max_size=3), values)),
    min_size=1,
    max_size=6,
)


def cutters() -> list[Cutter]:
    nothing = re.compile(rb"(?!)")
    return [ByLine(DECODER), BySeparator(DECODER, nothing), ByDecoding(DECODER), ByBraces(nothing)]


@given(
    layout=st.sampled_from([*LAYOUTS]),
    between=st.sampled_from(["", "\n", " ", ","]),
    some=records,
    last=st.booleans(),
)
def test_a_cutter_that_takes_a_text_finds_what_the_others_find(
    layout: str, between: str, some: list[dict[str, Any]], last: bool
) -> None:
    texts = [json.dumps(one, **LAYOUTS[layout]).encode() for one in some]
    text = between.encode().join(texts)
    for cutter in cutters():
        if found := cutter.cut(text, last=last):
            assert found.records == texts[: len(found.records)]
            assert len(found.records) >= len(texts) - (not last)
            assert len(found.known) == len(found.records)
            rest = text[found.end :].strip(b", \n")
            assert rest == between.encode().join(texts[len(found.records) :])


@given(some=records, data=st.data())
def test_a_cutter_that_takes_a_damaged_text_loses_none_of_it(
    some: list[dict[str, Any]], data: st.DataObject
) -> None:
    text = bytearray(b"\n".join(json.dumps(one, **COMPACT).encode() for one in some))
    at = data.draw(st.integers(0, len(text)))
    text[at : at + data.draw(st.integers(0, 3))] = data.draw(
        st.sampled_from((b"", b'"', b"{", b"}", b"[", b"]", b"\\", b"\n", b"}{", b"\xff"))
    )
    for cutter in cutters():
        if found := cutter.cut(bytes(text), last=True):
            left = b"".join(found.records) + text[found.end :]
            kept = bytes(left).translate(None, b" \n,}]")
            assert kept == bytes(text).translate(None, b" \n,}]")
