"""CloudFormation's answer is sent whatever else of the package can be imported."""

import contextlib
import json
import subprocess
import sys
import threading
from pathlib import Path
from types import SimpleNamespace

import pytest

from servicelogs import cloudformation
from servicelogs.errors import OutOfTime, UnreadableEvent

LAYER = Path(__file__).parents[1] / "layers" / "service_logs"
EVENT = {
    "ResponseURL": "https://x",
    "StackId": "s",
    "RequestId": "r",
    "LogicalResourceId": "l",
}


@pytest.fixture
def sent(monkeypatch):
    """Collect what is sent to CloudFormation."""
    answers = []

    def urlopen(request, timeout):
        answers.append(request.data)
        return contextlib.nullcontext(SimpleNamespace(status=200))

    monkeypatch.setattr("servicelogs.cloudformation.urllib.request.urlopen", urlopen)
    return answers


def test_the_answer_needs_nothing_but_the_standard_library():
    # Without site-packages: as if every wheel of the layer were for another processor.
    ran = subprocess.run(
        [sys.executable, "-S", "-c", "import servicelogs.cloudformation"],
        env={"PYTHONPATH": str(LAYER)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert ran.returncode == 0, ran.stderr


@pytest.mark.parametrize(
    "reason", ["x" * 10_000, "é" * 10_000, '"' * 10_000, "\U0001f600" * 10_000]
)
@pytest.mark.parametrize("length", [1, 1024])
def test_an_answer_is_as_long_as_cloudformation_takes(sent, reason, length):
    cloudformation.fail(EVENT | {"PhysicalResourceId": "i" * length}, reason)

    (answer,) = sent
    assert 3500 < len(answer) <= 4096
    assert reason.startswith(json.loads(answer)["Reason"])


def test_a_reason_is_one_line_whatever_it_quotes(sent):
    cloudformation.fail(EVENT, "there is no bucket a\n\x00b\x1b[2J\u2028é")

    (answer,) = sent
    assert json.loads(answer)["Reason"] == r"there is no bucket a\n\x00b\x1b[2J\u2028é"


def test_a_request_that_cannot_be_answered_names_what_it_lacks(sent):
    with pytest.raises(UnreadableEvent, match="has no StackId, ResponseURL"):
        cloudformation.succeed({"RequestId": "r", "LogicalResourceId": "l", "StackId": 1})
    assert sent == []


class Invocation:
    """An invocation that may run so many seconds more than an answer takes."""

    def __init__(self, seconds):
        self.seconds = seconds

    def get_remaining_time_in_millis(self):
        return int((cloudformation.SECONDS_TO_ANSWER + self.seconds) * 1000)


def test_work_that_is_done_in_time_gives_its_result_or_its_own_error():
    assert cloudformation.in_time(lambda: "done", Invocation(5)) == "done"

    def fails():
        raise TimeoutError("of a socket")

    with pytest.raises(TimeoutError, match="of a socket"):
        cloudformation.in_time(fails, Invocation(5))


@pytest.mark.parametrize("seconds", [0.1, -30])
def test_work_that_waits_is_given_up_while_there_is_time_to_answer(seconds):
    released = threading.Event()
    with pytest.raises(OutOfTime, match="was not done in"):
        cloudformation.in_time(lambda: released.wait(60), Invocation(seconds))
    released.set()
