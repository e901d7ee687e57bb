"""Stands between a function and AWS: notes what it asks, kills it before one of its writes."""

import http.client
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import urlsplit

from local.processes import LOOPBACK
from tests.end_to_end.processes import environment, kill_function

WRITES = ("Put", "Update", "Delete", "TransactWrite", "BatchCreate", "BatchUpdate")
"""What the names of actions of DynamoDB and Glue begin with, if they change something."""
_OF_ONE_CONNECTION = {"connection", "expect", "keep-alive", "transfer-encoding"}


class AwsFront:
    """Pass on what a function asks of AWS; before the write of a number it is killed, once."""

    def __init__(self, aws_endpoint: str, function: str) -> None:
        self.killed = ""
        """The write before which it was killed."""
        self.asked: list[str] = []
        """Method and path of all that it asked, in order."""
        self._function = function
        self._number = self._writes = 0
        self._lock = threading.Lock()
        self._server = _Server((LOOPBACK, 0), _handler(self, aws_endpoint))
        self.endpoint = f"http://{LOOPBACK}:{self._server.server_port}"

    def start(self) -> None:
        """Begin to pass on."""
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def close(self) -> None:
        """Step aside."""
        self._server.shutdown()
        self._server.server_close()

    def kill_before(self, number: int) -> None:
        """Kill the function before its write of this number, counted from now on."""
        with self._lock:
            self._number, self._writes, self.killed = number, 0, ""

    def passes(self, write: str) -> bool:
        """Count a write; say whether it reaches AWS."""
        with self._lock:
            self._writes += 1
            if self.killed or self._writes != self._number:
                return True
            self.killed = write
        kill_function(self._function)
        return False


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Print nothing of connections that end with a function that was killed."""
        if not isinstance(sys.exception(), ConnectionError):
            super().handle_error(request, client_address)


@contextmanager
def front_of(aws_endpoint: str, function: str) -> Iterator[AwsFront]:
    """Stand before what a function asks for a while."""
    front = AwsFront(aws_endpoint, function)
    front.start()
    try:
        with environment(aws_endpoint, function, AWS_ENDPOINT_URL=front.endpoint):
            yield front
    finally:
        front.close()


def _handler(front: AwsFront, aws_endpoint: str) -> type[BaseHTTPRequestHandler]:
    address = urlsplit(aws_endpoint)

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def _pass_on(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            front.asked.append(f"{self.command} {self.path}")
            write = self._write()
            if write and not front.passes(write):
                self.close_connection = True
                return
            aws = http.client.HTTPConnection(address.hostname or "", address.port, timeout=60)
            aws.putrequest(self.command, self.path, skip_host=True, skip_accept_encoding=True)
            for name, value in _kept(self.headers.items()):
                aws.putheader(name, value)
            aws.endheaders(body)
            answer = aws.getresponse()
            content = answer.read()
            self.send_response_only(answer.status)
            headers = dict(_kept(answer.getheaders()))
            if self.command != "HEAD":
                headers = {n: v for n, v in headers.items() if n.lower() != "content-length"}
                headers["Content-Length"] = str(len(content))
            for name, value in headers.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(content)
            aws.close()

        do_GET = do_HEAD = do_POST = do_PUT = do_DELETE = _pass_on  # noqa: N815 - the server's names

        def _write(self) -> str:
            """Say what the request would change; nothing if it only reads."""
            target = str(self.headers.get("X-Amz-Target", ""))
            if target:
                return target if target.rpartition(".")[2].startswith(WRITES) else ""
            return "" if self.command in ("GET", "HEAD") else f"{self.command} {self.path}"

        def log_message(self, *_: object) -> None:
            """Print nothing."""

    return Handler


def _kept(headers: Any) -> list[tuple[str, str]]:
    return [(name, value) for name, value in headers if name.lower() not in _OF_ONE_CONNECTION]
