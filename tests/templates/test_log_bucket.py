"""The log bucket accepts what AWS services deliver, each as AWS documents it, and nobody else."""

import re

import pytest

from servicelogs import formats
from tests.templates.expansion import ROOT, as_list, decide, of_type, read

ACCOUNT = "111122223333"
BUCKET = "${LogBucket.Arn}"

# Who writes: rights on objects and on the bucket, the ARN that names the source, and whether AWS
# documents (or we can only hope) that the condition keys for account and ARN are sent.
# https://docs.aws.amazon.com/elasticloadbalancing/latest/application/enable-access-logging.html
# https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/AWS-logs-infrastructure-V2-S3.html
# https://docs.aws.amazon.com/awscloudtrail/latest/userguide/create-s3-bucket-policy-for-cloudtrail.html
# https://docs.aws.amazon.com/config/latest/developerguide/s3-bucket-policy.html
# https://docs.aws.amazon.com/AmazonS3/latest/userguide/enable-server-access-logging.html
ELB = "logdelivery.elasticloadbalancing.amazonaws.com"
VENDED = "delivery.logs.amazonaws.com"
TRAIL = "cloudtrail.amazonaws.com"
CONFIG = "config.amazonaws.com"
S3 = "logging.s3.amazonaws.com"
SOURCES = {
    ELB: f"arn:aws:elasticloadbalancing:eu-west-1:{ACCOUNT}:loadbalancer/*",
    VENDED: f"arn:aws:logs:*:{ACCOUNT}:*",
    TRAIL: f"arn:aws:cloudtrail:*:{ACCOUNT}:trail/*",
    CONFIG: f"arn:aws:config:*:{ACCOUNT}:*",
    S3: "arn:aws:s3:::*",
}
BUCKET_RIGHTS = {
    VENDED: {"s3:GetBucketAcl", "s3:ListBucket"},
    TRAIL: {"s3:GetBucketAcl"},
    CONFIG: {"s3:GetBucketAcl", "s3:ListBucket"},
}
FULL_CONTROL = {VENDED, TRAIL, CONFIG}
CHECKED_BY_ACCOUNT = {VENDED, CONFIG, S3}
CHECKED_BY_ARN = {VENDED, TRAIL, S3}
# These services refuse, without a word, a bucket encrypted with a customer key.
SSE_S3_ONLY = {ELB, S3}

# Whether a type may have a customer key, and AWS's reason. One that may is also named in the rule
# CustomerKey of scenarios/log_bucket.yaml and of template.yaml.
VENDED_KEYS = "deliveries to S3: a customer managed key whose policy lets delivery.logs use it"
MAY_HAVE_A_CUSTOMER_KEY = {
    "cloudfront": VENDED_KEYS,
    "cloudfront_realtime": "no service writes it to a bucket",
    "cloudtrail": "encrypting log files with KMS keys: cloudtrail may generate data keys",
    "config": "the delivery channel's bucket may have a key that config may use",
    "lambda": "Firehose writes them, with its role, under the key that it is given",
    "nlb": "access logs of Network Load Balancers: SSE-S3, or SSE-KMS with a customer managed key",
    "rds": "Firehose writes them, with its role, under the key that it is given",
    "tgw_flow": VENDED_KEYS,
    "vpc_flow": VENDED_KEYS,
    "waf": VENDED_KEYS,
}
DELIVERED = [name for name in formats.NAMES if formats.get(name).service_principal]
"""The types that a service writes to the bucket."""
BALANCERS_SSE_S3 = "the only encryption that is supported is with S3 managed keys (SSE-S3)"
MAY_NOT_HAVE_A_CUSTOMER_KEY = {
    "alb": BALANCERS_SSE_S3,
    "alb_connection": BALANCERS_SSE_S3,
    "alb_health_check": BALANCERS_SSE_S3,
    "clb": BALANCERS_SSE_S3,
    "s3_access": "default encryption of the destination bucket must be SSE-S3",
}


def log_bucket(**parameters):
    return decide("scenarios/log_bucket.yaml", **parameters)


def engine(name, **parameters):
    return decide(
        f"scenarios/{name}.yaml",
        **{"LogBucketName": "logs", "OpenSearchEndpoint": "https://search.example", **parameters},
    )


every_engine = pytest.mark.parametrize("name", ["s3_to_opensearch", "s3_to_light_engine"])


def policy(**parameters):
    document = log_bucket(**parameters)["LogBucketPolicy"]["Properties"]["PolicyDocument"]
    return document["Statement"]


def allowed(principal, on_bucket):
    """Return the one statement that lets a service at objects, or at the bucket."""
    found = [
        s
        for s in policy()
        if s["Principal"] == {"Service": principal}
        and (s["Resource"] == {"Fn::GetAtt": ["LogBucket", "Arn"]}) == on_bucket
    ]
    assert len(found) == 1
    return found[0]


@pytest.mark.parametrize("principal", SOURCES)
def test_a_service_may_put_objects_for_this_account_alone(principal):
    statement = allowed(principal, on_bucket=False)
    assert statement["Action"] == "s3:PutObject"
    assert statement["Resource"].startswith(f"{BUCKET}/")
    conditions = statement["Condition"]
    by_account = "StringEquals" if principal in CHECKED_BY_ACCOUNT else "StringEqualsIfExists"
    by_arn = "ArnLike" if principal in CHECKED_BY_ARN else "ArnLikeIfExists"
    assert conditions[by_account]["aws:SourceAccount"] == ACCOUNT
    assert conditions[by_arn]["aws:SourceArn"] == SOURCES[principal]
    full_control = conditions.get("StringEquals", {}).get("s3:x-amz-acl")
    assert full_control == ("bucket-owner-full-control" if principal in FULL_CONTROL else None)


@pytest.mark.parametrize("principal", BUCKET_RIGHTS)
def test_a_service_that_looks_at_the_bucket_first_may_and_only_for_this_account(principal):
    statement = allowed(principal, on_bucket=True)
    assert set(as_list(statement["Action"])) == BUCKET_RIGHTS[principal]
    keys = {key: value for test in statement["Condition"].values() for key, value in test.items()}
    assert keys == {"aws:SourceAccount": ACCOUNT, "aws:SourceArn": SOURCES[principal]}


def test_where_a_service_sends_no_documented_condition_its_keys_must_hold_our_account():
    for principal in set(SOURCES) - (CHECKED_BY_ACCOUNT & CHECKED_BY_ARN):
        if principal not in CHECKED_BY_ACCOUNT | CHECKED_BY_ARN:
            resource = allowed(principal, on_bucket=False)["Resource"]
            assert resource.endswith(f"AWSLogs/{ACCOUNT}/*")


@pytest.mark.parametrize(
    ("parameters", "begins"),
    [
        ({}, ""),
        ({"LogBucketPrefix": "logs/"}, "logs/"),
        ({"LogBucketPrefix": "logs/", "LoadBalancerPrefix": "web/"}, "logs/web/"),
        ({"LoadBalancerPrefix": "balancers/*/"}, "balancers/*/"),
    ],
)
def test_load_balancers_of_other_accounts_find_no_path_that_is_left_open(parameters, begins):
    """Their prefix could else hold our account's folder: no other key is sure to be sent."""
    (statement,) = [s for s in policy(**parameters) if s["Principal"] == {"Service": ELB}]
    assert statement["Resource"] == f"{BUCKET}/{begins}AWSLogs/{ACCOUNT}/*"


@pytest.mark.parametrize(
    ("value", "is_one"),
    [
        ("", True),
        ("balancers/", True),
        ("balancers/*/", True),
        ("*", False),
        ("*/", False),
        ("/balancers/", False),
        ("balancers", False),
    ],
)
def test_what_stands_before_the_folder_of_load_balancers_begins_with_no_wildcard(value, is_one):
    for name in ("template.yaml", "scenarios/log_bucket.yaml"):
        pattern = read(name)["Parameters"]["LoadBalancerPrefix"]["AllowedPattern"]
        assert bool(re.fullmatch(pattern, value)) == is_one


def test_nobody_else_is_let_in():
    principals = [s["Principal"]["Service"] for s in policy() if s["Effect"] == "Allow"]
    assert set(principals) == set(SOURCES)


@pytest.mark.parametrize("name", DELIVERED)
def test_the_service_that_delivers_a_log_type_may_write(name):
    principal = formats.get(name).service_principal
    if not principal:  # they come through CloudWatch Logs, and our own role writes them
        return
    assert principal in SOURCES, "give the new service a statement in scenarios/log_bucket.yaml"
    allowed(principal, on_bucket=False)


@pytest.mark.parametrize("name", DELIVERED)
def test_the_page_on_the_log_bucket_says_what_a_log_type_needs(name):
    rows = [
        line
        for line in (ROOT / "docs/log-bucket.md").read_text().splitlines()
        if f"`{name}`" in line
    ]
    writer = formats.get(name).service_principal or "Firehose"
    row = [r for r in rows if r.startswith("| `") and writer in r]
    assert row, f"name `{name}` in the row of its service in the first table of docs/log-bucket.md"
    encryption = "SSE-S3 only" if name in MAY_NOT_HAVE_A_CUSTOMER_KEY else "or a customer key"
    assert all(encryption in r for r in row), f"the row says not: {encryption}"


def test_whether_a_log_type_may_have_a_customer_key_is_decided_for_each() -> None:
    assert not MAY_HAVE_A_CUSTOMER_KEY.keys() & MAY_NOT_HAVE_A_CUSTOMER_KEY.keys()
    decided = MAY_HAVE_A_CUSTOMER_KEY.keys() | MAY_NOT_HAVE_A_CUSTOMER_KEY.keys()
    assert decided == set(formats.NAMES), (
        "look up in AWS's documentation whether it is delivered to a bucket with a customer key, "
        "and put it into one of the two lists of this file with the reason"
    )


def test_a_customer_key_is_refused_while_a_type_among_log_types_needs_sse_s3():
    rule = read("scenarios/log_bucket.yaml")["Rules"]["CustomerKey"]
    (assertion,) = rule["Assertions"]
    log_types, takes_key = assertion["Assert"]["Fn::EachMemberIn"]
    assert log_types == {"Ref": "LogTypes"}
    assert set(takes_key) == MAY_HAVE_A_CUSTOMER_KEY.keys(), "the list in the rule CustomerKey"
    for name in formats.NAMES:
        assert (formats.get(name).service_principal not in SSE_S3_ONLY) == (name in takes_key), name
    # Said by default, and it stands for types that do need SSE-S3.
    assert "all" not in takes_key
    for name in takes_key:
        assert name in assertion["AssertDescription"], f"{name} in the rule's AssertDescription"


def test_the_bucket_is_encrypted_with_s3s_keys_or_with_the_customers():
    def encryption(**parameters):
        bucket = log_bucket(**parameters)["LogBucket"]["Properties"]["BucketEncryption"]
        (rule,) = bucket["ServerSideEncryptionConfiguration"]
        return rule["ServerSideEncryptionByDefault"]

    key = "arn:aws:kms:eu-west-1:111122223333:key/1"
    assert encryption() == {"SSEAlgorithm": "AES256"}
    assert encryption(KmsKeyArn=key) == {"SSEAlgorithm": "aws:kms", "KMSMasterKeyID": key}


def test_requests_without_tls_are_refused_unless_an_emulator_is_said_to_need_them():
    (denied,) = [s for s in policy() if s["Effect"] == "Deny"]
    assert denied["Condition"] == {"Bool": {"aws:SecureTransport": "false"}}
    assert len(denied["Resource"]) == 2
    assert not [s for s in policy(TlsOnly="false") if s["Effect"] == "Deny"]


def test_waf_can_deliver_because_the_bucket_is_named_as_it_wants():
    name = log_bucket()["LogBucket"]["Properties"]["BucketName"]
    assert name == f"aws-waf-logs-{ACCOUNT}-0123456789ab"


def test_acls_are_off_unless_cloudfronts_legacy_logs_need_them():
    def ownership(**parameters):
        (rule,) = log_bucket(**parameters)["LogBucket"]["Properties"]["OwnershipControls"]["Rules"]
        return rule["ObjectOwnership"]

    assert ownership() == "BucketOwnerEnforced"
    assert ownership(ObjectOwnership="BucketOwnerPreferred") == "BucketOwnerPreferred"


def test_an_existing_bucket_is_left_as_it_is_but_for_the_notification():
    resources = log_bucket(LogBucketName="theirs", ObjectEvents="SNS")
    assert not of_type(resources, "AWS::S3::Bucket")
    assert not of_type(resources, "AWS::S3::BucketPolicy")
    assert resources["TopicNotification"]["Properties"]["BucketName"] == "theirs"


def notifications(resources):
    return of_type(resources, "Custom::BucketNotification")


@every_engine
@pytest.mark.parametrize("events", ["SQS", "SNS", "EventBridge"])
def test_exactly_one_resource_of_a_deployment_edits_the_buckets_notifications(events, name):
    asked = "arn:aws:lambda:eu-west-1:111122223333:function:configure"
    topic = "arn:aws:sns:eu-west-1:111122223333:topic"
    parts = engine(name, ObjectEvents=events, ConfigureBucketArn=asked, TopicArn=topic)
    assert len(notifications(log_bucket(ObjectEvents=events)) | notifications(parts)) == 1


@every_engine
def test_sqs_has_the_bucket_tell_the_queue_once_the_queue_lets_it(name):
    resources = engine(name, ObjectEvents="SQS", ConfigureBucketArn="arn:aws:lambda:r:1:function:f")
    notification = resources["QueueNotification"]
    assert notification["DependsOn"] == "ObjectQueuePolicy"
    assert notification["Properties"]["QueueArn"] == {"Fn::GetAtt": ["ObjectQueue", "Arn"]}
    sender = sender_of(resources)
    assert sender["Principal"] == {"Service": "s3.amazonaws.com"}
    assert sender["Condition"] == {
        "StringEquals": {"aws:SourceAccount": ACCOUNT},
        "ArnLike": {"aws:SourceArn": "arn:aws:s3:::logs"},
    }
    assert "TopicSubscription" not in resources
    assert "ObjectRule" not in resources


@every_engine
def test_sns_has_the_bucket_tell_a_topic_and_the_queue_hear_it(name):
    bucket_side = log_bucket(ObjectEvents="SNS")
    assert bucket_side["TopicNotification"]["DependsOn"] == "ObjectTopicPolicy"
    assert bucket_side["TopicNotification"]["Properties"]["TopicArn"] == {"Ref": "ObjectTopic"}
    resources = engine(
        name, ObjectEvents="SNS", TopicArn="arn:aws:sns:eu-west-1:111122223333:topic"
    )
    subscription = resources["TopicSubscription"]["Properties"]
    assert subscription["Protocol"] == "sqs"
    assert subscription["Endpoint"] == {"Fn::GetAtt": ["ObjectQueue", "Arn"]}
    sender = sender_of(resources)
    assert sender["Principal"] == {"Service": "sns.amazonaws.com"}
    assert sender["Condition"]["ArnLike"]["aws:SourceArn"] == subscription["TopicArn"]


@every_engine
def test_eventbridge_has_a_rule_for_the_prefix_tell_the_queue(name):
    bucket_side = log_bucket(ObjectEvents="EventBridge")
    assert bucket_side["EventBridgeNotification"]["Properties"]["EventBridge"] is True
    resources = engine(name, ObjectEvents="EventBridge", LogBucketPrefix="logs/")
    rule = resources["ObjectRule"]["Properties"]
    assert rule["EventPattern"]["detail"] == {
        "bucket": {"name": ["logs"]},
        "object": {"key": [{"prefix": "logs/"}]},
    }
    assert (
        "object"
        not in engine(name, ObjectEvents="EventBridge")["ObjectRule"]["Properties"]["EventPattern"][
            "detail"
        ]
    )
    sender = sender_of(resources)
    assert sender["Principal"] == {"Service": "events.amazonaws.com"}
    assert sender["Condition"]["ArnLike"]["aws:SourceArn"] == {"Fn::GetAtt": ["ObjectRule", "Arn"]}


def sender_of(resources):
    """Return the one statement that lets somebody send to the queue."""
    statements = resources["ObjectQueuePolicy"]["Properties"]["PolicyDocument"]["Statement"]
    (sender,) = [s for s in statements if s["Effect"] == "Allow"]
    assert sender["Action"] == "sqs:SendMessage"
    return sender
