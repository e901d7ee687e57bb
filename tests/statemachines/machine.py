"""Runs a state machine as it is deployed, in memory, with functions that a test plays."""

import json
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from threading import Event
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError
from moto import mock_aws
from moto.stepfunctions.parser.asl.component.common.retry import retrier_decl
from moto.stepfunctions.parser.asl.component.state.exec.state_task import lambda_eval_utils

FOLDER = Path(__file__).parents[2] / "statemachines"
MACHINES = sorted(path.name.removesuffix(".asl.json") for path in FOLDER.glob("*.asl.json"))
BUCKET = "staging"
KEY = "runs/manifest.json"
MOST_SECONDS = 60
MANIFEST = {"bucket": BUCKET, "key": KEY}

type Definition = dict[str, Any]
type Play = Callable[[dict[str, Any]], Any]


def definition(name: str) -> Definition:
    """Read a state machine as it is written."""
    found: Definition = json.loads((FOLDER / f"{name}.asl.json").read_text())
    return found


def states(machine: Definition) -> Iterator[tuple[str, Definition]]:
    """Go through all states, those inside maps too."""
    for name, state in machine["States"].items():
        yield name, state
        if "ItemProcessor" in state:
            yield from states(state["ItemProcessor"])


class Throttled(Exception):
    """Lambda has no room for the invocation."""


@dataclass
class Run:
    """What an execution did."""

    status: str
    error: str
    states: list[str]
    """Those entered, in order; not those of the children of a distributed map."""
    calls: list[tuple[str, dict[str, Any]]]
    """The functions called, each with its event."""

    def called(self, function: str) -> list[dict[str, Any]]:
        """Give the events of one function."""
        return [event for name, event in self.calls if name == function]


@dataclass
class Machine:
    """A state machine with functions by their name in it, which answer or raise."""

    name: str
    functions: dict[str, Play]
    items: list[dict[str, Any]] = field(default_factory=list)
    """The manifest that a map reads."""
    calls: list[tuple[str, dict[str, Any]]] = field(default_factory=list)

    def invoke(self, parameters: dict[str, Any], **_: Any) -> dict[str, Any]:
        """Answer as Lambda does, in place of moto's call of it."""
        function, event = parameters["FunctionName"], json.loads(parameters["Payload"])
        self.calls.append((function, event))
        try:
            answer = self.functions[function](event)
        except Throttled:
            error = {"Code": "TooManyRequestsException", "Message": "Rate exceeded"}
            metadata = {"HTTPStatusCode": 429, "RequestId": "1"}
            raise ClientError({"Error": error, "ResponseMetadata": metadata}, "Invoke") from None
        except (RuntimeError, ValueError) as error:
            said = {"errorType": type(error).__name__, "errorMessage": str(error)}
            return {"StatusCode": 200, "FunctionError": "Unhandled", "Payload": said}
        return {"StatusCode": 200, "Payload": answer}

    def run(self, monkeypatch: pytest.MonkeyPatch, given: dict[str, Any] | None = None) -> Run:
        """Execute it once, without the waits."""
        self.calls.clear()
        monkeypatch.setattr(lambda_eval_utils, "_invoke_lambda_function", self.invoke)
        monkeypatch.setattr(retrier_decl.time, "sleep", lambda seconds: None)
        monkeypatch.setenv("AWS_DEFAULT_REGION", "eu-west-1")
        with _aws(json.dumps(self.items).encode()) as step_functions:
            arn = step_functions.create_state_machine(
                name=self.name,
                definition=self._filled_in(),
                roleArn="arn:aws:iam::123456789012:role/runs",
            )["stateMachineArn"]
            execution = step_functions.start_execution(
                stateMachineArn=arn, name="run", input=json.dumps(given or {})
            )["executionArn"]
            done = _wait(step_functions, execution)
            history = step_functions.get_execution_history(executionArn=execution, maxResults=1000)
            entered = [
                event["stateEnteredEventDetails"]["name"]
                for event in history["events"]
                if "stateEnteredEventDetails" in event
            ]
        return Run(done["status"], done.get("error", ""), entered, [*self.calls])

    def _filled_in(self) -> str:
        machine = definition(self.name)
        for _, state in states(machine):
            if state["Type"] == "Wait":
                state["Seconds"] = 0
        text = json.dumps(machine)
        for name, value in {"Partition": "aws", "MaxConcurrency": "3"}.items():
            text = text.replace(f"${{{name}}}", value)
        for name in self.functions:
            text = text.replace(f"${{{name}}}", name)
        assert "${" not in text, "a function that no test plays"
        return text


@contextmanager
def _aws(manifest: bytes) -> Iterator[Any]:
    configuration = {"stepfunctions": {"execute_state_machine": True}}
    with mock_aws(config=configuration):  # type: ignore[arg-type]
        place = {"LocationConstraint": "eu-west-1"}
        s3 = boto3.client("s3")
        s3.create_bucket(Bucket=BUCKET, CreateBucketConfiguration=place)
        s3.put_object(Bucket=BUCKET, Key=KEY, Body=manifest)
        yield boto3.client("stepfunctions")


def _wait(step_functions: Any, execution: str) -> dict[str, Any]:
    """Wait until an execution has ended; time.sleep itself does not wait while it runs."""
    end = time.monotonic() + MOST_SECONDS
    while time.monotonic() < end:
        found: dict[str, Any] = step_functions.describe_execution(executionArn=execution)
        if found["status"] != "RUNNING":
            return found
        Event().wait(0.02)
    raise AssertionError("the execution does not end")
