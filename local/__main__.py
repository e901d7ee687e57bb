"""What the Makefile calls: up, demo, down; and one search engine alone, for tests."""

import argparse
import os
import signal
import sys
from collections.abc import Mapping
from types import FrameType

from local import ROOT, STATE, emulated_aws, invoke
from local.processes import Processes, StartFailed
from local.search_engines import ENGINES
from local.stack import LocalStack, Stack

DEFAULT_ENGINE = "osmem"
LOCAL = LocalStack()


def main() -> int:
    """Carry out one command."""
    parser = argparse.ArgumentParser(prog="python -m local", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    for name, run in {"up": up, "demo": demo, "down": down}.items():
        commands.add_parser(name, help=run.__doc__).set_defaults(run=run)
    engine_parser = commands.add_parser("engine", help=engine.__doc__)
    engine_parser.add_argument("name", choices=ENGINES)
    engine_parser.set_defaults(run=engine)
    arguments = parser.parse_args()
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, _end)
    try:
        return arguments.run(arguments)
    except StartFailed as error:
        print(f"\n{error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130


def up(_: argparse.Namespace) -> int:
    """Start the stack and print where it is."""
    started = _start()
    print(f"\nemulated AWS   {started.aws_endpoint}")
    print(f"OpenSearch     {started.opensearch_endpoint}  ({started.search})")
    print(f"dashboards     {started.page}/")
    _show(started.outputs)
    if started.member:
        print(f"in the member account {emulated_aws.MEMBER}, whose key is its id")
        _show(started.member)
    print(f"written to {LOCAL.endpoints.relative_to(ROOT)}; `make down` ends it")
    return 0


def _show(outputs: Mapping[str, str]) -> None:
    width = max(map(len, outputs))
    for name, value in sorted(outputs.items()):
        print(f"  {name:<{width}} {value}")


def demo(_: argparse.Namespace) -> int:
    """Send sample logs through the stack and account for every record."""
    from local import demo

    running = LOCAL.running()
    return demo.run(running if running and running.accounts == _accounts() else _start())


def down(_: argparse.Namespace) -> int:
    """End the stack and everything it started."""
    ended = LOCAL.down()
    print(f"ended: {', '.join(ended)}" if ended else "nothing was running")
    return 0


def engine(arguments: argparse.Namespace) -> int:
    """Start one search engine, print its address, and end it with Ctrl-C."""
    processes = Processes(STATE / f"{arguments.name}-{os.getpid()}")
    try:
        print(ENGINES[arguments.name](processes), flush=True)
        signal.pause()
    finally:
        processes.stop_all()
    return 0


def _start() -> Stack:
    return LOCAL.up(
        os.environ.get("SEARCH") or DEFAULT_ENGINE,
        accounts=_accounts(),
        afterwards=lambda stack: invoke.prepare(LOCAL.processes, stack),
    )


def _accounts() -> int:
    """Read how many accounts there are to be."""
    said = os.environ.get("ACCOUNTS") or "1"
    if said not in ("1", "2"):
        raise StartFailed(
            f"ACCOUNTS is {said!r}, must be 1 (all logs are of the central account) or 2 (a member "
            "account beside it sends its own)"
        )
    return int(said)


def _end(number: int, _frame: FrameType | None) -> None:
    sys.exit(128 + number)


if __name__ == "__main__":
    sys.exit(main())
