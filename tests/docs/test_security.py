"""What SECURITY.md says that no role can do none can, and it has each statement of each role."""

import re

import pytest

from docs import roles
from tests.templates.expansion import as_list, expand, of_type, rights_by_role

TEMPLATES = {path.relative_to(roles.ROOT).as_posix(): path for path in roles.SCENARIOS}
FIREHOSE = ("scenarios/firehose_to_s3.yaml", "FirehoseRole")
WRITES = re.compile(r"s3:(Put|Delete|Abort|Restore|Replicate|Bypass)\w*")


def every_right():
    """Give each action of each role: the template, the role, the action and the resources."""
    return [
        (name, role.name, action, as_list(one.content["Resource"]))
        for name, path in TEMPLATES.items()
        for role in roles.roles(roles.read(path))
        for one in role.statements
        for action in as_list(one.content["Action"])
    ]


RIGHTS = every_right()


def holders(pattern: str) -> set[tuple[str, str]]:
    """Give the roles that may do something of this kind."""
    return {(name, role) for name, role, action, _ in RIGHTS if re.fullmatch(pattern, action)}


def test_no_role_but_firehoses_writes_or_deletes_a_log_object():
    writing = {
        (name, role)
        for name, role, action, resources in RIGHTS
        if WRITES.fullmatch(action) and not action.endswith(("Notification", "BucketPolicy"))
        for resource in resources
        if "LogBucket" in str(resource)
    }
    assert writing == {FIREHOSE}
    objects = [
        str(resource)
        for name, role, action, resources in RIGHTS
        if (name, role) == FIREHOSE and action == "s3:PutObject"
        for resource in resources
    ]
    assert all("ObjectFolder" in one or "firehose-errors/" in one for one in objects)


def test_no_role_changes_what_a_bucket_is():
    changing = holders(r"s3:(Put|Delete)(Bucket(?!Notification)|Lifecycle|Encryption|Account)\w*")
    merging = ("scenarios/member_account.yaml", "ConfigureBucketFunctionRole")
    assert changing == holders(r"s3:(Put|Delete)BucketPolicy") == {merging}
    assert holders(r"s3:\w*Acl") == set()


def test_no_role_makes_or_changes_a_role_and_one_right_of_iam_there_is():
    passing = {
        (name, role, action) for name, role, action, _ in RIGHTS if action.startswith("iam:")
    }
    assert {action for _, _, action in passing} == {"iam:PassRole"}
    assert {role for _, role, _ in passing} == {"SubscribeFunctionRole"}
    assert (
        holders(
            r"(sts|organizations|kms:(Create|Put|Schedule|Disable)|secretsmanager:(Put|Update|Delete|Create)).*"
        )
        == set()
    )


def test_functions_are_called_by_state_machines_and_the_set_up_by_itself_alone():
    assert {role for _, role in holders("lambda:.*")} == {
        "CompactPartitionsRole",
        "ConvertLogsRole",
        "EnqueueObjectsRole",
        "SetUpFunctionRole",
    }
    of_set_up = [
        r
        for _, role, action, r in RIGHTS
        if role == "SetUpFunctionRole" and action == "lambda:InvokeFunction"
    ]
    assert all(one == [{"Fn::GetAtt": ["SetUpFunction", "Arn"]}] for one in of_set_up)


def test_one_function_deletes_indexes_and_none_a_document():
    dashboards = {"_import", "_resolve_import_errors"}
    assert {role for _, role in holders("es:ESHttpDelete")} == {"DeleteExpiredIndexesFunctionRole"}
    posts = [
        resource["Fn::Sub"].rpartition("/")[2]
        for _, _, action, resources in RIGHTS
        if action == "es:ESHttpPost"
        for resource in resources
    ]
    assert set(posts) - dashboards == {"_bulk", "_mget", "_search"}


def test_no_role_drops_what_holds_logs():
    dropping = (
        r"glue:Delete(Table|Database)|sqs:(DeleteQueue|PurgeQueue)|kinesis:DeleteStream"
        r"|logs:DeleteLogGroup|dynamodb:DeleteTable|s3:DeleteBucket"
    )
    assert holders(dropping) == set()


@pytest.mark.parametrize("name", TEMPLATES)
def test_the_page_has_each_statement_of_each_role_as_it_is_deployed(name):
    """The page reads templates as they are written, and SAM may add to them."""
    deployed = {(role, one["Sid"]) for role, one in rights_by_role(expand(name)["Resources"])}
    written = {
        (role.name, one.content["Sid"])
        for role in roles.roles(roles.read(TEMPLATES[name]))
        for one in role.statements
    }
    assert written == deployed
    made = of_type(expand(name)["Resources"], "AWS::IAM::Role")
    assert {role for role, _ in written} == set(made)
