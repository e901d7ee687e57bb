"""KMS finds keys of another account by their ARN; their policies say who may use them.

https://docs.aws.amazon.com/kms/latest/developerguide/key-policy-modifying-external-accounts.html
"""

import re
from typing import Any

from ministack.core.responses import get_account_id, get_region
from ministack.services import kms

from local.stand_ins.identities import account_of

resolve_key = kms._resolve_key

_ARN = re.compile(r"arn:aws:kms:(?P<region>[^:]+):(?P<account>\d{12}):key/(?P<id>.+)")


def find(name: str) -> Any:
    """Find a key of this account by any of its names, of another by its ARN."""
    arn = _ARN.fullmatch(name)
    if arn and arn["account"] != get_account_id() and arn["region"] == get_region():
        return kms._keys.get_scoped(arn["account"], arn["region"], arn["id"])
    return resolve_key(name)


def policy(name: str) -> tuple[str, str] | None:
    """Give a key's policy, and whose it is."""
    key = find(name)
    return (key.get("Policy") or "", account_of(key["Arn"])) if key else None
