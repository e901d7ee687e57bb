"""What is done in an account whose logs another one reads, tried without its rights."""

from __future__ import annotations

import uuid
from functools import partial

from local import emulated_aws
from tests.accounts import allow, new, policy
from tests.end_to_end.conftest import Running
from tests.end_to_end.trials import Account, Step
from tests.end_to_end.trials_of_log_groups import subscribing

SCENARIO = "MemberAccount"
STACK = "service-logs-member-of-a-trial"


class Member(Account):
    """The member account, with a stack for a bucket that was there before, and a log group.

    Its bucket's events go by an event bus: all that the template's roles can do is in one stack.
    """

    number = emulated_aws.MEMBER

    def __init__(self, running: Running) -> None:
        super().__init__(running)
        self.bucket = new("aws-waf-logs-of-a-trial")
        self.s3.create_bucket(Bucket=self.bucket)
        none = dict.fromkeys(
            ("LambdaLogGroupNames", "LambdaLogGroupPrefix", "StreamLogGroupNames"), '""'
        )
        given = none | {
            "LogBucketName": self.bucket,
            "ObjectsTargetArn": self.outputs["EventBusArn"],
            "RdsLogGroupNames": "/of-a-trial/group",
        }
        running.local.deployment.deploy_member(self.endpoint, self.outputs, given, STACK)

    def _found(self, scenario: str) -> dict[str, str]:
        return self.resources(STACK) if scenario == SCENARIO else {}


def of_configure_bucket(member: Member) -> list[Step]:
    """Say what the function does that has the bucket notify, and lets it be read."""
    about = {"BucketName": member.bucket}
    notify = {
        "ResourceType": "Custom::BucketNotification",
        "ResourceProperties": about | {"EventBridge": "true"},
    }
    objects, who = f"arn:aws:s3:::{member.bucket}/*", {"AWS": emulated_aws.ACCOUNT}
    reads = allow("s3:GetObject", objects, Principal=who)
    share = {
        "ResourceType": "Custom::BucketPolicy",
        "ResourceProperties": about | {"Statements": [reads | {"Sid": "Reads"}]},
        "PhysicalResourceId": "of-a-trial-before",
    }
    ask = partial(member.ask, SCENARIO, "ConfigureBucketFunction")

    def take_back() -> None:
        member.s3.delete_bucket_policy(Bucket=member.bucket)
        ask("Create", **share)
        ask("Delete", **share)

    return [
        Step("has the bucket notify", partial(ask, "Update", **notify)),
        Step("lets the bucket be read", partial(ask, "Update", **share)),
        Step("takes away the only statements that a bucket has", take_back),
    ]


def of_forward(member: Member, central: Account) -> list[Step]:
    """Say what EventBridge does by the role of the rule."""
    role = member.role(SCENARIO, "ForwardRole")
    sqs, queue = central.client("sqs"), central.outputs["QueueUrl"]

    def waiting() -> int:
        name = "ApproximateNumberOfMessages"
        answer = sqs.get_queue_attributes(QueueUrl=queue, AttributeNames=[name])
        return int(answer["Attributes"][name])

    def put() -> None:
        before = waiting()
        member.s3.put_object(Bucket=member.bucket, Key=uuid.uuid4().hex, Body=b"of a trial")
        member.wait_for(role, lambda: waiting() > before)

    return [Step("sends an event to another account", put)]


def of_subscription(member: Member, central: Account) -> list[Step]:
    """Say what CloudWatch Logs does by the role of a subscription, where it asks for one.

    It does so where a destination lets in an organization and does not name the account.
    """
    logs, name = central.client("logs"), new("of-a-trial")
    role = central.id("LogGroupsToStream", "DestinationRole")
    to = logs.put_destination(
        destinationName=name,
        targetArn=central.outputs["StreamArn"],
        roleArn=central.iam.get_role(RoleName=role)["Role"]["Arn"],
    )["destination"]["arn"]
    subscribes = allow(
        "logs:PutSubscriptionFilter",
        to,
        Principal="*",
        Condition={"StringNotEquals": {"aws:PrincipalOrgID": "o-another"}},
    )
    logs.put_destination_policy(destinationName=name, accessPolicy=policy(subscribes))
    by = member.iam.get_role(RoleName=member.id(SCENARIO, "SubscriptionRole"))["Role"]["Arn"]
    subscribe = subscribing(member, filterPattern="", destinationArn=to, roleArn=by)
    return [Step("sends to an organization's destination", subscribe)]
