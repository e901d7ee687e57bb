"""The stream and its function: nothing is given up before the stream would lose it."""

import pytest

from servicelogs import formats
from tests.templates.expansion import as_list, decide, read, statements

NAME = "scenarios/stream_to_opensearch.yaml"
HOURS = read(NAME)["Parameters"]["StreamRetentionHours"]["AllowedValues"]
A_WEEK = 7 * 24 * 3600
FIELDS = "timestamp,c-ip,sc-status"


def stream(**parameters):
    return decide(NAME, **{"OpenSearchEndpoint": "https://search.example", **parameters})


def mapping(**parameters):
    return stream(**parameters)["IndexStreamMapping"]["Properties"]


@pytest.mark.parametrize("hours", HOURS)
def test_a_record_is_tried_until_an_hour_before_the_stream_loses_it(hours):
    properties = mapping(StreamRetentionHours=str(hours))
    assert properties["MaximumRetryAttempts"] == -1
    assert properties["MaximumRecordAgeInSeconds"] == min((hours - 1) * 3600, A_WEEK)


@pytest.mark.parametrize("hours", HOURS)
def test_the_alarm_on_the_iterators_age_leaves_three_quarters_of_the_time(hours):
    resources = stream(StreamRetentionHours=str(hours))
    alarm = resources["IteratorAgeAlarm"]["Properties"]
    age = mapping(StreamRetentionHours=str(hours))["MaximumRecordAgeInSeconds"]
    assert alarm["MetricName"] == "IteratorAge"
    assert alarm["Threshold"] == age * 1000 // 4


def test_a_batch_is_reported_record_by_record_and_halved_when_the_function_dies():
    properties = mapping()
    assert properties["FunctionResponseTypes"] == ["ReportBatchItemFailures"]
    assert properties["BisectBatchOnFunctionError"] is True
    assert properties["StartingPosition"] == "TRIM_HORIZON"


@pytest.mark.parametrize("bucket", ["", "theirs"])
def test_what_is_given_up_goes_to_the_backup_bucket_whole(bucket):
    resources = stream(BackupBucketName=bucket)
    assert ("BackupBucket" in resources) == (not bucket)
    destination = resources["IndexStreamMapping"]["Properties"]["DestinationConfig"]["OnFailure"]
    arn = "arn:aws:s3:::theirs" if bucket else {"Fn::GetAtt": ["BackupBucket", "Arn"]}
    assert destination == {"Destination": arn}
    role = resources["IndexStreamFunctionRole"]
    rights = {
        action: statement["Resource"]
        for statement in statements(role["Properties"]["Policies"])
        for action in as_list(statement["Action"])
        if "/aws/lambda/" in str(statement["Resource"]) or action == "s3:ListBucket"
    }
    assert set(rights) == {"s3:PutObject", "s3:ListBucket"}
    variables = resources["IndexStreamFunction"]["Properties"]["Environment"]["Variables"]
    assert variables["BACKUP_BUCKET"] == (bucket or {"Ref": "BackupBucket"})


def test_a_stream_scales_by_itself_unless_shards_are_asked_for():
    by_itself = stream(StreamShards="4")["Stream"]["Properties"]
    assert by_itself["StreamModeDetails"] == {"StreamMode": "ON_DEMAND"}
    assert "ShardCount" not in by_itself
    provisioned = stream(StreamMode="PROVISIONED", StreamShards="4")["Stream"]["Properties"]
    assert provisioned["ShardCount"] == "4"


def test_a_stream_is_encrypted_with_awss_key_or_the_customers():
    key = "arn:aws:kms:eu-west-1:111122223333:key/1"

    def encryption(**parameters):
        return stream(**parameters)["Stream"]["Properties"]["StreamEncryption"]

    assert encryption() == {"EncryptionType": "KMS", "KeyId": "alias/aws/kinesis"}
    assert encryption(KmsKeyArn=key)["KeyId"] == key
    for role in ("RealtimeRole", "IndexStreamFunctionRole"):
        used = [s for s in statements(stream(KmsKeyArn=key)[role]) if s.get("Resource") == key]
        assert used, role


@pytest.mark.parametrize("fields", [FIELDS, FIELDS.replace(",", ", "), f"{FIELDS} | c-ip"])
def test_cloudfront_sends_the_fields_that_the_function_is_told(fields):
    resources = stream(RealtimeSamplingPercent="5", CloudFrontRealtimeFields=fields)
    config = resources["RealtimeLogConfig"]["Properties"]
    assert config["Fields"] == FIELDS.split(",")
    assert config["SamplingRate"] == "5"
    (end_point,) = config["EndPoints"]
    assert end_point["KinesisStreamConfig"]["StreamArn"] == {"Fn::GetAtt": ["Stream", "Arn"]}
    variables = resources["IndexStreamFunction"]["Properties"]["Environment"]["Variables"]
    assert f"CloudFrontRealtimeFields={fields}" in variables["FORMAT_OPTIONS"]
    assert "RealtimeLogConfig" not in stream(CloudFrontRealtimeFields=FIELDS)


def test_without_a_list_cloudfront_sends_every_field_that_the_function_reads():
    config = stream(RealtimeSamplingPercent="5")["RealtimeLogConfig"]["Properties"]
    columns = formats.get("cloudfront_realtime").columns
    assert config["Fields"] == [column.name for column in columns]


def test_the_function_may_delete_no_document_and_no_log():
    role = stream()["IndexStreamFunctionRole"]
    for statement in statements(role["Properties"]["Policies"]):
        deletes = [a for a in as_list(statement["Action"]) if "Delete" in a]
        assert deletes in ([], ["s3:DeleteObject"])
        if deletes:
            assert "/rejected/*" in str(statement["Resource"])


def test_the_root_makes_no_stream_that_nothing_sends_to():
    conditions = read("template.yaml")["Conditions"]
    assert {str(one) for one in conditions["HasStream"]["Fn::Or"]} == {
        str({"Condition": "HasStreamLogGroups"}),
        str({"Fn::Equals": [{"Ref": "MakeStream"}, "true"]}),
        str({"Fn::Not": [{"Fn::Equals": [{"Ref": "RealtimeSamplingPercent"}, 0]}]}),
    }


@pytest.mark.parametrize("name", [NAME, "scenarios/s3_to_opensearch.yaml"])
def test_the_text_on_subnets_names_the_services_that_the_functions_call(name):
    template = read(name)
    text = template["Parameters"]["SubnetIds"]["Description"]
    rights = {
        action.partition(":")[0]
        for statement in statements(template["Resources"])
        for action in as_list(statement["Action"])
    }
    called = {
        "sqs": "SQS",
        "s3": "S3",
        "lambda": "Lambda",
        # pragma: allowlist nextline secret: the name of a service
        "secretsmanager": "Secrets Manager",
    }
    for service, said in called.items():
        assert (said in text) == (service in rights), said
