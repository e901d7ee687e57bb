"""Run ministack with what AWS does for this project and it leaves out.

CloudFormation expands the SAM transform of a child template as it does the root's; a resource that
an update does not change keeps its attributes, and each keeps its name; a number that comes from a
parameter is a number; a condition compares what a function gives; what a nested stack retains
outlives it.
IAM knows no batch actions of SQS: who may send, delete or hide one message may do so with ten.
A layer is unpacked once, and not before each start of a function (the largest takes seconds).
What lies between two accounts (whom a policy sees, whose a bucket is, buses, keys) is as in AWS.
Whole services that it leaves out are in `stand_ins`.
"""

import hashlib
import re
import shutil
import sys
import tempfile
import threading
import zipfile
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from ministack.app import main
from ministack.core import iam_actions, iam_evaluator, lambda_runtime
from ministack.services import (
    athena,
    cloudfront,
    cloudwatch_logs,
    eventbridge,
    kms,
    lambda_svc,
    s3,
    stepfunctions,
)
from ministack.services import firehose as emulated_firehose
from ministack.services.cloudformation import (
    _stacks,
    changesets,
    engine,
    handlers,
    provisioners,
    stacks,
)

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
from local.stand_ins import (
    asked_rights,
    buckets,
    event_buses,
    firehose,
    function_errors,
    function_logs,
    identities,
    keys,
    log_destinations,
    log_subscriptions,
    named_queries,
    realtime_logs,
    state_machines,
    stream_mappings,
)

parse_template = engine._parse_template
provision_resource = provisioners._provision_resource
update_resource = provisioners._update_resource
evaluate_conditions = engine._evaluate_conditions
iam_action = iam_actions.extract_iam_action


def parse_and_expand(body: str) -> dict[str, Any]:
    """Read a child template with its transforms carried out."""
    return engine._apply_transforms(parse_template(body))


name_seeds: dict[str, str] = {}
"""What the random end of a name was made from, by the physical id of the resource that has it."""


def provision_and_name(kind: str, *arguments: Any) -> tuple[str, dict[str, Any]]:
    """Make a resource of a child; what ends its name is its own, and is known at its update."""
    begun = provisioners._NAME_SEED.get()
    physical_id, attributes = provision_resource(kind, *arguments)
    if not begun:
        name_seeds[physical_id] = provisioners._NAME_SEED.get()
        provisioners._NAME_SEED.set("")
    return physical_id, attributes


def update_and_keep_attributes(
    kind: str, physical_id: str, old: Any, new: Any, stack: str, logical_id: str
) -> tuple[str, dict[str, Any]]:
    """Update a resource; when it is still the same one, what was known of it stays known."""
    if not provisioners._NAME_SEED.get():
        provisioners._NAME_SEED.set(name_seeds.get(physical_id, ""))
    new_id, attributes = update_resource(kind, physical_id, old, new, stack, logical_id)
    if new_id != physical_id:
        return new_id, attributes
    resource = _stacks.get(stack, {}).get("_resources", {}).get(logical_id, {})
    return new_id, {**(resource.get("Attributes") or {}), **(attributes or {})}


def evaluate_with_functions(template: dict[str, Any], parameters: dict[str, Any]) -> Any:
    """Evaluate a template's conditions, whose functions are carried out first."""

    def resolved(node: Any) -> Any:
        if isinstance(node, list):
            return [resolved(part) for part in node]
        if not isinstance(node, dict):
            return node
        if node.keys() & {"Fn::Join", "Fn::Split", "Fn::Sub", "Fn::Select"}:
            mappings = template.get("Mappings", {})
            return engine._resolve_refs(node, {}, parameters, {}, mappings, "", "")
        return {name: resolved(part) for name, part in node.items()}

    conditions = resolved(template.get("Conditions", {}))
    return evaluate_conditions({**template, "Conditions": conditions}, parameters)


def delete_child_but_keep(physical_id: str, properties: Any) -> None:
    """Delete a nested stack, but for what is to be retained."""
    child = _stacks.get(provisioners._nested_stack_lookup_name(physical_id), {})
    declared, made = child.get("_template", {}).get("Resources", {}), child.get("_resources", {})
    for logical_id in list(made):
        if declared.get(logical_id, {}).get("DeletionPolicy") == "Retain":
            del made[logical_id]
    delete_child(physical_id, properties)


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


class UnpackedOnce(zipfile.ZipFile):
    """An archive of a function or a layer, whose files all of its processes share."""

    _lock = threading.Lock()

    def extractall(self, path: Any = None, members: Any = None, pwd: Any = None) -> None:
        """Put links to the files where they are wanted."""
        listed = repr([(one.filename, one.CRC) for one in self.infolist()]).encode()
        shared = Path(tempfile.gettempdir()) / f"unpacked-{hashlib.sha256(listed).hexdigest()}"
        with self._lock:
            if not shared.exists():
                being_made = Path(tempfile.mkdtemp())
                super().extractall(being_made, members, pwd)
                try:
                    being_made.rename(shared)
                except OSError:
                    if not shared.exists():
                        raise
                    shutil.rmtree(being_made)  # another emulator was faster
        for entry in shared.iterdir():
            (Path(path) / entry.name).symlink_to(entry)


engine._parse_template = parse_and_expand
provisioners._provision_resource = provision_and_name
provisioners._update_resource = update_and_keep_attributes
for module in (engine, changesets, handlers, stacks):
    module._evaluate_conditions = evaluate_with_functions
iam_actions.extract_iam_action = action_of_one
iam_actions.extract_resource_arn = named_queries.resource
athena.handle_request = named_queries.handle
iam_evaluator._resolve_condition_key = identities.condition_value
iam_evaluator.evaluate_resource_policy = identities.evaluate_for_caller
iam_evaluator.evaluate = asked_rights.written_down(iam_evaluator.evaluate)

s3._apply_bucket_scope = buckets.expect_owner
s3._dispatch = buckets.answer
s3._ensure_bucket = buckets.find_bucket
kms._resolve_key = keys.find
kms.key_policy_for_arn = keys.policy
eventbridge._invoke_target = event_buses.invoke
cloudwatch_logs._put_subscription_filter = log_subscriptions.put_subscription_filter
cloudwatch_logs._fanout_to_subscription_filters = log_subscriptions.fan_out
cloudwatch_logs.handle_request = log_subscriptions.handle
cloudfront.handle_request = realtime_logs.handle
emulated_firehose._deliver_records_to_s3 = firehose.deliver
emulated_firehose._put_record = firehose.refuse_other_sources(firehose.put_record)
emulated_firehose._put_record_batch = firehose.refuse_other_sources(firehose.put_record_batch)
lambda_runtime._PYTHON_WORKER_SCRIPT = function_logs.ending(
    function_errors.going_on(lambda_runtime._PYTHON_WORKER_SCRIPT)
)
lambda_runtime.Worker._drain_stderr_bounded = function_logs.read_to_the_end
lambda_runtime.Worker.invoke = function_errors.as_errors(lambda_runtime.Worker.invoke)
lambda_runtime.zipfile = SimpleNamespace(**{**vars(zipfile), "ZipFile": UnpackedOnce})
lambda_svc._poll_kinesis = lambda: False
stepfunctions._run_distributed_map = state_machines.run_map
stepfunctions._execute_task = state_machines.execute
provisioners._RESOURCE_HANDLERS |= {
    "AWS::Logs::AccountPolicy": {
        "create": log_subscriptions.create_account_policy,
        "update": log_subscriptions.update_account_policy,
        "delete": log_subscriptions.remove_account_policy,
    },
    "AWS::Logs::Destination": {
        "create": log_destinations.create,
        "update": log_destinations.update,
        "delete": log_destinations.remove,
    },
    "AWS::CloudFront::RealtimeLogConfig": {
        "create": realtime_logs.create,
        "update": realtime_logs.update,
        "delete": realtime_logs.delete,
    },
}
nested_stack = provisioners._RESOURCE_HANDLERS["AWS::CloudFormation::Stack"]
delete_child = nested_stack["delete"]
nested_stack["delete"] = delete_child_but_keep
event_source_mapping = provisioners._RESOURCE_HANDLERS["AWS::Lambda::EventSourceMapping"]
event_bus = provisioners._RESOURCE_HANDLERS["AWS::Events::EventBus"]
for step in ("create", "update"):
    event_source_mapping[step] = with_numbers(event_source_mapping[step])
    event_bus[step] = event_buses.with_policy(event_bus[step])

if __name__ == "__main__":
    threading.Thread(target=stream_mappings.poll_for_ever, daemon=True).start()
    main()
