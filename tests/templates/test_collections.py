"""A collection of OpenSearch Serverless: who may do what there, and what the setup may ask."""

import json
import re

import pytest

from tests.templates.expansion import as_list, decide, of_type, statements
from tests.templates.test_rules import rights

SCENARIOS = ("scenarios/s3_to_opensearch.yaml", "scenarios/stream_to_opensearch.yaml")
every_scenario = pytest.mark.parametrize("name", SCENARIOS)
COLLECTION = "arn:aws:aoss:eu-west-1:111122223333:collection/abc123"


def deployed(name, engine_type="serverless-search", **parameters):
    return decide(
        name,
        OpenSearchEndpoint="https://abc123.eu-west-1.aoss.amazonaws.com",
        OpenSearchArn=COLLECTION,
        EngineType=engine_type,
        CollectionName="logs",
        **parameters,
    )


def granted(resources):
    """Give what each role may do, as the data access policies say."""
    permissions = {}
    for policy in of_type(resources, "AWS::OpenSearchServerless::AccessPolicy").values():
        text = policy["Properties"]["Policy"]
        text = text["Fn::Sub"] if isinstance(text, dict) else text
        text = re.sub(r"\$\{(\w+)\.Arn\}", r"\1", text)
        for grant in json.loads(text):
            for role in grant["Principal"]:
                for rule in grant["Rules"]:
                    permissions.setdefault(role, {})[rule["ResourceType"]] = rule
    return permissions


@every_scenario
@pytest.mark.parametrize("days", ["0", "30"])
def test_each_function_that_asks_the_collection_is_let_in_and_no_other(name, days):
    resources = deployed(name, DeleteAfterDays=days)
    enter = {
        function["Properties"]["Role"]["Fn::GetAtt"][0]
        for function in of_type(resources, "AWS::Lambda::Function").values()
        for statement in rights(resources, function)
        if "aoss:APIAccessAll" in as_list(statement["Action"])
    }
    assert set(granted(resources)) == enter


@every_scenario
def test_only_the_function_that_deletes_may_delete_and_only_under_the_prefix(name):
    rules = granted(deployed(name, DeleteAfterDays="30"))
    may = {
        role for role, kinds in rules.items() if "aoss:DeleteIndex" in kinds["index"]["Permission"]
    }
    assert may == {"DeleteExpiredIndexesFunctionRole"}
    for kinds in rules.values():
        assert kinds["index"]["Resource"] == ["index/logs/aws-*"]


@every_scenario
def test_the_setup_waits_for_the_policy_and_may_ask_for_this_collection_alone(name):
    resources = deployed(name)
    assert resources["SearchEngine"]["Properties"]["CollectionPolicy"] == {
        "Ref": "CollectionPolicy"
    }
    (asks,) = [
        statement
        for statement in statements(resources["SetUpFunctionRole"])
        if statement["Action"] == "aoss:BatchGetCollection"
    ]
    assert asks["Condition"] == {"StringEquals": {"aoss:collection": "logs"}}


@every_scenario
def test_a_domain_has_no_policy_of_a_collection(name):
    resources = deployed(name, engine_type="opensearch", DeleteAfterDays="30")
    assert not of_type(resources, "AWS::OpenSearchServerless::AccessPolicy")
    assert not [
        action
        for function in of_type(resources, "AWS::Lambda::Function").values()
        for statement in rights(resources, function)
        for action in as_list(statement["Action"])
        if action.startswith("aoss:")
    ]
