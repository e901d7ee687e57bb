"""Every template, root, scenarios and examples, keeps the project's rules."""

import json
import re

import pytest

from tests.templates.expansion import (
    ROOT,
    SCENARIOS,
    TEMPLATES,
    as_list,
    decide,
    expand,
    nodes,
    of_type,
    read,
    rights_by_role,
    statements,
)

every_template = pytest.mark.parametrize("name", TEMPLATES)
every_scenario = pytest.mark.parametrize("name", SCENARIOS)

STATEFUL = {
    "AWS::DynamoDB::Table",
    "AWS::Glue::Database",
    "AWS::Kinesis::Stream",
    "AWS::Logs::LogGroup",
    "AWS::OpenSearchService::Domain",
    "AWS::S3::Bucket",
    "AWS::SQS::Queue",
}
# Names that AWS needs: WAF delivers only to aws-waf-logs-…, and policies have no other name.
PHYSICAL_NAMES = {
    ("AccountSubscription", "PolicyName"),
    ("AsksForExecutions", "PolicyName"),
    ("CompactPartitionsChildren", "PolicyName"),
    ("DomainLogPolicy", "PolicyName"),
    ("ConvertLogsChildren", "PolicyName"),
    ("LogBucket", "BucketName"),
    ("SetUpInvokesItself", "PolicyName"),
}
NAME_PROPERTIES = {
    "AlarmName",
    "BucketName",
    "FunctionName",
    "LayerName",
    "LogGroupName",
    "PolicyName",
    "QueueName",
    "RoleName",
    "TopicName",
}

# Actions for which AWS has no type of resource, so that a policy can only say "*": the functions'
# traces, what Lambda asks before it connects a function to subnets, and where a state machine's log
# goes, which is a setting of the account's.
# https://docs.aws.amazon.com/service-authorization/latest/reference/
KNOW_NO_RESOURCE = {
    "aoss:BatchGetCollection",
    "ec2:DescribeNetworkInterfaces",
    "ec2:DescribeSubnets",
    "logs:CreateLogDelivery",
    "logs:DeleteLogDelivery",
    "logs:DescribeLogGroups",
    "logs:DescribeResourcePolicies",
    "logs:GetLogDelivery",
    "logs:ListLogDeliveries",
    "logs:PutResourcePolicy",
    "logs:UpdateLogDelivery",
    "xray:PutTelemetryRecords",
    "xray:PutTraceSegments",
}


def test_the_rules_have_something_to_hold():
    """A rule that finds nothing of its kind holds whatever the templates say."""
    resources = [r for name in SCENARIOS for r in expand(name)["Resources"].values()]
    assert {resource["Type"] for resource in resources} >= {
        "AWS::CloudWatch::Alarm",
        "AWS::DynamoDB::Table",
        "AWS::Glue::Database",
        "AWS::Kinesis::Stream",
        "AWS::Lambda::EventSourceMapping",
        "AWS::Lambda::Function",
        "AWS::Lambda::LayerVersion",
        "AWS::Logs::LogGroup",
        "AWS::S3::Bucket",
        "AWS::SQS::Queue",
        "AWS::StepFunctions::StateMachine",
        "Custom::BucketNotification",
        "Custom::Lake",
        "Custom::LogSubscriptions",
        "Custom::SearchEngine",
    }
    assert any("RedrivePolicy" in resource.get("Properties", {}) for resource in resources)
    for name in SCENARIOS:
        assert list(statements(read(name))), name
        assert "" in {p.get("Default") for p in read(name)["Parameters"].values()}, name


@pytest.mark.slow
@every_template
def test_the_expanded_template_has_no_lint(name):
    import cfnlint.api  # late: it takes a second, for this test alone

    matches = cfnlint.api.lint(json.dumps(expand(name)), regions=["us-east-1", "eu-west-1"])
    assert [str(match) for match in matches] == []


@every_scenario
def test_every_function_logs_to_a_group_with_a_retention(name):
    resources = expand(name)["Resources"]
    groups = of_type(resources, "AWS::Logs::LogGroup")
    for logical_id, function in of_type(resources, "AWS::Lambda::Function").items():
        group = function["Properties"]["LoggingConfig"]["LogGroup"]["Ref"]
        assert "RetentionInDays" in groups[group]["Properties"], logical_id


@every_scenario
def test_every_mapping_reports_item_failures(name):
    mappings = of_type(expand(name)["Resources"], "AWS::Lambda::EventSourceMapping")
    for logical_id, mapping in mappings.items():
        properties = mapping["Properties"]
        assert properties["FunctionResponseTypes"] == ["ReportBatchItemFailures"], logical_id
        assert "MaximumBatchingWindowInSeconds" in properties, logical_id


@every_scenario
def test_the_search_engine_is_protected_from_too_many_invocations_at_one_time(name):
    for logical_id, mapping, source in mappings_with_sources(name):
        properties = mapping["Properties"]
        if source["Type"] == "AWS::SQS::Queue":
            assert "MaximumConcurrency" in properties["ScalingConfig"], logical_id
        else:
            assert "ParallelizationFactor" in properties, logical_id


def mappings_with_sources(name):
    """Go through the mappings, each with the queue or stream that it reads."""
    resources = expand(name)["Resources"]
    for logical_id, mapping in of_type(resources, "AWS::Lambda::EventSourceMapping").items():
        source = mapping["Properties"]["EventSourceArn"]["Fn::GetAtt"][0]
        yield logical_id, mapping, resources[source]


@every_scenario
def test_every_queue_but_a_dead_letter_queue_has_one_of_its_own(name):
    queues = of_type(expand(name)["Resources"], "AWS::SQS::Queue")
    redrives = {
        logical_id: queue["Properties"].get("RedrivePolicy") for logical_id, queue in queues.items()
    }
    targets = {r["deadLetterTargetArn"]["Fn::GetAtt"][0] for r in redrives.values() if r}
    assert {logical_id for logical_id, redrive in redrives.items() if not redrive} == targets


@every_scenario
def test_every_dead_letter_queue_has_an_alarm_and_keeps_messages_14_days(name):
    resources = expand(name)["Resources"]
    queues = of_type(resources, "AWS::SQS::Queue")
    dimensions = str(
        [
            alarm["Properties"]["Dimensions"]
            for alarm in of_type(resources, "AWS::CloudWatch::Alarm").values()
        ]
    )
    for queue in queues.values():
        if redrive := queue["Properties"].get("RedrivePolicy"):
            target = redrive["deadLetterTargetArn"]["Fn::GetAtt"][0]
            assert queues[target]["Properties"]["MessageRetentionPeriod"] == 14 * 24 * 3600
            assert target in dimensions


@every_scenario
def test_a_queue_hides_a_message_six_times_as_long_as_the_function_may_run(name):
    resources = expand(name)["Resources"]
    for _, mapping, source in mappings_with_sources(name):
        if source["Type"] == "AWS::SQS::Queue":
            function = resources[mapping["Properties"]["FunctionName"]["Ref"]]["Properties"]
            assert source["Properties"]["VisibilityTimeout"] >= 6 * function["Timeout"]


@every_template
def test_no_statement_allows_a_wildcard_action(name):
    for statement in statements(expand(name)):
        if statement["Effect"] == "Allow":
            assert not [action for action in as_list(statement["Action"]) if "*" in action]


@every_template
def test_every_statement_of_ours_says_in_its_sid_what_it_is_for(name):
    for resource in read(name)["Resources"].values():
        for statement in statements(resource):
            assert re.fullmatch(r"[A-Z]\w+", statement["Sid"]), statement


@every_template
def test_a_role_reaches_every_resource_only_with_actions_that_know_none(name):
    for resource in expand(name)["Resources"].values():
        for statement in statements(resource):
            if statement["Effect"] == "Allow" and "*" in as_list(statement.get("Resource", [])):
                assert set(as_list(statement["Action"])) <= KNOW_NO_RESOURCE, statement


@every_template
def test_a_service_may_take_a_role_for_this_account_alone(name):
    """Else a service that somebody else pays could be made to use the role for them."""
    for role in of_type(expand(name)["Resources"], "AWS::IAM::Role").values():
        trust, *others = statements(role["Properties"]["AssumeRolePolicyDocument"])
        assert set(trust["Principal"]) == {"Service"}
        # SAM makes a list of it.
        if as_list(trust["Principal"]["Service"]) == ["lambda.amazonaws.com"]:
            # It takes only roles of the function's account, and documents no key that it sends.
            assert "Condition" not in trust
            continue
        conditions = [key for test in trust["Condition"].values() for key in test]
        assert conditions in (["aws:SourceAccount"], ["aws:SourceArn"])
        assert "AWS::AccountId" in str(trust["Condition"])
        # tests/templates/test_accounts.py says which others.
        assert {other["Sid"] for other in others} <= {"OrganizationsLogGroupsSend"}


@every_scenario
def test_every_role_has_the_path_and_the_boundary_that_an_account_asks_for(name):
    plain = decide(name)
    boundary = "arn:aws:iam::111122223333:policy/boundary"
    asked = decide(name, RolePath="/service-roles/", PermissionsBoundaryArn=boundary)
    for logical_id, role in of_type(plain, "AWS::IAM::Role").items():
        # A path that is added makes a new role, even that which a role without one has.
        assert "Path" not in role["Properties"], logical_id
        assert "PermissionsBoundary" not in role["Properties"], logical_id
        properties = asked[logical_id]["Properties"]
        assert properties["Path"] == "/service-roles/", logical_id
        assert properties["PermissionsBoundary"] == boundary, logical_id
    for logical_id, policy in of_type(asked, "AWS::IAM::ManagedPolicy").items():
        assert policy["Properties"]["Path"] == "/service-roles/", logical_id


@pytest.mark.parametrize(
    ("parameter", "value", "is_one"),
    [
        ("RolePath", "/", True),
        ("RolePath", "/service-roles/logs/", True),
        ("RolePath", "", False),
        ("RolePath", "service-roles/", False),
        ("RolePath", "/service-roles", False),
        ("RolePath", "//", False),
        ("RolePath", "/*/", False),
        ("PermissionsBoundaryArn", "arn:aws-cn:iam::111122223333:policy/a/b", True),
        ("PermissionsBoundaryArn", "arn:aws:iam::aws:policy/PowerUserAccess", True),
        ("PermissionsBoundaryArn", "boundary", False),
        ("PermissionsBoundaryArn", "arn:aws:iam::111122223333:role/boundary", False),
        ("PermissionsBoundaryArn", "arn:aws:iam::111122223333:policy/*", False),
        ("OpenSearchSecretArn", "arn:aws:secretsmanager:eu-west-1:1:secret:a", False),
        ("OpenSearchSecretArn", "arn:aws:secretsmanager:r-1:111122223333:secret:a/b-1", True),
        ("OpenSearchSecretArn", "arn:aws:secretsmanager:r-1:111122223333:secret:*", False),
        ("OpenSearchSecretArn", "arn:aws:secretsmanager:r-1:111122223333:secret:a-??????", False),
    ],
)
def test_an_arn_or_path_in_a_policy_stands_for_one_thing(parameter, value, is_one):
    pattern = read("template.yaml")["Parameters"][parameter]["AllowedPattern"]
    assert bool(re.fullmatch(pattern, value)) == is_one


@every_scenario
def test_no_role_has_a_policy_of_awss(name):
    """What they allow is for every account's needs, and grows."""
    for logical_id, role in of_type(expand(name)["Resources"], "AWS::IAM::Role").items():
        assert all(
            set(arn) == {"Ref"} for arn in role["Properties"].get("ManagedPolicyArns", [])
        ), logical_id


@every_scenario
def test_a_function_writes_to_its_own_log_group_and_to_no_other(name):
    resources = expand(name)["Resources"]
    for logical_id, function in of_type(resources, "AWS::Lambda::Function").items():
        group = function["Properties"]["LoggingConfig"]["LogGroup"]["Ref"]
        found = [
            s
            for s in rights(resources, function)
            if {"logs:CreateLogStream", "logs:PutLogEvents"} & set(as_list(s["Action"]))
        ]
        assert [s["Resource"] for s in found] == [{"Fn::GetAtt": [group, "Arn"]}], logical_id


@every_scenario
def test_rights_on_network_interfaces_are_where_functions_are_in_a_vpc(name):
    if "SubnetIds" not in read(name)["Parameters"]:
        assert "ec2:" not in str([s["Action"] for s in statements(expand(name))])
        return
    assert "ec2:" not in str([s["Action"] for s in statements(decide(name))])
    resources = decide(name, SubnetIds="subnet-1", SecurityGroupIds="sg-1")
    for logical_id, function in of_type(resources, "AWS::Lambda::Function").items():
        found = [s for s in rights(resources, function) if "ec2:" in str(s["Action"])]
        assert "ec2:CreateNetworkInterface" in str(found), logical_id
        # Lambda needs them, the function's code does not.
        assert {str(s["Condition"]) for s in found} == {
            str({"Null": {"lambda:SourceFunctionArn": "true"}})
        }


@every_template
def test_no_arn_names_a_partition(name):
    assert not re.search(r"arn:aws(-\w+)*:", (ROOT / name).read_text())


@every_template
def test_no_address_has_the_suffix_of_a_partition(name):
    """It differs in China and in the sovereign cloud; names of services and principals do not."""
    template = read(name)
    for part in ("Resources", "Conditions", "Rules", "Outputs"):
        for text in nodes(template.get(part, {})):
            if isinstance(text, str) and "amazonaws" in text:
                principal = re.fullmatch(r"[a-z0-9-]+(\.[a-z0-9-]+)*\.amazonaws\.com", text)
                endpoint = text.startswith("com.amazonaws.${AWS::Region}.")
                of_json = not re.findall(r'(?<!")\b[\w.-]+\.amazonaws\.com(?!")', text)
                assert principal or endpoint or of_json, text


@every_template
def test_stateful_resources_say_what_becomes_of_them(name):
    for logical_id, resource in expand(name)["Resources"].items():
        if resource["Type"] in STATEFUL:
            assert {"DeletionPolicy", "UpdateReplacePolicy"} <= set(resource), logical_id


@every_scenario
def test_buckets_survive_their_stack_and_are_closed_to_the_public(name):
    for bucket in of_type(expand(name)["Resources"], "AWS::S3::Bucket").values():
        assert bucket["DeletionPolicy"] == bucket["UpdateReplacePolicy"] == "Retain"
        assert set(bucket["Properties"]["PublicAccessBlockConfiguration"].values()) == {True}
        assert "BucketEncryption" in bucket["Properties"]


@pytest.mark.parametrize("name", ["s3_to_opensearch", "stream_to_opensearch", "s3_to_light_engine"])
def test_rejects_are_kept_in_versions_and_expire_only_where_it_is_asked_for(name):
    def rules(**parameters):
        bucket = decide(f"scenarios/{name}.yaml", **parameters)["BackupBucket"]["Properties"]
        assert bucket["VersioningConfiguration"] == {"Status": "Enabled"}
        return {rule.pop("Id"): rule for rule in bucket["LifecycleConfiguration"]["Rules"]}

    kept = rules()
    assert not [rule for rule in kept.values() if "ExpirationInDays" in rule]
    assert "NoncurrentVersionExpiration" in kept["DeleteOldVersions"]
    expiring = rules(DeleteRejectsAfterDays="90")
    assert expiring.pop("DeleteRejects") == {"Status": "Enabled", "ExpirationInDays": "90"}
    assert expiring == kept


# What a policy of each kind is of, and what refuses plain HTTP in it: SNS takes no wildcard.
CLOSED = {
    "AWS::S3::Bucket": ("AWS::S3::BucketPolicy", "Bucket", "s3:*"),
    "AWS::SNS::Topic": ("AWS::SNS::TopicPolicy", "Topics", "sns:Publish"),
    "AWS::SQS::Queue": ("AWS::SQS::QueuePolicy", "Queues", "sqs:*"),
}


@every_scenario
@pytest.mark.parametrize("events", ["SQS", "SNS", "EventBridge"])
def test_every_bucket_queue_and_topic_refuses_plain_http_unless_an_emulator_needs_it(name, events):
    for tls_only in ("true", "false"):
        resources = decide(name, TlsOnly=tls_only, ObjectEvents=events)
        for logical_id, resource in resources.items():
            if resource["Type"] not in CLOSED:
                continue
            kind, of, action = CLOSED[resource["Type"]]
            policies = [
                policy
                for policy in of_type(resources, kind).values()
                if {"Ref": logical_id} in as_list(policy["Properties"][of])
            ]
            # A second one would replace the first.
            assert len(policies) <= 1, logical_id
            refusals = [s for s in statements(policies) if s["Effect"] == "Deny"]
            if tls_only == "false":
                assert not refusals, logical_id
                continue
            (refusal,) = refusals
            assert refusal["Principal"] == "*", logical_id
            assert refusal["Action"] == action, logical_id
            assert refusal["Condition"] == {"Bool": {"aws:SecureTransport": "false"}}
            assert logical_id in str(refusal["Resource"])


@every_scenario
@pytest.mark.parametrize("events", ["SQS", "SNS", "EventBridge"])
def test_a_service_that_a_policy_lets_in_comes_for_a_resource_of_ours_or_of_this_account(
    name, events
):
    """Else somebody else could have it come to us for them."""
    topic = "arn:aws:sns:eu-west-1:111122223333:topic"
    resources = decide(name, ObjectEvents=events, TopicArn=topic, LogBucketPrefix="logs/")
    for kind, *_ in CLOSED.values():
        for statement in statements(of_type(resources, kind)):
            if statement["Effect"] == "Deny":
                continue
            assert set(statement["Principal"]) == {"Service"}
            keys = {k: v for test in statement["Condition"].values() for k, v in test.items()}
            assert keys.keys() & {"aws:SourceAccount", "aws:SourceArn"}, statement
            assert keys.get("aws:SourceAccount", "111122223333") == "111122223333"


@every_template
def test_nothing_has_a_physical_name_that_aws_does_not_need(name):
    named = {
        (logical_id, key)
        for logical_id, resource in read(name)["Resources"].items()
        if not resource["Type"].startswith("Custom::")
        for key in resource.get("Properties", {})
        # There they name what another resource is.
        if key in NAME_PROPERTIES
        and resource["Type"] not in ("AWS::Lambda::EventSourceMapping", "AWS::Logs::LogStream")
    }
    assert named <= PHYSICAL_NAMES


@every_template
def test_two_stacks_in_one_account_and_region_do_not_share_a_metric(name):
    """Else what one of them rejects raises the alarm of the other too."""
    for logical_id, alarm in of_type(read(name)["Resources"], "AWS::CloudWatch::Alarm").items():
        watched = alarm["Properties"]
        of_aws = str(watched["Namespace"]).startswith("AWS/")
        values = [dimension["Value"] for dimension in watched["Dimensions"]]
        assert any(isinstance(value, dict) for value in values) == of_aws, logical_id
        if not of_aws:
            assert watched["Namespace"] == {"Fn::Sub": "ServiceLogs/${AWS::StackName}"}, logical_id


@every_template
def test_a_parameter_says_what_it_is_and_what_it_must_be(name):
    for parameter, declared in read(name).get("Parameters", {}).items():
        assert re.fullmatch(r"[A-Z][A-Za-z0-9]+", parameter)
        assert declared["Description"].endswith("."), parameter
        assert declared["ConstraintDescription"].startswith("must be "), parameter
        assert {"AllowedValues", "AllowedPattern", "MinValue"} & set(declared), parameter


@pytest.mark.parametrize("name", [n for n in TEMPLATES if not n.startswith("examples/")])
def test_every_parameter_is_in_one_group(name):
    template = read(name)
    groups = template["Metadata"]["AWS::CloudFormation::Interface"]["ParameterGroups"]
    grouped = [parameter for group in groups for parameter in group["Parameters"]]
    assert sorted(grouped) == sorted(template["Parameters"])


@every_template
def test_optional_text_is_empty_by_default(name):
    for parameter, declared in read(name).get("Parameters", {}).items():
        pattern = declared.get("AllowedPattern", "")
        if declared.get("Default") == "" and declared["Type"] == "String":
            assert re.fullmatch(pattern, ""), parameter


@every_scenario
def test_a_scenario_is_complete_by_itself(name):
    template = read(name)
    assert {"Description", "Parameters", "Resources", "Outputs"} <= set(template)
    assert ("Globals" in template) == ("Transform" in template)
    used = [
        node["Ref"]
        for node in nodes(template.get("Globals"))
        if isinstance(node, dict) and "Ref" in node
    ]
    pseudo = {"AWS::AccountId", "AWS::NoValue", "AWS::Region"}
    assert set(used) <= {*pseudo, *template["Parameters"], *template["Resources"]}


def test_a_layer_has_the_same_content_wherever_it_is_declared():
    declared: dict[str, set[str]] = {}
    for name in SCENARIOS:
        for logical_id, layer in of_type(
            read(name)["Resources"], "AWS::Serverless::LayerVersion"
        ).items():
            declared.setdefault(logical_id, set()).add(json.dumps(layer, sort_keys=True))
    assert {len(contents) for contents in declared.values()} == {1}


@every_scenario
def test_functions_and_layers_are_of_the_architecture_asked_for(name):
    resources = expand(name)["Resources"]
    for function in of_type(resources, "AWS::Lambda::Function").values():
        assert function["Properties"]["Architectures"] == [{"Ref": "Architecture"}]
    for layer in of_type(resources, "AWS::Lambda::LayerVersion").values():
        assert layer["Properties"]["CompatibleArchitectures"] == [{"Ref": "Architecture"}]


@every_scenario
def test_functions_begin_traces_only_where_it_is_asked_for(name):
    template = expand(name)
    tracing = template["Parameters"].get("Tracing")
    assert tracing is None or tracing["Default"] == "PassThrough"
    asked = tracing and {"Mode": {"Ref": "Tracing"}}
    for logical_id, function in of_type(template["Resources"], "AWS::Lambda::Function").items():
        assert function["Properties"].get("TracingConfig") == asked, logical_id


@every_scenario
def test_every_custom_resource_gives_up_in_time(name):
    resources = expand(name)["Resources"]
    for logical_id, resource in resources.items():
        if resource["Type"].startswith("Custom::"):
            assert 60 <= resource["Properties"]["ServiceTimeout"] <= 3600, logical_id


@every_scenario
def test_a_function_that_feeds_itself_is_not_stopped_as_a_loop(name):
    resources = expand(name)["Resources"]
    mappings = of_type(resources, "AWS::Lambda::EventSourceMapping").values()
    reading = {mapping["Properties"]["FunctionName"]["Ref"] for mapping in mappings}
    for logical_id, function in of_type(resources, "AWS::Lambda::Function").items():
        allowed = {action for s in rights(resources, function) for action in as_list(s["Action"])}
        sends = "sqs:SendMessage" in allowed and logical_id in reading
        if sends or "lambda:InvokeFunction" in allowed:
            assert function["Properties"]["RecursiveLoop"] == "Allow", logical_id


def rights(resources, function):
    """Give the statements of a function's role, and of the policies that are put on it."""
    role = function["Properties"]["Role"]["Fn::GetAtt"][0]
    return [statement for name, statement in rights_by_role(resources) if name == role]


def test_some_functions_feed_themselves():
    """A rule that finds none of its kind holds whatever the templates say."""
    for name, function in [
        ("s3_to_opensearch", "IndexFunction"),
        ("s3_to_opensearch", "SetUpFunction"),
    ]:
        resources = expand(f"scenarios/{name}.yaml")["Resources"]
        allowed = str(rights(resources, resources[function]))
        assert "sqs:SendMessage" in allowed or "lambda:InvokeFunction" in allowed


INDEXING = ("IndexFunction", "IndexParquetFunction")


S3_TO_OPENSEARCH = "scenarios/s3_to_opensearch.yaml"
STREAM_TO_OPENSEARCH = "scenarios/stream_to_opensearch.yaml"


@pytest.mark.parametrize(
    ("name", "alarm", "function"),
    [
        (S3_TO_OPENSEARCH, "RejectedRecordsAlarm", INDEXING[0]),
        (S3_TO_OPENSEARCH, "ParquetRejectedRecordsAlarm", INDEXING[1]),
        (STREAM_TO_OPENSEARCH, "StreamRejectedRecordsAlarm", "IndexStreamFunction"),
    ],
)
def test_the_alarm_on_rejects_watches_a_metric_that_the_function_publishes(name, alarm, function):
    template = read(name)
    watched = template["Resources"][alarm]["Properties"]
    (dimension,) = watched["Dimensions"]
    shared = template["Globals"]["Function"]["Environment"]["Variables"]
    own = template["Resources"][function]["Properties"]["Environment"]["Variables"]
    assert watched["Namespace"] == shared["POWERTOOLS_METRICS_NAMESPACE"]
    assert dimension == {"Name": "service", "Value": own["POWERTOOLS_SERVICE_NAME"]}
    published = (ROOT / "layers/service_logs/servicelogs/opensearch/function.py").read_text()
    assert f'metrics.add_metric("{watched["MetricName"]}"' in published


@pytest.mark.parametrize("name", [S3_TO_OPENSEARCH, STREAM_TO_OPENSEARCH])
def test_no_message_is_read_before_the_mapping_templates_are_there(name):
    resources = read(name)["Resources"]
    mappings = of_type(resources, "AWS::Lambda::EventSourceMapping").values()
    (engine,) = {mapping["DependsOn"] for mapping in mappings}
    engine = resources[engine]
    assert engine["Type"] == "Custom::SearchEngine"
    # A new version of the package may bring new mappings.
    assert engine["Properties"]["Layer"] == {"Ref": "ServiceLogsLayer"}
    said = str(engine["Properties"])
    for parameter in read(name)["Parameters"]:
        # Of prefixes and fields no pattern can say that each is given once: the setup refuses it.
        passed = parameter.startswith(("Index", "OpenSearch", "LogType", "CloudFront"))
        if passed and parameter not in ("IndexMemoryMegabytes", "OpenSearchArn"):
            assert parameter in said, f"a changed {parameter} would not set the engine up again"


@pytest.mark.parametrize("function", INDEXING)
def test_a_function_that_indexes_may_delete_no_log_and_no_document(function):
    resources = expand("scenarios/s3_to_opensearch.yaml")["Resources"]
    role = resources[resources[function]["Properties"]["Role"]["Fn::GetAtt"][0]]
    assert {"Ref": "IndexingPolicy"} in role["Properties"]["ManagedPolicyArns"]
    for statement in rights(resources, resources[function]):
        actions = [a for a in as_list(statement["Action"]) if not a.startswith("ec2:")]
        deletes = [a for a in actions if "Delete" in a]
        assert deletes in ([], ["sqs:DeleteMessage"], ["s3:DeleteObject"])
        if deletes == ["s3:DeleteObject"]:
            assert statement["Resource"] == {"Fn::Sub": "${BackupBucket.Arn}/rejected/*"}


def test_parquet_files_go_from_the_function_for_text_to_the_queue_of_the_other():
    resources = expand("scenarios/s3_to_opensearch.yaml")["Resources"]
    sender, reader = (resources[name]["Properties"] for name in INDEXING)
    queue = sender["Environment"]["Variables"]["PARQUET_QUEUE_URL"]
    assert queue == reader["Environment"]["Variables"]["QUEUE_URL"] == {"Ref": "ParquetQueue"}
    mapping = resources["IndexParquetMapping"]["Properties"]
    assert mapping["FunctionName"] == {"Ref": "IndexParquetFunction"}
    assert mapping["EventSourceArn"] == {"Fn::GetAtt": ["ParquetQueue", "Arn"]}
    sends = [
        s for s in rights(resources, resources[INDEXING[0]]) if "sqs:SendMessage" in s["Action"]
    ]
    assert any("ParquetQueue" in str(statement["Resource"]) for statement in sends)
    assert "PARQUET_QUEUE_URL" not in reader["Environment"]["Variables"]


@every_scenario
def test_the_right_to_tell_a_deleted_object_from_a_forbidden_one_hangs_on_nothing(name):
    """A read has no s3:prefix: a condition on it would make every missing key a 403."""
    resources = read(name)["Resources"]
    ours = of_type(resources, "AWS::IAM::Role") | of_type(resources, "AWS::IAM::ManagedPolicy")
    for statement in statements(ours):
        if "s3:ListBucket" in as_list(statement["Action"]):
            keys = {key for test in statement.get("Condition", {}).values() for key in test}
            # Whose the bucket is, a read does say.
            assert keys <= {"aws:ResourceAccount", "aws:ResourceOrgID"}


@pytest.mark.parametrize(
    ("name", "setup", "function"),
    [
        ("scenarios/s3_to_opensearch.yaml", "SearchEngine", "IndexFunction"),
        ("scenarios/s3_to_light_engine.yaml", "Lake", "StageFunction"),
    ],
)
@pytest.mark.parametrize("backup", ["", "rejects"])
def test_a_function_that_reads_logs_knows_each_bucket_of_its_stack(name, setup, function, backup):
    given = {"BackupBucketName": backup} if "light_engine" in name else {}
    resources = decide(name, LogBucketName="logs", **given)
    variables = resources[function]["Properties"]["Environment"]["Variables"]
    made = set(of_type(resources, "AWS::S3::Bucket"))
    known = {
        node["Ref"]
        for node in nodes(variables["OWN_BUCKETS"])
        if isinstance(node, dict) and "Ref" in node
    }
    assert known == made
    assert ("rejects" in str(variables["OWN_BUCKETS"])) == (
        given == {"BackupBucketName": "rejects"}
    )
    # A change sets up again, which refuses a log bucket that is one of them.
    assert variables["LOG_BUCKET"] == resources[setup]["Properties"]["LogBucketName"] == "logs"
