"""A member account's logs arrive, and nobody else's: two accounts in the emulator, IAM enforced.

Each test says in its docstring what shows its claim: the emulator, with the policies that were
deployed, or the template, where the emulator does not do as AWS does. That all counts of both
accounts are right, type by type, is shown by the demo's tests (tests/local/test_demo.py).

Root is held by no policy of its own account: whoever has to be held signs as a user or a role.

Not here: queues, topics, buses and roles that let in an organization, and keys of a member's bucket
(tests/templates/test_accounts.py asserts them on the templates; that the emulator evaluates such
policies as AWS does, tests/local/test_two_accounts.py). A role that was made anew, and that AWS
knows no more where a policy names it as a principal, is asserted on the template too: policies name
roles by aws:PrincipalArn.
"""

import gzip
import json
import time
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from opensearchpy import OpenSearch

from local import deploy, sample_logs
from local.emulated_aws import ACCOUNT, MEMBER, REGION
from local.lake import Lake
from local.stack import LocalStack, Stack
from local.witnesses import Witnesses
from tests.accounts import Account, allow, new, policy, refusal
from tests.end_to_end.aws_front import front_of

pytestmark = [pytest.mark.end_to_end, pytest.mark.timeout(600)]

SECONDS = 120
STRANGER = "777788889999"
RDS_GROUP, STREAM_GROUP = "/aws/rds/instance/shop/postgresql", "/vpc/shop/flow-logs"
RDS_MESSAGE = (
    "2026-11-20 08:14:55 UTC:10.0.1.7(41234):app@shop:[4242]:ERROR:  relation {!r} is none"
)
MOMENT = 1_795_162_495_000


@dataclass(frozen=True)
class Reader:
    """A function of the central account that reads log objects, and its queue."""

    function: str
    log_group: str
    queue: str
    dead_letters: str


class Accounts:
    """The two accounts whose logs are read, a stranger, and what became of what they sent."""

    def __init__(self, local: LocalStack, stack: Stack) -> None:
        self.local, self.stack = local, stack
        endpoint = stack.aws_endpoint
        self.central, self.member = Account(endpoint, ACCOUNT), Account(endpoint, MEMBER)
        self.stranger = Account(endpoint, STRANGER)
        self.bucket = stack.member["LogBucketName"]
        self.search = OpenSearch(stack.opensearch_endpoint, timeout=60)
        self.since = time.time()

    def documents(self, **terms: str) -> list[dict[str, Any]]:
        """Find documents by the values of fields, written with `__` for a dot."""
        filters = [{"term": {name.replace("__", "."): value}} for name, value in terms.items()]
        body = {"size": 1000, "query": {"bool": {"filter": filters}}}
        return [
            hit["_source"] for hit in self.search.search(index="aws-*", body=body)["hits"]["hits"]
        ]

    def places(self, **terms: str) -> set[tuple[str, str]]:
        """Say which account and Region the documents name."""
        return {
            (one["cloud"]["account_id"], one["cloud"]["region"]) for one in self.documents(**terms)
        }

    def announce(self, queue: str, message: dict[str, Any]) -> None:
        """Put a message into a queue, as one who may."""
        body = json.dumps({"Records": [message]} if "s3" in message else message)
        self.central.client("sqs").send_message(QueueUrl=queue, MessageBody=body)

    def said(self, reader: Reader) -> str:
        """Give all that a function logged since this began."""
        found = self.central.client("logs").filter_log_events(
            logGroupName=reader.log_group, startTime=int(self.since * 1000)
        )
        return "\n".join(one["message"] for one in found["events"])

    def errors(self) -> str:
        """Give what the indexing functions said of what failed since this began."""
        return "\n".join(Witnesses(self.stack, self.since).failures())

    def log(self, account: Account, group: str, *messages: str) -> None:
        """Put events into an account's log group."""
        logs, stream = account.client("logs"), new("stream")
        logs.create_log_stream(logGroupName=group, logStreamName=stream)
        events = [
            {"timestamp": MOMENT + number, "message": message}
            for number, message in enumerate(messages)
        ]
        logs.put_log_events(logGroupName=group, logStreamName=stream, logEvents=events)


@pytest.fixture(scope="module")
def accounts(local_stack: LocalStack, deployed: Stack) -> Iterator[Accounts]:
    """Leave no documents behind: the demo counts all that came by the ways that accounts share."""
    made = Accounts(local_stack, deployed)
    yield made
    began = datetime.fromtimestamp(made.since, UTC).isoformat()
    ours = {"query": {"range": {"event.ingested": {"gte": began}}}}
    made.search.delete_by_query(index="aws-*", body=ours, params={"refresh": "true"})


@pytest.fixture(params=["", "Stage"], ids=["index", "stage"])
def reader(accounts: Accounts, request: pytest.FixtureRequest) -> Iterator[Reader]:
    """Give each engine's function that reads from the log buckets.

    A message fails twice, not 16 times; the dead-letter queue is emptied afterwards.
    """
    outputs, sqs = accounts.stack.outputs, accounts.central.client("sqs")
    queue = {"QueueUrl": outputs[f"{request.param}QueueUrl"]}
    before = sqs.get_queue_attributes(**queue, AttributeNames=["RedrivePolicy"])["Attributes"]
    fewer = json.loads(before["RedrivePolicy"]) | {"maxReceiveCount": 2}
    sqs.set_queue_attributes(**queue, Attributes={"RedrivePolicy": json.dumps(fewer)})
    arn = sqs.get_queue_attributes(**queue, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    functions = accounts.central.client("lambda")
    (mapping,) = functions.list_event_source_mappings(EventSourceArn=arn)["EventSourceMappings"]
    function = functions.get_function_configuration(FunctionName=mapping["FunctionArn"])
    yield Reader(
        function["FunctionName"],
        function["LoggingConfig"]["LogGroup"],
        queue["QueueUrl"],
        outputs[f"{request.param}DeadLetterQueueUrl"],
    )
    sqs.set_queue_attributes(**queue, Attributes=before)
    sqs.purge_queue(**queue)
    sqs.purge_queue(QueueUrl=outputs[f"{request.param}DeadLetterQueueUrl"])


def wait_for[Found](what: Callable[[], Found], says: str) -> Found:
    """Wait until there is something, and return it."""
    give_up = time.monotonic() + SECONDS
    while not (found := what()):
        assert time.monotonic() < give_up, says
        time.sleep(0.2)
    return found


def key(name: str = "alb") -> str:
    """Name an object of a type as AWS does, of the member account's."""
    identity = uuid.uuid4().hex[:8]
    sample = next(one for one in sample_logs.objects(3, MEMBER) if one.format == name)
    start, _, ending = sample.key.partition(".log")
    return f"{start}_{identity}.log{ending}"


def alb(records: int = 20) -> bytes:
    text = sample_logs.generate("alb", records, seed=uuid.uuid4().int)
    return gzip.compress(text)


def flow(account: Account, interface: str) -> str:
    """Write a line of VPC flow logs."""
    where = f"2 {account.id} {interface} 10.0.1.5 203.0.113.9"
    return f"{where} 443 50123 6 10 840 1795162400 1795162460 ACCEPT OK"


def record(bucket: str, key: str, said_of: str) -> dict[str, Any]:
    """Write the record of a notification that says which account's it is."""
    return {
        "eventSource": "aws:s3",
        "eventName": "ObjectCreated:Put",
        "awsRegion": REGION,
        "s3": {
            "configurationId": f"service-logs-{said_of}-0123456789ab",
            "bucket": {"name": bucket},
            "object": {"key": key},
        },
    }


def opened_bucket(account: Account, name: str, central: Account) -> str:
    """Make a bucket that lets the central account read everything."""
    s3 = account.client("s3")
    s3.create_bucket(Bucket=name)
    both = [f"arn:aws:s3:::{name}", f"arn:aws:s3:::{name}/*"]
    opened = allow(["s3:GetObject", "s3:ListBucket"], both, Principal={"AWS": central.id})
    s3.put_bucket_policy(Bucket=name, Policy=policy(opened))
    return name


def forward(account: Account, events: Any, bus: str) -> None:
    """Send S3's events of an account, in the client's Region, to a bus."""
    role = account.role(new("forwards"), allow("events:PutEvents", bus))
    trust = {"Principal": {"Service": "events.amazonaws.com"}, "Action": "sts:AssumeRole"}
    account.client("iam").update_assume_role_policy(
        RoleName=role.rpartition("/")[2], PolicyDocument=policy({"Effect": "Allow", **trust})
    )
    events.put_rule(Name="forwards", EventPattern=json.dumps({"source": ["aws.s3"]}))
    target = {"Id": "bus", "Arn": bus, "RoleArn": role}
    events.put_targets(Rule="forwards", Targets=[target])


def dead_letters(accounts: Accounts, url: str) -> list[str]:
    found = accounts.central.client("sqs").receive_message(
        QueueUrl=url, MaxNumberOfMessages=10, VisibilityTimeout=0
    )
    return [one["Body"] for one in found.get("Messages", [])]


def test_a_members_objects_become_documents_with_its_account_and_its_region(
    accounts: Accounts,
) -> None:
    """Shown by the emulator: bucket → topic of another account → queue → function → bucket.

    What puts the object is a user of the member's, as the services that write logs are none.
    """
    may = allow("s3:PutObject", f"arn:aws:s3:::{accounts.bucket}/*")
    s3 = accounts.member.user(new("writes"), may).client("s3")
    named, nameless = key(), f"access/2026-11-20-08-15-00-{uuid.uuid4().hex[:16].upper()}"
    s3.put_object(Bucket=accounts.bucket, Key=named, Body=alb(20))
    access_log = sample_logs.generate("s3_access", 5, seed=uuid.uuid4().int)
    s3.put_object(Bucket=accounts.bucket, Key=nameless, Body=access_log)
    for name, count, region in ((named, 20, sample_logs.REGION), (nameless, 5, REGION)):
        source = {"log__source": f"s3://{accounts.bucket}/{name}"}
        wait_for(
            lambda: len(accounts.documents(**source)) == count,  # noqa: B023 - it ends before
            f"{name} is not indexed: {accounts.errors()}",
        )
        assert accounts.places(**source) == {(MEMBER, region)}


def test_a_members_objects_become_rows_in_partitions_of_its_account(
    accounts: Accounts, tmp_path: Path
) -> None:
    """Shown by the emulator: the staging function copies from the member's bucket."""
    name = key()
    s3 = accounts.member.client("s3")
    s3.put_object(Bucket=accounts.bucket, Key=name, Body=alb(20))
    lake = Lake(accounts.stack, tmp_path)
    source = f"s3://{accounts.bucket}/{name}"

    def staged() -> bool:
        return any(one["source"] == source for one in lake.objects()) or not any(
            Witnesses(accounts.stack, accounts.since).waiting().values()
        )

    wait_for(staged, "the object is not staged")
    assert lake.wait(lake.start()).status == "SUCCEEDED"
    lake.open()
    rows = lake.content("alb", source)
    assert len(rows) == 20
    assert {value for row in rows for value in row if value in (ACCOUNT, MEMBER)} == {MEMBER}


def test_a_members_log_group_reaches_the_index_through_firehose(accounts: Accounts) -> None:
    """Shown by the emulator with the local stand-in of CloudWatch Logs.

    It asks the destination's policy and the trust of its role, as AWS documents.
    """
    marker = uuid.uuid4().hex
    accounts.log(accounts.member, RDS_GROUP, RDS_MESSAGE.format(marker))

    def found() -> list[dict[str, Any]]:
        documents = accounts.documents(log__group=RDS_GROUP, cloud__account_id=MEMBER)
        return [one for one in documents if marker in str(one)]

    (document,) = wait_for(found, f"the event is not indexed: {accounts.errors()}")
    assert document["cloud"] == {"account_id": MEMBER, "region": REGION}


def test_a_members_log_groups_under_a_prefix_reach_the_index_when_made_later(
    accounts: Accounts,
) -> None:
    """Shown by the emulator with the stand-in of CloudWatch Logs: an account-level policy.

    A group that does not begin with the prefix is sent too, by AWS, and skipped here.
    """
    name = new("later")
    inside, outside = f"/aws/lambda/{name}", f"/elsewhere/{name}"
    for group in (inside, outside):
        accounts.member.client("logs").create_log_group(logGroupName=group)
        accounts.log(accounts.member, group, json.dumps({"level": "ERROR", "message": name}))
    wait_for(
        lambda: accounts.documents(log__group=inside),
        f"the event is not indexed: {accounts.errors()}",
    )
    assert accounts.places(log__group=inside) == {(MEMBER, REGION)}
    assert not accounts.documents(log__group=outside)


def test_a_members_log_group_reaches_the_index_through_the_stream(accounts: Accounts) -> None:
    """Shown by the emulator with the stand-in of CloudWatch Logs, as through Firehose."""
    interface = f"eni-{uuid.uuid4().hex[:17]}"
    accounts.log(accounts.member, STREAM_GROUP, flow(accounts.member, interface))
    wait_for(
        lambda: accounts.documents(interface_id=interface),
        f"the event is not indexed: {accounts.errors()}",
    )
    assert accounts.places(interface_id=interface) == {(MEMBER, REGION)}


def test_an_object_that_a_member_deleted_is_skipped(accounts: Accounts) -> None:
    """Shown by the emulator: the member's bucket lets the readers list, so S3 says 404, not 403."""
    name, since = key(), time.time()
    accounts.announce(accounts.stack.outputs["QueueUrl"], record(accounts.bucket, name, MEMBER))
    witnesses = Witnesses(accounts.stack, since)
    wait_for(lambda: witnesses.found().skipped, f"nothing is skipped: {witnesses.failures()}")


def test_a_members_bucket_lets_in_the_readers_alone(accounts: Accounts) -> None:
    """Shown by the emulator: another role of the central account, with all rights, is refused."""
    name = key()
    accounts.member.client("s3").put_object(Bucket=accounts.bucket, Key=name, Body=alb())
    role = accounts.central.role(new("curious"), allow("s3:*", "*"))
    for caller in (accounts.central.session(role), accounts.central, accounts.stranger):
        get = caller.client("s3").get_object
        assert refusal(get, Bucket=accounts.bucket, Key=name) == "AccessDenied"


def test_a_members_bucket_in_another_region_is_announced_by_the_bus_and_read_there(
    accounts: Accounts,
) -> None:
    """Shown by the emulator, which answers 301 to a request signed for another Region, as S3 does.

    What the member's stack makes in that Region is made by hand here: bucket policy, rule and role.
    """
    region, bucket = "eu-west-1", new("aws-waf-logs-elsewhere")
    member, bus = accounts.member, accounts.stack.outputs["EventBusArn"]
    s3, events = member.client("s3", region), member.client("events", region)
    s3.create_bucket(Bucket=bucket, CreateBucketConfiguration={"LocationConstraint": region})
    readers = accounts.stack.outputs["ReaderRoleArns"].split(",")
    lets_in = allow(
        ["s3:GetObject", "s3:ListBucket"],
        [f"arn:aws:s3:::{bucket}", f"arn:aws:s3:::{bucket}/*"],
        Principal={"AWS": ACCOUNT},
        Condition={"ArnEquals": {"aws:PrincipalArn": readers}},
    )
    s3.put_bucket_policy(Bucket=bucket, Policy=policy(lets_in))
    on = {"EventBridgeConfiguration": {}}
    s3.put_bucket_notification_configuration(Bucket=bucket, NotificationConfiguration=on)
    forward(member, events, bus)
    name = f"access/2026-11-20-08-15-00-{uuid.uuid4().hex[:16].upper()}"
    body = sample_logs.generate("s3_access", 5, seed=uuid.uuid4().int)
    s3.put_object(Bucket=bucket, Key=name, Body=body)
    source = {"log__source": f"s3://{bucket}/{name}"}
    wait_for(
        lambda: len(accounts.documents(**source)) == 5,
        f"the object is not indexed: {accounts.errors()}",
    )
    assert accounts.places(**source) == {(MEMBER, region)}


def test_a_stranger_announces_nothing(accounts: Accounts) -> None:
    """Shown by the emulator: the policies of topic and queue refuse its buckets, and itself."""
    outputs, sns = accounts.stack.outputs, accounts.stranger.client("sns")
    topic = outputs["ObjectsTargetArn"]
    queue = accounts.central.client("sqs").get_queue_attributes(
        QueueUrl=outputs["QueueUrl"], AttributeNames=["QueueArn"]
    )["Attributes"]["QueueArn"]
    bucket = opened_bucket(accounts.stranger, new("aws-waf-logs-stranger"), accounts.central)
    put = accounts.stranger.client("s3").put_bucket_notification_configuration
    for target in ({"TopicArn": topic}, {"QueueArn": queue}):
        configuration = [{**target, "Events": ["s3:ObjectCreated:*"]}]
        kind = "TopicConfigurations" if "TopicArn" in target else "QueueConfigurations"
        asked = {"Bucket": bucket, "NotificationConfiguration": {kind: configuration}}
        assert refusal(put, **asked) == "InvalidArgument"
    message = json.dumps({"Records": [record(bucket, key(), STRANGER)]})
    assert refusal(sns.publish, TopicArn=topic, Message=message) == "AuthorizationError"
    send = accounts.stranger.client("sqs").send_message
    asked = {"QueueUrl": outputs["QueueUrl"], "MessageBody": message}
    assert refusal(send, **asked) in ("AccessDenied", "AWS.SimpleQueueService.AccessDenied")


def test_a_strangers_events_do_not_pass_the_bus(accounts: Accounts) -> None:
    """Shown by the emulator, which asks the bus's policy as the stand-in in local/ has it do."""
    stranger, bus = accounts.stranger, accounts.stack.outputs["EventBusArn"]
    bucket = opened_bucket(stranger, new("aws-waf-logs-stranger"), accounts.central)
    s3, events = stranger.client("s3"), stranger.client("events")
    on = {"EventBridgeConfiguration": {}}
    s3.put_bucket_notification_configuration(Bucket=bucket, NotificationConfiguration=on)
    forward(stranger, events, bus)
    since, name = time.time(), key()
    s3.put_object(Bucket=bucket, Key=name, Body=alb())
    marker = key()
    accounts.member.client("s3").put_object(Bucket=accounts.bucket, Key=marker, Body=alb())
    wait_for(
        lambda: accounts.documents(log__source=f"s3://{accounts.bucket}/{marker}"),
        "what came after it is not indexed",
    )
    assert not accounts.documents(log__source=f"s3://{bucket}/{name}")
    assert bucket not in "\n".join(Witnesses(accounts.stack, since).failures())


def test_a_stranger_does_not_subscribe(accounts: Accounts) -> None:
    """Shown by the emulator with the stand-in of CloudWatch Logs."""
    logs, group = accounts.stranger.client("logs"), new("group")
    logs.create_log_group(logGroupName=group)
    for name in ("RdsDestinationArn", "LambdaDestinationArn", "StreamDestinationArn"):
        arn = accounts.stack.outputs[name]
        asked = {"logGroupName": group, "filterName": "f", "filterPattern": ""}
        put = logs.put_subscription_filter
        assert refusal(put, **asked, destinationArn=arn) == "AccessDeniedException"
        document = json.dumps({"DestinationArn": arn, "FilterPattern": ""})
        refused = refusal(
            logs.put_account_policy,
            policyName="p",
            policyType="SUBSCRIPTION_FILTER_POLICY",
            policyDocument=document,
        )
        assert refused == "AccessDeniedException"


def test_an_organizations_account_subscribes_by_a_role_of_its_own(accounts: Accounts) -> None:
    """Shown by the emulator with the stand-in of CloudWatch Logs: a stack for an organization."""
    organizations = accounts.central.client("organizations")
    organization = organizations.describe_organization()["Organization"]["Id"]
    made = organizations.create_account(Email="inside@example.com", AccountName="inside")
    inside = Account(accounts.stack.aws_endpoint, made["CreateAccountStatus"]["AccountId"])
    endpoint, outputs = accounts.stack.aws_endpoint, accounts.stack.outputs
    parameters = {
        "StreamArn": outputs["StreamArn"],
        "OrganizationId": organization,
        "AwsEndpointUrl": endpoint,
    }
    deployment = accounts.local.deployment
    destination = deployment.deploy_alone(
        endpoint, "LogGroupsToStream", "organization-groups", parameters
    )["DestinationArn"]
    role = inside.role(new("sends"), allow("logs:PutLogEvents", f"arn:aws:logs:*:{inside.id}:*"))
    trust = {"Principal": {"Service": "logs.amazonaws.com"}, "Action": "sts:AssumeRole"}
    inside.client("iam").update_assume_role_policy(
        RoleName=role.rpartition("/")[2], PolicyDocument=policy({"Effect": "Allow", **trust})
    )
    asked = {"logGroupName": STREAM_GROUP, "filterName": "f", "filterPattern": ""}
    for account in (inside, accounts.stranger):
        account.client("logs").create_log_group(logGroupName=STREAM_GROUP)
    put = accounts.stranger.client("logs").put_subscription_filter
    assert refusal(put, **asked, destinationArn=destination) == "AccessDeniedException"
    inside.client("logs").put_subscription_filter(
        **asked, destinationArn=destination, roleArn=role, emitSystemFields=["@aws.region"]
    )
    interface = f"eni-{uuid.uuid4().hex[:17]}"
    accounts.log(inside, STREAM_GROUP, flow(inside, interface))
    wait_for(
        lambda: accounts.documents(interface_id=interface),
        f"the event is not indexed: {accounts.errors()}",
    )
    assert accounts.places(interface_id=interface) == {(inside.id, REGION)}


@pytest.mark.parametrize(
    ("reader", "way"),
    [("", "notification"), ("", "event"), ("", "own message"), ("Stage", "notification")],
    indirect=["reader"],
)
def test_a_message_that_names_a_strangers_bucket_is_a_dead_letter_and_no_call(
    accounts: Accounts, reader: Reader, way: str
) -> None:
    """Shown by the emulator: of what the function asks, nothing goes to the bucket.

    The message is put there by the central account's root; a stranger could not.
    """
    bucket = opened_bucket(accounts.stranger, new("aws-waf-logs-stranger"), accounts.central)
    name = key()
    accounts.stranger.client("s3").put_object(Bucket=bucket, Key=name, Body=alb())
    message = {
        "notification": record(bucket, name, STRANGER),
        "event": {
            "source": "aws.s3",
            "detail-type": "Object Created",
            "account": STRANGER,
            "region": REGION,
            "detail": {"bucket": {"name": bucket}, "object": {"key": name}},
        },
        "own message": {"bucket": bucket, "key": name, "from": 1, "account": STRANGER},
    }[way]
    with front_of(accounts.stack.aws_endpoint, reader.function) as front:
        accounts.announce(reader.queue, message)
        (letter,) = wait_for(
            lambda: dead_letters(accounts, reader.dead_letters), "there is no dead letter"
        )
    assert bucket in letter
    assert front.asked
    assert not [one for one in front.asked if bucket in one]
    why = f"s3://{bucket}/{name} is not read: its bucket is said to be account {STRANGER}'s"
    assert why in accounts.said(reader)
    assert not accounts.documents(log__source=f"s3://{bucket}/{name}")


def test_a_bucket_that_was_deleted_and_taken_by_somebody_else_feeds_nothing(
    accounts: Accounts, reader: Reader
) -> None:
    """Shown by the emulator, which refuses an owner who is not the expected one as S3 does.

    The bucket's name is one that is read, its policy lets the readers in, and the message says that
    it is the member's, as it was. The functions' roles would be refused too, by the account of the
    resource: here they may do everything.
    """
    bucket, name = new("aws-waf-logs-taken"), key()
    accounts.member.client("s3").create_bucket(Bucket=bucket)
    accounts.member.client("s3").delete_bucket(Bucket=bucket)
    opened_bucket(accounts.stranger, bucket, accounts.central)
    accounts.stranger.client("s3").put_object(Bucket=bucket, Key=name, Body=alb())
    functions, iam = accounts.central.client("lambda"), accounts.central.client("iam")
    role = functions.get_function_configuration(FunctionName=reader.function)["Role"]
    everything = {"RoleName": role.rpartition("/")[2], "PolicyName": "everything"}
    iam.put_role_policy(**everything, PolicyDocument=policy(allow("s3:*", "*")))
    try:
        with front_of(accounts.stack.aws_endpoint, reader.function) as front:
            accounts.announce(reader.queue, record(bucket, name, MEMBER))
            wait_for(
                lambda: f"its bucket must be account {MEMBER}'s" in accounts.said(reader),
                f"nothing is said: {accounts.said(reader)}",
            )
    finally:
        iam.delete_role_policy(**everything)
    assert [one for one in front.asked if bucket in one]
    assert not accounts.documents(log__source=f"s3://{bucket}/{name}")


def test_a_bucket_that_exists_keeps_what_it_has_and_is_announced_by_the_bus(
    accounts: Accounts,
) -> None:
    """Shown by the emulator: a second stack of the member's, for a bucket that is there already."""
    s3, bucket = accounts.member.client("s3"), new("aws-waf-logs-existing")
    s3.create_bucket(Bucket=bucket)
    theirs = allow("s3:GetObject", f"arn:aws:s3:::{bucket}/*", Principal={"AWS": STRANGER})
    s3.put_bucket_policy(Bucket=bucket, Policy=policy({"Sid": "Theirs", **theirs}))
    topic = accounts.member.client("sns").create_topic(Name=new("theirs"))["TopicArn"]
    publishes = allow("sns:Publish", topic, Principal={"Service": "s3.amazonaws.com"})
    accounts.member.client("sns").set_topic_attributes(
        TopicArn=topic, AttributeName="Policy", AttributeValue=policy(publishes)
    )
    configured = [{"Id": "theirs", "TopicArn": topic, "Events": ["s3:ObjectCreated:*"]}]
    s3.put_bucket_notification_configuration(
        Bucket=bucket, NotificationConfiguration={"TopicConfigurations": configured}
    )
    none = dict.fromkeys(
        ("RdsLogGroupNames", "LambdaLogGroupNames", "LambdaLogGroupPrefix", "StreamLogGroupNames"),
        '""',
    )
    central = accounts.stack.outputs
    accounts.local.deployment.deploy_member(
        accounts.stack.aws_endpoint,
        central,
        none | {"LogBucketName": bucket, "ObjectsTargetArn": central["EventBusArn"]},
        "service-logs-existing",
    )
    name = key()
    s3.put_object(Bucket=bucket, Key=name, Body=alb(20))
    source = f"s3://{bucket}/{name}"
    wait_for(
        lambda: len(accounts.documents(log__source=source)) == 20,
        f"the object is not indexed: {accounts.errors()}",
    )
    kept = s3.get_bucket_notification_configuration(Bucket=bucket)
    assert kept["TopicConfigurations"][0]["Id"] == "theirs"
    written = json.loads(s3.get_bucket_policy(Bucket=bucket)["Policy"])
    assert "Theirs" in {one["Sid"] for one in written["Statement"]}
    stacks = deploy.client("cloudformation", accounts.stack.aws_endpoint, MEMBER)
    stacks.delete_stack(StackName="service-logs-existing")
    stacks.get_waiter("stack_delete_complete").wait(
        StackName="service-logs-existing", WaiterConfig={"Delay": 1, "MaxAttempts": SECONDS}
    )
    written = json.loads(s3.get_bucket_policy(Bucket=bucket)["Policy"])
    assert {one["Sid"] for one in written["Statement"]} == {"Theirs"}
