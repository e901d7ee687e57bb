"""Indexes are deleted where a parameter says so, by a role that may do nothing else."""

import re

import pytest

from servicelogs import formats
from tests.templates.expansion import as_list, decide, of_type, read, statements

SCENARIOS = ("scenarios/s3_to_opensearch.yaml", "scenarios/stream_to_opensearch.yaml")
every_scenario = pytest.mark.parametrize("name", SCENARIOS)
TIME_SERIES = {"EngineType": "serverless-timeseries", "CollectionName": "logs"}
DOMAIN = "arn:aws:es:eu-west-1:111122223333:domain/example"


def deployed(name, **parameters):
    return decide(
        name, OpenSearchEndpoint="https://search.example", OpenSearchArn=DOMAIN, **parameters
    )


@every_scenario
@pytest.mark.parametrize(("days", "deletes"), [("0", False), ("90", True), ("0,alb=30", True)])
def test_the_function_that_deletes_exists_where_something_expires(name, days, deletes):
    assert not of_type(deployed(name, DeleteAfterDays=days, **TIME_SERIES), "AWS::Events::Rule")
    resources = deployed(name, DeleteAfterDays=days)
    found = {logical_id for logical_id in resources if "DeleteExpired" in logical_id}
    assert bool(found) == deletes
    rules = of_type(resources, "AWS::Events::Rule").values()
    assert len(rules) == deletes


@every_scenario
def test_no_other_role_may_delete(name):
    resources = deployed(name, DeleteAfterDays="90")
    may = {
        logical_id
        for logical_id, role in of_type(resources, "AWS::IAM::Role").items()
        for statement in statements(role)
        if "es:ESHttpDelete" in as_list(statement["Action"])
    }
    assert may == {"DeleteExpiredIndexesFunctionRole"}
    (statement,) = [
        one
        for one in statements(resources["DeleteExpiredIndexesFunctionRole"])
        if one.get("Sid") == "DeletesIndexes"
    ]
    assert statement["Resource"] == f"{DOMAIN}/aws-*"


@every_scenario
def test_the_output_says_that_nothing_is_deleted_by_default(name):
    output = read(name)["Outputs"]["DocumentRetention"]["Value"]["Fn::If"]
    assert output[0] == "DeletesIndexes"
    assert output[2]["Fn::If"][0] == "IsTimeSeries"
    assert "nothing is ever deleted" in output[2]["Fn::If"][2]
    assert read(name)["Parameters"]["DeleteAfterDays"]["Default"] == "0"


@pytest.mark.parametrize("name", ["template.yaml", *SCENARIOS])
@pytest.mark.parametrize(
    ("value", "is_one"),
    [
        ("0", True),
        ("90,vpc_flow=30", True),
        (",".join(f"{each}=1" for each in formats.NAMES), True),
        ("", False),
        ("alb", False),
        ("albs=3", False),
        ("90, alb=30", False),
    ],
)
def test_days_are_of_all_types_or_of_one(name, value, is_one):
    pattern = read(name)["Parameters"]["DeleteAfterDays"]["AllowedPattern"]
    assert bool(re.fullmatch(pattern, value)) == is_one
