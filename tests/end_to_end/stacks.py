"""Stacks of the emulated CloudFormation, and what is in them."""

import time
from collections.abc import Callable, Iterator
from typing import Any

from local import deploy

SECONDS = 120


class Stacks:
    """The stacks of one emulated account."""

    def __init__(self, aws_endpoint: str) -> None:
        self._aws_endpoint = aws_endpoint
        self.client = deploy.client("cloudformation", aws_endpoint)

    def create(self, name: str, template_url: str, **parameters: str) -> dict[str, str]:
        """Create a stack by the address of its template; give its outputs."""
        self.client.create_stack(
            StackName=name,
            TemplateURL=template_url,
            Capabilities=["CAPABILITY_IAM", "CAPABILITY_AUTO_EXPAND"],
            Parameters=[
                {"ParameterKey": key, "ParameterValue": value} for key, value in parameters.items()
            ],
        )
        self._wait("stack_create_complete", name)
        return deploy.outputs(self._aws_endpoint, name)

    def delete(self, name: str) -> None:
        """Delete a stack."""
        self.client.delete_stack(StackName=name)
        self._wait("stack_delete_complete", name)

    def physical_ids(self, name: str) -> dict[tuple[str, ...], str]:
        """Give each resource's physical id, by its type and the stacks that it is nested in."""
        return {(kind, *path): its_id for kind, path, its_id in self._resources(name, ())}

    def _resources(
        self, stack: str, path: tuple[str, ...]
    ) -> Iterator[tuple[str, tuple[str, ...], str]]:
        for one in self.client.describe_stack_resources(StackName=stack)["StackResources"]:
            where = (*path, one["LogicalResourceId"])
            yield one["ResourceType"], where, one["PhysicalResourceId"]
            if one["ResourceType"] == "AWS::CloudFormation::Stack":
                yield from self._resources(one["PhysicalResourceId"], where)

    def _wait(self, end: str, name: str) -> None:
        self.client.get_waiter(end).wait(
            StackName=name, WaiterConfig={"Delay": 1, "MaxAttempts": SECONDS}
        )


def wait_for(found: Callable[[], Any], expected: Any) -> None:
    """Wait until something is as it should be."""
    give_up = time.monotonic() + SECONDS
    while found() != expected:
        assert time.monotonic() < give_up, f"{found()!r} is not {expected!r}"
        time.sleep(0.2)
