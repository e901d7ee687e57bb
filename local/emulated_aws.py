"""Emulated AWS on a loopback port, with IAM enforced.

The server runs functions as children of its own interpreter, in its own environment: they reach it
because AWS_ENDPOINT_URL is set there.
"""

import os
import sys
import tempfile
import urllib.error
import urllib.request
from pathlib import Path

from local import ROOT
from local.processes import LOOPBACK, Processes, free_port

REGION = "us-east-1"
ACCOUNT = "000000000000"
MEMBER = "222233334444"
"""The account whose logs the first one may read. Its id is its root's access key, as of each."""


def environment(endpoint: str, account: str = ACCOUNT) -> dict[str, str]:
    """Make an environment whose every AWS call goes to an account of the emulator.

    Nothing of the user's own AWS settings is left in it, so no real account can be touched.
    """
    kept = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("AWS_", "SAM_", "PYTHON", "VIRTUAL_ENV"))
    }
    return kept | {
        "PATH": os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", "")]),
        "AWS_ENDPOINT_URL": endpoint,
        "AWS_ACCESS_KEY_ID": account,
        "AWS_SECRET_ACCESS_KEY": "test",
        "AWS_REGION": REGION,
        "AWS_DEFAULT_REGION": REGION,
        "AWS_CONFIG_FILE": os.devnull,
        "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
        "AWS_EC2_METADATA_DISABLED": "true",
        "SAM_CLI_TELEMETRY": "0",
    }


def start(processes: Processes) -> str:
    """Start the emulator and return its endpoint."""
    port = free_port()
    endpoint = f"http://{LOOPBACK}:{port}"
    asked_rights(processes).unlink(missing_ok=True)
    # It leaves unpacked functions behind: they go with the folder.
    scratch = Path(tempfile.mkdtemp(prefix="service-logs-aws-"))
    settings = environment(endpoint) | {
        "AUTH": "true",
        "ASKED_RIGHTS_FILE": str(asked_rights(processes).resolve()),
        "BIND_HOST": LOOPBACK,
        "MINISTACK_HOST": LOOPBACK,
        "GATEWAY_PORT": str(port),
        "IOT_MTLS_ENABLED": "0",
        "LOG_LEVEL": "WARNING",
        "TMPDIR": str(scratch),
    }
    command = [sys.executable, "-P", ROOT / "local" / "ministack_as_aws.py"]
    processes.start("aws", command, environment=settings, scratch=scratch, cwd=scratch)
    processes.wait_until("aws", lambda: _answers(endpoint), 60)
    return endpoint


def asked_rights(processes: Processes) -> Path:
    """Say where it writes down which rights roles were asked for."""
    return processes.folder / "asked-rights.jsonl"


def _answers(endpoint: str) -> bool:
    try:
        with urllib.request.urlopen(f"{endpoint}/_ministack/health", timeout=5) as answer:
            return answer.status == 200
    except (OSError, urllib.error.URLError):
        return False
