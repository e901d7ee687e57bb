"""What rights the roles of a running stack have, which they are asked for, and trials without."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

OF_AWS = "arn:aws:iam::aws:policy/"
GRANTED = "GrantedInATrial"


@dataclass(frozen=True)
class Asked:
    """A right that a role was asked for."""

    role: str
    action: str
    resource: str
    owner: str
    """The account whose resource it is."""
    given: bool


class AskedRights:
    """What the emulator wrote down of the rights that roles were asked for."""

    def __init__(self, file: Path) -> None:
        self._file = file

    def now(self) -> int:
        """Mark this moment."""
        return self._file.stat().st_size

    def since(self, moment: int = 0) -> list[Asked]:
        """Read what was asked for since a moment."""
        with self._file.open("rb") as lines:
            lines.seek(moment)
            return [Asked(**json.loads(line)) for line in lines if line.endswith(b"\n")]


@dataclass(frozen=True)
class Statement:
    """A statement of a role's policies."""

    sid: str
    actions: tuple[str, ...]
    resources: tuple[str, ...]
    accounts: tuple[str, ...]
    """Whose resources they have to be; none means anybody's."""
    document: str

    @classmethod
    def read(cls, statement: dict[str, Any]) -> Statement:
        """Read one as IAM has it."""
        actions, resources = (_as_tuple(statement[name]) for name in ("Action", "Resource"))
        equals = statement.get("Condition", {}).get("StringEquals", {})
        accounts = _as_tuple(equals.get("aws:ResourceAccount", ()))
        return cls(statement["Sid"], actions, resources, accounts, json.dumps(statement))

    def allows(self, action: str, resource: str, owner: str = "") -> bool:
        """Say whether it allows this; of its conditions only that of the owner is looked at."""
        return (
            action in self.actions
            and any(fnmatchcase(resource, pattern) for pattern in self.resources)
            and (not self.accounts or owner in self.accounts)
        )


class Role:
    """A role of a running stack."""

    def __init__(self, iam: Any, name: str) -> None:
        self.name = name
        self._iam = iam
        self._attached = [
            policy["PolicyArn"]
            for policy in iam.list_attached_role_policies(RoleName=name)["AttachedPolicies"]
            if not policy["PolicyArn"].startswith(OF_AWS)
        ]
        inline = {
            policy: iam.get_role_policy(RoleName=name, PolicyName=policy)["PolicyDocument"]
            for policy in iam.list_role_policies(RoleName=name)["PolicyNames"]
        }
        self._inline = {policy: one for policy, one in inline.items() if one["Statement"]}
        documents = [*self._inline.values(), *map(self._document, self._attached)]
        self.statements = {
            one["Sid"]: Statement.read(one) for doc in documents for one in doc["Statement"]
        }
        assert len(self.statements) == sum(len(doc["Statement"]) for doc in documents), name

    def _document(self, arn: str) -> dict[str, Any]:
        version = self._iam.get_policy(PolicyArn=arn)["Policy"]["DefaultVersionId"]
        found = self._iam.get_policy_version(PolicyArn=arn, VersionId=version)
        document: dict[str, Any] = found["PolicyVersion"]["Document"]
        return document

    @contextmanager
    def taken_away(self) -> Iterator[None]:
        """Take all statements of ours away for a while."""
        for policy in self._inline:
            self._iam.delete_role_policy(RoleName=self.name, PolicyName=policy)
        for arn in self._attached:
            self._iam.detach_role_policy(RoleName=self.name, PolicyArn=arn)
        try:
            yield
        finally:
            for policy, document in self._inline.items():
                self._iam.put_role_policy(
                    RoleName=self.name, PolicyName=policy, PolicyDocument=json.dumps(document)
                )
            for arn in self._attached:
                self._iam.attach_role_policy(RoleName=self.name, PolicyArn=arn)
            with suppress(self._iam.exceptions.NoSuchEntityException):  # nothing was given back
                self._iam.delete_role_policy(RoleName=self.name, PolicyName=GRANTED)

    def grant(self, sids: Iterable[str]) -> None:
        """Give these statements, and no others, while all are taken away."""
        statements = [json.loads(self.statements[sid].document) for sid in sids]
        document = {"Version": "2012-10-17", "Statement": statements}
        self._iam.put_role_policy(
            RoleName=self.name, PolicyName=GRANTED, PolicyDocument=json.dumps(document)
        )


def _as_tuple(value: str | Sequence[str]) -> tuple[str, ...]:
    return (value,) if isinstance(value, str) else tuple(value)
