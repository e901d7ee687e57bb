"""Background processes that are written down at once, so that they can always be ended."""

import contextlib
import json
import os
import random
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

LOOPBACK = "127.0.0.1"
# Below the range that systems take the ports of outgoing connections from.
PORTS = range(20_000, 32_000)
SECONDS_TO_END = 15


class StartFailed(Exception):
    """A process did not get ready; the message holds the end of its log."""


def free_port() -> int:
    """Pick a loopback port that nobody listens on."""
    for port in random.sample(PORTS, 200):
        with socket.socket() as probe:
            try:
                probe.bind((LOOPBACK, port))
            except OSError:
                continue
            return port
    raise StartFailed(f"no free port between {PORTS.start} and {PORTS.stop}")


class Processes:
    """What was started under one folder, on disk: `make down` can end it, also after a crash."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._children: dict[str, subprocess.Popen[bytes]] = {}

    def start(
        self,
        name: str,
        command: Sequence[str | Path],
        *,
        environment: Mapping[str, str] | None = None,
        user: str | None = None,
        scratch: Path | None = None,
        cwd: Path | None = None,
    ) -> None:
        """Start a process in a group of its own; `scratch` is removed when it is stopped."""
        self.folder.mkdir(parents=True, exist_ok=True)
        with _signals_held(), self.log(name).open("wb") as log:
            process = subprocess.Popen(
                [str(part) for part in command],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                env=dict(environment) if environment is not None else None,
                cwd=cwd,
                user=user,
                group=_group_of(user),
                extra_groups=[] if user else None,
                start_new_session=True,
            )
            record = {
                "pid": process.pid,
                "started": _started(process.pid),
                "scratch": str(scratch) if scratch else None,
            }
            self._record(name).write_text(json.dumps(record))
            self._children[name] = process

    def log(self, name: str) -> Path:
        """Say where a process writes what it prints."""
        return self.folder / f"{name}.log"

    def running(self, name: str) -> bool:
        """Say whether the process that was started under this name is still there."""
        record = self._read(name)
        return record is not None and _is(record["pid"], record["started"])

    def wait_until(self, name: str, ready: Callable[[], bool], seconds: float) -> None:
        """Wait until a process is ready; one that ends or takes too long is a StartFailed."""
        give_up = time.monotonic() + seconds
        while not ready():
            if not self.running(name):
                raise StartFailed(f"{name} ended while it started:\n{self._end_of_log(name)}")
            if time.monotonic() > give_up:
                raise StartFailed(
                    f"{name} was not ready after {seconds:.0f} s:\n{self._end_of_log(name)}"
                )
            time.sleep(0.1)

    def finish(self, name: str) -> None:
        """Wait for a process that ends by itself; one that fails is a StartFailed."""
        status = self._children[name].wait()
        self._record(name).unlink(missing_ok=True)
        if status:
            raise StartFailed(
                f"{name} failed with status {status} (all of it: {self.log(name)}):\n"
                f"{self._end_of_log(name)}"
            )

    def stop(self, name: str) -> None:
        """End a process with everything it started, and remove what it kept."""
        record = self._read(name)
        if record is None:
            return
        _end_group(record["pid"], record["started"])
        self._children.pop(name, None)
        if record["scratch"]:
            shutil.rmtree(record["scratch"], ignore_errors=True)
        self._record(name).unlink(missing_ok=True)

    def stop_all(self) -> list[str]:
        """End every process of this folder, the latest first; return their names."""
        records = sorted(self.folder.glob("*.pid"), key=lambda path: path.stat().st_mtime)
        names = [path.stem for path in reversed(records)]
        for name in names:
            self.stop(name)
        return names

    def _record(self, name: str) -> Path:
        return self.folder / f"{name}.pid"

    def _read(self, name: str) -> dict[str, Any] | None:
        try:
            return json.loads(self._record(name).read_text())
        except (FileNotFoundError, ValueError):
            return None

    def _end_of_log(self, name: str, lines: int = 30) -> str:
        text = self.log(name).read_text(errors="replace")
        return "\n".join(text.splitlines()[-lines:])


@contextlib.contextmanager
def _signals_held() -> Iterator[None]:
    """Hold back what would end us while a process exists that is not written down yet.

    They are noted instead of blocked: a process inherits what is blocked, and could not be ended.
    """
    arrived: list[int] = []
    handlers = {
        number: signal.signal(number, lambda number, _frame: arrived.append(number))
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
    }
    try:
        yield
    finally:
        for number, handler in handlers.items():
            signal.signal(number, handler)
        for number in arrived:
            signal.raise_signal(number)


def _group_of(user: str | None) -> int | None:
    if user is None:
        return None
    import pwd  # not on Windows, where nobody passes a user

    return pwd.getpwnam(user).pw_gid


def _started(pid: int) -> str:
    """Say when a process started, in words that another process with its number would not get."""
    if sys.platform == "linux":
        try:
            after_name = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        except (FileNotFoundError, ProcessLookupError):
            return ""
        return "" if after_name[0] == "Z" else after_name[19]
    answer = subprocess.run(
        ["ps", "-o", "stat=,lstart=", "-p", str(pid)], capture_output=True, text=True, check=False
    )
    state, _, started = answer.stdout.strip().partition(" ")
    return "" if state.startswith("Z") else started.strip()


def _is(pid: int, started: str) -> bool:
    return bool(started) and _started(pid) == started


def _end_group(pid: int, started: str) -> None:
    """Ask a process group to end, then make it."""
    now = _started(pid)
    if now and now != started:
        return  # the number belongs to somebody else by now: the whole group had ended
    for number, seconds in ((signal.SIGTERM, SECONDS_TO_END), (signal.SIGKILL, SECONDS_TO_END)):
        try:
            os.killpg(pid, number)
        except (ProcessLookupError, PermissionError):
            return
        give_up = time.monotonic() + seconds
        while time.monotonic() < give_up:
            _reap(pid)
            if not _group_lives(pid):
                return
            time.sleep(0.05)


def _group_lives(group: int) -> bool:
    try:
        os.killpg(group, 0)
    except (ProcessLookupError, PermissionError):
        return False
    if sys.platform != "linux":
        return True
    # A container without an init process keeps zombies for ever: they are not alive.
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            after_name = stat.read_text().rpartition(")")[2].split()
        except (FileNotFoundError, ProcessLookupError):
            continue
        if int(after_name[2]) == group and after_name[0] != "Z":
            return True
    return False


def _reap(pid: int) -> None:
    with contextlib.suppress(ChildProcessError):
        os.waitpid(pid, os.WNOHANG)
