"""CloudFront's real-time log configurations, which CloudFormation makes.

https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-cloudfront-realtimelogconfig.html
They are kept, and GetRealtimeLogConfig gives them: who stands for CloudFront reads there which
fields it sends, and where.
"""

import re
from typing import Any
from xml.etree.ElementTree import Element, SubElement

from ministack.core.responses import AccountRegionScopedDict, get_account_id
from ministack.services import cloudfront

from local.stand_ins import roles

SERVICE = "cloudfront.amazonaws.com"
_GET = re.compile(r"/2020-05-31/get-realtime-log-config/?")

handle_request = cloudfront.handle_request

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


async def handle(method: str, path: str, headers: Any, body: bytes, query: Any) -> Any:
    """Answer GetRealtimeLogConfig, which the emulator does not know."""
    if method == "POST" and _GET.fullmatch(path):
        arn = re.search(rb"<ARN>([^<]*)</ARN>", body)
        return _described(arn[1].decode() if arn else "")
    return await handle_request(method, path, headers, body, query)


def _described(arn: str) -> Any:
    properties = configurations.get(arn)
    if properties is None:
        return cloudfront._error("NoSuchRealtimeLogConfig", f"no such configuration: {arn!r}", 404)

    def build(root: Element) -> None:
        config = SubElement(root, "RealtimeLogConfig")
        for name, value in (
            ("ARN", arn),
            ("Name", properties["Name"]),
            ("SamplingRate", properties["SamplingRate"]),
        ):
            SubElement(config, name).text = str(value)
        end_points = SubElement(config, "EndPoints")
        for one in properties["EndPoints"]:
            member = SubElement(end_points, "member")
            SubElement(member, "StreamType").text = one["StreamType"]
            stream = SubElement(member, "KinesisStreamConfig")
            SubElement(stream, "RoleARN").text = one["KinesisStreamConfig"]["RoleArn"]
            SubElement(stream, "StreamARN").text = one["KinesisStreamConfig"]["StreamArn"]
        fields = SubElement(config, "Fields")
        for name in properties["Fields"]:
            SubElement(fields, "Field").text = name

    return cloudfront._xml_response("GetRealtimeLogConfigResult", build)


def delete(physical_id: str, _properties: Any) -> None:
    """Remove a configuration."""
    configurations.pop(physical_id, None)
