"""A whole stack for end-to-end tests: emulated AWS with IAM enforced, deployed with SAM.

`deployed` is one stack of two accounts with the embedded engine, started once for the whole run. A
test that needs something between the functions and the search engine, or a stack that nobody else
disturbs, starts its own. See local/stack.py.
"""

from collections.abc import Iterator

import pytest

from local.stack import LocalStack, Stack


@pytest.fixture(scope="session")
def local_stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalStack]:
    """Start a stack with the embedded search engine."""
    local = LocalStack(tmp_path_factory.mktemp("stack"))
    try:
        local.up("osmem", accounts=2)
        yield local
    finally:
        local.down()


@pytest.fixture(scope="session")
def deployed(local_stack: LocalStack) -> Stack:
    """Say where it is."""
    running = local_stack.running()
    assert running
    return running
