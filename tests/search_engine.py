"""Search engines for tests.

- `opensearch`: the address of a real OpenSearch 3.8.0, fetched and started once for the whole run,
  shared by all workers of a parallel one. Every claim about OpenSearch is tested on it.
- `secured` (`tests.secured_engine`): a real OpenSearch 2.19.4, shared likewise.
- `osmem`: the address of the embedded engine that a local stack uses by default.

A test gets an engine that others use too: it works under names of its own (`unique_prefix`), and
puts back what it changed for the whole cluster.

While developing, start one engine and keep it: `python -m local engine opensearch` prints its
address; `SEARCH_URL=ADDRESS pytest …` then uses that instead of starting one.
"""

import fcntl
import os
import shutil
import tempfile
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from local.processes import Processes
from local.search_engines import start_opensearch, start_osmem

# The environment variable that names the folder of the run's engines.
FOLDER = "SERVICE_LOGS_TESTS_ENGINE"


def pytest_configure(config: pytest.Config) -> None:
    """Make the folder that all workers of a run share."""
    if not _is_worker(config):
        os.environ[FOLDER] = tempfile.mkdtemp(prefix="service-logs-tests-")


def pytest_unconfigure(config: pytest.Config) -> None:
    """End the engines, also one whose worker crashed."""
    if not _is_worker(config):
        folder = Path(os.environ.pop(FOLDER))
        Processes(folder).stop_all()
        shutil.rmtree(folder)


@pytest.fixture(scope="session")
def opensearch() -> str:
    """Give the address of a real OpenSearch: the first worker that asks starts it."""
    if url := os.environ.get("SEARCH_URL"):
        return url.rstrip("/")
    return started_once("opensearch", start_opensearch)


def started_once(name: str, start: Callable[[Processes], str]) -> str:
    """Start an engine of the run, if no other worker has, and give its address."""
    folder = Path(os.environ[FOLDER])
    address = folder / f"{name}.address"
    with (folder / f"{name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not address.exists():
            processes = Processes(folder)
            try:
                address.write_text(start(processes))
            except BaseException:
                processes.stop(name)
                raise
    return address.read_text()


@pytest.fixture(scope="module")
def osmem(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Give the address of an embedded engine: a new one for each module, as many indexes slow it.

    It starts in a tenth of a second.
    """
    processes = Processes(tmp_path_factory.mktemp("osmem"))
    try:
        yield start_osmem(processes)
    finally:
        processes.stop_all()


@pytest.fixture
def unique_prefix() -> str:
    """Give an index prefix that no other test uses."""
    return f"test-{uuid.uuid4().hex[:12]}"


def _is_worker(config: pytest.Config) -> bool:
    return hasattr(config, "workerinput")
