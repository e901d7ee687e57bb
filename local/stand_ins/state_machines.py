"""Step Functions: what a machine's role lets it do, how many children at once, what a stop ends.

https://docs.aws.amazon.com/step-functions/latest/dg/state-map-distributed.html
https://docs.aws.amazon.com/step-functions/latest/dg/procedure-create-iam-role.html

The emulator's machines may do everything, a distributed map takes no MaxConcurrencyPath, and what a
map has begun goes on when its execution is stopped.
"""

from typing import Any

from ministack.services import stepfunctions
from ministack.services.stepfunctions import _ExecutionError

from local.stand_ins import roles

SERVICE = "states.amazonaws.com"

run_distributed_map = stepfunctions._run_distributed_map
execute_task = stepfunctions._execute_task

Part = dict[str, Any]
"""Of a definition, of an execution, of its context."""


def run_map(
    state: Part,
    raw_input: Any,
    effective: Any,
    iterator: Part,
    execution: Part,
    context: Part,
) -> Any:
    """Run a distributed map with as many children at a time as it says, if its role may."""
    machine = context["StateMachine"]["Id"]
    _require(context, "states:StartExecution", machine)
    if reader := state.get("ItemReader"):
        where = stepfunctions._resolve_params_obj(reader["Parameters"], effective, context)
        manifest = f"arn:aws:s3:::{where['Bucket']}/{where['Key']}"
        _require(context, "s3:GetObject", manifest, "States.ItemReaderFailed")
    if path := state.get("MaxConcurrencyPath"):
        most = stepfunctions._resolve_path_or_ctx(path, effective, context)
        state = {**state, "MaxConcurrency": most}
    return run_distributed_map(state, raw_input, effective, iterator, execution, context)


def execute(state: Part, raw_input: Any, execution: Part, context: Part) -> Any:
    """Carry out a task, if its execution still runs and its machine's role may."""
    if not _runs(execution):
        raise _ExecutionError("ExecutionAborted", "the execution was stopped")
    if state["Resource"].endswith(":lambda:invoke"):
        name = state["Parameters"]["FunctionName"]
        _require(context, "lambda:InvokeFunction", name)
    return execute_task(state, raw_input, execution, context)


def _runs(execution: Part) -> bool:
    """Say whether an execution runs, and the one whose distributed map it is a child of."""
    if run := stepfunctions._map_runs.get(execution.get("mapRunArn")):
        parent = stepfunctions._executions.get(run["executionArn"])
        if parent and parent["status"] != "RUNNING":
            return False
    return bool(execution["status"] == "RUNNING")


def _require(context: Part, action: str, arn: str, error: str = "States.Permissions") -> None:
    machine = context["StateMachine"]["Id"]
    role = stepfunctions._state_machines[machine]["roleArn"]
    try:
        roles.require(role, SERVICE, action, arn, machine)
    except roles.NotAllowed as refused:
        raise _ExecutionError(error, str(refused)) from refused
