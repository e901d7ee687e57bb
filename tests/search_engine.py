"""Search engines for tests.

- `opensearch`: the address of a real OpenSearch 3.8.0, fetched and started once for the whole run,
  shared by all workers of a parallel one. Every claim about OpenSearch is tested on it.
- `osmem`: the address of the embedded engine that a local stack uses by default.

A test gets an engine that others use too: it works under names of its own (`unique_prefix`), and
puts back what it changed for the whole cluster.

While developing, start one engine and keep it: `python -m local engine opensearch` prints its
address; `SEARCH_URL=ADDRESS pytest …` then uses that instead of starting one.
"""

import contextlib
import fcntl
import json
import os
import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest

from local.processes import Processes
from local.search_engines import start_opensearch, start_osmem


@pytest.fixture(scope="session")
def opensearch(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Give the address of a real OpenSearch."""
    if url := os.environ.get("SEARCH_URL"):
        yield url.rstrip("/")
        return
    if "PYTEST_XDIST_WORKER" not in os.environ:
        processes = Processes(tmp_path_factory.mktemp("opensearch"))
        try:
            yield start_opensearch(processes)
        finally:
            processes.stop_all()
        return
    with _shared_engine(tmp_path_factory.getbasetemp().parent / "opensearch") as url:
        yield url


@pytest.fixture(scope="session")
def osmem(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Give the address of an embedded engine."""
    processes = Processes(tmp_path_factory.mktemp("osmem"))
    try:
        yield start_osmem(processes)
    finally:
        processes.stop_all()


@pytest.fixture
def unique_prefix() -> str:
    """Give an index prefix that no other test uses."""
    return f"test-{uuid.uuid4().hex[:12]}"


@contextlib.contextmanager
def _shared_engine(folder: Path) -> Iterator[str]:
    """Use one engine from all workers of a run: the first starts it, the last one ends it."""
    folder.mkdir(exist_ok=True)
    processes = Processes(folder)
    users = folder / "users.json"
    with _locked(folder):
        state = json.loads(users.read_text()) if users.exists() else {"users": 0, "url": ""}
        if not state["users"]:
            try:
                state["url"] = start_opensearch(processes)
            except BaseException:
                processes.stop_all()
                raise
        state["users"] += 1
        users.write_text(json.dumps(state))
    try:
        yield state["url"]
    finally:
        with _locked(folder):
            state = json.loads(users.read_text())
            state["users"] -= 1
            users.write_text(json.dumps(state))
            if not state["users"]:
                processes.stop_all()


@contextlib.contextmanager
def _locked(folder: Path) -> Iterator[None]:
    with (folder / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield
