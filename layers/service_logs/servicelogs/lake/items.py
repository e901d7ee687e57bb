"""The ledger's table in DynamoDB: items are read as they are now, and written on conditions.

What is written together is one transaction; a condition names the values that attributes must have.
https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_TransactWriteItems.html
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from itertools import batched
from typing import TYPE_CHECKING, Any, Literal

from boto3.dynamodb.types import TypeDeserializer, TypeSerializer
from botocore.exceptions import ClientError

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

type Item = dict[str, Any]
type Key = tuple[str, str]

MOST_WRITES = 100
"""The most items that one transaction takes."""
_MOST_READ = 100
TRIES = 10
LONGEST_WAIT_SECONDS = 2.0
# Two transactions meet at an item, or the table is throttled: the same write may pass at once.
_TRY_AGAIN = {
    "TransactionConflict",
    "TransactionConflictException",
    "TransactionInProgressException",
    "ThrottlingError",
    "ProvisionedThroughputExceeded",
}
_CONDITION = {"ConditionalCheckFailed", "ConditionalCheckFailedException"}

_write_value = TypeSerializer().serialize
_read_value = TypeDeserializer().deserialize


class ConditionFailed(Exception):
    """A condition of these writes does not hold, so that none of them was carried out."""

    def __init__(self, failed: frozenset[int]) -> None:
        """Name the writes whose conditions did not hold, by their places."""
        super().__init__(f"conditions failed: {sorted(failed)}")
        self.failed = failed


@dataclass(frozen=True, slots=True)
class Write:
    """A change of one item, or a condition on it."""

    kind: Literal["Put", "Update", "Delete", "ConditionCheck"]
    request: Mapping[str, Any]


def put(key: Key, values: Mapping[str, Any], **when: Any) -> Write:
    """Write a whole item."""
    item = {"pk": key[0], "sk": key[1]} | {k: v for k, v in values.items() if v is not None}
    names, found, condition = _condition(when)
    return Write("Put", {"Item": _attributes(item), **_expression(names, found, condition)})


def put_new(key: Key, values: Mapping[str, Any]) -> Write:
    """Write a whole item, if there is none with this key."""
    return put(key, values, pk=None)


def update(
    key: Key,
    values: Mapping[str, Any],
    *,
    add: Mapping[str, set[str]] | None = None,
    **when: Any,
) -> Write:
    """Set attributes of an item, or remove those whose value is None; add to sets."""
    names, found, condition = _condition(when)
    clauses: dict[str, list[str]] = {}
    for name, value in [*values.items(), *(add or {}).items()]:
        names[f"#{name}"] = name
        if value is None:
            clauses.setdefault("REMOVE", []).append(f"#{name}")
            continue
        found[f":{name}"] = value
        if name in values:
            clauses.setdefault("SET", []).append(f"#{name} = :{name}")
        else:
            clauses.setdefault("ADD", []).append(f"#{name} :{name}")
    expression = " ".join(f"{verb} {', '.join(terms)}" for verb, terms in clauses.items())
    return Write(
        "Update",
        {
            "Key": _key(key),
            "UpdateExpression": expression,
            **_expression(names, found, condition),
        },
    )


def delete(key: Key, **when: Any) -> Write:
    """Delete an item."""
    return Write("Delete", {"Key": _key(key), **_expression(*_condition(when))})


def check(key: Key, **when: Any) -> Write:
    """Refuse what is written together with it, unless the item's attributes have these values."""
    return Write("ConditionCheck", {"Key": _key(key), **_expression(*_condition(when))})


class Items:
    """The items of one table."""

    def __init__(
        self, dynamodb: DynamoDBClient, table: str, sleep: Callable[[float], None] = time.sleep
    ) -> None:
        self._dynamodb = dynamodb
        self._table = table
        self._sleep = sleep

    def get(self, key: Key) -> Item | None:
        """Read an item; None if there is none."""
        answer = self._dynamodb.get_item(TableName=self._table, Key=_key(key), ConsistentRead=True)
        return _values(answer["Item"]) if "Item" in answer else None

    def get_many(self, keys: Iterable[Key]) -> Iterator[Item]:
        """Read those of these items that there are, in any order."""
        for group in batched(dict.fromkeys(keys), _MOST_READ, strict=False):
            wanted = [_key(key) for key in group]
            for attempt in range(TRIES):
                answer = self._dynamodb.batch_get_item(
                    RequestItems={self._table: {"Keys": wanted, "ConsistentRead": True}}
                )
                yield from map(_values, answer["Responses"].get(self._table, []))
                left = answer.get("UnprocessedKeys", {}).get(self._table)
                if not left:
                    break
                wanted = left["Keys"]
                self._wait(attempt)
            else:
                raise TimeoutError(f"{self._table} is throttled: {len(wanted)} items were not read")

    def query(self, pk: str, begins_with: str = "", limit: int | None = None) -> Iterator[Item]:
        """Read the items of one `pk`, in the order of their `sk`, which begin so."""
        names, values = {"#pk": "pk"}, {":pk": pk}
        condition = "#pk = :pk"
        if begins_with:
            names["#sk"], values[":sk"] = "sk", begins_with
            condition += " AND begins_with(#sk, :sk)"
        request: dict[str, Any] = {
            "TableName": self._table,
            "KeyConditionExpression": condition,
            "ExpressionAttributeNames": names,
            "ExpressionAttributeValues": _attributes(values),
            "ConsistentRead": True,
        }
        if limit:
            request["Limit"] = limit
        while True:
            answer = self._dynamodb.query(**request)
            yield from map(_values, answer["Items"])
            if limit or "LastEvaluatedKey" not in answer:
                return
            request["ExclusiveStartKey"] = answer["LastEvaluatedKey"]

    def scan(self, begins_with: str) -> Iterator[Item]:
        """Read all items whose `pk` begins so, in any order; the whole table is read for it."""
        request: dict[str, Any] = {
            "TableName": self._table,
            "FilterExpression": "begins_with(#pk, :pk)",
            "ExpressionAttributeNames": {"#pk": "pk"},
            "ExpressionAttributeValues": _attributes({":pk": begins_with}),
            "ConsistentRead": True,
        }
        pages = self._dynamodb.get_paginator("scan").paginate(**request)
        yield from (_values(item) for page in pages for item in page["Items"])

    def write(self, *writes: Write) -> None:
        """Carry out writes, all or none; ConditionFailed if a condition does not hold."""
        for attempt in range(TRIES):
            try:
                return self._send(writes)
            except ClientError as error:
                codes = _codes(error)
                failed = frozenset(n for n, code in enumerate(codes) if code in _CONDITION)
                if failed:
                    raise ConditionFailed(failed) from error
                if attempt == TRIES - 1 or not _TRY_AGAIN.intersection(codes):
                    raise
            self._wait(attempt)
        return None

    def try_to_write(self, *writes: Write) -> bool:
        """Carry out writes, all or none; say whether their conditions hold."""
        try:
            self.write(*writes)
        except ConditionFailed:
            return False
        return True

    def _send(self, writes: tuple[Write, ...]) -> None:
        requests: list[Any] = [
            {write.kind: {"TableName": self._table, **write.request}} for write in writes
        ]
        if len(writes) > 1:
            self._dynamodb.transact_write_items(TransactItems=requests)
            return
        single: dict[str, Callable[..., Any]] = {
            "Put": self._dynamodb.put_item,
            "Update": self._dynamodb.update_item,
            "Delete": self._dynamodb.delete_item,
        }
        ((kind, request),) = requests[0].items()
        single[kind](**request)

    def _wait(self, attempt: int) -> None:
        longest = min(LONGEST_WAIT_SECONDS, 0.05 * 2**attempt)
        self._sleep(random.uniform(0, longest))  # noqa: S311 - spreads, guards nothing


def _codes(error: ClientError) -> list[str]:
    """Give why writes failed: a code for each, or one for all."""
    reasons: Any = error.response.get("CancellationReasons")
    return [r.get("Code", "") for r in reasons] if reasons else [error.response["Error"]["Code"]]


def _condition(when: Mapping[str, Any]) -> tuple[dict[str, str], dict[str, Any], str]:
    names: dict[str, str] = {}
    values: dict[str, Any] = {}
    terms = []
    for name, value in when.items():
        names[f"#{name}"] = name
        if value is None:
            terms.append(f"attribute_not_exists(#{name})")
        else:
            values[f":if_{name}"] = value
            terms.append(f"#{name} = :if_{name}")
    return names, values, " AND ".join(terms)


def _expression(
    names: Mapping[str, str], values: Mapping[str, Any], condition: str
) -> dict[str, Any]:
    request: dict[str, Any] = {}
    if condition:
        request["ConditionExpression"] = condition
    if names:
        request["ExpressionAttributeNames"] = names
    if values:
        request["ExpressionAttributeValues"] = _attributes(values)
    return request


def _key(key: Key) -> dict[str, Any]:
    return _attributes({"pk": key[0], "sk": key[1]})


def _attributes(values: Mapping[str, Any]) -> dict[str, Any]:
    return {name: _write_value(value) for name, value in values.items()}


def _values(item: Mapping[str, Any]) -> Item:
    return {name: _python(_read_value(value)) for name, value in item.items()}


def _python(value: Any) -> Any:
    return int(value) if isinstance(value, Decimal) else value
