"""Of any event, exactly the items that failed are reported; if all did, the function fails."""

import pytest

from servicelogs.delivery.failed_items import report
from servicelogs.errors import EveryItemFailed, TryLater


def failed(*errors: Exception | None) -> list[str]:
    answer = report([f"id-{number}" for number in range(len(errors))], errors)
    assert answer.keys() == {"batchItemFailures"}
    return [item["itemIdentifier"] for item in answer["batchItemFailures"]]


def test_the_items_that_failed_are_reported_and_no_others():
    assert failed(None, TryLater("b"), None, ValueError("d")) == ["id-1", "id-3"]


@pytest.mark.parametrize("errors", [[], [None], [None, None]])
def test_nothing_is_reported_when_all_went_well(errors):
    assert failed(*errors) == []


def test_an_event_all_of_which_failed_is_an_error_that_names_each_reason_once():
    with pytest.raises(EveryItemFailed) as error:
        failed(TryLater("the first"), ValueError("the second"), TryLater("the first"))

    assert str(error.value) == (
        "all 3 items of the event failed: TryLater: the first; ValueError: the second"
    )


@pytest.mark.parametrize("errors", [[], [None], [None] * 3])
def test_an_answer_that_leaves_items_out_fails_the_invocation(errors):
    with pytest.raises(ValueError, match="zip"):
        report(["one", "two"], errors)
