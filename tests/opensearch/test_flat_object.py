"""A free-form value is changed only where OpenSearch would refuse it, and what it was is kept."""

import json

import pytest

from servicelogs import formats
from servicelogs.opensearch.fitting import MOST_DEPTH
from servicelogs.opensearch.fitting import fit as fit_record

PATH = "requestParameters.name"
LONGEST_TERM = 32_766  # Lucene's
# A term is the field's name, the leaf's path and the leaf, with a byte between each two.
LONGEST = LONGEST_TERM - len(f"requestParameters.{PATH}=")


def fit(value: object) -> tuple[dict, dict]:
    record = {"requestParameters": value}
    return record, fit_record(record, formats.get("cloudtrail"))


def nested(levels: int) -> object:
    value: object = "leaf"
    for _ in range(levels):
        value = {"name": value}
    return value


@pytest.mark.parametrize("character", ["x", "\u00e9", "\u20ac", "\U0001f600"])
def test_the_longest_leaf_that_fits_stays_and_a_longer_one_is_cut_and_kept(character):
    size = len(character.encode())
    fits = {"name": character * (LONGEST // size)}
    longer = {"name": character * (LONGEST // size + 1)}

    assert fit(fits) == ({"requestParameters": fits}, {})
    record, original = fit(longer)
    cut = record["requestParameters"]["name"]
    assert longer["name"].startswith(cut)
    assert len(cut) > 8_000
    assert len(cut.encode()) <= LONGEST
    assert original == {"requestParameters": longer}


def test_a_bare_value_becomes_an_object_and_is_kept():
    assert fit(["a", 1]) == (
        {"requestParameters": {"value": ["a", 1]}},
        {"requestParameters": ["a", 1]},
    )
    assert fit(None) == ({"requestParameters": None}, {})


def test_what_nests_too_deep_is_kept_as_text_and_one_level_less_stays():
    assert fit(nested(MOST_DEPTH)) == ({"requestParameters": nested(MOST_DEPTH)}, {})
    # The list is a level of its own.
    for deep in (nested(MOST_DEPTH + 1), {"name": [nested(MOST_DEPTH - 1)]}):
        record, original = fit(deep)
        assert record == {}
        assert json.loads(original["requestParameters"]) == deep
