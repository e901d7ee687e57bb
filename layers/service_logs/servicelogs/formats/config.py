"""AWS Config: configuration items from history files, snapshots and oversized notifications.

A notification too long for SNS lies in S3 as one document of its own, with the item in
`configurationItem`; https://docs.aws.amazon.com/config/latest/developerguide/oversized-notification-example.html
"""

from servicelogs.parsing.fields import Field
from servicelogs.parsing.json.format import JsonFormat


def _keyword(path: str, description: str, since: str = "") -> Field:
    return Field(path, "keyword", description, since)


def _timestamp(name: str, description: str) -> Field:
    return Field(name, "timestamp", description)


FORMAT = JsonFormat(
    name="config",
    title="AWS Config items",
    page="https://docs.aws.amazon.com/config/latest/APIReference/API_ConfigurationItem.html",
    service_principal="config.amazonaws.com",
    keys=(
        (
            "AWSLogs/{organization?}{account}/Config/{region}/{day}/ConfigHistory"
            "/{account}_Config_{region}_ConfigHistory_{name}_{second}_{second}_{id}.json"
        ),
        (
            "AWSLogs/{organization?}{account}/Config/{region}/{day}/ConfigSnapshot"
            "/{account}_Config_{region}_ConfigSnapshot_{second}_{id}.json"
        ),
        # The id of a resource is in the path, whatever characters it has.
        (
            "AWSLogs/{organization?}{account}/Config/{region}/{day}/OversizedChangeNotification"
            "/{path}/{account}_Config_{region}_ChangeNotification_{path}.json"
        ),
        (
            "AWSLogs/{organization?}{account}/Config/global/{day}/OversizedChangeNotification"
            "/{path}/{account}_Config_global_ChangeNotification_{path}.json"
        ),
    ),
    starts=r'\s*\{(?:\s*"(?:fileVersion|configSnapshotId|requestId)"\s*:\s*"[^"]*"\s*,)*\s*'
    r'"configuration(?:Items"\s*:\s*\[|Item(?:Diff)?"\s*:\s*(?:\{|null)|ItemVersion"\s*:\s*")'
    r'|\s*\{\s*"messageType"\s*:\s*"ConfigurationItemChangeNotification"',
    worldwide=r"/Config/global/",
    snapshots=r"/ConfigSnapshot/",
    # A snapshot holds items of every day: a shorter period would make hundreds of small indexes.
    least_period="month",
    array="configurationItems",
    times=(
        "configurationItemCaptureTime",
        "configurationItem.configurationItemCaptureTime",
        "notificationCreationTime",
    ),
    places=(
        "awsAccountId",
        "accountId",
        "awsRegion",
        "configurationItem.awsAccountId",
        "configurationItem.awsRegion",
        "ARN",
        "arn",
    ),
    tree=(
        _keyword("configurationItemVersion", "version of the item's format"),
        _timestamp("configurationItemCaptureTime", "when the configuration was recorded"),
        _timestamp("configurationItemDeliveryTime", "when a daily recording was delivered"),
        _keyword("configurationStateId", "orders the items of a resource, a number as a rule"),
        _keyword("configurationItemStatus", "OK, ResourceDiscovered, ResourceDeleted, …"),
        _keyword("recordingFrequency", "CONTINUOUS or DAILY", "2023-11"),
        _keyword("awsAccountId", "account of the resource"),
        _keyword("ARN", "resource"),
        _keyword("resourceType", "its type, as AWS::EC2::Volume"),
        _keyword("resourceId", "its id"),
        _keyword("resourceName", "its name, if it has one"),
        _keyword("awsRegion", "its Region; global for some services"),
        _keyword("availabilityZone", "its zone; Regional or Not Applicable for most"),
        _timestamp("resourceCreationTime", "when it was made"),
        Field("tags", "flat_object", "its tags"),
        _keyword("relatedEvents[]", "CloudTrail events; empty since version 1.3"),
        _keyword("relationships[].resourceId", "related resources"),
        _keyword("relationships[].resourceName", "their names"),
        _keyword("relationships[].resourceType", "their types"),
        _keyword("relationships[].name", "relations, as Is attached to Instance"),
        _keyword("relationships[].direction", "IN or OUT"),
        Field("configuration", "flat_object", "the configuration, with the names of its type"),
        Field("supplementaryConfiguration", "flat_object", "what other API calls return of it"),
        _keyword("configurationStateMd5Hash", "hash of the state; empty since version 1.3"),
        # As the API and the examples of the documentation spell them.
        _keyword("version", "version of the item's format (as in the API)"),
        _keyword("snapshotVersion", "version of the item's format (in examples)"),
        _keyword("configurationStateID", "state id that is not a number (in examples)"),
        _keyword("configurationItemState", "the same (in examples)"),
        _keyword("configurationItemMD5Hash", "hash of the state (as in the API)"),
        _keyword("accountId", "account of the resource (as in the API)"),
        _keyword("arn", "resource (as in the API)"),
        _keyword("availibilityZone", "zone (in examples)"),
        _timestamp("notificationCreationTime", "when a notification was made"),
        _keyword("messageType", "ConfigurationItemChangeNotification"),
        _keyword("recordVersion", "version of the notification's format"),
        Field("configurationItem", "flat_object", "the item in a notification"),
        Field("configurationItemDiff", "flat_object", "what a notification says has changed"),
    ),
    common={
        "cloud.account.id": "awsAccountId",
        "cloud.resource_id": "ARN",
    },
    personal={
        "ARN": "names and ids",
        "arn": "names and ids",
        "resourceId": "names and ids",
        "resourceName": "names and ids",
        "relationships.resourceId": "names and ids",
        "relationships.resourceName": "names and ids",
    },
)
