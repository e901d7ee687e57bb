"""Destinations of CloudWatch Logs: how log groups of other accounts reach a stream of this one.

https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/CrossAccountSubscriptions.html
https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/CreateSubscriptionFilter-IAMrole.html

A destination's policy says who may subscribe, and it is asked again for each delivery. Its role is
taken for the recipient when it is made, and for the sender when events come. An account that the
policy names by its organization alone needs a role of its own.
"""

import gzip
import json
from collections.abc import Mapping
from typing import Any

from ministack.core import iam_evaluator
from ministack.core.responses import (
    get_account_id,
    get_region,
    request_scope,
)
from ministack.services import cloudwatch_logs, kinesis

from local.stand_ins import firehose, identities, roles
from local.stand_ins.identities import account_of

SERVICE = "logs.amazonaws.com"
ORGANIZATION = "aws:principalorgid"


class Refused(Exception):
    """What CloudWatch Logs does not accept."""


class Denied(Exception):
    """The sender, by a destination's policy or his own, may not subscribe to it."""


def require_subscriber(arn: str, action: str) -> None:
    """Refuse a caller whose own policies do not let him subscribe to a destination."""
    if not identities.caller_may(action, arn):
        raise Denied(f"{iam_evaluator.caller_arn()} may not {action} on {arn}")


def send(arn: str, action: str, role: str, source: str, key: str, data: bytes) -> None:
    """Put a record into a destination's stream on behalf of a log group of this account.

    `action` is what subscribed it, `role` the subscription's, if it has one.
    """
    destination = _found(arn)
    _require_allowed(destination, action, role, source)
    with request_scope(account_of(arn), arn.split(":")[3]):
        put_record(destination["targetArn"], destination["roleArn"], source, key, data)


def put_record(target: str, role: str, source: str, key: str, data: bytes) -> None:
    """Put a record into a stream of this account by a role of it, on behalf of `source`."""
    if ":firehose:" in target:
        roles.require(role, SERVICE, "firehose:PutRecord", target, source)
        taken = firehose.put(target, data)
    else:
        roles.require(role, SERVICE, "kinesis:PutRecord", target, source)
        taken = kinesis.put_record_internal(target, key, data)
    if not taken:
        raise Refused(
            f"Could not deliver test message to specified stream {target}. Check if it is in "
            "ACTIVE state."
        )


def compressed(envelope: Mapping[str, Any]) -> bytes:
    """Give an envelope as it is sent."""
    return gzip.compress(json.dumps(envelope, ensure_ascii=False).encode())


def control_message() -> dict[str, Any]:
    """Make the message that says nothing but that the destination is reached."""
    text = "CWL CONTROL MESSAGE: Checking health of destination"
    return {
        "messageType": "CONTROL_MESSAGE",
        "owner": "CloudwatchLogs",
        "logGroup": "",
        "logStream": "",
        "subscriptionFilters": [],
        "logEvents": [{"id": "", "timestamp": 1_795_162_400_000, "message": text}],
    }


def is_one(arn: str) -> bool:
    """Say whether an ARN is that of a destination."""
    return ":destination:" in arn


def _found(arn: str) -> dict[str, Any]:
    region, account, name = arn.split(":")[3], account_of(arn), arn.rpartition(":")[2]
    found: dict[str, Any] | None = cloudwatch_logs._destinations.get_scoped(account, region, name)
    if found is None or region != get_region():
        raise Refused(f"there is no destination {arn} in {get_region()}")
    return found


def _require_allowed(destination: Mapping[str, Any], action: str, role: str, group: str) -> None:
    policy = json.loads(destination["accessPolicy"] or "{}")
    if not _allows(policy, destination, action):
        raise Denied(
            f"User with accountId: {get_account_id()} is not authorized to perform: {action} on "
            f"resource: {destination['arn']}"
        )
    statements = [one for one in policy["Statement"] if ORGANIZATION not in str(one).lower()]
    if not _allows({"Statement": statements}, destination, action):
        roles.require(role, SERVICE, "logs:PutLogEvents", group, source_arn=group)


def _allows(policy: Any, destination: Mapping[str, Any], action: str) -> bool:
    account = get_account_id()
    asked = iam_evaluator.EvalContext(
        principal_arn=f"arn:aws:iam::{account}:root",
        principal_type="Account",
        principal_account=account,
        action=action,
        resource_arn=destination["arn"],
        region=get_region(),
    )
    return bool(iam_evaluator.evaluate_resource_policy(policy, asked).decision == "Allow")


def create(_logical_id: str, properties: Any, _stack: str) -> tuple[str, Any]:
    """Make an AWS::Logs::Destination, if its role lets a test message into its stream."""
    name, target, role = (properties[one] for one in ("DestinationName", "TargetArn", "RoleArn"))
    source = f"arn:aws:logs:{get_region()}:{get_account_id()}:*"
    try:
        put_record(target, role, source, "", compressed(control_message()))
    except (Refused, roles.NotAllowed) as error:
        raise ValueError(f"AWS::Logs::Destination: {error}") from error
    cloudwatch_logs._put_destination(
        {"destinationName": name, "targetArn": target, "roleArn": role}
    )
    destination = cloudwatch_logs._destinations[name]
    destination["accessPolicy"] = properties.get("DestinationPolicy", "")
    return name, {"Arn": destination["arn"]}


def update(physical_id: str, old: Any, properties: Any, stack: str, *_: Any) -> tuple[str, Any]:
    """Change one, in place unless it has another name."""
    if physical_id != properties["DestinationName"]:
        remove(physical_id, old)
    return create("", properties, stack)


def remove(physical_id: str, _properties: Any) -> None:
    """Remove one."""
    cloudwatch_logs._destinations.pop(physical_id, None)
