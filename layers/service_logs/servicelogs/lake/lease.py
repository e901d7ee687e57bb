"""The lease of a table: only one execution publishes, compacts or expires it at a time.

It is an execution's, and has a number that each taking raises. It is taken over when that execution
runs no longer, or by another invocation of the same one: at once for the same work, which is then
repeated, else when the holder's has surely ended. What the former holder still does cannot be
stopped, but each write of the ledger under a lease is conditional on its number.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from botocore.exceptions import ClientError

from servicelogs.errors import LeaseBusy
from servicelogs.lake.items import ConditionFailed, Item, Items, Key, Write, check, update

if TYPE_CHECKING:
    from mypy_boto3_stepfunctions import SFNClient

_LONGEST_INVOCATION_SECONDS = 900
_ENDED = {"SUCCEEDED", "FAILED", "TIMED_OUT", "ABORTED"}
# Each time somebody else was quicker.
_TRIES = 5


class RunningExecutions(Protocol):
    """Knows which executions run."""

    def is_running(self, execution: str) -> bool:
        """Say whether an execution may still do something."""
        ...


class Executions:
    """The executions of Step Functions."""

    def __init__(self, stepfunctions: SFNClient) -> None:
        self._stepfunctions = stepfunctions

    def is_running(self, execution: str) -> bool:
        """Say whether an execution may still do something; one that is forgotten has ended."""
        try:
            # Without its input and output, which a customer key may encrypt.
            answer = self._stepfunctions.describe_execution(
                executionArn=execution, includedData="METADATA_ONLY"
            )
        except ClientError as error:
            if error.response["Error"]["Code"] == "ExecutionDoesNotExist":
                return False
            raise
        return answer["status"] not in _ENDED


@dataclass(frozen=True, slots=True)
class Lease:
    """What its holder has while nobody else took it."""

    items: Items
    table: str
    number: int

    def write(self, *writes: Write) -> None:
        """Write to the ledger, if the lease still holds; LeaseBusy if somebody else took it."""
        held = check(_key(self.table), number=self.number)
        try:
            self.items.write(held, *writes)
        except ConditionFailed as error:
            if 0 in error.failed:
                raise LeaseBusy(f"the table {self.table} was taken over") from error
            raise ConditionFailed(frozenset(n - 1 for n in error.failed)) from error


class Leases:
    """The leases of all tables."""

    def __init__(
        self,
        items: Items,
        executions: RunningExecutions,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._items = items
        self._executions = executions
        self._clock = clock

    @contextmanager
    def held(self, table: str, execution: str, work: str = "") -> Iterator[Lease]:
        """Hold a table's lease for some work of an execution; LeaseBusy while other work goes on.

        Executions that do several things with a table at once give each a name.
        """
        lease = self._take(table, execution, work)
        try:
            yield lease
        finally:
            # If it was taken over, it is the other's to give back.
            self._items.try_to_write(update(_key(table), {"owner": None}, number=lease.number))

    def _take(self, table: str, execution: str, work: str) -> Lease:
        for _ in range(_TRIES):
            found = self._items.get(_key(table)) or {}
            number = found.get("number")
            if self._is_busy(found, execution, work):
                raise LeaseBusy(f"the table {table} is held by {found['owner']} {found['work']}")
            taken = (number or 0) + 1
            until = int(self._clock() + _LONGEST_INVOCATION_SECONDS)
            values = {"owner": execution, "number": taken, "work": work, "until": until}
            if self._items.try_to_write(update(_key(table), values, number=number)):
                return Lease(self._items, table, taken)
        raise LeaseBusy(f"the table {table} is wanted by several at once")

    def _is_busy(self, found: Item, execution: str, work: str) -> bool:
        owner = found.get("owner")
        if owner == execution:
            return bool(found["work"] != work and self._clock() < found["until"])
        return owner is not None and self._executions.is_running(owner)


def _key(table: str) -> Key:
    return f"table#{table}", "lease"
