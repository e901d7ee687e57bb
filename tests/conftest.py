"""What every test may ask for.

The folders mirror the package's: what a module promises is tested in the folder of its name.
Beside them: `deployment` (buckets, queues and a search engine in this process), `emulated_aws`,
`search_engine` and `local_stack` (fixtures), `templates`, `docs`, `local`, `functions` and
`end_to_end` for what is no part of the package, `benchmarks`.
"""

import signal

pytest_plugins = ["tests.emulated_aws", "tests.search_engine", "tests.local_stack"]


def pytest_configure() -> None:
    """End like Ctrl-C when a time limit or a build system ends the run: with its servers."""
    signal.signal(signal.SIGTERM, signal.default_int_handler)
