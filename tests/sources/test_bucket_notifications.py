"""The bucket's notification: ours beside those of others, never theirs."""

from types import SimpleNamespace

import boto3
import pytest
from botocore.exceptions import ClientError
from hypothesis import given
from hypothesis import strategies as st

from servicelogs.errors import ConfigurationError, OverlappingNotification
from servicelogs.sources import bucket_notifications as notifications
from tests.sources.notified_bucket import (
    BUCKET,
    ID,
    Forbidden,
    entry,
    make_bucket,
    make_queue,
    request,
)


@pytest.fixture
def bucket(aws):
    return make_bucket()


@pytest.fixture
def queue(aws):
    return make_queue("ours")


def configured(s3):
    found = s3.get_bucket_notification_configuration(Bucket=BUCKET)
    found.pop("ResponseMetadata")
    return found


def carry_out(kind, **properties):
    return notifications.carry_out(request(kind, **properties), ID)


def ids(s3):
    return {e["Id"] for e in notifications.entries(configured(s3))}


def test_create_adds_ours_and_keeps_every_other(bucket, queue):
    other = make_queue("other")
    theirs = {"QueueConfigurations": [entry("reports/", arn=other)]}
    bucket.put_bucket_notification_configuration(Bucket=BUCKET, NotificationConfiguration=theirs)
    carry_out("Create", QueueArn=queue, Prefix="logs/")
    found = configured(bucket)
    assert ids(bucket) == {"theirs", ID}
    (ours,) = [e for e in found["QueueConfigurations"] if e["Id"] == ID]
    assert ours["Events"] == ["s3:ObjectCreated:*"]
    assert ours["QueueArn"] == queue
    assert notifications.filter_of(ours, "prefix") == "logs/"


def test_a_filter_is_percent_encoded_as_s3_takes_it_and_compared_decoded(bucket, queue):
    carry_out("Create", QueueArn=queue, Prefix="hive/year=2026/(a)!_'.-")
    (ours,) = notifications.entries(configured(bucket))
    (rule,) = ours["Filter"]["Key"]["FilterRules"]
    assert rule["Value"] == "hive/year%3D2026/(a)!_'.-"
    assert notifications.overlaps(ours, entry("hive/year=2026/"))
    assert notifications.overlaps(entry("hive/year%3D2026/(a)"), ours)
    assert not notifications.overlaps(ours, entry("hive/year%3D2025/"))


def test_create_again_changes_nothing(bucket, queue):
    carry_out("Create", QueueArn=queue, Prefix="logs/")
    before = configured(bucket)
    carry_out("Create", QueueArn=queue, Prefix="logs/")
    assert configured(bucket) == before


def test_update_with_another_prefix_replaces_ours(bucket, queue):
    first = carry_out("Create", QueueArn=queue, Prefix="old/")
    second = carry_out("Update", QueueArn=queue, Prefix="new/")
    assert first == second, "another physical id would have CloudFormation delete what it just made"
    (ours,) = configured(bucket)["QueueConfigurations"]
    assert notifications.filter_of(ours, "prefix") == "new/"


def test_another_bucket_is_another_physical_id(bucket, queue):
    bucket.create_bucket(Bucket="second-archive")
    first = carry_out("Create", QueueArn=queue)
    assert carry_out("Update", QueueArn=queue, BucketName="second-archive") != first


def test_an_overlap_is_refused_naming_the_other_and_leaving_it(bucket, queue):
    other = make_queue("other")
    theirs = {"QueueConfigurations": [entry("logs/", arn=other, own_id="siem-forwarder")]}
    bucket.put_bucket_notification_configuration(Bucket=BUCKET, NotificationConfiguration=theirs)
    with pytest.raises(OverlappingNotification) as refusal:
        carry_out("Create", QueueArn=queue, Prefix="logs/alb/")
    assert "'siem-forwarder'" in str(refusal.value)
    assert "'logs/'" in str(refusal.value)
    assert other in str(refusal.value)
    assert "EventBridge" in str(refusal.value)
    assert ids(bucket) == {"siem-forwarder"}


@pytest.mark.parametrize(
    ("ours", "theirs"),
    [
        pytest.param({}, {}, id="both take everything"),
        pytest.param({"prefix": "a/"}, {}, id="theirs takes everything"),
        pytest.param({}, {"prefix": "a/"}, id="ours takes everything"),
        pytest.param({"prefix": "a/"}, {"prefix": "a/b"}, id="ours holds theirs"),
        pytest.param({"prefix": "a/b"}, {"prefix": "a/"}, id="theirs holds ours"),
        pytest.param({"prefix": "a/"}, {"suffix": ".gz"}, id="prefix against suffix"),
        pytest.param({"suffix": ".gz"}, {"suffix": "log.gz"}, id="suffixes that nest"),
        pytest.param({}, {"events": ["s3:ObjectCreated:Put"]}, id="one kind of creation"),
        pytest.param({}, {"events": ["s3:*"]}, id="every event"),
    ],
)
def test_entries_that_could_take_the_same_object_overlap(ours, theirs):
    assert notifications.overlaps(entry(**ours), entry(**theirs))
    assert notifications.overlaps(entry(**theirs), entry(**ours))


@pytest.mark.parametrize(
    ("ours", "theirs"),
    [
        pytest.param({"prefix": "a/"}, {"prefix": "b/"}, id="other prefixes"),
        pytest.param({"suffix": ".gz"}, {"suffix": ".csv"}, id="other suffixes"),
        pytest.param(
            {"prefix": "a/", "suffix": ".gz"}, {"prefix": "a/", "suffix": ".csv"}, id="same prefix"
        ),
        pytest.param({}, {"events": ["s3:ObjectRemoved:*"]}, id="other events"),
        pytest.param(
            {"events": ["s3:ObjectCreated:Put"]},
            {"events": ["s3:ObjectCreated:Post"]},
            id="other kinds of creation",
        ),
    ],
)
def test_entries_that_cannot_take_the_same_object_do_not_overlap(ours, theirs):
    assert not notifications.overlaps(entry(**ours), entry(**theirs))
    assert not notifications.overlaps(entry(**theirs), entry(**ours))


short = st.text("ab", max_size=3)


@given(short, short, short, short, st.text("ab", max_size=6))
def test_a_key_that_matches_both_filters_means_an_overlap(p1, s1, p2, s2, key):
    both = key.startswith(p1) and key.startswith(p2) and key.endswith(s1) and key.endswith(s2)
    if both:
        assert notifications.overlaps(entry(p1, s1), entry(p2, s2))


def test_delete_takes_away_only_ours(bucket, queue):
    other = make_queue("other")
    theirs = {"QueueConfigurations": [entry("reports/", arn=other)]}
    bucket.put_bucket_notification_configuration(Bucket=BUCKET, NotificationConfiguration=theirs)
    carry_out("Create", QueueArn=queue, Prefix="logs/")
    carry_out("Delete", QueueArn=queue, Prefix="logs/")
    assert ids(bucket) == {"theirs"}


def test_delete_leaves_our_id_when_it_now_goes_elsewhere(bucket, queue):
    """ObjectEvents changed: the new destination took the Id over before the old one is deleted."""
    carry_out("Create", QueueArn=queue)
    topic = boto3.client("sns").create_topic(Name="objects")["TopicArn"]
    carry_out("Create", TopicArn=topic)
    carry_out("Delete", QueueArn=queue)
    (ours,) = configured(bucket)["TopicConfigurations"]
    assert ours["TopicArn"] == topic
    assert "QueueConfigurations" not in configured(bucket)


def test_delete_after_the_bucket_has_gone_succeeds(aws):
    carry_out("Delete", QueueArn="arn:aws:sqs:eu-west-1:1:q")


def delete_forbidden(monkeypatch, physical_id):
    monkeypatch.setattr("boto3.client", lambda _: Forbidden())
    made = {"LogicalResourceId": "Notification", "PhysicalResourceId": physical_id}
    notifications.carry_out(request("Delete", QueueArn="arn:q") | made, ID)


def test_delete_does_not_hide_that_the_bucket_is_forbidden(monkeypatch):
    with pytest.raises(ClientError):
        delete_forbidden(monkeypatch, f"{BUCKET}/{ID}")


def test_a_create_that_the_bucket_refused_is_rolled_back(monkeypatch):
    """Another account's bucket lets nobody look: there is nothing of ours to keep a stack for."""
    delete_forbidden(monkeypatch, "Notification")


def test_delete_asks_nothing_of_the_destinations_of_others(monkeypatch):
    """S3 tries all of them: one that is gone would keep ours in the bucket."""
    theirs = {"QueueConfigurations": [entry("reports/", arn="arn:gone")]}
    ours = entry("logs/", own_id=ID, arn="arn:q")
    s3 = OneBucket({"QueueConfigurations": [*theirs["QueueConfigurations"], ours]}, gone="arn:gone")
    monkeypatch.setattr(notifications.boto3, "client", lambda _: s3)
    monkeypatch.setattr(notifications.time, "sleep", lambda _: None)
    carry_out("Delete", QueueArn="arn:q", Prefix="logs/")
    assert s3.configuration == theirs


class OneBucket:
    """S3's notification calls on one bucket; moto's leave EventBridge out."""

    meta = SimpleNamespace(region_name="us-east-1")

    def __init__(self, configuration, gone=None):
        self.configuration, self.gone = configuration, gone

    def get_bucket_notification_configuration(self, Bucket):  # noqa: N803
        return self.configuration | {"ResponseMetadata": {}}

    def put_bucket_notification_configuration(
        self,
        Bucket,  # noqa: N803
        NotificationConfiguration,  # noqa: N803
        SkipDestinationValidation=False,  # noqa: N803
    ):
        asked = map(notifications.destination, notifications.entries(NotificationConfiguration))
        if not SkipDestinationValidation and self.gone in asked:
            raise ClientError({"Error": {"Code": "InvalidArgument"}}, "Put")
        self.configuration = NotificationConfiguration


def test_eventbridge_is_switched_on_beside_everything_and_stays_on(monkeypatch):
    theirs = {"QueueConfigurations": [entry()], "TopicConfigurations": []}
    s3 = OneBucket(theirs)
    monkeypatch.setattr(notifications.boto3, "client", lambda _: s3)
    carry_out("Create", EventBridge="true")
    assert s3.configuration == theirs | {"EventBridgeConfiguration": {}}
    carry_out("Delete", EventBridge="true")
    assert s3.configuration == theirs | {"EventBridgeConfiguration": {}}


def test_eventbridge_that_others_switched_on_survives_ours(monkeypatch):
    s3 = OneBucket({"EventBridgeConfiguration": {}})
    monkeypatch.setattr(notifications.boto3, "client", lambda _: s3)
    carry_out("Create", QueueArn="arn:q")
    carry_out("Delete", QueueArn="arn:q")
    assert s3.configuration == {"EventBridgeConfiguration": {}}


def test_a_policy_that_s3_does_not_see_yet_is_waited_for(monkeypatch):
    slept = []
    monkeypatch.setattr(notifications.time, "sleep", slept.append)
    answers = [ClientError({"Error": {"Code": "InvalidArgument"}}, "Put")] * 2

    class S3:
        def put_bucket_notification_configuration(self, **_):
            if answers:
                raise answers.pop()

    notifications.put(S3(), BUCKET, {})
    assert slept == list(notifications.POLICY_DELAYS[:2])


def test_a_destination_that_stays_invalid_is_an_error(monkeypatch):
    monkeypatch.setattr(notifications.time, "sleep", lambda _: None)

    class S3:
        def put_bucket_notification_configuration(self, **_):
            raise ClientError({"Error": {"Code": "InvalidArgument"}}, "Put")

    with pytest.raises(ClientError):
        notifications.put(S3(), BUCKET, {})


@pytest.mark.parametrize("kind", ["QueueArn", "TopicArn"])
def test_a_queue_or_topic_of_another_region_is_refused_with_the_way_that_works(bucket, kind):
    arn = "arn:aws:sqs:eu-west-1:111122223333:objects"
    with pytest.raises(ConfigurationError, match=r"not in 'us-east-1'.*EventBridge"):
        carry_out("Create", **{kind: arn})
    carry_out("Delete", **{kind: arn})
