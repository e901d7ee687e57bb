"""One notification of ours among those of a bucket."""

import time
from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import quote, unquote_plus

import boto3
from botocore.exceptions import ClientError

from servicelogs.errors import ConfigurationError, OverlappingNotification

EVENT = "s3:ObjectCreated:*"
# InvalidArgument: S3 may not send to the queue or topic, whose policy it does not see yet.
LATER = {"InvalidArgument", "OperationAborted"}
POLICY_DELAYS = (5, 15, 20, 20)
# Whatever else a filter holds S3 takes percent-encoded: https://docs.aws.amazon.com/AmazonS3/latest/userguide/notification-how-to-filtering.html
PLAIN_IN_FILTERS = "/!-_.*'()"

# Where a bucket's configuration lists each kind of destination, and what an entry calls it.
DESTINATIONS = {
    "QueueConfigurations": "QueueArn",
    "TopicConfigurations": "TopicArn",
    "LambdaFunctionConfigurations": "LambdaFunctionArn",
}

Configuration = dict[str, Any]
Entry = dict[str, Any]


def carry_out(event: Mapping[str, Any], own_id: str) -> str:
    """Create, update or delete our entry; return the physical id.

    Another bucket makes another id: CloudFormation then has the entry on the old one deleted.
    """
    properties = event["ResourceProperties"]
    bucket = properties["BucketName"]
    s3 = boto3.client("s3")
    if event["RequestType"] == "Delete":
        remove(s3, bucket, own_id, event)
    elif properties.get("EventBridge") == "true":
        put(s3, bucket, switch_on_event_bridge(get(s3, bucket)))
    else:
        refuse_other_region(properties, s3.meta.region_name)
        put(s3, bucket, merge(get(s3, bucket), own_id, properties))
    return f"{bucket}/{own_id}"


def merge(
    configuration: Configuration, own_id: str, properties: Mapping[str, str]
) -> Configuration:
    """Put our entry in place of the one with our Id, if there is one; refuse an overlap by name."""
    list_name, entry = own_entry(own_id, properties)
    merged = without(configuration, own_id)
    for other in entries(merged):
        if overlaps(entry, other):
            raise OverlappingNotification(
                f"notification {other.get('Id')!r} of bucket {properties['BucketName']!r} "
                f"({', '.join(other['Events'])}, prefix {filter_of(other, 'prefix')!r}, "
                f"suffix {filter_of(other, 'suffix')!r}, to {destination(other)}) already takes "
                f"objects under {filter_of(entry, 'prefix')!r}: narrow LogBucketPrefix, "
                "remove that notification, or set ObjectEvents to EventBridge"
            )
    merged.setdefault(list_name, []).append(entry)
    return merged


def refuse_other_region(properties: Mapping[str, str], region: str) -> None:
    """Refuse a queue or topic of another Region: to S3 it is an argument that makes no sense."""
    for arn_name in DESTINATIONS.values():
        arn = properties.get(arn_name, "")
        if arn.split(":")[3:4] not in ([], [region]):
            raise ConfigurationError(
                f"{arn_name} {arn[:200]!r} is not in {region!r}, and a bucket notifies those of "
                "its own Region alone: let its events go through EventBridge"
            )


def remove(s3: Any, bucket: str, own_id: str, event: Mapping[str, Any]) -> None:
    """Take our entry away, if it still goes where this resource sent it.

    EventBridge stays switched on: others may have rules that rely on it, and without a rule it
    costs nothing.
    """
    properties = event["ResourceProperties"]
    if "EventBridge" in properties:
        return
    try:
        configuration = get(s3, bucket)
    except ClientError as error:
        if has_nothing_of_ours(error, event):
            return
        raise
    _, entry = own_entry(own_id, properties)
    ours = [e for e in entries(configuration) if e.get("Id") == own_id]
    # After a change of ObjectEvents the Id already belongs to the new destination.
    if [destination(e) for e in ours] == [destination(entry)]:
        # S3 would refuse for a destination of others that is gone.
        put(s3, bucket, without(configuration, own_id), SkipDestinationValidation=True)


def has_nothing_of_ours(error: ClientError, event: Mapping[str, Any]) -> bool:
    """Say whether a bucket that cannot be read holds nothing to delete.

    It is gone, or S3 let us not even look: a Create that failed on that has put nothing there, and
    CloudFormation asks to delete it under the id of its failed answer, the logical one.
    """
    match error.response["Error"]["Code"]:
        case "NoSuchBucket":
            return True
        case "AccessDenied":
            return bool(event["PhysicalResourceId"] == event["LogicalResourceId"])
    return False


def switch_on_event_bridge(configuration: Configuration) -> Configuration:
    """Have the bucket send its events to EventBridge too."""
    return configuration | {"EventBridgeConfiguration": {}}


def own_entry(own_id: str, properties: Mapping[str, str]) -> tuple[str, Entry]:
    """Make the entry that the custom resource asks for, and name the list that it belongs to."""
    for list_name, arn_name in DESTINATIONS.items():
        if properties.get(arn_name):
            entry: Entry = {"Id": own_id, arn_name: properties[arn_name], "Events": [EVENT]}
            rules = [
                {"Name": name.lower(), "Value": quote(properties[name], safe=PLAIN_IN_FILTERS)}
                for name in ("Prefix", "Suffix")
                if properties.get(name)
            ]
            if rules:
                entry["Filter"] = {"Key": {"FilterRules": rules}}
            return list_name, entry
    raise ConfigurationError(
        f"one of {', '.join(DESTINATIONS.values())} or EventBridge must be given: it says where "
        "notifications of new objects go"
    )


def overlaps(one: Entry, other: Entry) -> bool:
    """Say whether some object could match both entries, as S3 judges it."""
    return (
        any(same_event(a, b) for a in one["Events"] for b in other["Events"])
        and either_starts(filter_of(one, "prefix"), filter_of(other, "prefix"))
        and either_starts(filter_of(one, "suffix")[::-1], filter_of(other, "suffix")[::-1])
    )


def same_event(one: str, other: str) -> bool:
    """Say whether two event types have a common one: `s3:ObjectCreated:*` has `…:Put`."""
    return either_starts(one.removesuffix("*"), other.removesuffix("*")) and (
        one == other or "*" in (one[-1:], other[-1:])
    )


def either_starts(one: str, other: str) -> bool:
    """Say whether one of the two begins with the other."""
    return one.startswith(other) or other.startswith(one)


def filter_of(entry: Entry, name: str) -> str:
    """Return an entry's prefix or suffix, decoded; S3 writes the names in either case."""
    rules = entry.get("Filter", {}).get("Key", {}).get("FilterRules", [])
    return unquote_plus(next((r.get("Value", "") for r in rules if r["Name"].lower() == name), ""))


def destination(entry: Entry) -> str:
    """Return the ARN that an entry sends to."""
    return next(str(entry[name]) for name in DESTINATIONS.values() if name in entry)


def entries(configuration: Configuration) -> Iterator[Entry]:
    """Go through every entry, whatever its destination."""
    for list_name in DESTINATIONS:
        yield from configuration.get(list_name, [])


def without(configuration: Configuration, own_id: str) -> Configuration:
    """Copy a configuration, our entry left out."""
    kept = {name: value for name, value in configuration.items() if name not in DESTINATIONS}
    for list_name in DESTINATIONS:
        others = [e for e in configuration.get(list_name, []) if e.get("Id") != own_id]
        if others:
            kept[list_name] = others
    return kept


def get(s3: Any, bucket: str) -> Configuration:
    """Read a bucket's whole notification configuration."""
    configuration: Configuration = s3.get_bucket_notification_configuration(Bucket=bucket)
    configuration.pop("ResponseMetadata", None)
    return configuration


def put(s3: Any, bucket: str, configuration: Configuration, **how: bool) -> None:
    """Replace a bucket's whole notification configuration.

    A queue's or topic's new policy can take a minute until S3 sees it.
    """
    for seconds in (*POLICY_DELAYS, None):
        try:
            s3.put_bucket_notification_configuration(
                Bucket=bucket, NotificationConfiguration=configuration, **how
            )
        except ClientError as error:
            if seconds is None or error.response["Error"]["Code"] not in LATER:
                raise
            time.sleep(seconds)
        else:
            return
