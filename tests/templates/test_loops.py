"""What a trail is told to leave out is what the deployment writes, as CloudTrail takes it."""

import json
import re

import boto3
import pytest
from botocore.validate import ParamValidator

from tests.templates.expansion import ROOT, read

OF_DEPLOYMENT = {"LogBucketName", "BackupBucketName"}
OF_LAKE = {"StagingBucketName", "LakeBucketName", "QueryResultsBucketName"}
LONGEST_BUCKET_NAME = "b" * 63


def selectors(*, with_lake: bool) -> list[dict]:
    """Give the output's selectors, each bucket called as the output that names it."""
    _, yes, no = read("template.yaml")["Outputs"]["DataEventSelectors"]["Value"]["Fn::If"]
    text = (yes if with_lake else no)["Fn::Sub"].replace("${AWS::Partition}", "aws")
    return json.loads(re.sub(r"\$\{\w+\.Outputs\.(\w+)\}", r"\1", text))


def selects(selector: dict, event: dict[str, str]) -> bool:
    """Judge an event as CloudTrail does: all fields must match, any of their values."""
    judge = {
        "Equals": str.__eq__,
        "NotStartsWith": lambda value, start: not value.startswith(start),
    }
    for one in selector["FieldSelectors"]:
        ((operator, values),) = [(k, v) for k, v in one.items() if k != "Field"]
        held = [judge[operator](event[one["Field"]], value) for value in values]
        if not (all(held) if operator.startswith("Not") else any(held)):
            return False
    return True


def data_event(bucket: str) -> dict[str, str]:
    return {
        "eventCategory": "Data",
        "resources.type": "AWS::S3::Object",
        "resources.ARN": f"arn:aws:s3:::{bucket}/AWSLogs/111122223333/a.log.gz",
    }


@pytest.mark.parametrize("with_lake", [True, False])
def test_cloudtrail_takes_the_selectors_as_they_are(with_lake):
    client = boto3.client("cloudtrail", region_name="eu-west-1")
    shape = client.meta.service_model.operation_model("PutEventSelectors").input_shape
    request = {"TrailName": "trail", "AdvancedEventSelectors": selectors(with_lake=with_lake)}
    assert not ParamValidator().validate(request, shape).has_errors()
    for selector in request["AdvancedEventSelectors"]:
        (category,) = [one for one in selector["FieldSelectors"] if one["Field"] == "eventCategory"]
        assert category["Equals"] in (["Management"], ["Data"])
    # CloudFormation takes an output of 1024 bytes.
    buckets = OF_DEPLOYMENT | (OF_LAKE if with_lake else set())
    text = json.dumps(request["AdvancedEventSelectors"], separators=(",", ":"))
    for bucket in buckets:
        text = text.replace(f":::{bucket}/", f":::{LONGEST_BUCKET_NAME}/")
    assert len(text) <= 1024


@pytest.mark.parametrize("with_lake", [True, False])
def test_objects_of_the_deployment_are_left_out_and_all_others_are_logged(with_lake):
    management, data = selectors(with_lake=with_lake)
    left_out = OF_DEPLOYMENT | (OF_LAKE if with_lake else set())
    for bucket in left_out:
        assert not selects(data, data_event(bucket)), bucket
        # Another bucket may begin with the same name.
        assert selects(data, data_event(f"{bucket}-of-others")), bucket
    assert selects(management, {"eventCategory": "Management"})


def test_each_bucket_that_the_root_names_is_left_out():
    outputs = read("template.yaml")["Outputs"]
    named = {name for name in outputs if name.endswith("BucketName")}
    assert named == OF_DEPLOYMENT | OF_LAKE
    text = (ROOT / "docs" / "loops.md").read_text()
    assert all(f"arn:aws:s3:::{name}/" in text for name in named)
