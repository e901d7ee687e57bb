"""What no trial shows to be used, and why it is needed all the same.

Each names statements by their ids, and of their actions those that nothing asks for in the
emulator.
"""

from typing import NamedTuple


class Listed(NamedTuple):
    """Actions of statements with these ids."""

    sids: str
    actions: str
    because: str

    @property
    def rights(self) -> set[tuple[str, str]]:
        """Give each id with each action."""
        return {(sid, action) for sid in self.sids.split() for action in self.actions.split()}


_KEYS = "the emulator's services ask no key: AWS's do, where one is given"
_MAPPING = "Lambda itself asks for it, and refuses a mapping without it"
_MISSING = "without it S3 answers 403 and not 404 where there is no object; the emulator always 404"
_UPLOADS = "ends an upload in parts that failed: only files of many megabytes have parts"
_FIREHOSE = "Firehose: its page on access to S3 destinations asks for it"
_COLLECTION = "there is no collection but in AWS"
_TIERS = "the embedded engine has no tiers: tests/opensearch/test_tiers.py"
_NETWORK = "Lambda connects a function to subnets: there are none in the emulator"

LISTED = (
    Listed(
        "WritesItsLog",
        "logs:CreateLogStream logs:PutLogEvents",
        "the emulator's Lambda writes logs without a role",
    ),
    Listed(
        "SendsTraces",
        "xray:PutTraceSegments xray:PutTelemetryRecords",
        "Lambda sends traces, where they are switched on: the emulator none",
    ),
    Listed(
        "LetsLambdaConnectSubnets",
        "ec2:CreateNetworkInterface ec2:DeleteNetworkInterface ec2:AssignPrivateIpAddresses "
        "ec2:UnassignPrivateIpAddresses",
        _NETWORK,
    ),
    Listed(
        "LetsLambdaLookAtSubnets", "ec2:DescribeNetworkInterfaces ec2:DescribeSubnets", _NETWORK
    ),
    Listed(
        "WorksOffItsQueue",
        "sqs:ReceiveMessage sqs:DeleteMessage sqs:GetQueueAttributes",
        _MAPPING,
    ),
    Listed(
        "WorksOffItsQueue",
        "sqs:SendMessage",
        "what is left when the time is over: tests/opensearch/test_index_objects.py",
    ),
    Listed("ReadsStream", "kinesis:DescribeStreamSummary kinesis:ListShards", _MAPPING),
    Listed("DistinguishesDeletedFromForbidden", "s3:ListBucket", _MISSING),
    Listed(
        "StagesObjects WritesFiles MergesFiles PutsObjectsIntoQuarantine",
        "s3:AbortMultipartUpload",
        _UPLOADS,
    ),
    Listed(
        "UsesCustomerKey EncryptsObjects EncryptsItsExecutions DecryptsItsEnvironment "
        "DecryptsSchedules DecryptsPassword DecryptsMasterUsersPassword",
        "kms:Decrypt",
        _KEYS,
    ),
    Listed(
        "UsesCustomerKey EncryptsObjects EncryptsItsExecutions EncryptsItsLog EncryptsEvents "
        "EncryptsRecords EncryptsDashboards",
        "kms:GenerateDataKey",
        _KEYS,
    ),
    Listed("ReadsMembersLogObjects", "s3:ListBucket", _MISSING),
    Listed(
        "ReadsOrganizationsLogObjects",
        "s3:GetObject s3:ListBucket",
        "the same for an organization's: tests/templates/test_accounts.py",
    ),
    Listed(
        "ListsOrganizationsObjects",
        "s3:ListBucket",
        "the same for an organization's: tests/templates/test_accounts.py",
    ),
    Listed("DecryptsMembersLogObjects", "kms:Decrypt", _KEYS),
    Listed("EntersCollection", "aoss:APIAccessAll", _COLLECTION),
    Listed("AsksForTheCollectionsType", "aoss:BatchGetCollection", _COLLECTION),
    Listed("MakesIndexesOfPastDays", "es:ESHttpPut", _TIERS),
    Listed("PutsTiers", "es:ESHttpGet es:ESHttpPut", _TIERS),
    Listed("ListsColdIndexes", "es:ESHttpGet", _TIERS),
    Listed("DeletesColdIndexes", "es:ESHttpDelete", _TIERS),
    Listed(
        "ReadsPassword",
        "secretsmanager:GetSecretValue",
        "the local stack signs in nowhere: tests/opensearch/test_client.py",
    ),
    Listed(
        "SignsInAsMasterUser",
        "secretsmanager:GetSecretValue",
        "no more does its set-up: tests/functions/test_set_up_opensearch.py",
    ),
    Listed(
        "WritesObjects",
        "s3:AbortMultipartUpload",
        _FIREHOSE,
    ),
    Listed(
        "LooksForBucketAndUploads",
        "s3:GetBucketLocation s3:ListBucket s3:ListBucketMultipartUploads",
        _FIREHOSE,
    ),
    Listed("LogsErrors", "logs:PutLogEvents", "the emulator's Firehose logs no errors"),
    Listed(
        "SendsRecords",
        "kinesis:DescribeStream kinesis:PutRecord",
        "CloudFront asks for all four: docs/log-types/cloudfront_realtime.md",
    ),
    Listed("NamesRoleInFilters", "iam:PassRole", "the emulator does not ask who passes a role on"),
    Listed(
        "DeliversItsLog",
        "logs:CreateLogDelivery logs:GetLogDelivery logs:UpdateLogDelivery logs:DeleteLogDelivery "
        "logs:ListLogDeliveries logs:PutResourcePolicy logs:DescribeResourcePolicies "
        "logs:DescribeLogGroups",
        "Step Functions: its page on logs in CloudWatch Logs",
    ),
    Listed(
        "FollowsChildren",
        "states:DescribeExecution states:StopExecution",
        "Step Functions: its page on policies of a Distributed Map",
    ),
    Listed("StartsRuns", "states:StartExecution", "the emulator's Scheduler needs no role"),
)
