"""Whatever a record holds, it changes no other document and takes no good record with it."""

import json
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from opensearchpy import OpenSearch

from servicelogs import formats
from servicelogs.opensearch.dated_indexes import every_index
from servicelogs.opensearch.documents import blocks_of
from servicelogs.opensearch.setup import set_up, template_check
from servicelogs.opensearch.writer import BulkWriter
from servicelogs.records import Source
from servicelogs.settings import IndexSettings
from tests.formats.test_delimited import ALB, HEADER, LINES, VPC, bodies, content
from tests.formats.test_json_records import layouts, records, text_of
from tests.opensearch.blocks import Rejects, counts_of
from tests.properties import examples

# Not on OpenSearch 2.19.4: that build has no `_delete_by_query`.
pytestmark = pytest.mark.parametrize(
    "engine", ["osmem", pytest.param("opensearch", marks=pytest.mark.engine)], indirect=True
)

SOURCE = Source("s3://logs/key", "0123456789abcdef", datetime(2026, 11, 20, tzinfo=UTC))
VICTIM = {"message": "nobody may change this"}
# Of records with ids of their own a line that comes again is the same document.
NUMBERED = [name for name in LINES if not formats.get(name).ids]


class Deployment:
    """Indexes of a prefix, in each of them a document that others may try to change."""

    def __init__(self, client: OpenSearch, prefix: str) -> None:
        self._client = client
        self._settings = IndexSettings(prefix=prefix, period="year", replicas=0)
        set_up(client, self._settings, formats.NAMES)
        self.indexes = {name: f"{prefix}-{name.replace('_', '-')}-2026" for name in formats.NAMES}
        for index in self.indexes.values():
            client.index(index=index, id="victim", body=VICTIM)
        self._check = template_check(client, self._settings)

    def index(self, name: str, text: bytes) -> tuple[dict[str, Any], Rejects]:
        """Parse and deliver an object; return the documents of its index by `_id`, and rejects."""
        rejects = Rejects()
        one = counts_of(rejects, name)
        writer = BulkWriter(self._client, seconds_left=lambda: 60, ensure_template=self._check)
        log_format = formats.get(name)
        choose_index = every_index(self._settings.prefix, self._settings.period).of(log_format)
        for block in blocks_of(log_format, [text], SOURCE, choose_index):
            writer.add(block, one)
        writer.flush()
        assert one.add_up()
        assert one.left == 0
        documents = self._documents(self.indexes[name])
        assert documents.pop("victim") == (1, VICTIM)
        assert len(documents) >= one.indexed
        return {id_: source for id_, (_, source) in documents.items()}, rejects

    def _documents(self, index: str) -> dict[str, tuple[int, Any]]:
        self._client.indices.refresh(index=index)
        answer = self._client.search(index=index, body={"size": 5_000, "version": True})
        return {hit["_id"]: (hit["_version"], hit["_source"]) for hit in answer["hits"]["hits"]}

    def clear(self) -> None:
        """Remove all but the documents that nobody may change."""
        for index in self.indexes.values():
            self._client.delete_by_query(
                index=index,
                body={"query": {"bool": {"must_not": {"ids": {"values": ["victim"]}}}}},
                refresh=True,
            )


@pytest.fixture
def deployment(engine: OpenSearch, unique_prefix: str) -> Deployment:
    return Deployment(engine, unique_prefix)


def event(id_: Any, **members: Any) -> dict[str, Any]:
    return {"eventVersion": "1.11", "eventTime": "2026-11-20T08:14:55Z", "eventID": id_} | members


def nasty_events(index: str) -> dict[str, tuple[str, bool]]:
    """Return records as text, and whether each can be a document."""
    delete = json.dumps({"delete": {"_index": index, "_id": "victim"}})
    index_it = json.dumps({"index": {"_index": index, "_id": "victim"}}) + '\n{"message":"changed"}'

    def text(id_: Any, **members: Any) -> str:
        return json.dumps(event(id_, **members), separators=(",", ":"))

    plain = text("plain")
    return {
        "an action in a string": (text("1", userAgent=f"\n{delete}\n"), True),
        "an action between tokens": (
            plain.replace('"plain",', f'"2",\n"x":{delete}\n,').replace(
                '"plain"', f'"2",\n"x":{delete}\n'
            ),
            True,
        ),
        "actions pretty-printed": (json.dumps(event("3", x=[json.loads(delete)]), indent=0), True),
        "an index action": (text("4", userAgent=f"\n{index_it}\n"), True),
        "an id that is a list": (text(["a", f'","_index":"{index}']), True),
        "an id that is an object": (text({"_index": index, "_id": "victim"}), False),
        "an id that ends the action": (text(f'x"}}}}\n{delete}\n'), True),
        "an id of another's": (text("victim"), True),
        "an id that is null": (text(None), True),
        "an id too long": (text("x" * 600), True),
        "half a surrogate pair in an id": (text("\ud800"), True),
        "half a surrogate pair": (text("5", userAgent="a\udc00b"), True),
        "control characters": (text("6", userAgent="a?b").replace("?", "\x01\t"), True),
        "our names": (text("7", log={"record": 9}, event=None, cloud="x"), True),
        "a frame of its own": (text("8", **{"@timestamp": "1970-01-01T00:00:00Z"}), True),
        "a long leaf": (text("9", requestParameters={"a": {"b": "é" * 40_000}}), True),
        "a long leaf under a name of ours": (text("10", log="x" * 40_000), True),
        "a bare value": (text("11", requestParameters=[1, "a", {"b": "x" * 40_000}]), True),
        "a number too large": (text("12", requestParameters={"n": 7}).replace("7", "1e999"), False),
        "deep": (text("13", x=0).replace(":0", ":" + "[" * 5_000 + "]" * 5_000), False),
        "a name twice": (text("14", eventName="a").replace("}", ',"eventName":"b"}'), False),
        "a name twice further in": (text("15", x=0).replace(":0", ':{"a":1,"a":2}'), False),
        "an object where a word must be": (text("16", eventName={"a": 1}), False),
        "a word where an object must be": (text("17", userIdentity="x"), False),
        "an empty name": (text("18", **{"": 1, ".": 2, "a..b": 3}), False),
        "no JSON": ('{"eventVersion":"1.11",}', False),
    }


def test_records_that_try_to_be_actions_change_nothing_else(deployment: Deployment) -> None:
    nasty = nasty_events(deployment.indexes["cloudtrail"])
    some = []
    for number, (text, _) in enumerate(nasty.values()):
        some += [json.dumps(event(f"good-{number}"), separators=(",", ":")), text]
    document = ('{"Records":[' + ",".join([*some, json.dumps(event("good-last"))]) + "]}").encode(
        "utf-8", "surrogatepass"
    )
    documents, rejects = deployment.index("cloudtrail", document)
    assert {f"good-{number}" for number in range(len(nasty))} | {"good-last"} <= documents.keys()
    refused = {reject.number: reject.reason for reject in rejects}
    lost = [
        (what, refused[2 * number + 2])
        for number, (what, (_, fits)) in enumerate(nasty.items())
        if fits and 2 * number + 2 in refused
    ]
    assert lost == []


@pytest.mark.parametrize("name", NUMBERED)
def test_lines_that_try_to_be_actions_change_nothing_else(
    deployment: Deployment, name: str
) -> None:
    index = deployment.indexes[name]
    delete = json.dumps({"delete": {"_index": index, "_id": "victim"}}).encode()
    first = [HEADER] if name == "vpc_flow" else []
    odd = (
        delete,
        delete.replace(b" ", b""),
        LINES[name].replace(b"2", b'2"}\n' + delete + b"\n", 1),
        LINES[name].replace(b" ", b' "}}\r' + delete + b"\r ", 1),
        VPC.replace(b"eni-", b'","log":{"record":1},"x":"'),
        ALB.replace(b"curl", b"\\x22,\\x22log\\x22:{}\x00\x1f\xff\\"),
        ALB.replace(b" 0.012 ", b" 00.012 "),
        VPC.replace(b" 443 ", b" 0443 "),
        ALB + b' \\ "a" b"c',
        ALB + b" " + b"x" * 30_000,
    )
    body = b"\n".join([*first, *(line for one in odd for line in (LINES[name], one)), LINES[name]])
    documents, rejects = deployment.index(name, body)
    good = {number for number, line in enumerate(body.split(b"\n"), 1) if line == LINES[name]}
    assert {f"{SOURCE.id}-{number}" for number in good} <= documents.keys()
    assert not good & {reject.number for reject in rejects}
    assert [reject for reject in rejects if reject.index] == []


@examples(0.5)
@given(some=st.lists(records, max_size=12), layout=layouts, good=st.sets(st.integers(0, 12)))
def test_good_events_arrive_between_any_others(
    deployment: Deployment, some: list[Any], layout: dict[str, Any], good: set[int]
) -> None:
    deployment.clear()
    for number in good:
        some.insert(number, event(f"good-{number}"))
    documents, _ = deployment.index("cloudtrail", text_of(some, layout))
    assert {f"good-{number}" for number in good} <= documents.keys()


@pytest.mark.slow
@pytest.mark.parametrize("name", NUMBERED)
@examples(0.5)
@given(data=st.data())
def test_lines_that_fit_arrive_between_any_others(
    deployment: Deployment, name: str, data: st.DataObject
) -> None:
    deployment.clear()
    body = data.draw(bodies(name))
    documents, rejects = deployment.index(name, body)
    refused = {reject.number for reject in rejects}
    arrived = {int(id_.rpartition("-")[2]) for id_ in documents}
    assert arrived | refused == content(name, body)
    assert [reject for reject in rejects if reject.index] == []
