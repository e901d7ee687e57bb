"""The log formats by name."""

from functools import cache
from importlib import import_module
from keyword import iskeyword

from servicelogs.errors import UnknownLogType
from servicelogs.parsing.format import Format

NAMES = (
    "alb",
    "alb_connection",
    "alb_health_check",
    "clb",
    "cloudfront",
    "cloudfront_realtime",
    "cloudtrail",
    "config",
    "lambda",
    "nlb",
    "rds",
    "s3_access",
    "tgw_flow",
    "vpc_flow",
    "waf",
)
"""Every format there is; a format's module is imported when it is first asked for."""


@cache
def get(name: str) -> Format:
    """Give the format with this name."""
    if name not in NAMES:
        raise UnknownLogType(f"{name[:60]!r} is not a log type; there are {', '.join(NAMES)}")
    format_: Format = import_module(f"servicelogs.formats.{module_name(name)}").FORMAT
    return format_


def module_name(name: str) -> str:
    """Give the name of the module that is about a log type, which `lambda` itself cannot be."""
    return f"{name}_" if iskeyword(name) else name
