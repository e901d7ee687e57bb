"""Samples of Network Load Balancer access logs."""

import random
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

from local.sample_logs import ACCOUNT, REGION, SampleObject, gzipped
from local.sample_logs.clients import address, address_v6, hexadecimal
from local.sample_logs.load_balancers import key

_START = datetime(2026, 11, 20, 8, 10, tzinfo=UTC)
_BALANCER = "net/edge-tls/5566778899aabbcc 00112233445566aa"
_CERTIFICATE = f"arn:aws:acm:{REGION}:{ACCOUNT}:certificate/11111111-2222-4333-8444-555555555555"


def generate(records: int, rng: random.Random, seconds: int = 300) -> bytes:
    return "".join(_line(rng, seconds) + "\n" for _ in range(records)).encode()


def objects(rng: random.Random) -> Iterator[SampleObject]:
    yield SampleObject("nlb", _key("0815", rng), gzipped(generate(200, rng)), 200)
    lines = [*(_line(rng) for _ in range(30)), *_odd_lines(rng), "tls 2.0 is no connection"]
    text = "\n".join(lines).encode()
    yield SampleObject("nlb", _key("0820", rng), gzipped(text), 37, rejected=1)


def _key(minute: str, rng: random.Random) -> str:
    return key("net.edge-tls.5566778899aabbcc", minute, f"{hexadecimal(rng, 8)}.log.gz")


def _line(rng: random.Random, seconds: int = 300) -> str:
    """An ordinary line: mostly TLS 1.3 with ALPN, some handshakes that failed."""
    begun = _START + timedelta(seconds=rng.randrange(seconds))
    kind = rng.choices(("alpn", "plain", "failed"), (60, 35, 5))[0]
    if kind == "failed":
        spent, handshake, sizes, alert, tls = (
            rng.randrange(90),
            "-",
            "0 0",
            "48",
            "- - - - - - - - -",
        )
    else:
        handshake = str(rng.randrange(2, 90))
        spent = rng.randrange(100, 60_000)
        sizes, alert = f"{rng.randrange(100, 9000)} {rng.randrange(200, 900_000)}", "-"
        exchange = rng.choice(("X25519MLKEM768", "x25519"))
        protocols = 'h2 h2 "h2","http/1.1"' if kind == "alpn" else "- - -"
        tls = (
            f"{_CERTIFICATE} - TLS_AES_128_GCM_SHA256 tlsv13"
            f" {exchange} mqtt{rng.randrange(4)}.example {protocols}"
        )
    ended = begun + timedelta(milliseconds=spent)
    return (
        f"tls 2.0 {ended:%Y-%m-%dT%H:%M:%S} {_BALANCER} {address(rng)}:{rng.randrange(1024, 65535)}"
        f" 10.0.2.{rng.randrange(10, 13)}:443 {spent} {handshake} {sizes} {alert} {tls}"
        f" {begun:%Y-%m-%dT%H:%M:%S}"
    )


def _odd_lines(rng: random.Random) -> Iterator[str]:
    """Lines that AWS writes, or wrote once, and that are easy to get wrong."""
    line = _line(rng)
    while '"h2"' not in line:
        line = _line(rng)
    columns = line.split(" ")
    yield " ".join(columns[:18]).replace("tls 2.0", "tls 1.0")
    yield " ".join(columns[:21])  # before the time of creation was added
    yield line + " a-column-of-next-year -"
    yield line.replace(columns[5], f"[{address_v6(rng)}]:40112")
    yield line.replace(columns[17], "xn--caf-dma%20%22quoted%22.example")
    yield line.replace('"h2","http/1.1"', f'"h2","http/1.1","{"x" * 240}')
