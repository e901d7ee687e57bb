"""Samples of Application Load Balancer health check logs."""

import random
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

from local.sample_logs import ACCOUNT, REGION, SampleObject, gzipped
from local.sample_logs.clients import address_v6, hexadecimal
from local.sample_logs.load_balancers import key

_START = datetime(2026, 11, 20, 8, 10, tzinfo=UTC)
_BALANCER = "app/shop-web/0a1b2c3d4e5f6071 198.51.100.4"
_FAILURES = ("502 TargetError", "404 ResponseCodeMismatch", "- TimedOut", "- ConnectionReset")


def generate(records: int, rng: random.Random, seconds: int = 300) -> bytes:
    return "".join(_line(rng, seconds) + "\n" for _ in range(records)).encode()


def objects(rng: random.Random) -> Iterator[SampleObject]:
    yield SampleObject("alb_health_check", _key("0815", rng), gzipped(generate(200, rng)), 200)
    lines = [*(_line(rng) for _ in range(30)), *_odd_lines(rng), "http is no health check"]
    text = "\n".join(lines).encode()
    yield SampleObject("alb_health_check", _key("0820", rng), gzipped(text), 36, rejected=1)
    test = f"lb/AWSLogs/{ACCOUNT}/ELBHealthCheckLogTestFile"
    yield SampleObject("alb_health_check", test, b"Enable HealthCheckLog for ELB", 0)


def _key(minute: str, rng: random.Random) -> str:
    unique = f"192.0.2.10_{hexadecimal(rng, 8)}.log.gz"
    return key("app.shop-web.0a1b2c3d4e5f6071", minute, unique, kind="health_check_log_")


def _line(rng: random.Random, seconds: int = 300) -> str:
    """An ordinary line: one of six targets, of which one fails now and then."""
    time = (_START + timedelta(microseconds=rng.randrange(seconds * 1_000_000))).isoformat(
        timespec="microseconds"
    )
    target = rng.randrange(6)
    failed = target == 5 and rng.random() < 0.6
    result = f"FAIL {rng.choice(_FAILURES)}" if failed else "PASS 200 -"
    latency = rng.randrange(5_000_000_000 if failed else 40_000_000) / 1e9
    return (
        f"http {time.replace('+00:00', 'Z')} {latency:.9f} 10.0.1.{20 + target}:8080 web"
        f" {result} {_BALANCER}"
    )


def _odd_lines(rng: random.Random) -> Iterator[str]:
    """Lines that AWS writes, or wrote once, and that are easy to get wrong."""
    line = _line(rng)
    time, target = line.split(" ")[1], line.split(" ")[3]
    function = f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:checkout"
    yield line.removesuffix(f" {_BALANCER}")  # before the load balancer's name was added
    yield f"lambda {time} 0.120000001 {function} checkout PASS 200 - {_BALANCER}"
    yield f"lambda {time} 3.000000000 {function}:live checkout FAIL - TimedOut {_BALANCER}"
    yield line.replace(target, f"[{address_v6(rng)}]:8443")
    yield line + " a-column-of-next-year -"
