"""CloudFormation of the emulated AWS evaluates conditions as AWS does."""

import json

import pytest

from tests.accounts import Account, new

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("two accounts")]

CONDITIONS = {
    "HasMembers": {"Fn::Not": [{"Fn::Equals": [{"Fn::Join": ["", {"Ref": "Ids"}]}, ""]}]},
    "IsQueue": {
        "Fn::Equals": [
            {"Fn::Select": [2, {"Fn::Split": [":", {"Fn::Sub": "${Arn}::"}]}]},
            "sqs",
        ]
    },
}


@pytest.mark.parametrize(
    ("ids", "arn", "made"),
    [
        ("", "", set()),
        ("111122223333,444455556666", "", {"HasMembers"}),
        ("", "arn:aws:sqs:us-east-1:111122223333:logs", {"IsQueue"}),
        ("", "arn:aws:sns:us-east-1:111122223333:logs", set()),
    ],
)
def test_a_condition_compares_what_functions_give(
    central: Account, ids: str, arn: str, made: set[str]
) -> None:
    topic = {"Type": "AWS::SNS::Topic", "Properties": {}}
    template = {
        "Parameters": {
            "Ids": {"Type": "CommaDelimitedList", "Default": ""},
            "Arn": {"Type": "String", "Default": ""},
        },
        "Conditions": CONDITIONS,
        "Resources": {
            "Always": topic,
            **{name: {**topic, "Condition": name} for name in CONDITIONS},
        },
    }
    stacks, name = central.client("cloudformation"), new("stack")
    stacks.create_stack(
        StackName=name,
        TemplateBody=json.dumps(template),
        Parameters=[
            {"ParameterKey": "Ids", "ParameterValue": ids},
            {"ParameterKey": "Arn", "ParameterValue": arn},
        ],
    )
    stacks.get_waiter("stack_create_complete").wait(StackName=name, WaiterConfig={"Delay": 1})
    found = stacks.list_stack_resources(StackName=name)["StackResourceSummaries"]
    assert {one["LogicalResourceId"] for one in found} == {"Always", *made}
