"""Lambda logs: each event is one document, whatever an application writes."""

import json
import tracemalloc
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from servicelogs import formats
from servicelogs.opensearch.dated_indexes import one_index
from servicelogs.opensearch.documents import parser_of
from servicelogs.parsing.messages.format import MessageFormat
from servicelogs.records import Block, Records
from tests.formats.parsing import SOURCE, strict
from tests.timing import is_linear

ID = "11111111-2222-4333-8444-555555555555"
TIME = "2026-11-20T08:14:55.123Z"
REPORT = f"REPORT RequestId: {ID}\tDuration: 1.00 ms\tBilled Duration: 2 ms"
HEADS = (
    *("", f"START RequestId: {ID} ", REPORT, f"RequestId: {ID} Error: ", "INIT_START Runtime "),
    *(f"{TIME}\t{ID}\tINFO\t", f"{TIME}\t{ID}\tERROR\tInvoke Error \t", f"{TIME} {ID} Task "),
    *(f"[INFO]\t{TIME}\t{ID}\t", "[ERROR] ", "[ERROR] KeyError: ", "[ERROR] KeyError\n"),
    *(f"2026-11-20 08:14:55 {ID} INFO  ", "I, [2026-11-20T08:14:55.123456 #8]  INFO "),
    *("java.lang.Error", "java.lang.Error: ", "x\njava.lang.Error\n", '{"level":"', '{"a":'),
    *("EXTENSION\tName: ", "XRAY TraceId: "),
)
FLOATS = st.floats(allow_nan=False, allow_infinity=False)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | FLOATS | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner),
    max_leaves=6,
)
LAMBDA = formats.get("lambda")
assert isinstance(LAMBDA, MessageFormat)
MEMBERS = st.sampled_from(
    [path.partition(".")[0] for form in LAMBDA.kinds[0].json_forms for path, _ in form.members]
)
OBJECTS = st.dictionaries(MEMBERS | st.text(max_size=3), JSON, max_size=5)
TEXTS = (
    st.text()
    | OBJECTS.map(json.dumps)
    | OBJECTS.map(lambda one: json.dumps(one, indent=1, ensure_ascii=False))
    | OBJECTS.map(lambda one: json.dumps(one)[:-2])
)
MESSAGES = st.builds(
    lambda head, text: f"{head}{text}".encode("utf-8", "replace"), st.sampled_from(HEADS), TEXTS
) | st.binary(max_size=30)


def take(*items: str | bytes, group: str = "/aws/lambda/shop", stream: str = "") -> Block:
    """Parse events of one envelope."""
    stream = stream or "2026/11/20/[7]0123456789abcdef"
    source = replace(SOURCE, log_group=group, log_stream=stream)
    data = [one if isinstance(one, bytes) else one.encode() for one in items]
    keys = [b"%d" % number for number in range(1, len(items) + 1)]
    times = [b"2026-11-20T08:14:55.999"] * len(items)
    records = Records(1, data, keys=keys, times=times, hour=498_656)
    return parser_of(LAMBDA, source, one_index("i")).take(records, 0)


def documents(block: Block) -> list[dict[str, Any]]:
    """Give the documents; JSON that is not exact, or has a name twice, is an error."""
    return [strict(line) for line in bytes(block.body).split(b"\n")[1::2]]


@given(st.lists(MESSAGES, max_size=5))
def test_each_event_is_one_document_in_its_place_whatever_its_bytes(items: list[bytes]) -> None:
    block = take(*items)

    found = documents(block)
    assert block.rejects == []
    assert block.records == block.documents == len(found) == len(items)
    assert [one["log"]["record"] for one in found] == [*range(1, len(items) + 1)]
    for number, (one, item) in enumerate(zip(found, items, strict=True), 1):
        assert (one["function"], one["instance"]) == ("shop", "0123456789abcdef")
        assert block.raw(number) == item.rstrip(b"\r\n")
        assert "json" in one or one["kind"] != "function" or _text_of(item) in _kept(one)


def _text_of(item: bytes) -> str:
    *_, last = ("", *item.decode("utf-8", "replace").split())
    return last.strip("[]:")[-8:]  # what stands around levels and before messages


def _kept(document: dict[str, Any]) -> str:
    return "\n".join(value for value in document.values() if isinstance(value, str))


@given(OBJECTS, st.sampled_from(["", f"[INFO]\t{TIME}\t{ID}\t", f"{TIME}\t{ID}\tWARN\t"]))
def test_an_object_lies_whole_under_one_field_behind_a_text_too(
    members: dict[str, Any], head: str
) -> None:
    text = json.dumps(members, ensure_ascii=False)
    (found,) = documents(take(f"{head}{text}".encode("utf-8", "replace")))
    assert found["json"] == members


def test_members_take_the_place_of_what_the_log_stream_says() -> None:
    event = f'{{"time":"{TIME}","type":"platform.start","record":{{"version":"8"}}}}'
    found = documents(take("x", event, f"START RequestId: {ID} Version: 9"))
    assert [one["version"] for one in found] == ["7", "8", "9"]


@pytest.mark.parametrize(
    ("group", "stream", "function", "version", "instance"),
    [
        ("/aws/lambda/shop", "2026/11/20/[$LATEST]0123abcd", "shop", "$LATEST", "0123abcd"),
        ("/aws/lambda/us-east-1.edge", "2026/11/20/[3]0123abcd", "edge", "3", "0123abcd"),
        ("/shop", "2026/11/20/stock[7]0123abcd", "stock", "7", "0123abcd"),
        ("/shop", "2026/11/20/stock[7][0123abcd]", "stock", "7", "0123abcd"),
        ("/aws/lambda/shared", "2026/11/20/stock[7]0123abcd", "stock", "7", "0123abcd"),
        ("/aws/lambda/shop", "of the user's own", "shop", None, None),
        ("", "", None, None, None),
    ],
)
def test_function_version_and_instance_come_from_group_and_stream(
    group: str, stream: str, function: str | None, version: str | None, instance: str | None
) -> None:
    (found,) = documents(take("x", group=group, stream=stream or "none"))
    assert tuple(map(found.get, ("function", "version", "instance"))) == (
        function,
        version,
        instance,
    )


@pytest.mark.parametrize(
    "member",
    ["function_request_id", "AWSRequestId", "aws_request_id", "requestId", "request_id"],
)
def test_each_name_of_the_request_id_is_the_same_field(member: str) -> None:
    (found,) = documents(take(f'{{"{member}":"{ID}"}}'))
    assert found["request_id"] == ID


@pytest.mark.parametrize(
    "value", ["1-66d978e5-56c7378e556e94b5461da07c", "Root=1-66d978e5-56c7378e556e94b5461da07c;S=1"]
)
@pytest.mark.parametrize("member", ["xray_trace_id", "traceId", "trace_id"])
def test_each_trace_is_found_by_its_root(member: str, value: str) -> None:
    (found,) = documents(take(f'{{"{member}":"{value}"}}'))
    assert found["trace_id"] == "1-66d978e5-56c7378e556e94b5461da07c"


def test_an_application_that_says_another_day_is_dated_by_its_event() -> None:
    days = ("2026-11-21", "2026-11-22", "9999-12-31")
    found = documents(take(*(f'{{"timestamp":"{day}T08:14:55Z"}}' for day in days)))
    assert [one["@timestamp"] for one in found] == [
        "2026-11-21T08:14:55Z",
        "2026-11-20T08:14:55.999Z",
        "2026-11-20T08:14:55.999Z",
    ]


FILLINGS = (
    *("x", " ", "\n", "\t", "\r", ".", ": ", "x.y: ", "\n\tat ", "x\n", "[", "{", '"', "{}", "\\"),
    *("java.lang.Error\n", "java.lang.Error: ", "\nTraceback ", "a: b\n", '"a":1,', '{"a":'),
)


@pytest.mark.slow
def test_no_message_takes_longer_than_its_length() -> None:
    for filling in FILLINGS:
        for head in HEADS:

            def text(size: int, head: str = head, filling: str = filling) -> str:
                return head + filling * (size // len(filling))

            assert is_linear(text, take, 15_000), (head, filling)


def test_names_that_are_never_the_same_are_not_all_remembered() -> None:
    take('{"level":"x"}')
    tracemalloc.start()
    for number in range(1_500):
        take(f'{{"level":"x","{number}{"n" * 20_000}":1}}')
    held, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert held < 12_000_000
