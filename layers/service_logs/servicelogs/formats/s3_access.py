"""Amazon S3 server access logs.

S3 writes quotes inside a value in quotes as they came. So a value ends where what follows it can be
the rest of the line: the request at the first such quote, since what a client may choose freely
(its referrer, its user agent) comes after it; the referrer at the first one too; the user agent at
the last, but for quotes in columns that AWS has yet to name. No quote is looked at from every other
one: the time this takes grows with the line's length, whatever a client sends.

Words without quotes may hold spaces (a requester, a host id). So what stands behind one has a form,
and a line whose words are not where they belong is not a record.
"""

import re
from dataclasses import replace
from datetime import UTC, datetime
from itertools import starmap

from servicelogs.dates import hour_of, iso_hour
from servicelogs.parsing.fields import Field
from servicelogs.parsing.format import Summary
from servicelogs.parsing.text.columns import (
    CIPHER,
    EMPTY,
    TLS_VERSION,
    Column,
    Form,
    Group,
    Variant,
    integer,
    ip,
    keyword,
    long,
    percent_decoded,
    quotes_escaped,
    text,
    time,
)
from servicelogs.parsing.text.format import TextFormat

_BATCH = "BATCH.DELETE.OBJECT"
_MONTHS = b"Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec".split()


def _bracketed_time(name: str, description: str) -> Column:
    """The record's time, `[20/Nov/2026:08:14:55 +0000]`; the document has it as `@timestamp`."""
    field = Field(name, "timestamp", description, alias_of="@timestamp")
    groups = (Group(field, "hidden"), Group(None, "hidden"))
    pattern = r"\[(\d\d/[A-Z][a-z]{2}/\d{4}:\d\d)(:[0-5]\d:[0-5]\d) \+0000\]"
    expects = "a time in UTC, as [20/Nov/2026:08:14:55 +0000]"
    return Column(name, (Variant(pattern, groups),), read_time=_hour, expects=expects)


def _hour(text: bytes) -> tuple[int, bytes]:
    """Read an hour as S3 writes it, `20/Nov/2026:08`; a ValueError if it is not one."""
    day, month, year, of_day = re.split(b"[/:]", text)
    moment = datetime(int(year), _MONTHS.index(month) + 1, int(day), int(of_day), tzinfo=UTC)
    hour = hour_of(moment)
    return hour, iso_hour(hour)


def _requester(name: str, description: str) -> Column:
    """A word; the ARN of an origin access identity of CloudFront's has spaces."""
    column = keyword(name, description)
    groups = column.variants[0].groups
    words = Variant(r"(arn:[^<end>]++(?: [^<end>]++){1,8}?)", groups)
    return replace(column, variants=(*column.variants, words), in_json=column)


def _host_id(name: str, description: str, *, since: str) -> Column:
    """A word, or two."""
    column = keyword(name, description, since=since)
    two = Variant(r"([^<end>]++ [^<end>]++)", column.variants[0].groups)
    return replace(column, variants=(*column.variants, two), in_json=column)


def _key(name: str, description: str, behind_batch: tuple[str, ...]) -> Column:
    """An object key: as S3 writes it, and decoded; only in batch deletions is `+` a space.

    `behind_batch` is what stands before the key of one.
    """
    key = Group(Field(name, "keyword", f"{description}, percent-encoded once or twice"))
    decoded = Group(Field(f"{name}_decoded", "keyword", f"{description}, decoded once"))
    encoded = r"(([^<end>%+]*+[%+][^<end>]*))"
    behind = "|".join(f"(?<={re.escape(_BATCH + some)})" for some in behind_batch)
    return Column(
        name,
        (
            Variant(r"(([^<end>%+-][^<end>%+]*+))", (key, decoded)),
            Variant(rf"(?!{behind}){encoded}", (key, decoded._replace(convert=percent_decoded))),
            Variant(rf"(?:{behind}){encoded}", (key, decoded._replace(convert=_form_decoded))),
            Variant(r"((-[^<end>%+]++))", (key, decoded)),
        ),
    )


def _form_decoded(value: bytes) -> bytes:
    return percent_decoded(value.replace(b"+", b" "))


_WORD = r'[^ "-][^ "]*'


def _request(name: str, description: str) -> Column:
    """A request line, `METHOD URL PROTOCOL`, whole and in parts; a copy's may have no protocol.

    A URL that does not begin with a slash has no path.
    """

    def group(suffix: str, meaning: str, *, optional: bool = False) -> Group:
        field = Field(f"request_{suffix}", "keyword", f"{description}: {meaning}")
        return Group(field, optional=optional)

    whole = Group(Field(name, "keyword", description))
    verb, url = group("verb", "method"), group("url", "URL as requested")
    path, query = group("path", "path in the URL"), group("query", "query string", optional=True)
    protocol = group("proto", "protocol version")
    groups = (whole, verb, url, path, query, protocol._replace(optional=True))
    return Column(
        name,
        (
            Variant(rf'(({_WORD}) ((/[^ "?]*)(?:\?([^ "]*))?)(?: ({_WORD}))?)', groups),
            Variant(
                rf"(({_WORD}) ((?! )[^<end>?]*(?:\?([^<end>]*))?)? (HTTP/[0-9.]+))",
                (whole, verb, url._replace(optional=True), query, protocol),
                otherwise=True,
            ),
            Variant(
                r'(([A-Z]+) ((?=[^ "])[^ "?]*(?:\?([^ "]*))?))',
                (whole, verb, url, query),
                otherwise=True,
            ),
            Variant(r"([^<end>]+)", (whole,), otherwise=True),
            EMPTY,
        ),
        quoted=True,
        expects="a request line in quotes",
    )


def _unescaped(column: Column, *with_quotes: tuple[int, str], end: str = "") -> Column:
    """Give a column in quotes as S3 writes it: a dash may have none, a value may have some inside.

    The patterns of such values, each with the variant of the column whose groups it has; and what
    comes behind any other value.
    """

    def without(variant: Variant) -> Variant:
        pattern = variant.pattern.replace("<end>", '"')
        return variant._replace(pattern=f'"{pattern}"{end}', quotes=2)

    def with_some(number: int, pattern: str) -> Variant:
        groups = column.variants[number].groups
        converted = tuple(group._replace(convert=quotes_escaped) for group in groups)
        return Variant(pattern, converted, quotes=None)

    bare = Variant(f"(-){end}", (Group(None),))
    return Column(
        column.name,
        (*map(without, column.variants), bare, *starmap(with_some, with_quotes)),
        null=f'"{column.null}"{end}',
        in_json=column,
        expects=column.expects or "text in quotes",
    )


# What follows a request: status, error, two sizes, two times, and how the referrer begins.
_BEHIND_REQUEST = r' (?:\d{3}|-) [^ "]++ (?:(?:\d++|-) ){4}["-]'
# What follows a referrer: how the user agent begins; a dash only where no quote comes any more.
_BEHIND_REFERRER = r' (?:"|- [^"]*+$)'
# Else a client could write columns of its own behind a quote in its user agent. (No quote in the
# pattern itself: those in the pattern of null are counted.)
_NO_MORE_QUOTES = r"(?=[^\x22]*+$)"
# What follows a user agent, up to the TLS version: words without quotes.
_BEHIND_USER_AGENT = r'(?: [^ "]++){7}'
_LAST_QUOTE_ENDS_IT = rf'(?>.*"){_BEHIND_USER_AGENT}'


def _up_to(behind: str) -> str:
    """Give the pattern of a value with quotes inside, up to the first one before something."""
    return rf'"([^"]*+(?:"(?!{behind})[^"]*+)++)"'


def _uri_with_quotes(url: str, protocol: str) -> str:
    """Give the pattern of a request without spaces in its URL that has quotes inside."""
    ends_later = rf'(?=[^"]*"(?!{_BEHIND_REQUEST}))'
    return rf'"{ends_later}(({_WORD}) ({url}(?:\?([^ ]*))?){protocol})"'


_REQUEST_URI = _request("request_uri", "request line")
_REFERER = text("referer", "Referer header")
_USER_AGENT = text("user_agent", "User-Agent header")
_ACL_REQUIRED = "Yes: the request needed an ACL to be allowed; else none, in JSON records No"


def _acl_required(name: str, description: str, *, since: str = "") -> Column:
    """Yes, or in JSON a boolean."""
    column = keyword(name, description, since=since, form=Form("[A-Z][a-z]++", "Yes"))
    of_json = keyword(name, description, since=since)
    variants = tuple(
        v._replace(groups=tuple(group._replace(convert=_yes) for group in v.groups))
        for v in of_json.variants
    )
    return replace(column, in_json=replace(of_json, variants=variants))


def _yes(value: bytes) -> bytes:
    return {b"true": b"Yes", b"false": b"No"}.get(value, value)


FORMAT = TextFormat(
    name="s3_access",
    title="Amazon S3 server access logs",
    page="https://docs.aws.amazon.com/AmazonS3/latest/userguide/LogFormat.html",
    service_principal="logging.s3.amazonaws.com",
    keys=(
        # With the source bucket's account and Region; such keys fit the last layout too.
        "{prefix?}{account}/{region}/{name}/{day}/{moment}-{unique}",
        "AWSLogs/{account}/S3AccessLogs/{region}/{folders?}{prefix?}{moment}-{unique}",
        "{prefix?}{moment}-{unique}",
    ),
    starts=r"\S+[ ][a-z0-9A-Z._-]{3,255}[ ]"
    r"\[\d\d/[A-Z][a-z]{2}/\d{4}:\d\d:\d\d:\d\d[ ]\+0000\][ ]"
    r"(?:\S+[ ]){3,9}?[A-Z0-9]+\.[A-Z]"
    r'|\s*\{(?=[^\n]*"(?:bucket_owner_id|bytes_sent_size|turn_around_duration)"\s*:)',
    times=("time",),
    escapes_quotes=False,
    columns=(
        keyword("bucket_owner", "canonical user id of the bucket's owner"),
        keyword("bucket", "bucket that the request was for"),
        _bracketed_time("time", "when the request was received"),
        ip("remote_ip", "who sent the request, or a proxy; none for what S3 does itself"),
        _requester("requester", "canonical user id, IAM ARN or service; none if unauthenticated"),
        keyword("request_id", "request; the rows of a batch deletion share it"),
        keyword(
            "operation", "REST.METHOD.RESOURCE, WEBSITE.…, BATCH.…, S3.ACTION.RESOURCE, SOAP.…"
        ),
        _key("key", "object key", (" ",)),
        _unescaped(
            _REQUEST_URI,
            (0, _uri_with_quotes("(/[^ ?]*)", f"(?: ({_WORD}))?")),
            (1, _uri_with_quotes("(?![/ ])[^ ?]*", " (HTTP/[0-9.]+)")),
            (3, _up_to(_BEHIND_REQUEST)),
        ),
        integer("http_status", "status code of the response"),
        keyword("error_code", "S3's error code"),
        long("bytes_sent", "size of the response without headers, in bytes; none for zero"),
        long("object_size", "size of the object, in bytes"),
        long("total_time", "milliseconds from the request's first byte to the response's last"),
        long("turn_around_time", "milliseconds that S3 took before the response's first byte"),
        _unescaped(_REFERER, (0, _up_to(_BEHIND_REFERRER))),
        _unescaped(
            _USER_AGENT,
            (0, rf'"(?={_LAST_QUOTE_ENDS_IT})(.*)"{_NO_MORE_QUOTES}'),
            # Else a quote behind it is AWS's own.
            (0, rf'"(?!{_LAST_QUOTE_ENDS_IT})(.*)"(?= [^ "]++$|{_BEHIND_USER_AGENT})'),
            end=_NO_MORE_QUOTES,
        ),
        keyword("version_id", "version of the object that was asked for"),
        _host_id("host_id", "x-amz-id-2, the extended request id", since="2019"),
        keyword(
            "signature_version",
            "SigV2 or SigV4; none if unauthenticated",
            since="2019",
            form=Form(r"SigV[0-9][^<end>]*+", "a signature version, as SigV4"),
        ),
        keyword("cipher_suite", "TLS cipher; none for plain HTTP", since="2019", form=CIPHER),
        keyword(
            "authentication_type",
            "AuthHeader or QueryString (presigned URL)",
            since="2019",
            form=Form(r"[A-Z][A-Za-z]*+", "AuthHeader or QueryString"),
        ),
        keyword("host_header", "endpoint that the request was sent to", since="2019"),
        keyword("tls_version", "TLS protocol", since="2019", form=TLS_VERSION),
        keyword(
            "access_point_arn",
            "access point that was used",
            since="2021",
            form=Form(r"arn:[^<end>]++", "an ARN"),
        ),
        _acl_required("acl_required", _ACL_REQUIRED, since="2022"),
        keyword(
            "source_region",
            "Region that the request came from",
            since="2025",
            form=Form(r"[a-z][0-9a-z]*+-[0-9a-z-]++", "a Region, as eu-west-1"),
        ),
    ),
    # What is shorter and goes on has words that are not where they belong.
    open_since="2019",
    json_names={
        "schema_version_id": keyword(
            "schema_version_id", "version of the JSON record", since="2026"
        ),
        "bucket_arn": keyword("bucket_arn", "ARN of the bucket, in JSON records", since="2026"),
        "bucket_owner_id": "bucket_owner",
        "bucket_name": "bucket",
        "request_time": time("time", "when the request was received"),
        "key_name": _key("key", "object key", ('","key_name":"', '", "key_name": "')),
        "bytes_sent_size": "bytes_sent",
        "total_duration": "total_time",
        "turn_around_duration": "turn_around_time",
    },
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
        "http.request.id": "request_id",
        "event.duration_ms": "total_time",
        "error.code": "error_code",
        "cloud.account.id": "cloud.account_id",
        "cloud.resource_id": "bucket",
    },
    personal={
        "key": "object's key",
        "key_decoded": "object's key",
        "request_uri": "URL",
    },
    summary=Summary(
        by=("bucket", "operation", "http_status", "error_code"),
        sums=("bytes_sent", "object_size", "total_time", "turn_around_time"),
    ),
)
