"""How a document is changed so that it fits, without an engine."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from servicelogs import formats
from servicelogs.opensearch.fitting import adjust
from tests.opensearch.blocks import document

CLOUDTRAIL = formats.get("cloudtrail")

ADJUSTED = {
    "an object for a word": (
        '"userIdentity":{"userName":{"a":1},"type":"Root"}',
        {"userIdentity": {"type": "Root"}},
        {"userIdentity.userName": {"a": 1}},
    ),
    "an object among words": ('"eventName":["a",{"b":1}]', {}, {"eventName": ["a", {"b": 1}]}),
    "a word for an object": ('"tlsDetails":"none"', {}, {"tlsDetails": "none"}),
    "a word among objects": (
        '"resources":[{"ARN":"x"},"y"]',
        {},
        {"resources": [{"ARN": "x"}, "y"]},
    ),
    "the same in two of a list": (
        '"resources":[{"ARN":{"a":1}},{"ARN":{"b":2},"type":"t"}]',
        {"resources": [{}, {"type": "t"}]},
        {"resources.ARN": [{"a": 1}, {"b": 2}]},
    ),
    "a number for true or false": ('"readOnly":1', {}, {"readOnly": 1}),
    "a long number": (
        f'"requestParameters":{{"n":{"9" * 1_001},"m":1}}',
        {"requestParameters": {"n": "9" * 1_001, "m": 1}},
        {"requestParameters": {"n": "9" * 1_001, "m": 1}},
    ),
    "a member twice": ('"eventName":"a","eventName":"b"', {"eventName": ["a", "b"]}, None),
    "a member twice in what is free-form": (
        '"requestParameters":{"a":1,"a":{"b":2}}',
        {"requestParameters": {"a": [1, {"b": 2}]}},
        None,
    ),
    "a long name in what is free-form": (
        f'"requestParameters":{{"{"n" * 32_760}":1,"m":2}}',
        {"requestParameters": {"m": 2}},
        {"requestParameters": {"n" * 32_760: 1, "m": 2}},
    ),
    "what nests deep": (
        f'"requestParameters":{'{"a":' * 150}1{"}" * 150}',
        {},
        {"requestParameters": '{"a":' * 150 + "1" + "}" * 150},
    ),
    "a name of two dots": ('"..":{"a":1}', {}, {"..": {"a": 1}}),
    "a name below a word": ('"eventName.first":"a"', {}, {"eventName.first": "a"}),
    "a name that an alias has": ('"source":{"ip":"x"}', {"source": {}}, {"source.ip": "x"}),
}


def members(data: bytes) -> dict[str, Any]:
    """Give a document's members without its frame."""
    decoded = json.loads(data)
    return {name: decoded[name] for name in decoded if name not in json.loads(document(1))}


@pytest.mark.parametrize(("fields", "own", "original"), ADJUSTED.values(), ids=ADJUSTED.keys())
def test_a_value_that_does_not_fit_is_kept_apart_and_named(
    fields: str, own: dict[str, Any], original: dict[str, Any] | None
) -> None:
    adjusted = adjust(document(7, fields), CLOUDTRAIL)
    assert adjusted is not None
    assert members(adjusted) == own
    log = json.loads(adjusted)["log"]
    assert log["record"] == 7
    assert log["original"] == (own if original is None else original)
    assert log["adjusted"] == [*log["original"]]


def test_names_of_the_engine_join_what_is_in_extra_fields() -> None:
    given_ = document(1, '"_id":"x","_doc_count":9,"log.type":"y","extra_fields":{"a":1}')
    adjusted = adjust(given_, CLOUDTRAIL)
    assert adjusted is not None
    expected = {"a": 1, "_id": "x", "_doc_count": 9, "log.type": "y"}
    assert members(adjusted) == {"extra_fields": expected}


def test_what_was_kept_before_is_kept_still() -> None:
    first = adjust(document(1, '"eventName":{"a":1}'), CLOUDTRAIL)
    assert first is not None
    again = adjust(first.removesuffix(b"}") + b',"userAgent":{"b":2}}', CLOUDTRAIL)
    assert again is not None
    log = json.loads(again)["log"]
    assert log["original"] == {"eventName": {"a": 1}, "userAgent": {"b": 2}}
    assert {*log["adjusted"]} == {"eventName", "userAgent"}


@pytest.mark.parametrize("bad", [b'"x":NaN', b'"x":', b'"x":' + b"[" * 200_000])
def test_what_is_no_json_cannot_be_changed(bad: bytes) -> None:
    assert adjust(document(1).removesuffix(b"}") + b"," + bad + b"}", CLOUDTRAIL) is None


NAMES = st.sampled_from(["eventName", "readOnly", "requestParameters", "userIdentity", "arn", ""])
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.sampled_from([0.1, 1.5]) | st.text(max_size=9),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(NAMES, inner, max_size=3),
    max_leaves=8,
)


@given(record=st.dictionaries(NAMES, VALUES))
def test_a_document_that_was_changed_needs_no_other_change(record: dict[str, Any]) -> None:
    fields = json.dumps(record)[1:-1]
    adjusted = adjust(document(1, fields), CLOUDTRAIL)
    assert adjusted is not None
    assert adjust(adjusted, CLOUDTRAIL) == adjusted
