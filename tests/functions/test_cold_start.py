"""What a function imports before its first event is what every event needs."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
ENVIRONMENT = {
    "AWS_DEFAULT_REGION": "eu-west-1",
    "AWS_ACCESS_KEY_ID": "test",
    "AWS_SECRET_ACCESS_KEY": "test",
    "POWERTOOLS_METRICS_NAMESPACE": "ServiceLogs",
    "OPENSEARCH_ENDPOINT": "https://search-logs.eu-west-1.es.amazonaws.com",
    "ACCOUNT_ID": "111122223333",
    "DEFAULT_ACCOUNT_ID": "111122223333",
    "DEFAULT_REGION": "eu-west-1",
    "BACKUP_BUCKET": "backup",
    "QUEUE_URL": "https://sqs.eu-west-1.amazonaws.com/111122223333/objects",
}
NOT_OF_EVERY_EVENT = {
    "aws_xray_sdk": "traces are Lambda's own",
    "aws_lambda_powertools.utilities.data_classes": "the batch processor's, of each service",
    "zstandard": "few objects are compressed so",
    "pyarrow": "another function reads Parquet files",
    "servicelogs.formats.": "a type is loaded with its first object",
    "servicelogs.parsing.text.": "so is what reads text",
    "servicelogs.parsing.json.": "or JSON",
    "servicelogs.parsing.messages.": "or log events",
    "servicelogs.opensearch.fitting": "few records are refused",
}


@pytest.fixture(scope="module")
def imported() -> set[str]:
    """Import the function that indexes as a new instance does; return what is then loaded."""
    path = [str(ROOT / "functions" / "index_s3_logs"), *sys.path]
    printed = subprocess.check_output(
        [sys.executable, "-c", "import sys, app; print(*sys.modules)"],
        env={"PYTHONPATH": os.pathsep.join(path), **ENVIRONMENT},
        text=True,
    )
    return set(printed.split())


@pytest.mark.parametrize("name", NOT_OF_EVERY_EVENT)
def test_what_few_events_need_is_not_waited_for(imported: set[str], name: str) -> None:
    assert "servicelogs.opensearch.index_function" in imported
    assert not [module for module in imported if module.startswith(name)], NOT_OF_EVERY_EVENT[name]
