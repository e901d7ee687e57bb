"""What is in a bucket already goes through the deployed pipelines again, with IAM enforced."""

import gzip
import json
import time
import uuid
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from opensearchpy import OpenSearch

from local.lake import Lake
from tests.end_to_end.conftest import Running
from tests.end_to_end.test_faults import alb_key, lines

pytestmark = [pytest.mark.end_to_end, pytest.mark.timeout(240)]

SECONDS = 90
RECORDS = 20


def wait_for(what: Callable[[], Any], says: str) -> Any:
    give_up = time.monotonic() + SECONDS
    while not (found := what()):
        assert time.monotonic() < give_up, says
        time.sleep(0.2)
    return found


class Archive:
    """An object of the log bucket whose last record is rejected, under a prefix of its own."""

    def __init__(self, running: Running, folder: Path) -> None:
        self.lake = Lake(running.stack, folder)
        self.search = OpenSearch(running.stack.opensearch_endpoint, timeout=60)
        self.bucket = running.stack.outputs["LogBucketName"]
        self.backup = running.stack.outputs["BackupBucketName"]
        self.prefix = f"{uuid.uuid4().hex[:8]}/"
        self.key = self.prefix + alb_key()
        data = gzip.compress(lines(RECORDS) + b"this is no line\n")
        self.lake.s3.put_object(Bucket=self.bucket, Key=self.key, Body=data)

    def query(self) -> dict[str, Any]:
        return {"query": {"term": {"log.source": f"s3://{self.bucket}/{self.key}"}}}

    def is_indexed(self) -> bool:
        self.search.indices.refresh(index="*")
        return bool(self.search.count(index="*", body=self.query())["count"] == RECORDS)

    def rejects(self) -> list[str]:
        """Give the keys of the files with its rejects."""
        pages = self.lake.s3.get_paginator("list_objects_v2").paginate(
            Bucket=self.backup, Prefix="rejected/alb/"
        )
        keys = [one["Key"] for page in pages for one in page.get("Contents", [])]
        return [key for key in keys if self.key in self._text(key)]

    def _text(self, key: str) -> str:
        body = self.lake.s3.get_object(Bucket=self.backup, Key=key)["Body"].read()
        return gzip.decompress(body).decode()

    def wait(self) -> str:
        """Wait until all of it is delivered; give the key of its rejects."""
        wait_for(self.is_indexed, "not all records are indexed")
        (key,) = wait_for(self.rejects, "no record is rejected")
        return str(key)

    def lose_documents(self) -> None:
        self.search.delete_by_query(index="*", body=self.query(), params={"refresh": "true"})
        assert not self.is_indexed()

    def enqueue(self, **asked: str) -> dict[str, Any]:
        """Run the state machine to its good end; give how far it came."""
        run = self.lake.start("EnqueueObjectsArn", **asked)
        ended = self.lake.wait(run)
        assert ended.status == "SUCCEEDED", ended
        answer = self.lake.machines.describe_execution(executionArn=run)
        found: dict[str, Any] = json.loads(answer["output"])
        return found


def test_what_a_prefix_holds_and_what_was_rejected_is_sent_again_and_is_there_once(
    running: Running, tmp_path: Path
) -> None:
    archive = Archive(running, tmp_path)
    rejects = archive.wait()

    archive.lose_documents()
    archive.lake.s3.delete_object(Bucket=archive.backup, Key=rejects)
    done = archive.enqueue(bucket=archive.bucket, prefix=archive.prefix)
    assert (done["listed"], done["sent"], done["more"]) == (1, 2, False)
    assert archive.wait() == rejects

    archive.lose_documents()
    done = archive.enqueue(bucket=archive.backup, prefix=rejects)
    assert (done["listed"], done["sent"], done["more"]) == (1, 1, False)
    assert archive.wait() == rejects


def test_a_bucket_that_is_not_this_deployments_fails_the_run(
    running: Running, tmp_path: Path
) -> None:
    lake = Lake(running.stack, tmp_path)
    ended = lake.wait(lake.start("EnqueueObjectsArn", bucket="somebody-elses"))

    assert (ended.status, ended.reason.split(":")[0]) == ("FAILED", "NotAllEnqueued")
