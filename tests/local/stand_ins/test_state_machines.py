"""A machine does what its role may, runs as many children as it says, and ends with them."""

import json
import threading
from collections.abc import Callable
from typing import Any

import pytest
from ministack.services import stepfunctions

from local.stand_ins import state_machines
from tests.local.stand_ins import emulated

MACHINE = "arn:aws:states:us-east-1:000000000000:stateMachine:converts"
FUNCTION = "arn:aws:lambda:us-east-1:000000000000:function:convert"
MAP = {
    "MaxConcurrencyPath": "$.most",
    "ItemsPath": "$.items",
    "ItemProcessor": {
        "ProcessorConfig": {"Mode": "DISTRIBUTED"},
        "StartAt": "Convert",
        "States": {
            "Convert": {
                "Type": "Task",
                "Resource": "arn:aws:states:::lambda:invoke",
                "Parameters": {"FunctionName": FUNCTION},
                "End": True,
            }
        },
    },
    "End": True,
}


class Machine:
    """A state machine whose function counts how many of it run at a time."""

    def __init__(self, *allowed: tuple[str, str]) -> None:
        role = emulated.role("runs", "states.amazonaws.com", *allowed[0])
        policies = [{"Effect": "Allow", "Action": a, "Resource": r} for a, r in allowed]
        document = json.dumps({"Statement": policies})
        emulated.iam._roles["runs"]["InlinePolicies"] = {"p": document}
        stepfunctions._state_machines[MACHINE] = {"roleArn": role}
        self.execution = {
            "executionArn": "arn:run",
            "stateMachineArn": MACHINE,
            "status": "RUNNING",
            "events": [],
        }
        self.at_once = self.most = self.begun = 0
        self.on_begin: Callable[[], None] = lambda: None
        self._lock = threading.Lock()

    def invoke(self, *_: Any) -> dict[str, Any]:
        with self._lock:
            self.at_once += 1
            self.begun += 1
            self.most = max(self.most, self.at_once)
        self.on_begin()
        threading.Event().wait(0.02)
        with self._lock:
            self.at_once -= 1
        return {}

    def run_map(self, most: int, items: int) -> Any:
        given = {"most": most, "items": list(range(items))}
        context = {"StateMachine": {"Id": MACHINE, "Name": "converts"}, "Execution": {}}
        processor = MAP["ItemProcessor"]
        return state_machines.run_map(MAP, given, given, processor, self.execution, context)


@pytest.fixture
def machine(monkeypatch: pytest.MonkeyPatch) -> Machine:
    made = Machine(("states:StartExecution", MACHINE), ("lambda:InvokeFunction", FUNCTION))
    monkeypatch.setattr(stepfunctions, "_execute_task", state_machines.execute)
    monkeypatch.setattr(stepfunctions, "_invoke_resource", made.invoke)
    return made


def test_a_map_has_as_many_children_at_a_time_as_its_path_says(machine: Machine) -> None:
    machine.run_map(most=2, items=6)
    assert (machine.most, machine.begun) == (2, 6)


@pytest.mark.parametrize(
    ("allowed", "refused"),
    [
        (("states:StartExecution", MACHINE), "lambda:InvokeFunction"),
        (("lambda:InvokeFunction", FUNCTION), "states:StartExecution"),
    ],
)
def test_what_the_role_may_not_the_machine_does_not(
    machine: Machine, allowed: tuple[str, str], refused: str
) -> None:
    Machine(allowed)
    with pytest.raises(stepfunctions._ExecutionError) as failed:
        machine.run_map(most=1, items=1)
    child = next((one for one in stepfunctions._executions.values() if one.get("mapRunArn")), {})
    assert refused in f"{failed.value.cause} {child.get('cause')}"
    assert machine.begun == 0


def test_a_stop_ends_the_children_that_have_not_begun(machine: Machine) -> None:
    stepfunctions._executions["arn:run"] = machine.execution
    machine.on_begin = lambda: machine.execution.update(status="ABORTED")
    with pytest.raises(stepfunctions._ExecutionError):
        machine.run_map(most=1, items=5)
    assert machine.begun == 1
