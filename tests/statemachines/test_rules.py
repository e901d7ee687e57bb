"""Every state machine keeps the project's rules."""

import json

import pytest

from tests.statemachines.machine import MACHINES, definition, states

every_machine = pytest.mark.parametrize("name", MACHINES)


def tasks(name):
    found = {key: state for key, state in states(definition(name)) if state["Type"] == "Task"}
    assert found
    return found


@every_machine
def test_what_is_written_is_amazon_states_language(name):
    import cfnlint.api  # late: it takes a second

    machine = json.loads(json.dumps(definition(name)).replace("${Partition}", "aws"))
    names = {part.split("}")[0] for part in json.dumps(machine).split("${")[1:]}
    template = {
        "Resources": {
            "Machine": {
                "Type": "AWS::StepFunctions::StateMachine",
                "Properties": {
                    "Definition": machine,
                    "RoleArn": "arn:aws:iam::111122223333:role/runs",
                    "DefinitionSubstitutions": dict.fromkeys(names, "x"),
                },
            }
        }
    }
    matches = cfnlint.api.lint(json.dumps(template), regions=["eu-west-1"])
    assert [str(match) for match in matches] == []


@every_machine
def test_every_task_and_the_machine_end_in_time(name):
    machine = definition(name)
    longest = max(task["TimeoutSeconds"] for task in tasks(name).values())
    assert longest < machine["TimeoutSeconds"] <= 24 * 3600
    # Nothing could send one: it would only be a second, shorter timeout.
    assert "HeartbeatSeconds" not in json.dumps(machine)


@every_machine
def test_every_task_tries_again_what_may_heal_at_random_intervals(name):
    for key, task in tasks(name).items():
        throttled, service, own = task["Retry"]
        assert throttled["ErrorEquals"] == ["Lambda.TooManyRequestsException"], key
        assert "Lambda.ServiceException" in service["ErrorEquals"], key
        # The class of an error says nothing here: a function decides what is worth a retry.
        assert own["ErrorEquals"] == ["States.TaskFailed", "States.Timeout"], key
        assert throttled["MaxAttempts"] > service["MaxAttempts"] >= own["MaxAttempts"] >= 1, key
        for rule in task["Retry"]:
            assert rule["JitterStrategy"] == "FULL", key
            assert rule["MaxDelaySeconds"] >= rule["IntervalSeconds"], key


@every_machine
def test_every_failure_goes_to_a_state_that_says_what_it_was(name):
    found = dict(states(definition(name)))
    for key, state in found.items():
        if state["Type"] in {"Task", "Map"}:
            assert state["Catch"][-1]["ErrorEquals"] == ["States.ALL"], key
            for catch in state["Catch"]:
                assert catch.get("ResultPath", "$.error") == "$.error", key
                assert catch["Next"] in found, key
    failures = {key: state for key, state in found.items() if state["Type"] == "Fail"}
    for key, state in failures.items():
        assert state["Error"] == key
        assert state["Cause"].endswith(".")


@every_machine
def test_no_failure_of_a_child_is_tolerated_and_none_is_expected(name):
    text = json.dumps(definition(name))
    assert "Tolerated" not in text
    for key, state in states(definition(name)):
        if state["Type"] == "Map":
            inner = state["ItemProcessor"]["States"].values()
            assert "Fail" not in {one["Type"] for one in inner}, key
            # The whole results of many children are more than a state may hand on.
            assert "ResultSelector" in state, key


@every_machine
def test_children_get_the_execution_of_the_run_from_it(name):
    """In a child of a distributed map, $$.Execution is the child's own."""
    for key, state in states(definition(name)):
        if state["Type"] == "Map":
            assert state["ItemSelector"]["execution.$"] == "$$.Execution.Id", key
            assert "$$" not in json.dumps(state["ItemProcessor"]), key


@every_machine
def test_every_state_is_reached_and_every_one_that_is_named_is_there(name):
    def check(machine):
        named = {machine["StartAt"]}
        for state in machine["States"].values():
            rules = [state, *state.get("Choices", ()), *state.get("Catch", ())]
            named |= {rule[key] for rule in rules for key in ("Next", "Default") if key in rule}
            if "ItemProcessor" in state:
                check(state["ItemProcessor"])
        assert named == set(machine["States"])

    check(definition(name))
