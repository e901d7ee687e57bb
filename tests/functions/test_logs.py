"""What the functions log at DEBUG holds no secret, and no line that somebody else wrote."""

import base64
import json
import os
import subprocess
import sys
import uuid
from pathlib import Path

import pytest

from tests.functions.run_function import SECRETS

pytestmark = pytest.mark.slow

FUNCTIONS = sorted(path.name for path in (Path(__file__).parents[2] / "functions").iterdir())
CREDENTIALS = base64.b64encode(f"user:{SECRETS['password']}".encode()).decode()


# Each function runs once: one worker has all that is said of it.
@pytest.fixture(
    scope="module",
    params=[pytest.param(name, marks=pytest.mark.xdist_group(name)) for name in FUNCTIONS],
)
def logged(request: pytest.FixtureRequest, osmem: str) -> str:
    """Run each function at DEBUG; return what it writes."""
    ran = subprocess.run(
        [sys.executable, "-m", "tests.functions.run_function", request.param],
        env={
            "PYTHONPATH": os.pathsep.join(sys.path),
            "AWS_DEFAULT_REGION": "us-east-1",
            "AWS_ACCESS_KEY_ID": "test",
            **{name: value for name, value in SECRETS.items() if name.startswith("AWS_")},
            "OPENSEARCH_ENDPOINT": osmem,
            "INDEX_PREFIX": f"test-{uuid.uuid4().hex[:12]}",
            "POWERTOOLS_SERVICE_NAME": request.param,
            "POWERTOOLS_METRICS_NAMESPACE": "ServiceLogs",
            "POWERTOOLS_LOG_LEVEL": "DEBUG",
            "LOG_LEVEL": "DEBUG",
        },
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    assert ran.returncode == 0, ran.stdout
    return ran.stdout


def test_a_function_says_what_it_did(logged: str) -> None:
    assert '"level": "INFO"' in logged


def test_no_secret_is_logged_at_debug(logged: str) -> None:
    assert not [secret for secret in (*SECRETS.values(), CREDENTIALS) if secret in logged]


def test_keys_and_records_neither_end_a_line_nor_move_a_cursor(logged: str) -> None:
    assert logged.replace("\n", "").isprintable()
    lines = [json.loads(line) for line in logged.splitlines() if not line.startswith("[ERROR] ")]
    assert "FORGED" not in {line.get("level") for line in lines}
