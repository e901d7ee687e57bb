"""Staged copies of log objects: what their metadata says of them, and their bytes ahead of need."""

from __future__ import annotations

from collections import deque
from collections.abc import Generator, Iterable, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from io import BytesIO
from typing import TYPE_CHECKING, Protocol

from botocore.exceptions import BotoCoreError, ClientError

from servicelogs.errors import ObjectGone, ObjectNotConverted, ObjectUnreachable
from servicelogs.lake.copies import source_of
from servicelogs.lake.files import MISSING, Files
from servicelogs.records import Source
from servicelogs.sources.event_notifications import ObjectToRead
from servicelogs.sources.s3_objects import open_object

if TYPE_CHECKING:
    from servicelogs.lake.manifests import StagedObject

# So many objects are asked for before they are needed; of small ones all bytes are fetched.
AHEAD = 8
FETCHED_BYTES = 512 * 1024
_READ_SIZE = 128 * 1024


class Stream(Protocol):
    """The bytes of an object."""

    def read(self, size: int, /) -> bytes:
        """Read at most so many bytes; none at the end."""
        ...

    def close(self) -> None:
        """Give up the rest."""
        ...


@dataclass(frozen=True, slots=True)
class StagedLog:
    """A log object, as it was delivered."""

    source: Source
    key: str
    """What it was called in its bucket."""
    size: int
    stream: Stream


class Staging:
    """The bucket in which copies wait for their conversion."""

    def __init__(self, files: Files) -> None:
        self._s3 = files.s3
        self._bucket = files.bucket

    def key_of(self, staged: StagedObject) -> str:
        """Give what an object was called in its bucket."""
        try:
            answer = self._s3.head_object(Bucket=self._bucket, Key=staged.key)
        except (ClientError, BotoCoreError) as error:
            if isinstance(error, ClientError) and error.response["Error"]["Code"] in MISSING:
                raise self._gone(staged) from error
            raise ObjectUnreachable(f"{self._uri(staged)} cannot be read now: {error}") from error
        return _key(self._source(staged, answer["Metadata"]))

    def opened(self, staged: Iterable[StagedObject]) -> Generator[StagedLog]:
        """Open objects in their order, some before they are needed."""
        opening: deque[Future[StagedLog]] = deque()
        with ThreadPoolExecutor(AHEAD) as pool:
            try:
                for one in staged:
                    opening.append(pool.submit(self._open, one))
                    if len(opening) > AHEAD:
                        yield opening.popleft().result()
                while opening:
                    yield opening.popleft().result()
            finally:
                for future in opening:
                    future.add_done_callback(_give_up)
                    future.cancel()

    def _open(self, staged: StagedObject) -> StagedLog:
        try:
            opened = open_object(self._s3, ObjectToRead(self._bucket, staged.key))
        except ObjectGone as gone:
            raise self._gone(staged) from gone
        source = self._source(staged, opened.metadata)
        stream: Stream = opened.stream
        if opened.size <= FETCHED_BYTES:
            fetched = iter(lambda: opened.stream.read(_READ_SIZE), b"")
            stream = BytesIO(b"".join(fetched))
            opened.stream.close()
        return StagedLog(source, _key(source), opened.size, stream)

    def _source(self, staged: StagedObject, metadata: Mapping[str, str]) -> Source:
        try:
            return source_of(metadata, staged.id)
        except (KeyError, ValueError) as error:
            raise ObjectNotConverted(
                f"{self._uri(staged)} does not say where it comes from ({error!r}): only "
                "stage_logs may write there; remove it, and send the log object again"
            ) from error

    def _gone(self, staged: StagedObject) -> ObjectNotConverted:
        return ObjectNotConverted(
            f"{self._uri(staged)} is not there any more: send the log object again, and let "
            "nothing but the lake's functions delete there"
        )

    def _uri(self, staged: StagedObject) -> str:
        return f"s3://{self._bucket}/{staged.key}"


def _key(source: Source) -> str:
    return source.uri.removeprefix("s3://").partition("/")[2]


def _give_up(opening: Future[StagedLog]) -> None:
    if not opening.cancelled() and not opening.exception():
        opening.result().stream.close()
