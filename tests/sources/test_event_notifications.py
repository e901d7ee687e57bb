"""Every envelope leads to the same objects; what is not one is said, not dropped."""

import json
from typing import Any

import pytest

from servicelogs.errors import UnreadableMessage
from servicelogs.sources.event_notifications import ObjectToRead, read_notification

ETAG = "0123456789abcdef0123456789abcdef"


def s3_record(key: str, event: str = "ObjectCreated:Put") -> dict[str, Any]:
    return {
        "eventVersion": "2.6",
        "eventSource": "aws:s3",
        "awsRegion": "eu-west-1",
        "eventName": event,
        "s3": {
            "s3SchemaVersion": "1.0",
            "bucket": {"name": "log-archive", "arn": "arn:aws:s3:::log-archive"},
            "object": {"key": key, "size": 2048, "eTag": ETAG, "sequencer": "0069200A5F"},
        },
    }


def notification(*records: dict[str, Any]) -> str:
    return json.dumps({"Records": records})


def through_sns(message: str) -> str:
    return json.dumps(
        {
            "Type": "Notification",
            "MessageId": "55555555-6666-4777-8888-999999999999",
            "TopicArn": "arn:aws:sns:eu-west-1:111122223333:logs",
            "Subject": "Amazon S3 Notification",
            "Message": message,
            "Timestamp": "2026-11-20T08:14:55.500Z",
        }
    )


def eventbridge(key: str, kind: str = "Object Created") -> str:
    return json.dumps(
        {
            "version": "0",
            "detail-type": kind,
            "source": "aws.s3",
            "account": "111122223333",
            "detail": {
                "version": "0",
                "bucket": {"name": "log-archive"},
                "object": {"key": key, "size": 2048, "etag": ETAG, "sequencer": "0069200A5F"},
                "reason": "PutObject",
            },
        }
    )


def test_a_notification_names_each_of_its_objects_with_decoded_keys():
    body = notification(s3_record("net/year%3D2026/red+hat.log.gz"), s3_record("b/%2B.gz"))

    assert read_notification(body).objects == [
        ObjectToRead("log-archive", "net/year=2026/red hat.log.gz", etag=ETAG, region="eu-west-1"),
        ObjectToRead("log-archive", "b/+.gz", etag=ETAG, region="eu-west-1"),
    ]


def test_sns_and_raw_delivery_say_the_same():
    body = notification(s3_record("AWSLogs/a.log.gz"))
    assert read_notification(through_sns(body)) == read_notification(body)


def test_an_eventbridge_key_is_taken_as_it_is():
    (wanted,) = read_notification(eventbridge("net/year=2026/red hat.log.gz")).objects
    assert wanted == ObjectToRead(
        "log-archive", "net/year=2026/red hat.log.gz", etag=ETAG, account_id="111122223333"
    )


def test_an_eventbridge_key_that_may_be_encoded_has_a_second_reading():
    (wanted,) = read_notification(eventbridge("a+b%3D.gz")).objects
    assert (wanted.key, wanted.key_if_encoded) == ("a+b%3D.gz", "a b=.gz")


def test_an_eventbridge_event_through_sns_is_read():
    (wanted,) = read_notification(through_sns(eventbridge("a.gz"))).objects
    assert wanted.key == "a.gz"


@pytest.mark.parametrize("continuations", [-1, 201, "1", None, 1.5])
def test_an_object_that_was_left_for_later_too_often_is_not_read_again(continuations):
    rest = {"bucket": "log-archive", "key": "a", "from": 7, "continuations": continuations}

    with pytest.raises(UnreadableMessage, match=r"log-archive/a was left for later .*record 7"):
        read_notification(json.dumps(rest))


def test_what_is_left_for_later_says_so_to_the_next_attempt():
    wanted = ObjectToRead("log-archive", "a b+.gz", key_if_encoded="a b .gz")

    (rest,) = read_notification(wanted.later("e1", 4711)).objects

    assert rest == ObjectToRead("log-archive", "a b+.gz", "a b .gz", "e1", 4711, 1)


def test_a_listed_object_is_read_from_its_first_record():
    (wanted,) = read_notification('{"bucket": "log-archive", "key": "a.gz"}').objects
    assert wanted == ObjectToRead("log-archive", "a.gz")


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        ('{"Service": "Amazon S3", "Event": "s3:TestEvent", "Bucket": "b"}', "s3:TestEvent"),
        ('{"Type": "SubscriptionConfirmation", "Token": "t"}', "SubscriptionConfirmation"),
        (notification(s3_record("a", "ObjectRemoved:Delete")), "ObjectRemoved:Delete"),
        (notification(s3_record("a", "ObjectAnnotation:Put")), "ObjectAnnotation:Put"),
        (eventbridge("a", "Object Deleted"), "Object Deleted"),
    ],
)
def test_what_is_about_no_new_object_is_skipped_with_a_count(body, kind):
    found = read_notification(body)

    assert found.objects == []
    assert found.skipped == {kind: 1}


def test_a_new_object_beside_a_deleted_one_is_read():
    body = notification(s3_record("old", "ObjectRemoved:Delete"), s3_record("new"))
    assert [wanted.key for wanted in read_notification(body).objects] == ["new"]


@pytest.mark.parametrize(
    "body",
    [
        "",
        "no JSON",
        "[]",
        "{}",
        '{"bucket": "b"}',
        '{"bucket": "b", "key": ""}',
        '{"bucket": "b", "key": "k", "from": 0}',
        '{"bucket": "b", "key": "k", "from": "2"}',
        '{"Records": [{"eventSource": "aws:kinesis"}]}',
        '{"Records": [{"eventSource": "aws:s3", "eventName": "ObjectCreated:Put"}]}',
        '{"Records": ["text"]}',
        through_sns("no JSON"),
        through_sns("{}"),
        '{"source": "aws.s3", "detail-type": "Object Created", "detail": {}}',
    ],
)
def test_anything_else_is_unreadable(body):
    with pytest.raises(UnreadableMessage):
        read_notification(body)


@pytest.mark.parametrize(
    ("configuration", "account"),
    [
        ("service-logs-222233334444-0123456789ab", "222233334444"),
        # Of this account: the end of the stack's id may be digits alone.
        ("service-logs-012345678901", ""),
        ("logs", ""),
        ("xservice-logs-222233334444-a", ""),
        ("service-logs-2222333344441-a", ""),
        (None, ""),
        (7, ""),
    ],
)
def test_the_name_of_a_members_notification_says_whose_bucket_it_is(configuration, account):
    record = s3_record("key")
    record["s3"]["configurationId"] = configuration
    (found,) = read_notification(notification(record)).objects
    assert (found.account_id, found.region) == (account, "eu-west-1")


@pytest.mark.parametrize(
    "region", ["../../other", "eu-west-1/x", "", None, ["eu-west-1"], "x" * 99]
)
def test_a_region_that_is_none_is_not_taken(region):
    """It becomes the name of a folder in the lake."""
    record = s3_record("key") | {"awsRegion": region}
    (found,) = read_notification(notification(record)).objects
    assert found.region == ""


def test_an_event_says_whose_bucket_it_is_and_where():
    event = json.loads(eventbridge("key")) | {"account": "222233334444", "region": "ap-south-1"}
    (found,) = read_notification(json.dumps(event)).objects
    assert (found.account_id, found.region) == ("222233334444", "ap-south-1")


@pytest.mark.parametrize("account", ["22223333444", "2222333344445", "٢٢٢٢٣٣٣٣٤٤٤٤", 222233334444])
def test_an_account_that_is_none_is_not_taken(account):
    event = json.loads(eventbridge("key")) | {"account": account}
    (found,) = read_notification(json.dumps(event)).objects
    assert found.account_id == ""


def test_what_is_left_for_later_says_whose_bucket_it_was():
    wanted = ObjectToRead("log-archive", "key", account_id="222233334444", region="ap-south-1")
    (found,) = read_notification(wanted.later(ETAG, 7)).objects
    assert (found.account_id, found.region) == ("222233334444", "ap-south-1")
    assert (found.start, found.etag) == (7, ETAG)
