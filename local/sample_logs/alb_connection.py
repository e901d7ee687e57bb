"""Samples of Application Load Balancer connection logs."""

import random
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

from local.sample_logs import ACCOUNT, SampleObject, gzipped
from local.sample_logs.clients import address, address_v6, hexadecimal
from local.sample_logs.load_balancers import key

_START = datetime(2026, 11, 20, 8, 10, tzinfo=UTC)
_VALID = "NotBefore=2026-01-01T00:00:00Z;NotAfter=2027-01-01T00:00:00Z"


def generate(records: int, rng: random.Random, seconds: int = 300) -> bytes:
    return "".join(_line(rng, seconds) + "\n" for _ in range(records)).encode()


def objects(rng: random.Random) -> Iterator[SampleObject]:
    yield SampleObject("alb_connection", _key("0815", rng), gzipped(generate(200, rng)), 200)
    lines = [*(_line(rng) for _ in range(30)), *_odd_lines(rng), "no connection"]
    text = "\n".join(lines).encode()
    yield SampleObject("alb_connection", _key("0820", rng), gzipped(text), 36, rejected=1)
    test = f"lb/AWSLogs/{ACCOUNT}/ELBConnectionLogTestFile"
    yield SampleObject("alb_connection", test, b"Enable ConnectionLog for ELB", 0)


def _key(minute: str, rng: random.Random) -> str:
    unique = f"192.0.2.10_{hexadecimal(rng, 8)}.log.gz"
    return key("app.shop-web.0a1b2c3d4e5f6071", minute, unique, kind="conn_log_")


def _line(rng: random.Random, seconds: int = 300) -> str:
    """An ordinary line: mostly TLS 1.3 with a client's certificate, some refused, some plain."""
    kind = rng.choices(("mutual", "tls", "refused", "http"), (60, 25, 5, 10))[0]
    time = (_START + timedelta(microseconds=rng.randrange(seconds * 1_000_000))).isoformat(
        timespec="microseconds"
    )
    if kind == "http":
        tls, exchange = '- - - "-" - - -', "-"
    else:
        latency = "-" if kind == "refused" else f"{rng.randrange(2, 90) / 1000:.3f}"
        device = f"CN=device{rng.randrange(60)},O=Example Devices,C=DE"
        certificate = f'"{device}" {_VALID} {hexadecimal(rng, 16).upper()}'
        status = "Failed:ClientCertUntrusted" if kind == "refused" else "Success"
        tls = (
            f"TLSv1.3 TLS_AES_128_GCM_SHA256 {latency}"
            f" {'"-" - -' if kind == 'tls' else certificate} {status}"
        )
        exchange = rng.choice(("X25519MLKEM768", "x25519"))
    return (
        f"{time.replace('+00:00', 'Z')} {address(rng)} {rng.randrange(1024, 65535)}"
        f" {80 if kind == 'http' else 443} {tls} TID_{hexadecimal(rng, 32)} {exchange}"
        " app/shop-web/0a1b2c3d4e5f6071 198.51.100.4"
    )


def _odd_lines(rng: random.Random) -> Iterator[str]:
    """Lines that AWS writes, or wrote once, and that are easy to get wrong."""
    line = _line(rng)
    while "Success" not in line or "CN=" not in line:
        line = _line(rng)
    columns = line.rsplit(" ", 3)
    yield " ".join(columns[:2])  # before post-quantum key exchange, and the load balancer's name
    yield columns[0]
    yield line + ' "a column of next year" -'
    yield line.replace(line.split(" ")[1], address_v6(rng), 1)
    yield line.replace("NotBefore=2026-01-01T00:00:00Z", "NotBefore=-")
