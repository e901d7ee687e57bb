"""CloudFormation's answer is sent whatever else of the package can be imported."""

import contextlib
import json
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest

from servicelogs import cloudformation
from servicelogs.errors import UnreadableEvent

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
def test_an_answer_is_no_longer_than_cloudformation_takes(sent, reason):
    cloudformation.fail(EVENT, reason)

    (answer,) = sent
    assert len(answer) < 4096 - 1500, "names and ids take some of it"
    assert reason.startswith(json.loads(answer)["Reason"])
    assert len(json.loads(answer)["Reason"]) > 100


def test_a_reason_is_one_line_whatever_it_quotes(sent):
    cloudformation.fail(EVENT, "there is no bucket a\n\x00b\x1b[2J\u2028é")

    (answer,) = sent
    assert json.loads(answer)["Reason"] == r"there is no bucket a\n\x00b\x1b[2J\u2028é"


def test_a_request_that_cannot_be_answered_names_what_it_lacks(sent):
    with pytest.raises(UnreadableEvent, match="has no StackId, ResponseURL"):
        cloudformation.succeed({"RequestId": "r", "LogicalResourceId": "l", "StackId": 1})
    assert sent == []
