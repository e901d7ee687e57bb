"""The paths that a run of enqueue_objects takes, by what its function answers."""

from __future__ import annotations

from typing import Any

import pytest

from tests.statemachines.machine import Machine, Play
from tests.statemachines.test_convert_logs import answers

pytestmark = pytest.mark.slow

ASKED = {"bucket": "logs", "prefix": "AWSLogs/"}


def machine(play: Play) -> Machine:
    return Machine("enqueue_objects", {"EnqueueObjects": play})


def come_to(key: str, *, more: bool) -> dict[str, Any]:
    return {"startAfter": key, "listed": 1, "sent": 1, "more": more}


def test_each_invocation_goes_on_where_the_last_one_has_come_to(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    parts = come_to("a", more=True), come_to("b", more=True), come_to("c", more=False)
    run = machine(answers(*parts)).run(monkeypatch, ASKED)

    assert run.status == "SUCCEEDED"
    given = run.called("EnqueueObjects")
    assert [event["progress"] for event in given] == [{}, *parts[:2]]
    assert [event["asked"] for event in given] == [ASKED] * 3


def test_a_part_that_fails_is_tried_again_from_where_it_began(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    part = come_to("a", more=True)
    run = machine(answers(part, RuntimeError, come_to("b", more=False))).run(monkeypatch, ASKED)

    assert run.status == "SUCCEEDED"
    assert [event["progress"] for event in run.called("EnqueueObjects")] == [{}, part, part]


def test_what_fails_again_and_again_fails_the_run_by_name(monkeypatch: pytest.MonkeyPatch) -> None:
    run = machine(answers(RuntimeError)).run(monkeypatch, ASKED)

    assert (run.status, run.error) == ("FAILED", "NotAllEnqueued")
    assert len(run.called("EnqueueObjects")) == 5
