"""Functions in subnets: all of them where subnets are given, with endpoints of what they call."""

import re

import pytest

from tests.templates.expansion import (
    SCENARIOS,
    as_list,
    decide,
    expand,
    of_type,
    rights_by_role,
    statements,
)

ENDPOINTS = "scenarios/vpc_endpoints.yaml"
EVERYTHING = {"LightEngine": "true", "RouteTableIds": "rtb-1", "AWS::Region": "eu-west-1"}
# What AWS does by a function's role, outside its subnets: interfaces, traces and logs, polling a
# stream or a queue, keys for what a service encrypts.
BY_AWS = (
    r"ec2:\w+|xray:\w+|kms:\w+|kinesis:\w+|logs:(CreateLogStream|PutLogEvents)"
    r"|sqs:(ReceiveMessage|GetQueueAttributes)|iam:PassRole"
)
# A domain is in the VPC itself; for a collection OpenSearch Serverless makes endpoints of its own.
ELSEWHERE = r"(es|aoss):\w+"

# What a member account deploys, in many accounts by one StackSet, asks for no network of theirs.
MEMBER = "scenarios/member_account.yaml"
with_functions = [
    name
    for name in SCENARIOS
    if of_type(expand(name)["Resources"], "AWS::Lambda::Function") and name != MEMBER
]
every_scenario = pytest.mark.parametrize("name", with_functions)


def endpoints(**parameters):
    return of_type(decide(ENDPOINTS, **(EVERYTHING | parameters)), "AWS::EC2::VPCEndpoint")


def allowed(resources):
    return {action for s in statements(resources) for action in as_list(s["Action"])}


def called():
    """Give the actions that functions call themselves."""
    found = set()
    for name in with_functions:
        resources = expand(name)["Resources"]
        roles = {
            function["Properties"]["Role"]["Fn::GetAtt"][0]
            for function in of_type(resources, "AWS::Lambda::Function").values()
        }
        for role, statement in rights_by_role(resources):
            if role in roles and statement["Effect"] == "Allow":
                found |= set(as_list(statement["Action"]))
    return {action for action in found if not re.fullmatch(f"{BY_AWS}|{ELSEWHERE}", action)}


@every_scenario
def test_every_function_is_in_the_subnets_that_are_given_and_in_none_else(name):
    given = {"SubnetIds": "subnet-1,subnet-2", "SecurityGroupIds": "sg-1"}
    inside = of_type(decide(name, **given), "AWS::Lambda::Function")
    outside = of_type(decide(name), "AWS::Lambda::Function")
    assert inside
    for function in inside.values():
        assert function["Properties"]["VpcConfig"] == {
            "SubnetIds": ["subnet-1", "subnet-2"],
            "SecurityGroupIds": ["sg-1"],
        }
    assert not [one for one in outside.values() if "VpcConfig" in one["Properties"]]


@every_scenario
def test_lambda_may_connect_subnets_by_every_functions_role_where_they_are_given(name):
    for given in ({}, {"SubnetIds": "subnet-1", "SecurityGroupIds": "sg-1"}):
        resources = decide(name, **given)
        may = {
            role
            for role, statement in rights_by_role(resources)
            if "ec2:CreateNetworkInterface" in as_list(statement["Action"])
        }
        roles = {
            function["Properties"]["Role"]["Fn::GetAtt"][0]
            for function in of_type(resources, "AWS::Lambda::Function").values()
        }
        assert may == (roles if given else set())


def test_what_functions_call_has_an_endpoint_that_lets_it_through_and_nothing_more_does():
    assert called() == allowed(endpoints())


def test_an_endpoint_is_made_only_for_what_is_used():
    services = {"S3Endpoint", "SqsEndpoint", "LambdaEndpoint"}
    few = {"LightEngine": "false", "ReadsSecrets": "false", "SubscribesLogGroups": "false"}
    assert set(endpoints(**few)) == services
    assert set(endpoints(**few, RouteTableIds="")) == services - {"S3Endpoint"}


def test_an_endpoint_is_open_to_this_account_alone():
    for logical_id, endpoint in endpoints().items():
        for statement in statements(endpoint):
            if statement["Sid"] == "CustomResourcesAnswer":
                continue
            condition = {"StringEquals": {"aws:PrincipalAccount": "111122223333"}}
            assert statement["Condition"] == condition, logical_id
            resource = statement["Resource"]
            assert ":111122223333:" in resource or resource == "arn:aws:s3:::*", logical_id


def test_custom_resources_reach_the_bucket_of_their_answers_by_the_regions_name_without_hyphens():
    (answer,) = (
        s for s in statements(endpoints()["S3Endpoint"]) if s["Sid"] == "CustomResourcesAnswer"
    )
    bucket = "arn:aws:s3:::cloudformation-custom-resource-response-euwest1/*"
    assert (answer["Action"], answer["Resource"]) == ("s3:PutObject", bucket)


def test_interface_endpoints_answer_under_the_services_own_names_to_the_functions_alone():
    resources = decide(ENDPOINTS, **EVERYTHING, FunctionSecurityGroupId="sg-1")
    for endpoint in of_type(resources, "AWS::EC2::VPCEndpoint").values():
        properties = endpoint["Properties"]
        if properties["VpcEndpointType"] == "Interface":
            assert properties["PrivateDnsEnabled"] is True
            assert properties["SecurityGroupIds"] == [{"Ref": "EndpointSecurityGroup"}]
    (rule,) = resources["EndpointSecurityGroup"]["Properties"]["SecurityGroupIngress"]
    assert (rule["SourceSecurityGroupId"], rule["FromPort"], rule["ToPort"]) == ("sg-1", 443, 443)
