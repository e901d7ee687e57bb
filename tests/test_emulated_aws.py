"""The emulated AWS of this process answers whatever ran before the test that asks for it."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
TESTS = """
import boto3


def test_a_client_is_made_without_the_emulated_aws():
    boto3.client("sqs", region_name="us-east-1")


def test_what_comes_after_it_is_answered(aws):
    boto3.client("s3").create_bucket(Bucket="a-bucket")
"""


@pytest.mark.slow
def test_clients_are_answered_by_moto_whoever_made_one_before(tmp_path: Path) -> None:
    file = tmp_path / "test_in_order.py"
    file.write_text(TESTS)
    no_way_out = {"HTTPS_PROXY": "http://127.0.0.1:9", "AWS_MAX_ATTEMPTS": "1"}
    command = [sys.executable, "-m", "pytest", "-q", "-p", "tests.emulated_aws", str(file)]
    done = subprocess.run(
        [*command, "-p", "no:cacheprovider"],
        cwd=ROOT,
        env=os.environ | {"PYTHONPATH": str(ROOT)} | no_way_out,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout
    assert "2 passed" in done.stdout
