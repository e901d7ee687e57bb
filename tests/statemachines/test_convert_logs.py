"""The paths that a run of convert_logs takes, by what its functions answer."""

from collections.abc import Iterable
from typing import Any

import pytest

from tests.statemachines.machine import MANIFEST, Machine, Play, Throttled

pytestmark = pytest.mark.slow

BATCHES = [{"batch": "b1"}, {"batch": "b2"}]


def answers(*given: Any) -> Play:
    """Answer one after the other, the last one from then on; raise what is an error."""
    left = [*given]

    def play(_event: dict[str, Any]) -> Any:
        answer = left.pop(0) if len(left) > 1 else left[0]
        if isinstance(answer, type) and issubclass(answer, Exception):
            raise answer
        return answer

    return play


def plan(batches: int, more: bool = False) -> dict[str, Any]:
    return {"manifest": MANIFEST, "batches": batches, "more": more}


def tables(*found: str, failed: bool = False) -> dict[str, Any]:
    return {"tables": [*found], "failed": failed}


def machine(items: Iterable[dict[str, Any]] = BATCHES, **functions: Play) -> Machine:
    """Give a machine whose functions do their work, but for those that a test plays."""
    usual = {
        "PlanBatches": answers(plan(len([*items]))),
        "ConvertBatch": answers({"state": "PREPARED"}),
        "SplitBatch": answers({"state": "SPLIT"}),
        "ListTables": answers(tables("alb", "waf")),
        "PublishTable": answers({"state": "DONE", "failed": False}),
    }
    return Machine("convert_logs", usual | functions, [*items])


def test_what_is_planned_is_converted_and_published(monkeypatch):
    run = machine().run(monkeypatch)

    assert (run.status, run.error) == ("SUCCEEDED", "")
    assert {event["batch"] for event in run.called("ConvertBatch")} == {"b1", "b2"}
    assert sorted(event["table"] for event in run.called("PublishTable")) == ["alb", "waf"]
    assert not run.called("SplitBatch")


def test_every_function_gets_the_execution_not_that_of_a_child(monkeypatch):
    bad = answers(ValueError)
    run = machine(ConvertBatch=bad).run(monkeypatch)

    assert {name for name, _ in run.calls} == {
        "PlanBatches",
        "ConvertBatch",
        "SplitBatch",
        "ListTables",
        "PublishTable",
    }
    (execution,) = {event["execution"] for _, event in run.calls}
    assert execution.endswith(":execution:convert_logs:run")


def test_where_nothing_is_planned_what_was_prepared_is_published_and_the_run_succeeds(monkeypatch):
    run = machine([]).run(monkeypatch)

    assert run.status == "SUCCEEDED"
    assert not run.called("ConvertBatch")
    assert len(run.called("PublishTable")) == 2


def test_an_empty_deployment_succeeds(monkeypatch):
    run = machine([], ListTables=answers(tables())).run(monkeypatch)

    assert run.status == "SUCCEEDED"
    assert [name for name, _ in run.calls] == ["PlanBatches", "ListTables"]


def test_a_run_that_cannot_plan_fails_by_that_name(monkeypatch):
    run = machine(PlanBatches=answers(RuntimeError)).run(monkeypatch)

    assert (run.status, run.error) == ("FAILED", "NothingPlanned")
    assert len(run.called("PlanBatches")) == 5


def test_what_fails_once_is_tried_again_and_not_split(monkeypatch):
    once = answers(RuntimeError, {"state": "PREPARED"})
    run = machine(BATCHES[:1], ConvertBatch=once).run(monkeypatch)

    assert run.status == "SUCCEEDED"
    assert len(run.called("ConvertBatch")) == 2
    assert not run.called("SplitBatch")


def test_what_keeps_failing_is_split_with_its_error_and_the_others_go_on(monkeypatch):
    def convert(event: dict[str, Any]) -> dict[str, str]:
        if event["batch"] == "b1":
            raise ValueError("a record")
        return {"state": "PREPARED"}

    run = machine(ConvertBatch=convert).run(monkeypatch)

    assert run.status == "SUCCEEDED"
    (split,) = run.called("SplitBatch")
    assert split["batch"] == "b1"
    assert split["error"]["Error"] == "ValueError"
    assert "a record" in split["error"]["Cause"]
    assert len(run.called("PublishTable")) == 2


def test_a_quarantined_object_fails_the_run_after_all_else_is_published(monkeypatch):
    run = machine(
        ConvertBatch=answers(ValueError), SplitBatch=answers({"state": "QUARANTINED"})
    ).run(monkeypatch)

    assert (run.status, run.error) == ("FAILED", "SomeBatchesFailed")
    assert len(run.called("PublishTable")) == 2


def test_what_the_ledger_says_was_left_fails_the_run_after_all_else_is_published(monkeypatch):
    left = answers(tables("alb", "waf", failed=True))
    run = machine(
        ConvertBatch=answers(ValueError), SplitBatch=answers(ValueError), ListTables=left
    ).run(monkeypatch)

    assert (run.status, run.error) == ("FAILED", "SomeBatchesFailed")
    assert len(run.called("PublishTable")) == 2


def test_a_lack_of_room_splits_no_batch(monkeypatch):
    """A quota would else end with every object alone in quarantine."""
    run = machine(ConvertBatch=answers(Throttled)).run(monkeypatch)

    assert not run.called("SplitBatch")
    assert len(run.called("ConvertBatch")) > 2 * 20


def test_a_map_that_fails_itself_keeps_nothing_prepared_from_being_published(monkeypatch):
    lost = answers({**plan(1), "manifest": {**MANIFEST, "key": "no/such/key"}})
    run = machine(PlanBatches=lost, ListTables=answers(tables("waf", failed=True))).run(monkeypatch)

    assert (run.status, run.error) == ("FAILED", "SomeBatchesFailed")
    assert not run.called("ConvertBatch")
    assert len(run.called("PublishTable")) == 1


def test_a_table_whose_lease_is_taken_is_waited_for(monkeypatch):
    busy = answers(*[{"state": "BUSY", "failed": False}] * 3, {"state": "DONE", "failed": False})
    run = machine(ListTables=answers(tables("alb")), PublishTable=busy).run(monkeypatch)

    assert run.status == "SUCCEEDED"
    assert len(run.called("PublishTable")) == 4
    assert run.states.count("WaitForTheLease") == 3


def test_a_table_with_more_than_one_invocation_can_publish_goes_on_at_once(monkeypatch):
    more = answers({"state": "MORE", "failed": False}, {"state": "DONE", "failed": False})
    run = machine(ListTables=answers(tables("alb")), PublishTable=more).run(monkeypatch)

    assert run.status == "SUCCEEDED"
    assert len(run.called("PublishTable")) == 2
    assert "WaitForTheLease" not in run.states


@pytest.mark.parametrize("bad", [answers(RuntimeError), answers({"state": "DONE", "failed": True})])
def test_a_table_that_is_not_all_published_fails_the_run_and_the_others_are(monkeypatch, bad):
    def publish(event: dict[str, Any]) -> Any:
        return bad(event) if event["table"] == "alb" else {"state": "DONE", "failed": False}

    run = machine(PublishTable=publish).run(monkeypatch)

    assert (run.status, run.error) == ("FAILED", "SomeBatchesFailed")
    assert "waf" in {event["table"] for event in run.called("PublishTable")}


def test_a_run_that_cannot_ask_for_tables_fails_by_that_name(monkeypatch):
    run = machine(ListTables=answers(RuntimeError)).run(monkeypatch)

    assert (run.status, run.error) == ("FAILED", "PublishFailed")


def test_a_run_plans_again_while_there_is_more(monkeypatch):
    plans = answers(plan(2, more=True), plan(2, more=True), plan(0))
    run = machine(PlanBatches=plans).run(monkeypatch)

    assert run.status == "SUCCEEDED"
    assert len(run.called("PlanBatches")) == 3
    assert len(run.called("ConvertBatch")) == 4


def test_a_run_with_failed_batches_leaves_the_rest_to_the_next_one(monkeypatch):
    run = machine(
        PlanBatches=answers(plan(2, more=True)),
        PublishTable=answers({"state": "DONE", "failed": True}),
    ).run(monkeypatch)

    assert (run.status, run.error) == ("FAILED", "SomeBatchesFailed")
    assert len(run.called("PlanBatches")) == 1
