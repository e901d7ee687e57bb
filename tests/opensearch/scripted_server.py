"""A search engine that misbehaves on demand: it answers what a test says.

It keeps what it has taken, so that a test can compare it with what the writer claims.
"""

import gzip
import json
import socket
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Self


@dataclass
class Request:
    """What came in."""

    method: str
    path: str
    headers: dict[str, str]
    sent: bytes
    """The body as it came, mostly compressed."""

    @property
    def body(self) -> bytes:
        """Return the body, inflated."""
        return gzip.decompress(self.sent) if self.headers.get("content-encoding") else self.sent

    @property
    def items(self) -> list[tuple[dict[str, str], bytes]]:
        """Return the targets and documents of a bulk request."""
        lines = self.body.split(b"\n")
        pairs = zip(lines[::2], lines[1::2], strict=False)
        return [(json.loads(action)["create"], document) for action, document in pairs]


@dataclass
class Answer:
    """What goes out: a status and a body, or a connection that ends without one."""

    status: int = 200
    body: Any = field(default_factory=dict)
    content_type: str = "application/json"
    reset: bool = False


Script = Callable[[Request], Answer | None]


class ScriptedServer:
    """An HTTP server whose `script` answers; where it returns None the request is carried out."""

    def __init__(self) -> None:
        self.script: Script = lambda request: None
        self.requests: list[Request] = []
        self.documents: dict[tuple[str, str], bytes] = {}
        self.lock = threading.Lock()
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self._server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._server.server_port}"

    def __enter__(self) -> Self:
        threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True).start()
        return self

    def __exit__(self, *_error: object) -> None:
        self._server.shutdown()
        self._server.server_close()

    def answer(self, request: Request) -> Answer:
        """Answer as the script says, else as a search engine would."""
        with self.lock:
            self.requests.append(request)
        return self.script(request) or Answer(body=self._as_an_engine(request))

    def _as_an_engine(self, request: Request) -> dict[str, Any]:
        if request.path.startswith("/_mget"):
            return {"docs": self.find(request)}
        if "/_search" in request.path:
            ids = json.loads(request.body)["query"]["ids"]["values"]
            hits = [{"_index": at[0], "_id": at[1]} for at in self.documents if at[1] in ids]
            return {"hits": {"hits": hits}}
        return {"items": self.carry_out(request)}

    def find(self, request: Request) -> list[dict[str, Any]]:
        """Say of each document that is asked for whether it was taken."""
        targets = json.loads(request.body)["docs"]
        return [
            {"_id": each["_id"], "found": (each["_index"], each["_id"]) in self.documents}
            for each in targets
        ]

    def carry_out(
        self,
        request: Request,
        refuse: Callable[[dict[str, str]], dict[str, Any] | None] | None = None,
    ) -> list[dict[str, Any]]:
        """Create a bulk request's documents, but those for which `refuse` returns a result."""
        results = []
        for target, document in request.items:
            place = (target["_index"], target["_id"])
            if refuse and (result := refuse(target)):
                results.append({"create": result})
            elif place in self.documents:
                results.append({"create": item_error(409, "version_conflict_engine_exception")})
            else:
                self.documents[place] = document
                results.append({"create": {"status": 201}})
        return results

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        scripted = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            wbufsize = -1  # head and body in one packet: no waiting for the first to be confirmed

            def _serve(self) -> None:
                sent = self.rfile.read(int(self.headers.get("content-length") or 0))
                headers = {name.lower(): value for name, value in self.headers.items()}
                answer = scripted.answer(Request(self.command, self.path, headers, sent))
                if answer.reset:
                    self.connection.shutdown(socket.SHUT_RDWR)
                    self.close_connection = True
                    return
                raw = isinstance(answer.body, bytes)
                body = answer.body if raw else json.dumps(answer.body).encode()
                self.send_response(answer.status)
                self.send_header("content-type", answer.content_type)
                self.send_header("content-length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            # The names that the base class looks for.
            do_GET = do_POST = do_PUT = do_DELETE = _serve  # noqa: N815

            def log_message(self, *_message: object) -> None:
                """Print nothing."""

        return Handler


def item_error(status: int, kind: str, reason: str = "because") -> dict[str, Any]:
    """Return a bulk item's result for a document that was not created."""
    return {"status": status, "error": {"type": kind, "reason": reason}}


def error(status: int, kind: str, reason: str = "because") -> Answer:
    """Return the answer to a request that is refused as a whole."""
    return Answer(status, {"error": {"type": kind, "reason": reason}, "status": status})
