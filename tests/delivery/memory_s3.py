"""A bucket in memory that keeps S3's promises about conditional writes, for tests by the thousand.

`tests/delivery/test_backup_bucket.py` holds the same code against moto.
"""

import hashlib
import io
from dataclasses import dataclass, field
from typing import IO, Any

from botocore.exceptions import ClientError


@dataclass
class MemoryS3:
    """What of an S3 client the backup bucket uses."""

    objects: dict[str, bytes] = field(default_factory=dict)

    def get_object(self, *, Bucket: str, Key: str) -> dict[str, Any]:  # noqa: N803 - boto3's names
        self._refuse(Key not in self.objects, "NoSuchKey", "GetObject")
        return {"ETag": self._etag(Key), "Body": io.BytesIO(self.objects[Key])}

    def put_object(
        self,
        *,
        Bucket: str,  # noqa: N803 - boto3's names
        Key: str,  # noqa: N803
        Body: IO[bytes],  # noqa: N803
        ContentType: str,  # noqa: N803
        IfMatch: str = "",  # noqa: N803
        IfNoneMatch: str = "",  # noqa: N803
    ) -> None:
        there = Key in self.objects
        self._refuse(bool(IfMatch) and not there, "NoSuchKey", "PutObject")
        overtaken = (IfMatch and IfMatch != self._etag(Key)) or (IfNoneMatch and there)
        self._refuse(bool(overtaken), "PreconditionFailed", "PutObject")
        self.objects[Key] = Body.read()

    def delete_object(self, *, Bucket: str, Key: str, IfMatch: str) -> None:  # noqa: N803
        self._refuse(Key not in self.objects, "NoSuchKey", "DeleteObject")
        self._refuse(IfMatch != self._etag(Key), "PreconditionFailed", "DeleteObject")
        del self.objects[Key]

    def _etag(self, key: str) -> str:
        return f'"{hashlib.md5(self.objects[key]).hexdigest()}"'

    def _refuse(self, refused: bool, code: str, operation: str) -> None:
        if refused:
            raise ClientError({"Error": {"Code": code, "Message": code}}, operation)
