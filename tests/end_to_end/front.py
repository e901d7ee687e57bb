"""Stands before a search engine and injects what engines and networks do on a bad day."""

import http.client
import json
import threading
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import urlsplit

from local.processes import LOOPBACK

TOO_BUSY = {
    "error": {"type": "opensearch_rejected_execution_exception", "reason": "rejected execution"},
    "status": 429,
}


class Front:
    """Pass every request on, but for the bulk requests that a test wants answered otherwise."""

    def __init__(self) -> None:
        self.requests: list[tuple[str, str]] = []
        """The method and the path of each request."""
        self.bulk_requests = 0
        self.busy = 0
        """So many bulk requests are refused with 429 from now on."""
        self.before_bulk: Callable[[int], bool] = lambda number: True
        """Called with the number of each bulk request; False leaves it without an answer."""
        self._lock = threading.Lock()
        self._server = ThreadingHTTPServer((LOOPBACK, 0), _handler(self))
        self._server.daemon_threads = True
        self.engine = ""

    def before(self, engine: str) -> str:
        """Begin to stand before this engine; return the address to use instead."""
        self.engine = engine
        threading.Thread(target=self._server.serve_forever, daemon=True).start()
        return f"http://{LOOPBACK}:{self._server.server_port}"

    def close(self) -> None:
        """Step aside."""
        self._server.shutdown()
        self._server.server_close()

    def calm(self) -> None:
        """Pass everything on again."""
        self.busy, self.before_bulk = 0, lambda number: True

    def next_bulk(self) -> tuple[int, bool]:
        """Count a bulk request, and say whether it is to be refused."""
        with self._lock:
            self.bulk_requests += 1
            refused = self.busy > 0
            self.busy -= refused
            return self.bulk_requests, refused


def _handler(front: Front) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def _pass_on(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            front.requests.append((self.command, self.path.partition("?")[0]))
            if self.path.partition("?")[0].endswith("/_bulk"):
                number, refused = front.next_bulk()
                if refused:
                    self._answer(429, [], json.dumps(TOO_BUSY).encode())
                    return
                if not front.before_bulk(number):
                    self.close_connection = True
                    return
            address = urlsplit(front.engine)
            engine = http.client.HTTPConnection(address.hostname, address.port, timeout=60)
            headers = {name: value for name, value in self.headers.items() if name != "Host"}
            engine.request(self.command, self.path, body, headers)
            answer = engine.getresponse()
            self._answer(answer.status, answer.getheaders(), answer.read())
            engine.close()

        do_GET = do_HEAD = do_POST = do_PUT = do_DELETE = _pass_on  # noqa: N815 - the server's names

        def _answer(self, status: int, headers: list[tuple[str, str]], body: bytes) -> None:
            self.send_response(status)
            kept = {"content-type", "content-encoding"}
            for name, value in headers or [("content-type", "application/json")]:
                if name.lower() in kept:
                    self.send_header(name, value)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            """Print nothing."""

    return Handler
