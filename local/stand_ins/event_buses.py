"""EventBridge sends events to another account's bus, and asks the policies of buses and queues.

https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-cross-account.html
https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-use-resource-based.html (queues)
"""

import logging
from collections.abc import Callable
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


def with_policy(change: Callable[..., tuple[str, Any]]) -> Callable[..., tuple[str, Any]]:
    """Make or update an AWS::Events::EventBus with the policy among its properties."""

    def changed(*arguments: Any) -> tuple[str, Any]:
        name, attributes = change(*arguments)
        # Of an update the old properties come first.
        *_, properties = (one for one in arguments if isinstance(one, dict))
        eventbridge._event_bus_policies[name] = properties.get("Policy", {})
        return name, attributes

    return changed
