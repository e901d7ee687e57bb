"""The log formats by name, and which of them an object has."""

import re
from collections.abc import Callable
from functools import cache
from importlib import import_module
from typing import NamedTuple

from servicelogs.errors import UnknownLogType
from servicelogs.formats.keys import key_pattern, why_no_log
from servicelogs.parsing.format import Format

NAMES = (
    "alb",
    "alb_connection",
    "alb_health_check",
    "clb",
    "cloudfront",
    "cloudtrail",
    "config",
    "nlb",
    "s3_access",
    "tgw_flow",
    "vpc_flow",
    "waf",
)
"""Every format there is; a format's module is imported when it is first asked for."""

START_BYTES = 4096
"""So many first bytes of an object tell its format."""


class Detected(NamedTuple):
    """What an object's key or first bytes say of it."""

    format: Format | None
    skip: str = ""
    """What the object is, if it is no log."""
    account_id: str = ""
    region: str = ""


@cache
def get(name: str) -> Format:
    """Give the format with this name."""
    if name not in NAMES:
        raise UnknownLogType(f"{name!r} is no log type; there are {', '.join(NAMES)}")
    format_: Format = import_module(f"servicelogs.formats.{name}").FORMAT
    return format_


def detect(key: str, start: bytes) -> Detected:
    """Tell an object's format from its key, else from its first (decompressed) bytes.

    An UnknownLogType if neither tells.
    """
    by_key = _by_key(key)
    skip = why_no_log(key) or _why_no_log(start)
    if skip:
        return Detected(None, skip)
    found = by_key if len(by_key) == 1 else _by_start(start, tuple(by_key) or NAMES)
    if len(found) != 1:
        could_be = f"could be {' or '.join(found or by_key)}"
        what = (
            could_be if found else f"{could_be}, but is none" if by_key else "is of no known type"
        )
        raise UnknownLogType(f"the object {key!r} {what}; it starts with {start[:60]!r}")
    (name,) = found
    return Detected(get(name), "", *by_key.get(name, ("", "")))


def detect_by_key(key: str) -> Detected | None:
    """Tell an object's format from its key alone; None if that is not enough."""
    if skip := why_no_log(key):
        return Detected(None, skip)
    found = _by_key(key)
    if len(found) != 1:
        return None
    ((name, place),) = found.items()
    return Detected(get(name), "", *place)


def place(key: str, name: str) -> tuple[str, str]:
    """Tell account and Region from the key of an object whose type is known; empty if not told."""
    by_key = _by_key(key)
    return by_key.get(name) or next(iter(by_key.values()), ("", ""))


def _by_key(key: str) -> dict[str, tuple[str, str]]:
    """Find the formats with this key's layout, and the account and Region it names for each."""
    found: dict[str, tuple[str, str]] = {}
    for name, fits in _layouts():
        if name not in found and (match := fits(key)):
            told = match.groupdict()
            found[name] = (told.get("account", ""), told.get("region", ""))
    return found


@cache
def _layouts() -> tuple[tuple[str, Callable[[str], re.Match[str] | None]], ...]:
    """Compile the key layouts of all formats."""
    return tuple((name, key_pattern(t).fullmatch) for name in NAMES for t in get(name).keys)


def _by_start(start: bytes, names: tuple[str, ...]) -> dict[str, tuple[str, str]]:
    start = start.lstrip()
    return {name: ("", "") for name in names if _start(name).match(start)}


@cache
def _start(name: str) -> re.Pattern[bytes]:
    return re.compile(get(name).starts.encode(), re.DOTALL)


def _why_no_log(start: bytes) -> str:
    if not start.strip() and len(start) < START_BYTES:
        return "an empty object"
    if re.match(rb"\s*\{(?=[^{}\[\]]*\"digestStartTime\"\s*:)", start):
        return "a digest of CloudTrail's files"
    if re.match(rb"Enable (?:Access|Connection|HealthCheck)Log for ELB", start):
        return "a test of access"
    return ""
