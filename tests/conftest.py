"""What every test may ask for.

The folders mirror the package's: what a module promises is tested in the folder of its name.
Beside them: `deployment` (buckets, queues and a search engine in this process), `accounts` (of the
emulated AWS that is a process of its own), `emulated_aws`, `search_engine`, `browser` and
`local_stack` (fixtures), `properties` (how many examples they are tested with), `templates`,
`docs`, `local`, `functions` and `end_to_end` for what is not part of the package, `benchmarks`.
"""

import os
import signal
from collections.abc import Generator

import pytest
from _pytest.nodeid import coerce_node_id
from hypothesis import settings

from tests import properties  # noqa: F401 - it declares the profiles

settings.load_profile("full")
pytest_plugins = [
    "tests.emulated_aws",
    "tests.search_engine",
    "tests.secured_engine",
    "tests.local_stack",
    "tests.sample_indexes",
    "tests.browser",
]

ENGINE_FIXTURES = {"opensearch", "own_opensearch", "sample_indexes", "secured"}
STACK_FIXTURES = {"deployed", "local_stack"}


def pytest_configure() -> None:
    """End like Ctrl-C when a time limit or a build system ends the run: with its servers."""
    signal.signal(signal.SIGTERM, signal.default_int_handler)


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> Generator[None]:
    """Mark tests by the servers they ask for; the tests of a group stay with one worker."""
    for item in items:
        fixtures = set(getattr(item, "fixturenames", ()))
        if fixtures & ENGINE_FIXTURES:
            item.add_marker(pytest.mark.engine)
        if fixtures & STACK_FIXTURES:
            item.add_marker(pytest.mark.end_to_end)
            item.add_marker(pytest.mark.xdist_group("stack of two accounts"))
        elif item.get_closest_marker("end_to_end"):
            item.add_marker(pytest.mark.xdist_group("stack"))
    yield
    # In a worker pytest-xdist 3.8 writes the group of a test where pytest 9.2 no longer reads it:
    # without this all workers run the tests of each group.
    for item in items:
        if grouped := vars(item).get("_nodeid"):
            item._id = coerce_node_id(grouped)
            assert item.nodeid == grouped


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport() -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Let a skipped test fail where CI is set: there nothing may be missing."""
    report = yield
    if report.skipped and not hasattr(report, "wasxfail") and os.environ.get("CI"):
        report.outcome = "failed"
        report.longrepr = f"skipped in CI: {report.longrepr}"
    return report
