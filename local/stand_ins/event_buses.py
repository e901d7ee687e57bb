"""EventBridge sends events to another account's bus, and asks the policies of buses and queues.

https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-cross-account.html
https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-use-resource-based.html (queues)
"""

import json
import logging
from typing import Any

from ministack.core import iam_evaluator
from ministack.core.responses import get_account_id, request_scope
from ministack.services import eventbridge, sqs

from local.stand_ins import roles
from local.stand_ins.identities import account_of

logger = logging.getLogger("event_buses")

SERVICE = "events.amazonaws.com"
PUT_EVENTS = "events:PutEvents"

invoke_target = eventbridge._invoke_target

Event = dict[str, Any]


def invoke(target: Event, event: Event, rule: Event, view: Any = None) -> None:
    """Send an event to a rule's target, if the target lets it in."""
    arn = target.get("Arn", "")
    if arn.startswith("arn:aws:sqs:"):
        allowed = sqs.queue_policy_allows(arn, SERVICE, rule["Arn"], get_account_id())
        if not allowed:
            logger.warning("%s does not let events of %s in", arn, rule["Arn"])
            return
    if ":event-bus/" in arn and account_of(arn) != get_account_id():
        _send(arn, target.get("RoleArn", ""), event, rule)
        return
    invoke_target(target, event, rule, view)


def _send(bus: str, role: str, event: Event, rule: Event) -> None:
    """Put an event on another account's bus by the target's role."""
    account, region, name = account_of(bus), bus.split(":")[3], bus.rpartition("/")[2]
    try:
        roles.require(role, SERVICE, PUT_EVENTS, bus, rule["Arn"])
    except roles.NotAllowed as error:
        logger.warning("%s could not be sent to %s: %s", rule["Arn"], bus, error)
        return
    policy = eventbridge._event_bus_policies.get_scoped(account, region, name)
    asked = roles.context(role.rpartition("/")[2], PUT_EVENTS, bus, {})
    if iam_evaluator.evaluate_resource_policy(policy, asked).decision != "Allow":
        logger.warning("%s does not let events of %s in", bus, get_account_id())
        return
    arrived = event | {"EventBusName": name, "Account": event.get("Account", get_account_id())}
    with request_scope(account, region):
        eventbridge._dispatch_event(arrived)


def create_policy(_logical_id: str, properties: Any, _stack: str) -> tuple[str, Any]:
    """Make an AWS::Events::EventBusPolicy: one statement of a bus's policy."""
    bus, name = properties.get("EventBusName", "default"), properties["StatementId"]
    statement = properties["Statement"]
    statement = json.loads(statement) if isinstance(statement, str) else statement
    kept = [one for one in _statements(bus) if one["Sid"] != name]
    _put(bus, [*kept, {**statement, "Sid": name}])
    return f"{bus}|{name}", {}


def update_policy(
    physical_id: str, old: Any, properties: Any, stack: str, *_: Any
) -> tuple[str, Any]:
    """Change one."""
    remove_policy(physical_id, old)
    return create_policy("", properties, stack)


def remove_policy(physical_id: str, _properties: Any) -> None:
    """Remove one."""
    bus, _, name = physical_id.partition("|")
    _put(bus, [one for one in _statements(bus) if one["Sid"] != name])


def _statements(bus: str) -> list[Event]:
    policy = eventbridge._event_bus_policies.get(bus) or {}
    return list(policy.get("Statement", []))


def _put(bus: str, statements: list[Event]) -> None:
    eventbridge._event_bus_policies[bus] = {"Version": "2012-10-17", "Statement": statements}
