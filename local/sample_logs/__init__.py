"""Sample logs: realistic records of every format, made from a seed, for demo and benchmarks.

Addresses are from the documentation ranges, accounts and ids are invented. The same seed gives the
same bytes, so that a second delivery changes nothing.
"""

import gzip
import random
import zlib
from collections.abc import Collection, Iterator
from dataclasses import dataclass, replace
from importlib import import_module
from typing import Any, Protocol

from servicelogs.formats import NAMES, module_name

ACCOUNT = "111122223333"
REGION = "eu-west-1"


@dataclass(frozen=True, slots=True)
class SampleObject:
    """An object as an AWS service would deliver it, and what becomes of its records."""

    format: str
    key: str
    data: bytes
    records: int
    rejected: int = 0
    filtered: int = 0


@dataclass(frozen=True, slots=True)
class SampleEvents:
    """Events of one log stream, as an AWS service would put them, and what becomes of them."""

    format: str
    group: str
    stream: str
    events: tuple[tuple[int, str], ...]
    """Each with its time, in milliseconds since 1970."""
    rejected: int = 0
    filtered: int = 0
    joined: int = 0
    """How many belong to the record of one before them."""

    @property
    def records(self) -> int:
        """Say how many records they are."""
        return len(self.events) - self.joined


@dataclass(frozen=True, slots=True)
class SampleRecords:
    """Records as an AWS service sends them to a stream, and what becomes of them."""

    format: str
    data: tuple[bytes, ...]
    rejected: int = 0
    filtered: int = 0

    @property
    def records(self) -> int:
        """Say how many records they are."""
        return len(self.data)


class _Samples(Protocol):
    """What the module of a format gives.

    One whose logs arrive through CloudWatch Logs has `log_events` too, which gives SampleEvents;
    one whose logs a service sends to a stream has `stream_records`, which gives SampleRecords.
    """

    def generate(self, records: int, rng: random.Random, seconds: int = ...) -> bytes:
        """Write one object's text with so many ordinary records of so many seconds."""
        ...

    def objects(self, rng: random.Random) -> Iterator[SampleObject]:
        """Give a few objects, with the cases that are easy to get wrong."""
        ...


def generate(name: str, records: int, seed: int = 1, *, seconds: int | None = None) -> bytes:
    """Write the decompressed text of one object of a format.

    Its records happened within so many seconds, else within the time that AWS gathers them for.
    """
    rng = random.Random(f"{name} {seed}")
    if seconds is None:
        return _samples(name).generate(records, rng)
    return _samples(name).generate(records, rng, seconds)


def objects(seed: int = 1, account: str = ACCOUNT) -> Iterator[SampleObject]:
    """Give the objects of all formats, as an account has them."""
    for name in NAMES:
        for one in _samples(name).objects(random.Random(f"{name} {seed}")):
            key = one.key.replace(ACCOUNT, account)
            yield replace(one, key=key, data=_of_account(one.data, account))


def log_events(seed: int = 1, account: str = ACCOUNT) -> Iterator[SampleEvents]:
    """Give the log events of all formats that arrive through CloudWatch Logs, of an account."""
    for one in _given("log_events", seed):
        events = ((moment, message.replace(ACCOUNT, account)) for moment, message in one.events)
        yield replace(one, events=tuple(events))


def stream_records(fields: Collection[str], seed: int = 1) -> Iterator[SampleRecords]:
    """Give the records of all formats that a service sends to a stream, with these fields."""
    return _given("stream_records", seed, fields)


def _given(what: str, seed: int, *how: Any) -> Iterator[Any]:
    for name in NAMES:
        if give := getattr(_samples(name), what, None):
            yield from give(random.Random(f"{name} {what} {seed}"), *how)


def gzipped(*members: bytes) -> bytes:
    """Compress each part into a gzip member of its own, the same bytes every time."""
    return b"".join(gzip.compress(member, mtime=0) for member in members)


def _of_account(data: bytes, account: str) -> bytes:
    """Give an object's bytes with another account in them, compressed as they were."""
    if account == ACCOUNT:
        return data
    if data.startswith(b"PAR1"):
        from local.sample_logs.parquet import with_text  # pyarrow takes a while, and few want it

        return with_text(data, ACCOUNT, account)
    members = list(_members(data)) if data.startswith(b"\x1f\x8b") else []
    texts = [one.replace(ACCOUNT.encode(), account.encode()) for one in members or [data]]
    return gzipped(*texts) if members else texts[0]


def _members(data: bytes) -> Iterator[bytes]:
    while data:
        member = zlib.decompressobj(wbits=31)
        yield member.decompress(data)
        data = member.unused_data


def _samples(name: str) -> _Samples:
    module: _Samples = import_module(f"local.sample_logs.{module_name(name)}")  # type: ignore[assignment]
    return module
