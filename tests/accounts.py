"""Accounts of the emulated AWS, each with its root, its users and its roles."""

import json
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError

from local import emulated_aws

SECONDS_OF_DEPLOYMENT = 60

type Statement = dict[str, Any]


@dataclass(frozen=True)
class Caller:
    """Who signs requests: an account's root, whom no policy holds, or one whom policies do."""

    endpoint: str
    access_key: str
    secret: str = "test"
    token: str | None = None

    def client(self, service: str, region: str = emulated_aws.REGION) -> Any:
        """Make a client that signs so."""
        return boto3.client(
            service,
            endpoint_url=self.endpoint,
            region_name=region,
            aws_access_key_id=self.access_key,
            aws_secret_access_key=self.secret,
            aws_session_token=self.token,
        )


class Account(Caller):
    """An account, by its id, which is its root's access key."""

    @property
    def id(self) -> str:
        """Give the twelve digits."""
        return self.access_key

    def user(self, name: str, *statements: Statement) -> Caller:
        """Make a user who may do what these statements say."""
        iam = self.client("iam")
        iam.create_user(UserName=name)
        iam.put_user_policy(UserName=name, PolicyName="p", PolicyDocument=policy(*statements))
        key = iam.create_access_key(UserName=name)["AccessKey"]
        return Caller(self.endpoint, key["AccessKeyId"], key["SecretAccessKey"])

    def role(self, name: str, *statements: Statement, path: str = "/") -> str:
        """Make a role that this account's root may take; give its ARN."""
        iam = self.client("iam")
        trust = {"Effect": "Allow", "Principal": {"AWS": self.id}, "Action": "sts:AssumeRole"}
        made = iam.create_role(RoleName=name, Path=path, AssumeRolePolicyDocument=policy(trust))
        iam.put_role_policy(RoleName=name, PolicyName="p", PolicyDocument=policy(*statements))
        return str(made["Role"]["Arn"])

    def session(self, role: str) -> Caller:
        """Take a role."""
        taken = self.client("sts").assume_role(RoleArn=role, RoleSessionName="test")["Credentials"]
        return Caller(
            self.endpoint,
            taken["AccessKeyId"],
            taken["SecretAccessKey"],
            taken["SessionToken"],
        )


def allow(action: str | list[str], resource: str | list[str], **more: Any) -> Statement:
    """Allow something."""
    return {"Effect": "Allow", "Action": action, "Resource": resource, **more}


def policy(*statements: Statement) -> str:
    """Write a policy."""
    return json.dumps({"Version": "2012-10-17", "Statement": list(statements)})


def new(what: str) -> str:
    """Name something as nothing else is named."""
    return f"{what}-{uuid.uuid4().hex[:8]}"


def refusal(call: Callable[..., Any], **arguments: Any) -> str:
    """Give the code with which a call is refused."""
    with pytest.raises(ClientError) as refused:
        call(**arguments)
    return str(refused.value.response["Error"]["Code"])


def deploy(account: Account, kind: str, properties: dict[str, Any]) -> None:
    """Make a resource by CloudFormation."""
    stacks, name = account.client("cloudformation"), new("stack")
    template = {"Resources": {"One": {"Type": kind, "Properties": properties}}}
    stacks.create_stack(StackName=name, TemplateBody=json.dumps(template))
    stacks.get_waiter("stack_create_complete").wait(
        StackName=name, WaiterConfig={"Delay": 1, "MaxAttempts": SECONDS_OF_DEPLOYMENT}
    )
