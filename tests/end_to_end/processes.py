"""The processes in which the emulator runs functions, and what they are started with."""

import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from local import deploy


def kill_function(name: str) -> list[int]:
    """End every process that runs the function, as when its machine fails."""
    killed = []
    for environment in Path("/proc").glob("[0-9]*/environ"):
        try:
            settings = environment.read_bytes().split(b"\0")
        except OSError:
            continue
        if f"AWS_LAMBDA_FUNCTION_NAME={name}".encode() in settings:
            pid = int(environment.parent.name)
            os.kill(pid, signal.SIGKILL)
            killed.append(pid)
    return killed


@contextmanager
def environment(aws_endpoint: str, function: str, **variables: str) -> Iterator[None]:
    """Start a function's processes with other variables for a while."""
    client = deploy.client("lambda", aws_endpoint)
    before = client.get_function_configuration(FunctionName=function)["Environment"]
    changed = {"Variables": before["Variables"] | variables}
    client.update_function_configuration(FunctionName=function, Environment=changed)
    try:
        yield
    finally:
        client.update_function_configuration(FunctionName=function, Environment=before)
