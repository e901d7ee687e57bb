"""What the page's server lets through: searches of our indexes by its own page, nothing else."""

import http.client
import json
import socket
import threading
from collections.abc import Iterator
from contextlib import ExitStack, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, NamedTuple
from urllib.request import urlopen

import pytest
from botocore.exceptions import EndpointConnectionError

from local import npm_packages, page_server
from local.page_server import FOLDER, PageServer
from local.pipeline_state import PipelineState
from local.processes import LOOPBACK
from local.stack import Stack
from servicelogs.opensearch.client import connect
from servicelogs.opensearch.dashboards.export import export
from servicelogs.settings import SearchSettings

INDEX = "aws-alb-2*"
SEARCH = f"/search/{INDEX}/_search"
ANY = {"query": {"match_all": {}}}


class Engine(ThreadingHTTPServer):
    """An engine that notes what it was asked, and answers with it."""

    def __init__(self) -> None:
        super().__init__((LOOPBACK, 0), _Engine)
        self.asked: list[tuple[str, str, Any]] = []


class _Engine(BaseHTTPRequestHandler):
    server: Engine

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        self.server.asked.append((self.command, self.path, body))
        status = 400 if "broken" in str(body) else 200
        self.send_response(status)
        self.end_headers()
        self.wfile.write(json.dumps({"status": status}).encode())

    def log_message(self, format: str, *args: Any) -> None: ...  # noqa: A002 - the library's name


class Answer(NamedTuple):
    status: int
    headers: http.client.HTTPMessage
    body: bytes

    @property
    def error(self) -> str:
        return str(json.loads(self.body)["error"])


class Browser:
    """Sends what a browser would, and what it would not."""

    def __init__(self, server: PageServer) -> None:
        self.port = server.server_port
        self.host = f"{LOOPBACK}:{self.port}"

    def ask(self, method: str, path: str, body: Any = None, **headers: str | None) -> Answer:
        all_headers: dict[str, str | None] = {"Host": self.host}
        data = body
        if body is not None:
            all_headers["Content-Type"] = "application/json"
            data = body if isinstance(body, bytes) else json.dumps(body).encode()
            all_headers["Content-Length"] = str(len(data))
        all_headers |= {name.replace("_", "-"): value for name, value in headers.items()}
        connection = http.client.HTTPConnection(LOOPBACK, self.port, timeout=10)
        try:
            connection.putrequest(method, path, skip_host=True, skip_accept_encoding=True)
            for name, value in all_headers.items():
                if value is not None:
                    connection.putheader(name, value)
            connection.endheaders(data)
            answer = connection.getresponse()
            return Answer(answer.status, answer.headers, answer.read())
        finally:
            connection.close()


@pytest.fixture
def engine() -> Iterator[Engine]:
    with Engine() as server:
        threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
        yield server
        server.shutdown()


@pytest.fixture
def endpoints(tmp_path: Path, engine: Engine) -> Path:
    file = tmp_path / "endpoints.json"
    stack = {
        "aws_endpoint": "http://127.0.0.1:1",
        "opensearch_endpoint": f"http://{LOOPBACK}:{engine.server_port}",
        "search": "osmem",
        "outputs": {},
        "page": "",
    }
    file.write_text(json.dumps(stack))
    return file


@pytest.fixture
def browser(endpoints: Path) -> Iterator[Browser]:
    with PageServer(0, endpoints) as server:
        threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
        yield Browser(server)
        server.shutdown()


def test_every_search_of_every_page_is_let_through_as_it_is(
    browser: Browser, engine: Engine
) -> None:
    asked = []
    for page in export()["pages"]:
        for panel in page["panels"] + page["searches"]:
            if panel["body"]:
                path = f"/{page['index']}/_search"
                assert browser.ask("POST", f"/search{path}", panel["body"]).status == 200, panel
                asked.append(("POST", path, panel["body"]))
    assert engine.asked == asked


def test_what_the_page_narrows_by_is_let_through(browser: Browser, engine: Engine) -> None:
    filters = [
        {"range": {"@timestamp": {"gte": 1, "lt": 2, "format": "epoch_millis"}}},
        {"term": {"cloud.account_id": "111122223333"}},
        {"query_string": {"query": "a AND b", "lenient": True, "analyze_wildcard": True}},
        {"bool": {"should": [{"term": {"source.ip": "192.0.2.1"}}], "minimum_should_match": 1}},
    ]
    query = {"bool": {"filter": filters, "must_not": {"exists": {"field": "script"}}}}
    assert browser.ask("POST", SEARCH, {"size": 0, "query": query}).status == 200
    assert browser.ask("POST", f"/search/{INDEX}/_count", {"query": query}).status == 200
    assert [path for _, path, _ in engine.asked] == [f"/{INDEX}/_search", f"/{INDEX}/_count"]


@pytest.mark.parametrize(
    "index",
    [
        "*", "_all", "aws-*", "aws-a*", "other-alb-2*", ".opendistro_security", "aws-alb",
        "aws-alb-*", "aws-alb-2*,other", "aws-alb-2*,", "aws-alb-2*,-aws-alb-2*", "<aws-alb-2>",
        "remote:aws-alb-2*", "aws-alb-2%2A", "aws-alb-2*2*", "aws-alb-2*-x", "aws-unknown-2*",
        "aws-alb-2\n", "", "..", "aws-alb-2*%2Fother",
    ],
)  # fmt: skip
def test_another_index_is_refused(browser: Browser, engine: Engine, index: str) -> None:
    sent = index.replace("\n", "%0a")
    answer = browser.ask("POST", f"/search/{sent}/_search", ANY)
    assert answer.status == 403
    assert answer.error.startswith("the index ")
    assert engine.asked == []


@pytest.mark.parametrize(
    "path",
    [
        f"/search/{INDEX}/_bulk",
        f"/search/{INDEX}/_doc",
        f"/search/{INDEX}/_delete_by_query",
        f"/search/{INDEX}/_update_by_query",
        f"/search/{INDEX}/_msearch",
        f"/search/{INDEX}/_search/template",
        f"/search/{INDEX}/_search/",
        f"/search/{INDEX}",
        f"/search/{INDEX}/_search?scroll=1m",
        f"/search/{INDEX}/_search?source=x",
        f"/search/{INDEX}/../_cluster/_search",
        f"/{INDEX}/_search",
        "/search/_search",
        "/_scripts/x",
        "/",
    ],
)
def test_another_api_is_refused(browser: Browser, engine: Engine, path: str) -> None:
    answer = browser.ask("POST", path, ANY)
    assert answer.status == 403
    assert "only /search/INDEX/_search" in answer.error
    assert engine.asked == []


@pytest.mark.parametrize("method", ["PUT", "DELETE", "PATCH", "OPTIONS", "TRACE", "CONNECT"])
def test_a_write_is_refused(browser: Browser, engine: Engine, method: str) -> None:
    answer = browser.ask(method, SEARCH, ANY)
    assert answer.status == 405
    assert answer.error == f"{method} is not let through: this server only reads (GET, POST)"
    assert engine.asked == []


SCRIPT = {"source": "while (true) {}"}
SCRIPTS: list[dict[str, Any]] = [
    {"script_fields": {"x": {"script": SCRIPT}}},
    {"runtime_mappings": {"x": {"type": "long", "script": SCRIPT}}},
    {"derived": {"x": {"type": "long", "script": SCRIPT}}},
    {"query": {"script": {"script": SCRIPT}}},
    {"query": {"script_score": {"query": {"match_all": {}}, "script": SCRIPT}}},
    {"query": {"bool": {"filter": [{"bool": {"must_not": {"script": {"script": SCRIPT}}}}]}}},
    {"query": {"function_score": {"script_score": {"script": SCRIPT}}}},
    {"query": {"wrapper": {"query": "eyJzY3JpcHQiOiB7fX0="}}},
    {"query": {"terms_set": {"x": {"terms": ["a"], "minimum_should_match_script": SCRIPT}}}},
    {"aggs": {"x": {"scripted_metric": {"map_script": "1"}}}},
    {"aggs": {"x": {"sum": {"script": SCRIPT}}}},
    {"aggs": {"x": {"terms": {"field": "a"}, "aggs": {"y": {"avg": {"script": "1"}}}}}},
    {"aggs": {"x": {"filters": {"filters": {"a": {"script": {"script": SCRIPT}}}}}}},
    {"aggs": {"x": {"filter": {"script": {"script": SCRIPT}}}}},
    {"aggs": {"x": {"bucket_script": {"buckets_path": {}, "script": "1"}}}},
    {"aggregations": {"x": {"sum": {"script": SCRIPT}}}},
    {"sort": [{"_script": {"type": "number", "script": SCRIPT}}]},
    {"sort": {"a": {"order": "asc", "nested": {"filter": {"script": {"script": SCRIPT}}}}}},
    {"rescore": {"query": {"rescore_query": {"script": {"script": SCRIPT}}}}},
    {"suggest": {"x": {"phrase": {"collate": {"query": SCRIPT}}}}},
    {"search_pipeline": {"request_processors": [{"script": SCRIPT}]}},
]  # fmt: skip


@pytest.mark.parametrize("body", SCRIPTS, ids=json.dumps)
def test_a_script_is_refused_wherever_it_is(
    browser: Browser, engine: Engine, body: dict[str, Any]
) -> None:
    answer = browser.ask("POST", SEARCH, body)
    assert answer.status == 403
    assert "not let through" in answer.error
    assert engine.asked == []


@pytest.mark.parametrize(
    "query",
    [
        {"terms": {"user": {"index": "secrets", "id": "1", "path": "names"}}},
        {"more_like_this": {"like": [{"_index": "secrets", "_id": "1"}]}},
        {"geo_shape": {"a": {"indexed_shape": {"index": "secrets", "id": "1"}}}},
        {"percolate": {"field": "a", "index": "secrets", "id": "1"}},
        {"term": {"a": {"value": {"deeper": 1}}}},
    ],
    ids=json.dumps,
)
def test_a_query_that_looks_into_another_index_is_refused(
    browser: Browser, engine: Engine, query: dict[str, Any]
) -> None:
    assert browser.ask("POST", SEARCH, {"query": query}).status == 403
    assert engine.asked == []


def test_what_is_sent_on_is_what_was_checked(browser: Browser, engine: Engine) -> None:
    """An engine that takes the first of two members of one name would see another one."""
    twice = b'{"query": {"script": {"script": "1"}}, "query": {"match_all": {}}}'
    assert browser.ask("POST", SEARCH, twice).status == 200
    assert [body for _, _, body in engine.asked] == [ANY]


@pytest.mark.parametrize(
    ("body", "said"),
    [
        (b"", "the body is not JSON"),
        (b"{", "the body is not JSON"),
        (b"\xff\xfe\x00", "the body is not JSON"),
        (b'{"size": NaN}', "the body is not JSON"),
        (b'{"query": {"range": {"a": {"gte": 1e999}}}}', "the body is not JSON"),
        (b"[" * 16_000, "the body is not JSON"),
        (b"[]", "the body is [], must be an object"),
        (b'{"size": -1}', "size is -1, must be a number from 0 to 1000"),
        (b'{"size": 100000}', "size is 100000, must be a number from 0 to 1000"),
        (b'{"size": true}', "size is True, must be a number"),
        (b'{"query": {"bool": []}}', "query.bool is [], must be an object"),
        (b'{"aggs": {"a": 1}}', "aggs.a is 1, must be an object"),
    ],
    ids=lambda value: repr(value)[:40],
)
def test_a_body_that_is_no_search_is_refused_and_said_why(
    browser: Browser, engine: Engine, body: bytes, said: str
) -> None:
    answer = browser.ask("POST", SEARCH, body)
    assert answer.status == 400
    assert said in answer.error
    assert engine.asked == []


def nested(kind: dict[str, Any], levels: int) -> dict[str, Any]:
    return {**kind, "aggs": {"a": nested(kind, levels - 1)}} if levels else {"sum": {"field": "a"}}


def within_bools(levels: int) -> dict[str, Any]:
    return {"bool": {"must": [within_bools(levels - 1)]}} if levels else {"match_all": {}}


LONG = "(" * 1001
THREE = {"filters": {"filters": {name: {"match_all": {}} for name in "abc"}}}
PERCENTILES = {"percentiles": {"field": "a"}}
COSTLY: list[tuple[dict[str, Any], str]] = [
    ({"query": within_bools(20)}, "more than 40 lists and objects in each other"),
    ({"query": within_bools(450)}, "more than 40 lists and objects in each other"),
    ({"query": {"query_string": {"query": LONG}}}, "has 1001 characters, may have 1000"),
    ({"query": {"match": {"a": LONG}}}, "has 1001 characters"),
    ({"query": {"term": {LONG: "a"}}}, "has 1001 characters"),
    ({"docvalue_fields": ["a", LONG]}, "has 1001 characters"),
    ({"docvalue_fields": ["a"] * 101}, "must be the names of at most 100 fields"),
    ({"docvalue_fields": ["a", "b*"]}, "must be the names of at most 100 fields"),
    ({"aggs": {"a": {"terms": {"field": "a", "size": 25_001}}}}, "a number from 1 to 25000"),
    ({"aggs": {"a": {"terms": {"field": "a", "size": "9"}}}}, "a number from 1 to 25000"),
    ({"aggs": {"a": {"terms": {"field": "a", "shard_size": 25_001}}}}, "from 1 to 25000"),
    ({"aggs": {"a": nested({"terms": {"field": "a", "size": 160}}, 2)}}, "have 51360 buckets"),
    ({"aggs": {"a": nested({"terms": {"field": "a"}}, 5)}}, "may have 211110 buckets"),
    (
        {"aggs": {"a": {"terms": {"field": "a", "size": 1200}, "aggs": {"b": PERCENTILES}}}},
        "have 25200 buckets",
    ),
    ({"aggs": {"a": nested(THREE, 9)}}, "must have at most 25000"),
    ({"aggs": {"a": {"range": {"field": "a", "ranges": 1}}}}, "ranges must be a list"),
    (
        {"aggs": {"a": nested({"range": {"field": "a", "ranges": [{"to": 1}] * 256}}, 2)}},
        "must have at most 25000",
    ),
    (
        {"aggs": {"a": {"date_histogram": {"field": "a", "fixed_interval": "1ms"}}}},
        "min_doc_count is 0, must be a number from 1",
    ),
]


@pytest.mark.parametrize(("body", "said"), COSTLY, ids=lambda value: repr(value)[:60])
def test_a_search_that_could_end_an_engine_is_refused(
    browser: Browser, engine: Engine, body: dict[str, Any], said: str
) -> None:
    answer = browser.ask("POST", SEARCH, body)
    assert answer.status == 400
    assert said in answer.error
    assert len(answer.error) < 300
    assert engine.asked == []


@pytest.mark.parametrize(
    "query",
    [
        {"match": {"a": {"query": "b", "fuzziness": 2}}},
        {"term": {"a": {"value": "b", "case_insensitive": True}}},
        {"wildcard": {"a": {"value": "b", "rewrite": "scoring_boolean"}}},
        {"wildcard": {"a": {"": "b"}}},
        {"prefix": {"a": "b"}},
    ],
    ids=json.dumps,
)
def test_what_no_panel_compares_by_is_refused(
    browser: Browser, engine: Engine, query: dict[str, Any]
) -> None:
    assert browser.ask("POST", SEARCH, {"query": query}).status == 403
    assert engine.asked == []


def test_what_is_let_through_at_its_bounds_does_not_end_a_real_engine(
    browser: Browser,
    endpoints: Path,
    opensearch: str,
    unique_prefix: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    client = connect(SearchSettings(endpoint=opensearch, auth="none"))
    index = f"{unique_prefix}-alb-2026"
    client.index(index=index, body={"a": "a", "b": 1}, refresh=True)
    stack = json.loads(endpoints.read_text())
    endpoints.write_text(json.dumps(stack | {"opensearch_endpoint": opensearch}))
    monkeypatch.setattr(page_server, "PREFIX", unique_prefix)
    texts = ("(" * 500 + ")" * 500, f"a:/{'(' * 498}{')' * 498}/", "*a* " * 250, "a~2 " * 250)
    queries: list[dict[str, Any]] = [{"query_string": {"query": text}} for text in texts]
    queries += [within_bools(12), {"wildcard": {"a": {"value": "*a" * 500}}}]
    for query in queries:
        answer = browser.ask("POST", f"/search/{index}/_search", {"query": query})
        assert answer.status in (200, 400), query
        assert client.ping()


def test_a_body_that_is_too_large_is_refused_unread(browser: Browser, engine: Engine) -> None:
    for length in ("16385", "9" * 5000):
        answer = browser.ask("POST", SEARCH, b"{}", Content_Length=length)
        assert answer.status == 413
        assert "may have 16384" in answer.error
    assert engine.asked == []


@pytest.mark.parametrize("length", [None, "-1", "1_0", "ten", "²"])
def test_a_body_of_no_known_length_is_refused(
    browser: Browser, engine: Engine, length: str | None
) -> None:
    assert browser.ask("POST", SEARCH, b"{}", Content_Length=length).status == 411
    assert browser.ask("POST", SEARCH, b"{}", Transfer_Encoding="chunked").status == 411
    assert engine.asked == []


def sent(browser: Browser, *parts: bytes) -> bytes:
    """Send bytes as they are, and read until the server ends the connection."""
    with socket.create_connection((LOOPBACK, browser.port), timeout=10) as connection:
        for part in parts:
            connection.sendall(part)
        return b"".join(iter(lambda: connection.recv(65536), b""))


@pytest.mark.parametrize(
    "headers",
    [
        b"Content-Length: 2\r\nContent-Length: 70\r\n",
        b"Content-Length: 2\r\nTransfer-Encoding : chunked\r\n",
        b"Content-Length: 2\r\nConnection: keep-alive\r\n",
    ],
)
def test_what_comes_behind_a_request_is_no_other_request(
    browser: Browser, engine: Engine, headers: bytes
) -> None:
    named = f"Host: {browser.host}\r\nContent-Type: application/json\r\n".encode()
    asked = f"POST {SEARCH} HTTP/1.1\r\n".encode() + named + headers + b"\r\n{}"
    answer = sent(browser, asked, asked)
    assert answer.count(b"HTTP/1.") == 1
    assert len(engine.asked) == 1
    answer = sent(browser, b"GET / HTTP/1.1\r\n" + named + headers + b"\r\n{}", asked)
    assert answer.count(b"HTTP/1.") == 1
    assert len(engine.asked) == 1


@pytest.mark.parametrize(
    "line",
    [b"GET /page.css", b"GET /", b"no request", b"GET / HTTP/1.1.1", b"PRI * HTTP/2.0", b"a b c d"],
)
def test_an_answer_to_what_is_no_http_has_all_headers(browser: Browser, line: bytes) -> None:
    answer = sent(browser, line + f"\r\nHost: {browser.host}\r\n\r\n".encode())
    assert answer.startswith(b"HTTP/1.0 ")
    assert b"X-Content-Type-Options: nosniff\r\n" in answer


def test_whoever_asks_slowly_stops_no_other_and_is_not_waited_for_for_ever(
    browser: Browser, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(page_server, "SECONDS_TO_ASK", 0.3)
    with socket.create_connection((LOOPBACK, browser.port), timeout=10) as slow:
        slow.sendall(b"GET /")
        assert browser.ask("GET", "/").status == 200
        answer = b"".join(iter(lambda: slow.recv(65536), b""))
    assert answer.startswith(b"HTTP/1.0 403 ")


def test_more_connections_than_a_browser_has_are_ended(
    browser: Browser, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(page_server, "MOST_CONNECTIONS", 2)
    with ExitStack() as idle:
        for _ in range(2):
            idle.enter_context(socket.create_connection((LOOPBACK, browser.port), timeout=10))
        with pytest.raises((ConnectionError, http.client.HTTPException)):
            browser.ask("GET", "/")
    while True:  # until the server has seen that they are gone
        with suppress(ConnectionError, http.client.HTTPException):
            assert browser.ask("GET", "/").status == 200
            break


@pytest.mark.parametrize("kind", [None, "text/plain", "application/x-www-form-urlencoded"])
def test_what_another_site_may_send_without_asking_is_refused(
    browser: Browser, engine: Engine, kind: str | None
) -> None:
    assert browser.ask("POST", SEARCH, ANY, Content_Type=kind).status == 415
    assert engine.asked == []


@pytest.mark.parametrize("path", ["/", "/pages.json", "/rejects.json", SEARCH])
@pytest.mark.parametrize("host", ["evil.example", "evil.example:{port}", "127.0.0.1", "", None])
def test_another_name_that_was_made_to_point_here_is_refused(
    browser: Browser, engine: Engine, path: str, host: str | None
) -> None:
    named = host and host.format(port=browser.port)
    method, body = ("POST", ANY) if path == SEARCH else ("GET", None)
    answer = browser.ask(method, path, body, Host=named)
    assert answer.status == 403
    assert "is not this server's: open http://127.0.0.1:" in answer.error
    assert engine.asked == []


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "http://evil.example"},
        {"Origin": "null"},
        {"Origin": "http://127.0.0.1:1"},
        {"Sec_Fetch_Site": "cross-site"},
        {"Sec_Fetch_Site": "same-site"},
    ],
    ids=str,
)
def test_a_page_of_another_origin_is_refused(
    browser: Browser, engine: Engine, headers: dict[str, str]
) -> None:
    assert browser.ask("POST", SEARCH, ANY, **headers).status == 403
    assert browser.ask("GET", "/pages.json", **headers).status == 403
    assert engine.asked == []


def test_its_own_page_is_answered_under_both_names_of_this_machine(browser: Browser) -> None:
    for host in (f"127.0.0.1:{browser.port}", f"localhost:{browser.port}"):
        answer = browser.ask(
            "POST", SEARCH, ANY, Host=host, Origin=f"http://{host}", Sec_Fetch_Site="same-origin"
        )
        assert answer.status == 200


def test_an_error_of_the_engine_is_handed_on(browser: Browser) -> None:
    body = {"query": {"query_string": {"query": "broken ("}}}
    answer = browser.ask("POST", SEARCH, body)
    assert (answer.status, json.loads(answer.body)) == (400, {"status": 400})


def test_an_engine_that_does_not_answer_is_said(browser: Browser, endpoints: Path) -> None:
    stack = json.loads(endpoints.read_text())
    endpoints.write_text(json.dumps(stack | {"opensearch_endpoint": "http://127.0.0.1:1"}))
    answer = browser.ask("POST", SEARCH, ANY)
    assert answer.status == 502
    assert "the search engine does not answer" in answer.error


@pytest.mark.parametrize("answer", ["cut", "of another protocol", "none"])
def test_an_engine_that_breaks_off_is_said(
    browser: Browser, monkeypatch: pytest.MonkeyPatch, answer: str
) -> None:
    written = {
        "cut": b"HTTP/1.0 200 OK\r\nContent-Length: 9\r\n\r\n{",
        "of another protocol": b"SSH-2.0\r\n",
        "none": b"",
    }[answer]
    monkeypatch.setattr(_Engine, "do_POST", lambda self: self.wfile.write(written))
    refused = browser.ask("POST", SEARCH, ANY)
    assert refused.status == 502
    assert "the search engine does not answer" in refused.error


@pytest.mark.parametrize("path", ["/pipeline.json", "/rejects.json"])
def test_an_emulator_that_does_not_answer_is_said(
    browser: Browser, monkeypatch: pytest.MonkeyPatch, path: str
) -> None:
    def fail(*_: object) -> None:
        raise EndpointConnectionError(endpoint_url="http://127.0.0.1:1")

    monkeypatch.setattr(PipelineState, "_witnesses", fail)
    answer = browser.ask("GET", path)
    assert answer.status == 502
    assert "emulated AWS does not answer" in answer.error


def test_a_stack_that_is_not_up_is_said(browser: Browser, endpoints: Path) -> None:
    endpoints.unlink()
    assert browser.ask("GET", "/").status == 200
    for method, path in (("POST", SEARCH), ("GET", "/pipeline.json"), ("GET", "/rejects.json")):
        answer = browser.ask(method, path, ANY if method == "POST" else None)
        assert answer.status == 503
        assert "make up" in answer.error


@pytest.mark.parametrize(
    "path",
    ["/../page_server.py", "/%2e%2e/page_server.py", "//etc/passwd", "/vendor", "http://[x/"],
)
def test_no_path_leads_to_other_files(browser: Browser, path: str) -> None:
    answer = browser.ask("GET", path)
    assert answer.status == 404
    assert "there is no " in answer.error


@pytest.mark.parametrize(
    ("path", "kind"),
    [
        ("/", "text/html; charset=utf-8"),
        ("/page.css", "text/css; charset=utf-8"),
        ("/page.js", "text/javascript; charset=utf-8"),
        ("/pages.json", "application/json"),
        ("/unknown", "application/json"),
    ],
)
def test_a_browser_is_told_to_load_nothing_from_elsewhere(
    browser: Browser, path: str, kind: str
) -> None:
    headers = browser.ask("GET", path).headers
    assert headers["Content-Type"] == kind
    assert "default-src 'self'" in headers["Content-Security-Policy"]
    assert "frame-ancestors 'none'" in headers["Content-Security-Policy"]
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["Cross-Origin-Resource-Policy"] == "same-origin"
    assert "Access-Control-Allow-Origin" not in headers


def test_the_pages_are_those_of_a_deployment(browser: Browser) -> None:
    assert json.loads(browser.ask("GET", "/pages.json").body) == export("aws")
    assert browser.ask("HEAD", "/pages.json").body == b""


def test_a_page_about_one_value_says_how_to_name_it_here_and_in_dashboards() -> None:
    about_one = [page for page in export()["pages"] if page["ask"]]
    assert len(about_one) == 3
    for page in about_one:
        first = page["panels"][0]["text"]
        assert "in its own field above the page" in first
        assert "in OpenSearch Dashboards, which has no such field, in the query bar" in first


def test_the_charting_library_is_the_one_that_its_licence_is_beside() -> None:
    first = (FOLDER / "vendor" / "chart.umd.min.js").read_text()[:200]
    assert f"Chart.js v{npm_packages.CHARTS.version}" in first
    assert "MIT" in (FOLDER / "vendor" / "chart.js.LICENSE.md").read_text()
    assert {path.name for path in npm_packages.VENDORED.iterdir()} == {
        *npm_packages.CHARTS_FILES.values()
    }


@pytest.mark.end_to_end
def test_a_running_stack_serves_the_page(deployed: Stack) -> None:
    with urlopen(f"{deployed.page}/", timeout=60) as answer:
        assert b"<title>Service Logs</title>" in answer.read()
