"""One stack for nearly all tests of this folder, with a front that each test leaves calm."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from local.stack import LocalStack, Stack
from tests.end_to_end.front import Front


@dataclass(frozen=True)
class Running:
    """A running stack with a front before its search engine."""

    local: LocalStack
    stack: Stack
    front: Front
    endpoint: str
    """Of the front: where functions find the engine."""


@contextmanager
def running_stack(folder: Path, accounts: int = 1) -> Iterator[Running]:
    """Deploy the whole stack into an emulator of its own, and end both."""
    front, local = Front(), LocalStack(folder)
    endpoints: list[str] = []

    def stand_before(engine: str) -> str:
        endpoints.append(front.before(engine))
        return endpoints[0]

    try:
        stack = local.up("osmem", accounts=accounts, in_front=stand_before)
        yield Running(local, stack, front, endpoints[0])
    finally:
        local.down()
        front.close()


@pytest.fixture(scope="session")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    with running_stack(tmp_path_factory.mktemp("stack")) as running:
        yield running


@pytest.fixture(scope="module")
def untouched(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """Give a stack of two accounts in which no other test has left anything."""
    with running_stack(tmp_path_factory.mktemp("stack"), accounts=2) as running:
        yield running


@pytest.fixture
def running(whole: Running) -> Iterator[Running]:
    yield whole
    whole.front.calm()
