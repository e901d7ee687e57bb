"""An object that ends the function costs only itself: the others of its batch are read."""

from dataclasses import dataclass, field
from random import Random
from typing import Any

import pytest

from servicelogs.delivery.attempt import Attempt
from servicelogs.errors import ClusterNeedsFixing, TryLater
from servicelogs.sources.queue import Message, Queue
from tests.deployment import BACKUP, LOGS, Deployment, flow_key, flow_lines
from tests.opensearch.fake_engine import FakeWriter

VISIBILITY_SECONDS = 1800
FUNCTION_SECONDS = 300
MOST_RECEIVES = 16


class Died(BaseException):
    """The function's process is gone."""


@dataclass
class Waiting:
    """A message in the queue."""

    body: str
    visible_at: float = 0
    received: int = 0


@dataclass
class MemoryQueue:
    """A queue and its dead-letter queue, with a clock of their own."""

    now: float = 0
    messages: dict[str, Waiting] = field(default_factory=dict)
    dead: list[Waiting] = field(default_factory=list)

    def receive(self, most: int) -> list[Message]:
        """Wait until a message can be received, and take it with the others that can be then."""
        self.now = max(self.now, min(waiting.visible_at for waiting in self.messages.values()))
        found = []
        for name, waiting in list(self.messages.items()):
            if waiting.visible_at > self.now or len(found) == most:
                continue
            if waiting.received == MOST_RECEIVES:
                self.dead.append(self.messages.pop(name))
                continue
            waiting.received += 1
            waiting.visible_at = self.now + VISIBILITY_SECONDS
            found.append(Message(name, name, waiting.received, waiting.body))
        return found

    def delete_message_batch(self, *, QueueUrl: str, Entries: Any) -> dict:  # noqa: N803
        for entry in Entries:
            self.messages.pop(entry["ReceiptHandle"], None)
        return {}

    def change_message_visibility_batch(self, *, QueueUrl: str, Entries: Any) -> dict:  # noqa: N803
        for entry in Entries:
            waiting = self.messages[entry["ReceiptHandle"]]
            waiting.visible_at = self.now + entry["VisibilityTimeout"]
        return {}


def body_of(name: str) -> str:
    return f'{{"bucket":"{LOGS}","key":"{flow_key(name)}"}}'


def put(deployment: Deployment, queue: MemoryQueue, *names: str) -> None:
    for name in names:
        deployment.put(flow_key(name), flow_lines(10))
        queue.messages[name] = Waiting(body_of(name))


def invoke(deployment: Deployment, queue: MemoryQueue, messages: list[Message]) -> None:
    """Run one invocation as Lambda does: it deletes what is done, unless the function dies."""
    attempt = Attempt(
        writer=deployment.engine.writer(),
        s3=deployment.s3,
        backup_bucket=BACKUP,
        seconds_left=lambda: float(FUNCTION_SECONDS),
    )
    indexer = deployment.indexer(attempt, Queue(queue, "queue"))  # type: ignore[arg-type]
    try:
        errors = indexer.index(messages)
    except (Died, ClusterNeedsFixing):
        return
    for message, error in zip(messages, errors, strict=True):
        if error is None:
            queue.messages.pop(message.id, None)


def end_function_at(monkeypatch: pytest.MonkeyPatch, deployment: Deployment, poison: set[str]):
    """Let the function die when it opens one of these; return how often each was tried."""
    keys = {flow_key(name): name for name in poison}
    tried = dict.fromkeys(poison, 0)
    get_object = deployment.s3.get_object

    def get(**arguments: Any) -> Any:
        if name := keys.get(arguments["Key"]):
            tried[name] += 1
            raise Died
        return get_object(**arguments)

    monkeypatch.setattr(deployment.s3, "get_object", get)
    return tried


@pytest.mark.parametrize("poison", [{"a"}, {"t"}, {"a", "j", "t"}, set("abcdefgh")])
def test_each_good_object_is_read_and_each_poison_object_ends_in_the_dead_letter_queue(
    deployment, monkeypatch, poison
):
    # The least number of tries below is of most orders in which delays let messages come, not all.
    monkeypatch.setattr("servicelogs.sources.queue.random", Random(0))
    queue = MemoryQueue()
    names = "abcdefghijklmnopqrst"
    put(deployment, queue, *names)
    tried = end_function_at(monkeypatch, deployment, poison)

    for _ in range(1000):
        if not queue.messages:
            break
        if messages := queue.receive(20):
            invoke(deployment, queue, messages)
            queue.now += 1

    assert queue.messages == {}
    assert {message.body for message in queue.dead} == {body_of(name) for name in poison}
    assert len(deployment.engine.documents) == 10 * (len(names) - len(poison))
    # But for what others ended before it was begun, every receive is a try.
    assert all(MOST_RECEIVES - len(poison) <= count <= MOST_RECEIVES for count in tried.values())


def test_what_dies_with_a_poison_object_is_received_without_it_next_time(deployment, monkeypatch):
    queue = MemoryQueue()
    put(deployment, queue, *"abc")
    end_function_at(monkeypatch, deployment, {"a"})
    invoke(deployment, queue, queue.receive(10))
    assert len(deployment.engine.documents) == 0
    invoke(deployment, queue, queue.receive(10))
    queue.now += 1

    again = queue.receive(10)

    assert [message.id for message in again] == ["b", "c"]
    assert queue.now < 2 * VISIBILITY_SECONDS
    invoke(deployment, queue, again)
    assert list(queue.messages) == ["a"]
    assert len(deployment.engine.documents) == 20


def test_new_messages_are_done_before_one_that_came_before_is_begun(deployment, monkeypatch):
    queue = MemoryQueue()
    put(deployment, queue, *"abc")
    queue.messages["a"].received = 1
    end_function_at(monkeypatch, deployment, {"a"})

    invoke(deployment, queue, queue.receive(10))

    assert list(queue.messages) == ["a"]
    assert deployment.counts["vpc_flow"]["Objects"] == 2


def test_an_engine_that_is_busy_is_left_alone_by_messages_that_came_before(deployment):
    queue = MemoryQueue()
    put(deployment, queue, *"abc")
    for waiting in queue.messages.values():
        waiting.received = 1
    deployment.engine.error = TryLater("busy")

    invoke(deployment, queue, queue.receive(10))

    assert len({waiting.visible_at for waiting in queue.messages.values()}) > 1
    assert all(waiting.visible_at >= 60 for waiting in queue.messages.values())


def test_a_cluster_that_needs_fixing_delays_also_what_was_not_begun(deployment):
    queue = MemoryQueue()
    put(deployment, queue, *"abcd")
    for waiting in queue.messages.values():
        waiting.received = 5
    deployment.engine.error = ClusterNeedsFixing("delete old indexes")

    invoke(deployment, queue, queue.receive(10))

    assert all(waiting.visible_at >= 900 for waiting in queue.messages.values())


def test_an_error_that_nobody_foresaw_fails_the_messages_and_says_so(deployment, monkeypatch):
    queue = MemoryQueue()
    put(deployment, queue, *"ab")

    def fail(_writer: FakeWriter) -> None:
        raise AttributeError("'str' object has no attribute 'get'")

    monkeypatch.setattr(FakeWriter, "flush", fail)

    invoke(deployment, queue, queue.receive(10))

    # They come again after a delay, not after the visibility timeout.
    assert all(30 <= waiting.visible_at <= 90 for waiting in queue.messages.values())


def test_what_fails_together_comes_apart():
    messages = [Message(str(number), "", 6, "") for number in range(200)]

    delays = [message.delay() for message in messages]

    assert len(set(delays)) > 100
    assert min(delays) < 1200 < 2400 < max(delays)
    assert all(900 <= delay <= 2700 for delay in delays)
