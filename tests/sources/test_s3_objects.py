"""An object's bytes come whole or not at all, and its identity is that of these bytes."""

import gzip
from typing import Any

import pytest
from botocore.exceptions import IncompleteReadError, ReadTimeoutError

from servicelogs.errors import ObjectGone, ObjectUnreachable
from servicelogs.sources.event_notifications import ObjectToRead
from servicelogs.sources.s3_objects import identify, open_object
from tests.deployment import LOGS, Deployment

CONTENT = bytes(range(256)) * 4000


class DroppedConnection:
    """A body whose connection breaks after some bytes."""

    def __init__(self, body: Any, size: int, error: Exception | None) -> None:
        self._body = body
        self._left = size
        self._error = error

    def read(self, size: int) -> bytes:
        if self._left:
            piece = self._body.read(min(size, self._left))
            self._left -= len(piece)
            return piece
        if self._error:
            raise self._error
        return b""

    def close(self) -> None:
        self._body.close()


def drop(monkeypatch: pytest.MonkeyPatch, s3: Any, error: Exception | None, every: int) -> None:
    get_object = s3.get_object

    def answer(**arguments: Any) -> Any:
        response = get_object(**arguments)
        return response | {"Body": DroppedConnection(response["Body"], every, error)}

    monkeypatch.setattr(s3, "get_object", answer)


def read_all(deployment: Deployment) -> bytes:
    stream = open_object(deployment.s3, ObjectToRead(LOGS, "a")).stream
    return b"".join(iter(lambda: stream.read(100_000), b""))


@pytest.mark.parametrize(
    "error",
    [
        ReadTimeoutError(endpoint_url="s3"),
        IncompleteReadError(actual_bytes=1, expected_bytes=2),
        None,
    ],
)
def test_a_dropped_connection_is_taken_up_where_it_broke(deployment, monkeypatch, error):
    deployment.s3.put_object(Bucket=LOGS, Key="a", Body=CONTENT)
    drop(monkeypatch, deployment.s3, error, every=300_000)

    assert read_all(deployment) == CONTENT


def test_a_connection_that_drops_again_and_again_is_no_end_of_the_object(deployment, monkeypatch):
    deployment.s3.put_object(Bucket=LOGS, Key="a", Body=CONTENT)
    drop(monkeypatch, deployment.s3, None, every=1000)

    with pytest.raises(ObjectUnreachable, match="cannot be read now"):
        read_all(deployment)


def test_an_object_replaced_while_it_is_read_is_not_read_on(deployment, monkeypatch):
    deployment.s3.put_object(Bucket=LOGS, Key="a", Body=CONTENT)
    drop(monkeypatch, deployment.s3, None, every=300_000)
    stream = open_object(deployment.s3, ObjectToRead(LOGS, "a")).stream
    stream.read(300_000)
    deployment.s3.put_object(Bucket=LOGS, Key="a", Body=CONTENT[::-1])

    with pytest.raises(ObjectUnreachable):
        stream.read(300_000)


def test_identity_follows_bucket_key_and_bytes_but_not_the_message(deployment):
    def identity(key: str, content: bytes, etag: str = "") -> str:
        deployment.s3.put_object(Bucket=LOGS, Key=key, Body=content)
        return open_object(deployment.s3, ObjectToRead(LOGS, key, etag=etag)).source.id

    first = identity("a", b"one")
    assert len(first) == 16
    assert identity("a", b"one", etag="said by the message") == first
    assert identity("a", b"two") != first
    assert identity("b", b"one") != first


def test_identity_is_the_same_in_every_release():
    # It is part of every `_id` in users' indexes: a change would index each object again.
    assert identify("log-archive", "a/b.log.gz", "0123456789abcdef") == "B0UGqyMasK-vIsps"


def test_delivery_is_when_the_object_was_written(deployment):
    deployment.s3.put_object(Bucket=LOGS, Key="a", Body=gzip.compress(b"text"))
    written = deployment.s3.head_object(Bucket=LOGS, Key="a")["LastModified"]

    assert open_object(deployment.s3, ObjectToRead(LOGS, "a")).source.delivered == written


def test_a_missing_bucket_is_not_taken_for_a_deleted_object(deployment):
    with pytest.raises(ObjectUnreachable, match="no-such-bucket"):
        open_object(deployment.s3, ObjectToRead("no-such-bucket", "a"))


def test_a_deleted_object_is_gone(deployment):
    with pytest.raises(ObjectGone):
        open_object(deployment.s3, ObjectToRead(LOGS, "deleted"))
