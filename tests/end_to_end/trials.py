"""Trials: what a role does fails without its rights, and is done with those it was asked for.

A role begins with nothing. Each thing that it does is tried again and again, and each time it is
given the statements that it was refused for want of, until the thing is done. So each statement is
taken away, and what fails without it is known by name.
"""

from __future__ import annotations

import json
import time
import uuid
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from local import ROOT, deploy, emulated_aws
from local.emulated_aws import asked_rights
from tests.end_to_end.conftest import Running
from tests.end_to_end.rights import AskedRights, Role

SECONDS = 20
ANSWERS = "answers-of-custom-resources"


class NotDone(Exception):
    """What was tried failed."""


@dataclass(frozen=True)
class Step:
    """Something that a role does."""

    what: str
    attempt: Callable[[], None]
    """Tries it; NotDone if it fails."""
    with_all_rights: bool = False
    """Whether it takes so long to fail that only what it asks for is looked at."""


type Needed = dict[str, str]
"""What fails without a statement, by the statement's id."""


class Account:
    """What is deployed in an account, by its names in the templates."""

    number = emulated_aws.ACCOUNT

    def __init__(self, running: Running) -> None:
        self.running = running
        self.outputs = running.stack.outputs
        self.endpoint = running.stack.aws_endpoint
        self.asked = AskedRights(asked_rights(running.local.processes))
        self.functions = self.client("lambda")
        self.iam = self.client("iam")
        self.s3 = self.client("s3")
        self._stacks = self.client("cloudformation")
        self._ids: dict[str, dict[str, str]] = {}
        self._answers = f"{ANSWERS}-{self.number}"
        self.s3.create_bucket(Bucket=self._answers)

    def client(self, service: str) -> Any:
        """Make a client of the account's root."""
        return deploy.client(service, self.endpoint, self.number)

    def id(self, scenario: str, logical_id: str) -> str:
        """Give the name of a resource of a scenario, which is known by its name in the root."""
        return self.ids(scenario)[logical_id]

    def ids(self, scenario: str) -> dict[str, str]:
        """Give the names of all resources of a scenario; none of one that is not deployed."""
        if scenario not in self._ids:
            self._ids[scenario] = self._found(scenario)
        return self._ids[scenario]

    def _found(self, scenario: str) -> dict[str, str]:
        root = self.resources(deploy.local_settings(ROOT)["stack_name"])
        return self.resources(root[scenario]) if scenario in root else {}

    def resources(self, stack: str) -> dict[str, str]:
        """Give the names of what a stack has made."""
        pages = self._stacks.get_paginator("list_stack_resources").paginate(StackName=stack)
        return {
            one["LogicalResourceId"]: one["PhysicalResourceId"]
            for page in pages
            for one in page["StackResourceSummaries"]
        }

    def role(self, scenario: str, logical_id: str) -> Role:
        """Give a role."""
        return Role(self.iam, self.id(scenario, logical_id))

    def invoke(self, scenario: str, function: str, event: Mapping[str, Any]) -> Any:
        """Invoke a function; NotDone if it fails, or does not do all that the event asks for."""
        answer = self.functions.invoke(
            FunctionName=self.id(scenario, function), Payload=json.dumps(event).encode()
        )
        said = json.loads(answer["Payload"].read() or b"null")
        if "FunctionError" in answer:
            raise NotDone(said)
        return said

    def ask(self, scenario: str, function: str, kind: str, **event: Any) -> None:
        """Ask a function what CloudFormation asks of a custom resource; NotDone if it refuses."""
        request = self.request(kind, **event)
        self.invoke(scenario, function, request)
        key = request["RequestId"]
        answer = json.loads(self.s3.get_object(Bucket=self._answers, Key=key)["Body"].read())
        if answer["Status"] != "SUCCESS":
            raise NotDone(answer["Reason"])

    def request(self, kind: str, **event: Any) -> dict[str, Any]:
        """Make a request of CloudFormation to a custom resource."""
        key = uuid.uuid4().hex
        where = {"Bucket": self._answers, "Key": key}
        url = self.s3.generate_presigned_url("put_object", Params=where)
        said = {"ResourceProperties": {}, **event}
        about = {"RequestType": kind, "RequestId": key, "ResponseURL": url, **said}
        return about | dict.fromkeys(("StackId", "LogicalResourceId"), "of-a-trial")

    @contextmanager
    def without_mappings(self) -> Iterator[None]:
        """Keep queues from invoking functions for a while; what they hold then is thrown away."""
        found = self.functions.list_event_source_mappings()["EventSourceMappings"]
        mappings = [one for one in found if ":sqs:" in one["EventSourceArn"]]
        change = self.functions.update_event_source_mapping
        for one in mappings:
            change(UUID=one["UUID"], Enabled=False)
        try:
            yield
        finally:
            queues = self.client("sqs")
            for one in mappings:
                name = one["EventSourceArn"].rpartition(":")[2]
                queues.purge_queue(QueueUrl=queues.get_queue_url(QueueName=name)["QueueUrl"])
                change(UUID=one["UUID"], Enabled=True)

    def wait_for(self, role: Role, there: Callable[[], bool]) -> None:
        """Wait until something is there; NotDone when the role is refused a right before that."""
        moment = self.asked.now()
        give_up = time.monotonic() + SECONDS
        while not there():
            if self._refused(role, moment):
                raise NotDone(f"{role.name} was refused")
            if time.monotonic() > give_up:
                raise NotDone(f"nothing came within {SECONDS} s")
            time.sleep(0.1)

    def try_out(self, role: Role, steps: Iterable[Step]) -> Needed:
        """Take all rights from a role and give them back as they are missed; say for what."""
        needed: Needed = {}
        steps = list(steps)
        with role.taken_away():
            for step in steps:
                while not step.with_all_rights and (missed := self._missed(role, step, needed)):
                    needed |= dict.fromkeys(missed, step.what)
                    role.grant(needed)
        for step in steps:
            if step.with_all_rights:
                step.attempt()
        return needed

    def _missed(self, role: Role, step: Step, given: Iterable[str]) -> list[str]:
        """Try something; name the statements for want of which it failed, none if it was done."""
        moment = self.asked.now()
        failed: NotDone | None = None
        try:
            step.attempt()
        except NotDone as error:
            failed = error
        missed: dict[str, None] = {}
        for right in self._refused(role, moment):
            allowing = [s.sid for s in role.statements.values() if s.allows(*right)]
            assert len(allowing) == 1, f"{right} is allowed by {allowing}"
            missed |= dict.fromkeys(allowing)
        assert missed or not failed, f"{step.what}: {failed}"
        assert not missed.keys() & set(given), f"{step.what}: {missed} were given"
        return list(missed)

    def _refused(self, role: Role, moment: int) -> list[tuple[str, str, str]]:
        since = [one for one in self.asked.since(moment) if one.role == role.name]
        refused = [(one.action, one.resource, one.owner) for one in since if not one.given]
        return list(dict.fromkeys(refused))
