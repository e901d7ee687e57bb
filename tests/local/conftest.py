"""Emulated AWS with IAM enforced and nothing in it, for tests of what lies between accounts."""

from collections.abc import Iterator

import pytest

from local import emulated_aws
from local.processes import Processes
from tests.accounts import Account


@pytest.fixture(scope="session")
def endpoint(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    processes = Processes(tmp_path_factory.mktemp("processes"))
    try:
        yield emulated_aws.start(processes)
    finally:
        processes.stop_all()


@pytest.fixture(scope="session")
def central(endpoint: str) -> Account:
    return Account(endpoint, emulated_aws.ACCOUNT)


@pytest.fixture(scope="session")
def member(endpoint: str) -> Account:
    return Account(endpoint, emulated_aws.MEMBER)


@pytest.fixture(scope="session")
def stranger(endpoint: str) -> Account:
    return Account(endpoint, "777788889999")
