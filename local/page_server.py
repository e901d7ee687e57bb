"""Serve the page on loopback, and let its searches, and nothing else, through to the search engine.

It reads where the stack is from the file that `make up` writes, each time anew.
"""

import json
import socket
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Mapping
from contextlib import suppress
from functools import cache
from http import HTTPStatus
from http.client import HTTPException
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from local.pipeline_state import PipelineState
from local.processes import LOOPBACK
from local.read_only import APIS, MOST_BYTES, Refused, check_index, checked_body
from local.stack import Stack
from servicelogs.opensearch.dashboards.export import export

PREFIX = "aws"
FOLDER = Path(__file__).parent / "page"
SECONDS = 60
SECONDS_TO_ASK = 10
"""A request has come whole by then, however slowly its parts came."""
MOST_CONNECTIONS = 64
TYPES = {
    ".html": "text/html; charset=utf-8",
    ".css": "text/css; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".svg": "image/svg+xml",
    ".json": "application/json",
}
HEADERS = {
    "Content-Security-Policy": "default-src 'self'; object-src 'none'; base-uri 'none'; "
    "form-action 'none'; frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cache-Control": "no-store",
}
# A proxy of the user's is not asked for what is on this machine.
_open = urllib.request.build_opener(urllib.request.ProxyHandler({})).open


class PageServer(ThreadingHTTPServer):
    """The server of one stack's page."""

    daemon_threads = True

    def __init__(self, port: int, endpoints: Path) -> None:
        super().__init__((LOOPBACK, port), _Handler)
        self.hosts = {f"{name}:{self.server_port}" for name in (LOOPBACK, "localhost")}
        self.pipeline = PipelineState()
        self._endpoints = endpoints
        # When each began; a browser has six.
        self._connections: dict[socket.socket, float] = {}

    def process_request(self, request: Any, client_address: Any) -> None:
        """Answer in a thread of its own, of which there are so many."""
        if len(self._connections) < MOST_CONNECTIONS:
            self._connections[request] = time.monotonic()
            super().process_request(request, client_address)
        else:
            self.shutdown_request(request)

    def shutdown_request(self, request: Any) -> None:
        """Forget a connection that ends."""
        self._connections.pop(request, None)
        super().shutdown_request(request)

    def service_actions(self) -> None:
        """Read no further from whoever takes too long to ask: called every half second."""
        late = time.monotonic() - SECONDS_TO_ASK
        for request, began in self._connections.copy().items():
            if began < late:
                with suppress(OSError):
                    request.shutdown(socket.SHUT_RD)

    def stack(self) -> Stack:
        """Read where the stack is."""
        try:
            return Stack(**json.loads(self._endpoints.read_text()))
        except (FileNotFoundError, TypeError, ValueError) as error:
            text = "the stack is not up (again): wait for `make up`, or start it"
            raise Refused(HTTPStatus.SERVICE_UNAVAILABLE, text) from error


class _Handler(BaseHTTPRequestHandler):
    """Answers one request a connection: nothing behind its body is taken for another one."""

    server: PageServer
    # Else what names no version is answered without headers.
    default_request_version = "HTTP/1.0"
    server_version, sys_version = "service-logs", ""
    timeout = SECONDS

    def do_GET(self) -> None:
        """Answer with a file of the page, or with what the server itself knows."""
        self._answer_with(self._get)

    do_HEAD = do_GET  # noqa: N815 - the library's name

    def do_POST(self) -> None:
        """Hand a search on to the engine."""
        self._answer_with(self._search)

    def _answer_with(self, ask: Callable[[], tuple[int, bytes, str]]) -> None:
        try:
            self._check_origin()
            status, content, kind = ask()
        except Refused as refused:
            self._refuse(refused)
        else:
            self._answer(status, content, kind)

    def send_error(self, code: int, message: str | None = None, explain: str | None = None) -> None:
        """Say in JSON what the library refuses: other methods, requests that it cannot read."""
        status = HTTPStatus(code)
        if status is HTTPStatus.NOT_IMPLEMENTED:
            status = HTTPStatus.METHOD_NOT_ALLOWED
            message = f"{self.command} is not let through: this server only reads (GET, POST)"
        self._refuse(Refused(status, message or explain or status.phrase))

    def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
        """Keep quiet about what went well."""

    def log_error(self, message: str, *values: Any) -> None:
        """Say what went wrong; that a browser asks nothing for a while did not."""
        if message != "Request timed out: %r":
            self.log_message(message, *values)

    def _check_origin(self) -> None:
        """Refuse what another site, or a name that somebody made point here, had a browser ask."""
        host = self.headers.get_all("Host", [])
        if len(host) != 1 or host[0] not in self.server.hosts:
            raise Refused(
                HTTPStatus.FORBIDDEN,
                f"the Host {host!r:.80} is not this server's: open http://{LOOPBACK}:"
                f"{self.server.server_port}/",
            )
        origin = self.headers.get("Origin")
        foreign = origin is not None and origin != f"http://{host[0]}"
        if foreign or self.headers.get("Sec-Fetch-Site", "none") not in ("none", "same-origin"):
            text = f"a page of another origin ({origin!r:.80}) may not ask this server"
            raise Refused(HTTPStatus.FORBIDDEN, text)

    def _get(self) -> tuple[int, bytes, str]:
        asked = self.path.partition("?")[0]
        if asked == "/pages.json":
            return HTTPStatus.OK, _pages(), TYPES[".json"]
        if asked == "/pipeline.json":
            return HTTPStatus.OK, self._of_pipeline(PipelineState.counts), TYPES[".json"]
        if asked == "/rejects.json":
            return HTTPStatus.OK, self._of_pipeline(PipelineState.rejects), TYPES[".json"]
        if (file := _files().get(asked)) is None:
            raise Refused(HTTPStatus.NOT_FOUND, f"there is no {asked!r:.80} here")
        return HTTPStatus.OK, file.read_bytes(), TYPES[file.suffix]

    def _of_pipeline(self, ask: Callable[[PipelineState, Stack], dict[str, Any]]) -> bytes:
        try:
            return _json(ask(self.server.pipeline, self.server.stack()))
        except (BotoCoreError, ClientError) as error:
            text = f"emulated AWS does not answer as it must ({error}): is the stack up?"
            raise Refused(HTTPStatus.BAD_GATEWAY, text) from error

    def _search(self) -> tuple[int, bytes, str]:
        parts = self.path.split("/")
        if len(parts) != 4 or parts[:2] != ["", "search"] or parts[3] not in APIS:
            raise Refused(
                HTTPStatus.FORBIDDEN,
                f"{self.path!r:.80} is not let through: only /search/INDEX/_search and "
                "/search/INDEX/_count are, without parameters",
            )
        _, _, index, api = parts
        check_index(index, PREFIX)
        body = checked_body(api, self._body())
        status, content = _ask(f"{self.server.stack().opensearch_endpoint}/{index}/{api}", body)
        return status, content, TYPES[".json"]

    def _body(self) -> bytes:
        # Other types a page of another origin may send without asking first.
        kind = self.headers.get_content_type()
        if kind != TYPES[".json"]:
            text = f"the body is {kind!r:.80}, must be application/json"
            raise Refused(HTTPStatus.UNSUPPORTED_MEDIA_TYPE, text)
        length = self.headers.get("Content-Length", "")
        if not (length.isascii() and length.isdigit()) or "Transfer-Encoding" in self.headers:
            text = "the request must say its Content-Length"
            raise Refused(HTTPStatus.LENGTH_REQUIRED, text)
        if len(length) > 9 or int(length) > MOST_BYTES:
            text = f"the body has {length:.20} bytes, may have {MOST_BYTES}"
            raise Refused(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, text)
        return self.rfile.read(int(length))

    def _refuse(self, refused: Refused) -> None:
        self._answer(refused.status, _json({"error": str(refused)}), TYPES[".json"])

    def _answer(self, status: int, content: bytes, kind: str) -> None:
        self.send_response(status)
        for name, value in HEADERS.items():
            self.send_header(name, value)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        if self.command != "HEAD":
            # A browser that shows another page by now does not wait for the answer.
            with suppress(ConnectionError):
                self.wfile.write(content)


def _ask(url: str, body: bytes) -> tuple[int, bytes]:
    """Give the engine's answer, an error of its too."""
    request = urllib.request.Request(url, body, {"Content-Type": TYPES[".json"]})
    try:
        with _open(request, timeout=SECONDS) as answer:
            return answer.status, answer.read()
    except urllib.error.HTTPError as error:
        return error.code, error.read()
    except (OSError, HTTPException) as error:
        text = f"the search engine does not answer ({error or repr(error)}): is the stack up?"
        raise Refused(HTTPStatus.BAD_GATEWAY, text) from error


@cache
def _files() -> Mapping[str, Path]:
    """List what is served: the files that are there, so that no path leads out of the folder."""
    files = [path for path in FOLDER.rglob("*") if path.suffix in TYPES]
    named = {f"/{path.relative_to(FOLDER).as_posix()}": path for path in files}
    return named | {"/": FOLDER / "index.html"}


@cache
def _pages() -> bytes:
    return _json(export(PREFIX))


def _json(value: Any) -> bytes:
    return json.dumps(value).encode()


def main(port: int, endpoints: Path) -> None:
    """Serve until the process is ended."""
    _pages()
    with PageServer(port, endpoints) as server:
        print("ready", flush=True)
        server.serve_forever()


if __name__ == "__main__":
    main(int(sys.argv[1]), Path(sys.argv[2]))
