"""The handler `functions/index_s3_logs` in this process, between a bucket and an engine in memory.

The bucket gives objects from memory; the engine answers at once that it created each document,
through the whole client but for its socket. So what is measured is all that the function does from
an event to a request that is ready to be sent.
"""

import hashlib
import importlib.util
import io
import json
import os
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from functools import cache
from itertools import batched
from pathlib import Path
from typing import Any

from botocore.exceptions import ClientError
from isal import igzip
from urllib3 import BaseHTTPResponse, HTTPHeaderDict, HTTPResponse

from local.sample_logs import objects
from servicelogs import formats
from servicelogs.opensearch.mappings import version

APP = Path(__file__).parents[2] / "functions" / "index_s3_logs" / "app.py"
ENVIRONMENT = {
    "AWS_ACCESS_KEY_ID": "none",
    "AWS_REGION": "eu-west-1",
    "AWS_DEFAULT_REGION": "eu-west-1",
    "AWS_SECRET_ACCESS_KEY": "none",
    "ACCOUNT_ID": "111122223333",
    "DEFAULT_ACCOUNT_ID": "111122223333",
    "DEFAULT_REGION": "eu-west-1",
    "BACKUP_BUCKET": "backup",
    "INDEX_PREFIX": "aws",
    "OPENSEARCH_AUTH": "none",
    "OPENSEARCH_ENDPOINT": "http://127.0.0.1:9200",
    "POWERTOOLS_LOG_LEVEL": "ERROR",
    "POWERTOOLS_METRICS_NAMESPACE": "ServiceLogs",
    "POWERTOOLS_SERVICE_NAME": "index_s3_logs",
    "QUEUE_URL": "https://sqs.eu-west-1.amazonaws.com/111122223333/queue",
}
_DELIVERED = datetime(2026, 11, 20, 9, tzinfo=UTC)


class Bucket:
    """What of an S3 client the function uses to read."""

    def __init__(self) -> None:
        self.objects: dict[str, bytes] = {}

    def get_object(self, *, Bucket: str, Key: str, **_: str) -> dict[str, Any]:  # noqa: N803
        if Key not in self.objects:  # as the rejects of objects that have none
            raise ClientError({"Error": {"Code": "NoSuchKey", "Message": Key}}, "GetObject")
        data = self.objects[Key]
        return {
            "Body": io.BytesIO(data),
            "ContentLength": len(data),
            "ETag": f'"{hashlib.md5(data, usedforsecurity=False).hexdigest()}"',
            "LastModified": _DELIVERED,
            "Metadata": {},
        }


class Engine:
    """What of a connection pool the client uses: it counts documents and has created each."""

    def __init__(self) -> None:
        self.documents = 0
        self.seconds = 0.0
        """The CPU that it took itself, which is none of the function's."""

    def urlopen(self, method: str, url: str, body: bytes | None, **_: object) -> BaseHTTPResponse:
        """Answer as the engine does when everything goes well."""
        start = time.process_time()
        answer = io.BytesIO(self._answer(method, url, body))
        self.seconds += time.process_time() - start
        return HTTPResponse(answer, HTTPHeaderDict({"content-type": "application/json"}), 200)

    def _answer(self, method: str, url: str, body: bytes | None) -> bytes:
        if url.startswith("/_index_template/"):
            name = url.removeprefix("/_index_template/aws-").partition("?")[0].replace("-", "_")
            meta = {"_meta": {"version": version(formats.get(name))}}
            return json.dumps({"index_templates": [{"index_template": meta}]}).encode()
        if (method, url.partition("?")[0]) != ("POST", "/_bulk") or body is None:
            raise ValueError(f"nobody answers {method} {url}")
        documents = igzip.decompress(body).count(b"\n") // 2
        self.documents += documents
        items = ",".join(['{"create":{"status":201}}'] * documents)
        return b'{"items":[%b]}' % items.encode()


class Handler:
    """The function's module, loaded as Lambda loads it."""

    def __init__(self) -> None:
        spec = importlib.util.spec_from_file_location("index_s3_logs", APP)
        if spec is None or spec.loader is None:
            raise ImportError(f"{APP} cannot be loaded")
        self._module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(self._module)
        self._bucket, self._engine = Bucket(), Engine()
        function = self._module.function
        function.s3 = self._bucket
        function.opensearch.transport.get_connection().pool = self._engine

    def seconds(self, name: str, texts: Sequence[bytes], documents: int) -> float:
        """Index objects of a log type, ten to an invocation; give the CPU seconds it took.

        A ValueError if so many documents were not sent.
        """
        keys = [f"{number}/{_key_of(name)}" for number in range(len(texts))]
        self._bucket.objects = dict(zip(keys, texts, strict=True))
        engine = self._engine
        engine.documents, engine.seconds = 0, 0.0
        events = [{"Records": [*map(_message, some)]} for some in batched(keys, 10, strict=False)]
        start = time.process_time()
        answers = [self._module.lambda_handler(event, _Context()) for event in events]
        seconds = time.process_time() - start - engine.seconds
        if engine.documents != documents:
            raise ValueError(f"{engine.documents} documents of {documents} were sent: {answers}")
        return seconds


@cache
def _key_of(name: str) -> str:
    return next(sample.key for sample in objects() if sample.format == name)


@contextmanager
def loaded() -> Iterator[Handler]:
    """Load the handler, in its environment for as long as it is used."""
    before = dict(os.environ)
    os.environ.update(ENVIRONMENT)
    try:
        yield Handler()
    finally:
        os.environ.clear()
        os.environ.update(before)


class _Context:
    """What Lambda says to a function of its invocation."""

    function_name = "index_s3_logs"
    memory_limit_in_mb = 1769
    invoked_function_arn = "arn:aws:lambda:eu-west-1:111122223333:function:index_s3_logs"
    aws_request_id = "0f1e2d3c"

    def get_remaining_time_in_millis(self) -> int:
        return 300_000


def _message(key: str) -> dict[str, Any]:
    record = {
        "eventSource": "aws:s3",
        "eventName": "ObjectCreated:Put",
        "eventVersion": "2.1",
        "s3": {"bucket": {"name": "logs"}, "object": {"key": key, "size": 1, "eTag": "e"}},
    }
    return {
        "messageId": key,
        "receiptHandle": "r",
        "body": json.dumps({"Records": [record]}),
        "attributes": {"ApproximateReceiveCount": "1", "SentTimestamp": "1795162495000"},
        "messageAttributes": {},
        "eventSource": "aws:sqs",
        "eventSourceARN": "arn:aws:sqs:eu-west-1:111122223333:queue",
        "awsRegion": "eu-west-1",
    }
