"""What tests of the lake's protocol ask for."""

import pytest

from tests.lake.lake_world import World
from tests.lake.memory_aws import OneAtATime


@pytest.fixture
def world(monkeypatch: pytest.MonkeyPatch) -> World:
    """Give a lake in memory, whose calls come one after the other, always in the same order."""
    monkeypatch.setattr("servicelogs.lake.files.ThreadPoolExecutor", OneAtATime)
    monkeypatch.setenv("POWERTOOLS_METRICS_NAMESPACE", "ServiceLogs")
    monkeypatch.setenv("POWERTOOLS_SERVICE_NAME", "lake")
    return World.in_memory()


@pytest.fixture
def moto_world(aws: None) -> World:
    """Give a lake in the emulated AWS."""
    return World.in_moto()
