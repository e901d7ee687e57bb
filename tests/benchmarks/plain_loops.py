"""What one would write first for each format: gzip, re or json, a dictionary, json.dumps.

Each loop makes the same documents with the same fields, types and `_id`s as the formats do
(test_plain_loops.py holds one against the other); nothing in it is slowed down.
"""

import gzip
import io
import json
import re
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import Any

from servicelogs.records import Source

Loop = Callable[[bytes, Source], bytes]

_ALB = re.compile(
    r"(?P<type>\S+) (?P<time>\S+) (?P<elb>\S+)"
    r" (?:\[?(?P<client_ip>[^] ]+)\]?:(?P<client_port>\d+)|-)"
    r" (?:\[?(?P<target_ip>[^] ]+)\]?:(?P<target_port>\d+)|-)"
    r" (?P<request_processing_time>\S+) (?P<target_processing_time>\S+)"
    r" (?P<response_processing_time>\S+) (?P<elb_status_code>\S+) (?P<target_status_code>\S+)"
    r" (?P<received_bytes>\S+) (?P<sent_bytes>\S+)"
    r' "(?P<request_verb>\S+) (?P<request_url>[a-z]+://(?P<request_host>[^/:]+):(?P<request_port>\d+)'
    r'(?P<request_path>/[^?"]*)(?:\?(?P<request_query>[^"]*))?) (?P<request_proto>[^ "]+)"'
    r' "(?P<user_agent>[^"]*)" (?P<ssl_cipher>\S+) (?P<ssl_protocol>\S+) (?P<target_group_arn>\S+)'
    r' "(?P<trace_id>[^"]*)" "(?P<domain_name>[^"]*)" "(?P<chosen_cert_arn>[^"]*)"'
    r" (?P<matched_rule_priority>\S+) (?P<request_creation_time>\S+)"
    r' "(?P<actions_executed>[^"]*)" "(?P<redirect_url>[^"]*)" "(?P<error_reason>[^"]*)"'
    r' "(?P<target_port_list>[^"]*)" "(?P<target_status_code_list>[^"]*)"'
    r' "(?P<classification>[^"]*)" "(?P<classification_reason>[^"]*)" (?P<conn_trace_id>\S+)'
    r' "(?P<transformed_host>[^"]*)" "(?P<transformed_uri>[^"]*)"'
    r' "(?P<request_transform_status>[^"]*)" (?P<ip_address>\S+)'
)
_INTEGERS = [
    "client_port",
    "target_port",
    "elb_status_code",
    "target_status_code",
    "received_bytes",
    "sent_bytes",
    "request_port",
    "matched_rule_priority",
    "version",
    "srcport",
    "dstport",
    "protocol",
    "packets",
    "bytes",
    "start",
    "end",
]
_SECONDS = ("request_processing_time", "target_processing_time", "response_processing_time")
_LISTS = {"actions_executed": ",", "target_port_list": " ", "target_status_code_list": " "}
_TAKEN = [
    "bucketName",
    "key",
    "instanceId",
    "roleArn",
    "roleName",
    "userName",
    "groupName",
    "groupId",
    "policyArn",
    "functionName",
    "keyId",
    "secretId",
    "tableName",
    "dBInstanceIdentifier",
]


def alb(data: bytes, source: Source) -> bytes:
    """One regular expression with named groups a line."""

    def records() -> Iterator[tuple[str, dict[str, Any]]]:
        for line in _text(data):
            match = _ALB.match(line)
            assert match
            record = _typed(match.groupdict())
            for name in _SECONDS:
                if name in record:
                    record[name] = float(record[name])
            for name, separator in _LISTS.items():
                if name in record:
                    record[name] = record[name].split(separator)
            yield record.pop("time"), record

    return _bulk("alb", source, records())


def vpc_flow(data: bytes, source: Source) -> bytes:
    """The header's names zipped with a line's words."""

    def records() -> Iterator[tuple[str, dict[str, Any]]]:
        lines = _text(data)
        names = [name.replace("-", "_") for name in next(lines).split()]
        for line in lines:
            record = _typed(dict(zip(names, line.split(), strict=True)))
            time = datetime.fromtimestamp(record["start"], UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
            yield time, record

    return _bulk("vpc_flow", source, records(), first=2)


def cloudtrail(data: bytes, source: Source) -> bytes:
    """json.load for the document, json.dumps for each record."""

    def records() -> Iterator[tuple[str, dict[str, Any]]]:
        for record in json.loads(gzip.decompress(data))["Records"]:
            parameters = record.get("requestParameters") or {}
            taken = {name: parameters[name] for name in _TAKEN if name in parameters}
            if taken:
                record["request"] = taken
            yield record["eventTime"], record

    return _bulk("cloudtrail", source, records(), id_field="eventID")


def _text(data: bytes) -> Iterator[str]:
    with gzip.open(io.BytesIO(data), "rt") as lines:
        yield from lines


def _typed(values: dict[str, Any]) -> dict[str, Any]:
    record = {name: value for name, value in values.items() if value not in (None, "-", "-1")}
    for name in _INTEGERS:
        if name in record:
            record[name] = int(record[name])
    return record


def _bulk(
    log_type: str,
    source: Source,
    records: Iterator[tuple[str, dict[str, Any]]],
    *,
    first: int = 1,
    id_field: str = "",
) -> bytes:
    """Put the frame around each record, as servicelogs.documents does."""
    ingested = datetime.now(UTC).isoformat()
    lines = []
    for ordinal, (time, record) in enumerate(records, first):
        day = datetime.fromisoformat(time).strftime("%Y.%m.%d")
        index = f"aws-{log_type.replace('_', '-')}-{day}"
        id_ = record[id_field] if id_field else f"{source.id}-{ordinal}"
        document = {
            "cloud": {"account_id": source.account_id, "region": source.region},
            "event": {"ingested": ingested},
            "log": {"type": log_type, "source": source.uri, "record": ordinal},
            "@timestamp": time,
            **record,
        }
        lines.append(json.dumps({"create": {"_index": index, "_id": id_}}))
        lines.append(json.dumps(document))
    return "\n".join((*lines, "")).encode()


LOOPS: dict[str, Loop] = {"alb": alb, "cloudtrail": cloudtrail, "vpc_flow": vpc_flow}
