"""What SECURITY.md says of a template's conditions is what they say of its parameters."""

import pytest

from docs.conditions import in_words

GIVEN = {
    "Named": {"Fn::Not": [{"Fn::Equals": [{"Ref": "Name"}, ""]}]},
    "Listed": {"Fn::Not": [{"Fn::Equals": [{"Fn::Join": ["", {"Ref": "Names"}]}, ""]}]},
    "Kept": {"Fn::Equals": [{"Ref": "Days"}, 0]},
    "Either": {"Fn::Or": [{"Condition": "Named"}, {"Condition": "Listed"}]},
    "KeptOfEither": {"Fn::And": [{"Condition": "Kept"}, {"Condition": "Either"}]},
    "Neither": {"Fn::Not": [{"Condition": "Either"}]},
    "KeptTwice": {"Fn::And": [{"Condition": "Kept"}, {"Condition": "Kept"}]},
    "ToQueue": {
        "Fn::Equals": [{"Fn::Select": [2, {"Fn::Split": [":", {"Fn::Sub": "${Arn}::"}]}]}, "sqs"]
    },
    "KeptNamed": {"Fn::And": [{"Condition": "Kept"}, {"Condition": "Named"}]},
    "EitherOfBoth": {"Fn::Or": [{"Condition": "KeptNamed"}, {"Condition": "Listed"}]},
}


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("Named", "`Name` is given"),
        ("Listed", "`Names` is given"),
        ("Kept", "`Days` is `0`"),
        ("Either", "`Name` is given or `Names` is given"),
        ("KeptOfEither", "`Days` is `0` and (`Name` is given or `Names` is given)"),
        ("Neither", "`Name` is empty and `Names` is empty"),
        ("KeptTwice", "`Days` is `0`"),
        ("ToQueue", "`Arn` is of the service `sqs`"),
        ("EitherOfBoth", "(`Days` is `0` and `Name` is given) or `Names` is given"),
    ],
)
def test_a_condition_is_said_of_parameters(name, words):
    assert in_words(name, GIVEN) == words


def test_one_that_is_written_in_another_way_is_refused():
    with pytest.raises(ValueError, match="Fn::Contains"):
        in_words("New", {"New": {"Fn::Contains": [["a"], {"Ref": "Name"}]}})
