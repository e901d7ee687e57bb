"""Whatever is started on a machine is ended again, also by another process, also after a crash."""

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from local import ROOT
from local.processes import LOOPBACK, Processes, StartFailed, free_port

SLEEP = [sys.executable, "-c", "import time; time.sleep(60)"]
# A server that has workers, and does not care about being asked to end.
STUBBORN_WITH_CHILD = [
    "bash",
    "-c",
    "trap '' TERM; sleep 61 & echo $! > child; echo ready; wait; sleep 60",
]


@pytest.fixture
def processes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Processes]:
    monkeypatch.setattr("local.processes.SECONDS_TO_END", 0.5)
    started = Processes(tmp_path / "processes")
    yield started
    started.stop_all()


def alive(pid: int) -> bool:
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except FileNotFoundError:
        return False
    return state != "Z"


def test_a_free_port_can_be_listened_on() -> None:
    with socket.create_server((LOOPBACK, free_port())) as server:
        assert server.fileno() > 0


def test_a_port_in_use_is_not_given(monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.create_server((LOOPBACK, 0)) as taken:
        used, free = taken.getsockname()[1], free_port()
        monkeypatch.setattr("random.sample", lambda *_: [used, free])
        assert free_port() == free


def test_without_a_free_port_the_start_fails_by_name(monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.create_server((LOOPBACK, 0)) as taken:
        monkeypatch.setattr("random.sample", lambda *_: [taken.getsockname()[1]])
        with pytest.raises(StartFailed, match="no free port"):
            free_port()


def test_a_process_that_ends_at_once_fails_with_the_end_of_its_log(processes: Processes) -> None:
    processes.start("broken", [sys.executable, "-c", "raise SystemExit('no such port')"])
    with pytest.raises(StartFailed, match="no such port"):
        processes.wait_until("broken", lambda: False, 20)


def test_a_process_that_never_gets_ready_fails_after_the_time_given(processes: Processes) -> None:
    processes.start("slow", SLEEP)
    with pytest.raises(StartFailed, match="slow was not ready after 0 s"):
        processes.wait_until("slow", lambda: False, 0.3)


def test_a_step_that_fails_says_its_status_and_where_its_log_is(processes: Processes) -> None:
    processes.start("step", ["bash", "-c", "echo went wrong; exit 3"])
    with pytest.raises(StartFailed, match=r"(?s)status 3.*step\.log.*went wrong"):
        processes.finish("step")


def test_stop_ends_the_children_too_and_removes_what_was_kept(
    processes: Processes, tmp_path: Path
) -> None:
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    processes.start("server", STUBBORN_WITH_CHILD, scratch=scratch, cwd=scratch)
    processes.wait_until("server", lambda: "ready" in processes.log("server").read_text(), 20)
    child = int((scratch / "child").read_text())
    assert alive(child)
    assert processes.stop_all() == ["server"]
    assert not alive(child)
    assert not scratch.exists()


def test_what_a_crashed_starter_left_is_ended_by_the_next(
    processes: Processes, tmp_path: Path
) -> None:
    start_and_crash = (
        "import os, signal, sys; from pathlib import Path; from local.processes import Processes; "
        f"Processes(Path({str(processes.folder)!r})).start('orphan', {SLEEP!r}); "
        "os.kill(os.getpid(), signal.SIGKILL)"
    )
    crashed = subprocess.run([sys.executable, "-c", start_and_crash], cwd=ROOT, check=False)
    assert crashed.returncode == -signal.SIGKILL
    assert processes.running("orphan")
    assert processes.stop_all() == ["orphan"]
    assert not processes.running("orphan")


def test_a_process_is_asked_to_end_before_it_is_made_to(
    processes: Processes, tmp_path: Path
) -> None:
    polite = [
        "bash",
        "-c",
        "trap 'echo thanks; exit' TERM; echo ready; while :; do sleep 0.05; done",
    ]
    processes.start("server", polite)
    processes.wait_until("server", lambda: "ready" in processes.log("server").read_text(), 20)
    processes.stop("server")
    assert "thanks" in processes.log("server").read_text()


def test_ctrl_c_while_a_process_starts_does_not_lose_it(
    processes: Processes, monkeypatch: pytest.MonkeyPatch
) -> None:
    popen = subprocess.Popen

    def interrupted(*arguments: object, **options: object) -> object:
        process = popen(*arguments, **options)  # type: ignore[call-overload]
        signal.raise_signal(signal.SIGINT)
        return process

    monkeypatch.setattr("local.processes.subprocess.Popen", interrupted)
    # A worker of a parallel run ignores Ctrl-C.
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        with pytest.raises(KeyboardInterrupt):
            processes.start("server", SLEEP)
    finally:
        signal.signal(signal.SIGINT, before)
    monkeypatch.undo()
    assert processes.stop_all() == ["server"]


def test_a_leader_that_died_leaves_no_children_behind(processes: Processes, tmp_path: Path) -> None:
    processes.start("server", STUBBORN_WITH_CHILD, cwd=tmp_path)
    processes.wait_until("server", lambda: "ready" in processes.log("server").read_text(), 20)
    child = int((tmp_path / "child").read_text())
    leader = os.getpgid(child)
    os.kill(leader, signal.SIGKILL)
    os.waitpid(leader, 0)
    assert alive(child)
    processes.stop("server")
    assert not alive(child)


def test_somebody_elses_process_with_the_same_number_is_left_alone(
    processes: Processes, tmp_path: Path
) -> None:
    processes.start("mine", SLEEP)
    record = processes.folder / "mine.pid"
    stranger = record.read_text().replace('"started": "', '"started": "9')
    mine = record.read_text()
    record.write_text(stranger)
    assert not processes.running("mine")
    processes.stop("mine")
    record.write_text(mine)
    assert processes.running("mine")


def test_stopping_when_nothing_runs_is_no_error(tmp_path: Path) -> None:
    assert Processes(tmp_path / "never").stop_all() == []


def test_the_latest_is_ended_first(processes: Processes) -> None:
    for name in ("first", "second"):
        processes.start(name, SLEEP)
        time.sleep(0.02)
    assert processes.stop_all() == ["second", "first"]
