"""Amazon S3 server access logs.

S3 writes quotes inside a value in quotes as they came. So a value ends where what follows it can be
the rest of the line: the request at the first such quote, since what a client may choose freely
(its referrer, its user agent) comes after it; the referrer at the first one too; the user agent,
behind which no quote is written, at the last. No quote is looked at from every other one: the time
this takes grows with the line's length, whatever a client sends.
"""

import re
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import override

from servicelogs.formats.columns import (
    Column,
    Part,
    Variant,
    integer,
    ip,
    keyword,
    long,
    percent_decoded,
    quotes_escaped,
)
from servicelogs.formats.delimited import Delimited
from servicelogs.formats.fields import Field

_MONTHS = b"Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec".split()


def _time(name: str, description: str) -> Column:
    """The record's time, `[20/Nov/2026:08:14:55 +0000]`; the document has it as `@timestamp`."""
    field = Field(name, "timestamp", description, alias_of="@timestamp")
    parts = (Part(field, "hidden"), Part(None, "hidden"))
    pattern = r"\[(\d\d/[A-Z][a-z]{2}/\d{4}:\d\d)(:[0-5]\d:[0-5]\d) \+0000\]"
    return Column(name, (Variant(pattern, parts),), moment=_hour)


def _hour(text: bytes) -> tuple[datetime, str]:
    """Read an hour as S3 writes it, `20/Nov/2026:08`; a ValueError if it is none."""
    day, month, year, hour = re.split(b"[/:]", text)
    moment = datetime(int(year), _MONTHS.index(month) + 1, int(day), int(hour), tzinfo=UTC)
    return moment, moment.isoformat()[:13]


def _key(name: str, description: str) -> Column:
    """An object key: as S3 writes it, and decoded; only in batch deletions is `+` a space."""
    key = Part(Field(name, "keyword", f"{description}, percent-encoded once or twice"))
    decoded = Part(Field(f"{name}_decoded", "keyword", f"{description}, decoded once"))
    encoded = r"(([^\E%+]*+[%+]\S*))"
    return Column(
        name,
        (
            Variant(r"(([^\E%+-][^\E%+]*+))", (key, decoded)),
            Variant(
                rf"(?<!BATCH\.DELETE\.OBJECT.){encoded}",
                (key, decoded._replace(convert=percent_decoded)),
            ),
            Variant(
                rf"(?<=BATCH\.DELETE\.OBJECT.){encoded}",
                (key, decoded._replace(convert=_form_decoded)),
            ),
            Variant(r"((-[^\E%+]++))", (key, decoded)),
        ),
    )


def _form_decoded(value: bytes) -> bytes:
    return percent_decoded(value.replace(b"+", b" "))


# What follows a request: status, error, two sizes, two times, and how the referrer begins.
_BEHIND_REQUEST = r' (?:\d{3}|-) [^ "]++ (?:(?:\d++|-) ){4}["-]'
# What follows a referrer: how the user agent begins; a dash only where no quote comes any more.
_BEHIND_REFERRER = r' (?:"|- [^"]*+$)'
# Else a client could write columns of its own behind a quote in its user agent.
_NO_MORE_QUOTES = r"(?=[^\x22]*+$)"


def _request(name: str, description: str) -> Column:
    """A request line in quotes, `METHOD URL PROTOCOL`, whole and in parts."""

    def part(suffix: str, meaning: str, *, optional: bool = False) -> Part:
        field = Field(f"request_{suffix}", "keyword", f"{description}: {meaning}")
        return Part(field, optional=optional)

    whole = Part(Field(name, "keyword", description))
    verb, url = part("verb", "method"), part("url", "URL as requested")
    path, query = part("path", "path in the URL"), part("query", "query string", optional=True)
    protocol = part("proto", "protocol version")
    # The source of a copy may have no protocol.
    parts = (whole, verb, url, path, query, protocol._replace(optional=True))
    word = r'[^ "-][^ "]*'
    inner = rf'"(?!{_BEHIND_REQUEST})'
    return _in_quotes(
        name,
        (
            Variant(rf'(({word}) ((/[^ "?]*)(?:\?([^ "]*))?)(?: ({word}))?)', parts),
            Variant(
                rf'(({word}) ([^"]*) (HTTP/[0-9.]+))', (whole, verb, url, protocol), otherwise=True
            ),
            Variant('([^"]*)', (whole,), otherwise=True),
        ),
        (
            Variant(rf'(?=[^"]*{inner})(({word}) ((/[^ ?]*)(?:\?([^ ]*))?)(?: ({word}))?)', parts),
            Variant(rf'([^"]*+(?:{inner}[^"]*+)++)', (whole,)),
        ),
    )


def _header(name: str, description: str, with_quotes: str, end: str = "") -> Column:
    """A header of the request, in quotes; how it may look with some inside it, what ends it."""
    parts = (Part(Field(name, "keyword", description)),)
    plain = (Variant('([^"-][^"]*)', parts), Variant('(-[^"]+|)', parts))
    return _in_quotes(name, plain, (Variant(with_quotes, parts),), end)


def _in_quotes(
    name: str, plain: tuple[Variant, ...], with_quotes: tuple[Variant, ...], end: str = ""
) -> Column:
    """A value in quotes, without and with such inside it; none is a dash, in quotes or without."""
    return Column(
        name,
        (
            *(v._replace(pattern=f'"{v.pattern}"{end}', quotes=2) for v in plain),
            Variant(f"(-){end}", (Part(None),)),
            *(
                Variant(
                    f'"{v.pattern}"',
                    tuple(part._replace(convert=quotes_escaped) for part in v.parts),
                    quotes=None,
                )
                for v in with_quotes
            ),
        ),
        null=f'"-"{end}',
    )


@dataclass(frozen=True, kw_only=True)
class _ServerAccess(Delimited):
    """Text in which nothing is escaped."""

    @override
    def as_meant(self, line: bytes) -> bytes:
        return line  # a backslash before a quote is only a backslash


FORMAT = _ServerAccess(
    name="s3_access",
    title="Amazon S3 server access logs",
    page="https://docs.aws.amazon.com/AmazonS3/latest/userguide/LogFormat.html",
    deliverer="logging.s3.amazonaws.com",
    keys=(
        "{prefix?}{moment}-{unique}",
        # The source bucket's account and Region; the key fits the layout above too.
        "{prefix?}{account}/{region}/{name}/{day}/{moment}-{unique}",
    ),
    starts=r"\S+[ ][a-z0-9A-Z._-]{3,255}[ ]"
    r"\[\d\d/[A-Z][a-z]{2}/\d{4}:\d\d:\d\d:\d\d[ ]\+0000\][ ](?:\S+[ ]){3}[A-Z]+\.[A-Z]",
    time="time",
    columns=(
        keyword("bucket_owner", "canonical user id of the bucket's owner"),
        keyword("bucket", "bucket that the request was for"),
        _time("time", "when the request was received"),
        ip("remote_ip", "who sent the request, or a proxy; none for what S3 does itself"),
        keyword("requester", "canonical user id, IAM ARN or service; none if unauthenticated"),
        keyword("request_id", "request; the rows of a batch deletion share it"),
        keyword(
            "operation", "REST.METHOD.RESOURCE, WEBSITE.…, BATCH.…, S3.ACTION.RESOURCE, SOAP.…"
        ),
        _key("key", "object key"),
        _request("request_uri", "request line"),
        integer("http_status", "status code of the response"),
        keyword("error_code", "S3's error code"),
        long("bytes_sent", "size of the response without headers, in bytes; none for zero"),
        long("object_size", "size of the object, in bytes"),
        long("total_time", "milliseconds from the request's first byte to the response's last"),
        long("turn_around_time", "milliseconds that S3 took before the response's first byte"),
        _header("referer", "Referer header", rf'([^"]*+(?:"(?!{_BEHIND_REFERRER})[^"]*+)++)'),
        _header("user_agent", "User-Agent header", "(.*)", _NO_MORE_QUOTES),
        keyword("version_id", "version of the object that was asked for"),
        keyword("host_id", "x-amz-id-2, the extended request id", since="2019"),
        keyword("signature_version", "SigV2 or SigV4; none if unauthenticated", since="2019"),
        keyword("cipher_suite", "TLS cipher; none for plain HTTP", since="2019"),
        keyword("authentication_type", "AuthHeader or QueryString (presigned URL)", since="2019"),
        keyword("host_header", "endpoint that the request was sent to", since="2019"),
        keyword("tls_version", "TLS protocol", since="2019"),
        keyword("access_point_arn", "access point that was used", since="2021"),
        keyword("acl_required", "Yes: the request needed an ACL to be allowed", since="2022"),
        keyword("source_region", "Region that the request came from", since="2025"),
    ),
    common={
        "source.ip": "remote_ip",
        "user.id": "requester",
        "user_agent.original": "user_agent",
        "http.request.method": "request_verb",
        "http.request.referrer": "referer",
        "http.response.status_code": "http_status",
        "http.response.bytes": "bytes_sent",
        "url.original": "request_url",
        "url.domain": "host_header",
        "url.path": "request_path",
        "url.query": "request_query",
        "tls.version": "tls_version",
        "tls.cipher": "cipher_suite",
        "event.action": "operation",
        "event.id": "request_id",
        "event.duration_ms": "total_time",
        "error.code": "error_code",
        "cloud.account.id": "cloud.account_id",
        "cloud.resource_id": "bucket",
    },
)
