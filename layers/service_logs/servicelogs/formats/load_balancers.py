"""What the logs of load balancers share: names, and how V2 deliveries write them to S3.

A delivery's prefix takes the place of the first folders, so that its keys identify no type; and AWS
does not say how its files are named.
"""

DELIVERIES = (
    "AWSLogs/{account}/elasticloadbalancing/{region}/{day}/{delivered}",
    (
        "AWSLogs/aws-account-id={account}/elasticloadbalancing/region={region}/"
        "year={year}/month={month}/day={day_of_month}/{name}"
    ),
    "AWSLogs/aws-account-id={account}/elasticloadbalancing/{path}",
)
"""Keys of any of their types; the first bytes identify which."""

COMMON = {"cloud.account.id": "cloud.account_id", "cloud.resource_id": "elb"}
"""Elastic Common Schema names of what all their logs have."""

COMMON_OF_REQUESTS = {
    "source.ip": "client_ip",
    "source.port": "client_port",
    "http.request.method": "request_verb",
    "http.response.status_code": "elb_status_code",
    "http.request.bytes": "received_bytes",
    "http.response.bytes": "sent_bytes",
    "url.original": "request_url",
    "url.domain": "request_host",
    "url.port": "request_port",
    "url.path": "request_path",
    "url.query": "request_query",
    "user_agent.original": "user_agent",
    "tls.cipher": "ssl_cipher",
    "tls.version": "ssl_protocol",
    **COMMON,
}
"""The same of the logs of HTTP requests."""

_STRING = r'"(?:[^"\\\n]|\\.)*+"'
_MEMBER = rf"{_STRING}:[ ]?(?:{_STRING}|\[[^]\n]*+\]|[^\",{{}}[\]\n]++)"


def with_member(*names: str) -> str:
    """Match a flat JSON object that has one of these members."""
    return rf'\s*\{{[ ]?(?:{_MEMBER},[ ]?)*?"(?:{"|".join(names)})":'
