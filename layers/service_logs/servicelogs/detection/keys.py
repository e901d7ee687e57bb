"""Object keys as AWS lays them out: what they say of an object before it is read."""

import re
from collections.abc import Callable
from functools import cache

from servicelogs import formats
from servicelogs.parsing.places import Place

# Its place in a key identifies a Region: not all look like `eu-west-1` (`eusc-de-east-1`).
_REGION = "[a-z0-9]{1,12}(?:-[a-z0-9]{1,12}){1,4}"
# A web ACL of CloudFront is global, and belongs to this Region.
_REGIONS_OF_GLOBAL_SERVICES = {"cloudfront": "us-east-1"}
_PLACEHOLDERS = {
    "account": r"\d{12}",
    "region": rf"(?:{_REGION}|cloudfront)",
    "organization?": r"(?:o-[a-z0-9]{10,32}/)?",
    "day": r"\d{4}/\d{1,2}/\d{1,2}",
    "hour?": r"(?:\d{2}/)?",
    "year": r"\d{4}",
    "month": r"\d{2}",
    "day_of_month": r"\d{2}",
    "hive_hour?": r"(?:hour=\d{2}/)?",
    "aws?": r"(?:aws-)?",
    "load_balancer": r"[0-9A-Za-z-]+",
    # A file of a V2 delivery: not one of those that load balancers write themselves.
    "delivered": r"(?!(?:conn_log_|health_check_log_)?\d{12}_elasticloadbalancing_)[^/]+",
    "kind?": r"(?:-Insight|-NetworkActivity|-Aggregated)?",
    "minute": r"\d{8}T\d{4}Z",
    "second": r"\d{8}T\d{6}Z",
    "hour_and_minute": r"\d{2}/\d{2}",
    "id": r"[0-9A-Za-z-]+",
    "name": r"[^/]+",
    "path": r".+",
    # S3 access logs: a prefix that no slash need end, the time, and what makes the key unique.
    "prefix?": r"[^/]*",
    "moment": r"\d{4}(?:-\d{2}){5}",
    "unique": r"[0-9A-Z]{16}",
    # CloudFront: the folders that a delivery is set to make, a distribution, its events' hour.
    "folders?": r"(?:[^/]+/)*",
    "distribution": r"E[0-9A-Z]{7,19}",
    "date_and_hour": r"\d{4}(?:-\d{2}){3}",
}


NOT_LOGS = {
    "a folder marker": r".*/",
    "a CloudTrail digest file": r"(?:.*/)?AWSLogs/.*/CloudTrail-Digest/.*",
    # https://docs.aws.amazon.com/firehose/latest/dev/s3-prefixes.html (error-output-type)
    "what Firehose could not process": r"(?:.*/)?"
    r"(?:processing|decompression|format-conversion)-failed/.*",
    "an AWS test file": r"(?:.*/)?(?:ELB(?:Access|Connection|HealthCheck)LogTestFile"
    r"|ConfigWritabilityCheckFile|aws-programmatic-access-test-object|aws-logs-write-test)",
}
"""Objects among the logs that hold none, by what they are."""

_NOT_LOGS = {reason: re.compile(pattern) for reason, pattern in NOT_LOGS.items()}


def why_not_a_log(key: str) -> str:
    """Say what an object with this key is, if it is not a log; empty if it may be one."""
    return next((reason for reason, pattern in _NOT_LOGS.items() if pattern.fullmatch(key)), "")


def places(key: str) -> dict[str, Place]:
    """Find the log types with this key's layout, and the place that it names for each."""
    found: dict[str, Place] = {}
    for name, literal, match in _layouts():
        if literal in key and name not in found and (matched := match(key)):
            named = matched.groupdict()
            region = named.get("region", "")
            region = _REGIONS_OF_GLOBAL_SERVICES.get(region, region)
            found[name] = Place(named.get("account", ""), region)
    return found


@cache
def _layouts() -> tuple[tuple[str, str, Callable[[str], re.Match[str] | None]], ...]:
    """Compile the key layouts of all formats, each with the longest text that is always in it."""
    return tuple(
        (name, max(re.split(r"\{[^}]*\}", template), key=len), key_pattern(template).fullmatch)
        for name in formats.NAMES
        for template in formats.get(name).keys
    )


def key_pattern(template: str) -> re.Pattern[str]:
    """Compile a key's layout, behind any prefix and before any ending.

    The first account and Region in it are the groups `account` and `region`.
    """
    pattern = ""
    for literal, name in re.findall(r"([^{]*)(?:\{([^}]+)\})?", template):
        pattern += re.escape(literal)
        if name:
            group = name in ("account", "region") and f"(?P<{name}>" not in pattern
            pattern += f"(?P<{name}>{_PLACEHOLDERS[name]})" if group else _PLACEHOLDERS[name]
    return re.compile(rf"(?:.*/)?{pattern}(?:\.\w+)*", re.ASCII)
