"""What a new instance of index_s3_logs imports, beside what it could not do without.

Each runs in a process of its own, in turn, with byte code as the layers carry it; the best of each
counts.
"""

import os
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]
ROUNDS = 12
CEILING = 1.15
"""The most that the function may cost by the plain imports."""
PLAIN = """
import boto3, opensearchpy
from aws_lambda_powertools import Logger, Metrics
boto3.client("s3"), boto3.client("sqs"), Logger(), Metrics()
"""
OURS = "import app"
_TIMED = "import time; began = time.process_time()\n{}\nprint(time.process_time() - began)"
_ENVIRONMENT = {
    "AWS_DEFAULT_REGION": "eu-west-1",
    "AWS_ACCESS_KEY_ID": "none",
    "AWS_SECRET_ACCESS_KEY": "none",
    "POWERTOOLS_METRICS_NAMESPACE": "ServiceLogs",
    "OPENSEARCH_ENDPOINT": "https://search-logs.eu-west-1.es.amazonaws.com",
    "ACCOUNT_ID": "111122223333",
    "DEFAULT_ACCOUNT_ID": "111122223333",
    "DEFAULT_REGION": "eu-west-1",
    "BACKUP_BUCKET": "backup",
    "QUEUE_URL": "https://sqs.eu-west-1.amazonaws.com/111122223333/objects",
    "PARQUET_QUEUE_URL": "https://sqs.eu-west-1.amazonaws.com/111122223333/files",
}


@dataclass(frozen=True)
class ColdStart:
    """The CPU seconds of the imports."""

    plain: float
    ours: float

    @property
    def ratio(self) -> float:
        """How much more the function takes."""
        return self.ours / self.plain

    @property
    def is_slow(self) -> bool:
        """Whether that is too much."""
        return self.ratio > CEILING

    def __str__(self) -> str:
        """Write it for a person."""
        return (
            f"cold start: importing index_s3_logs takes {self.ours * 1000:.0f} ms of CPU, "
            f"boto3 (S3, SQS), opensearch-py, Powertools alone {self.plain * 1000:.0f} ms: "
            f"{self.ratio:.2f}, at most {CEILING}"
        )


def measure(rounds: int = ROUNDS) -> ColdStart:
    """Import both in turn."""
    best = {PLAIN: float("inf"), OURS: float("inf")}
    with tempfile.TemporaryDirectory() as byte_code:
        for code in best:
            _seconds(code, byte_code)  # writes the byte code
        for _ in range(rounds):
            for code in best:
                best[code] = min(best[code], _seconds(code, byte_code))
    return ColdStart(best[PLAIN], best[OURS])


def _seconds(code: str, byte_code: str) -> float:
    folders = [ROOT / "functions" / "index_s3_logs", ROOT / "layers" / "service_logs"]
    printed = subprocess.check_output(
        [sys.executable, "-c", _TIMED.format(code)],
        env={
            **_ENVIRONMENT,
            "PYTHONPATH": os.pathsep.join(map(str, folders)),
            "PYTHONPYCACHEPREFIX": byte_code,
        },
    )
    return float(printed)
