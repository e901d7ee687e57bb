"""JSON records: whatever they hold, each is one document or one reject, and fits on one line."""

import json
from datetime import UTC, datetime
from typing import Any
from unittest.mock import patch

import pytest
from hypothesis import given
from hypothesis import strategies as st

from servicelogs.formats import get
from servicelogs.opensearch.dated_indexes import one_index
from servicelogs.opensearch.documents import blocks_of
from servicelogs.parsing.framing import MAX_RECORD_BYTES
from servicelogs.parsing.json import cutting
from servicelogs.records import Source
from tests.formats.parsing import SOURCE, chunked, parse

FORMATS = ("cloudtrail",)
TIME = "2026-11-20T08:14:55Z"
CONTROL = "a\x00b\x1f\x7f\u2028\n\r\t"
ODD_NAMES = ("log", "@timestamp", "cloud", "event", "request", "extra_fields", "create", "delete")
KNOWN_NAMES = (
    "eventTime",
    "eventID",
    "eventName",
    "requestParameters",
    "responseElements",
    "insightDetails",
    "timeWindow",
    "userIdentity",
)
texts = st.one_of(
    st.text(max_size=12),
    st.sampled_from(
        (
            '\n{"delete":{"_index":"x","_id":"y"}}\n',
            '},{"eventVersion":"1.0"',
            ']}{"Records":[',
            "\ud800",
            CONTROL,
            "{",
            '"}',
            "é" * 5,
        )
    ),
)
numbers = st.one_of(st.integers(-(2**70), 2**70), st.floats(allow_nan=False, allow_infinity=False))
values = st.recursive(
    st.one_of(st.none(), st.booleans(), numbers, texts),
    lambda inner: st.one_of(
        st.lists(inner, max_size=3), st.dictionaries(st.text(max_size=5), inner, max_size=3)
    ),
    max_leaves=8,
)
records = st.builds(
    lambda base, more: base | more,
    st.fixed_dictionaries(
        {"eventVersion": st.just("1.11")},
        optional={
            "eventTime": st.just(TIME),
            "eventID": st.uuids().map(str),
            "requestParameters": st.dictionaries(
                st.sampled_from(("bucketName", "key", "x")), values, max_size=3
            ),
        },
    ),
    st.dictionaries(st.sampled_from((*ODD_NAMES, *KNOWN_NAMES, "x", "a.b")), values, max_size=2),
)
layouts: st.SearchStrategy[dict[str, Any]] = st.sampled_from(
    (
        {"separators": (",", ":")},
        {"separators": (",", ":"), "ensure_ascii": False},
        {"separators": (", ", ": ")},
        {"indent": 1},
    )
)


def text_of(some: list[Any], layout: dict[str, Any], shape: str = "document") -> bytes:
    """Write records as one document, several, or one after the other."""
    if shape == "document":
        text = json.dumps({"Records": some}, **layout)
    elif shape == "documents":
        text = "\n".join(json.dumps({"Records": [one], "n": "]}"}, **layout) for one in some)
    else:
        text = "\n".join(json.dumps(one, **layout) for one in some)
    return text.encode("utf-8", "surrogatepass")


def small(size: int) -> Any:
    """Cut blocks as if so few bytes were a block."""
    return patch.object(cutting, "BLOCK_BYTES", size)


@pytest.mark.parametrize("shape", ["document", "documents", "bare"])
@given(
    some=st.lists(records, max_size=5),
    layout=layouts,
    block=st.integers(1, 400),
    chunk=st.integers(1, 200),
)
def test_each_record_is_one_document_or_one_reject_however_it_is_written_and_cut(
    shape: str, some: list[Any], layout: dict[str, Any], block: int, chunk: int
) -> None:
    data = text_of(some, layout, shape)
    whole = parse("cloudtrail", data)
    assert whole.numbers() == {*range(1, len(some) + 1)}
    with small(block):
        assert parse("cloudtrail", chunked(data, chunk)).summary() == whole.summary()


@given(data=st.data(), some=st.lists(records, max_size=4), layout=layouts, chunk=st.integers(1, 99))
def test_no_damage_to_the_text_crashes_a_parser_or_the_body(
    data: st.DataObject, some: list[Any], layout: dict[str, Any], chunk: int
) -> None:
    text = bytearray(text_of(some, layout))
    for _ in range(data.draw(st.integers(1, 4))):
        at = data.draw(st.integers(0, len(text)))
        end = at + data.draw(st.integers(0, 5))
        text[at:end] = data.draw(
            st.one_of(st.binary(max_size=4), st.sampled_from((b'"', b"{", b"}", b"[", b"]", b"\\")))
        )
    with small(64):
        parse("cloudtrail", chunked(bytes(text), chunk))


@given(data=st.data(), chunk=st.integers(1, 200), block=st.sampled_from((64, 10_000)))
def test_damage_to_the_text_makes_no_record_disappear(
    data: st.DataObject, chunk: int, block: int
) -> None:
    marked = [
        json.dumps(event(eventID=f"mark-{n}-", x=data.draw(values))).encode() for n in range(5)
    ]
    text = bytearray(b'{"Records":[' + b",".join(marked) + b'],"more":[1]}')
    for _ in range(data.draw(st.integers(1, 2))):
        at = data.draw(st.integers(12, len(text) - 14))
        end = at + data.draw(st.integers(0, 3))
        text[at:end] = data.draw(
            st.sampled_from((b"", b'"', b"{", b"}", b"[", b"]", b"\\", b"},{"))
        )
    with small(block):
        parsed = parse("cloudtrail", chunked(bytes(text), chunk))
    left = json.dumps([*parsed.documents.values()]).encode() + b"".join(
        reject.raw for reject in parsed.rejects
    )
    assert [n for n, one in enumerate(marked) if one in text and b"mark-%d-" % n not in left] == []


@given(data=st.binary(max_size=200), chunk=st.integers(1, 50))
def test_no_bytes_crash_a_parser(data: bytes, chunk: int) -> None:
    with small(16):
        parse("cloudtrail", chunked(data, chunk))
        parse("cloudtrail", chunked(b'{"Records":[' + data, chunk))


@given(some=st.lists(records, min_size=1, max_size=6), layout=layouts, data=st.data())
def test_going_on_from_a_record_number_gives_exactly_the_records_from_there_on(
    some: list[Any], layout: dict[str, Any], data: st.DataObject
) -> None:
    start = data.draw(st.integers(1, len(some) + 1))
    text = text_of(some, layout)
    with small(100):
        whole = parse("cloudtrail", chunked(text, 70))
        rest = parse("cloudtrail", chunked(text, 70), start=start)
    assert rest.documents == {n: one for n, one in whole.documents.items() if n >= start}
    assert rest.actions == {n: one for n, one in whole.actions.items() if n >= start}
    assert rest.rejects == [one for one in whole.rejects if one.number >= start]


@given(one=records, block=st.integers(1, 300))
def test_a_record_that_goes_through_as_it_is_equals_the_one_written_anew(
    one: dict[str, Any], block: int
) -> None:
    compact = parse("cloudtrail", text_of([one], {"separators": (",", ":")}))
    pretty = parse("cloudtrail", text_of([one], {"indent": 1}))
    assert compact.documents == pretty.documents
    assert compact.actions == pretty.actions


def event(**members: Any) -> dict[str, Any]:
    """Return a record with a time and an id."""
    return {"eventVersion": "1.11", "eventTime": TIME, "eventID": "an-id"} | members


def one_of(data: bytes | str) -> Any:
    """Return the document and action of the only record."""
    parsed = parse("cloudtrail", data.encode() if isinstance(data, str) else data)
    assert parsed.rejects == []
    return parsed.documents[1], parsed.actions[1]


@pytest.mark.parametrize(
    "id_", [None, 12345, ["a", "b"], {"a": 1}, True, "", "x" * 513, "é" * 257, "\ud800", "a\nb"]
)
@pytest.mark.parametrize("layout", [{"separators": (",", ":")}, {"indent": 1}])
def test_an_id_that_is_none_never_reaches_the_action_line(id_: Any, layout: dict[str, Any]) -> None:
    _, action = one_of(text_of([event(eventID=id_)], layout))
    expected = {"a\nb": "a\nb"}.get(str(id_), "0123456789abcdef-1")
    assert action["_id"] == expected


@pytest.mark.parametrize("name", ["log", "@timestamp", "cloud", "event", "request", "extra_fields"])
@pytest.mark.parametrize("value", [None, "x", {"type": "alb"}])
def test_a_name_of_ours_in_a_record_is_kept_apart(name: str, value: Any) -> None:
    document, _ = one_of(json.dumps({"Records": [event(**{name: value})]}))
    assert document["log"]["type"] == "cloudtrail"
    assert document["@timestamp"] == TIME
    assert document["extra_fields"] == {name: value}


def test_bytes_that_are_no_utf_8_are_replaced_and_the_record_goes_on() -> None:
    text = text_of([event(userAgent="a?b"), event(eventID="2")], {"separators": (",", ":")})
    parsed = parse("cloudtrail", text.replace(b"a?b", b"a\xffb"))
    assert parsed.documents[1]["userAgent"] == "a\ufffdb"
    assert parsed.documents.keys() == {1, 2}


@pytest.mark.parametrize("bad", ["NaN", "Infinity", "1e999", "-" + "9" * 5000, "[" * 90_000])
@pytest.mark.parametrize("space", [b"", b"\n"])
def test_a_value_that_json_cannot_hold_is_one_reject_among_good_records(
    bad: str, space: bytes
) -> None:
    good = json.dumps(event()).encode()
    text = b'{"Records":[%b,{"eventVersion":"1",%b"eventTime":"%b","x":%b},%b]}'
    parsed = parse("cloudtrail", text % (good, space, TIME.encode(), bad.encode(), good))
    if bad in ("1e999", "-" + "9" * 5000):
        assert parsed.documents.keys() == {1, 2, 3}
    else:
        assert {1, 3} <= parsed.documents.keys() or bad.startswith("[")
        assert len(parsed.rejects) == 1


@pytest.mark.parametrize("stray", ["}", "]", "}]", "]}", "}}}", "{", "[", '"', ',"'])
def test_a_stray_character_behind_a_record_leaves_the_others_alone(stray: str) -> None:
    some = [json.dumps(event(eventID=f"{n}"), separators=(",", ":")) for n in range(6)]
    some[1] += stray
    parsed = parse("cloudtrail", ('{"Records":[' + ",".join(some) + "]}").encode())
    ids = {document["eventID"] for document in parsed.documents.values()}
    assert ids >= {"0", "3", "4", "5"}


def test_objects_too_deep_to_follow_are_rejects() -> None:
    deep = '{"a":' * 3_000 + "1" + "}" * 3_000
    for layout in (json.dumps(event()), json.dumps(event(), indent=1)):
        text = layout.rstrip("}\n") + f',"requestParameters":{deep}}}'
        parsed = parse("cloudtrail", text.encode())
        assert parsed.numbers() == {1}


@pytest.mark.parametrize(
    "when", ["2026-11- 2T08:14:55Z", "\u0662\u0660\u06626-1-2T8:14:55Z", "0000-01-01T00:00:00Z"]
)
def test_a_time_that_is_none_is_a_reject(when: str) -> None:
    parsed = parse("cloudtrail", json.dumps(event(eventTime=when), ensure_ascii=False).encode())
    assert [reject.error_type for reject in parsed.rejects] == ["does_not_match"]


def test_a_value_where_a_nested_free_form_object_must_be_becomes_one() -> None:
    details = {"state": "Start", "insightContext": "a bare value"}
    document, _ = one_of(json.dumps({"Records": [event(insightDetails=details)]}))
    assert document["insightDetails"]["insightContext"] == {"value": "a bare value"}
    assert document["log"]["original"] == {"insightDetails.insightContext": "a bare value"}
    assert document["log"]["adjusted"] == ["insightDetails.insightContext"]


def test_an_unfinished_string_at_the_end_of_a_block_is_not_read_as_structure() -> None:
    some = [event(requestParameters={"policy": "}}]}" * 50}, eventID=str(n)) for n in range(9)]
    data = text_of(some, {"separators": (",", ":")})
    with small(150):
        assert parse("cloudtrail", chunked(data, 37)).documents.keys() == {*range(1, 10)}


@pytest.mark.parametrize(
    ("opening", "closing", "levels"), [('{"":', "}", 151), ("[", "]", 301), ('[{"":', "}]", 151)]
)
@pytest.mark.parametrize("before", [0, 200, 1_000])
@pytest.mark.parametrize("after", [0, 200, 1_000])
def test_free_form_value_that_nests_deep_is_kept_as_text_before_it_can_end_a_node(
    opening: str, closing: str, levels: int, before: int, after: int
) -> None:
    """A flat_object of some hundred levels ends an OpenSearch node: shown on 2.19 and 3.8."""
    for shallow in (49, levels, 2_000):
        deep = opening * shallow + "1" + closing * shallow
        record = (
            f'{{"requestParameters":{{"before":"{"x" * before}","deep":{deep},'
            f'"after":"{"x" * after}"}},"eventTime":"2026-11-20T08:14:55Z","eventID":"deep"}}'
        )
        document = document_of(record)
        if shallow == 49:
            assert "requestParameters" in document
        elif shallow == levels or document:
            assert "requestParameters" not in document
            (kept,) = document["log"]["original"].values()
            assert deep in kept


def document_of(record: str) -> dict[str, Any]:
    """Give the one document of a record; nothing, if it is a reject."""
    source = Source("s3://b/k", "A" * 16, datetime(2026, 11, 20, 9, tzinfo=UTC))
    text = f'{{"Records":[{record}]}}'.encode()
    (block,) = blocks_of(get("cloudtrail"), [text], source, one_index("x"))
    assert block.documents + len(block.rejects) == 1
    return json.loads(bytes(block.body).split(b"\n")[1]) if block.documents else {}


def test_what_follows_the_document_that_ends_in_an_overlong_record_is_found() -> None:
    record = '{"eventVersion":"1.11","eventTime":"2026-11-20T08:14:55Z","eventID":"%s"}'
    huge = f'{{"eventVersion":"{"x" * (MAX_RECORD_BYTES + 1)}"}}'
    text = "".join(
        f'{{"Records":[{",".join(records)}]}}' for records in ([record % 1, huge], [record % 2])
    )
    source = Source("s3://b/k", "A" * 16, datetime(2026, 11, 20, 9, tzinfo=UTC))
    blocks = [*blocks_of(get("cloudtrail"), chunked(text.encode(), 65_536), source, one_index("x"))]
    assert b"".join(bytes(block.body) for block in blocks).count(b'"_id":"1"') == 1
    assert b"".join(bytes(block.body) for block in blocks).count(b'"_id":"2"') == 1
    assert [reject.error_type for block in blocks for reject in block.rejects] == ["too_long"]


@pytest.mark.parametrize("name", ["cloudtrail", "waf"])
@pytest.mark.parametrize("around", [(b" ", b""), (b"\t", b" "), (b"", b" \r"), (b"\x0b", b"\x0c")])
def test_spaces_around_a_record_on_a_line_are_none_of_it(
    name: str, around: tuple[bytes, bytes]
) -> None:
    members: dict[str, Any] = {"eventTime": TIME, "x": 1}
    if name == "waf":
        members = {"timestamp": 1795162495123, "httpRequest": {"headers": []}, "x": 1}
    record = json.dumps(members).encode()
    text = b"\n".join((record, around[0] + record + around[1], record))
    parsed = parse(name, text)
    assert parsed.documents.keys() == {1, 2, 3}
    assert parsed.documents[2]["x"] == 1


@pytest.mark.parametrize("escaped", [False, True])  # as it is, or decoded and written anew
def test_an_id_of_as_many_bytes_as_an_engine_takes_is_kept_and_no_longer_one(escaped: bool) -> None:
    longest = "é" * 256
    for id_, expected in ((longest, longest), (f"{longest}a", f"{SOURCE.id}-1")):
        record = {"eventVersion": "1.11", "eventTime": TIME, "eventID": id_}
        text = json.dumps({"Records": [record]}, separators=(",", ":"), ensure_ascii=escaped)
        (action,) = parse("cloudtrail", text.encode()).actions.values()
        assert action["_id"] == expected
