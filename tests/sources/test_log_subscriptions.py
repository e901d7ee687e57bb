"""One filter of ours on each log group: replaced in place, refused by name, removed alone."""

import boto3
import pytest

from servicelogs.errors import ConfigurationError, RefusedSubscription
from servicelogs.sources import log_subscriptions
from servicelogs.sources.log_subscriptions import carry_out

OURS = "service-logs-0123456789ab"
GROUPS = ["/aws/rds/instance/shop-db/error", "/aws/rds/instance/shop-db/slowquery"]


@pytest.fixture
def logs(aws, monkeypatch):
    monkeypatch.setattr(log_subscriptions, "ROLE_DELAYS", (0,))
    client = boto3.client("logs")
    for group in GROUPS:
        client.create_log_group(logGroupName=group)
    boto3.client("kinesis").create_stream(StreamName="logs", ShardCount=1)
    return client


def request(kind, groups=GROUPS, before=(), **properties):
    return {
        "RequestType": kind,
        "ResourceProperties": {
            "ServiceToken": "arn:f",
            "LogGroupNames": list(groups),
            "FilterPattern": "-rdsadmin",
            "DestinationArn": "arn:aws:kinesis:us-east-1:123456789012:stream/logs",
            "RoleArn": "arn:aws:iam::123456789012:role/logs",
            "EmitSystemFields": ["@aws.region"],
            "OwnLogGroups": ["ours", ""],
            "OwnPrefix": "service-logs-",
            **properties,
        },
        **({"OldResourceProperties": {"LogGroupNames": list(before)}} if before else {}),
    }


def filters(logs, group):
    return {
        one["filterName"]: one
        for one in logs.describe_subscription_filters(logGroupName=group)["subscriptionFilters"]
    }


def put(logs, group, name, destination="arn:aws:kinesis:us-east-1:123456789012:stream/logs"):
    logs.put_subscription_filter(
        logGroupName=group,
        filterName=name,
        filterPattern="",
        destinationArn=destination,
        roleArn="arn:aws:iam::123456789012:role/theirs",
    )


def test_every_group_gets_the_filter_and_the_physical_id_is_its_name(logs):
    assert carry_out(request("Create"), OURS) == OURS
    for group in GROUPS:
        (found,) = filters(logs, group).values()
        assert found["filterPattern"] == "-rdsadmin"
        assert found["roleArn"].endswith("role/logs")


@pytest.mark.parametrize("distribution", [{}, {"distribution": "Random"}])
def test_the_region_and_how_events_are_spread_are_asked_for(logs, monkeypatch, distribution):
    """What moto does not keep."""
    sent = []
    monkeypatch.setattr("boto3.client", lambda service: logs)
    monkeypatch.setattr(logs, "put_subscription_filter", lambda **request: sent.append(request))
    said = {name.title(): value for name, value in distribution.items()}
    carry_out(request("Create", groups=GROUPS[:1], **said), OURS)
    (request_sent,) = sent
    assert request_sent["emitSystemFields"] == ["@aws.region"]
    assert {k: v for k, v in request_sent.items() if k == "distribution"} == distribution


def test_a_changed_filter_takes_the_place_of_the_one_before_it(logs):
    """Beside it there may be no room for another one in the group."""
    carry_out(request("Create"), OURS)
    carry_out(request("Update", before=GROUPS, FilterPattern="ERROR"), OURS)
    (found,) = filters(logs, GROUPS[0]).values()
    assert found["filterPattern"] == "ERROR"


def test_a_refused_filter_names_the_group_and_the_filters_that_it_has(logs):
    for name in ("siem", "search"):
        put(logs, GROUPS[1], name)
    with pytest.raises(RefusedSubscription) as refused:
        carry_out(request("Create"), OURS)
    said = str(refused.value)
    assert repr(GROUPS[1]) in said
    assert "'siem' (to arn:aws:kinesis:" in said
    assert "'search'" in said
    assert "remove one of them" in said


def test_a_group_that_is_not_named_any_more_loses_our_filter_and_no_other(logs):
    put(logs, GROUPS[1], "theirs")
    carry_out(request("Create"), OURS)
    carry_out(request("Update", groups=GROUPS[:1], before=GROUPS), OURS)
    assert set(filters(logs, GROUPS[0])) == {OURS}
    assert set(filters(logs, GROUPS[1])) == {"theirs"}


def test_on_delete_only_our_filter_goes_and_a_group_that_is_gone_is_no_error(logs):
    put(logs, GROUPS[0], "theirs")
    carry_out(request("Create"), OURS)
    logs.delete_log_group(logGroupName=GROUPS[1])
    carry_out(request("Delete"), OURS)
    carry_out(request("Delete"), OURS)
    assert set(filters(logs, GROUPS[0])) == {"theirs"}


@pytest.mark.parametrize(
    "own", ["ours", "service-logs-S3ToOpenSearch-1ABC-IndexLogGroup-XYZ", "service-logs-x"]
)
def test_a_log_group_of_the_deployments_own_is_refused_before_any_filter_is_put(logs, own):
    with pytest.raises(ConfigurationError, match=f"'{own}' belongs to this deployment"):
        carry_out(request("Create", groups=[GROUPS[0], own]), OURS)
    assert not filters(logs, GROUPS[0])


def test_the_log_group_of_another_stack_with_a_longer_name_is_none_of_ours(logs):
    logs.create_log_group(logGroupName="service-logs2-app")
    carry_out(request("Create", groups=["service-logs2-app"]), OURS)
    assert set(filters(logs, "service-logs2-app")) == {OURS}


def test_a_group_that_does_not_exist_is_named(logs):
    with pytest.raises(ConfigurationError, match="'/aws/lambda/nope' does not exist: create it"):
        carry_out(request("Create", groups=["/aws/lambda/nope"]), OURS)


def test_a_role_that_cannot_be_used_yet_is_tried_again(logs, monkeypatch):
    """CloudWatch Logs sends a test message, and a new role takes seconds until it works."""
    put_filter, tries = logs.put_subscription_filter, []

    def not_at_first(**request):
        tries.append(request)
        if len(tries) == 1:
            raise logs.exceptions.InvalidParameterException(
                {"Error": {"Code": "InvalidParameterException", "Message": "test message"}}, "Put"
            )
        return put_filter(**request)

    monkeypatch.setattr(logs, "put_subscription_filter", not_at_first)
    monkeypatch.setattr("boto3.client", lambda service: logs)
    carry_out(request("Create", groups=GROUPS[:1]), OURS)
    assert len(tries) == 2
    assert OURS in filters(logs, GROUPS[0])


def test_a_destination_that_stays_unusable_is_an_error_of_its_own_words(logs, monkeypatch):
    def never(**request):
        raise logs.exceptions.InvalidParameterException(
            {"Error": {"Code": "InvalidParameterException", "Message": "no test message"}}, "Put"
        )

    monkeypatch.setattr(logs, "put_subscription_filter", never)
    monkeypatch.setattr("boto3.client", lambda service: logs)
    with pytest.raises(logs.exceptions.InvalidParameterException, match="no test message"):
        carry_out(request("Create"), OURS)


def test_several_resources_of_one_function_have_a_filter_each(logs):
    """So that a group which moves from one to the other keeps that of the one."""
    carry_out(request("Create", FilterNameEnding="rds"), OURS)
    carry_out(request("Create", groups=GROUPS[:1], FilterNameEnding="lambda"), OURS)
    assert carry_out(request("Delete", FilterNameEnding="rds"), OURS) == f"{OURS}-rds"
    assert set(filters(logs, GROUPS[0])) == {f"{OURS}-lambda"}
