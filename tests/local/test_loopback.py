"""What a local stack listens on: this machine only, and Docker's bridge through the relay."""

import socket
import sys
import threading
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from local import relay
from local.invoke import environment
from local.processes import LOOPBACK, Processes, free_port
from local.stack import Stack

STACK = Stack(
    "http://127.0.0.1:4566",
    "http://127.0.0.1:9200",
    "osmem",
    {
        "BackupBucketName": "backup",
        "QueueUrl": "http://127.0.0.1:4566/000000000000/objects",
        "ParquetQueueUrl": "http://127.0.0.1:4566/000000000000/parquet-files",
    },
    "http://127.0.0.1:8080",
)


def own_address() -> str:
    """Find an address of this machine that others could reach; no packet is sent."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect(("192.0.2.1", 9))
        except OSError:
            return LOOPBACK
        return str(probe.getsockname()[0])


@pytest.mark.end_to_end
def test_no_server_of_the_stack_can_be_reached_from_outside(deployed: Stack) -> None:
    address = own_address()
    if address == LOOPBACK:
        pytest.skip("this machine has no address but loopback")
    for url in (deployed.aws_endpoint, deployed.opensearch_endpoint, deployed.page):
        port = urlsplit(url).port
        with pytest.raises(ConnectionRefusedError):
            socket.create_connection((address, port), timeout=5)


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux has the whole of 127.0.0.0/8")
def test_the_relay_carries_both_directions(tmp_path: Path) -> None:
    # 127.0.0.2 stands for the bridge: an address of this machine where the server does not listen.
    processes = Processes(tmp_path)
    with socket.create_server((LOOPBACK, free_port())) as server:
        port = server.getsockname()[1]

        def echo() -> None:
            connection, _ = server.accept()
            with connection:
                connection.sendall(connection.recv(100).upper())

        threading.Thread(target=echo, daemon=True).start()
        try:
            relay.start(processes, "127.0.0.2", [port])
            with socket.create_connection(("127.0.0.2", port), timeout=10) as client:
                client.sendall(b"over the bridge")
                assert client.recv(100) == b"OVER THE BRIDGE"
        finally:
            processes.stop_all()


def test_a_function_in_a_container_gets_addresses_that_it_reaches() -> None:
    settings = environment(STACK, "172.17.0.1")
    assert settings["AWS_ENDPOINT_URL"] == "http://172.17.0.1:4566"
    assert settings["OPENSEARCH_ENDPOINT"] == "http://172.17.0.1:9200"
    assert settings["QUEUE_URL"] == "http://172.17.0.1:4566/000000000000/objects"
    assert LOOPBACK not in "".join(settings.values())
