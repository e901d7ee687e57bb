"""The account and Region that a record names itself, where the place it comes from does not."""

import re
from collections.abc import Iterable
from typing import NamedTuple

_account = re.compile(r"\d{12}", re.ASCII).fullmatch
# All Regions end in a number behind a hyphen; `global` and the ids of resources do not.
_region = re.compile(r"[a-z][a-z0-9]*(?:-[a-z0-9]+)*-\d{1,2}", re.ASCII).fullmatch
_ARN_PARTS = 6


class Place(NamedTuple):
    """An account and a Region; empty if they are not known."""

    account_id: str = ""
    region: str = ""


def place_of(values: Iterable[str]) -> Place:
    """Find the first account and the first Region among values: such themselves, or in an ARN."""
    account_id = region = ""
    for value in values:
        *_, of_region, of_account, _ = _arn(value)
        account_id = account_id or next(filter(_account, (value, of_account)), "")
        region = region or next(filter(_region, (value, of_region)), "")
    return Place(account_id, region)


def _arn(value: str) -> list[str]:
    parts = value.split(":", _ARN_PARTS - 1)
    is_arn = len(parts) == _ARN_PARTS and parts[0] == "arn"
    return parts if is_arn else [""] * _ARN_PARTS
