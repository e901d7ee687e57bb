"""What every test may ask for."""

import signal

pytest_plugins = ["tests.search_engine", "tests.local_stack"]


def pytest_configure() -> None:
    """End like Ctrl-C when a time limit or a build system ends the run: with its servers."""
    signal.signal(signal.SIGTERM, signal.default_int_handler)
