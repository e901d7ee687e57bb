"""The stack on this machine: started whole, ended whole."""

import contextlib
import fcntl
import json
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

from local import ROOT, STATE, deploy, emulated_aws, invoke
from local.processes import Processes, StartFailed
from local.search_engines import ENGINES

PROCESSES = Processes(STATE / "processes")
ENDPOINTS = STATE / "endpoints.json"


@dataclass(frozen=True)
class Stack:
    """Where a running stack is reached."""

    aws_endpoint: str
    opensearch_endpoint: str
    search: str
    outputs: dict[str, str]


def running() -> Stack | None:
    """Return the stack that is up, whole, or None."""
    try:
        stack = Stack(**json.loads(ENDPOINTS.read_text()))
    except (FileNotFoundError, TypeError, ValueError):
        return None
    whole = PROCESSES.running("aws") and PROCESSES.running(stack.search)
    return stack if whole else None


def up(search: str, project: Path = ROOT) -> Stack:
    """Start what does not run, build and deploy; whatever fails, nothing is left running."""
    if search not in ENGINES:
        raise StartFailed(f"SEARCH is {search!r}, must be one of: {', '.join(ENGINES)}")
    before = running()
    if before and before.search != search:
        raise StartFailed(f"the stack runs with {before.search}: `make down` first")
    with _alone():
        try:
            if not before:
                down()
            return _up(search, before, project)
        except BaseException:
            down()
            raise


def down() -> list[str]:
    """End everything that was started, also after a crash; return what ran."""
    ENDPOINTS.unlink(missing_ok=True)
    return PROCESSES.stop_all()


def _up(search: str, before: Stack | None, project: Path) -> Stack:
    _say("building")
    deploy.start_build(PROCESSES, project)
    if before:
        aws, engine = before.aws_endpoint, before.opensearch_endpoint
    else:
        _say(f"starting emulated AWS and {search}")
        aws, engine = emulated_aws.start(PROCESSES), ENGINES[search](PROCESSES)
    PROCESSES.finish("build")
    _say("deploying")
    parameters = {"OpenSearchEndpoint": engine, "AwsEndpointUrl": aws}
    outputs = deploy.deploy(PROCESSES, aws, parameters, project)
    stack = Stack(aws, engine, search, outputs)
    invoke.prepare(PROCESSES, stack)
    ENDPOINTS.write_text(json.dumps(asdict(stack), indent=2) + "\n")
    return stack


@contextlib.contextmanager
def _alone() -> Iterator[None]:
    """Keep a second start in the same checkout out."""
    STATE.mkdir(exist_ok=True)
    with (STATE / "lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise StartFailed("the stack is being started from this checkout already") from None
        yield


def _say(what: str) -> None:
    print(f"{what} …", flush=True)
