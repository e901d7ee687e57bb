"""Whatever shape a value has, its record is a document, and the value is somewhere in it."""

import json
import sys
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import Any

import pytest
from opensearchpy import OpenSearch

from servicelogs import formats
from servicelogs.opensearch.dated_indexes import every_index
from servicelogs.opensearch.documents import blocks_of
from servicelogs.opensearch.setup import set_up
from servicelogs.opensearch.writer import BulkWriter
from servicelogs.parsing.json.format import JsonFormat
from servicelogs.parsing.messages.format import MessageFormat
from servicelogs.records import Source
from servicelogs.settings import IndexSettings
from tests.formats.test_delimited import HEADER, LINES
from tests.opensearch.blocks import Rejects, counts_of

SOURCE = Source("s3://logs/key", "0123456789abcdef", datetime(2026, 11, 20, 9, tzinfo=UTC))
LAMBDA = formats.get("lambda")
assert isinstance(LAMBDA, MessageFormat)
JSON_FORMATS = ("cloudtrail", "waf", "config")

# MARK stands where the value can be recognised, if it has such a place.
SHAPES: dict[str, str] = {
    "a string": '"MARK"',
    "an empty string": '""',
    "a number": "7",
    "a negative number": "-7",
    "a float": "1.5",
    "30 digits": "9" * 30,
    "1,000 digits": "9" * 1_000,
    "2,000 digits": "9" * 2_000,
    "5,000 digits": "9" * 5_000,
    "2,000 decimals": f"0.{'1' * 2_000}",
    "an exponent": "1e5",
    "an exponent past a double's": "1e400",
    "an exponent below a double's": "1e-400",
    "an exponent past all": "1e99999999999999999999",
    "true": "true",
    "null": "null",
    "the word true": '"true"',
    "an empty list": "[]",
    "a list": '["MARK"]',
    "a list in a list": '[["MARK"]]',
    "a list of null": "[null]",
    "a list of an object": '[{"a":"MARK"}]',
    "a list of many shapes": '[1,"MARK",{"a":1},[2],null]',
    "an empty object": "{}",
    "an object": '{"a":"MARK"}',
    "40 KB": f'"MARK{"x" * 40_000}"',
    "20,000 characters of two bytes": f'"MARK{"é" * 20_000}"',
    "a leaf of 40 KB": f'{{"a":["MARK{"x" * 40_000}"]}}',
    "a path and a leaf as long as a term": f'{{"{"a" * 20_000}":"MARK{"x" * 12_700}"}}',
    "a date that is none": '"2026-13-45T99:00:00Z"',
    "a date far out": '"9999-12-31T23:59:59Z"',
    "a date before all": '"-99999-12-31T23:59:59Z"',
    "milliseconds far out": "99999999999999999",
    "a name of 32 KB": f'{{"{"n" * 32_760}":"MARK"}}',
    "a name of 60 KB": f'{{"{"n" * 60_000}":"MARK"}}',
    "a name with dots": '{"a.b":"MARK"}',
    "an empty name": '{"":"MARK"}',
    "a name that begins with a dot": '{".a":"MARK"}',
    "a name that ends with a dot": '{"a.":"MARK"}',
    "a name of two dots": '{"..":"MARK"}',
    "a name with two dots": '{"a..b":"MARK"}',
    "a name of spaces": '{"a. .b":"MARK"}',
    "a member twice": '{"a":"MARK","a":2}',
    "a member twice further in": '{"b":[{"a":1,"a":"MARK"}]}',
    "objects 60 deep": '{"a":' * 60 + '"MARK"' + "}" * 60,
    "objects 160 deep": '{"a":' * 160 + '"MARK"' + "}" * 160,
    "arrays 30 deep": "[" * 30 + '"MARK"' + "]" * 30,
    "arrays 150 deep": "[" * 150 + '"MARK"' + "]" * 150,
    "lists of objects 30 deep": '[{"a":' * 30 + '"MARK"' + "}]" * 30,
    "a null byte": '"MARK\\u0000b"',
    "half a surrogate pair": '"MARK\\ud800"',
    "half a surrogate pair in a name": '{"\\ud800":"MARK"}',
    "a name of the engine's": '{"_id":"MARK"}',
    "a count of the engine's": '{"_doc_count":1000000}',
    "a source of the engine's": '{"_source":{"_routing":"MARK"}}',
}

LONG = 1_000

# What the engine's names mean at the top of a document, and what leads to our own.
NAMES = (
    *("_id", "_index", "_routing", "_source", "_ignored", "_field_names", "_nested_path"),
    *("_seq_no", "_primary_term", "_version", "_tier", "_type", "_size", "_doc_count", "_feature"),
    *("_data_stream_timestamp", "_doc\\u005fcount", "_doc_count.x", "_id.x"),
    *("log.type", "log.source.x", "cloud.account_id.x", "extra_fields.a", "extra_fields"),
    *("", ".", "..", ".a", "a..b", " ", "a. ", "source.ip", "n" * 60_000),
)
NAMED_VALUES = ('"MARK"', "1000000", '{"a":"MARK"}', "[7]", "null")

BASES = {
    "cloudtrail": '"eventVersion":"1.11","eventTime":"2026-11-20T08:14:55Z"',
    "waf": '"timestamp":1763626495000,"httpRequest":{"headers":[]}',
    "config": '"configurationItemCaptureTime":"2026-11-20T08:14:55.000Z"',
}


def record_of(name: str, path: str, value: str) -> str:
    """Give a record with this value at a path; others of its members are left out there."""
    top, *rest = path.split(".")
    for inner in reversed(rest):
        value = f'{{"{inner}":{value}}}'
    members = [member for member in _members(BASES[name]) if not member.startswith(f'"{top}":')]
    if name == "waf" and top == "httpRequest" and rest and rest[0] != "headers":
        value = value[:-1] + ',"headers":[]}'
    return "{" + ",".join((*members, f'"{top}":{value}')) + "}"


def _members(text: str) -> list[str]:
    return [f'"{name}":{json.dumps(value)}' for name, value in json.loads(f"{{{text}}}").items()]


def places(log_format: JsonFormat) -> dict[str, str]:
    """Give the path of each field, of what holds fields, and of what nobody declared: its kind."""
    paths = {"undeclared": "", "undeclared.inner": "", "undeclared.dotted": ""}
    for field in log_format.tree:
        parts = field.name.split(".")
        paths |= {".".join(parts[:n]): "object" for n in range(1, len(parts))}
        paths[field.name] = field.type + field.date_format
    known = (*log_format.times, *log_format.ids[1:])
    return {path: kind for path, kind in paths.items() if path not in known}


def odd_records(log_format: JsonFormat) -> dict[str, str]:
    """Give each shape at each place (those of kilobytes: at one of each kind), and each name."""
    odd = {}
    seen = set()
    for path, kind in places(log_format).items():
        like = (kind, path.count("."))
        for what, shape in SHAPES.items():
            if len(shape) < LONG or like not in seen:
                odd[f"{what} at {path}"] = record_of(log_format.name, path, shape)
        seen.add(like)
    for member in NAMES:
        for value in NAMED_VALUES:
            text = f'{{{BASES[log_format.name]},"{member}":{value}}}'
            odd[f"{member[:40]}: {value[:40]}"] = text
    return odd


class Deployment:
    """The indexes of a prefix, and a writer for them."""

    def __init__(self, client: OpenSearch, prefix: str) -> None:
        self.client = client
        self.settings = IndexSettings(prefix=prefix, period="year", replicas=0)
        self.rejects = Rejects()

    def deliver(self, name: str, text: bytes) -> None:
        """Deliver an object; its counts must add up."""
        log_format = formats.get(name)
        writer = BulkWriter(
            self.client, seconds_left=lambda: 600, ensure_template=lambda log_type: None
        )
        choose_index = every_index(self.settings.prefix, "year").of(log_format)
        counts = counts_of(self.rejects, name)
        for block in blocks_of(log_format, [text], SOURCE, choose_index):
            writer.add(block, counts)
        writer.flush()
        assert counts.add_up()
        assert not counts.left

    def documents(self) -> Iterator[dict[str, Any]]:
        """Give all documents, page by page."""
        pattern = f"{self.settings.prefix}-*"
        self.client.indices.refresh(index=pattern)
        body: dict[str, Any] = {"size": 500, "sort": ["log.record"]}
        while hits := self.client.search(index=pattern, body=body)["hits"]["hits"]:
            yield from (hit["_source"] for hit in hits)
            body["search_after"] = hits[-1]["sort"]

    def total(self) -> int:
        """Count documents as an aggregation does."""
        body = {"size": 0, "aggs": {"a": {"missing": {"field": "nothing"}}}}
        answer = self.client.search(index=f"{self.settings.prefix}-*", body=body)
        return int(answer["aggregations"]["a"]["doc_count"])


@pytest.fixture
def deployment(real: OpenSearch, unique_prefix: str) -> Deployment:
    return Deployment(real, unique_prefix)


@pytest.fixture
def any_number() -> Iterator[None]:
    """Let Python read numbers of any length: the embedded engine keeps what a real one refuses."""
    digits = sys.get_int_max_str_digits()
    sys.set_int_max_str_digits(0)
    yield
    sys.set_int_max_str_digits(digits)


@pytest.fixture
def anywhere(engine: OpenSearch, unique_prefix: str) -> Deployment:
    return Deployment(engine, unique_prefix)


def with_a_name_of_ours(record: str) -> str:
    """Write a record so that it is decoded and written anew before it is sent."""
    return record.removesuffix("}") + ',"request":"of AWS"}'


def without_mark(odd: dict[str, str], documents: dict[int, dict[str, Any]]) -> list[str]:
    """Name the records whose mark is not in their document."""
    return [
        what
        for number, (what, text) in enumerate(odd.items(), 1)
        if "MARK" in text and "MARK" not in json.dumps(documents[number])
    ]


@pytest.mark.parametrize("layout", [str, with_a_name_of_ours])
@pytest.mark.parametrize("name", JSON_FORMATS)
def test_a_value_of_any_shape_in_any_field_is_kept_in_a_document(
    deployment: Deployment, name: str, layout: Callable[[str], str]
) -> None:
    log_format = formats.get(name)
    assert isinstance(log_format, JsonFormat)
    set_up(deployment.client, deployment.settings, [name])
    odd = odd_records(log_format)
    deployment.deliver(name, "\n".join(map(layout, odd.values())).encode())
    names = [*odd]
    assert [(names[one.number - 1], one.reason) for one in deployment.rejects] == []
    documents = {one["log"]["record"]: one for one in deployment.documents()}
    assert len(documents) == len(odd)
    assert without_mark(odd, documents) == []
    changed = [log for one in documents.values() if "original" in (log := one["log"])]
    assert [log for log in changed if log["adjusted"] != [*log["original"]]] == []
    assert deployment.total() == len(odd)


def odd_objects() -> dict[str, str]:
    """Give each shape as a member of an application's JSON that is a field, and as others."""
    forms = LAMBDA.kinds[0].json_forms[-2:]
    types = {field.name: field.type for field in LAMBDA.fields}
    odd, seen = {}, set()
    for form in forms:
        base = '"type":"platform.report"' if form.places else '"own":1'
        for path, name in (*form.members, ("undeclared", "")):
            for what, shape in SHAPES.items():
                if path != "type" and (len(shape) < LONG or types.get(name) not in seen):
                    top, *rest = path.split(".")
                    for inner in reversed(rest):
                        shape = f'{{"{inner}":{shape}}}'
                    odd[f"{what} at {path} of {form.when}"] = f'{{{base},"{top}":{shape}}}'
            seen.add(types.get(name))
    for member in NAMES:
        for value in NAMED_VALUES:
            odd[f"{member[:40]}: {value[:40]}"] = f'{{"{member}":{value},"level":"x"}}'
    return odd


@pytest.mark.slow
@pytest.mark.usefixtures("any_number")
@pytest.mark.parametrize("head", ["", "[INFO]\t2026-11-20T08:14:55.123Z\t\t"])
def test_no_object_of_an_application_breaks_the_mapping(anywhere: Deployment, head: str) -> None:
    odd = odd_objects()
    set_up(anywhere.client, anywhere.settings, ["lambda"])
    anywhere.deliver("lambda", "\n".join(f"{head}{text}" for text in odd.values()).encode())
    names = [*odd]
    assert [(names[one.number - 1], one.reason) for one in anywhere.rejects] == []
    documents = {one["log"]["record"]: one for one in anywhere.documents()}
    assert len(documents) == len(odd)
    assert without_mark(odd, documents) == []
    not_one = [what for number, what in enumerate(odd, 1) if "json" not in documents[number]]
    assert not_one == []
    assert anywhere.total() == len(odd)


ODD_WORDS = (
    *("-", "0", "-7", "1.5", "9" * 9, "9" * 18, "9" * 30, "9" * 2_000, "1e400", "true", "x"),
    *("1969-12-31T23:59:59Z", "0001-01-01T00:00:00.000000Z", "2262-04-12T00:00:00.000000Z"),
    *("9999-12-31T23:59:59.999999Z", "2026-13-45T99:00:00Z", "9999999999", "99999999999"),
    *("[31/Dec/9999:23:59:59 +0000]", "[01/Jan/0001:00:00:00 +0000]", "999.999.999.999:99999"),
    *("fe80::1%eth0", "x" * 40_000, "é" * 20_000, "9" * 40_000, f"{'9' * 40_000}:443"),
    *("http://h:99999/x", '"GET / HTTP/1.1"', '{"a":1}', "[1]", "a,b", "a;b", "%00", "\\"),
)


REQUEST_ID = "aB3xExampleReqId0001=="


def odd_lines(name: str) -> Iterator[str]:
    """Give a good line with each odd word in place of each of its own, and behind it."""
    line = LINES[name].decode()
    separator = "\t" if "\t" in line else " "
    words = line.split(separator)
    for at in range(len(words) + 1):
        for word in ODD_WORDS:
            yield separator.join((*words[:at], word, *words[at + 1 :]))
            if word.isascii():
                yield separator.join((*words[:at], f'"{word}"', *words[at + 1 :]))


@pytest.mark.parametrize("name", LINES)
def test_a_line_that_is_read_is_a_document_whatever_its_values(
    deployment: Deployment, name: str
) -> None:
    set_up(deployment.client, deployment.settings, [name])
    first = [HEADER.decode()] if name == "vpc_flow" else []
    lines = [*first, *odd_lines(name)]
    # Records with ids of their own are documents of their own: each has another one.
    lines = [line.replace(REQUEST_ID, f"request-{n}") for n, line in enumerate(lines)]
    deployment.deliver(name, "\n".join(lines).encode())
    refused = [one for one in deployment.rejects if one.error_type != "does_not_match"]
    assert [(lines[one.number - 1][:300], one.reason) for one in refused] == []
    documents = [*deployment.documents()]
    assert len(documents) + len(deployment.rejects) + len(first) == len(lines)
    assert len(documents) > len(ODD_WORDS)
