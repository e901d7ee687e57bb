"""Formats of messages: what their forms, kinds and joining rules make of events."""

import json
import re
from collections.abc import Iterator
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from servicelogs.formats import rds
from servicelogs.opensearch.dated_indexes import every_index
from servicelogs.opensearch.documents import blocks_of
from servicelogs.parsing.messages.format import Form, JsonForm, MessageFormat
from servicelogs.parsing.messages.forms import Forms
from servicelogs.parsing.messages.json_members import JsonMembers
from servicelogs.parsing.messages.times import times
from servicelogs.records import Source
from tests.parsing.messages.made_up_messages import FORMAT, documents, own, source, take
from tests.timing import is_linear

SOLD = b"2026-11-20 08:14:55.5 ann sold a hat for 12"
STAFF = source("/shop/corner/staff")
OBJECTS = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner),
    max_leaves=6,
)


def test_groups_become_fields_of_their_types() -> None:
    assert own(SOLD) == [
        {
            "@timestamp": "2026-11-20T08:14:55.5Z",
            "kind": "sales",
            "shop": "corner",
            "till": "front",
            "level": "good",
            "user": "ann",
            "article": "a hat",
            "amount": 12,
        }
    ]


def test_a_group_without_a_value_is_no_field() -> None:
    (document,) = own(b"2026-11-20 08:14:55  sold a hat")
    assert {"user", "amount"}.isdisjoint(document)


def test_what_stands_behind_the_beginning_and_has_no_inner_form_is_the_message() -> None:
    (document,) = own(b"2026-11-20 08:14:55 ann went home")
    assert document["message"] == "went home"
    assert document["user"] == "ann"


def test_a_quoted_text_is_converted() -> None:
    (document,) = own(b"2026-11-20 08:14:55 ann says 'it''s \"so\"'")
    assert document["message"] == 'it\'s "so"'


def test_the_distance_from_utc_counts() -> None:
    (document,) = own(b"2026-11-20 08:14:55.25+02 ann went home")
    assert document["@timestamp"] == "2026-11-20T06:14:55.25Z"


@pytest.mark.parametrize("text", [b"2026-13-20 08:14:55 ann sold a", b"2026-oh", b"2026-"])
def test_what_has_no_form_is_a_document_at_the_time_of_its_event(text: bytes) -> None:
    assert own(text) == [
        {
            "@timestamp": "2026-11-20T08:14:55.123Z",
            "kind": "sales",
            "shop": "corner",
            "till": "front",
            "message": text.decode(),
        }
    ]


def test_the_index_is_dated_by_the_event_and_not_by_the_line() -> None:
    block = take(b"2026-10-01 08:14:55 ann sold a hat")
    assert b'"_index":"aws-shop-2026.11.20"' in block.body
    assert b'"@timestamp":"2026-10-01T08:14:55Z"' in block.body


def test_events_that_do_not_begin_a_record_belong_to_the_one_before() -> None:
    block = take(SOLD, b"and another", b"\t2026-11-20 08:14:55 eve sold it", SOLD)
    (first, one), (second, _) = documents(block)
    assert (first, second) == ("e1", "e4")
    assert one["article"] == "a hat for 12\nand another\n\t2026-11-20 08:14:55 eve sold it"
    assert block.records == 2
    assert (block.first, block.end) == (1, 5)
    assert block.raw(1) == b"%b\nand another\n\t2026-11-20 08:14:55 eve sold it" % SOLD


def test_what_the_events_begin_with_and_no_record_begins_is_a_continuation() -> None:
    (key, document), (other, _) = documents(take(b"\tand", b"so on", SOLD))
    assert (key, other) == ("e1", "e3")
    assert document["log"]["continuation"] is True
    assert document["message"] == "\tand\nso on"


def test_several_records_in_one_event_have_its_id_and_a_number() -> None:
    found = documents(take(b"%b\nNEXT %b\nNEXT %b" % (SOLD, SOLD, SOLD)))
    assert [key for key, _ in found] == ["e1", "e1-2", "e1-3"]
    assert [document["article"] for _, document in found] == ["a hat"] * 3
    assert {document["log"]["record"] for _, document in found} == {1}


def test_skipped_events_are_no_documents() -> None:
    found = documents(take(SOLD, SOLD, b"and", SOLD, skipped=1))
    assert [key for key, _ in found] == ["e2", "e4"]


def test_without_a_log_group_the_forms_of_all_kinds_count() -> None:
    (document,) = own(SOLD, of=source("", ""))
    assert (document["kind"], document["article"]) == ("sales", "a hat")
    assert "shop" not in document


def test_lines_of_an_object_are_joined_whatever_the_chunks() -> None:
    text = b"lost\n%b\nand\n\n\tso on\n%b\n" % (SOLD, SOLD)
    of = Source("s3://b/k", "0123456789abcdef", source().delivered, log_group="/shop/x/sales")
    outcomes = set()
    for size in (1, 7, len(text)):
        chunks = [text[at : at + size] for at in range(0, len(text), size)]
        blocks = [*blocks_of(FORMAT, chunks, of, every_index().of(FORMAT))]
        body = b"".join(block.body for block in blocks)
        outcomes.add(re.sub(rb'"ingested":"[^"]*"', b"", body))
        assert sum(block.records for block in blocks) == 3
    assert len(outcomes) == 1
    for start, records in ((2, 2), (6, 1)):
        blocks = [*blocks_of(FORMAT, [text], of, every_index().of(FORMAT), start)]
        assert sum(block.records for block in blocks) == records


def test_members_become_fields_and_the_object_lies_under_one() -> None:
    text = b'{"type":"bill.x","bill":{"sum":1.5,"time":"2026-11-20T08:00:00.5Z"},"log":{"a":1}}'
    assert own(text, of=STAFF) == [
        {
            "@timestamp": "2026-11-20T08:00:00.5Z",
            "kind": "staff",
            "level": "good",
            "shop": "corner",
            "amount": 1.5,
            "application": {
                "type": "bill.x",
                "bill": {"sum": 1.5, "time": "2026-11-20T08:00:00.5Z"},
                "log": {"a": 1},
            },
        }
    ]


def test_of_several_members_the_first_with_a_single_value_counts() -> None:
    (document,) = own(b'{"who":["x"],"name":"ann","text":{"a":1}}', of=STAFF)
    assert document["user"] == "ann"
    assert "message" not in document


def test_something_else_in_the_place_of_an_inner_object_leaves_all_as_it_came() -> None:
    for inner in (b"7", b'"x"', b"null", b"[{}]"):
        text = b'{"type": "bill.x", "bill": %b}' % inner
        block = take(text, of=STAFF)
        assert text in block.body
        ((_, document),) = documents(block)
        assert (document["level"], document.get("amount")) == ("good", None)


def test_members_that_no_form_asks_for_are_not_decoded() -> None:
    (kind,) = (kind for kind in FORMAT.kinds if kind.json_forms)
    assert [*JsonMembers(kind.json_forms).decode(b'{"a":1,"name":"x","b":{"name":1}}')] == ["name"]


def test_members_of_a_form_have_different_names() -> None:
    form = JsonForm(whole="x", members=(("a", "user"), ("b.a", "level")))
    with pytest.raises(ValueError, match="same name"):
        JsonMembers((form,))


def test_an_object_that_is_too_long_for_a_term_is_made_to_fit() -> None:
    (document,) = [one for _, one in documents(take(b'{"who":"%b"}' % (b"x" * 40_000), of=STAFF))]
    assert document["log"]["adjusted"] == ["application"]
    assert len(document["log"]["original"]["application"]["who"]) == 40_000


@pytest.mark.parametrize(
    "text", [b'{"who":"a"', b"[1]", b'{"who":NaN}', b"{}x", b"{" * 5_000, b'{"a":' * 5_000]
)
def test_what_is_not_an_object_is_a_message(text: bytes) -> None:
    (document,) = own(text, of=STAFF)
    assert document["message"] == text.decode()


@given(st.lists(st.binary() | st.text().map(str.encode) | st.sampled_from([SOLD, b"\t", b"2026-"])))
def test_every_event_is_a_document_or_joined_to_one(items: list[bytes]) -> None:
    block = take(*items)
    found = documents(block)
    assert block.documents == len(found) == block.records
    numbers = [document["log"]["record"] for _, document in found]
    bounds = [*sorted({*numbers}), len(items) + 1]
    texts = [item.rstrip(b"\r\n") for item in items]
    for at, end in pairwise(bounds):
        assert block.raw(at) == b"\n".join(texts[at - 1 : end - 1])
    assert not items or bounds[0] == 1


@given(st.text(), st.booleans())
def test_a_value_is_in_the_document_as_it_was_written(text: str, control: bool) -> None:
    article = text.strip("\r\n").replace(" for ", "") + ("\x01\0" if control else "") + "."
    (document,) = own(b"2026-11-20 08:14:55 ann sold " + article.encode("utf-8", "replace"))
    assert document["article"] == article.encode("utf-8", "replace").decode()


@given(st.dictionaries(st.sampled_from(["who", "type", "bill", "at", "log", "_id"]), OBJECTS))
def test_any_object_is_a_document(value: dict[str, object]) -> None:
    for ascii_ in (True, False):
        text = json.dumps(value, ensure_ascii=ascii_).encode("utf-8", "replace")
        (document,) = own(text, of=STAFF)
        assert document["application"] == json.loads(text)


@pytest.mark.parametrize(
    ("text", "iso"),
    [
        (b"2026-11-20T08:14:55", b"2026-11-20T08:14:55"),
        (b"2026-11-20  8:14:55", b"2026-11-20T08:14:55"),
        (b"2026/11/20 08:14:55", b"2026-11-20T08:14:55"),
        (b"20261120 08:14:55", b"2026-11-20T08:14:55"),
        (b"261120  8:14:55", b"2026-11-20T08:14:55"),
        (b"261120 8:14:55", b"2026-11-20T08:14:55"),
        (b"1795162495", b"2026-11-20T08:14:55"),
        (b"2026-11-20 08:14:55+03", b"2026-11-20T05:14:55"),
        (b"2026-11-20 08:14:55-0330", b"2026-11-20T11:44:55"),
    ],
)
def test_times_are_read_as_logs_write_them(text: bytes, iso: bytes) -> None:
    assert times[text] == (498_656 + int(iso[11:13]) - 8, iso)


@pytest.mark.parametrize("text", [b"", b"2026-02-30 08:14:55", b"2026-11-20", b"99999999999999"])
def test_what_is_not_a_time_is_a_value_error(text: bytes) -> None:
    with pytest.raises((ValueError, OverflowError)):
        times[text]


def test_each_group_of_a_form_has_a_name() -> None:
    form = Form(pattern=r"[(](?P<user>\(x)(y)")
    with pytest.raises(ValueError, match="must be named"):
        Forms((form,), lambda way: way)


@pytest.mark.slow
def test_a_long_message_takes_no_longer_than_its_length() -> None:
    for filling in (b"x", b"'", b"\n", b" for ", b"''", b"\nNEXT 2026-"):

        def text(size: int, filling: bytes = filling) -> bytes:
            return b"2026-11-20 08:14:55 ann says '" + filling * (size // len(filling))

        assert is_linear(text, take, 250_000), filling


@pytest.mark.parametrize("log_format", [FORMAT, rds.FORMAT], ids=lambda one: one.name)
def test_no_group_captures_inside_of_a_possessive_repeat(log_format: MessageFormat) -> None:
    """Python may end that in a SystemError: parsing/messages/patterns.py says how else."""
    for form in forms_of(log_format):
        parsed = re._parser.parse(re.sub(r"\?P<\w+>", "", form.pattern))  # type: ignore[attr-defined]
        assert not [*captures(parsed, possessive=False)], form.pattern


@pytest.mark.parametrize("log_format", [FORMAT, rds.FORMAT], ids=lambda one: one.name)
def test_each_group_is_a_declared_field(log_format: MessageFormat) -> None:
    names = {field.name for field in log_format.fields} | {"time", "fraction", "offset"}
    groups = {
        name for form in forms_of(log_format) for name in re.findall(r"\?P<(\w+)>", form.pattern)
    }
    members = {
        name for kind in log_format.kinds for one in kind.json_forms for _, name in one.members
    }
    kinds = "".join(kind.groups + kind.streams for kind in log_format.kinds)
    assert groups | members | {*re.findall(r"\?P<(\w+)>", kinds)} <= names


def forms_of(log_format: MessageFormat) -> Iterator[Form]:
    left = [form for kind in log_format.kinds for form in kind.forms]
    objects = [one for kind in log_format.kinds for one in kind.json_forms]
    left += [form for one in objects for forms in one.texts.values() for form in forms]
    while left:
        form = left.pop()
        yield form
        left += form.inner


def captures(parsed: Any, *, possessive: bool) -> Iterator[Any]:
    """Give the groups that capture inside of what is repeated possessively."""
    for operation, argument in parsed:
        name = str(operation)
        if name == "SUBPATTERN" and argument[0] is not None and possessive:
            yield argument
        for inner in _inside(argument):
            yield from captures(inner, possessive=possessive or name == "POSSESSIVE_REPEAT")


def _inside(argument: Any) -> Iterator[Any]:
    if isinstance(argument, re._parser.SubPattern):  # type: ignore[attr-defined]
        yield argument
    elif isinstance(argument, tuple | list):
        for one in argument:
            yield from _inside(one)
