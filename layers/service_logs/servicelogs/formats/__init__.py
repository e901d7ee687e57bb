"""The log formats by name, and which of them an object has."""

import re
from functools import cache
from importlib import import_module
from typing import NamedTuple

from servicelogs.errors import UnknownLogType
from servicelogs.formats.format import Format
from servicelogs.formats.keys import key_pattern, why_no_log

NAMES = ("alb", "cloudfront", "cloudtrail", "s3_access", "vpc_flow")
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
        what = f"could be {' or '.join(found)}" if found else "is of no known type"
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


def _by_key(key: str) -> dict[str, tuple[str, str]]:
    """Find the formats with this key's layout, and the account and Region it names for each."""
    found = {}
    for name in NAMES:
        for template in get(name).keys:
            if match := key_pattern(template).fullmatch(key):
                place = {"account": "", "region": "", **match.groupdict()}
                found.setdefault(name, (place["account"], place["region"]))
    return found


def _by_start(start: bytes, names: tuple[str, ...]) -> dict[str, tuple[str, str]]:
    return {name: ("", "") for name in names if _start(name).match(start)}


@cache
def _start(name: str) -> re.Pattern[bytes]:
    return re.compile(get(name).starts.encode(), re.DOTALL)


def _why_no_log(start: bytes) -> str:
    if not start.strip() and len(start) < START_BYTES:
        return "an empty object"
    if re.match(rb"\s*\{(?=[^{}\[\]]*\"digestStartTime\"\s*:)", start):
        return "a digest of CloudTrail's files"
    if start.startswith((b"Enable AccessLog for ELB", b"Enable ConnectionLog for ELB")):
        return "a test of access"
    return ""
