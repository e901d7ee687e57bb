"""A configuration item is in its document as AWS Config delivered it, whatever it holds."""

import json
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from servicelogs.formats import get
from servicelogs.opensearch.dated_indexes import every_index
from servicelogs.opensearch.documents import blocks_of
from servicelogs.parsing.frame import RESERVED
from servicelogs.records import Source
from tests.formats.parsing import parse

CAPTURED = "2024-02-29T08:14:55.123Z"
ITEM = {
    "configurationItemVersion": "1.3",
    "configurationItemCaptureTime": CAPTURED,
    "configurationItemStatus": "OK",
    "awsAccountId": "111122223333",
    "ARN": "arn:aws:s3:::shop-assets",
    "resourceType": "AWS::S3::Bucket",
    "resourceId": "shop-assets",
}
FOLDER = "AWSLogs/111122223333/Config/eu-west-1/2026/11/5"
SNAPSHOT = "33333333-4444-4555-8666-777777777777"

values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=12,
)  # fmt: skip
names = st.sampled_from(["name", "resourceId", "_id", "of another kind"])
items = st.fixed_dictionaries(
    {},
    optional={
        "configuration": values,
        "supplementaryConfiguration": values,
        "tags": values | st.dictionaries(st.text(), st.text()),
        "relationships": st.lists(st.dictionaries(names, st.text(), max_size=3), max_size=3),
        "configurationStateId": values,
    },
)
unknown = st.dictionaries(st.text().filter(lambda name: name not in {*RESERVED, *ITEM}), values)
layouts: Any = st.sampled_from([{"separators": (",", ":")}, {}, {"indent": 2}])


def as_delivered(document: dict[str, Any]) -> dict[str, Any]:
    """Take from a document what we put around an item, and undo what we changed in it."""
    log = document["log"]
    assert {*log.get("adjusted", [])} == {*log.get("original", {})}
    own = {name: value for name, value in document.items() if name not in RESERVED}
    return own | document.get("extra_fields", {}) | log.get("original", {})


@given(
    some=st.lists(st.tuples(unknown, items), min_size=1, max_size=3),
    layout=layouts,
    ascii_only=st.booleans(),
    reverse=st.booleans(),
)
def test_items_are_in_their_documents_as_they_were_delivered(
    some: list[tuple[dict[str, Any], dict[str, Any]]],
    layout: dict[str, Any],
    ascii_only: bool,
    reverse: bool,
) -> None:
    delivered = [more | ITEM | item for more, item in some]
    if reverse:
        delivered = [dict(reversed(item.items())) for item in delivered]
    document = {"fileVersion": "1.0", "configurationItems": delivered}
    text = json.dumps(document, ensure_ascii=ascii_only, **layout)

    parsed = parse("config", text.encode())

    assert parsed.rejects == []
    assert [as_delivered(parsed.documents[n + 1]) for n in range(len(delivered))] == delivered


@pytest.mark.parametrize("layout", [{"separators": (",", ":")}, {"indent": 2}])
@pytest.mark.parametrize(
    ("configuration", "adjusted"),
    [
        ({"policy": "é" * 20_000}, ["configuration"]),
        ({"policies": [{"document": "x" * 40_000}, "short"]}, ["configuration"]),
        ("x" * 40_000, ["configuration"]),
        ({"rules": [{"port": n} for n in range(5_000)]}, []),
        ({"text": "x" * 31_000}, []),
    ],
)
def test_a_long_item_is_kept_whole_and_each_of_its_texts_fits_a_term(
    configuration: Any, adjusted: list[str], layout: dict[str, Any]
) -> None:
    item = ITEM | {"configuration": configuration}
    text = json.dumps({"fileVersion": "1.0", "configurationItems": [item]}, **layout)

    parsed = parse("config", text.encode())

    document = parsed.documents[1]
    assert document["log"].get("adjusted", []) == adjusted
    assert as_delivered(document) == item
    assert all(len(leaf.encode()) <= 32_766 - 100 for leaf in leaves(document["configuration"]))


def leaves(value: Any) -> list[str]:
    if isinstance(value, dict | list):
        inner = value.values() if isinstance(value, dict) else value
        return [leaf for one in inner for leaf in leaves(one)]
    return [str(value)]


@pytest.mark.parametrize(
    ("name", "envelope", "index"),
    [
        (
            "ConfigHistory_AWS::S3::Bucket_20261105T000000Z_20261105T055959Z_1.json.gz",
            {"fileVersion": "1.0"},
            "aws-config-2024.02",
        ),
        (
            f"ConfigSnapshot_20261105T060000Z_{SNAPSHOT}.json.gz",
            {"fileVersion": "1.0", "configSnapshotId": SNAPSHOT},
            "aws-config-2026.11",
        ),
    ],
    ids=["history", "snapshot"],
)
def test_history_goes_by_when_it_was_and_a_snapshot_by_when_it_was_made(
    name: str, envelope: dict[str, str], index: str
) -> None:
    log_format = get("config")
    text = json.dumps(envelope | {"configurationItems": [ITEM]}, separators=(",", ":"))
    key = f"{FOLDER}/{name.partition('_')[0]}/111122223333_Config_eu-west-1_{name}"
    source = Source(f"s3://logs/{key}", "0" * 16, datetime(2026, 11, 5, 6, 1, tzinfo=UTC))
    choose_index = every_index().of(log_format)

    (block,) = blocks_of(log_format, [text.encode()], source, choose_index)

    action, document = map(json.loads, bytes(block.body).splitlines())
    assert action["create"]["_index"] == index
    assert document["@timestamp"] == document["configurationItemCaptureTime"] == CAPTURED
    assert "date_adjusted" not in document["log"]
