"""The stack on this machine: started whole, ended whole."""

import contextlib
import fcntl
import json
import sys
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, field
from pathlib import Path

from local import ROOT, STATE, emulated_aws
from local.deploy import Deployment
from local.processes import LOOPBACK, Processes, StartFailed, free_port
from local.search_engines import ENGINES


@dataclass(frozen=True)
class Stack:
    """Where a running stack is reached."""

    aws_endpoint: str
    opensearch_endpoint: str
    search: str
    outputs: dict[str, str]
    page: str
    """The address that browsers open."""
    member: dict[str, str] = field(default_factory=dict)
    """The outputs in the member account; empty if there is none."""

    @property
    def accounts(self) -> int:
        """Count the accounts whose logs are read."""
        return 2 if self.member else 1


class LocalStack:
    """A stack whose processes, build and endpoints are kept in one folder."""

    def __init__(self, state: Path = STATE, project: Path = ROOT) -> None:
        self.processes = Processes(state / "processes")
        self.endpoints = state / "endpoints.json"
        self.deployment = Deployment(self.processes, state, project)
        self._lock = state / "lock"

    def running(self) -> Stack | None:
        """Return the stack that is up, whole, or None."""
        try:
            stack = Stack(**json.loads(self.endpoints.read_text()))
        except (FileNotFoundError, TypeError, ValueError):
            return None
        whole = all(map(self.processes.running, ("aws", stack.search, "page")))
        return stack if whole else None

    def up(
        self,
        search: str,
        *,
        accounts: int = 1,
        in_front: Callable[[str], str] = lambda engine: engine,
        afterwards: Callable[[Stack], None] = lambda _: None,
    ) -> Stack:
        """Start what does not run, build and deploy.

        Whatever fails, nothing that this started is left running. A test may put something in front
        of the search engine, and gives back the address that the functions are to use.
        """
        if search not in ENGINES:
            raise StartFailed(f"SEARCH is {search!r}, must be one of: {', '.join(ENGINES)}")
        with self._alone():
            before = self.running()
            if before and before.search != search:
                raise StartFailed(
                    f"the stack runs with {before.search}: "
                    f"set SEARCH={before.search}, or `make down` first"
                )
            if before and before.accounts > accounts:
                raise StartFailed(
                    "the stack runs with 2 accounts: set ACCOUNTS=2, or `make down` first"
                )
            try:
                if not before:
                    self.down()
                stack = self._up(search, accounts, before, in_front)
                afterwards(stack)
            except BaseException:
                if before:
                    self.deployment.stop()
                else:
                    self.down()
                raise
            self.endpoints.write_text(json.dumps(asdict(stack), indent=2) + "\n")
            return stack

    def down(self) -> list[str]:
        """End everything that was started, also after a crash; return what ran."""
        self.endpoints.unlink(missing_ok=True)
        return self.processes.stop_all()

    def _up(
        self, search: str, accounts: int, before: Stack | None, in_front: Callable[[str], str]
    ) -> Stack:
        member = accounts > 1
        _say("building")
        self.deployment.start_build(member=member)
        if before:
            aws, engine = before.aws_endpoint, before.opensearch_endpoint
        else:
            _say(f"starting emulated AWS and {search}")
            aws, engine = emulated_aws.start(self.processes), ENGINES[search](self.processes)
        self.deployment.finish_build(member=member)
        _say("deploying")
        parameters = {"OpenSearchEndpoint": in_front(engine), "AwsEndpointUrl": aws}
        page = before.page if before else start_page(self.processes, self.endpoints)
        if not member:
            return Stack(aws, engine, search, self.deployment.deploy(aws, parameters), page)
        central = self.deployment.deploy(
            aws, parameters | {"MemberAccountIds": emulated_aws.MEMBER}
        )
        _say("deploying in the member account")
        in_member = self.deployment.deploy_member(aws, central, {})
        return Stack(aws, engine, search, central, page, in_member)

    @contextlib.contextmanager
    def _alone(self) -> Iterator[None]:
        """Keep a second start in the same folder out."""
        self._lock.parent.mkdir(parents=True, exist_ok=True)
        with self._lock.open("w") as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                raise StartFailed("the stack is being started from this checkout") from None
            yield


def start_page(processes: Processes, endpoints: Path) -> str:
    """Start the page's server for the stack that this file describes; return its address."""
    port = free_port()
    processes.start("page", [sys.executable, "-m", "local.page_server", str(port), endpoints])
    processes.wait_until("page", lambda: "ready" in processes.log("page").read_text(), 60)
    return f"http://{LOOPBACK}:{port}"


def _say(what: str) -> None:
    print(f"{what} …", flush=True)
