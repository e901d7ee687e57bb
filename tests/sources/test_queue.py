"""What is left goes to the queue whole, and what failed comes again later each time."""

import json
import logging

import boto3
import pytest
from botocore.stub import Stubber

from servicelogs.errors import DeliveryError
from servicelogs.sources.queue import Message, Queue


@pytest.fixture
def sqs(aws):
    return boto3.client("sqs")


@pytest.fixture
def url(sqs) -> str:
    return sqs.create_queue(QueueName="objects", Attributes={"VisibilityTimeout": "0"})["QueueUrl"]


def message(receive_count: int = 1, receipt_handle: str = "handle") -> Message:
    return Message("id", receipt_handle, receive_count, "{}")


def received(sqs, url: str) -> list[dict]:
    """Receive and delete what the queue holds."""
    found = []
    while some := sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10).get("Messages"):
        found += some
        for one in some:
            sqs.delete_message(QueueUrl=url, ReceiptHandle=one["ReceiptHandle"])
    return found


@pytest.mark.parametrize(
    ("receive_count", "minutes"), [(1, 1), (2, 2), (3, 4), (4, 8), (5, 16), (6, 30), (1000, 30)]
)
def test_the_delay_doubles_with_each_try_up_to_half_an_hour_and_is_random(receive_count, minutes):
    delays = [message(receive_count).delay() for _ in range(300)]

    assert all(30 * minutes <= delay <= 90 * minutes for delay in delays)
    assert max(delays) - min(delays) > 30 * minutes  # what failed together comes apart


def test_a_record_of_a_queue_event_is_read_whole():
    record = {
        "messageId": "m",
        "receiptHandle": "r",
        "body": "b",
        "attributes": {"ApproximateReceiveCount": "3"},
    }
    assert Message.of(record) == Message("m", "r", 3, "b")


@pytest.mark.parametrize("number", [0, 1, 10, 11, 25])
def test_more_messages_than_a_request_takes_are_all_sent_once(sqs, url, number):
    bodies = [json.dumps({"from": at}) for at in range(number)]

    Queue(sqs, url).send(bodies)

    assert sorted(one["Body"] for one in received(sqs, url)) == sorted(bodies)


def test_a_message_that_did_not_arrive_is_an_error(sqs, url):
    failed = {"Id": "1", "SenderFault": False, "Code": "InternalError"}
    with Stubber(sqs) as stubbed:
        stubbed.add_response("send_message_batch", {"Successful": [], "Failed": [failed]})
        with pytest.raises(DeliveryError, match=r"could not be sent .*InternalError"):
            Queue(sqs, url).send(["a", "b"])


def test_a_queue_that_is_gone_is_an_error_that_names_it(sqs, url):
    with pytest.raises(DeliveryError, match=f"{url}-gone"):
        Queue(sqs, f"{url}-gone").send(["a"])


def test_each_of_many_messages_comes_again_after_its_own_delay(sqs, url):
    queue = Queue(sqs, url)
    queue.send(map(str, range(11)))
    handles = [
        one["ReceiptHandle"]
        for _ in range(2)
        for one in sqs.receive_message(
            QueueUrl=url, MaxNumberOfMessages=10, VisibilityTimeout=600
        ).get("Messages", [])
    ]
    assert len(handles) == 11

    queue.postpone((message(receipt_handle=handle), 0) for handle in handles)

    assert len(received(sqs, url)) == 11


def test_a_message_that_cannot_be_kept_back_is_said_and_does_not_stop_the_others(sqs, url, caplog):
    caplog.set_level(logging.WARNING)
    with Stubber(sqs) as stubbed:
        stubbed.add_client_error("change_message_visibility_batch", "RequestThrottled")
        failed = {"Id": "0", "SenderFault": True, "Code": "ReceiptHandleIsInvalid"}
        answer = {"Successful": [], "Failed": [failed]}
        stubbed.add_response("change_message_visibility_batch", answer)

        Queue(sqs, url).postpone([(message(), 60)] * 11)

        stubbed.assert_no_pending_responses()
    assert [record.message for record in caplog.records] == [
        "messages not postponed",
        "message not postponed",
    ]


def test_what_is_done_is_deleted_whatever_its_number(sqs, url):
    queue = Queue(sqs, url)
    queue.send(str(number) for number in range(25))
    found = []
    while len(found) < 25:
        answer = sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10, VisibilityTimeout=600)
        found += [message(receipt_handle=one["ReceiptHandle"]) for one in answer["Messages"]]

    queue.delete(found[:23])

    for left in found[23:]:
        sqs.change_message_visibility(
            QueueUrl=url, ReceiptHandle=left.receipt_handle, VisibilityTimeout=0
        )
    assert len(received(sqs, url)) == 2


def test_messages_that_cannot_be_deleted_or_kept_apart_are_done_and_tried_all_the_same(aws, sqs):
    queue = Queue(sqs, "http://localhost/123456789012/gone")

    queue.delete([message()])
    queue.isolate(message(), [message()], 300.0)
