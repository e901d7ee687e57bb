"""S3, DynamoDB and Glue in memory, as far as the lake uses them: for tests by the thousand.

`test_memory_aws.py` holds the same calls against moto. Each call is one step, which a test may end
the process before or after: `on_call` is called then.
"""

from __future__ import annotations

import copy
import hashlib
import io
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Self

from boto3.dynamodb.types import TypeDeserializer
from botocore.exceptions import ClientError

type Key = tuple[str, str]

_value = TypeDeserializer().deserialize


def error(code: str, operation: str, **more: Any) -> ClientError:
    return ClientError({"Error": {"Code": code, "Message": code}, **more}, operation)


@dataclass
class Stored:
    """An object of a bucket."""

    body: bytes
    metadata: dict[str, str]
    modified: datetime

    @property
    def etag(self) -> str:
        return f'"{hashlib.md5(self.body).hexdigest()}"'


@dataclass
class MemoryAws:
    """What all three hold, and what is told of each call."""

    objects: dict[Key, Stored] = field(default_factory=dict)
    items: dict[Key, dict[str, Any]] = field(default_factory=dict)
    partitions: dict[str, dict[tuple[str, ...], dict[str, Any]]] = field(default_factory=dict)
    uploads: dict[str, tuple[dict[str, str], dict[int, bytes]]] = field(default_factory=dict)
    owners: dict[str, str] = field(default_factory=dict)
    """The accounts of buckets that are somebody's; any other is whose it is expected to be."""
    now: Callable[[], float] = lambda: datetime.now(UTC).timestamp()
    on_call: Callable[[str, bool], None] = lambda _operation, _before: None

    def snapshot(self) -> Any:
        return copy.deepcopy((self.objects, self.items, self.partitions))

    def restore(self, snapshot: Any) -> None:
        self.objects, self.items, self.partitions = copy.deepcopy(snapshot)


class Client:
    """A client whose every method is a call."""

    def __init__(self, aws: MemoryAws) -> None:
        self._aws = aws

    def __getattribute__(self, name: str) -> Any:
        found = object.__getattribute__(self, name)
        if name.startswith("_") or name == "get_paginator":
            return found

        def called(**parameters: Any) -> Any:
            self._aws.on_call(name, True)
            answer = found(**parameters)
            self._aws.on_call(name, False)
            return answer

        return called


# boto3's names are the names here.
# ruff: noqa: N803
class MemoryS3(Client):
    """What of an S3 client the lake uses."""

    def create_bucket(self, *, Bucket: str) -> None:
        pass

    def head_object(
        self, *, Bucket: str, Key: str, ExpectedBucketOwner: str = ""
    ) -> dict[str, Any]:
        self._check_owner(Bucket, ExpectedBucketOwner, "HeadObject", "403")
        found = self._find(Bucket, Key, "HeadObject", "404")
        return {
            "ETag": found.etag,
            "ContentLength": len(found.body),
            "LastModified": found.modified,
            "Metadata": dict(found.metadata),
        }

    def get_object(self, *, Bucket: str, Key: str) -> dict[str, Any]:
        found = self._find(Bucket, Key, "GetObject")
        return {"Body": io.BytesIO(found.body), "Metadata": dict(found.metadata)}

    def put_object(
        self,
        *,
        Bucket: str,
        Key: str,
        Body: bytes,
        IfNoneMatch: str = "",
        ContentType: str = "",
    ) -> None:
        if IfNoneMatch and (Bucket, Key) in self._aws.objects:
            raise error("PreconditionFailed", "PutObject")
        self._store(Bucket, Key, Body, {})

    def copy_object(
        self,
        *,
        Bucket: str,
        Key: str,
        CopySource: dict[str, str],
        CopySourceIfMatch: str = "",
        MetadataDirective: str = "COPY",
        TaggingDirective: str = "COPY",
        Metadata: dict[str, str] | None = None,
        ExpectedSourceBucketOwner: str = "",
    ) -> None:
        self._check_owner(CopySource["Bucket"], ExpectedSourceBucketOwner, "CopyObject")
        found = self._find(CopySource["Bucket"], CopySource["Key"], "CopyObject")
        if CopySourceIfMatch and CopySourceIfMatch != found.etag.strip('"'):
            raise error("PreconditionFailed", "CopyObject")
        metadata = found.metadata if MetadataDirective == "COPY" else (Metadata or {})
        self._store(Bucket, Key, found.body, metadata)

    def create_multipart_upload(
        self, *, Bucket: str, Key: str, Metadata: dict[str, str]
    ) -> dict[str, str]:
        upload = f"upload-{len(self._aws.uploads)}"
        self._aws.uploads[upload] = (Metadata, {})
        return {"UploadId": upload}

    def upload_part_copy(
        self,
        *,
        Bucket: str,
        Key: str,
        UploadId: str,
        PartNumber: int,
        CopySource: dict[str, str],
        CopySourceIfMatch: str,
        CopySourceRange: str,
        ExpectedSourceBucketOwner: str = "",
    ) -> dict[str, Any]:
        self._check_owner(CopySource["Bucket"], ExpectedSourceBucketOwner, "UploadPartCopy")
        found = self._find(CopySource["Bucket"], CopySource["Key"], "UploadPartCopy")
        if CopySourceIfMatch != found.etag.strip('"'):
            raise error("PreconditionFailed", "UploadPartCopy")
        first, last = map(int, CopySourceRange.removeprefix("bytes=").split("-"))
        self._aws.uploads[UploadId][1][PartNumber] = found.body[first : last + 1]
        return {"CopyPartResult": {"ETag": "part"}}

    def complete_multipart_upload(
        self, *, Bucket: str, Key: str, UploadId: str, MultipartUpload: dict[str, Any]
    ) -> None:
        metadata, parts = self._aws.uploads.pop(UploadId)
        numbers = [part["PartNumber"] for part in MultipartUpload["Parts"]]
        self._store(Bucket, Key, b"".join(parts[number] for number in numbers), metadata)

    def abort_multipart_upload(self, *, Bucket: str, Key: str, UploadId: str) -> None:
        del self._aws.uploads[UploadId]

    def delete_objects(self, *, Bucket: str, Delete: dict[str, Any]) -> dict[str, Any]:
        for one in Delete["Objects"]:
            self._aws.objects.pop((Bucket, one["Key"]), None)
        return {}

    def list_objects_v2(
        self, *, Bucket: str, Prefix: str = "", Delimiter: str = ""
    ) -> dict[str, Any]:
        contents, folders = [], {}
        for (bucket, key), stored in sorted(self._aws.objects.items()):
            if bucket != Bucket or not key.startswith(Prefix):
                continue
            folder, slash, _ = key.removeprefix(Prefix).partition(Delimiter or "\0")
            if slash:
                folders[f"{Prefix}{folder}{slash}"] = True
            else:
                about = {"Size": len(stored.body), "LastModified": stored.modified}
                contents.append({"Key": key, "ETag": stored.etag, **about})
        return {"Contents": contents, "CommonPrefixes": [{"Prefix": one} for one in folders]}

    def get_paginator(self, operation: str) -> Pages:
        return Pages(getattr(self, operation))

    def _check_owner(
        self, bucket: str, expected: str, operation: str, code: str = "AccessDenied"
    ) -> None:
        if expected and expected != self._aws.owners.get(bucket, expected):
            raise error(code, operation)

    def _find(self, bucket: str, key: str, operation: str, code: str = "NoSuchKey") -> Stored:
        if (bucket, key) not in self._aws.objects:
            raise error(code, operation)
        return self._aws.objects[bucket, key]

    def _store(self, bucket: str, key: str, body: bytes, metadata: dict[str, str]) -> None:
        now = datetime.fromtimestamp(int(self._aws.now()), UTC)
        self._aws.objects[bucket, key] = Stored(bytes(body), dict(metadata), now)


@dataclass
class Pages:
    """All pages in one."""

    call: Callable[..., dict[str, Any]]

    def paginate(self, **parameters: Any) -> Iterator[dict[str, Any]]:
        yield self.call(**parameters)


class MemoryDynamoDb(Client):
    """What of a DynamoDB client the lake uses, with the expressions that it writes."""

    def create_table(self, **_: Any) -> None:
        pass

    def get_item(self, *, TableName: str, Key: Any, ConsistentRead: bool) -> dict[str, Any]:
        assert ConsistentRead
        found = self._aws.items.get(self._key(Key))
        return {"Item": dict(found)} if found else {}

    def batch_get_item(self, *, RequestItems: Any) -> dict[str, Any]:
        ((table, request),) = RequestItems.items()
        assert request["ConsistentRead"]
        assert 0 < len(request["Keys"]) <= 100
        found = (self._aws.items.get(self._key(key)) for key in request["Keys"])
        return {"Responses": {table: [dict(item) for item in found if item]}}

    def query(
        self,
        *,
        TableName: str,
        KeyConditionExpression: str,
        ExpressionAttributeNames: Any,
        ExpressionAttributeValues: Any,
        ConsistentRead: bool,
        Limit: int = 0,
    ) -> dict[str, Any]:
        assert ConsistentRead
        pk = ExpressionAttributeValues[":pk"]["S"]
        begins_with = ExpressionAttributeValues.get(":sk", {"S": ""})["S"]
        found = [
            dict(item)
            for key, item in sorted(self._aws.items.items())
            if key[0] == pk and key[1].startswith(begins_with)
        ]
        return {"Items": found[: Limit or None]}

    def put_item(self, **request: Any) -> None:
        self._write_one({"Put": request})

    def update_item(self, **request: Any) -> None:
        self._write_one({"Update": request})

    def delete_item(self, **request: Any) -> None:
        self._write_one({"Delete": request})

    def transact_write_items(self, *, TransactItems: Any) -> None:
        keys = [self._key_of(write) for write in TransactItems]
        assert len(set(keys)) == len(keys) <= 100
        holds = [self._holds(write) for write in TransactItems]
        if not all(holds):
            reasons = [{"Code": "None" if one else "ConditionalCheckFailed"} for one in holds]
            raise error(
                "TransactionCanceledException", "TransactWriteItems", CancellationReasons=reasons
            )
        for write in TransactItems:
            self._write(write)

    def _write_one(self, write: Any) -> None:
        if not self._holds(write):
            raise error("ConditionalCheckFailedException", "Write")
        self._write(write)

    def _key(self, key: Any) -> Key:
        return key["pk"]["S"], key["sk"]["S"]

    def _key_of(self, write: Any) -> Key:
        ((_, request),) = write.items()
        return self._key(request.get("Key") or request["Item"])

    def _holds(self, write: Any) -> bool:
        ((_, request),) = write.items()
        item = self._aws.items.get(self._key_of(write), {})
        names, values = (
            request.get(f"ExpressionAttribute{kind}", {}) for kind in ("Names", "Values")
        )
        for term in filter(None, request.get("ConditionExpression", "").split(" AND ")):
            if missing := re.fullmatch(r"attribute_not_exists\((#\w+)\)", term):
                if names[missing[1]] in item:
                    return False
            else:
                name, value = term.split(" = ")
                if item.get(names[name]) != values[value]:
                    return False
        return True

    def _write(self, write: Any) -> None:
        ((kind, request),) = write.items()
        key = self._key_of(write)
        if kind == "Put":
            self._aws.items[key] = dict(request["Item"])
        elif kind == "Delete":
            self._aws.items.pop(key, None)
        elif kind == "Update":
            item = self._aws.items.setdefault(key, dict(request["Key"]))
            self._update(item, request)

    def _update(self, item: dict[str, Any], request: Any) -> None:
        names, values = (
            request["ExpressionAttributeNames"],
            request.get("ExpressionAttributeValues", {}),
        )
        clauses = re.split(r"\b(SET|REMOVE|ADD) ", request["UpdateExpression"])[1:]
        for verb, terms in zip(clauses[::2], clauses[1::2], strict=True):
            for term in terms.strip().split(", "):
                name, *value = term.replace(" = ", " ").split(" ")
                if verb == "REMOVE":
                    item.pop(names[name], None)
                elif verb == "SET":
                    item[names[name]] = values[value[0]]
                else:
                    before = set(item.get(names[name], {"SS": []})["SS"])
                    item[names[name]] = {"SS": sorted(before | set(values[value[0]]["SS"]))}


class MemoryGlue(Client):
    """What of a Glue client the lake uses."""

    def create_database(self, **_: Any) -> None:
        pass

    def create_table(self, *, DatabaseName: str, TableInput: dict[str, Any]) -> None:
        self._aws.partitions[TableInput["Name"]] = {}

    def get_partitions(self, *, DatabaseName: str, TableName: str) -> dict[str, Any]:
        return {"Partitions": [*self._table(TableName).values()]}

    def batch_get_partition(
        self, *, DatabaseName: str, TableName: str, PartitionsToGet: Any
    ) -> dict[str, Any]:
        assert 0 < len(PartitionsToGet) <= 1000
        table = self._table(TableName)
        found = {tuple(one["Values"]): table.get(tuple(one["Values"])) for one in PartitionsToGet}
        missing = [{"Values": [*values]} for values, one in found.items() if not one]
        # "For which partitions were not returned": moto leaves those out that are not there.
        return {"Partitions": [*filter(None, found.values())], "UnprocessedKeys": missing}

    def batch_create_partition(
        self, *, DatabaseName: str, TableName: str, PartitionInputList: Any
    ) -> dict[str, Any]:
        assert 0 < len(PartitionInputList) <= 100
        errors = []
        for one in PartitionInputList:
            values = tuple(one["Values"])
            if values in self._table(TableName):
                detail = {"ErrorCode": "AlreadyExistsException", "ErrorMessage": "it is there"}
                errors.append({"PartitionValues": one["Values"], "ErrorDetail": detail})
            else:
                self._table(TableName)[values] = one
        return {"Errors": errors}

    def batch_update_partition(
        self, *, DatabaseName: str, TableName: str, Entries: Any
    ) -> dict[str, Any]:
        assert 0 < len(Entries) <= 100
        errors = []
        for one in Entries:
            values = tuple(one["PartitionValueList"])
            if values in self._table(TableName):
                self._table(TableName)[values] = one["PartitionInput"]
            else:
                detail = {"ErrorCode": "EntityNotFoundException", "ErrorMessage": "it is not there"}
                values_ = one["PartitionValueList"]
                errors.append({"PartitionValueList": values_, "ErrorDetail": detail})
        return {"Errors": errors}

    def delete_partition(
        self, *, DatabaseName: str, TableName: str, PartitionValues: list[str]
    ) -> None:
        if not self._table(TableName).pop(tuple(PartitionValues), None):
            raise error("EntityNotFoundException", "DeletePartition")

    def _table(self, name: str) -> dict[tuple[str, ...], dict[str, Any]]:
        if name not in self._aws.partitions:
            raise error("EntityNotFoundException", "Glue")
        return self._aws.partitions[name]


@dataclass
class OneAtATime:
    """Stands for a pool of threads: the order of calls is always the same."""

    workers: int

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        pass

    def map[T, R](self, work: Callable[[T], R], items: Any) -> Iterator[R]:
        return map(work, items)
