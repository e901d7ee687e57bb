"""A free-form value is changed only where OpenSearch would refuse it, and what it was is kept."""

import pytest

from servicelogs.opensearch.flat_object import MOST_DEPTH, fit_free_form

PATH = "requestParameters.name"
LONGEST_TERM = 32_766  # Lucene's
# A term holds the leaf's path too, and two bytes between them.
LONGEST = LONGEST_TERM - len(PATH) - 2


def fit(value: object) -> tuple[dict, dict]:
    record = {"requestParameters": value}
    return record, fit_free_form(record, ["requestParameters"])


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


def test_what_nests_too_deep_is_refused_and_one_level_less_is_not():
    assert fit(nested(MOST_DEPTH)) == ({"requestParameters": nested(MOST_DEPTH)}, {})
    with pytest.raises(ValueError, match="levels deep"):
        fit(nested(MOST_DEPTH + 1))
    # The list is a level of its own.
    with pytest.raises(ValueError, match="levels deep"):
        fit({"name": [nested(MOST_DEPTH - 1)]})
