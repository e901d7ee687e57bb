"""Of any event, exactly the items that the shared delivery failed are reported, each once."""

from collections.abc import Callable, Sequence
from typing import Any

import pytest
from aws_lambda_powertools.utilities.batch import EventType, process_partial_response
from aws_lambda_powertools.utilities.batch.exceptions import BatchProcessingError

from servicelogs.delivery.batch_processor import SharedDeliveryProcessor
from servicelogs.errors import TryLater


def sqs(number: int) -> dict[str, Any]:
    return {"messageId": f"id-{number}", "body": f"item {number}", "eventSource": "aws:sqs"}


def kinesis(number: int) -> dict[str, Any]:
    return {"kinesis": {"sequenceNumber": f"id-{number}"}, "eventSource": "aws:kinesis"}


EVENTS = pytest.mark.parametrize(
    ("event_type", "record"),
    [(EventType.SQS, sqs), (EventType.KinesisDataStreams, kinesis)],
    ids=["SQS", "Kinesis"],
)
Record = Callable[[int], dict[str, Any]]


def run(
    event_type: EventType, record: Record, errors: Sequence[Exception | None]
) -> tuple[list[str], list[Any]]:
    """Return the ids that are reported when delivery ends so, and each call's items."""
    calls: list[Any] = []

    def deliver(items: Sequence[Any]) -> Sequence[Exception | None]:
        calls.append(items)
        return errors

    answer = process_partial_response(
        {"Records": [record(number) for number in range(len(errors))]},
        deliver,
        SharedDeliveryProcessor(event_type),
    )
    return [item["itemIdentifier"] for item in answer["batchItemFailures"]], calls


@EVENTS
def test_the_items_that_failed_are_reported_and_no_others(event_type, record):
    failed, _ = run(event_type, record, [None, TryLater("b"), None, ValueError("d")])

    assert failed == ["id-1", "id-3"]


@EVENTS
def test_nothing_is_reported_when_all_went_well(event_type, record):
    assert run(event_type, record, [None, None])[0] == []


@EVENTS
def test_an_event_all_of_which_failed_is_an_error_that_names_each_reason(event_type, record):
    with pytest.raises(BatchProcessingError) as error:
        run(event_type, record, [TryLater("the first"), ValueError("the second")])

    assert len(error.value.child_exceptions) == 2
    assert "the first" in str(error.value)
    assert "the second" in str(error.value)


@EVENTS
def test_the_items_are_handed_over_together_and_as_they_came(event_type, record):
    _, (items,) = run(event_type, record, [None, None, None])

    assert [item.raw_event for item in items] == [record(0), record(1), record(2)]


@EVENTS
@pytest.mark.parametrize("errors", [[], [None], [None] * 3])
def test_an_answer_that_leaves_items_out_fails_the_invocation(event_type, record, errors):
    with pytest.raises(ValueError, match="zip"):
        process_partial_response(
            {"Records": [record(0), record(1)]},
            lambda items: errors,
            SharedDeliveryProcessor(event_type),
        )


def test_one_processor_forgets_the_invocation_before():
    processor = SharedDeliveryProcessor(EventType.SQS)
    events = [{"Records": [sqs(0), sqs(1)]}, {"Records": [sqs(2)]}]

    def deliver(items: Sequence[Any]) -> list[Exception | None]:
        return [TryLater("later") if item.message_id == "id-0" else None for item in items]

    answers = [process_partial_response(event, deliver, processor) for event in events]

    assert [len(answer["batchItemFailures"]) for answer in answers] == [1, 0]
