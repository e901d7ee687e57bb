"""Who a policy sees: the caller by its role, the account and organization of both sides.

https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-keys.html

The emulator gives aws:PrincipalArn of a role's session the session's ARN (AWS: the role's), takes a
caller of another account for that account's root, a bucket for one of the caller's account, and
each account for an organization of its own.
"""

from dataclasses import replace
from typing import Any

from ministack.core import iam_evaluator
from ministack.core.responses import get_region
from ministack.services import iam, organizations, s3

resolve_condition_key = iam_evaluator._resolve_condition_key
evaluate_resource_policy = iam_evaluator.evaluate_resource_policy

_BUCKET = "arn:aws:s3:::"


def condition_value(key: str, context: Any) -> Any:
    """Give the value of a condition key in a request."""
    match key.lower():
        case "aws:principalarn":
            return role_of(context.principal_arn)
        case "aws:resourceaccount" | "s3:resourceaccount":
            return owner(context)
        case "aws:resourceorgid":
            return organization(owner(context))
        case "aws:principalorgid":
            return organization(context.principal_account)
        case "aws:sourceorgid":
            return organization(context.service_context.get("aws:sourceaccount", ""))
    return resolve_condition_key(key, context)


def evaluate_for_caller(policy: Any, context: Any, *arguments: Any, **options: Any) -> Any:
    """Evaluate a resource's policy for who asks, not for the root of its account."""
    account, caller = context.principal_account, iam_evaluator.caller_arn()
    if context.principal_arn == f"arn:aws:iam::{account}:root" and account_of(caller) == account:
        context = replace(context, principal_arn=caller)
    return evaluate_resource_policy(policy, context, *arguments, **options)


def caller_may(action: str, resource: str) -> bool:
    """Say whether the caller's own policies let him do something to a resource."""
    caller = iam_evaluator.caller_arn()
    account, parts = account_of(caller), caller.split("/")
    if caller.endswith(":root"):
        return True
    of_role = ":assumed-role/" in caller
    policies = (
        iam_evaluator._gather_role_policies(parts[1], account)
        if of_role
        else iam_evaluator._gather_user_policies(parts[-1], account)
    )
    asked = iam_evaluator.EvalContext(
        principal_arn=caller,
        principal_type="AssumedRole" if of_role else "User",
        principal_account=account,
        action=action,
        resource_arn=resource,
        region=get_region(),
    )
    return bool(iam_evaluator.evaluate(asked, policies).decision == "Allow")


def role_of(principal: str) -> str:
    """Give the ARN of a session's role, with its path; of anyone else his own."""
    if ":assumed-role/" not in principal:
        return principal
    account, name = account_of(principal), principal.split("/")[1]
    role = iam._roles.get_scoped(account, None, name) or {}
    return str(role.get("Arn") or f"arn:aws:iam::{account}:role/{name}")


def organization(account: str) -> str | None:
    """Give the id of the organization that an account manages or was made in."""
    for (managing, _), found in list(organizations._orgs._data.items()):
        made = organizations._accounts.get_scoped(managing, None, account)
        if account == managing or made:
            return str(found["Id"])
    return None


def account_of(arn: str) -> str:
    """Give the account that an ARN names."""
    return arn.split(":")[4] if arn.count(":") > 4 else ""


def owner(context: Any) -> str:
    """Give the account whose resource is asked for."""
    arn = context.resource_arn
    bucket = arn.removeprefix(_BUCKET).partition("/")[0] if arn.startswith(_BUCKET) else ""
    return s3._bucket_owner_account(bucket) or account_of(arn) or context.principal_account
