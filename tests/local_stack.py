"""A whole stack for end-to-end tests: emulated AWS with IAM enforced, deployed with SAM.

`deployed` is one stack with the embedded engine, started once for the whole run (about 15 s). A
test that needs something between the functions and the search engine, or a stack that nobody else
disturbs, starts its own: `with started(folder, in_front=…) as stack`. See local/stack.py.
"""

import contextlib
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from local.stack import LocalStack, Stack


@contextlib.contextmanager
def started(
    folder: Path, search: str = "osmem", in_front: Callable[[str], str] = lambda engine: engine
) -> Iterator[Stack]:
    """Start a stack of one's own, and end it whatever happens."""
    local = LocalStack(folder)
    try:
        yield local.up(search, in_front=in_front)
    finally:
        local.down()


@pytest.fixture(scope="session")
def deployed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """Give a running stack with the embedded search engine."""
    with started(tmp_path_factory.mktemp("stack")) as stack:
        yield stack
