"""Let the containers of this machine reach servers that listen on loopback only.

On Linux a container sees its host under the address of Docker's bridge, where nothing listens; that
address exists on this machine alone. Docker Desktop needs no relay: it has a name for loopback.
"""

import asyncio
import contextlib
import ipaddress
import json
import shutil
import subprocess
import sys
from collections.abc import Callable, Coroutine, Sequence

from local.processes import LOOPBACK, Processes

DOCKER_DESKTOP = "host.docker.internal"
PIECE = 64 * 1024


def bridge() -> str | None:
    """Return the address of this machine on Docker's bridge; None where there is no such bridge."""
    if sys.platform != "linux" or not shutil.which("docker"):
        return None
    inspect = ["docker", "network", "inspect", "bridge"]
    try:
        answer = subprocess.run(inspect, capture_output=True, check=True, timeout=10)
    except (subprocess.CalledProcessError, subprocess.TimeoutExpired):
        return None  # no engine runs, so no container will ask
    network = json.loads(answer.stdout)[0]["IPAM"]["Config"][0]
    # An engine that chose the address itself does not always name it: it is the network's first.
    return network.get("Gateway") or str(ipaddress.ip_network(network["Subnet"])[1])


def start(processes: Processes, address: str, ports: Sequence[int]) -> None:
    """Relay these ports of an address to the same ports of loopback from now on."""
    processes.stop("relay")
    command = [sys.executable, "-m", "local.relay", address, *map(str, ports)]
    processes.start("relay", command)
    processes.wait_until("relay", lambda: "ready" in processes.log("relay").read_text(), 20)


async def relay(address: str, ports: Sequence[int]) -> None:
    """Relay until the process is ended."""
    async with contextlib.AsyncExitStack() as stack:
        for port in ports:
            server = await asyncio.start_server(_connect_to(port), address, port)
            await stack.enter_async_context(server)
        print("ready", flush=True)
        await asyncio.Event().wait()


def _connect_to(
    port: int,
) -> Callable[[asyncio.StreamReader, asyncio.StreamWriter], Coroutine[None, None, None]]:
    async def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            inner_reader, inner_writer = await asyncio.open_connection(LOOPBACK, port)
        except OSError:
            writer.close()
            return
        await asyncio.gather(_copy(reader, inner_writer), _copy(inner_reader, writer))

    return connected


async def _copy(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with contextlib.suppress(ConnectionError):
        while piece := await reader.read(PIECE):
            writer.write(piece)
            await writer.drain()
    writer.close()


if __name__ == "__main__":
    asyncio.run(relay(sys.argv[1], [int(port) for port in sys.argv[2:]]))
