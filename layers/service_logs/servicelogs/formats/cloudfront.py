"""CloudFront standard logs, legacy and v2: a header, JSON names or the user say which fields."""

import re

from servicelogs.formats.cloudfront_columns import (
    MEDIA_CLIENT_DATA,
    addresses,
    status,
    url_part,
)
from servicelogs.parsing.format import Summary
from servicelogs.parsing.text.columns import (
    date,
    decoded,
    epoch_millis,
    integer,
    ip,
    keyword,
    long,
    seconds,
    snake,
    time_of_day,
)
from servicelogs.parsing.text.format import Header, TextFormat

DEFAULT = (
    "date time x-edge-location sc-bytes c-ip cs-method cs(Host) cs-uri-stem sc-status cs(Referer)"
    " cs(User-Agent) cs-uri-query cs(Cookie) x-edge-result-type x-edge-request-id x-host-header"
    " cs-protocol cs-bytes time-taken x-forwarded-for ssl-protocol ssl-cipher"
    " x-edge-response-result-type cs-protocol-version fle-status fle-encrypted-fields c-port"
    " time-to-first-byte x-edge-detailed-result-type sc-content-type sc-content-len"
    " sc-range-start sc-range-end"
)


COLUMNS = (
    date("date", "date of the record's time"),
    time_of_day("time", "when the response was finished, or the WebSocket closed", date="date"),
    keyword("x-edge-location", "edge location: an airport's code and a number"),
    long("sc-bytes", "size of the response, headers too, in bytes"),
    ip("c-ip", "address of the viewer, or of its proxy"),
    keyword("cs-method", "request method"),
    decoded("cs(Host)", "domain name of the distribution"),
    url_part("cs-uri-stem", "path in the URL, as requested"),
    status("sc-status", "status code of the response; 0: the viewer left before there was one"),
    decoded("cs(Referer)", "Referer header"),
    decoded("cs(User-Agent)", "User-Agent header"),
    url_part("cs-uri-query", "query string in the URL, as requested"),
    decoded("cs(Cookie)", "Cookie header, if cookies are logged"),
    keyword("x-edge-result-type", "how the response ended: Hit, RefreshHit, Miss, Error, …"),
    keyword("x-edge-request-id", "unique id of the request; the header x-amz-cf-id"),
    decoded("x-host-header", "Host header", since="2013-10"),
    keyword("cs-protocol", "http, https, ws, wss or grpcs", since="2013-10"),
    long("cs-bytes", "size of the request, headers too, in bytes", since="2013-10"),
    seconds("time-taken", "seconds from the request's arrival to the response's last byte"),
    addresses("x-forwarded-for", "X-Forwarded-For header: what the client says, unchecked"),
    keyword("ssl-protocol", "TLS protocol"),
    keyword("ssl-cipher", "TLS cipher"),
    keyword("x-edge-response-result-type", "what the response was when it was about to be sent"),
    keyword("cs-protocol-version", "HTTP version of the request"),
    keyword("fle-status", "field-level encryption: whether the body was processed"),
    integer("fle-encrypted-fields", "field-level encryption: fields encrypted"),
    integer("c-port", "port of the viewer", since="2019-12"),
    seconds("time-to-first-byte", "seconds to the response's first byte", since="2019-12"),
    keyword("x-edge-detailed-result-type", "the result type, or which error", since="2019-12"),
    decoded("sc-content-type", "Content-Type of the response", since="2019-12"),
    long("sc-content-len", "Content-Length of the response", since="2019-12"),
    long("sc-range-start", "start of the range in the response", since="2019-12"),
    long("sc-range-end", "end of the range in the response", since="2019-12"),
    keyword("distribution-tenant-id", "distribution tenant", since="2025"),
    keyword("connection-id", "joins the requests of a connection", since="2025"),
    epoch_millis("timestamp(ms)", "when the response was finished, to the millisecond"),
    seconds("origin-fbl", "seconds to the first byte from the origin", since="v2"),
    seconds("origin-lbl", "seconds to the last byte from the origin", since="v2"),
    long("asn", "autonomous system of the viewer", since="v2"),
    keyword("c-country", "country of the viewer's address, ISO 3166-1", since="v2"),
    decoded("cache-behavior-path-pattern", "path pattern of the cache behavior", since="v2"),
    decoded("viewer-request-log-data", "logged by the viewer request function", since="2026"),
    decoded("viewer-response-log-data", "logged by the viewer response function", since="2026"),
    keyword("DistributionId", "distribution", since="v2"),
    # The API of deliveries takes these too; the guide has them for real-time logs only.
    keyword("timestamp", "when the response was finished", since="v2"),
    ip("s-ip", "address of the CloudFront server", since="v2"),
    keyword("primary-distribution-id", "primary of a staging distribution", since="v2"),
    keyword("primary-distribution-dns-name", "its domain name", since="v2"),
    keyword("r-host", "origin that was chosen by its quality", since="v2"),
    keyword("sr-reason", "why it was chosen", since="v2"),
    keyword("x-edge-mqcs", "its quality score", since="v2"),
    # What a player writes must not cost the record.
    *(decoded(name, meaning, since="v2") for name, meaning in MEDIA_CLIENT_DATA),
)

_IDENTIFYING = [
    column.name for column in COLUMNS if re.match(r"x-edge-|cs[-(]|sc-|c-|timestamp\(", column.name)
]
_IN_HEADER = "|".join(map(re.escape, _IDENTIFYING))
# Parquet's columns have names without hyphens and brackets.
_IN_JSON = "|".join((_IN_HEADER, *map(snake, _IDENTIFYING)))

FORMAT = TextFormat(
    name="cloudfront",
    title="CloudFront standard logs (access logs), legacy and v2",
    page="https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/standard-logs-reference.html",
    service_principal="delivery.logs.amazonaws.com",
    worldwide=r".",
    keys=(
        "AWSLogs/{account}/CloudFront/{folders?}{distribution}.{date_and_hour}.{id}",
        "AWSLogs/aws-account-id={account}/CloudFront/{folders?}{distribution}.{date_and_hour}.{id}",
        "{folders?}accountid={account}/{folders?}{distribution}.{date_and_hour}.{id}",
        "{distribution}.{date_and_hour}.{id}",
    ),
    # Other servers log like this too, but with fields of the server's own (s-ip).
    starts=r"(?:#Version:[^\n]*\n)?#Fields:(?![^\n]*[ \t]s-)(?:[ \t]+[^ \t\r\n]+)*?[ \t]+"
    rf"(?:{_IN_HEADER})[ \t\r\n]"
    rf'|\s*\{{(?=[^{{}}\[\]]*?"(?:{_IN_JSON})"\s*:)'
    # Without a header: the default columns.
    r"|\d{4}-\d\d-\d\d\t\d\d:\d\d:\d\d\t[A-Z]{3}\d+(?:-[A-Z]\d+)?\t\d+\t",
    separator="\t",
    header=Header(default=tuple(DEFAULT.split()), comment=b"#", column_name=r"[0-9A-Za-z()-]+"),
    option="CloudFrontFields",
    times=("timestamp(ms)", "time"),
    columns=COLUMNS,
    common={
        "source.ip": "c_ip",
        "source.port": "c_port",
        "source.as.number": "asn",
        "source.geo.country_iso_code": "c_country",
        "http.request.method": "cs_method",
        "http.request.referrer": "cs_referer",
        "http.request.bytes": "cs_bytes",
        "http.response.status_code": "sc_status",
        "http.response.bytes": "sc_bytes",
        "http.server.request.duration": "time_taken",
        "url.scheme": "cs_protocol",
        "url.domain": "x_host_header",
        "url.path": "cs_uri_stem",
        "url.query": "cs_uri_query",
        "user_agent.original": "cs_user_agent",
        "tls.version": "ssl_protocol",
        "tls.cipher": "ssl_cipher",
        "http.request.id": "x_edge_request_id",
        "cloud.account.id": "cloud.account_id",
        "cloud.resource_id": "cs_host",
    },
    personal={
        "cs_cookie": "cookies",
        "x_forwarded_for": "addresses",
        "connection_id": "joins what one client did",
        "cmcd_session_id": "joins what one client did",
        "cmcd_next_object_request": "URL",
        "viewer_request_log_data": "anything",
        "viewer_response_log_data": "anything",
    },
    summary=Summary(
        by=("cs_host", "cs_method", "cs_protocol", "sc_status", "x_edge_result_type"),
        sums=("sc_bytes", "cs_bytes", "time_taken", "time_to_first_byte"),
    ),
)
