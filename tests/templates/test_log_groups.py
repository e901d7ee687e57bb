"""Log groups reach Firehose and the stream, and never a log group of the deployment's own."""

import json
import re

import pytest

from tests.templates.expansion import decide, of_type, read, statements

FIREHOSE = "scenarios/firehose_to_s3.yaml"
STREAM = "scenarios/log_groups_to_stream.yaml"
MEMBER = "scenarios/member_account.yaml"
ROLE = {"Fn::GetAtt": ["SubscriptionRole", "Arn"]}


def firehose(**parameters):
    return decide(FIREHOSE, **{"LogBucketName": "logs", **parameters})


def destination(**parameters):
    stream = firehose(LogGroupNames="/aws/lambda/shop", **parameters)["DeliveryStream"]
    return stream["Properties"]["ExtendedS3DestinationConfiguration"]


@pytest.mark.parametrize("name", [FIREHOSE, STREAM])
def test_named_groups_are_subscribed_with_the_pattern_the_region_and_a_role(name):
    resources = decide(
        name,
        LogBucketName="logs",
        LogGroupNames="/aws/lambda/a,/aws/lambda/b",
        FilterPattern='-"START RequestId"',
        StreamArn="arn:aws:kinesis:eu-west-1:111122223333:stream/s",
    )
    properties = resources["Subscriptions"]["Properties"]
    assert properties["LogGroupNames"] == ["/aws/lambda/a", "/aws/lambda/b"]
    assert properties["FilterPattern"] == '-"START RequestId"'
    assert properties["EmitSystemFields"] == ["@aws.region"]
    assert properties["RoleArn"] == ROLE
    assert properties["ServiceToken"] == {"Fn::GetAtt": ["SubscribeFunction", "Arn"]}
    passes = [s for s in statements(resources) if s["Action"] == "iam:PassRole"]
    assert [s["Resource"] for s in passes] == [ROLE]


def test_log_groups_are_spread_over_the_shards_of_a_stream():
    subscriptions = read(STREAM)["Resources"]["Subscriptions"]["Properties"]
    assert subscriptions["Distribution"] == "Random"


@pytest.mark.parametrize("name", [FIREHOSE, STREAM])
def test_a_scenario_knows_its_own_log_groups_and_says_them(name):
    template = read(name)
    groups = set(of_type(template["Resources"], "AWS::Logs::LogGroup"))
    refused = str(template["Resources"]["Subscriptions"]["Properties"]["OwnLogGroups"])
    said = str(template["Outputs"]["LogGroupNames"]["Value"])
    for group in groups:
        assert f"'{group}'" in refused
        assert f"'{group}'" in said


@pytest.mark.parametrize(
    "name",
    [FIREHOSE, STREAM]
    + [
        f"scenarios/{n}.yaml"
        for n in (
            "log_bucket",
            "s3_to_opensearch",
            "s3_to_light_engine",
            "stream_to_opensearch",
            "enqueue_objects",
        )
    ],
)
def test_every_scenario_says_which_log_groups_are_its_own(name):
    template = read(name)
    said = set(re.findall(r"'Ref': '(\w+)'", str(template["Outputs"]["LogGroupNames"]["Value"])))
    assert said == set(of_type(template["Resources"], "AWS::Logs::LogGroup"))


@pytest.mark.parametrize("others", ["", "index,set-up"])
def test_an_account_level_policy_leaves_out_every_group_of_the_deployment(others):
    resources = firehose(LogGroupPrefix="/aws/lambda/", OwnLogGroups=others)
    assert "Subscriptions" not in resources
    properties = resources["AccountSubscription"]["Properties"]
    assert properties["PolicyType"] == "SUBSCRIPTION_FILTER_POLICY"
    prefix = "LogGroupName NOT IN "
    assert properties["SelectionCriteria"].startswith(prefix)
    left_out = json.loads(properties["SelectionCriteria"].removeprefix(prefix))
    own = of_type(resources, "AWS::Logs::LogGroup")
    assert set(left_out) == {f"${{{group}}}" for group in own} | {*filter(None, others.split(","))}


@pytest.mark.parametrize("pattern", ["", '-"START RequestId" -x', r"%\d{3}\"%"])
def test_an_account_level_policy_carries_any_pattern(pattern):
    policy = firehose(LogGroupPrefix="/aws/", FilterPattern=pattern)["AccountSubscription"]
    document = json.loads(policy["Properties"]["PolicyDocument"])
    assert document == {
        "DestinationArn": "${DeliveryStream.Arn}",
        "RoleArn": "${SubscriptionRole.Arn}",
        "FilterPattern": pattern,
    }


def test_no_function_may_make_an_account_level_policy():
    for name in (FIREHOSE, STREAM, MEMBER):
        resources = read(name)["Resources"].values()
        for statement in statements([one for one in resources if "Function" in str(one["Type"])]):
            assert "PutAccountPolicy" not in str(statement["Action"])
        for role in of_type(read(name)["Resources"], "AWS::IAM::Role").values():
            assert "PutAccountPolicy" not in str(role["Properties"]["Policies"])


def test_a_scenario_without_any_log_group_is_refused():
    rule = read(FIREHOSE)["Rules"]["LogGroupsAreGiven"]
    assert "RuleCondition" not in rule
    assert "LogGroupNames" in str(rule)
    assert "LogGroupPrefix" in str(rule)


def test_firehose_decompresses_and_does_nothing_else_to_the_events():
    processing = destination()["ProcessingConfiguration"]
    assert [processor["Type"] for processor in processing["Processors"]] == ["Decompression"]
    assert "DynamicPartitioningConfiguration" not in destination()


def test_objects_and_errors_lie_apart_under_the_prefix_that_is_read():
    found = destination(LogBucketPrefix="logs/", ObjectFolder="firehose/rds")
    assert found["Prefix"] == "logs/firehose/rds/!{timestamp:yyyy/MM/dd/HH}/"
    assert found["ErrorOutputPrefix"] == (
        "logs/firehose-errors/firehose/rds/!{firehose:error-output-type}/!{timestamp:yyyy/MM/dd/HH}/"
    )


def test_the_role_may_write_where_objects_and_errors_go_and_nowhere_else():
    resources = firehose(LogGroupNames="a", LogBucketPrefix="logs/", ObjectFolder="firehose/rds")
    writes = [s for s in statements(resources["FirehoseRole"]) if "s3:PutObject" in s["Action"]]
    (allowed,) = writes
    assert allowed["Resource"] == [
        "arn:aws:s3:::logs/logs/firehose/rds/*",
        "arn:aws:s3:::logs/logs/firehose-errors/*",
    ]


def test_buffering_and_compression_are_parameters():
    found = destination(BufferMegabytes="5", BufferSeconds="300", ObjectCompression="ZIP")
    assert found["BufferingHints"] == {"SizeInMBs": "5", "IntervalInSeconds": "300"}
    assert found["CompressionFormat"] == "ZIP"


def test_firehose_logs_its_errors_to_a_group_with_a_retention():
    resources = firehose(LogGroupNames="a")
    logging = resources["DeliveryStream"]["Properties"]["ExtendedS3DestinationConfiguration"][
        "CloudWatchLoggingOptions"
    ]
    group = resources[logging["LogGroupName"]["Ref"]]
    assert group["Properties"]["RetentionInDays"]
    assert resources[logging["LogStreamName"]["Ref"]]["Type"] == "AWS::Logs::LogStream"
    assert logging["Enabled"] is True


def test_a_customer_key_encrypts_the_stream_and_its_objects():
    key = "arn:aws:kms:eu-west-1:111122223333:key/1"
    found = destination(KmsKeyArn=key)
    assert found["EncryptionConfiguration"]["KMSEncryptionConfig"] == {"AWSKMSKeyARN": key}
    resources = firehose(LogGroupNames="a", KmsKeyArn=key)
    encryption = resources["DeliveryStream"]["Properties"][
        "DeliveryStreamEncryptionConfigurationInput"
    ]
    assert encryption == {"KeyType": "CUSTOMER_MANAGED_CMK", "KeyARN": key}
    used = [s for s in statements(resources["FirehoseRole"]) if s.get("Resource") == key]
    assert len(used) == 1
    assert "EncryptionConfiguration" not in destination()


@pytest.mark.parametrize(
    ("name", "action"), [(FIREHOSE, "firehose:PutRecord"), (STREAM, "kinesis:PutRecord")]
)
def test_cloudwatch_logs_may_send_to_the_destination_and_do_nothing_else(name, action):
    resources = decide(name, LogBucketName="logs", LogGroupNames="a", StreamArn="arn:stream")
    (trust,) = statements(resources["SubscriptionRole"]["Properties"]["AssumeRolePolicyDocument"])
    assert trust["Principal"] == {"Service": "logs.amazonaws.com"}
    (allowed,) = statements(resources["SubscriptionRole"]["Properties"]["Policies"])
    assert allowed["Action"] == action
    assert allowed["Resource"] == resources["Subscriptions"]["Properties"]["DestinationArn"]


def test_the_examples_of_patterns_leave_out_what_only_makes_noise():
    parameters = read("template.yaml")["Parameters"]
    assert parameters["RdsFilterPattern"]["Default"] == "-rdsadmin"
    pattern = parameters["LambdaFilterPattern"]["Default"]
    assert all(f'-"{term}' in pattern for term in ("START RequestId", "END RequestId"))
