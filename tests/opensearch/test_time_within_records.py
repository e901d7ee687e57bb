"""The time is looked at while nothing comes of an object, and its rest makes no endless chain."""

import gzip
import json
from collections.abc import Iterator
from itertools import chain, repeat

import pytest

from servicelogs.errors import EveryItemFailed
from servicelogs.opensearch.index_objects import TRIES_TO_REACH
from tests.deployment import LOGS, Deployment, flow_key, flow_lines

MIB = 1024 * 1024
# Enough for a record to be too long, and a part of what follows.
QUESTIONS = 60
HUGE_BYTES = 40 * MIB


def short_of_time(questions: int = QUESTIONS) -> Iterator[float]:
    """Give time for so many questions, then none."""
    return chain(repeat(300.0, questions), repeat(1.0))


def left(deployment: Deployment) -> list[int]:
    """Give the record numbers that messages of ours go on from."""
    return [json.loads(record["body"])["from"] for record in deployment.receive()]


def test_what_follows_a_record_that_is_skipped_is_left_for_later(deployment):
    deployment.put(flow_key("a"), flow_lines(3) + b"x" * HUGE_BYTES + b"\n" + flow_lines(2))
    deployment.notify(flow_key("a"))

    assert deployment.run(short_of_time()) == []

    assert len(deployment.engine.documents) == 3
    ((reject,),) = deployment.rejected().values()
    assert (reject["record_number"], reject["error_type"]) == (5, "too_long")
    assert left(deployment) == [6]


def test_the_rest_is_read_when_there_is_time_for_it(deployment):
    deployment.put(flow_key("a"), flow_lines(3) + b"x" * HUGE_BYTES + b"\n" + flow_lines(2))
    deployment.notify(flow_key("a"))

    deployment.run(short_of_time())
    deployment.run()

    assert len(deployment.engine.documents) == 5
    assert [line["record_number"] for (line,) in deployment.rejected().values()] == [5]
    assert deployment.waiting() == (0, 0)


TAILS = {
    "a long line": b"x" * HUGE_BYTES,
    "blank lines": b"\n" * HUGE_BYTES,
    "lines that were read": (b"-" * 499 + b"\n") * (HUGE_BYTES // 500),
}


@pytest.mark.parametrize("tail", TAILS.values(), ids=TAILS)
def test_a_rest_that_is_never_reached_is_one_reject_in_the_end(deployment, tail):
    deployment.put(flow_key("a"), flow_lines(3) + tail)
    deployment.send(json.dumps({"bucket": LOGS, "key": flow_key("a"), "from": 9_000_000}))
    (message,) = deployment.receive()
    for receives in range(1, TRIES_TO_REACH):
        message["attributes"]["ApproximateReceiveCount"] = str(receives)
        with pytest.raises(EveryItemFailed, match="too short to come to record 9000000"):
            deployment.invoke([message], short_of_time())

    message["attributes"]["ApproximateReceiveCount"] = str(TRIES_TO_REACH)
    assert deployment.invoke([message], short_of_time()) == []

    ((reject,),) = deployment.rejected().values()
    assert (reject["record_number"], reject["error_type"]) == (9_000_000, "unreachable")
    counts = deployment.counts["vpc_flow"]
    assert (counts["Records"], counts["Rejected"], counts["Objects"]) == (1, 1, 1)
    assert deployment.waiting() == (0, 0)


def test_an_object_that_others_left_no_time_for_is_as_if_it_was_not_begun(deployment):
    deployment.put(flow_key("a"), flow_lines(3))
    deployment.notify(flow_key("a"))

    assert deployment.run(chain([300.0] * 2, repeat(70.0, 3), repeat(1.0))) == []

    assert deployment.engine.documents == {}
    assert left(deployment) == [1]
    assert deployment.rejected() == {}


def test_time_is_looked_at_while_padding_is_inflated(deployment):
    """Zeros behind a gzip member are skipped; in another layer they take few bytes."""
    padded = gzip.compress(gzip.compress(flow_lines(3)) + b"\0" * HUGE_BYTES)
    deployment.s3.put_object(Bucket=LOGS, Key=flow_key("a"), Body=padded)
    deployment.notify(flow_key("a"))

    with pytest.raises(EveryItemFailed, match="too short to come to record 1"):
        deployment.run(short_of_time(30))
