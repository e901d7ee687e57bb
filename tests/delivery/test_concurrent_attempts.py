"""Whatever attempts there were at one object, each record is at last in exactly one place.

A model: attempts at the same object begin and stop anywhere, run beside each other, are killed,
lose answers, and meet an index that is closed for writing at times. What they run is the real
attempt and the real writer; S3 and the search engine are dicts, and a random schedule decides who
does the next request and how it ends.
"""

import gzip
import json
import random
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from botocore.exceptions import ConnectionClosedError
from opensearchpy.exceptions import ConnectionError as NoAnswer

from servicelogs.delivery import backup_bucket, rejects
from servicelogs.delivery.attempt import Attempt
from servicelogs.opensearch.writer import BulkWriter
from servicelogs.records import Block, Reject
from tests.delivery.memory_s3 import MemoryS3
from tests.opensearch.blocks import SOURCE, document
from tests.opensearch.scripted_server import item_error

INDEX = "aws-alb-2026.11.23"
RECORDS = 14
RECORDS_A_FILE = 4
MOST_AT_ONCE = 3
SCHEDULES = 150


class Killed(BaseException):
    """The function died."""


class Turns:
    """Lets one request at a time be carried out, in an order that a seed decides."""

    def __init__(self, choose: random.Random, faults: int) -> None:
        self._choose = choose
        self._changed = threading.Condition()
        self._alive: set[int] = set()
        self._waiting: set[int] = set()
        self._turn: tuple[int, str] | None = None
        self._faults = faults

    def start(self, actor: int, work: Callable[[], None]) -> None:
        """Begin to work beside the others."""

        def run() -> None:
            try:
                work()
            except Killed:
                pass
            finally:
                with self._changed:
                    self._alive.discard(actor)
                    self._changed.notify_all()

        self._alive.add(actor)
        threading.Thread(target=run, daemon=True).start()

    def request(self, actor: int, carry_out: Callable[[], Any], lost: Exception) -> Any:
        """Carry out a request in its turn; it may be lost, or its answer, or who asked."""
        with self._changed:
            self._waiting.add(actor)
            self._changed.notify_all()
            self._changed.wait_for(lambda: self._turn and self._turn[0] == actor)
            assert self._turn
            fate, self._turn = self._turn[1], None
        if fate == "killed before":
            raise Killed
        if fate == "lost":
            raise lost
        answer = carry_out()
        if fate == "killed after":
            raise Killed
        if fate == "answer lost":
            raise lost
        return answer

    def alive(self) -> int:
        """Wait until everybody waits for a turn, and say how many there are."""
        with self._changed:
            assert self._changed.wait_for(lambda: self._waiting == self._alive, 20)
            return len(self._alive)

    def next(self) -> None:
        """Give somebody the turn."""
        fates = ["done"] * 12
        if self._faults:
            fates += ["killed before", "killed after", "lost", "answer lost"]
        fate = self._choose.choice(fates)
        self._faults -= fate != "done"
        with self._changed:
            actor = self._choose.choice(sorted(self._waiting))
            self._waiting.remove(actor)
            self._turn = actor, fate
            self._changed.notify_all()


class Engine:
    """A search engine with one index, which is closed for writing at times."""

    def __init__(self, choose: random.Random) -> None:
        self.choose = choose
        self.documents: set[str] = set()
        self.blocked = False
        self.unmappable = {number for number in range(1, RECORDS + 1) if choose.random() < 0.1}

    def answer(self, path: str, body: Any) -> dict[str, Any]:
        if self.choose.random() < 0.3:
            self.blocked = not self.blocked
        if path == "/_mget":
            found = [self._id(target) in self.documents for target in body["docs"]]
            return {"docs": [{"_id": "", "found": there} for there in found]}
        actions = [json.loads(line)["create"] for line in gzip.decompress(body).split(b"\n")[:-1:2]]
        return {"items": [{"create": self._create(self._id(action))} for action in actions]}

    def _create(self, document_id: str) -> dict[str, Any]:
        if self.blocked:
            return item_error(
                403, "cluster_block_exception", f"index [{INDEX}] blocked by: [FORBIDDEN/8/write]"
            )
        if int(document_id) in self.unmappable:
            return item_error(400, "mapper_parsing_exception")
        if document_id in self.documents:
            return item_error(409, "version_conflict_engine_exception")
        self.documents.add(document_id)
        return {"status": 201}

    def _id(self, target: dict[str, str]) -> str:
        assert target["_index"] == INDEX
        return target["_id"]


class Client:
    """What of the clients of S3 and of the engine one attempt uses, request by request."""

    def __init__(self, actor: int, turns: Turns, s3: MemoryS3, engine: Engine) -> None:
        self.transport = self
        self._request = lambda work, lost: turns.request(actor, work, lost)
        self._s3, self._engine = s3, engine

    def perform_request(self, _method: str, path: str, *, body: Any, **_about: Any) -> Any:
        lost = NoAnswer("N/A", "reset", OSError())
        return self._request(lambda: self._engine.answer(path, body), lost)

    def __getattr__(self, name: str) -> Callable[..., Any]:
        lost = ConnectionClosedError(endpoint_url="s3")
        return lambda **arguments: self._request(lambda: getattr(self._s3, name)(**arguments), lost)


def blocks(start: int, bad: set[int], choose: random.Random) -> Iterator[Block]:
    """Cut the object's records from this one on into blocks of any size."""
    while start <= RECORDS:
        end = min(start + choose.randint(1, 6), RECORDS + 1)
        numbers = range(start, end)
        given = [
            b'{"create":{"_index":"%b","_id":"%d"}}\n%b\n' % (INDEX.encode(), at, document(at))
            for at in numbers
            if at not in bad
        ]
        refused = [Reject(at, "does_not_match", "why", b"raw") for at in numbers if at in bad]
        yield Block(start, end, b"".join(given), len(given), lambda _: b"raw", {}, refused)
        start = end


class Model:
    """A queue with messages about one object, and the attempts at them."""

    def __init__(self, seed: int) -> None:
        self.choose = random.Random(seed)
        self.s3 = MemoryS3()
        self.engine = Engine(self.choose)
        self.turns = Turns(self.choose, faults=self.choose.randint(0, 8))
        self.messages = [1] * self.choose.randint(1, 3)
        self.bad = {number for number in range(1, RECORDS + 1) if self.choose.random() < 0.2}
        self.attempts = 0
        self.errors: list[Exception] = []

    def run(self) -> None:
        while (alive := self.turns.alive()) or self.messages:
            begins = self.messages and alive < MOST_AT_ONCE
            if begins and (not alive or self.choose.random() < 0.3):
                self._begin(self.messages.pop(self.choose.randrange(len(self.messages))))
            else:
                self.turns.next()

    def _begin(self, start: int) -> None:
        self.attempts += 1
        assert self.attempts < 200, self.errors[-5:]
        cut_after = self.choose.randint(1, 12)
        seed = self.choose.random()
        client: Any = Client(self.attempts, self.turns, self.s3, self.engine)
        self.turns.start(self.attempts, lambda: self._attempt(client, start, cut_after, seed))

    def _attempt(self, client: Any, start: int, cut_after: int, seed: float) -> None:
        clock = iter([300.0] * (cut_after + 1) + [0.0] * 1000)
        done = False
        try:
            attempt = Attempt(
                writer=BulkWriter(
                    client,
                    seconds_left=lambda: 300.0,
                    ensure_template=lambda _: None,
                    sleep=lambda _: None,
                ),
                s3=client,
                backup_bucket="backup",
                seconds_left=lambda: next(clock),
            )
            item = attempt.item()
            delivery = attempt.begin(SOURCE, "alb", start, item)
            with attempt.failing(item):
                attempt.deliver(delivery, blocks(start, self.bad, random.Random(seed)))
            attempt.settle()
            (error,) = attempt.report()
            if error is not None:
                self.errors.append(error)
            elif delivery.resume_at and delivery.resume_at <= RECORDS:
                self.messages.append(delivery.resume_at)
            done = error is None
        finally:
            if not done:
                self.messages.append(start)

    def places(self) -> Counter[int]:
        """Count in how many places each record is."""
        found = Counter(int(document_id) for document_id in self.engine.documents)
        for key, body in self.s3.objects.items():
            numbers = [
                json.loads(line)["record_number"] for line in gzip.decompress(body).splitlines()
            ]
            assert numbers, "a file without lines is left"
            assert {rejects.file_key(SOURCE, "alb", number) for number in numbers} == {key}
            found.update(numbers)
        return found


@pytest.fixture(autouse=True)
def small_files(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let one object have several files, and nobody wait."""
    monkeypatch.setattr(rejects, "FILE_RECORDS", RECORDS_A_FILE)
    monkeypatch.setattr(rejects, "ASKED_RECORDS", 3)
    monkeypatch.setattr(backup_bucket, "LONGEST_WAIT_SECONDS", 0)


@pytest.mark.slow
@pytest.mark.parametrize("first", range(0, SCHEDULES, 50))
def test_each_record_is_at_last_in_exactly_one_place(first: int) -> None:
    for seed in range(first, first + 50):
        model = Model(seed)

        model.run()

        assert model.places() == dict.fromkeys(range(1, RECORDS + 1), 1), f"seed {seed}"
