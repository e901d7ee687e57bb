"""Log groups of another account reach a stream through a destination, as its policy says."""

import gzip
import json
from typing import Any

import pytest
from botocore.exceptions import WaiterError

from local import emulated_aws
from tests.accounts import Account, Caller, allow, deploy, new, policy, refusal

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("two accounts")]

REGION = emulated_aws.REGION
PUT_FILTER, PUT_POLICY = "logs:PutSubscriptionFilter", "logs:PutAccountPolicy"
EVENT = {"timestamp": 1_795_162_495_123, "message": "order stored"}


class Destination:
    """A destination of the central account in front of a stream, and who may subscribe to it."""

    def __init__(self, central: Account, senders: list[Account]) -> None:
        self.central, self.name = central, new("destination")
        self.kinesis, self.stream = central.client("kinesis"), new("stream")
        self.kinesis.create_stream(StreamName=self.stream, ShardCount=1)
        self.kinesis.get_waiter("stream_exists").wait(StreamName=self.stream)
        self.arn = f"arn:aws:logs:{REGION}:{central.id}:destination:{self.name}"
        stream = f"arn:aws:kinesis:{REGION}:{central.id}:stream/{self.stream}"
        self.role = central.role(new("sends"), allow("kinesis:PutRecord", stream))
        self.trust(*senders)
        self.properties = {
            "DestinationName": self.name,
            "TargetArn": stream,
            "RoleArn": self.role,
            "DestinationPolicy": policy(self.lets_in(*senders)),
        }

    def trust(self, *senders: Account) -> None:
        """Let CloudWatch Logs take the role for this account, and for these."""
        logs = {"Principal": {"Service": "logs.amazonaws.com"}, "Action": "sts:AssumeRole"}
        groups = [f"arn:aws:logs:{REGION}:{one.id}:*" for one in (self.central, *senders)]
        condition = {"Condition": {"StringLike": {"aws:SourceArn": groups}}}
        self.central.client("iam").update_assume_role_policy(
            RoleName=self.role.rpartition("/")[2],
            PolicyDocument=policy({"Effect": "Allow", **logs, **condition}),
        )

    def lets_in(self, *senders: Account, action: str = PUT_FILTER) -> dict[str, Any]:
        """Let accounts subscribe."""
        return allow(action, self.arn, Principal={"AWS": [one.id for one in senders]})

    def let_in(self, *statements: dict[str, Any]) -> None:
        """Change the policy."""
        self.central.client("logs").put_destination_policy(
            destinationName=self.name, accessPolicy=policy(*statements)
        )

    def received(self) -> list[dict[str, Any]]:
        """Read the messages in the stream that say more than that it is reached."""
        shard = self.kinesis.list_shards(StreamName=self.stream)["Shards"][0]["ShardId"]
        place = {"StreamName": self.stream, "ShardId": shard}
        first = self.kinesis.get_shard_iterator(**place, ShardIteratorType="TRIM_HORIZON")
        records = self.kinesis.get_records(ShardIterator=first["ShardIterator"])["Records"]
        found = [json.loads(gzip.decompress(one["Data"])) for one in records]
        return [one for one in found if one["messageType"] == "DATA_MESSAGE"]


@pytest.fixture
def destination(central: Account, member: Account) -> Destination:
    made = Destination(central, [member])
    deploy(central, "AWS::Logs::Destination", made.properties)
    return made


@pytest.fixture
def group(member: Account) -> str:
    return made_group(member)


def made_group(account: Account) -> str:
    name = new("group")
    logs = account.client("logs")
    logs.create_log_group(logGroupName=name)
    logs.create_log_stream(logGroupName=name, logStreamName="stream")
    return name


def log(account: Account, group: str) -> None:
    logs = account.client("logs")
    logs.put_log_events(logGroupName=group, logStreamName="stream", logEvents=[EVENT])


def subscription(destination: Destination, group: str, **more: str) -> dict[str, str]:
    found = {"logGroupName": group, "filterName": "ours", "filterPattern": ""}
    return found | {"destinationArn": destination.arn} | more


def subscriber(account: Account, *resources: str) -> Caller:
    return account.user(new("user"), allow([PUT_FILTER, PUT_POLICY], list(resources)))


def test_a_members_events_arrive_with_its_account(
    destination: Destination, member: Account, group: str
) -> None:
    logs = subscriber(member, f"arn:aws:logs:*:{member.id}:*", destination.arn).client("logs")
    logs.put_subscription_filter(**subscription(destination, group))
    log(member, group)
    (message,) = destination.received()
    assert (message["owner"], message["logGroup"]) == (member.id, group)
    assert message["logEvents"][0]["message"] == EVENT["message"]


def test_who_subscribes_needs_the_right_on_the_destination_too(
    destination: Destination, member: Account, group: str
) -> None:
    logs = subscriber(member, f"arn:aws:logs:*:{member.id}:*").client("logs")
    asked = subscription(destination, group)
    assert refusal(logs.put_subscription_filter, **asked) == "AccessDeniedException"


def test_an_account_that_is_not_listed_does_not_subscribe(
    destination: Destination, stranger: Account
) -> None:
    asked = subscription(destination, made_group(stranger))
    put = stranger.client("logs").put_subscription_filter
    assert refusal(put, **asked) == "AccessDeniedException"


def test_an_account_that_is_listed_no_more_sends_no_more(
    destination: Destination, member: Account, stranger: Account, group: str
) -> None:
    member.client("logs").put_subscription_filter(**subscription(destination, group))
    destination.let_in(destination.lets_in(stranger))
    log(member, group)
    assert not destination.received()


def test_the_destinations_role_has_to_be_taken_for_the_sender(
    destination: Destination, member: Account, group: str
) -> None:
    destination.trust()
    put = member.client("logs").put_subscription_filter
    assert refusal(put, **subscription(destination, group)) == "InvalidParameterException"


def test_a_destination_whose_role_does_not_let_a_message_through_is_not_made(
    central: Account, member: Account
) -> None:
    made = Destination(central, [member])
    role = central.role(new("no-trust"), allow("kinesis:PutRecord", "*"))
    with pytest.raises(WaiterError):
        deploy(central, "AWS::Logs::Destination", made.properties | {"RoleArn": role})


def test_another_regions_log_groups_do_not_reach_it(
    destination: Destination, member: Account
) -> None:
    logs = member.client("logs", region="eu-west-1")
    name = new("group")
    logs.create_log_group(logGroupName=name)
    asked = subscription(destination, name)
    assert refusal(logs.put_subscription_filter, **asked) == "InvalidParameterException"


def test_an_account_level_policy_needs_a_right_of_its_own(
    destination: Destination, member: Account, group: str
) -> None:
    logs = member.client("logs")
    document = json.dumps({"DestinationArn": destination.arn, "FilterPattern": ""})
    asked = {
        "policyName": "ours",
        "policyType": "SUBSCRIPTION_FILTER_POLICY",
        "policyDocument": document,
    }
    assert refusal(logs.put_account_policy, **asked) == "AccessDeniedException"
    destination.let_in(destination.lets_in(member, action=PUT_POLICY))
    logs.put_account_policy(**asked)
    try:
        log(member, group)
        (message,) = destination.received()
        assert (message["owner"], message["policyLevel"]) == (member.id, "ACCOUNT_LEVEL_POLICY")
    finally:
        logs.delete_account_policy(policyName="ours", policyType="SUBSCRIPTION_FILTER_POLICY")


def test_an_account_let_in_by_its_organization_needs_a_role(
    central: Account, stranger: Account
) -> None:
    organizations = central.client("organizations")
    found = organizations.describe_organization()["Organization"]["Id"]
    made = organizations.create_account(Email="m@example.com", AccountName="m")
    inside = Account(central.endpoint, made["CreateAccountStatus"]["AccountId"])
    destination = Destination(central, [inside, stranger])
    in_organization = {"StringEquals": {"aws:PrincipalOrgID": found}}
    opened = allow(PUT_FILTER, destination.arn, Principal="*", Condition=in_organization)
    properties = destination.properties | {"DestinationPolicy": policy(opened)}
    deploy(central, "AWS::Logs::Destination", properties)
    group = made_group(inside)
    put = inside.client("logs").put_subscription_filter
    asked = subscription(destination, group)
    assert refusal(put, **asked) == "InvalidParameterException"
    role = inside.role(new("role"), allow("logs:PutLogEvents", f"arn:aws:logs:*:{inside.id}:*"))
    service = {"Principal": {"Service": "logs.amazonaws.com"}, "Action": "sts:AssumeRole"}
    inside.client("iam").update_assume_role_policy(
        RoleName=role.rpartition("/")[2], PolicyDocument=policy({"Effect": "Allow", **service})
    )
    put(**asked, roleArn=role)
    log(inside, group)
    assert [one["owner"] for one in destination.received()] == [inside.id]
    outside = subscription(destination, made_group(stranger))
    put = stranger.client("logs").put_subscription_filter
    assert refusal(put, **outside) == "AccessDeniedException"
