"""Outputs are enough to wire alarms, grants and filters to what a stack has made."""

from typing import Any

import pytest

from tests.templates.expansion import SCENARIOS, expand, nodes, of_type, read

every_scenario = pytest.mark.parametrize("name", SCENARIOS)
# What a list names, and by which attribute; "" is what Ref gives.
LISTS = {
    "FunctionNames": ("AWS::Lambda::Function", ""),
    "RoleArns": ("AWS::IAM::Role", "Arn"),
    "AlarmNames": ("AWS::CloudWatch::Alarm", ""),
    "LogGroupNames": ("AWS::Logs::LogGroup", ""),
}
# What one grants something on, each by its ARN.
GRANTED = {
    "AWS::DynamoDB::Table",
    "AWS::Kinesis::Stream",
    "AWS::KinesisFirehose::DeliveryStream",
    "AWS::S3::Bucket",
    "AWS::SQS::Queue",
}


def named(output: Any) -> set[tuple[str, str]]:
    """Give what an output names: each resource, with the attribute of it."""
    found = set()
    for node in nodes(output):
        match node:
            case {"Ref": str(name)}:
                found.add((name, ""))
            case {"Fn::GetAtt": [name, attribute]}:
                found.add((name, attribute))
            case {"Fn::GetAtt": str(text)}:
                name, _, attribute = text.partition(".")
                found.add((name, attribute))
    return found


@every_scenario
@pytest.mark.parametrize("output", LISTS)
def test_a_list_names_all_of_its_kind(name, output):
    kind, attribute = LISTS[output]
    template = expand(name)
    every = {(logical_id, attribute) for logical_id in of_type(template["Resources"], kind)}
    said = named(template["Outputs"].get(output, {}))
    assert every == {one for one in said if one[0] in template["Resources"]}


@every_scenario
def test_what_one_grants_something_on_is_said_by_its_arn(name):
    template = expand(name)
    said = set().union(*(named(output["Value"]) for output in template["Outputs"].values()))
    for kind in GRANTED:
        for logical_id in of_type(template["Resources"], kind):
            assert (logical_id, "Arn") in said, logical_id


@pytest.mark.parametrize("output", LISTS)
def test_the_root_joins_the_lists_of_all_scenarios(output):
    root = read("template.yaml")
    nested = of_type(root["Resources"], "AWS::Serverless::Application")
    have = {
        logical_id
        for logical_id, scenario in nested.items()
        if output in read(scenario["Properties"]["Location"])["Outputs"]
    }
    assert have
    said = named(root["Outputs"][output]["Value"])
    assert {scenario for scenario, attribute in said if attribute == f"Outputs.{output}"} == have


def test_a_scenario_that_may_not_be_there_is_left_out_of_the_lists():
    root = read("template.yaml")
    conditions = {name: one.get("Condition") for name, one in root["Resources"].items()}
    for output in LISTS:
        for part in root["Outputs"][output]["Value"]["Fn::Join"][1]:
            condition = part["Fn::If"][0] if "Fn::If" in part else None
            ((scenario, _),) = (one for one in named(part) if one[0] in conditions)
            assert condition == conditions[scenario], (output, scenario)
