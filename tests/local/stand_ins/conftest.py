import pytest

from tests.local.stand_ins import emulated


@pytest.fixture(autouse=True)
def account():
    """Begin with an account that has nothing."""
    emulated.forget()
    yield
    emulated.forget()


@pytest.fixture
def s3(monkeypatch):
    """Give the objects that were put, by their keys."""
    objects = {}
    monkeypatch.setattr(
        "ministack.services.firehose._put_s3_object",
        lambda bucket, key, body: objects.__setitem__(key, body),
    )
    return objects
