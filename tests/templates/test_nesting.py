"""What a stack passes to the scenarios inside it, and what samconfig passes to the stack."""

import re
import shlex
import tomllib
from pathlib import Path

import pytest

from tests.templates.expansion import ROOT, TEMPLATES, as_list, decide, nodes, of_type, read

PARENTS = [name for name in TEMPLATES if not name.startswith("scenarios/")]
SAMCONFIG = tomllib.loads((ROOT / "samconfig.toml").read_text())
ENVIRONMENTS = sorted(set(SAMCONFIG) - {"version"})


def children(name):
    """Return each nested scenario's name, the parameters it is given, and its template."""
    nested = of_type(read(name)["Resources"], "AWS::Serverless::Application")
    assert nested, name
    return [
        (
            logical_id,
            scenario["Properties"]["Parameters"],
            read(_location(name, scenario["Properties"]["Location"])),
        )
        for logical_id, scenario in nested.items()
    ]


def _location(parent, location):
    return str(((ROOT / parent).parent / location).resolve().relative_to(ROOT))


@pytest.mark.parametrize("name", PARENTS)
def test_a_nested_scenario_gets_what_it_has_no_default_for_and_nothing_unknown(name):
    for logical_id, passed, child in children(name):
        required = {key for key, d in child["Parameters"].items() if "Default" not in d}
        assert required <= set(passed) <= set(child["Parameters"]), logical_id


def test_the_root_passes_every_parameter_of_every_scenario():
    for logical_id, passed, child in children("template.yaml"):
        assert set(passed) == set(child["Parameters"]), logical_id


# What the root says itself: a scenario that is nested twice keeps the objects of its types apart,
# and an account has one account-level subscription policy.
SAID_BY_ROOT = {
    ("RdsToS3", "ObjectFolder"): "firehose/rds",
    ("RdsToS3", "LogGroupPrefix"): "",
    ("LambdaToS3", "ObjectFolder"): "firehose/lambda",
}
# What two scenarios are given under the same name is a parameter of the root for each.
# Both engines read what LambdaToS3's account-level policy sends, or those of other accounts.
SENT_BY_ACCOUNTS = {
    "Fn::If": [
        "HasLambdaLogGroupPrefix",
        {"Ref": "LambdaLogGroupPrefix"},
        {"Ref": "MemberLogGroupPrefix"},
    ]
}
READS_WHAT_OTHERS_SEND = {
    ("S3ToOpenSearch", "LogGroupPrefix"),
    ("S3ToLightEngine", "LogGroupPrefix"),
}
# Both engines have a queue of objects.
QUEUES = ("OpenSearchQueueArn", "LightEngineQueueArn")
# A domain that the root makes, or another one.
OF_THE_DOMAIN_MADE_HERE = {"OpenSearchEndpoint", "OpenSearchArn", "OpenSearchMasterSecretArn"}
TESTED_BELOW = {
    "OwnLogGroups",
    "LogTypePrefixes",
    "ObjectEvents",
    *QUEUES,
    *OF_THE_DOMAIN_MADE_HERE,
}
FOR_ONE_SCENARIO = {"RdsToS3": "Rds", "LambdaToS3": "Lambda", "LogGroupsToStream": "Stream"}


def test_the_root_passes_each_parameter_under_its_own_name_or_from_another_scenario():
    nested = {logical_id: child for logical_id, _, child in children("template.yaml")}
    root = read("template.yaml")["Parameters"]
    for logical_id, passed, _ in children("template.yaml"):
        for key, value in passed.items():
            named = FOR_ONE_SCENARIO.get(logical_id, "") + key
            if key in TESTED_BELOW:
                continue
            if isinstance(value, str):
                assert value == SAID_BY_ROOT[logical_id, key]
            elif (logical_id, key) in READS_WHAT_OTHERS_SEND:
                assert value == SENT_BY_ACCOUNTS
            elif key == "DeploymentName":
                assert value == {"Ref": "AWS::StackName"}
            elif named in root and named != key:
                assert value == {"Ref": named}
            elif "Fn::GetAtt" in value:
                other, output = re.fullmatch(
                    r"(\w+)\.Outputs\.(\w+)", ".".join(value["Fn::GetAtt"])
                ).groups()
                assert output == key
                assert output in nested[other]["Outputs"]
            elif root[key]["Type"] == "CommaDelimitedList":
                assert value == {"Fn::Join": [",", {"Ref": key}]}
            else:
                assert value == {"Ref": key}


@pytest.mark.parametrize(
    ("asked", "of_lake"),
    [({}, ""), ({"LightEngine": "true"}, {"Fn::GetAtt": ["S3ToLightEngine", "Outputs.QueueArn"]})],
)
def test_objects_are_enqueued_for_the_engines_that_there_are(asked, of_lake):
    passed = decide("template.yaml", **asked)["EnqueueObjects"]["Properties"]["Parameters"]
    found = {key: passed[key] for key in QUEUES}
    of_search = {"Fn::GetAtt": ["S3ToOpenSearch", "Outputs.QueueArn"]}
    assert found == {"OpenSearchQueueArn": of_search, "LightEngineQueueArn": of_lake}


@pytest.mark.parametrize(
    ("parameters", "expected"),
    [
        ({}, ""),
        ({"LogTypePrefixes": "edge/=waf"}, "edge/=waf"),
        ({"LambdaLogGroupNames": "/shop/functions"}, "firehose/lambda/=lambda"),
        (
            {
                "LambdaLogGroupNames": "/shop/functions",
                "LogTypePrefixes": "logs/edge/=waf",
                "LogBucketPrefix": "logs/",
            },
            "logs/edge/=waf,logs/firehose/lambda/=lambda",
        ),
        ({"MakeLambdaDestination": "true"}, "firehose/lambda/=lambda"),
        # It may take in groups of other types.
        ({"LambdaLogGroupNames": "/shop/functions", "LambdaLogGroupPrefix": "/aws/"}, ""),
        ({"MakeLambdaDestination": "true", "MemberLogGroupPrefix": "/aws/"}, ""),
    ],
)
def test_what_is_named_as_log_groups_of_lambda_is_read_as_lambda(parameters, expected):
    resources = decide("template.yaml", LightEngine="true", **parameters)
    for engine in ("S3ToOpenSearch", "S3ToLightEngine"):
        passed = resources[engine]["Properties"]["Parameters"]
        assert passed["LogTypePrefixes"] == expected
    pattern = read("scenarios/s3_to_opensearch.yaml")["Parameters"]["LogTypePrefixes"]
    assert re.search(pattern["AllowedPattern"], expected)
    folder = read("template.yaml")["Resources"]["LambdaToS3"]["Properties"]["Parameters"]
    assert folder["ObjectFolder"] == "firehose/lambda"


@pytest.mark.parametrize(
    ("asked", "engines", "passed"),
    [
        ({}, ["S3ToOpenSearch"], "SQS"),
        ({"LightEngine": "true"}, ["S3ToOpenSearch", "S3ToLightEngine"], "SNS"),
        (
            {"LightEngine": "true", "ObjectEvents": "EventBridge"},
            ["S3ToOpenSearch", "S3ToLightEngine"],
            "EventBridge",
        ),
        ({"ObjectEvents": "SNS"}, ["S3ToOpenSearch"], "SNS"),
    ],
)
def test_with_two_engines_the_bucket_announces_objects_once_for_both(asked, engines, passed):
    """S3 refuses two notifications for one prefix."""
    resources = decide("template.yaml", **asked)
    assert [name for name in resources if name.startswith("S3To")] == engines
    for name in ("LogBucket", *engines):
        assert resources[name]["Properties"]["Parameters"]["ObjectEvents"] == passed, name


def test_what_a_scenario_refuses_the_root_refuses_first():
    root = read("template.yaml")
    compared = set()
    for _, _, child in children("template.yaml"):
        for name, rule in child.get("Rules", {}).items():
            asked = {
                node["Ref"] for node in nodes(rule) if isinstance(node, dict) and "Ref" in node
            }
            # What the scenarios pass to each other is not a parameter of the root.
            if asked <= set(root["Parameters"]):
                assert of_ones_own(root["Rules"][name]) == rule, f"{name} here and in the scenario"
                compared.add(name)
    assert set(root["Rules"]) - compared == {"EndpointIsGiven", "DomainIsSignedFor"}


def of_ones_own(rule):
    """Leave out of a rule's condition that the domain is not made here."""
    match rule:
        case {
            "RuleCondition": {"Fn::And": [condition, {"Fn::Equals": [{"Ref": "CreateDomain"}, _]}]}
        }:
            return rule | {"RuleCondition": condition}
    return rule


def test_a_domain_made_here_is_there_before_what_writes_to_it_and_its_owner_lets_that_in():
    resources = decide("template.yaml", CreateDomain="true", RealtimeSamplingPercent="5")
    for scenario in ("S3ToOpenSearch", "StreamToOpenSearch"):
        passed = resources[scenario]["Properties"]["Parameters"]
        for key in OF_THE_DOMAIN_MADE_HERE:
            assert passed[key] == {"Fn::GetAtt": ["OpenSearchDomain", f"Outputs.{key}"]}
            other = decide("template.yaml", MakeStream="true", **{key: "given"})
            assert other[scenario]["Properties"]["Parameters"][key] == "given"
    assert "OpenSearchDomain" not in decide("template.yaml")


def test_no_parameter_of_the_root_is_left_unused():
    template = read("template.yaml")
    used = {
        node["Ref"]
        for node in nodes([template["Resources"], template["Conditions"]])
        if isinstance(node, dict) and "Ref" in node
    }
    assert set(template["Parameters"]) <= used


def own_log_groups(logical_id):
    """Name the scenarios whose log groups the root says are the deployment's own."""
    nested = {name: passed for name, passed, _ in children("template.yaml")}
    joined = nested[logical_id]["OwnLogGroups"]
    found = [
        node["Fn::GetAtt"]
        for node in nodes(joined)
        if isinstance(node, dict) and "Fn::GetAtt" in node
    ]
    assert {tuple(rest) for _, *rest in found} == {("Outputs", "LogGroupNames")} or {
        rest[0] for _, *rest in found
    } == {"Outputs.LogGroupNames"}
    return {scenario for scenario, *_ in found}


def test_an_account_level_policy_leaves_out_the_log_groups_of_every_other_scenario():
    """Its own it knows; the names of all others must be there when it is made."""
    every = {logical_id for logical_id, _, _ in children("template.yaml")}
    with_policy = [
        logical_id
        for logical_id, passed, _ in children("template.yaml")
        if passed.get("LogGroupPrefix", "") != ""
        and (logical_id, "LogGroupPrefix") not in SAID_BY_ROOT
        and "LogGroupNames" in passed
    ]
    assert with_policy == ["LambdaToS3"]
    assert own_log_groups("LambdaToS3") == every - {"LambdaToS3"}


def test_a_scenario_with_subscriptions_refuses_every_log_group_of_the_deployment():
    """By its name, which begins with the deployment's: what is made later is not known by name."""
    for logical_id, passed, child in children("template.yaml"):
        subscriptions = of_type(child["Resources"], "Custom::LogSubscriptions")
        assert bool(subscriptions) == ("DeploymentName" in passed), logical_id
        for subscription in subscriptions.values():
            own = subscription["Properties"]["OwnPrefix"]["Fn::If"]
            assert own == [
                "HasDeploymentName",
                {"Fn::Sub": "${DeploymentName}-"},
                {"Fn::Sub": "${AWS::StackName}-"},
            ]


def test_a_parameter_has_the_same_bounds_and_default_in_the_root_and_in_scenarios():
    root = read("template.yaml")["Parameters"]
    for logical_id, _, child in children("template.yaml"):
        apart = FOR_ONE_SCENARIO.get(logical_id, "")
        for key in child["Parameters"]:
            if apart + key in root and key in ("LogGroupNames", "LogGroupPrefix"):
                pattern = root[apart + key]["AllowedPattern"]
                assert pattern.removeprefix("^$|") == child["Parameters"][key][
                    "AllowedPattern"
                ].removeprefix("^$|"), apart + key
        for key in set(root) & set(child["Parameters"]):
            # A scenario gets the bucket's name; the root may make the bucket.
            if key == "LogBucketName" and logical_id != "LogBucket":
                continue
            # So may it make the domain.
            if key == "OpenSearchEndpoint":
                pattern = root[key]["AllowedPattern"]
                assert pattern == f"^$|{child['Parameters'][key]['AllowedPattern']}"
                continue
            said = {k: v for k, v in child["Parameters"][key].items() if k != "Description"}
            assert said == {k: v for k, v in root[key].items() if k != "Description"}, key


@pytest.mark.parametrize("name", PARENTS)
def test_a_parent_reads_only_outputs_that_the_scenario_has(name):
    nested = {logical_id: child for logical_id, _, child in children(name)}
    text = (ROOT / name).read_text()
    read_outputs = re.findall(r"(\w+)\.Outputs\.(\w+)", text)
    assert read_outputs
    for logical_id, output in read_outputs:
        assert output in nested[logical_id]["Outputs"]


def test_the_root_has_no_functions_and_the_outputs_that_users_rely_on():
    template = read("template.yaml")
    assert {r["Type"] for r in template["Resources"].values()} == {"AWS::Serverless::Application"}
    assert {
        "LogBucketName",
        "BackupBucketName",
        "QueueUrl",
        "DeadLetterQueueUrl",
        "IndexFunctionName",
    } <= set(template["Outputs"])


def test_there_is_an_environment_for_each_use():
    assert ENVIRONMENTS == ["default", "local", "production"]


@pytest.mark.parametrize("environment", ENVIRONMENTS)
def test_an_environment_is_complete_by_itself(environment):
    settings = SAMCONFIG[environment]
    assert settings["global"]["parameters"]["stack_name"]
    assert settings["validate"]["parameters"]["lint"] is True
    # The cache does not see ARCHITECTURE, by which the layers' Makefiles choose their wheels.
    assert settings["build"]["parameters"]["cached"] is False
    deploy = settings["deploy"]["parameters"]
    assert set(deploy["capabilities"]) == {"CAPABILITY_IAM", "CAPABILITY_AUTO_EXPAND"}
    assert deploy.get("resolve_s3") or deploy.get("s3_bucket")
    assert "confirm_changeset" in deploy


@pytest.mark.parametrize("environment", ENVIRONMENTS)
def test_an_environment_sets_parameters_that_exist_to_values_that_they_take(environment):
    parameters = read("template.yaml")["Parameters"]
    overrides = SAMCONFIG[environment]["deploy"]["parameters"].get("parameter_overrides", [])
    for override in overrides:
        (text,) = shlex.split(override)  # sam deploy takes an empty value in quotes alone
        key, value = text.split("=", 1)
        declared = parameters[key]
        assert value in [str(v) for v in declared.get("AllowedValues", [value])]
        assert re.fullmatch(declared.get("AllowedPattern", ".*"), value), override
        if declared["Type"] == "Number":
            assert declared.get("MinValue", 0) <= int(value) <= declared.get("MaxValue", int(value))


def test_the_local_environment_asks_nothing_and_needs_no_account():
    deploy = SAMCONFIG["local"]["deploy"]["parameters"]
    assert deploy["confirm_changeset"] is False
    assert not deploy.get("resolve_s3")
    overrides = dict(o.split("=", 1) for o in deploy["parameter_overrides"])
    assert overrides["OpenSearchAuth"] == "none"
    assert overrides["IndexReplicas"] == "0"
    assert overrides["DeleteAfterDays"] == "0"


def test_the_production_environment_gives_what_has_no_default():
    overrides = dict(
        o.split("=", 1)
        for o in SAMCONFIG["production"]["deploy"]["parameters"]["parameter_overrides"]
    )
    required = {key for key, d in read("template.yaml")["Parameters"].items() if "Default" not in d}
    assert required <= set(overrides)
    assert overrides["OpenSearchAuth"] != "none"
    assert overrides.get("TlsOnly", "true") == "true"


def test_the_examples_of_the_readme_are_where_it_says():
    examples = ["examples/larger_stack/template.yaml", "examples/nested-stack/template.yaml"]
    assert as_list(PARENTS) == [*examples, "template.yaml"]
    assert all(Path(ROOT / name).exists() for name in examples)
