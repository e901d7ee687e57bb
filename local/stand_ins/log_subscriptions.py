"""CloudWatch Logs sends the events of a log group to Kinesis, Firehose and other accounts.

https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/SubscriptionFilters.html
Filters of log groups and the account-level policy; of filter patterns the terms (a term, "a
phrase", -without, ?any), which is what the templates' examples use; another pattern is refused.

One thing is not as in AWS: an event's id follows from what the event is, so that the same samples
sent again are the same events.
"""

import hashlib
import json
import logging
import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from ministack.core.responses import (
    AccountRegionScopedDict,
    error_response_json,
    get_account_id,
    get_region,
    json_response,
)
from ministack.services import cloudwatch_logs

from local.stand_ins import log_destinations, roles
from local.stand_ins.log_destinations import Denied, Refused

logger = logging.getLogger("log_subscriptions")

PUT_FILTER, PUT_POLICY = "logs:PutSubscriptionFilter", "logs:PutAccountPolicy"
ACCOUNT_LEVEL = "ACCOUNT_LEVEL_POLICY"
FILTERS_OF_A_GROUP = 2
_TERM = re.compile(
    r'(?P<sign>[-?]?)(?:"(?P<phrase>(?:[^"\\]|\\.)*)"|(?P<word>[^\s"{}\[\]%]+))(?:\s+|$)'
)

policies = AccountRegionScopedDict()
"""The account-level subscription policy, by its name."""

Event = dict[str, Any]
put_filter = cloudwatch_logs._put_subscription_filter
handle_request = cloudwatch_logs.handle_request
fan_out_to_functions = cloudwatch_logs._fanout_to_subscription_filters


def put_subscription_filter(data: Mapping[str, Any]) -> Any:
    """Put a filter on a log group, if there is room and its destination takes a test message."""
    group = cloudwatch_logs._log_groups.get(data.get("logGroupName"))
    others = set(group["subscriptionFilters"]) - {data.get("filterName")} if group else set()
    if len(others) >= FILTERS_OF_A_GROUP:
        return error_response_json("LimitExceededException", "Resource limit exceeded.", 400)
    if group and not _is_function(data["destinationArn"]):
        try:
            matches(data.get("filterPattern", ""), "")
            _try(data, PUT_FILTER, data["logGroupName"])
        except Denied as error:
            return error_response_json("AccessDeniedException", str(error), 400)
        except (Refused, roles.NotAllowed) as error:
            return error_response_json("InvalidParameterException", str(error), 400)
    answer = put_filter(data)
    if answer[0] < 400:
        kept = cloudwatch_logs._log_groups[data["logGroupName"]]["subscriptionFilters"]
        kept[data["filterName"]]["emitSystemFields"] = data.get("emitSystemFields", [])
    return answer


def fan_out(group: str, stream: str, events: list[Event]) -> None:
    """Send events that a log group took to what is subscribed to it."""
    fan_out_to_functions(group, stream, events)
    found = cloudwatch_logs._log_groups[group].get("subscriptionFilters", {})
    for one in found.values():
        if not _is_function(one["destinationArn"]):
            _deliver(one, PUT_FILTER, group, stream, events, {})
    for one in policies.values():
        if group not in _left_out(one["selectionCriteria"]):
            document = json.loads(one["policyDocument"])
            subscription = {name[0].lower() + name[1:]: value for name, value in document.items()}
            subscription["filterName"] = one["policyName"]
            more = {"policyLevel": ACCOUNT_LEVEL}
            _deliver(subscription, PUT_POLICY, group, stream, events, more)


def put_account_policy(data: Mapping[str, Any]) -> Any:
    """Keep the account's one subscription policy, if its destination takes a test message."""
    if [name for name in policies if name != data["policyName"]]:
        return error_response_json("LimitExceededException", "Resource limit exceeded.", 400)
    document = json.loads(data["policyDocument"])
    subscription = {
        "destinationArn": document["DestinationArn"],
        "roleArn": document.get("RoleArn", ""),
    }
    try:
        matches(document.get("FilterPattern", ""), "")
        _left_out(data.get("selectionCriteria", ""))
        _try(subscription, PUT_POLICY, "")
    except Denied as error:
        return error_response_json("AccessDeniedException", str(error), 400)
    except (Refused, roles.NotAllowed) as error:
        return error_response_json("InvalidParameterException", str(error), 400)
    policies[data["policyName"]] = {"selectionCriteria": "", **data}
    return json_response({"accountPolicy": policies[data["policyName"]]})


def describe_account_policies(data: Mapping[str, Any]) -> Any:
    """List the account's policies of the type asked for."""
    found = [one for one in policies.values() if one["policyType"] == data["policyType"]]
    return json_response({"accountPolicies": found})


def delete_account_policy(data: Mapping[str, Any]) -> Any:
    """Remove an account-level policy."""
    policies.pop(data["policyName"], None)
    return json_response({})


_ACCOUNT_ACTIONS = {
    "PutAccountPolicy": put_account_policy,
    "DescribeAccountPolicies": describe_account_policies,
    "DeleteAccountPolicy": delete_account_policy,
}


async def handle(method: str, path: str, headers: Any, body: bytes, query: Any) -> Any:
    """Answer the actions on account-level policies, which the emulator does not know."""
    action = headers.get("x-amz-target", "").rpartition(".")[2]
    if action in _ACCOUNT_ACTIONS:
        return _ACCOUNT_ACTIONS[action](json.loads(body))
    return await handle_request(method, path, headers, body, query)


def create_account_policy(_logical_id: str, properties: Any, _stack: str) -> tuple[str, Any]:
    """Make an AWS::Logs::AccountPolicy."""
    names = ("PolicyName", "PolicyType", "PolicyDocument", "SelectionCriteria", "Scope")
    data = {name[0].lower() + name[1:]: properties[name] for name in names if name in properties}
    status, _, body = put_account_policy(data)
    if status >= 400:
        raise ValueError(f"AWS::Logs::AccountPolicy: {body!r}")
    return properties["PolicyName"], {}


def update_account_policy(
    physical_id: str, _old: Any, properties: Any, stack: str, *_: Any
) -> tuple[str, Any]:
    """Change one, in place unless it has another name."""
    if physical_id != properties["PolicyName"]:
        remove_account_policy(physical_id, {})
    return create_account_policy("", properties, stack)


def remove_account_policy(physical_id: str, _properties: Any) -> None:
    """Remove one."""
    policies.pop(physical_id, None)


def matches(pattern: str, message: str) -> bool:
    """Say whether an event's text matches a filter pattern of terms."""
    signs: dict[str, list[str]] = {"": [], "-": [], "?": []}
    at = 0
    pattern = pattern.strip()
    while at < len(pattern):
        term = _TERM.match(pattern, at)
        if term is None:
            raise Refused(f"the local stack knows patterns of terms alone, not {pattern!r}")
        phrase = term["phrase"]
        signs[term["sign"]].append(
            term["word"] if phrase is None else re.sub(r"\\(.)", r"\1", phrase)
        )
        at = term.end()
    return (
        all(one in message for one in signs[""])
        and not any(one in message for one in signs["-"])
        and (not signs["?"] or any(one in message for one in signs["?"]))
    )


def _deliver(
    subscription: Mapping[str, Any],
    action: str,
    group: str,
    stream: str,
    events: list[Event],
    more: Event,
) -> None:
    """Send those of the events that match; what cannot be sent CloudWatch Logs logs nowhere."""
    pattern = subscription.get("filterPattern", "")
    matching = [
        one
        for one in _log_events(group, stream, events, subscription.get("emitSystemFields", []))
        if matches(pattern, one["message"])
    ]
    if not matching:
        return
    envelope = {
        "messageType": "DATA_MESSAGE",
        "owner": get_account_id(),
        "logGroup": group,
        "logStream": stream,
        "subscriptionFilters": [subscription["filterName"]],
        "logEvents": matching,
        **more,
    }
    try:
        _send(subscription, action, envelope, group)
    except (Denied, Refused, roles.NotAllowed) as error:
        logger.warning("events of %s could not be delivered: %s", group, error)


def _log_events(
    group: str, stream: str, events: Iterable[Event], fields: Iterable[str]
) -> Iterator[Event]:
    known = {"@aws.account": get_account_id(), "@aws.region": get_region()}
    extracted = {name: known[name] for name in fields}
    for number, event in enumerate(events):
        what = f"{group}\n{stream}\n{number}\n{event['timestamp']}\n{event['message']}"
        digits = int.from_bytes(hashlib.sha256(what.encode()).digest()) % 10**40
        one = {
            "id": f"39{event['timestamp']:014d}{digits:040d}",
            "timestamp": event["timestamp"],
            "message": event["message"],
        }
        yield one | ({"extractedFields": extracted} if extracted else {})


def _try(subscription: Mapping[str, Any], action: str, group: str) -> None:
    """Send a test message, for a caller who may subscribe."""
    if log_destinations.is_one(subscription["destinationArn"]):
        log_destinations.require_subscriber(subscription["destinationArn"], action)
    _send(subscription, action, log_destinations.control_message(), group)


def _send(subscription: Mapping[str, Any], action: str, envelope: Event, group: str) -> None:
    """Put one envelope, compressed, into a stream, by the subscription's role or a destination."""
    target, role = subscription["destinationArn"], subscription.get("roleArn", "")
    source = f"arn:aws:logs:{get_region()}:{get_account_id()}:log-group:{group or '*'}:*"
    data = log_destinations.compressed(envelope)
    random = subscription.get("distribution") == "Random"
    # One that is Random has a new key each time; here it follows from the bytes.
    key = hashlib.md5(data if random else envelope["logStream"].encode()).hexdigest()
    if log_destinations.is_one(target):
        log_destinations.send(target, action, role, source, key, data)
    else:
        log_destinations.put_record(target, role, source, key, data)


def _left_out(criteria: str) -> list[str]:
    """Read which log groups an account-level policy leaves out: AWS knows no other criterion."""
    if not criteria:
        return []
    found = re.fullmatch(r"LogGroupName NOT IN (\[.*\])", criteria)
    if found is None:
        raise Refused(f"the only selection criterion is LogGroupName NOT IN [], not {criteria!r}")
    names: list[str] = json.loads(found[1])
    return names


def _is_function(destination: str) -> bool:
    return ":function:" in destination
