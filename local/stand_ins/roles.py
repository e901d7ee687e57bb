"""What a service of AWS may do by a role: the role's trust policy, then its permissions."""

import json
from dataclasses import replace
from typing import Any

from ministack.core import iam_evaluator
from ministack.core.responses import get_account_id, get_region
from ministack.services import iam

from local.stand_ins.identities import account_of


class NotAllowed(Exception):
    """The role does not trust the service, or may not do this."""


def require(role_arn: str, service: str, action: str, resource: str, source_arn: str = "") -> None:
    """Refuse what the service may not do by this account's role, on behalf of `source_arn`."""
    account, name = get_account_id(), role_arn.rsplit("/", 1)[-1]
    role = iam._roles.get_scoped(account, None, name)
    if role is None or account_of(role_arn) != account:
        raise NotAllowed(f"there is no role {role_arn!r} in account {account}")
    service_context = {
        "aws:sourceaccount": account_of(source_arn) or account,
        "aws:sourcearn": source_arn,
    }
    trust = _as_document(role["AssumeRolePolicyDocument"])
    asked = context(name, "sts:AssumeRole", role_arn, service_context)
    # The service asks, and no principal of the account, which a role may trust too.
    asked = replace(asked, principal_arn="*", principal_type="Service", principal_account="")
    if iam_evaluator.evaluate_resource_policy(trust, asked, service).decision != "Allow":
        raise NotAllowed(f"{role_arn} does not let {service} take it for {source_arn!r}")
    permissions = iam_evaluator._gather_role_policies(name, account)
    if iam_evaluator.evaluate(context(name, action, resource, {}), permissions).decision != "Allow":
        raise NotAllowed(f"{role_arn} may not {action} on {resource}")


def context(name: str, action: str, resource: str, service_context: dict[str, Any]) -> Any:
    """Describe what is done by a role of this account."""
    account = get_account_id()
    return iam_evaluator.EvalContext(
        principal_arn=f"arn:aws:sts::{account}:assumed-role/{name}/service",
        principal_type="AssumedRole",
        principal_account=account,
        action=action,
        resource_arn=resource,
        region=get_region(),
        service_context=service_context,
    )


def _as_document(policy: Any) -> Any:
    return json.loads(policy) if isinstance(policy, str) else policy
