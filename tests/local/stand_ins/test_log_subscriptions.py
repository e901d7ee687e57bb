"""Subscriptions in the local stack send what CloudWatch Logs sends, by the role that was given."""

import json

import pytest
from ministack.services import cloudwatch_logs

from local.stand_ins import log_subscriptions
from tests.local.stand_ins import emulated
from tests.local.stand_ins.emulated import GROUP

LOGS = "logs.amazonaws.com"
EVENTS = [
    {"timestamp": 1_795_162_495_123, "message": "order stored\n"},
    {"timestamp": 1_795_162_495_124, "message": "START RequestId: 1 Version: $LATEST\n"},
]


@pytest.fixture(autouse=True)
def no_policy():
    log_subscriptions.policies.clear()
    yield
    log_subscriptions.policies.clear()


@pytest.fixture
def destination():
    return emulated.stream()


@pytest.fixture
def role(destination):
    return emulated.role("sends", LOGS, "kinesis:PutRecord", destination)


def put(destination, role, name="ours", group=GROUP, **more):
    status, _, body = log_subscriptions.put_subscription_filter(
        {
            "logGroupName": group,
            "filterName": name,
            "filterPattern": "",
            "destinationArn": destination,
            "roleArn": role,
            **more,
        }
    )
    return status, json.loads(body or "{}")


def put_policy(destination, role, criteria="", name="ours"):
    document = {"DestinationArn": destination, "RoleArn": role, "FilterPattern": ""}
    status, _, body = log_subscriptions.put_account_policy(
        {
            "policyName": name,
            "policyType": "SUBSCRIPTION_FILTER_POLICY",
            "policyDocument": json.dumps(document),
            "selectionCriteria": criteria,
        }
    )
    return status, json.loads(body)


def sent():
    return emulated.envelopes(emulated.records())


def test_matching_events_arrive_in_an_envelope_like_awss(destination, role):
    emulated.group()
    put(destination, role, filterPattern='-"START RequestId"', emitSystemFields=["@aws.region"])
    log_subscriptions.fan_out(GROUP, "stream", EVENTS)
    (envelope,) = sent()
    (event,) = envelope.pop("logEvents")
    assert envelope == {
        "messageType": "DATA_MESSAGE",
        "owner": emulated.ACCOUNT,
        "logGroup": GROUP,
        "logStream": "stream",
        "subscriptionFilters": ["ours"],
    }
    assert len(event.pop("id")) == 56
    assert event == EVENTS[0] | {"extractedFields": {"@aws.region": emulated.REGION}}


def test_the_same_events_have_the_same_ids_again(destination, role):
    emulated.group()
    put(destination, role)
    for _ in range(2):
        log_subscriptions.fan_out(GROUP, "stream", EVENTS)
    first, second = sent()
    assert first["logEvents"] == second["logEvents"]
    assert len({event["id"] for event in first["logEvents"]}) == 2


def test_a_new_filter_sends_a_control_message(destination, role):
    emulated.group()
    assert put(destination, role)[0] == 200
    assert len(emulated.records()) == 1
    assert not sent()


@pytest.mark.parametrize(
    ("service", "action"), [("lambda.amazonaws.com", "kinesis:PutRecord"), (LOGS, "kinesis:Get*")]
)
def test_a_filter_whose_role_does_not_let_events_through_is_refused(destination, service, action):
    emulated.group()
    status, answer = put(destination, emulated.role("sends", service, action, destination))
    assert (status, answer["__type"]) == (400, "InvalidParameterException")
    log_subscriptions.fan_out(GROUP, "stream", EVENTS)
    assert not emulated.records()


def test_a_stream_that_does_not_exist_takes_no_test_message():
    emulated.group()
    arn = "arn:aws:kinesis:us-east-1:000000000000:stream/none"
    status, answer = put(arn, emulated.role("sends", LOGS, "kinesis:PutRecord", arn))
    assert (status, answer["__type"]) == (400, "InvalidParameterException")


def test_a_third_filter_is_refused_and_a_changed_one_is_not(destination, role):
    emulated.group()
    for name in ("one", "two", "two"):
        assert put(destination, role, name)[0] == 200
    status, answer = put(destination, role, "three")
    assert (status, answer["__type"]) == (400, "LimitExceededException")


def test_the_account_level_policy_takes_groups_made_later_but_for_those_left_out(destination, role):
    assert put_policy(destination, role, 'LogGroupName NOT IN ["own"]')[0] == 200
    for name in (GROUP, "own"):
        emulated.group(name)
        log_subscriptions.fan_out(name, "stream", EVENTS)
    (envelope,) = sent()
    assert envelope["logGroup"] == GROUP
    assert envelope["policyLevel"] == "ACCOUNT_LEVEL_POLICY"


def test_an_account_has_one_such_policy_and_no_other_criterion(destination, role):
    assert put_policy(destination, role)[0] == 200
    assert put_policy(destination, role)[0] == 200
    assert put_policy(destination, role, name="theirs")[1]["__type"] == "LimitExceededException"
    status, _ = put_policy(destination, role, 'LogGroupNamePrefix IN ["/aws/"]')
    assert status == 400


def test_a_filter_alone_decides_without_a_policy(destination, role):
    emulated.group()
    log_subscriptions.fan_out(GROUP, "stream", EVENTS)
    assert not emulated.records()
    assert not cloudwatch_logs._log_groups[GROUP]["subscriptionFilters"]


@pytest.mark.parametrize(
    ("pattern", "message", "matching"),
    [
        ("", "anything", True),
        ("ERROR", "an ERROR", True),
        ("ERROR", "an error", False),
        ("ERROR timeout", "a timeout", False),
        ("-rdsadmin", "user rdsadmin", False),
        ("-rdsadmin", "user app", True),
        ('-"START RequestId" -"END RequestId"', "END RequestId: 1", False),
        ('-"START RequestId" -"END RequestId"', "the START", True),
        ("?ERROR ?WARN", "WARN", True),
        ("?ERROR ?WARN", "INFO", False),
        (r'"a \"word\""', 'a "word"', True),
    ],
)
def test_a_pattern_of_terms_is_read_as_aws_reads_it(pattern, message, matching):
    assert log_subscriptions.matches(pattern, message) is matching


@pytest.mark.parametrize("pattern", ["{ $.level = 1 }", "[ip, user]", "%a+%", '"open'])
def test_another_pattern_is_refused_and_never_taken_for_one_that_matches(
    destination, role, pattern
):
    emulated.group()
    assert put(destination, role, filterPattern=pattern)[0] == 400
