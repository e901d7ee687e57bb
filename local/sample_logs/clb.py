"""Samples of Classic Load Balancer access logs."""

import random
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

from local.sample_logs import SampleObject
from local.sample_logs.clients import USER_AGENTS, address, hexadecimal, path
from local.sample_logs.load_balancers import key

_START = datetime(2026, 11, 20, 8, 0, tzinfo=UTC)
_ANSWERS = ("200 200", "200 200", "404 404", "500 500")
_TLS = "ECDHE-RSA-AES128-GCM-SHA256 TLSv1.2"


def generate(records: int, rng: random.Random, seconds: int = 3_600) -> bytes:
    return "".join(_line(rng, seconds) + "\n" for _ in range(records)).encode()


def objects(rng: random.Random) -> Iterator[SampleObject]:
    # Not compressed: AWS writes these so.
    yield SampleObject("clb", _key("0900", rng), generate(200, rng), 200)
    lines = [*(_line(rng) for _ in range(30)), *_odd_lines(rng)]
    # A raw line feed in a user agent makes two lines of one, and neither is a record.
    split = lines[0].replace('" "', '" "a client\nof two lines ')
    text = "\n".join((*lines, split)).encode()
    yield SampleObject("clb", _key("1000", rng), text, 37, rejected=2)


def _key(hour: str, rng: random.Random) -> str:
    return key("legacy-web", hour, f"192.0.2.11_{hexadecimal(rng, 8)}.log")


def _line(rng: random.Random, seconds: int = 3_600) -> str:
    """An ordinary line: HTTP and HTTPS, and a TCP listener; some instances do not answer."""
    kind = rng.choices(("http", "https", "tcp", "failed"), (40, 45, 10, 5))[0]
    time = (_START + timedelta(microseconds=rng.randrange(seconds * 1_000_000))).isoformat(
        timespec="microseconds"
    )
    backend = "-" if kind == "failed" else f"10.0.3.{rng.randrange(20, 24)}:80"
    times = (
        "-1 -1 -1"
        if kind == "failed"
        else f"0.0000{rng.randrange(10, 99)} {rng.randrange(1, 900) / 1000:.6f} 0.000051"
    )
    sizes = f"{rng.randrange(2000)} {rng.randrange(200, 90_000)}"
    scheme, port = ("https", 443) if kind == "https" else ("http", 80)
    statuses = {"tcp": "- -", "failed": "504 0"}.get(kind, rng.choice(_ANSWERS))
    request = (
        "- - - " if kind == "tcp" else f"GET {scheme}://old.example:{port}{path(rng)} HTTP/1.1"
    )
    agent = "-" if kind == "tcp" else rng.choice(USER_AGENTS)
    return (
        f"{time.replace('+00:00', 'Z')} legacy-web {address(rng)}:{rng.randrange(1024, 65535)}"
        f' {backend} {times} {statuses} {sizes} "{request}" "{agent}"'
        f" {_TLS if kind == 'https' else '- -'}"
    )


def _odd_lines(rng: random.Random) -> Iterator[str]:
    """Lines that AWS writes, or wrote once, and that are easy to get wrong."""
    line = _line(rng)
    while "GET" not in line:
        line = _line(rng)
    start = line.split('"')
    yield '"'.join([*start[:3], r"an \"agent\" of its own", *start[4:]])
    yield '"'.join(start[:2]) + '"'  # as in 2014
    yield '"'.join([start[0], "GET http://old.example:80/a b?c=d e HTTP/1.1", *start[2:]])
    yield '"'.join([start[0], "- http://old.example:80- -", *start[2:]])
    yield line + ' "a column of next year" -'
