"""The emulated AWS holds two accounts apart, and lets them meet, as AWS does."""

import json
import time
from typing import Any

import pytest
from botocore.exceptions import ClientError

from local import emulated_aws
from servicelogs.sources import bucket_notifications
from servicelogs.sources.event_notifications import read_notification
from tests.accounts import Account, Caller, allow, deploy, new, policy, refusal
from tests.templates.expansion import decide

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("two accounts")]

KEY = "logs/one.gz"
REGION = emulated_aws.REGION
READS = ["s3:GetObject", "s3:ListBucket"]
SECONDS = 10


@pytest.fixture
def reader(central: Account) -> str:
    """Make a central role that may read all that its bucket lets it."""
    return central.role(new("reader"), allow(["s3:*", "kms:Decrypt"], "*"), path="/logs/")


@pytest.fixture
def bucket(member: Account) -> str:
    """Make a bucket of the member's with one object."""
    s3, name = member.client("s3"), new("bucket")
    s3.create_bucket(Bucket=name)
    s3.put_object(Bucket=name, Key=KEY, Body=b"records")
    return name


def let(member: Account, bucket: str, account: Account, role: str, actions: list[str]) -> None:
    """Let a role of another account do something to a bucket, as the member's template does."""
    both = [f"arn:aws:s3:::{bucket}", f"arn:aws:s3:::{bucket}/*"]
    statement = allow(
        actions,
        both,
        Principal={"AWS": f"arn:aws:iam::{account.id}:root"},
        Condition={"ArnEquals": {"aws:PrincipalArn": [role]}},
    )
    member.client("s3").put_bucket_policy(Bucket=bucket, Policy=policy(statement))


def read(caller: Caller, bucket: str, key: str = KEY, **more: str) -> bytes:
    return bytes(caller.client("s3").get_object(Bucket=bucket, Key=key, **more)["Body"].read())


def test_a_bucket_lets_in_the_role_that_it_names_and_no_other(
    central: Account, member: Account, bucket: str, reader: str
) -> None:
    other = central.role(new("other"), allow("s3:*", "*"))
    let(member, bucket, central, reader, READS)
    assert read(central.session(reader), bucket) == b"records"
    assert refusal(read, caller=central.session(other), bucket=bucket) == "AccessDenied"
    assert refusal(read, caller=central, bucket=bucket) == "AccessDenied"


def test_a_denial_of_all_roles_but_one_spares_that_one(
    central: Account, member: Account, bucket: str, reader: str
) -> None:
    everything = [f"arn:aws:s3:::{bucket}", f"arn:aws:s3:::{bucket}/*"]
    account = {"AWS": central.id}
    but_one = {"ArnNotEquals": {"aws:PrincipalArn": reader}}
    deny = {"Effect": "Deny", "Action": "s3:*", "Resource": everything, "Condition": but_one}
    member.client("s3").put_bucket_policy(
        Bucket=bucket,
        Policy=policy(allow(READS, everything, Principal=account), deny | {"Principal": account}),
    )
    other = central.role(new("other"), allow("s3:*", "*"))
    assert read(central.session(reader), bucket) == b"records"
    assert refusal(read, caller=central.session(other), bucket=bucket) == "AccessDenied"


def test_a_role_that_may_read_buckets_of_an_account_reads_no_other_accounts(
    central: Account, member: Account, stranger: Account, bucket: str
) -> None:
    def role(account: Account) -> str:
        condition = {"StringEquals": {"aws:ResourceAccount": account.id}}
        return central.role(new("reader"), allow(READS, "*", Condition=condition))

    of_member, of_stranger = role(member), role(stranger)
    everything = [f"arn:aws:s3:::{bucket}", f"arn:aws:s3:::{bucket}/*"]
    open_to = allow(READS, everything, Principal={"AWS": central.id})
    member.client("s3").put_bucket_policy(Bucket=bucket, Policy=policy(open_to))
    assert read(central.session(of_member), bucket) == b"records"
    assert refusal(read, caller=central.session(of_stranger), bucket=bucket) == "AccessDenied"


def test_an_expected_owner_who_is_not_the_owner_is_refused(
    central: Account, member: Account, bucket: str, reader: str
) -> None:
    let(member, bucket, central, reader, READS)
    session = central.session(reader)
    assert read(session, bucket, ExpectedBucketOwner=member.id) == b"records"
    wrong = {"ExpectedBucketOwner": central.id}
    assert refusal(read, caller=session, bucket=bucket, **wrong) == "AccessDenied"
    assert refusal(read, caller=member, bucket=bucket, **wrong) == "AccessDenied"


def test_a_copy_reads_another_accounts_bucket_and_asks_whose_it_is(
    central: Account, member: Account, bucket: str, reader: str
) -> None:
    let(member, bucket, central, reader, READS)
    own = new("staging")
    central.client("s3").create_bucket(Bucket=own)
    s3 = central.session(reader).client("s3")
    copy = {"Bucket": own, "Key": "copy", "CopySource": {"Bucket": bucket, "Key": KEY}}
    s3.copy_object(**copy, ExpectedSourceBucketOwner=member.id, ExpectedBucketOwner=central.id)
    assert read(central, own, "copy") == b"records"
    for wrong in ({"ExpectedSourceBucketOwner": central.id}, {"ExpectedBucketOwner": member.id}):
        assert refusal(s3.copy_object, **copy, **wrong) == "AccessDenied"
    upload = s3.create_multipart_upload(Bucket=own, Key="parts")["UploadId"]
    parts = {"UploadId": upload, "PartNumber": 1}
    s3.upload_part_copy(**copy | {"Key": "parts"}, **parts, ExpectedSourceBucketOwner=member.id)


def test_a_missing_object_is_missing_to_those_who_may_list_alone(
    central: Account, member: Account, bucket: str, reader: str
) -> None:
    session = central.session(reader)
    let(member, bucket, central, reader, ["s3:GetObject"])
    assert refusal(read, caller=session, bucket=bucket, key="logs/none") == "AccessDenied"
    let(member, bucket, central, reader, READS)
    assert refusal(read, caller=session, bucket=bucket, key="logs/none") == "NoSuchKey"
    limited = {"StringLike": {"s3:prefix": "logs/*"}}
    lists = allow("s3:ListBucket", f"arn:aws:s3:::{bucket}", Condition=limited)
    user = member.user(new("user"), allow("s3:GetObject", f"arn:aws:s3:::{bucket}/*"), lists)
    assert refusal(read, caller=user, bucket=bucket, key="logs/none") == "NoSuchKey"
    assert refusal(read, caller=user, bucket=bucket, key="none") == "AccessDenied"
    assert refusal(read, caller=member, bucket=new("none")) == "NoSuchBucket"


def test_an_object_encrypted_with_another_accounts_key_is_read_if_the_key_lets_us(
    central: Account, member: Account, bucket: str, reader: str
) -> None:
    let(member, bucket, central, reader, READS)
    owner = allow("kms:*", "*", Principal={"AWS": member.id})
    kms = member.client("kms")
    key = kms.create_key(Policy=policy(owner))["KeyMetadata"]["Arn"]
    member.client("s3").put_object(
        Bucket=bucket, Key=KEY, Body=b"secret", ServerSideEncryption="aws:kms", SSEKMSKeyId=key
    )
    session = central.session(reader)
    assert refusal(read, caller=session, bucket=bucket) == "AccessDenied"
    through_s3 = {"StringEquals": {"kms:ViaService": f"s3.{REGION}.amazonaws.com"}}
    decrypts = allow("kms:Decrypt", "*", Principal={"AWS": central.id}, Condition=through_s3)
    kms.put_key_policy(KeyId=key, PolicyName="default", Policy=policy(owner, decrypts))
    assert read(session, bucket) == b"secret"
    without = central.role(new("reader"), allow("s3:*", "*"))
    let(member, bucket, central, without, READS)
    assert refusal(read, caller=central.session(without), bucket=bucket) == "AccessDenied"


def test_a_key_of_another_account_needs_its_own_policy_and_the_callers(
    central: Account, member: Account
) -> None:
    may = central.role(new("may"), allow("kms:GenerateDataKey", "*"))
    may_not = central.role(new("may-not"), allow("s3:*", "*"))
    owner = allow("kms:*", "*", Principal={"AWS": member.id})
    named = allow("kms:GenerateDataKey", "*", Principal={"AWS": [may, may_not]})
    kms = member.client("kms")
    key = kms.create_key(Policy=policy(owner, named))["KeyMetadata"]["Arn"]
    asked = {"KeyId": key, "KeySpec": "AES_256"}
    assert central.session(may).client("kms").generate_data_key(**asked)["KeyId"] == key
    generate = central.session(may_not).client("kms").generate_data_key
    assert refusal(generate, **asked) == "AccessDeniedException"
    kms.put_key_policy(KeyId=key, PolicyName="default", Policy=policy(owner))
    generate = central.session(may).client("kms").generate_data_key
    assert refusal(generate, **asked) == "AccessDeniedException"


def queue(account: Account, *statements: dict[str, Any]) -> tuple[str, str]:
    """Make a queue with a policy; give its URL and its ARN."""
    sqs = account.client("sqs")
    url = sqs.create_queue(QueueName=new("queue"))["QueueUrl"]
    arn = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"][
        "QueueArn"
    ]
    written = policy(*({**one, "Resource": arn} for one in statements))
    sqs.set_queue_attributes(QueueUrl=url, Attributes={"Policy": written})
    return url, arn


def messages(account: Account, url: str, seconds: float) -> list[Any]:
    """Wait for messages."""
    sqs, give_up = account.client("sqs"), time.monotonic() + seconds
    while time.monotonic() < give_up:
        if found := sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10).get("Messages"):
            return [json.loads(one["Body"]) for one in found]
        time.sleep(0.1)
    return []


def target_of_events(
    account: Account, bus: str, source: dict[str, Any], target: dict[str, str]
) -> str:
    """Make a rule of a bus with one target; give its ARN."""
    events, name = account.client("events"), new("rule")
    arn = events.put_rule(Name=name, EventBusName=bus, EventPattern=json.dumps(source))["RuleArn"]
    events.put_targets(Rule=name, EventBusName=bus, Targets=[{"Id": "one", **target}])
    return str(arn)


def test_events_of_a_bucket_cross_to_another_accounts_bus_that_lets_its_account_in(
    central: Account, member: Account, stranger: Account
) -> None:
    bus = new("bus")
    arn = f"arn:aws:events:{REGION}:{central.id}:event-bus/{bus}"
    lets_in = allow("events:PutEvents", arn, Principal={"AWS": member.id})
    deploy(central, "AWS::Events::EventBus", {"Name": bus, "Policy": {"Statement": [lets_in]}})
    sends = allow("sqs:SendMessage", "*", Principal={"Service": "events.amazonaws.com"})
    url, queue_arn = queue(central, sends)
    created = {"source": ["aws.s3"], "detail-type": ["Object Created"]}
    target_of_events(central, bus, created, {"Arn": queue_arn})
    buckets = {}
    for account in (stranger, member):
        s3, iam = account.client("s3"), account.client("iam")
        buckets[account.id] = new("bucket")
        s3.create_bucket(Bucket=buckets[account.id])
        s3.put_bucket_notification_configuration(
            Bucket=buckets[account.id],
            NotificationConfiguration={"EventBridgeConfiguration": {}},
        )
        role = account.role(new("events"), allow("events:PutEvents", arn))
        trust = {"Effect": "Allow", "Action": "sts:AssumeRole"}
        service = {"Principal": {"Service": "events.amazonaws.com"}}
        iam.update_assume_role_policy(
            RoleName=role.rpartition("/")[2], PolicyDocument=policy(trust | service)
        )
        target_of_events(account, "default", created, {"Arn": arn, "RoleArn": role})
        s3.put_object(Bucket=buckets[account.id], Key=KEY, Body=b"records")
    (event,) = messages(central, url, SECONDS)
    assert event["account"] == member.id
    assert event["detail"]["bucket"]["name"] == buckets[member.id]
    assert not messages(central, url, 0.5)


def test_a_queue_whose_policy_does_not_name_the_rule_gets_no_event(central: Account) -> None:
    condition = {"ArnEquals": {"aws:SourceArn": f"arn:aws:events:{REGION}:{central.id}:rule/no"}}
    service = {"Principal": {"Service": "events.amazonaws.com"}}
    sends = allow("sqs:SendMessage", "*", **service)
    with_condition, without = (
        queue(central, sends | {"Condition": condition}),
        queue(central, sends),
    )
    for _, arn in (with_condition, without):
        target_of_events(central, "default", {"source": ["ours"]}, {"Arn": arn})
    central.client("events").put_events(
        Entries=[{"Source": "ours", "DetailType": "test", "Detail": "{}"}]
    )
    assert messages(central, without[0], SECONDS)
    assert not messages(central, with_condition[0], 0.5)


def test_an_organizations_accounts_are_known_by_its_id(central: Account, bucket: str) -> None:
    organizations = central.client("organizations")
    found = organizations.describe_organization()["Organization"]["Id"]
    made = organizations.create_account(Email="m@example.com", AccountName="m")
    inside = Account(central.endpoint, made["CreateAccountStatus"]["AccountId"])
    s3, name = inside.client("s3"), new("bucket")
    s3.create_bucket(Bucket=name)
    s3.put_object(Bucket=name, Key=KEY, Body=b"records")
    in_organization = {"StringEquals": {"aws:PrincipalOrgID": found}}
    opened = allow(READS, f"arn:aws:s3:::{name}/*", Principal="*", Condition=in_organization)
    s3.put_bucket_policy(Bucket=name, Policy=policy(opened))
    condition = {"StringEquals": {"aws:ResourceOrgID": found}}
    role = central.role(new("reader"), allow(READS, "*", Condition=condition))
    assert read(central.session(role), name) == b"records"
    assert refusal(read, caller=central.session(role), bucket=bucket) == "AccessDenied"


def announced_to(arn: str, account: Account, monkeypatch: pytest.MonkeyPatch, bucket: str) -> None:
    """Have a bucket announce its objects as the account's own deployment does."""
    s3 = account.client("s3")
    properties = {"BucketName": bucket, "QueueArn": arn, "Prefix": "logs/"}
    asked = {"RequestType": "Create", "ResourceProperties": properties}
    with monkeypatch.context() as patched:
        patched.setattr("boto3.client", lambda _service: s3)
        patched.setattr(bucket_notifications, "POLICY_DELAYS", ())
        bucket_notifications.carry_out(asked, f"service-logs-{account.id}-0123456789ab")


def test_the_queue_of_a_deployment_hears_the_buckets_that_it_names_of_members_alone(
    central: Account, member: Account, stranger: Account, monkeypatch: pytest.MonkeyPatch
) -> None:
    resources = decide(
        "scenarios/s3_to_opensearch.yaml",
        LogBucketName="ours",
        OpenSearchEndpoint="http://127.0.0.1",
        MemberAccountIds=member.id,
        MemberBucketNames="member-logs-*",
        TlsOnly="false",
    )
    document = resources["ObjectQueuePolicy"]["Properties"]["PolicyDocument"]
    url, arn = queue(central, *(s | {"Resource": "*"} for s in document["Statement"]))
    buckets = {
        "named": (member, new("member-logs")),
        "not named": (member, new("other-logs")),
        "a stranger's": (stranger, new("member-logs")),
    }
    for account, name in buckets.values():
        account.client("s3").create_bucket(Bucket=name)
    for account, name in [buckets["not named"], buckets["a stranger's"]]:
        with pytest.raises(ClientError, match="Unable to validate"):
            announced_to(arn, account, monkeypatch, name)
    _, named = buckets["named"]
    announced_to(arn, member, monkeypatch, named)
    (test_event,) = messages(central, url, SECONDS)
    assert (test_event["Event"], test_event["Bucket"]) == ("s3:TestEvent", named)
    member.client("s3").put_object(Bucket=named, Key="logs/a.gz", Body=b"records")
    (body,) = messages(central, url, SECONDS)
    (found,) = read_notification(json.dumps(body)).objects
    assert (found.bucket, found.key, found.account_id) == (named, "logs/a.gz", member.id)
