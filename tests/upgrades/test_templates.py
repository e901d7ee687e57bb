"""By its templates alone, an update from an earlier version replaces nothing that holds something.

What CloudFormation would replace is read from the schemas of AWS's resource types, which know more
of it than the emulator does.
"""

from pathlib import Path
from typing import Any

import pytest
from cfnlint.schema.manager import PROVIDER_SCHEMA_MANAGER

from tests.templates.expansion import ROOT, Template, decide, of_type, read
from tests.upgrades.released import VERSIONS, unpack

REGION = "us-east-1"
# Their names are nobody's but the template's, or each change makes them anew.
MAY_BE_REPLACED = {
    "AWS::CloudWatch::Alarm",
    "AWS::IAM::Policy",
    "AWS::IAM::ManagedPolicy",
    "AWS::Lambda::LayerVersion",
    "AWS::Lambda::Permission",
    "AWS::S3::BucketPolicy",
    "AWS::SNS::TopicPolicy",
    "AWS::SQS::QueuePolicy",
}
# What another parameter has taken the place of, since the version; CHANGELOG.md says so.
RENAMED = {"OpenSearchService": "EngineType"}
EVERYTHING = {
    "LightEngine": "true",
    "RdsLogGroupNames": "/rds",
    "LambdaLogGroupNames": "/lambda",
    "LambdaLogGroupPrefix": "/aws/lambda/",
    "StreamLogGroupNames": "/flow",
    "RealtimeSamplingPercent": "5",
}
DEPLOYMENTS = {
    "by default": {},
    "every scenario": EVERYTHING,
    "a bucket and a key of one's own": EVERYTHING
    | {"LogBucketName": "logs", "LogBucketPrefix": "in/", "KmsKeyArn": "arn:key"},
    "events of EventBridge, in a VPC": EVERYTHING
    | {"ObjectEvents": "EventBridge", "SubnetIds": "subnet-1", "SecurityGroupIds": "sg-1"},
}

type Place = tuple[str, ...]


@pytest.fixture(scope="module", params=VERSIONS)
def earlier(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return unpack(request.param, tmp_path_factory.mktemp("earlier"))


def deployed(project: Path, parameters: dict[str, str]) -> dict[Place, Template]:
    """Give the resources of the root and of the scenarios inside it, by where they are."""
    found = {}
    for logical_id, nested in decide("template.yaml", project, **parameters).items():
        found[(logical_id,)] = nested
        location = read("template.yaml", project)["Resources"][logical_id]["Properties"]["Location"]
        passed = nested["Properties"]["Parameters"]
        for name, resource in decide(location, project, **passed).items():
            found[logical_id, name] = resource
    return found


def fixed(resource: Template) -> dict[str, Any]:
    """Give the properties whose change replaces the resource, or is refused."""
    kind = resource["Type"]
    known = "AWS::CloudFormation::CustomResource" if kind.startswith("Custom::") else kind
    schema = PROVIDER_SCHEMA_MANAGER.get_resource_schema(REGION, known).schema
    paths = [
        *schema.get("createOnlyProperties", []),
        *schema.get("conditionalCreateOnlyProperties", []),
    ]
    return {path: at(resource, path) for path in paths}


def at(resource: Template, path: str) -> Any:
    value: Any = resource
    for part in path.replace("/properties", "Properties").split("/"):
        value = value.get(part) if isinstance(value, dict) else None
    return value


@pytest.mark.parametrize("parameters", DEPLOYMENTS.values(), ids=DEPLOYMENTS)
def test_no_resource_is_replaced_or_gone(earlier: Path, parameters: dict[str, str]) -> None:
    before, now = deployed(earlier, parameters), deployed(ROOT, parameters)
    held = {
        place: resource
        for place, resource in before.items()
        if resource["Type"] not in MAY_BE_REPLACED
    }
    assert len(held) > 10
    for place, resource in held.items():
        assert place in now, f"{place} would be deleted"
        assert now[place]["Type"] == resource["Type"], place
        assert fixed(now[place]) == fixed(resource), f"{place} would be replaced"


def test_the_schemas_say_what_replaces_a_resource(earlier: Path) -> None:
    """A check that finds no such property holds whatever is changed."""
    found = {
        (resource["Type"], path)
        for resource in deployed(earlier, EVERYTHING).values()
        for path in fixed(resource)
    }
    assert found >= {
        ("AWS::DynamoDB::Table", "/properties/KeySchema"),
        ("AWS::S3::Bucket", "/properties/BucketName"),
        ("AWS::IAM::Role", "/properties/Path"),
        ("AWS::Lambda::EventSourceMapping", "/properties/EventSourceArn"),
        ("Custom::SearchEngine", "/properties/ServiceToken"),
    }
    bucket = deployed(ROOT, EVERYTHING)["LogBucket", "LogBucket"]
    assert "aws-waf-logs" in str(fixed(bucket)["/properties/BucketName"])


def test_what_was_given_can_still_be_given_and_is_the_same_when_it_is_not(earlier: Path) -> None:
    """sam deploy passes what samconfig names, and leaves the rest as it was."""
    now = read("template.yaml")["Parameters"]
    for name, declared in read("template.yaml", earlier)["Parameters"].items():
        if name in RENAMED:
            assert RENAMED[name] in now
            assert f"`{name}`" in (ROOT / "CHANGELOG.md").read_text()
            continue
        assert name in now
        default = str(now[name].get("Default"))
        assert default == str(declared.get("Default", default)), name
        values = set(map(str, declared.get("AllowedValues", [])))
        assert values <= set(map(str, now[name].get("AllowedValues", values))), name
    new = set(now) - set(read("template.yaml", earlier)["Parameters"])
    assert [name for name in new if "Default" not in now[name]] == []


def test_what_others_read_of_a_stack_is_still_said(earlier: Path) -> None:
    scenarios = sorted(str(path.relative_to(earlier)) for path in earlier.glob("scenarios/*.yaml"))
    for name in ["template.yaml", *scenarios]:
        said = read(name, earlier)["Outputs"]
        assert set(said) <= set(read(name)["Outputs"]), name


def test_every_stateful_resource_of_an_earlier_version_is_looked_at(earlier: Path) -> None:
    kinds = {one["Type"] for one in deployed(earlier, EVERYTHING).values()}
    assert kinds - MAY_BE_REPLACED >= {
        "AWS::DynamoDB::Table",
        "AWS::Glue::Database",
        "AWS::Kinesis::Stream",
        "AWS::KinesisFirehose::DeliveryStream",
        "AWS::S3::Bucket",
        "AWS::SQS::Queue",
    }
    assert of_type(deployed(earlier, {}), "AWS::S3::Bucket")
