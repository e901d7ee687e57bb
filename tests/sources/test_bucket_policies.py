"""Our statements in a bucket's policy: beside those of others, never theirs."""

import json

import pytest
from botocore.exceptions import ClientError

from servicelogs.errors import UnmergeablePolicy
from servicelogs.sources import bucket_policies
from servicelogs.sources.bucket_policies import carry_out
from tests.sources.notified_bucket import BUCKET, Forbidden, make_bucket, request

ID = "service-logs-222233334444-0123456789ab"
READS = {
    "Sid": "CentralAccountReads",
    "Effect": "Allow",
    "Principal": {"AWS": "arn:aws:iam::111122223333:root"},
    "Action": "s3:GetObject",
    "Resource": f"arn:aws:s3:::{BUCKET}/*",
}
THEIRS = {
    "Sid": "AWSCloudTrailWrite",
    "Effect": "Allow",
    "Principal": {"Service": "cloudtrail.amazonaws.com"},
    "Action": "s3:PutObject",
    "Resource": f"arn:aws:s3:::{BUCKET}/*",
}
# Another deployment reads the same bucket.
ANOTHERS = READS | {"Sid": "CentralAccountReadsffffffffffff"}


@pytest.fixture
def bucket(aws):
    return make_bucket()


def put(s3, *statements, **policy):
    document = {"Version": "2012-10-17", "Statement": list(statements)} | policy
    s3.put_bucket_policy(Bucket=BUCKET, Policy=json.dumps(document))


def policy(s3):
    return json.loads(s3.get_bucket_policy(Bucket=BUCKET)["Policy"])


def sids(s3):
    return [statement.get("Sid") for statement in policy(s3)["Statement"]]


def ask(kind, *statements):
    return carry_out(request(kind, Statements=list(statements or [READS])), ID)


def test_ours_stand_behind_those_of_others_which_stay_as_they_are(bucket):
    unnamed = {key: value for key, value in THEIRS.items() if key != "Sid"}
    put(bucket, THEIRS, unnamed, ANOTHERS, Version="2008-10-17", Id="theirs")
    assert ask("Create") == f"{BUCKET}/policy/{ID}"
    found = policy(bucket)
    assert (found["Version"], found["Id"]) == ("2008-10-17", "theirs")
    assert found["Statement"][:3] == [THEIRS, unnamed, ANOTHERS]
    assert found["Statement"][3] == READS | {"Sid": "CentralAccountReads0123456789ab"}


def test_a_bucket_without_a_policy_gets_one(bucket):
    ask("Create")
    assert sids(bucket) == ["CentralAccountReads0123456789ab"]


def test_a_policy_of_one_statement_without_a_list_is_kept(bucket):
    bucket.put_bucket_policy(
        Bucket=BUCKET, Policy=json.dumps({"Version": "2012-10-17", "Statement": THEIRS})
    )
    ask("Create")
    assert sids(bucket) == ["AWSCloudTrailWrite", "CentralAccountReads0123456789ab"]


def test_a_change_takes_the_place_of_what_was_there_under_other_names_too(bucket):
    put(bucket, THEIRS)
    ask("Create", READS, READS | {"Sid": "Old"})
    ask("Update", READS | {"Sid": "New"})
    ask("Update", READS | {"Sid": "New"})
    assert sids(bucket) == ["AWSCloudTrailWrite", "New0123456789ab"]


def test_a_delete_takes_ours_alone(bucket):
    put(bucket, THEIRS, ANOTHERS)
    ask("Create")
    ask("Delete")
    assert policy(bucket)["Statement"] == [THEIRS, ANOTHERS]


def test_a_policy_of_which_nothing_is_left_is_deleted(bucket):
    ask("Create")
    ask("Delete")
    with pytest.raises(ClientError, match="NoSuchBucketPolicy"):
        policy(bucket)


def test_a_delete_without_any_of_ours_changes_nothing(bucket, monkeypatch):
    put(bucket, THEIRS)
    monkeypatch.setattr(bucket_policies, "put", lambda *_: pytest.fail("it was written"))
    ask("Delete")
    assert sids(bucket) == ["AWSCloudTrailWrite"]


def test_a_bucket_that_is_gone_needs_no_delete(aws):
    ask("Delete")


def delete_forbidden(monkeypatch, physical_id):
    monkeypatch.setattr("boto3.client", lambda _: Forbidden())
    made = {"LogicalResourceId": "Readers", "PhysicalResourceId": physical_id}
    carry_out(request("Delete", Statements=[READS]) | made, ID)


def test_a_create_that_the_bucket_refused_is_rolled_back(monkeypatch):
    delete_forbidden(monkeypatch, "Readers")


def test_a_delete_that_the_bucket_refuses_is_said(monkeypatch):
    with pytest.raises(ClientError, match="AccessDenied"):
        delete_forbidden(monkeypatch, f"{BUCKET}/policy/{ID}")


def test_a_policy_is_written_without_the_spaces_that_would_make_it_too_long(bucket):
    """Somebody wrote theirs so that it just fits."""
    short = {"Resource": [f"arn:aws:s3:::{BUCKET}/{n:03d}*" for n in range(620)]}
    document = {"Version": "2012-10-17", "Statement": [THEIRS | short]}
    spaced, unspaced = len(json.dumps(document)), len(json.dumps(document, separators=(",", ":")))
    assert unspaced + 300 < bucket_policies.MOST_BYTES < spaced
    bucket.put_bucket_policy(Bucket=BUCKET, Policy=json.dumps(document, separators=(",", ":")))
    ask("Create")
    assert len(bucket.get_bucket_policy(Bucket=BUCKET)["Policy"]) < bucket_policies.MOST_BYTES
    ask("Delete")
    assert len(bucket.get_bucket_policy(Bucket=BUCKET)["Policy"]) == unspaced


def test_a_policy_that_would_be_too_long_is_refused_and_left(bucket):
    long = THEIRS | {"Resource": [f"arn:aws:s3:::{BUCKET}/{n:04d}*" for n in range(700)]}
    put(bucket, long)
    with pytest.raises(UnmergeablePolicy, match="longer than the 20480 bytes"):
        ask("Create")
    assert policy(bucket)["Statement"] == [long]


@pytest.mark.parametrize("statements", ["*", ["*"], 1])
def test_what_is_no_statement_is_refused_with_what_to_do(statements):
    with pytest.raises(UnmergeablePolicy, match=r"logs.*put it right"):
        bucket_policies.merge({"Statement": statements}, [READS], "0123456789ab", "logs")


def test_another_change_of_the_bucket_is_waited_for(bucket, monkeypatch):
    monkeypatch.setattr(bucket_policies, "DELAYS", (0,))
    put_bucket_policy, refused = bucket.put_bucket_policy, []

    def busy_once(**arguments):
        if not refused:
            refused.append(True)
            raise ClientError({"Error": {"Code": "OperationAborted"}}, "PutBucketPolicy")
        return put_bucket_policy(**arguments)

    monkeypatch.setattr(bucket, "put_bucket_policy", busy_once)
    monkeypatch.setattr("boto3.client", lambda _: bucket)
    ask("Create")
    assert sids(bucket) == ["CentralAccountReads0123456789ab"]
