"""A customer key encrypts all that can have one; each role may use it for what it does alone."""

import re

import pytest

from tests.templates.expansion import SCENARIOS, as_list, decide, of_type, read, statements

WITHOUT_ROLES = {"scenarios/opensearch_domain.yaml", "scenarios/vpc_endpoints.yaml"}
KEY = "arn:aws:kms:eu-west-1:111122223333:key/1"

# Where a resource says its key: every type of ours that can have one.
KEY_PROPERTIES = {
    "AWS::Athena::WorkGroup": (
        "WorkGroupConfiguration",
        "ResultConfiguration",
        "EncryptionConfiguration",
        "KmsKey",
    ),
    "AWS::DynamoDB::Table": ("SSESpecification", "KMSMasterKeyId"),
    "AWS::Kinesis::Stream": ("StreamEncryption", "KeyId"),
    "AWS::KinesisFirehose::DeliveryStream": (
        "DeliveryStreamEncryptionConfigurationInput",
        "KeyARN",
    ),
    "AWS::Lambda::Function": ("KmsKeyArn",),
    "AWS::Logs::LogGroup": ("KmsKeyId",),
    "AWS::OpenSearchService::Domain": ("EncryptionAtRestOptions", "KmsKeyId"),
    "AWS::S3::Bucket": (
        "BucketEncryption",
        "ServerSideEncryptionConfiguration",
        0,
        "ServerSideEncryptionByDefault",
        "KMSMasterKeyID",
    ),
    "AWS::SNS::Topic": ("KmsMasterKeyId",),
    "AWS::SQS::Queue": ("KmsMasterKeyId",),
    "AWS::Scheduler::Schedule": ("KmsKeyArn",),
    "AWS::SecretsManager::Secret": ("KmsKeyId",),
    "AWS::StepFunctions::StateMachine": ("EncryptionConfiguration", "KmsKeyId"),
}
# They have a property for a key too, of what we do not use: filters of mappings.
NOTHING_TO_ENCRYPT = {"AWS::Lambda::EventSourceMapping"}
# What a role does that needs the key, and by which service it then reaches it.
NEEDS_KEY = {
    "dynamodb": r"dynamodb:\w+",
    "kinesis": r"kinesis:(GetRecords|PutRecords?)",
    "s3": r"s3:(Get|Put)Object",
    "secretsmanager": r"secretsmanager:GetSecretValue",
    "sqs": r"sqs:(Receive|Send)Message",
}
WRITES = r"kinesis:PutRecords?|s3:PutObject|sqs:SendMessage"

every_scenario = pytest.mark.parametrize("name", SCENARIOS)


def resources_of(name, **parameters):
    """Give the resources of a scenario with all that is optional but an existing bucket."""
    asked = {
        "ObjectEvents": "SNS",
        "OpenSearchAuth": "basic",
        "RealtimeSamplingPercent": "1",
        "LogGroupPrefix": "/aws/lambda/",
        "ObjectsTargetArn": "arn:aws:sqs:eu-west-1:111122223333:objects",
        "RdsLogGroupNames": "/aws/rds/instance/shop/error",
        **parameters,
    }
    return decide(name, **{k: v for k, v in asked.items() if k in read(name)["Parameters"]})


@every_scenario
def test_all_that_can_have_a_customer_key_has_it_and_none_without(name):
    encrypted, plain = resources_of(name, KmsKeyArn=KEY), resources_of(name)
    for logical_id, resource in encrypted.items():
        if path := KEY_PROPERTIES.get(resource["Type"]):
            assert _at(resource["Properties"], path) == KEY, logical_id
            assert _at(plain[logical_id]["Properties"], path) in (None, "alias/aws/kinesis")


@every_scenario
def test_no_type_that_can_have_a_customer_key_is_forgotten(name):
    from cfnlint.schema import PROVIDER_SCHEMA_MANAGER as SCHEMAS  # late: it takes a second

    for kind in {r["Type"] for r in resources_of(name).values()} - NOTHING_TO_ENCRYPT:
        if not kind.startswith("Custom::"):
            schema = SCHEMAS.get_resource_schema("us-east-1", kind).schema
            takes_key = re.search(r"(?i)kms\w*key|masterkey", str(schema["properties"].keys()))
            assert not takes_key or kind in KEY_PROPERTIES, kind


def _at(value, path):
    for step in path:
        if isinstance(step, str) and step not in value:
            return None
        value = value[step]
    return value


@every_scenario
def test_a_role_uses_the_key_by_the_services_whose_data_it_reads_or_writes_and_no_other(name):
    resources = resources_of(name, KmsKeyArn=KEY)
    roles = of_type(resources, "AWS::IAM::Role")
    assert roles or name in WITHOUT_ROLES
    for logical_id, role in roles.items():
        rights = list(_rights(resources, logical_id, role))
        actions = {action for s in rights for action in as_list(s["Action"])}
        needed = {
            service
            for service, pattern in NEEDS_KEY.items()
            if any(re.fullmatch(pattern, action) for action in actions)
        }
        on_key = [s for s in rights if s["Resource"] == KEY]
        reached = {
            service.split(".")[0]
            for s in on_key
            for service in as_list(s["Condition"].get("StringLike", {}).get("kms:ViaService", []))
        }
        assert reached == needed, logical_id
        generates = any(
            "kms:GenerateDataKey" in as_list(s["Action"])
            for s in on_key
            if "kms:ViaService" in str(s["Condition"])
        )
        assert generates == any(re.fullmatch(WRITES, action) for action in actions), logical_id


@every_scenario
def test_every_right_on_the_key_hangs_on_a_service_or_on_what_is_encrypted(name):
    found = [s for s in statements(resources_of(name, KmsKeyArn=KEY)) if s.get("Resource") == KEY]
    assert found or name in WITHOUT_ROLES
    for statement in found:
        keys = [key for test in statement["Condition"].values() for key in test]
        assert [k for k in keys if k == "kms:ViaService" or k.startswith("kms:EncryptionContext:")]
    assert not [s for s in statements(resources_of(name)) if "kms:" in str(s["Action"])]


def _rights(resources, role_id, role):
    policies = of_type(resources, "AWS::IAM::Policy").values()
    named = [p for p in policies if {"Ref": role_id} in p["Properties"]["Roles"]]
    managed = [resources[arn["Ref"]] for arn in role["Properties"].get("ManagedPolicyArns", [])]
    yield from statements([role["Properties"].get("Policies", []), named, managed])


@every_scenario
def test_every_function_may_decrypt_its_environment(name):
    resources = resources_of(name, KmsKeyArn=KEY)
    for logical_id, function in of_type(resources, "AWS::Lambda::Function").items():
        role = function["Properties"]["Role"]["Fn::GetAtt"][0]
        rights = _rights(resources, role, resources[role])
        context = "arn:aws:lambda:eu-west-1:111122223333:function:*"
        assert {"ArnLike": {"kms:EncryptionContext:aws:lambda:FunctionArn": context}} in [
            s.get("Condition") for s in rights if s.get("Resource") == KEY
        ], logical_id


@every_scenario
def test_a_queue_has_one_kind_of_encryption(name):
    """SQS refuses a queue with both, and has none where both are off."""
    for parameters in ({}, {"KmsKeyArn": KEY}):
        for queue in of_type(resources_of(name, **parameters), "AWS::SQS::Queue").values():
            properties = queue["Properties"]
            assert properties["SqsManagedSseEnabled"] == ("KmsMasterKeyId" not in properties)


def test_the_log_bucket_may_stay_under_s3s_keys_while_all_else_has_the_customers():
    """ALB, CLB and S3 write their logs under no other."""
    name = "scenarios/log_bucket.yaml"
    resources = resources_of(name, KmsKeyArn=KEY, LogBucketEncryption="SSE-S3")
    (rule,) = resources["LogBucket"]["Properties"]["BucketEncryption"][
        "ServerSideEncryptionConfiguration"
    ]
    assert rule["ServerSideEncryptionByDefault"] == {"SSEAlgorithm": "AES256"}
    assert resources["ObjectTopic"]["Properties"]["KmsMasterKeyId"] == KEY
    condition = read(name)["Rules"]["CustomerKey"]["RuleCondition"]["Fn::And"]
    assert {"Fn::Equals": [{"Ref": "LogBucketEncryption"}, "SSE-KMS"]} in condition
