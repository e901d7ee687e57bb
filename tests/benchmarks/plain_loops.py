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
from urllib.parse import unquote, unquote_plus

from servicelogs import formats
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
_S3_ACCESS = re.compile(
    r"(?P<bucket_owner>\S+) (?P<bucket>\S+) \[(?P<time>[^]]+)\] (?P<remote_ip>\S+)"
    r" (?P<requester>\S+) (?P<request_id>\S+) (?P<operation>\S+) (?P<key>\S+)"
    r' (?:"(?P<request_uri>[^"]*)"|-) (?P<http_status>\S+) (?P<error_code>\S+)'
    r" (?P<bytes_sent>\S+) (?P<object_size>\S+) (?P<total_time>\S+) (?P<turn_around_time>\S+)"
    r' (?:"(?P<referer>[^"]*)"|-) (?:"(?P<user_agent>[^"]*)"|-) (?P<version_id>\S+)'
    r" (?P<host_id>\S+) (?P<signature_version>\S+) (?P<cipher_suite>\S+)"
    r" (?P<authentication_type>\S+) (?P<host_header>\S+) (?P<tls_version>\S+)"
    r" (?P<access_point_arn>\S+) (?P<acl_required>\S+) (?P<source_region>\S+)"
)
_S3_INTEGERS = ("http_status", "bytes_sent", "object_size", "total_time", "turn_around_time")
_CLB = re.compile(
    r"(?P<timestamp>\S+) (?P<elb>\S+)"
    r" (?:\[?(?P<client_ip>[^] ]+)\]?:(?P<client_port>\d+)|-)"
    r" (?:\[?(?P<backend_ip>[^] ]+)\]?:(?P<backend_port>\d+)|-)"
    r" (?P<request_processing_time>\S+) (?P<backend_processing_time>\S+)"
    r" (?P<response_processing_time>\S+) (?P<elb_status_code>\S+) (?P<backend_status_code>\S+)"
    r" (?P<received_bytes>\S+) (?P<sent_bytes>\S+)"
    r' "(?:- - - |(?P<request_verb>\S+)'
    r" (?P<request_url>[a-z]+://(?P<request_host>[^/:]+):(?P<request_port>\d+)"
    r'(?P<request_path>/[^?"]*)(?:\?(?P<request_query>[^"]*))?) (?P<request_proto>[^ "]+))"'
    r' "(?P<user_agent>[^"]*)" (?P<ssl_cipher>\S+) (?P<ssl_protocol>\S+)'
)
_CONNECTION = re.compile(
    r"(?P<timestamp>\S+) (?P<client_ip>\S+) (?P<client_port>\S+) (?P<listener_port>\S+)"
    r" (?P<tls_protocol>\S+) (?P<tls_cipher>\S+) (?P<tls_handshake_latency>\S+)"
    r' "(?P<leaf_client_cert_subject>[^"]*)"'
    r" (?:NotBefore=(?P<leaf_client_cert_not_before>[^;]+)"
    r";NotAfter=(?P<leaf_client_cert_not_after>\S+)|-)"
    r" (?P<leaf_client_cert_serial_number>\S+) (?P<tls_verify_status>\S+) (?P<conn_trace_id>\S+)"
    r" (?P<tls_keyexchange>\S+) (?P<elb>\S+) (?P<ip_address>\S+)"
)
_HEALTH = (
    "type time latency target_addr target_group_id status status_code reason_code elb ip_address"
)
_POSTGRESQL = re.compile(
    r"(?P<time>\d{4}-\d\d-\d\d \d\d:\d\d:\d\d) UTC:"
    r"(?:(?P<client_ip>[^(]+)\((?P<client_port>\d+)\))?:(?P<user>.*?)@(?P<database>[^@:]*)"
    r":\[(?P<process_id>\d+)\]:(?P<level>[A-Z]+):  (?P<text>.*)"
)
_POSTGRESQL_TEXTS = (
    re.compile(r"duration: (?P<duration_ms>[0-9.]+) ms(?:  statement: (?P<statement>.*))?"),
    re.compile(
        r"AUDIT: (?P<audit_type>[A-Z]+),(?P<statement_id>\d+),(?P<substatement_id>\d+)"
        r",(?P<audit_class>[A-Z]+),(?P<command>[A-Z ]+),(?P<object_type>[A-Z]+)"
        r',(?P<object_name>[^,]+),"(?P<statement>(?:[^"]|"")*)",<not logged>'
    ),
)
_POSTGRESQL_INTEGERS = ("client_port", "process_id", "statement_id", "substatement_id")
_ID = r"(?P<request_id>[0-9a-f-]{36})"
_LAMBDA_TIME = r"(?P<time>\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)\.(?P<fraction>\d{1,3})Z"
_LAMBDA = (
    ("platform.start", re.compile(rf"START RequestId: {_ID} Version: (?P<version>\S+)")),
    ("platform.end", re.compile(rf"END RequestId: {_ID}")),
    (
        "platform.report",
        re.compile(
            rf"REPORT RequestId: {_ID}\tDuration: (?P<duration_ms>\S+) ms"
            r"\tBilled Duration: (?P<billed_duration_ms>\d+) ms"
            r"\tMemory Size: (?P<memory_size_mb>\d+) MB"
            r"\tMax Memory Used: (?P<max_memory_used_mb>\d+) MB"
            r"(?:\tInit Duration: (?P<init_duration_ms>\S+) ms)?\s*"
        ),
    ),
    (
        "function",
        re.compile(rf"\[(?P<level>[A-Z]+)\]\t{_LAMBDA_TIME}\t{_ID}\t(?P<message>.*)", re.DOTALL),
    ),
    (
        "function",
        re.compile(rf"{_LAMBDA_TIME}\t{_ID}\t(?P<level>[A-Z]+)\t(?P<message>.*)", re.DOTALL),
    ),
)
_LAMBDA_METRICS = {
    "durationMs": "duration_ms",
    "billedDurationMs": "billed_duration_ms",
    "memorySizeMB": "memory_size_mb",
    "maxMemoryUsedMB": "max_memory_used_mb",
}
_LAMBDA_NUMBERS: dict[str, Callable[[str], float]] = {
    "duration_ms": float,
    "billed_duration_ms": int,
    "memory_size_mb": int,
    "max_memory_used_mb": int,
    "init_duration_ms": float,
}
_NLB = (
    "type version time elb listener client destination connection_time tls_handshake_time"
    " received_bytes sent_bytes incoming_tls_alert chosen_cert_arn chosen_cert_serial tls_cipher"
    " tls_protocol_version tls_keyexchange domain_name alpn_fe_protocol alpn_be_protocol"
    " alpn_client_preference_list tls_connection_creation_time"
)
_NLB_INTEGERS = "connection_time tls_handshake_time received_bytes sent_bytes incoming_tls_alert"
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
    "listener_port",
    "status_code",
    "backend_port",
    "backend_status_code",
    "tcp_flags",
    "packets_lost_no_route",
    "packets_lost_blackhole",
    "packets_lost_mtu_exceeded",
    "packets_lost_ttl_expired",
]
_SECONDS = ("request_processing_time", "target_processing_time", "response_processing_time")
_CLB_SECONDS = (
    "request_processing_time",
    "backend_processing_time",
    "response_processing_time",
)
_LISTS = {"actions_executed": ",", "target_port_list": " ", "target_status_code_list": " "}
_CLOUDFRONT_INTEGERS = (
    "sc_bytes sc_status cs_bytes fle_encrypted_fields c_port sc_content_len sc_range_start"
    " sc_range_end"
)
_CLOUDFRONT_ENCODED = (
    "cs_host cs_uri_stem cs_referer cs_user_agent cs_uri_query cs_cookie x_host_header"
    " sc_content_type"
)
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
_HEADERS = {
    "host": "host",
    "user-agent": "userAgent",
    "referer": "referer",
    "origin": "origin",
    "x-forwarded-for": "xForwardedFor",
    "content-type": "contentType",
    "accept-language": "acceptLanguage",
}


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
    return _flows("vpc_flow", data, source)


def tgw_flow(data: bytes, source: Source) -> bytes:
    """The header's names zipped with a line's words."""
    return _flows("tgw_flow", data, source)


def _flows(log_type: str, data: bytes, source: Source) -> bytes:
    def records() -> Iterator[tuple[str, dict[str, Any]]]:
        lines = _text(data)
        names = [name.replace("-", "_") for name in next(lines).split()]
        for line in lines:
            record = _typed(dict(zip(names, line.split(), strict=True)))
            time = datetime.fromtimestamp(record["start"], UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
            yield time, record

    return _bulk(log_type, source, records(), first=2)


def clb(data: bytes, source: Source) -> bytes:
    """One regular expression with named groups a line."""

    def records() -> Iterator[tuple[str, dict[str, Any]]]:
        for line in _text(data):
            match = _CLB.match(line)
            assert match
            record = _typed(match.groupdict())
            for name in _CLB_SECONDS:
                if name in record:
                    record[name] = float(record[name])
            yield record.pop("timestamp"), record

    return _bulk("clb", source, records())


def alb_connection(data: bytes, source: Source) -> bytes:
    """One regular expression with named groups a line."""

    def records() -> Iterator[tuple[str, dict[str, Any]]]:
        for line in _text(data):
            match = _CONNECTION.match(line)
            assert match
            record = _typed(match.groupdict())
            if "tls_handshake_latency" in record:
                record["tls_handshake_latency"] = float(record["tls_handshake_latency"])
            yield record.pop("timestamp"), record

    return _bulk("alb_connection", source, records())


def alb_health_check(data: bytes, source: Source) -> bytes:
    """The names zipped with a line's words."""

    def records() -> Iterator[tuple[str, dict[str, Any]]]:
        names = _HEALTH.split()
        for line in _text(data):
            record = _typed(dict(zip(names, line.split(), strict=True)))
            if "latency" in record:
                record["latency"] = float(record["latency"])
            if not record["target_addr"].startswith("arn:"):
                address, _, port = record["target_addr"].rpartition(":")
                record |= {"target_ip": address.strip("[]"), "target_port": int(port)}
            yield record.pop("time"), record

    return _bulk("alb_health_check", source, records())


def lambda_(data: bytes, source: Source) -> bytes:
    """JSON decoded, where a line is it; else one regular expression after the other."""
    same = {
        "kind": "function",
        "function": "orders",
        "version": "$LATEST",
        "instance": "0123456789abcdef",
    }
    delivered = f"{source.delivered:%Y-%m-%dT%H:%M:%S}Z"

    def records() -> Iterator[tuple[str, dict[str, Any]]]:
        for line in _text(data):
            text = line.rstrip("\n")
            record = _lambda_object(json.loads(text)) if text[0] == "{" else _lambda_text(text)
            yield record.pop("time", delivered), {**same, **record}

    return _bulk("lambda", source, records())


def _lambda_object(found: dict[str, Any]) -> dict[str, Any]:
    if found.get("type", "").startswith("platform."):
        inner = found["record"]
        record = {"time": found["time"], "kind": found["type"], "request_id": inner["requestId"]}
        if "status" in inner:
            record["status"] = inner["status"]
        for name, value in inner.get("metrics", {}).items():
            record[_LAMBDA_METRICS[name]] = value
    else:
        time = found["timestamp"].replace(" ", "T").replace(",", ".").replace("+0000", "Z")
        record = {"time": time, "level": found["level"]}
        if isinstance(found["message"], str):
            record["message"] = found["message"]
        if "logger" in found:
            record["logger"] = found["logger"]
        record["request_id"] = found.get("function_request_id") or found["requestId"]
        if "xray_trace_id" in found:
            record["trace_id"] = found["xray_trace_id"]
    return {**record, "json": found}


def _lambda_text(text: str) -> dict[str, Any]:
    for kind, pattern in _LAMBDA:
        if match := pattern.fullmatch(text):
            record = {name: value for name, value in match.groupdict().items() if value}
            if "time" in record:
                record["time"] = f"{record['time']}.{record.pop('fraction').zfill(3)}Z"
            for name, number in _LAMBDA_NUMBERS.items():
                if name in record:
                    record[name] = number(record[name])
            return {"kind": kind, **record}
    return {"message": text}


def nlb(data: bytes, source: Source) -> bytes:
    """The names zipped with a line's words."""

    def records() -> Iterator[tuple[str, dict[str, Any]]]:
        names, integers = _NLB.split(), _NLB_INTEGERS.split()
        for line in _text(data):
            values = dict(zip(names, line.split(), strict=True))
            record: dict[str, Any] = {name: v for name, v in values.items() if v != "-"}
            for name in ("client", "destination"):
                address, _, port = record.pop(name).rpartition(":")
                record |= {f"{name}_ip": address.strip("[]"), f"{name}_port": int(port)}
            for name in integers:
                if name in record:
                    record[name] = int(record[name])
            if "domain_name" in record:
                record["domain_name"] = unquote(record["domain_name"])
            if "alpn_client_preference_list" in record:
                items = record["alpn_client_preference_list"].split(",")
                record["alpn_client_preference_list"] = [item.strip('"') for item in items]
            record["tls_connection_creation_time"] += "Z"
            yield record.pop("time") + "Z", record

    return _bulk("nlb", source, records())


def rds(data: bytes, source: Source) -> bytes:
    """PostgreSQL's lines: one regular expression for a line, others for what it says."""
    same = {"kind": "postgresql", "engine": "postgresql", "instance": "shop"}

    def records() -> Iterator[tuple[str, dict[str, Any]]]:
        for line in _text(data):
            match = _POSTGRESQL.fullmatch(line.rstrip("\n"))
            assert match
            values: dict[str, Any] = match.groupdict()
            time = values.pop("time").replace(" ", "T") + "Z"
            text = values.pop("text")
            if values["level"] == "STATEMENT":
                values["statement"] = text
            elif found := next(filter(None, (p.fullmatch(text) for p in _POSTGRESQL_TEXTS)), None):
                values |= found.groupdict()
                if "audit_type" in values:
                    values["statement"] = values["statement"].replace('""', '"')
            else:
                values["message"] = text
            record = {name: value for name, value in values.items() if value}
            for name in _POSTGRESQL_INTEGERS:
                if name in record:
                    record[name] = int(record[name])
            if "duration_ms" in record:
                record["duration_ms"] = float(record["duration_ms"])
            yield time, {**same, **record}

    return _bulk("rds", source, records())


def s3_access(data: bytes, source: Source) -> bytes:
    """One regular expression a line; the request line and the key taken apart."""

    def records() -> Iterator[tuple[str, dict[str, Any]]]:
        for line in _text(data):
            match = _S3_ACCESS.match(line)
            assert match
            values = match.groupdict()
            record = {name: value for name, value in values.items() if value not in (None, "-")}
            for name in _S3_INTEGERS:
                if name in record:
                    record[name] = int(record[name])
            if "key" in record:
                decode = unquote_plus if record["operation"] == "BATCH.DELETE.OBJECT" else unquote
                record["key_decoded"] = decode(record["key"])
            if "request_uri" in record:
                verb, url, protocol = record["request_uri"].split(" ")
                path, _, query = url.partition("?")
                record |= {"request_verb": verb, "request_url": url, "request_path": path}
                if query:
                    record["request_query"] = query
                record["request_proto"] = protocol
            time = datetime.strptime(record.pop("time"), "%d/%b/%Y:%H:%M:%S %z")
            yield time.strftime("%Y-%m-%dT%H:%M:%SZ"), record

    return _bulk("s3_access", source, records())


def cloudfront(data: bytes, source: Source) -> bytes:
    """The header's names zipped with a line's words."""

    def records() -> Iterator[tuple[str, dict[str, Any]]]:
        lines = _text(data)
        next(lines)  # the version
        names = [re.sub(r"\W+", "_", name).strip("_").lower() for name in next(lines).split()[1:]]
        integers, encoded = _CLOUDFRONT_INTEGERS.split(), _CLOUDFRONT_ENCODED.split()
        for line in lines:
            values = zip(names, line.rstrip("\n").split("\t"), strict=True)
            record: dict[str, Any] = {name: value for name, value in values if value != "-"}
            for name in integers:
                if name in record:
                    record[name] = int(record[name])
            for name in ("time_taken", "time_to_first_byte"):
                record[name] = float(record[name])
            for name in encoded:
                if name in record:
                    record[name] = unquote(record[name])
            if "x_forwarded_for" in record:
                record["x_forwarded_for"] = unquote(record["x_forwarded_for"]).split(",")
            yield f"{record.pop('date')}T{record.pop('time')}Z", record

    return _bulk("cloudfront", source, records(), first=3)


def cloudfront_realtime(data: bytes, source: Source) -> bytes:
    """The list's names zipped with a line's words."""
    log_format = formats.get("cloudfront_realtime")
    names = [column.name.replace("-", "_") for column in log_format.columns]
    types = {field.name: field.type for field in log_format.fields}
    read = {"integer": int, "long": int, "float": float}
    lists = {"cs_headers": "\n", "cs_header_names": "\n", "x_forwarded_for": ","}
    ids: list[str] = []

    def records() -> Iterator[tuple[str, dict[str, Any]]]:
        for line in _text(data):
            values = zip(names, line.rstrip("\n").split("\t"), strict=True)
            record: dict[str, Any] = {name: value for name, value in values if value != "-"}
            for name, value in record.items():
                if convert := read.get(types[name]):
                    record[name] = convert(value)
                elif "%" in value:
                    record[name] = unquote(value)
            for name, end in lists.items():
                if name in record:
                    record[name] = [item for item in record[name].split(end) if item]
            second, _, fraction = record.pop("timestamp").partition(".")
            ids.append(f"{record['x_edge_request_id']}-{second}.{fraction}")
            time = datetime.fromtimestamp(int(second), UTC).replace(tzinfo=None)
            yield f"{time.isoformat()}.{fraction}Z", record

    return _bulk("cloudfront_realtime", source, records(), ids=ids)


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


def waf(data: bytes, source: Source) -> bytes:
    """json.loads for each line, some of the headers picked, json.dumps."""

    def records() -> Iterator[tuple[str, dict[str, Any]]]:
        for line in _text(data):
            record = json.loads(line)
            request: dict[str, str] = {}
            for header in record["httpRequest"]["headers"]:
                name = _HEADERS.get(header["name"].lower())
                if name and name not in request:
                    request[name] = header["value"]
            if request:
                record["request"] = request
            time = datetime.fromtimestamp(record["timestamp"] / 1000, UTC)
            yield time.strftime("%Y-%m-%dT%H:%M:%S.") + f"{record['timestamp'] % 1000:03}Z", record

    return _bulk("waf", source, records())


def config(data: bytes, source: Source) -> bytes:
    """json.loads for the document, json.dumps for each item."""

    def records() -> Iterator[tuple[str, dict[str, Any]]]:
        for item in json.loads(gzip.decompress(data))["configurationItems"]:
            yield item["configurationItemCaptureTime"], item

    return _bulk("config", source, records(), period="%Y.%m")


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
    ids: list[str] | None = None,
    period: str = "%Y.%m.%d",
) -> bytes:
    """Put the frame around each record, as servicelogs.opensearch.frames does."""
    ingested = datetime.now(UTC).isoformat()
    stream = {"group": source.log_group, "stream": source.log_stream} if source.log_group else {}
    lines = []
    for number, (time, record) in enumerate(records, first):
        day = datetime.fromisoformat(time).strftime(period)
        index = f"aws-{log_type.replace('_', '-')}-{day}"
        id_ = record[id_field] if id_field else f"{source.id}-{number}"
        id_ = ids[-1] if ids else id_
        document = {
            "cloud": {"account_id": source.account_id, "region": source.region},
            "event": {"ingested": ingested},
            "log": {"type": log_type, "source": source.uri, **stream, "record": number},
            "@timestamp": time,
            **record,
        }
        lines.append(json.dumps({"create": {"_index": index, "_id": id_}}))
        lines.append(json.dumps(document))
    return "\n".join((*lines, "")).encode()


LOOPS: dict[str, Loop] = {
    "alb": alb,
    "alb_connection": alb_connection,
    "alb_health_check": alb_health_check,
    "clb": clb,
    "cloudfront": cloudfront,
    "cloudfront_realtime": cloudfront_realtime,
    "cloudtrail": cloudtrail,
    "config": config,
    "lambda": lambda_,
    "nlb": nlb,
    "rds": rds,
    "s3_access": s3_access,
    "tgw_flow": tgw_flow,
    "vpc_flow": vpc_flow,
    "waf": waf,
}
