"""Says in words when a statement of a template is there, and what holds it."""

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

HELD = {
    "aoss:collection": "the collection must be the one that is named",
    "aws:PrincipalArn": "who asks must be one of the roles that are named",
    "aws:PrincipalOrgID": "who asks must be of the organization",
    "aws:ResourceAccount": "the bucket must be of one of the accounts that are named",
    "aws:ResourceOrgID": "the bucket must be of the organization",
    "aws:SecureTransport": "it is about requests that do not come over TLS",
    "aws:SourceAccount": "the service must act for this account, or for one of those named",
    "aws:SourceArn": "the service must act for the resource that is named, as a bucket or a rule",
    "aws:SourceOrgID": "the service must act for an account of the organization",
    "iam:PassedToService": "the role may be named to this service alone",
    # pragma: allowlist nextline secret: the name of a condition key
    "kms:EncryptionContext:SecretARN": "the key serves for this secret alone",
    "kms:EncryptionContext:SourceArn": "the key serves for this state machine's log alone",
    "kms:EncryptionContext:aws:lambda:FunctionArn": "the key serves for environments of functions "
    "alone",
    "kms:EncryptionContext:aws:scheduler:schedule:arn": "the key serves for schedules alone",
    "kms:EncryptionContext:aws:states:stateMachineArn": "the key serves for this state machine "
    "alone",
    "kms:ViaService": "the key serves for what goes through these services alone, as S3 or SQS",
    "s3:x-amz-acl": "what is written must be the bucket owner's",
}
"""What each condition key of IAM has to be, wherever a statement is held by it."""


def in_words(name: str, conditions: Mapping[str, Any]) -> str:
    """Say what a condition of a template asks of its parameters."""
    return _joined("and", _all_of({"Condition": name}, conditions, negated=False))


def _all_of(expression: Any, conditions: Mapping[str, Any], *, negated: bool) -> list[str]:
    """Give what has to be so at once, each in words."""
    match expression:
        case {"Condition": str(name)}:
            return _all_of(conditions[name], conditions, negated=negated)
        case {"Fn::Not": [one]}:
            return _all_of(one, conditions, negated=not negated)
        case {"Fn::And": list(several)} | {"Fn::Or": list(several)}:
            parts = [_all_of(one, conditions, negated=negated) for one in several]
            if ("Fn::And" in expression) != negated:
                return [one for part in parts for one in part]
            return [_joined("or", (_joined("and", part) for part in parts))]
        case {"Fn::Equals": [one, str() | int() as value]}:
            return [_equals(one, str(value), negated=negated)]
    raise ValueError(f"a condition is written in a way that is not known here: {expression!r:.200}")


def _joined(joint: str, parts: Iterable[str]) -> str:
    """Join words; of several, what is joined itself is in brackets."""
    once = list(dict.fromkeys(parts))
    if len(once) == 1:
        return once[0]
    return f" {joint} ".join(f"({one})" if re.search(" (and|or) ", one) else one for one in once)


def _equals(value: Any, other: str, *, negated: bool) -> str:
    (name,) = set(_parameters(value))
    if not other:
        return f"`{name}` is {'given' if negated else 'empty'}"
    # The only part of a value that templates look at is the service in an ARN.
    what = f"of the service `{other}`" if "Fn::Select" in value else f"`{other}`"
    return f"`{name}` is {'not ' if negated else ''}{what}"


def _parameters(value: Any) -> Iterator[str]:
    """Find which parameters a value is made of."""
    match value:
        case {"Ref": str(name)}:
            yield name
        case {"Fn::Sub": str(text)}:
            yield from re.findall(r"\$\{(\w+)\}", text)
        case dict() | list():
            for one in value.values() if isinstance(value, dict) else value:
                yield from _parameters(one)
