"""The Light Engine's scenario: what its functions, state machines, tables and alarms rely on."""

import re
from dataclasses import fields
from typing import get_type_hints

import pytest

from servicelogs import formats
from servicelogs.settings import (
    BackupSettings,
    LakeSettings,
    LogSettings,
    PlaceSettings,
    read_settings,
)
from tests.statemachines.machine import definition, states
from tests.templates.expansion import ROOT, as_list, decide, expand, of_type, read, statements
from tests.templates.test_rules import rights

NAME = "scenarios/s3_to_light_engine.yaml"
GIVEN = {"LogBucketName": "logs", "LogBucketPrefix": "in/"}
MACHINES = {
    logical_id: machine["Properties"]["DefinitionS3Location"]
    .split("/")[-1]
    .removesuffix(".asl.json")
    for logical_id, machine in of_type(
        read(NAME)["Resources"], "AWS::StepFunctions::StateMachine"
    ).items()
}
SCHEDULES = [name for name in read(NAME)["Parameters"] if name.endswith("Schedule")]
every_machine = pytest.mark.parametrize("machine", MACHINES)


def functions():
    """Give each function with its folder."""
    return {
        logical_id: (function, function["Properties"]["CodeUri"].split("/")[-2])
        for logical_id, function in of_type(
            read(NAME)["Resources"], "AWS::Serverless::Function"
        ).items()
    }


def allowed(logical_id, prefix):
    """Give the statements of a function's role with an action of a service."""
    resources = decide(NAME, **GIVEN)
    return [
        (action, str(resource))
        for statement in rights(resources, resources[logical_id])
        for action in as_list(statement["Action"])
        for resource in as_list(statement["Resource"])
        if action.startswith(prefix)
    ]


def test_functions_get_every_setting_that_they_read_and_each_is_one_that_they_take():
    variables = read(NAME)["Globals"]["Function"]["Environment"]["Variables"]
    needed = {
        annotation.__metadata__[0].name
        for settings in (LakeSettings, BackupSettings, LogSettings, PlaceSettings)
        for name, annotation in get_type_hints(settings, include_extras=True).items()
        if name in {field.name for field in fields(settings)}
    }
    # The lake has types of its own, and what a batch may hold follows from the function's memory.
    left_out = {"LOG_TYPES", "MAX_OBJECTS_PER_BATCH", "MAX_BYTES_PER_BATCH"}
    assert needed - set(variables) == left_out

    function = decide(NAME, **GIVEN)["PlanFunction"]["Properties"]
    plain = {
        name: value if isinstance(value, str) else "made-here"
        for name, value in function["Environment"]["Variables"].items()
    }
    plain["GLUE_DATABASE"] = "made_here"
    for settings in (LakeSettings, BackupSettings, LogSettings, PlaceSettings):
        read_settings(settings, plain)


@every_machine
def test_a_state_machine_is_given_all_that_it_names_and_may_call_just_that(machine):
    resources = read(NAME)["Resources"]
    given = resources[machine]["Properties"]["DefinitionSubstitutions"]
    text = (ROOT / "statemachines" / f"{MACHINES[machine]}.asl.json").read_text()
    assert set(re.findall(r"\$\{(\w+)\}", text)) == set(given)

    called = {value["Fn::GetAtt"][0] for value in given.values() if "Fn::GetAtt" in value}
    (calls,) = [
        s for s in statements(resources[f"{machine}Role"]) if s["Action"] == "lambda:InvokeFunction"
    ]
    assert {arn["Fn::GetAtt"][0] for arn in calls["Resource"]} == called
    # The function of a state is the one of its name.
    for name in set(given) - {"Partition", "MaxConcurrency"}:
        folder = re.sub(r"(?<!^)(?=[A-Z])", "_", name).lower()
        assert functions()[given[name]["Fn::GetAtt"][0]][1] == folder


@every_machine
def test_a_state_waits_longer_than_its_function_may_run(machine):
    resources = expand(NAME)["Resources"]
    given = read(NAME)["Resources"][machine]["Properties"]["DefinitionSubstitutions"]
    for key, state in states(definition(MACHINES[machine])):
        if state["Type"] == "Task":
            name = state["Parameters"]["FunctionName"].strip("${}")
            function = resources[given[name]["Fn::GetAtt"][0]]["Properties"]
            assert function["Timeout"] < state["TimeoutSeconds"] <= function["Timeout"] + 60, key


@every_machine
def test_a_run_starts_by_the_schedule_after_all_that_it_needs_is_there(machine):
    schedule = read(NAME)["Resources"][f"{machine}Schedule"]
    assert set(schedule["DependsOn"]) == {"Lake", f"{machine}Children", "AsksForExecutions"}
    assert schedule["Properties"]["Target"]["Arn"] == {"Ref": machine}
    parameter = schedule["Properties"]["ScheduleExpression"]["Ref"]
    assert machine in decide(NAME, **GIVEN, **{parameter: ""})
    assert f"{machine}Schedule" not in decide(NAME, **GIVEN, **{parameter: ""})


@pytest.mark.parametrize("parameter", SCHEDULES)
@pytest.mark.parametrize(
    ("value", "is_one"),
    [
        ("", True),
        ("rate(5 minutes)", True),
        ("rate(1 minute)", True),
        ("cron(0/15 6-20 ? * MON-FRI *)", True),
        ("rate(0 minutes)", False),
        ("5 minutes", False),
        ("rate(5 seconds)", False),
        ("at(2026-11-20T00:00:00)", False),
    ],
)
def test_a_schedule_repeats(parameter, value, is_one):
    pattern = read(NAME)["Parameters"][parameter]["AllowedPattern"]
    assert bool(re.fullmatch(pattern, value)) == is_one


@pytest.mark.parametrize(
    ("value", "is_one"),
    [
        ("0", True),
        ("90,vpc_flow=30", True),
        ("alb=30", True),
        (",".join(f"{name}=1" for name in formats.NAMES), True),
        ("", False),
        ("alb", False),
        ("albs=3", False),
        ("90, alb=30", False),
        ("-1", False),
    ],
)
def test_days_are_of_all_types_or_of_one(value, is_one):
    pattern = read(NAME)["Parameters"]["LakeDeleteAfterDays"]["AllowedPattern"]
    assert bool(re.fullmatch(pattern, value)) == is_one


def test_who_holds_a_lease_or_hands_out_batches_may_ask_if_an_execution_runs():
    asking = {
        logical_id
        for logical_id, (_, folder) in functions().items()
        if folder in ("plan_batches", "publish_table", "compact_partition", "expire_partitions")
    }
    (policy,) = [
        p
        for p in of_type(read(NAME)["Resources"], "AWS::IAM::Policy").values()
        if p["Properties"]["PolicyName"] == "AsksForExecutions"
    ]
    assert {ref["Ref"] for ref in policy["Properties"]["Roles"]} == {
        f"{logical_id}Role" for logical_id in asking
    }
    for machine in MACHINES:
        assert f"${{{machine}.Name}}" in str(policy)


def test_no_function_writes_to_the_log_bucket_or_deletes_from_it():
    for logical_id in functions():
        for action, resource in allowed(logical_id, "s3:"):
            if "arn:aws:s3:::logs" in resource:
                assert action in {"s3:GetObject", "s3:ListBucket"}, logical_id


@pytest.mark.parametrize("logical_id", sorted(functions()))
def test_only_a_publisher_or_its_like_touches_the_lake(logical_id):
    _, folder = functions()[logical_id]
    touches = {
        action
        for service in ("s3:", "glue:")
        for action, resource in allowed(logical_id, service)
        if "LakeBucket" in resource or service == "glue:"
    } - {"s3:ListBucket"}
    may = {"set_up_lake", "publish_table", "compact_partition", "expire_partitions"}
    assert bool(touches) == (folder in may)
    assert ("s3:GetObject" in touches) == (folder == "compact_partition")


def test_what_waits_in_the_buckets_does_not_expire():
    resources = read(NAME)["Resources"]
    for name in ("StagingBucket", "LakeBucket", "BackupBucket"):
        rules = resources[name]["Properties"]["LifecycleConfiguration"]["Rules"]
        assert not [rule for rule in rules if "ExpirationInDays" in rule], name
        assert "AbortIncompleteMultipartUpload" in str(rules), name
    (results,) = [
        rule
        for rule in resources["QueryResultsBucket"]["Properties"]["LifecycleConfiguration"]["Rules"]
        if "ExpirationInDays" in rule
    ]
    assert results["ExpirationInDays"] == {"Ref": "QueryResultsDays"}


@pytest.mark.parametrize("name", ["StagingBucket", "LakeBucket", "QueryResultsBucket"])
def test_every_bucket_refuses_plain_http_and_uses_the_customers_key(name):
    key = "arn:aws:kms:eu-west-1:111122223333:key/1"
    resources = decide(NAME, **GIVEN, KmsKeyArn=key)
    (refusal,) = statements(resources[f"{name}Policy"])
    assert (refusal["Effect"], refusal["Principal"]) == ("Deny", "*")
    assert key in str(resources[name]["Properties"]["BucketEncryption"])
    assert f"{name}Policy" not in decide(NAME, **GIVEN, TlsOnly="false")


def test_an_existing_backup_bucket_is_used_instead_of_one_made_here():
    resources = decide(NAME, **GIVEN, BackupBucketName="rejects")
    assert "BackupBucket" not in resources
    assert "BackupBucketPolicy" not in resources
    variables = resources["PublishFunction"]["Properties"]["Environment"]["Variables"]
    assert variables["BACKUP_BUCKET"] == "rejects"
    assert "s3:::rejects/rejected/light-engine/*" in str(
        rights(resources, resources["PublishFunction"])
    )


def test_the_ledger_and_the_tables_outlive_the_stack():
    resources = read(NAME)["Resources"]
    for name in ("Ledger", "Database"):
        assert resources[name]["DeletionPolicy"] == resources[name]["UpdateReplacePolicy"]
        assert resources[name]["DeletionPolicy"] == "Retain"
    ledger = resources["Ledger"]["Properties"]
    assert ledger["PointInTimeRecoverySpecification"] == {"PointInTimeRecoveryEnabled": True}
    assert ledger["BillingMode"] == "PAY_PER_REQUEST"
    assert ledger["TimeToLiveSpecification"] == {"AttributeName": "ttl", "Enabled": True}
    assert [key["AttributeName"] for key in ledger["KeySchema"]] == ["pk", "sk"]


def test_a_name_of_the_database_needs_no_quotes_in_a_query():
    database = decide(NAME, **GIVEN)["Database"]["Properties"]["DatabaseInput"]
    assert re.fullmatch(r"[a-z][a-z0-9_]*", database["Name"])


def test_the_workgroup_limits_and_encrypts_whatever_a_client_asks_for():
    group = decide(NAME, **GIVEN, QueryLimitGigabytes="50")["WorkGroup"]["Properties"]
    configuration = group["WorkGroupConfiguration"]
    assert configuration["EnforceWorkGroupConfiguration"] is True
    assert configuration["BytesScannedCutoffPerQuery"] == "50000000000"
    encryption = configuration["ResultConfiguration"]["EncryptionConfiguration"]
    assert encryption == {"EncryptionOption": "SSE_S3"}
    key = "arn:aws:kms:eu-west-1:111122223333:key/1"
    group = decide(NAME, **GIVEN, KmsKeyArn=key)["WorkGroup"]["Properties"]
    encryption = group["WorkGroupConfiguration"]["ResultConfiguration"]["EncryptionConfiguration"]
    assert encryption == {"EncryptionOption": "SSE_KMS", "KmsKey": key}


def test_only_who_sets_up_the_lake_puts_named_queries_and_only_into_its_workgroup():
    for logical_id, (function, folder) in functions().items():
        found = {resource for _, resource in allowed(logical_id, "athena:")}
        variables = function["Properties"].get("Environment", {}).get("Variables", {})
        if folder == "set_up_lake":
            assert found == {"arn:aws:athena:eu-west-1:111122223333:workgroup/${WorkGroup}"}
            assert variables["ATHENA_WORK_GROUP"] == {"Ref": "WorkGroup"}
        else:
            assert not found
            assert "ATHENA_WORK_GROUP" not in variables


def test_the_lake_is_set_up_again_when_what_decides_its_tables_changes():
    template = read(NAME)
    said = str(template["Resources"]["Lake"]["Properties"])
    assert template["Resources"]["Lake"]["Properties"]["Layer"] == {"Ref": "ServiceLogsLayer"}
    for parameter in template["Parameters"]:
        if parameter.startswith(("Lake", "LogType", "CloudFront", "FlowLog", "Postgres")):
            assert parameter in said, f"a changed {parameter} would not set the lake up again"


@pytest.mark.parametrize(
    ("alarm", "folder"),
    [
        ("OldestStagedObjectAlarm", "plan_batches"),
        ("OldestPreparedBatchAlarm", "list_tables"),
        ("QuarantinedObjectsAlarm", "split_batch"),
    ],
)
def test_an_alarm_watches_a_metric_that_a_function_publishes(alarm, folder):
    watched = read(NAME)["Resources"][alarm]["Properties"]
    assert watched["Dimensions"] == [{"Name": "service", "Value": folder}]
    variables = read(NAME)["Globals"]["Function"]["Environment"]["Variables"]
    assert watched["Namespace"] == variables["POWERTOOLS_METRICS_NAMESPACE"]
    published = (ROOT / "functions" / folder / "app.py").read_text()
    assert f'metrics.add_metric("{watched["MetricName"]}"' in published


@every_machine
def test_runs_that_fail_or_do_not_end_raise_an_alarm(machine):
    alarms = of_type(read(NAME)["Resources"], "AWS::CloudWatch::Alarm").values()
    watched = {
        a["Properties"]["MetricName"]
        for a in alarms
        if a["Properties"]["Dimensions"] == [{"Name": "StateMachineArn", "Value": {"Ref": machine}}]
    }
    assert watched == {"ExecutionsFailed", "ExecutionsTimedOut"}


def test_concurrency_is_reserved_only_where_it_is_asked_for():
    assert (
        "ReservedConcurrentExecutions" not in decide(NAME, **GIVEN)["ConvertFunction"]["Properties"]
    )
    convert = decide(NAME, **GIVEN, ConvertReservedConcurrency="5")["ConvertFunction"]
    assert convert["Properties"]["ReservedConcurrentExecutions"] == "5"


def test_functions_that_only_move_files_do_not_carry_the_libraries_that_write_them():
    large = {
        folder
        for function, folder in functions().values()
        if "AwsWranglerLayer" in str(function["Properties"].get("Layers"))
    }
    assert large <= {"convert_batch", "compact_partition"}
    assert "convert_batch" in large
