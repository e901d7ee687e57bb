"""One stack for all tests of this folder, with a front that each test leaves calm."""

from collections.abc import Iterator
from dataclasses import dataclass

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


@pytest.fixture(scope="session")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    front, local = Front(), LocalStack(tmp_path_factory.mktemp("stack"))
    endpoints: list[str] = []

    def stand_before(engine: str) -> str:
        endpoints.append(front.before(engine))
        return endpoints[0]

    try:
        stack = local.up("osmem", in_front=stand_before)
        yield Running(local, stack, front, endpoints[0])
    finally:
        local.down()
        front.close()


@pytest.fixture
def running(whole: Running) -> Iterator[Running]:
    yield whole
    whole.front.calm()
