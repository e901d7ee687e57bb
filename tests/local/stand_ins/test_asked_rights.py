"""What roles are asked for is written down, once a request, and by what their own policies say."""

import json
from types import SimpleNamespace

import pytest

from local.stand_ins import asked_rights

ROLE = "arn:aws:sts::111122223333:assumed-role/index-logs/function"


@pytest.fixture
def file(tmp_path, monkeypatch):
    path = tmp_path / "asked.jsonl"
    monkeypatch.setenv(asked_rights.FILE, str(path))
    return path


def request(action="s3:GetObject", arn=ROLE, kind="AssumedRole"):
    return SimpleNamespace(
        principal_arn=arn,
        principal_type=kind,
        principal_account="111122223333",
        action=action,
        resource_arn="arn:aws:s3:::logs/a",
    )


def decide(*decisions):
    answers = iter(decisions)
    evaluate = lambda _context, _policies, *_limits: SimpleNamespace(decision=next(answers))  # noqa: E731
    return asked_rights.written_down(evaluate)


def test_the_decision_is_given_on_and_written_down(file):
    assert decide("ImplicitDeny")(request(), []).decision == "ImplicitDeny"
    assert json.loads(file.read_text()) == {
        "role": "index-logs",
        "action": "s3:GetObject",
        "resource": "arn:aws:s3:::logs/a",
        "owner": "111122223333",
        "given": False,
    }


def test_what_the_resources_policy_adds_is_not_what_the_role_has(file):
    evaluate, asked = decide("ImplicitDeny", "Allow"), request()
    evaluate(asked, [])
    assert evaluate(asked, []).decision == "Allow"
    (line,) = file.read_text().splitlines()
    assert json.loads(line)["given"] is False


@pytest.mark.parametrize(
    "asked", [request("sts:AssumeRole"), request(arn="arn:aws:iam::1:user/a", kind="User")]
)
def test_who_is_no_role_and_whom_a_role_trusts_is_not_written_down(file, asked):
    decide("Allow")(asked, [])
    assert not file.exists()
