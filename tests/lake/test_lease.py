"""Leases: one execution has a table, until it ends, and nobody writes under one that was taken."""

from __future__ import annotations

from typing import Any

import pytest
from botocore.exceptions import ClientError

from servicelogs.errors import LeaseBusy
from servicelogs.lake.items import ConditionFailed, put, put_new
from servicelogs.lake.lease import Executions
from tests.lake.lake_world import World


def test_a_table_is_one_running_executions(world: World) -> None:
    first, second = world.start(), world.start()
    leases = world.lake.leases
    with leases.held("alb", first):
        with pytest.raises(LeaseBusy, match=first), leases.held("alb", second):
            pytest.fail("both have it")
        with leases.held("waf", second) as other:
            other.write(put(("x", "-"), {}))
    with leases.held("alb", second) as lease:
        lease.write(put(("x", "-"), {}))


def test_a_lease_is_taken_over_when_its_execution_has_ended(world: World) -> None:
    first, second = world.start(), world.start()
    with world.lake.leases.held("alb", first) as old:
        world.end(first)
        with world.lake.leases.held("alb", second) as new:
            assert new.number > old.number
            with pytest.raises(LeaseBusy, match="taken over"):
                old.write(put(("x", "-"), {}))
            new.write(put(("x", "-"), {"by": "new"}))
    assert world.lake.ledger._items.get(("x", "-")) == {"pk": "x", "sk": "-", "by": "new"}


def test_another_invocation_of_the_same_execution_takes_it_over(world: World) -> None:
    execution = world.start()
    with world.lake.leases.held("alb", execution) as old:
        with world.lake.leases.held("alb", execution) as new, pytest.raises(LeaseBusy):
            old.write(put(("x", "-"), {}))
        # The old holder, which gives it back last, does not give back what is not its own.
        with world.lake.leases.held("alb", execution):
            pass
    assert new.number == old.number + 1


def test_what_the_old_holder_gives_back_stays_the_new_ones(world: World) -> None:
    first, second, third = (world.start() for _ in range(3))
    leases = world.lake.leases
    with leases.held("alb", first):
        world.end(first)
        new = leases.held("alb", second)
        new.__enter__()
    with pytest.raises(LeaseBusy, match=second), leases.held("alb", third):
        pytest.fail("both have it")
    new.__exit__(None, None, None)
    with leases.held("alb", third):
        pass


def test_other_work_of_the_same_execution_waits_for_its_end(world: World) -> None:
    execution, leases = world.start(), world.lake.leases
    dead = leases.held("alb", execution, "one partition")
    dead.__enter__()
    with pytest.raises(LeaseBusy), leases.held("alb", execution, "another"):
        pytest.fail("both have it")
    with leases.held("alb", execution, "one partition"):
        pass
    with leases.held("alb", execution, "another"):
        # It dies here, and nobody repeats it: no function runs longer than a quarter of an hour.
        world.now += 901
        with leases.held("alb", execution, "one partition") as lease:
            lease.write(put(("x", "-"), {}))


def test_two_that_take_it_at_once_do_not_both_have_it(world: World) -> None:
    first, second = world.start(), world.start()
    quicker = world.lake.leases.held("alb", second)

    def meanwhile(operation: str, before: bool) -> None:
        if operation == "update_item" and before:
            world.aws.on_call = lambda *_: None
            quicker.__enter__()

    world.aws.on_call = meanwhile
    with pytest.raises(LeaseBusy, match=second), world.lake.leases.held("alb", first):
        pytest.fail("both have it")


def test_a_condition_that_fails_under_a_lease_is_not_the_leases(world: World) -> None:
    with world.lake.leases.held("alb", world.start()) as lease:
        lease.write(put_new(("x", "-"), {}))
        with pytest.raises(ConditionFailed) as raised:
            lease.write(put(("y", "-"), {}), put_new(("x", "-"), {}))
    assert raised.value.failed == {1}


class Described:
    """Step Functions that knows one execution."""

    def __init__(self, status: str) -> None:
        self.status = status

    def describe_execution(
        self,
        *,
        executionArn: str,  # noqa: N803
        includedData: str,  # noqa: N803
    ) -> dict[str, Any]:
        # All of it needs the right to decrypt it, where a customer key encrypts executions.
        assert includedData == "METADATA_ONLY"
        if self.status in {"ExecutionDoesNotExist", "AccessDenied"}:
            raise ClientError({"Error": {"Code": self.status}}, "DescribeExecution")
        return {"status": self.status}


@pytest.mark.parametrize(
    ("status", "running"),
    [
        ("RUNNING", True),
        ("PENDING_REDRIVE", True),
        ("SUCCEEDED", False),
        ("FAILED", False),
        ("TIMED_OUT", False),
        ("ABORTED", False),
        ("ExecutionDoesNotExist", False),
    ],
)
def test_an_execution_runs_until_step_functions_says_that_it_ended(status, running):
    assert Executions(Described(status)).is_running("arn") is running


def test_an_execution_that_may_not_be_looked_at_is_not_taken_for_ended():
    with pytest.raises(ClientError):
        Executions(Described("AccessDenied")).is_running("arn")
