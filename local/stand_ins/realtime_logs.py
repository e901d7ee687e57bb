"""CloudFront's real-time log configurations, which CloudFormation makes.

https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-cloudfront-realtimelogconfig.html
They are kept and listed; who stands for CloudFront reads there which fields it sends, and where.
"""

from typing import Any

from ministack.core.responses import AccountRegionScopedDict, get_account_id

from local.stand_ins import roles

SERVICE = "cloudfront.amazonaws.com"

configurations = AccountRegionScopedDict()
"""The properties of each configuration, by its ARN."""


def create(_logical_id: str, properties: Any, _stack: str) -> tuple[str, Any]:
    """Make a configuration, if CloudFront may send to its stream."""
    arn = f"arn:aws:cloudfront::{get_account_id()}:realtime-log-config/{properties['Name']}"
    for end_point in properties["EndPoints"]:
        stream = end_point["KinesisStreamConfig"]
        for action in ("kinesis:DescribeStreamSummary", "kinesis:PutRecords"):
            roles.require(stream["RoleArn"], SERVICE, action, stream["StreamArn"], arn)
    configurations[arn] = properties
    return arn, {"Arn": arn}


def update(_id: str, _old: Any, properties: Any, stack: str, *_: Any) -> tuple[str, Any]:
    """Change a configuration in place."""
    return create("", properties, stack)


def delete(physical_id: str, _properties: Any) -> None:
    """Remove a configuration."""
    configurations.pop(physical_id, None)
