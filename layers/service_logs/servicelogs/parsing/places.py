"""The account and Region that a record names itself, where the place it comes from does not."""

import re
from collections.abc import Iterable
from typing import NamedTuple

from servicelogs.parsing.format import Format
from servicelogs.records import Source

_account = re.compile(r"\d{12}", re.ASCII).fullmatch
# All Regions end in a number behind a hyphen; `global` and the ids of resources do not. Where it
# comes from says less: it becomes the name of a folder, and whoever writes a log may make one up.
_region = re.compile(r"[a-z][a-z0-9]{0,11}(?:-[a-z0-9]{1,12}){0,3}-\d{1,2}", re.ASCII).fullmatch
_ARN_PARTS = 6


class Place(NamedTuple):
    """An account and a Region; empty if they are not known."""

    account_id: str = ""
    region: str = ""


NOWHERE = Place()


def names_places(log_format: Format, source: Source) -> bool:
    """Say whether records are asked for their account and Region.

    That is where the source is silent, or is a log group, which may hold records of others than its
    owner's (an organization's trail).
    """
    says_all = source.account_id and source.region and not source.log_group
    return bool(log_format.places) and not says_all


def place_in(source: Source, named: Place) -> Place:
    """Choose between the account and Region of a source and those that a record of it names."""
    of_source = Place(source.account_id, source.region)
    first, second = (named, of_source) if source.log_group else (of_source, named)
    return Place(first.account_id or second.account_id, first.region or second.region)


def place_of(values: Iterable[str]) -> Place:
    """Find the first account and the first Region among values: such themselves, or in an ARN."""
    account_id = region = ""
    for value in values:
        *_, of_region, of_account, _ = _arn(value)
        account_id = account_id or next(filter(_account, (value, of_account)), "")
        region = region or next(filter(_region, (value, of_region)), "")
    return Place(account_id, region)


def checked_place(account_id: str, region: str) -> Place:
    """Take what looks like an account and a Region; what does not is not said."""
    return Place(account_id if _account(account_id) else "", region if _region(region) else "")


def _arn(value: str) -> list[str]:
    parts = value.split(":", _ARN_PARTS - 1)
    is_arn = len(parts) == _ARN_PARTS and parts[0] == "arn"
    return parts if is_arn else [""] * _ARN_PARTS
