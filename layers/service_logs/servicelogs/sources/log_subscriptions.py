"""One subscription filter of ours on each log group that a deployment reads."""

import time
from collections.abc import Iterable, Mapping
from typing import Any

import boto3
from botocore.exceptions import ClientError

from servicelogs.errors import ConfigurationError, RefusedSubscription

# CloudWatch Logs sends a test message before it accepts a filter; a new role works after a while.
ROLE_DELAYS = (5, 10, 15, 20)


def carry_out(event: Mapping[str, Any], filter_name: str) -> str:
    """Put our filter on each log group, and take it from those that are not named any more.

    The filter has the same name in all groups, so that a change replaces it in place: a new one
    beside the old would be refused by a group that has as many as it may.
    """
    logs = boto3.client("logs")
    properties = event["ResourceProperties"]
    if ending := properties.get("FilterNameEnding"):
        # Of several resources that one function carries out, each has a filter of its own.
        filter_name = f"{filter_name}-{ending}"
    groups = _groups(properties)
    if event["RequestType"] == "Delete":
        unsubscribe(logs, groups, filter_name)
        return filter_name
    _refuse_own(groups, properties)
    for group in groups:
        subscribe(logs, group, filter_name, properties)
    before = _groups(event.get("OldResourceProperties", {}))
    unsubscribe(logs, (group for group in before if group not in groups), filter_name)
    return filter_name


def subscribe(logs: Any, group: str, filter_name: str, properties: Mapping[str, Any]) -> None:
    """Put our filter on a log group, in place of the one with its name."""
    request = {
        "logGroupName": group,
        "filterName": filter_name,
        "filterPattern": properties.get("FilterPattern", ""),
        "destinationArn": properties["DestinationArn"],
        "roleArn": properties["RoleArn"],
        "emitSystemFields": properties["EmitSystemFields"],
    }
    if "Distribution" in properties:
        request["distribution"] = properties["Distribution"]
    for seconds in (*ROLE_DELAYS, None):
        try:
            logs.put_subscription_filter(**request)
        except ClientError as error:
            match error.response["Error"]["Code"]:
                case "LimitExceededException":
                    raise RefusedSubscription(_all_taken(logs, group)) from error
                case "ResourceNotFoundException":
                    raise ConfigurationError(
                        f"log group {group!r} does not exist: create it, or leave it out"
                    ) from error
                case "InvalidParameterException" if seconds is not None:
                    time.sleep(seconds)
                case _:
                    raise
        else:
            return


def unsubscribe(logs: Any, groups: Iterable[str], filter_name: str) -> None:
    """Take our filter from log groups; one without it, or gone itself, is as it should be."""
    for group in groups:
        try:
            logs.delete_subscription_filter(logGroupName=group, filterName=filter_name)
        except logs.exceptions.ResourceNotFoundException:
            continue


def _refuse_own(groups: Iterable[str], properties: Mapping[str, Any]) -> None:
    """Refuse what the deployment itself logs: reading it would make it log more, without end."""
    own, prefix = set(properties["OwnLogGroups"]), properties["OwnPrefix"]
    for group in groups:
        if group in own or group.startswith(prefix):
            raise ConfigurationError(
                f"log group {group!r} belongs to this deployment, which would read what it logs "
                "about reading, without end: leave it out"
            )


def _all_taken(logs: Any, group: str) -> str:
    """Say which filters a log group has that takes no other."""
    filters = logs.describe_subscription_filters(logGroupName=group)["subscriptionFilters"]
    named = ", ".join(f"{one['filterName']!r} (to {one['destinationArn']})" for one in filters)
    return (
        f"log group {group!r} takes no other subscription filter beside {named}: remove one of "
        "them, or leave the log group out"
    )


def _groups(properties: Mapping[str, Any]) -> list[str]:
    """Read the names of log groups, each once."""
    return list(dict.fromkeys(filter(None, properties.get("LogGroupNames", []))))
