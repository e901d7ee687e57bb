"""What brings log events, and notifications of objects, tried without its rights."""

from __future__ import annotations

import time
import uuid
from collections.abc import Callable
from functools import partial
from typing import Any

from tests.end_to_end.trials import Account, NotDone, Step


def of_configure_bucket(account: Account) -> list[Step]:
    """Say what the function does that has the bucket notify."""
    request = {
        "ResourceType": "Custom::BucketNotification",
        "ResourceProperties": {
            "BucketName": account.outputs["LogBucketName"],
            "TopicArn": account.id("LogBucket", "ObjectTopic"),
        },
    }
    configure = partial(account.ask, "LogBucket", "ConfigureBucketFunction", "Update")
    return [Step("configures the bucket", partial(configure, **request))]


def of_subscribe(account: Account, scenario: str) -> list[Step]:
    """Say what the function does that subscribes log groups."""
    logs = account.client("logs")
    subscribed, left, full = (f"/of-a-trial/{uuid.uuid4().hex}" for _ in range(3))
    for group in (subscribed, left, full):
        logs.create_log_group(logGroupName=group)
    for name in ("one", "another"):
        logs.put_subscription_filter(
            logGroupName=full, filterName=name, **_destination(account, scenario)
        )
    ask = partial(account.ask, scenario, "SubscribeFunction", "Update")

    def properties(*groups: str) -> dict[str, Any]:
        where = _destination(account, scenario)
        return {
            "LogGroupNames": groups,
            "DestinationArn": where["destinationArn"],
            "RoleArn": where["roleArn"],
            "EmitSystemFields": [],
            "OwnLogGroups": [],
            "OwnPrefix": "none of them/",
        }

    def name_what_is_in_the_way() -> None:
        try:
            ask(ResourceProperties=properties(full))
        except NotDone as refused:
            if "takes no other subscription filter" not in str(refused):
                raise

    change = {
        "ResourceProperties": properties(subscribed),
        "OldResourceProperties": properties(subscribed, left),
    }
    return [
        Step("subscribes a log group, and no longer another", partial(ask, **change)),
        Step("names what is in the way of a filter", name_what_is_in_the_way),
    ]


def of_subscription(account: Account, scenario: str) -> list[Step]:
    """Say what CloudWatch Logs does by the role of a subscription."""
    return [Step("takes a test message", subscribing(account, **_destination(account, scenario)))]


def of_firehose(account: Account, scenario: str) -> list[Step]:
    """Say what Firehose does by its role."""
    logs, group = account.client("logs"), f"/of-a-trial/{uuid.uuid4().hex}"
    role = account.role(scenario, "FirehoseRole")
    where = {
        "Bucket": account.outputs["LogBucketName"],
        "Prefix": f"firehose/{'rds' if scenario == 'RdsToS3' else 'lambda'}/",
    }
    stream = {"logGroupName": group, "logStreamName": "stream"}
    logs.create_log_group(logGroupName=group)
    logs.create_log_stream(**stream)
    logs.put_subscription_filter(
        logGroupName=group, filterName="one", **_destination(account, scenario)
    )

    def deliver() -> None:
        before = account.s3.list_objects_v2(**where)["KeyCount"]
        event = {"timestamp": int(time.time() * 1000), "message": "of a trial"}
        logs.put_log_events(**stream, logEvents=[event])
        account.wait_for(role, lambda: account.s3.list_objects_v2(**where)["KeyCount"] > before)

    return [Step("writes an object", deliver)]


def of_destination(account: Account, scenario: str, member: Account) -> list[Step]:
    """Say what CloudWatch Logs does for another account by the role of a destination."""
    kind = "Stream" if scenario == "LogGroupsToStream" else scenario.removesuffix("ToS3")
    to = account.outputs[f"{kind}DestinationArn"]
    subscribe = subscribing(member, filterPattern="", destinationArn=to)
    return [Step("takes a test message of another account", subscribe)]


def subscribing(account: Account, **where: str) -> Callable[[], None]:
    """Give what subscribes a new log group, which fails where a role may not send on."""
    logs, group = account.client("logs"), f"/of-a-trial/{uuid.uuid4().hex}"
    logs.create_log_group(logGroupName=group)

    def subscribe() -> None:
        try:
            logs.put_subscription_filter(logGroupName=group, filterName="one", **where)
        except logs.exceptions.InvalidParameterException as refused:
            raise NotDone(refused) from refused

    return subscribe


def _destination(account: Account, scenario: str) -> dict[str, str]:
    """Say where a scenario has log events sent, and by which role."""
    role = account.iam.get_role(RoleName=account.id(scenario, "SubscriptionRole"))["Role"]["Arn"]
    if scenario == "LogGroupsToStream":
        to = account.outputs["StreamArn"]
    elif scenario == "MemberAccount":
        to = account.outputs["RdsDestinationArn"]
    else:
        name = account.id(scenario, "DeliveryStream")
        described = account.client("firehose").describe_delivery_stream(DeliveryStreamName=name)
        to = described["DeliveryStreamDescription"]["DeliveryStreamARN"]
    return {"filterPattern": "", "destinationArn": to, "roleArn": role}
