"""Samples of Amazon S3 server access logs."""

import json
import random
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

from local.sample_logs import ACCOUNT, REGION, SampleObject, gzipped
from local.sample_logs.clients import USER_AGENTS, address, address_v6, hexadecimal

_START = datetime(2026, 11, 20, 8, 10, tzinfo=UTC)
_OWNER = "8f3c1ab29d4e5f60718293a4b5c6d7e8f90a1b2c3d4e5f60718293a4b5c6d7e8"
_BUCKET = "shop-assets"
_HOST = f"{_BUCKET}.s3.{REGION}.amazonaws.com"
_REQUESTERS = (
    f"arn:aws:sts::{ACCOUNT}:assumed-role/web/i-0a1b2c3d4e5f60718",
    f"arn:aws:iam::{ACCOUNT}:user/reports",
    _OWNER,
)
_KEYS = ("img/{n}.png", "invoices/2026/{n}.pdf", "static/app.js", "img/red%2520hat-{n}.png")


def generate(records: int, rng: random.Random, seconds: int = 300) -> bytes:
    return "".join(_line(rng, seconds) + "\n" for _ in range(records)).encode()


def objects(rng: random.Random) -> Iterator[SampleObject]:
    folder = f"access/{ACCOUNT}/{REGION}/{_BUCKET}/2026/11/20"
    key = f"{folder}/2026-11-20-00-00-00-0A1B2C3D4E5F6071"
    yield SampleObject("s3_access", key, generate(250, rng), 250)
    lines = [_line(rng) for _ in range(40)]
    odd = [*_odd_lines(rng)]
    # No newline at the end; a line that is none; a line that is cut.
    text = "\n".join((*lines, *odd, "this is no log line", lines[0][:200]))
    key = "access-2026-11-20-08-15-00-7F3A9C0D1E2B4A5F"
    yield SampleObject("s3_access", key, text.encode(), 40 + len(odd) + 2, rejected=2)
    # A V2 delivery writes JSON; its key does not identify it, its first bytes do.
    text = "".join(_json_line(rng) + "\n" for _ in range(30))
    key = "access-json/2026/11/20/08/0a1b2c3d4e5f6071.log.gz"
    yield SampleObject("s3_access", key, gzipped(text.encode()), 30)


def _line(rng: random.Random, seconds: int = 300) -> str:
    """An ordinary line: mostly downloads by an application or from a page, some uploads."""
    kind = rng.choices(("get", "page", "put", "delete", "expire"), (55, 25, 10, 5, 5))[0]
    time = f"[{_START + timedelta(seconds=rng.randrange(seconds)):%d/%b/%Y:%H:%M:%S} +0000]"
    start = f"{_OWNER} {_BUCKET} {time}"
    key = rng.choice(_KEYS).format(n=rng.randrange(10_000))
    size = rng.randrange(200, 900_000)
    host_id = f"{hexadecimal(rng, 48)}/{hexadecimal(rng, 24)}="
    request_id = hexadecimal(rng, 16).upper()
    requester = rng.choice(_REQUESTERS)
    tls = f"{_HOST} TLSv1.3 - - {REGION}"
    signed = f"SigV4 TLS_AES_128_GCM_SHA256 AuthHeader {tls}"
    url = f"/{key.replace('%25', '%')}"
    match kind:
        case "get":
            method, status = rng.choice((("GET", 200), ("GET", 200), ("HEAD", 200), ("GET", 404)))
            error, sent = ("-", str(size)) if status == 200 else ("NoSuchKey", "311")
            of_object = str(size) if status == 200 else "-"
            return (
                f"{start} {address(rng)} {requester} {request_id} REST.{method}.OBJECT {key}"
                f' "{method} {url} HTTP/1.1" {status} {error}'
                f" {'-' if method == 'HEAD' else sent} {of_object}"
                f' {rng.randrange(10, 90)} {rng.randrange(5, 10)} "-"'
                f' "{rng.choice(USER_AGENTS[2:])}" - {host_id} {signed}'
            )
        case "page":
            return (
                f"{start} {address(rng)} - {request_id} WEBSITE.GET.OBJECT {key}"
                f' "GET {url}?x-page={rng.randrange(9)} HTTP/1.1" 200 - {size} {size}'
                f' {rng.randrange(10, 90)} {rng.randrange(5, 10)} "https://shop.example/login"'
                f' "{rng.choice(USER_AGENTS[:3])}" - {host_id}'
                f" - - - {_BUCKET}.s3-website.{REGION}.amazonaws.com - - - {REGION}"
            )
        case "put":
            return (
                f"{start} {address(rng)} {requester} {request_id} REST.PUT.OBJECT {key}"
                f' "PUT {url}?partNumber=1 HTTP/1.1" 200 - - {size} {rng.randrange(90, 900)}'
                f' {rng.randrange(5, 10)} "-" "aws-cli/2.19.1 md/awscrt#0.22.0" - {host_id}'
                f" {signed}"
            )
        case "delete":
            return (
                f"{start} {address(rng)} {requester} {request_id} BATCH.DELETE.OBJECT"
                f" {key.replace('%2520', '+')} - 204 - - {size} - - - - - {host_id} {signed}"
            )
        case _:
            return (
                f"{start} - AmazonS3 {request_id} S3.EXPIRE.OBJECT {key}"
                f' "-" - - - {size} - - "-" "-" - {host_id} - - - - - - - {REGION}'
            )


def _odd_lines(rng: random.Random) -> Iterator[str]:
    """Lines that S3 writes and that are easy to get wrong."""
    line = _line(rng)
    while "WEBSITE.GET" not in line:
        line = _line(rng)
    agent = line.split('"')[5]
    yield line.replace(f'"{agent}"', '"an "agent" of its own"')
    yield line.replace(f'"{agent}"', '"ends in quotes"""')
    yield line.replace("?x-page=", '/a"b"?x-page=')
    yield line.replace("https://shop.example/login", 'https://shop.example/" "login')
    yield line.replace(line.split(" ")[4], address_v6(rng))
    yield line + ' "a column of next year" -'
    yield " ".join(line.split(" ")[:-1])
    yield line[: line.rindex('"') + 3]
    yield line.replace(" HTTP/1.1", "")


def _json_line(rng: random.Random) -> str:
    """A record of a V2 delivery: other names, null, a boolean, milliseconds."""
    key = rng.choice(_KEYS).format(n=rng.randrange(10_000))
    size = rng.randrange(200, 900_000)
    second = f"{rng.randrange(10, 15)}:{rng.randrange(60):02d}.{rng.randrange(1000):03d}"
    record = {
        "schema_version_id": "V_1_0",
        "bucket_arn": f"arn:aws:s3:::{_BUCKET}",
        "bucket_name": _BUCKET,
        "request_time": f"2026-11-20T08:{second}Z",
        "bucket_owner_id": _OWNER,
        "remote_ip": address(rng),
        "requester": rng.choice(_REQUESTERS),
        "request_id": hexadecimal(rng, 16).upper(),
        "operation": "REST.GET.OBJECT",
        "key_name": key,
        "request_uri": f"GET /{key.replace('%25', '%')} HTTP/1.1",
        "http_status": 200,
        "error_code": None,
        "bytes_sent_size": size,
        "object_size": size,
        "total_duration": rng.randrange(10, 90),
        "turn_around_duration": rng.randrange(5, 10),
        "referer": None,
        "user_agent": rng.choice((*USER_AGENTS[2:], 'an "agent" of its own')),
        "version_id": None,
        "host_id": f"{hexadecimal(rng, 48)}/{hexadecimal(rng, 24)}=",
        "signature_version": "SigV4",
        "cipher_suite": "TLS_AES_128_GCM_SHA256",
        "authentication_type": "AuthHeader",
        "host_header": _HOST,
        "tls_version": "TLSv1.3",
        "access_point_arn": None,
        "acl_required": rng.random() < 0.1,
        "source_region": REGION,
    }
    return json.dumps(record, separators=(",", ":"))
