"""What no trial shows to be used, and why it is needed all the same.

Each names statements by their id, and of their actions those that nothing asks for in the emulator.
"""

from typing import NamedTuple


class Listed(NamedTuple):
    """Actions of statements with an id."""

    sid: str
    actions: str
    because: str


_KEYS = "the emulator's services ask no key: AWS's do, where one is given"
_MAPPING = "Lambda itself asks for it, and refuses a mapping without it"
_MISSING = "without it S3 answers 403 and not 404 where there is no object; the emulator always 404"
_UPLOADS = "ends an upload in parts that failed: only files of many megabytes have parts"

LISTED = (
    Listed("WorksOffItsQueue", "sqs:ReceiveMessage sqs:GetQueueAttributes", _MAPPING),
    Listed("WorksOffItsQueue", "sqs:DeleteMessage", _MAPPING),
    Listed(
        "WorksOffItsQueue",
        "sqs:SendMessage",
        "what is left when the time is over: tests/opensearch/test_index_objects.py",
    ),
    Listed("ReadsStream", "kinesis:DescribeStreamSummary kinesis:ListShards", _MAPPING),
    Listed("DistinguishesDeletedFromForbidden", "s3:ListBucket", _MISSING),
    Listed("TellsNoRejectsFromForbidden", "s3:ListBucket", _MISSING),
    Listed("StagesObjects", "s3:AbortMultipartUpload", _UPLOADS),
    Listed("WritesFiles", "s3:AbortMultipartUpload", _UPLOADS),
    Listed("MergesFiles", "s3:AbortMultipartUpload", _UPLOADS),
    Listed("PutsObjectsIntoQuarantine", "s3:AbortMultipartUpload", _UPLOADS),
    Listed("UsesCustomerKey", "kms:Decrypt kms:GenerateDataKey", _KEYS),
    Listed("EncryptsObjects", "kms:Decrypt kms:GenerateDataKey", _KEYS),
    Listed("EncryptsEvents", "kms:GenerateDataKey", _KEYS),
    Listed("EncryptsRecords", "kms:GenerateDataKey", _KEYS),
    Listed("EntersCollection", "aoss:APIAccessAll", "there is no collection but in AWS"),
    Listed(
        "ReadsPassword",
        "secretsmanager:GetSecretValue",
        "the local stack signs in nowhere: tests/opensearch/test_client.py",
    ),
    Listed(
        "WritesObjects",
        "s3:AbortMultipartUpload",
        "Firehose: docs.aws.amazon.com/firehose/latest/dev/controlling-access.html",
    ),
    Listed(
        "LooksForBucketAndUploads",
        "s3:GetBucketLocation s3:ListBucket s3:ListBucketMultipartUploads",
        "Firehose: docs.aws.amazon.com/firehose/latest/dev/controlling-access.html",
    ),
    Listed("LogsErrors", "logs:PutLogEvents", "the emulator's Firehose logs no errors"),
    Listed(
        "SendsRecords",
        "kinesis:DescribeStream kinesis:PutRecord",
        "CloudFront: docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/real-time-logs.html",
    ),
    Listed("NamesRoleInFilters", "iam:PassRole", "the emulator does not ask who passes a role on"),
    Listed(
        "DeliversItsLog",
        "logs:CreateLogDelivery logs:GetLogDelivery logs:UpdateLogDelivery logs:DeleteLogDelivery "
        "logs:ListLogDeliveries logs:PutResourcePolicy logs:DescribeResourcePolicies "
        "logs:DescribeLogGroups",
        "Step Functions: docs.aws.amazon.com/step-functions/latest/dg/cw-logs.html",
    ),
    Listed(
        "FollowsChildren",
        "states:DescribeExecution states:StopExecution",
        "Step Functions: docs.aws.amazon.com/step-functions/latest/dg/iam-policies-eg-dist-map.html",
    ),
    Listed("StartsRuns", "states:StartExecution", "the emulator's Scheduler needs no role"),
    Listed(
        "PutsNamedQueries",
        "athena:UpdateNamedQuery",
        "the emulator has no such action: tests/lake/test_named_queries.py",
    ),
)
