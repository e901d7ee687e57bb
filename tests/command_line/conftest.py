"""The command line, in this process."""

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest

from servicelogs.command_line.main import main

Run = Callable[..., subprocess.CompletedProcess[bytes]]


@contextmanager
def standard_input(path: Path) -> Iterator[None]:
    """Let this process read a file as its standard input."""
    before = os.dup(0)
    with path.open("rb") as file:
        os.dup2(file.fileno(), 0)
    try:
        yield
    finally:
        os.dup2(before, 0)
        os.close(before)


@pytest.fixture
def run(tmp_path: Path, tmp_path_factory: pytest.TempPathFactory) -> Run:
    """Run the command in a folder of its own, with files for its streams."""
    streams = tmp_path_factory.mktemp("streams")

    def run_it(*arguments: str, stdin: bytes = b"") -> subprocess.CompletedProcess[bytes]:
        (streams / "stdin").write_bytes(stdin)
        with ExitStack() as stack, pytest.MonkeyPatch.context() as patch:
            patch.chdir(tmp_path)
            stack.enter_context(standard_input(streams / "stdin"))
            for name in ("stdout", "stderr"):
                stream = stack.enter_context((streams / name).open("w", encoding="utf-8"))
                patch.setattr(sys, name, stream)
            try:
                status: object = main(arguments)
            except SystemExit as ended:
                status = ended.code
        assert isinstance(status, int)
        out, err = ((streams / name).read_bytes() for name in ("stdout", "stderr"))
        return subprocess.CompletedProcess(arguments, status, out, err)

    return run_it
