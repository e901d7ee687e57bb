"""Other accounts: each that is listed, or of the organization, gets as far as it must; no other."""

import json
import re

import pytest

from tests.templates.expansion import (
    ROOT,
    TEMPLATES,
    as_list,
    decide,
    of_type,
    outputs,
    read,
    statements,
)

OWN, ONE, OTHER = "111122223333", "222233334444", "333344445555"
ORGANIZATION = "o-a1b2c3d4e5"
LISTED = {"MemberAccountIds": f"{ONE},{OTHER}"}
MEMBERS = [ONE, OTHER]
ORGANIZED = {"OrganizationId": ORGANIZATION}
KEY = f"arn:aws:kms:eu-west-1:{ONE}:key/1"
BUS = "arn:aws:events:eu-west-1:111122223333:event-bus/service-logs-0123456789ab"
QUEUE = f"arn:aws:sqs:eu-west-1:{OWN}:objects"
TOPIC = f"arn:aws:sns:eu-west-1:{OWN}:objects"
READERS = f"arn:aws:iam::{OWN}:role/index,arn:aws:iam::{OWN}:role/parquet"

BUCKET = "scenarios/log_bucket.yaml"
ENGINES = ("scenarios/s3_to_opensearch.yaml", "scenarios/s3_to_light_engine.yaml")
LOG_GROUPS = ("scenarios/firehose_to_s3.yaml", "scenarios/log_groups_to_stream.yaml")
ENQUEUE = "scenarios/enqueue_objects.yaml"
CENTRAL = (BUCKET, *ENGINES, *LOG_GROUPS, ENQUEUE)
MEMBER = "scenarios/member_account.yaml"

# https://docs.aws.amazon.com/AmazonS3/latest/userguide/grant-destinations-permissions-to-s3.html:
# S3 says whose bucket it is and which; of an account's organization IAM adds aws:SourceOrgID.
SENT_BY_S3 = {
    "Members": {"StringEquals": {"aws:SourceAccount": MEMBERS}},
    "Organizations": {"StringEquals": {"aws:SourceOrgID": ORGANIZATION}},
}

every_engine = pytest.mark.parametrize("name", ENGINES)


def central(name, **parameters):
    """Give what a scenario makes in the central account, with all that it may have."""
    said = {
        "LogBucketName": "logs",
        "LogGroupNames": "ours",
        "OpenSearchEndpoint": "https://search.example",
        "StreamArn": f"arn:aws:kinesis:eu-west-1:{OWN}:stream/s",
    }
    if name in ENGINES and ({"MemberAccountIds", "OrganizationId"} & set(parameters)):
        said["EventBusName"] = "service-logs-0123456789ab"
    return decide(name, **{**said, **parameters})


def member(**parameters):
    return decide(MEMBER, **{"CentralAccountId": OWN, "ReaderRoleArns": READERS, **parameters})


def about_others(resources):
    """Give the statements for other accounts, by their Sids."""
    found = {}
    for statement in statements(resources):
        if re.match("Members|Organization", statement.get("Sid", "")):
            found.setdefault(statement["Sid"], []).append(statement)
    return found


def accounts_in(resources):
    """Give all that looks like an account's id, but for the bytes that a query may scan."""
    others = {key: one for key, one in resources.items() if key != "WorkGroup"}
    return set(re.findall(r"(?<!\d)\d{12}(?!\d)", json.dumps(others)))


@pytest.mark.parametrize("events", ["SQS", "SNS", "EventBridge"])
@pytest.mark.parametrize("name", CENTRAL)
def test_without_other_accounts_nothing_is_made_for_them(name, events):
    resources = central(name, ObjectEvents=events, TopicArn=TOPIC)
    assert about_others(resources) == {}
    assert not [key for key in resources if key.startswith(("Member", "Destination"))]
    assert accounts_in(resources) <= {OWN}
    assert "Org" not in str(list(statements(resources)))


@pytest.mark.parametrize("events", ["SQS", "SNS", "EventBridge"])
@pytest.mark.parametrize("name", CENTRAL)
def test_an_account_that_is_not_listed_appears_nowhere(name, events):
    resources = central(name, ObjectEvents=events, TopicArn=TOPIC, **LISTED)
    assert accounts_in(resources) == {OWN, ONE, OTHER}
    for statement in statements(resources):
        if statement.get("Principal") == "*":
            assert statement["Effect"] == "Deny"
    # Nor may one be let in because a list has a hole.
    assert '""' not in json.dumps(about_others(resources))


@pytest.mark.parametrize("name", CENTRAL)
def test_an_organization_is_named_wherever_all_accounts_would_be(name):
    resources = central(name, ObjectEvents="SNS", TopicArn=TOPIC, **ORGANIZED)
    assert accounts_in(resources) <= {OWN}
    for statement in statements(resources):
        if statement["Effect"] == "Allow" and statement.get("Principal") in ("*", {"AWS": "*"}):
            assert ORGANIZATION in str(statement["Condition"])
    assert about_others(resources) or name in (*LOG_GROUPS, ENQUEUE)
    assert ORGANIZATION in str(resources)


@pytest.mark.parametrize(
    ("name", "events", "who", "action", "resource"),
    [
        *((n, "SQS", "Send", "sqs:SendMessage", ["ObjectQueue", "Arn"]) for n in ENGINES),
        (BUCKET, "SNS", "Publish", "sns:Publish", "ObjectTopic"),
    ],
)
def test_buckets_of_others_may_announce_objects_as_s3_says_whose_they_are(
    name, events, who, action, resource
):
    resources = central(
        name, ObjectEvents=events, MemberBucketNames="aws-waf-logs-*,trails", **LISTED, **ORGANIZED
    )
    policies = of_type(resources, "AWS::SQS::QueuePolicy")
    policies |= of_type(resources, "AWS::SNS::TopicPolicy")
    for of, conditions in SENT_BY_S3.items():
        (statement,) = about_others(policies)[f"{of}Buckets{who}"]
        assert statement["Principal"] == {"Service": "s3.amazonaws.com"}
        assert statement["Action"] == action
        assert statement["Resource"] in ({"Fn::GetAtt": resource}, {"Ref": resource})
        assert statement["Condition"] == conditions | {
            "ArnLike": {"aws:SourceArn": ["arn:*:s3:::aws-waf-logs-*", "arn:*:s3:::trails"]}
        }


@every_engine
@pytest.mark.parametrize("events", ["SNS", "EventBridge"])
def test_only_a_queue_that_buckets_send_to_lets_buckets_of_others_send(name, events):
    resources = central(name, ObjectEvents=events, TopicArn=TOPIC, **LISTED, **ORGANIZED)
    senders = [s for s in statements(resources["ObjectQueuePolicy"]) if s["Effect"] == "Allow"]
    assert {"Service": "s3.amazonaws.com"} not in [s["Principal"] for s in senders]


@pytest.mark.parametrize("events", ["SQS", "SNS", "EventBridge"])
def test_a_bus_takes_events_of_others_whatever_buckets_here_announce_to(events):
    bus = central(BUCKET, ObjectEvents=events, **LISTED, **ORGANIZED)["MemberEventBus"]
    listed, organized = statements(bus)
    assert listed["Principal"] == {"AWS": MEMBERS}
    assert "Condition" not in listed
    assert organized["Principal"] == "*"
    assert organized["Condition"] == {"StringEquals": {"aws:PrincipalOrgID": ORGANIZATION}}
    for statement in (listed, organized):
        assert statement["Action"] == "events:PutEvents"
        assert statement["Resource"] == BUS
    assert BUS.endswith(f"/{bus['Properties']['Name']}")


@every_engine
def test_each_engine_hears_the_bus_and_takes_nothing_but_new_objects(name):
    resources = central(name, ObjectEvents="SQS", **LISTED)
    rule = resources["MemberObjectRule"]["Properties"]
    assert rule["EventBusName"] == "service-logs-0123456789ab"
    assert rule["EventPattern"] == {"source": ["aws.s3"], "detail-type": ["Object Created"]}
    (target,) = rule["Targets"]
    assert target["Arn"] == {"Fn::GetAtt": ["ObjectQueue", "Arn"]}
    for queue in ("ObjectQueue", "DeadLetterQueue"):
        (sender,) = about_others(resources[f"{queue}Policy"])["MembersRuleSends"]
        assert sender["Principal"] == {"Service": "events.amazonaws.com"}
        assert sender["Resource"] == {"Fn::GetAtt": [queue, "Arn"]}
        assert sender["Condition"] == {
            "ArnLike": {"aws:SourceArn": {"Fn::GetAtt": ["MemberObjectRule", "Arn"]}}
        }


@every_engine
def test_readers_reach_the_named_buckets_of_these_accounts_alone(name):
    resources = central(name, MemberBucketNames="aws-waf-logs-*,trails", **LISTED, **ORGANIZED)
    found = {s["Sid"]: s for s in statements(resources) if s.get("Sid", "").startswith("Reads")}
    buckets = ["arn:*:s3:::aws-waf-logs-*", "arn:*:s3:::trails"]
    for sid, condition in {
        "ReadsMembersLogObjects": {"aws:ResourceAccount": MEMBERS},
        "ReadsOrganizationsLogObjects": {"aws:ResourceOrgID": ORGANIZATION},
    }.items():
        assert found[sid]["Action"] == ["s3:GetObject", "s3:ListBucket"]
        assert found[sid]["Resource"] == [*buckets, *(f"{bucket}/*" for bucket in buckets)]
        assert found[sid]["Condition"] == {"StringEquals": condition}


def test_what_is_there_already_is_listed_in_the_named_buckets_of_these_accounts_alone():
    resources = central(ENQUEUE, MemberBucketNames="aws-waf-logs-*,trails", **LISTED, **ORGANIZED)
    found = {s["Sid"]: s for s in statements(resources) if s.get("Sid", "").startswith("Lists")}
    for sid, condition in {
        "ListsMembersObjects": {"aws:ResourceAccount": MEMBERS},
        "ListsOrganizationsObjects": {"aws:ResourceOrgID": ORGANIZATION},
    }.items():
        assert found[sid]["Action"] == "s3:ListBucket"
        assert found[sid]["Resource"] == ["arn:*:s3:::aws-waf-logs-*", "arn:*:s3:::trails"]
        assert found[sid]["Condition"] == {"StringEquals": condition}
    assert "EnqueueFunctionRole" in str(read(ENQUEUE)["Outputs"]["ReaderRoleArns"]["Value"])
    assert "EnqueueObjects" in str(read("template.yaml")["Outputs"]["ReaderRoleArns"]["Value"])


@every_engine
def test_keys_of_others_are_used_as_far_as_they_are_named_and_through_s3_alone(name):
    assert "DecryptsMembersLogObjects" not in str(central(name, **LISTED))
    resources = central(name, MemberKmsKeyArns=KEY, **LISTED)
    (statement,) = (s for s in statements(resources) if s.get("Sid") == "DecryptsMembersLogObjects")
    assert (statement["Action"], statement["Resource"]) == ("kms:Decrypt", [KEY])
    assert statement["Condition"] == {"StringLike": {"kms:ViaService": "s3.*.amazonaws.com"}}


@pytest.mark.parametrize("name", [*ENGINES, ENQUEUE])
def test_the_functions_that_read_objects_know_whose_they_may_be(name):
    resources = central(name, **LISTED, **ORGANIZED)
    readers = [
        function["Properties"]["Environment"]["Variables"]
        for function in of_type(resources, "AWS::Lambda::Function").values()
        if "MEMBER_ACCOUNT_IDS" in function["Properties"]["Environment"]["Variables"]
    ]
    assert readers
    for variables in readers:
        assert variables["ACCOUNT_ID"] == OWN
        assert variables["MEMBER_ACCOUNT_IDS"] == f"{ONE},{OTHER}"
        assert variables["ORGANIZATION_ID"] == ORGANIZATION


@every_engine
def test_every_role_that_may_read_objects_of_others_is_said_to_them(name):
    template = read(name)
    policies = of_type(template["Resources"], "AWS::IAM::ManagedPolicy")
    reading = {key for key, policy in policies.items() if "ReadsMembersLogObjects" in str(policy)}
    roles = {
        logical_id
        for logical_id, role in of_type(template["Resources"], "AWS::IAM::Role").items()
        if "ReadsMembersLogObjects" in str(role)
        or reading & {a["Ref"] for a in role["Properties"].get("ManagedPolicyArns", [])}
    }
    assert roles
    said = re.findall(r"'(\w+Role)', 'Arn'", str(template["Outputs"]["ReaderRoleArns"]["Value"]))
    said += re.findall(r"(\w+Role)\.Arn", str(template["Outputs"]["ReaderRoleArns"]["Value"]))
    assert set(said) == roles


@pytest.mark.parametrize("name", LOG_GROUPS)
def test_a_destination_lets_these_accounts_subscribe(name):
    # https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/CreateDestination.html
    properties = central(name, **LISTED)["MemberDestination"]["Properties"]
    document = json.loads(properties["DestinationPolicy"])
    assert properties["DestinationName"] == "service-logs-0123456789ab"
    assert document["Statement"] == [
        {
            "Sid": "MembersSubscribe",
            "Effect": "Allow",
            "Principal": {"AWS": MEMBERS},
            "Action": ["logs:PutSubscriptionFilter", "logs:PutAccountPolicy"],
            "Resource": f"arn:aws:logs:eu-west-1:{OWN}:destination:service-logs-0123456789ab",
        }
    ]


@pytest.mark.parametrize("name", LOG_GROUPS)
@pytest.mark.parametrize("listed", [{}, LISTED])
def test_a_destination_for_an_organization_is_another_one(name, listed):
    """CloudFormation has no way to change a policy of accounts into one of an organization."""
    properties = central(name, **listed, **ORGANIZED)["MemberDestination"]["Properties"]
    *accounts, organized = json.loads(properties["DestinationPolicy"])["Statement"]
    arn = f"arn:aws:logs:eu-west-1:{OWN}:destination:{properties['DestinationName']}"
    assert properties["DestinationName"] == "service-logs-0123456789ab-organization"
    assert [s["Principal"] for s in accounts] == ([{"AWS": MEMBERS}] if listed else [])
    assert organized["Principal"] == "*"
    assert organized["Condition"] == {"StringEquals": {"aws:PrincipalOrgID": [ORGANIZATION]}}
    assert {s["Resource"] for s in (*accounts, organized)} == {arn}


@pytest.mark.parametrize("name", LOG_GROUPS)
def test_cloudwatch_logs_takes_the_destinations_role_for_these_accounts(name):
    """For this account it sends a test message, for the others their events."""
    resources = central(name, **LISTED, **ORGANIZED)
    trust = resources["DestinationRole"]["Properties"]["AssumeRolePolicyDocument"]
    listed, organized = trust["Statement"]
    assert listed["Condition"]["StringLike"]["aws:SourceArn"] == [
        f"arn:aws:logs:eu-west-1:{OWN}:*",
        f"arn:*:logs:*:{ONE}:*",
        f"arn:*:logs:*:{OTHER}:*",
    ]
    assert organized["Condition"] == {
        "StringLike": {"aws:SourceArn": "arn:aws:logs:eu-west-1:*:*"},
        "StringEqualsIfExists": {"aws:SourceOrgID": ORGANIZATION},
    }
    for role in ("DestinationRole", "SubscriptionRole"):
        (one,) = statements(resources[role]["Properties"]["Policies"])
        assert one["Resource"] == resources["MemberDestination"]["Properties"]["TargetArn"]


@pytest.mark.parametrize("name", LOG_GROUPS)
def test_log_groups_of_others_need_none_of_this_account(name):
    resources = central(name, LogGroupNames="", **LISTED)
    assert "MemberDestination" in resources
    assert "Subscriptions" not in resources
    assert "MemberAccountIds" in str(read(name)["Rules"]["LogGroupsAreGiven"])


@pytest.mark.parametrize("name", [n for n in TEMPLATES if "MemberBucketNames" in str(read(n))])
def test_no_name_of_buckets_takes_in_all(name):
    pattern = read(name)["Parameters"]["MemberBucketNames"]["AllowedPattern"]
    for names in ("aws-waf-logs-*", "trails", "log*"):
        assert re.search(pattern, names), names
    for names in ("*", "a*", "lo*", "", "*-logs", "a*b", "Logs-*"):
        assert not re.search(pattern, names), names


@pytest.mark.parametrize(
    ("make", "scenario"),
    [
        ("MakeRdsDestination", "RdsToS3"),
        ("MakeLambdaDestination", "LambdaToS3"),
        ("MakeStreamDestination", "LogGroupsToStream"),
    ],
)
def test_the_root_makes_a_way_for_log_groups_of_others_alone(make, scenario):
    assert scenario not in decide("template.yaml", **LISTED)
    made = decide("template.yaml", **LISTED, **{make: "true"})
    assert made[scenario]["Properties"]["Parameters"]["MemberAccountIds"] == f"{ONE},{OTHER}"
    assert ("StreamToOpenSearch" in made) == (scenario == "LogGroupsToStream")


@pytest.mark.parametrize("kind", ["Rds", "Lambda", "Stream"])
def test_the_root_has_a_destination_only_where_others_may_send_to_it(kind):
    name, make = f"{kind}DestinationArn", {f"Make{kind}Destination": "true"}
    assert name not in outputs("template.yaml", **LISTED)
    assert name not in outputs("template.yaml", **make)
    assert name in outputs("template.yaml", **LISTED, **make)


def test_the_root_says_what_each_account_has_to_give():
    declared = read("template.yaml")["Outputs"]
    wanted = {
        name
        for name in read(MEMBER)["Parameters"]
        if re.search("TargetArn|Destination|ReaderRole", name)
    }
    assert wanted <= set(declared)
    target = str(declared["ObjectsTargetArn"]["Value"])
    order = ("EventBusArn", "TopicArn", "QueueArn")
    assert sorted(order, key=target.index) == list(order)


# What AWS takes of each: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html,
# …/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-quotas.html, EventBridge's PutPermission,
# PutDestinationPolicy, and a function's environment.
MOST_CHARACTERS = {
    "AWS::IAM::ManagedPolicy": ("PolicyDocument", 6_144),
    "AWS::IAM::Role": ("AssumeRolePolicyDocument", 2_048),
    "AWS::SQS::QueuePolicy": ("PolicyDocument", 8_192),
    "AWS::SNS::TopicPolicy": ("PolicyDocument", 30_720),
    "AWS::Events::EventBus": ("Policy", 10_240),
    "AWS::Logs::Destination": ("DestinationPolicy", 5_120),
    "AWS::Lambda::Function": ("Environment", 4_096),
}


@pytest.mark.parametrize("events", ["SQS", "SNS"])
@pytest.mark.parametrize("name", CENTRAL)
def test_fifty_accounts_and_an_organization_fit_into_each_policy(name, events):
    ids = ",".join(str(222233334400 + number) for number in range(50))
    resources = central(
        name, ObjectEvents=events, TopicArn=TOPIC, MemberAccountIds=ids, **ORGANIZED
    )
    for logical_id, resource in resources.items():
        if resource["Type"] in MOST_CHARACTERS:
            key, most = MOST_CHARACTERS[resource["Type"]]
            text = json.dumps(resource["Properties"].get(key, {}), separators=(",", ":"))
            assert len(text) <= most, (logical_id, len(text))
        if resource["Type"] == "AWS::IAM::Role":
            inline = json.dumps(resource["Properties"].get("Policies", []), separators=(",", ":"))
            assert len(inline) <= 10_240, logical_id


# The member's side.


def test_the_members_template_is_one_that_an_organizations_stack_sets_take():
    """They take no transform, which a serverless template needs, and no nested stack."""
    template = read(MEMBER)
    assert "Transform" not in template
    kinds = {resource["Type"] for resource in template["Resources"].values()}
    assert not [k for k in kinds if "Serverless" in k or k == "AWS::CloudFormation::Stack"]
    # So much a template may be that is passed as text, and `sam package` adds to it.
    assert (ROOT / MEMBER).stat().st_size < 46_000


def test_the_members_functions_are_those_of_the_central_account():
    for name, kind in (("ConfigureBucketFunction", BUCKET), ("SubscribeFunction", LOG_GROUPS[0])):
        own = read(MEMBER)["Resources"][name]["Properties"]
        ours = read(kind)["Resources"][name]["Properties"]
        assert own["Code"] == ours["CodeUri"]
        for key in ("Handler", "Runtime", "Timeout", "MemorySize"):
            assert own[key] == read(kind)["Globals"]["Function"][key]
    layer, ours = (read(n)["Resources"]["ServiceLogsLayer"] for n in (MEMBER, BUCKET))
    assert layer["Properties"]["Content"] == ours["Properties"]["ContentUri"]
    assert layer["Metadata"] == ours["Metadata"]


def test_the_members_bucket_takes_what_the_central_one_does_and_lets_its_readers_read():
    own, ours = member(ObjectsTargetArn=QUEUE), decide(BUCKET)
    assert own["LogBucket"]["Properties"] == ours["LogBucket"]["Properties"]
    added = [s for s in statements(own["LogBucketPolicy"]) if "Central" in s["Sid"]]
    kept = [s for s in statements(own["LogBucketPolicy"]) if s not in added]
    assert kept == list(statements(ours["LogBucketPolicy"]))
    assert [s["Action"] for s in added] == ["s3:GetObject", "s3:ListBucket"]
    for statement in added:
        assert statement["Principal"] == {"AWS": f"arn:aws:iam::{OWN}:root"}
        assert statement["Condition"] == {"ArnEquals": {"aws:PrincipalArn": READERS.split(",")}}


def test_an_existing_bucket_gets_the_same_statements_beside_its_own():
    made = member(ObjectsTargetArn=QUEUE, LogBucketPrefix="logs/")
    there = member(ObjectsTargetArn=QUEUE, LogBucketPrefix="logs/", LogBucketName="theirs")
    assert not {"LogBucket", "LogBucketPolicy"} & set(there)
    added = there["ReadersOfExistingBucket"]["Properties"]["Statements"]
    same = [s for s in statements(made["LogBucketPolicy"]) if "Central" in s["Sid"]]
    for statement, other in zip(added, same, strict=True):
        assert statement | {"Resource": ""} == other | {"Resource": ""}
    assert [s["Resource"] for s in added] == ["arn:aws:s3:::theirs/logs/*", "arn:aws:s3:::theirs"]
    assert [s["Resource"] for s in same] == [
        "${LogBucket.Arn}/logs/*",
        {"Fn::GetAtt": ["LogBucket", "Arn"]},
    ]


@pytest.mark.parametrize(
    ("name", "policy"), [("", "LogBucketPolicy"), ("theirs", "ReadersOfExistingBucket")]
)
@pytest.mark.parametrize(("target", "kind"), [(QUEUE, "QueueArn"), (TOPIC, "TopicArn")])
def test_a_bucket_announces_to_the_queue_or_topic_that_is_given(target, kind, name, policy):
    resources = member(ObjectsTargetArn=target, LogBucketName=name, LogBucketPrefix="logs/")
    properties = resources["Notification"]["Properties"]
    assert {key: properties.get(key) for key in ("QueueArn", "TopicArn")} == {
        "QueueArn": None,
        "TopicArn": None,
        kind: target,
    }
    assert properties["Prefix"] == "logs/"
    # S3 refuses two changes of a bucket at one time.
    assert properties["BucketPolicy"] == {"Ref": policy}
    assert not {"ObjectRule", "ForwardRole", "EventBridgeNotification"} & set(resources)


def test_a_bucket_announces_to_a_bus_by_a_rule_of_its_account():
    resources = member(ObjectsTargetArn=BUS, LogBucketName="theirs", LogBucketPrefix="logs/")
    assert "Notification" not in resources
    assert resources["EventBridgeNotification"]["Properties"]["EventBridge"] is True
    rule = resources["ObjectRule"]["Properties"]
    assert "EventBusName" not in rule  # that of the account, which S3 sends to
    assert rule["EventPattern"]["detail"] == {
        "bucket": {"name": ["theirs"]},
        "object": {"key": [{"prefix": "logs/"}]},
    }
    (target,) = rule["Targets"]
    assert target["Arn"] == BUS
    assert target["RoleArn"] == {"Fn::GetAtt": ["ForwardRole", "Arn"]}
    (forwards,) = statements(resources["ForwardRole"]["Properties"]["Policies"])
    assert (forwards["Action"], forwards["Resource"]) == ("events:PutEvents", BUS)


def test_a_members_notifications_say_whose_bucket_it_is():
    function = member(ObjectsTargetArn=QUEUE)["ConfigureBucketFunction"]["Properties"]
    name = function["Environment"]["Variables"]["NOTIFICATION_ID"]
    assert name == f"service-logs-{OWN}-0123456789ab"  # here the member is this account
    ours = decide(BUCKET)["ConfigureBucketFunction"]["Properties"]["Environment"]["Variables"]
    assert ours["NOTIFICATION_ID"] == "service-logs-0123456789ab"


@pytest.mark.parametrize("name", ["", "theirs"])
def test_the_function_may_change_that_bucket_alone(name):
    resources = member(ObjectsTargetArn=QUEUE, LogBucketName=name)
    allowed = {
        action: statement["Resource"]
        for statement in statements(
            resources["ConfigureBucketFunctionRole"]["Properties"]["Policies"]
        )
        for action in as_list(statement["Action"])
        if action.startswith("s3:")
    }
    theirs = "arn:aws:s3:::theirs"
    assert set(map(str, allowed.values())) == {theirs if name else str(_arn_of("LogBucket"))}
    # Of a bucket made here, CloudFormation puts the policy.
    assert ("s3:PutBucketPolicy" in allowed) == bool(name)


def _arn_of(logical_id):
    return {"Fn::GetAtt": [logical_id, "Arn"]}


@pytest.mark.parametrize("kind", ["Rds", "Lambda", "Stream"])
def test_named_log_groups_are_subscribed_to_the_central_destination(kind):
    destination = f"arn:aws:logs:eu-west-1:{OWN}:destination:service-logs-1"
    resources = member(**{f"{kind}LogGroupNames": "a,b", f"{kind}DestinationArn": destination})
    (name,) = of_type(resources, "Custom::LogSubscriptions")
    properties = resources[name]["Properties"]
    assert properties["LogGroupNames"] == ["a", "b"]
    assert properties["DestinationArn"] == destination
    assert properties["RoleArn"] == _arn_of("SubscriptionRole")
    assert properties["FilterNameEnding"] == kind.lower()
    assert properties["OwnLogGroups"] == [{"Ref": "SubscribeLogGroup"}]
    (allowed,) = (s for s in statements(resources) if s.get("Sid") == "SubscribesToCentralAccount")
    assert allowed["Action"] == "logs:PutSubscriptionFilter"
    assert allowed["Resource"] == [destination]
    assert "LogBucket" not in resources


def test_log_groups_by_prefix_are_sent_by_an_account_level_policy_to_the_destination():
    destination = f"arn:aws:logs:eu-west-1:{OWN}:destination:service-logs-1"
    resources = member(LambdaLogGroupPrefix="/aws/lambda/", LambdaDestinationArn=destination)
    properties = resources["AccountSubscription"]["Properties"]
    document = json.loads(properties["PolicyDocument"])
    assert document["DestinationArn"] == destination
    assert document["RoleArn"] == "${SubscriptionRole.Arn}"
    assert "SelectionCriteria" not in properties
    with_bucket = member(
        LambdaLogGroupPrefix="/aws/", LambdaDestinationArn=destination, ObjectsTargetArn=QUEUE
    )
    criteria = with_bucket["AccountSubscription"]["Properties"]["SelectionCriteria"]
    assert criteria.startswith("LogGroupName NOT IN [")
    written = str(read(MEMBER)["Resources"]["AccountSubscription"]["Properties"])
    for group in of_type(read(MEMBER)["Resources"], "AWS::Logs::LogGroup"):
        assert group in written


def test_real_time_logs_of_another_account_are_refused_with_the_reason():
    (assertion,) = read(MEMBER)["Rules"]["RealtimeLogsStayInTheirAccount"]["Assertions"]
    assert "cloudfront_realtime" in str(assertion["Assert"])
    _, reason = assertion["AssertDescription"].split(": ")
    assert reason in (ROOT / "docs/accounts.md").read_text()
