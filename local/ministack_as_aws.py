"""Run ministack with what AWS does for this project and it leaves out.

CloudFormation expands the SAM transform of a child template as it does the root's; a resource that
an update does not change keeps its attributes; a number that comes from a parameter is a number.
IAM knows no batch actions of SQS: who may send, delete or hide one message may do so with ten.
"""

import re
from collections.abc import Callable
from typing import Any

from ministack.app import main
from ministack.core import iam_actions
from ministack.services.cloudformation import _stacks, engine, provisioners

parse_template = engine._parse_template
update_resource = provisioners._update_resource
iam_action = iam_actions.extract_iam_action


def parse_and_expand(body: str) -> dict[str, Any]:
    """Read a child template with its transforms carried out."""
    return engine._apply_transforms(parse_template(body))


def update_and_keep_attributes(
    kind: str, physical_id: str, old: Any, new: Any, stack: str, logical_id: str
) -> tuple[str, dict[str, Any]]:
    """Update a resource; when it is still the same one, what was known of it stays known."""
    new_id, attributes = update_resource(kind, physical_id, old, new, stack, logical_id)
    if new_id != physical_id:
        return new_id, attributes
    resource = _stacks.get(stack, {}).get("_resources", {}).get(logical_id, {})
    return new_id, {**(resource.get("Attributes") or {}), **(attributes or {})}


def with_numbers(change: Callable[..., Any]) -> Callable[..., Any]:
    """Make or update a resource with its properties' numbers as numbers."""
    return lambda *arguments: change(*(numbered(argument) for argument in arguments))


def numbered(value: Any) -> Any:
    """Turn each text of digits among properties into the number that it stands for."""
    if isinstance(value, dict):
        return {name: numbered(part) for name, part in value.items()}
    if isinstance(value, list):
        return [numbered(part) for part in value]
    return int(value) if isinstance(value, str) and re.fullmatch(r"-?\d+", value) else value


def action_of_one(service: str, *arguments: Any, **options: Any) -> Any:
    """Say which action IAM asks about: sqs:SendMessage for sqs:SendMessageBatch."""
    action = iam_action(service, *arguments, **options)
    return action.removesuffix("Batch") if service == "sqs" and action else action


engine._parse_template = parse_and_expand
provisioners._update_resource = update_and_keep_attributes
iam_actions.extract_iam_action = action_of_one
event_source_mapping = provisioners._RESOURCE_HANDLERS["AWS::Lambda::EventSourceMapping"]
for step in ("create", "update"):
    event_source_mapping[step] = with_numbers(event_source_mapping[step])

if __name__ == "__main__":
    main()
