"""Search engines that misbehave, and clients for all of them."""

from collections.abc import Callable, Iterator

import pytest
from opensearchpy import OpenSearch

from servicelogs.opensearch.client import connect
from servicelogs.opensearch.writer import BulkWriter
from servicelogs.settings import SearchSettings
from tests.opensearch.scripted_server import ScriptedServer
from tests.secured_engine import Secured


@pytest.fixture
def scripted() -> Iterator[ScriptedServer]:
    """Give a server that answers what the test says."""
    with ScriptedServer() as server:
        yield server


@pytest.fixture
def client_of() -> Callable[[str], OpenSearch]:
    """Give the project's own client for an address that asks for no credentials."""

    def client(url: str) -> OpenSearch:
        return connect(SearchSettings(endpoint=url, auth="none"))

    return client


@pytest.fixture
def real(opensearch: str, client_of: Callable[[str], OpenSearch]) -> OpenSearch:
    """Give a client of the real OpenSearch."""
    return client_of(opensearch)


REAL_ENGINES = [pytest.param(name, marks=pytest.mark.engine) for name in ("opensearch", "secured")]


@pytest.fixture(params=["osmem", *REAL_ENGINES])
def engine(request: pytest.FixtureRequest, client_of: Callable[[str], OpenSearch]) -> OpenSearch:
    """Give a client of the embedded engine, then of both real ones: they keep the same promises."""
    found = request.getfixturevalue(request.param)
    return found.client() if isinstance(found, Secured) else client_of(found)


class Clock:
    """Time that passes only while a writer waits."""

    def __init__(self, seconds: float) -> None:
        self.left = seconds
        self.waits: list[float] = []

    def seconds_left(self) -> float:
        """Return what is left."""
        return self.left

    def sleep(self, seconds: float) -> None:
        """Let time pass."""
        self.waits.append(seconds)
        self.left -= seconds


@pytest.fixture
def clock() -> Clock:
    """Give 100 seconds."""
    return Clock(100)


@pytest.fixture
def writer_of(clock: Clock) -> Callable[[OpenSearch], BulkWriter]:
    """Give a writer whose waiting takes no time, and whose templates are there."""

    def writer(client: OpenSearch) -> BulkWriter:
        return BulkWriter(
            client,
            seconds_left=clock.seconds_left,
            ensure_template=lambda log_type: None,
            sleep=clock.sleep,
        )

    return writer
