"""Who sends the requests in the sample logs: few busy clients, many others, and one to follow."""

import random
from datetime import UTC, datetime

USER_AGENTS = (
    (
        "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko)"
        " Chrome/130.0.0.0 Safari/537.36"
    ),
    (
        "Mozilla/5.0 (iPhone; CPU iPhone OS 18_1 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like"
        " Gecko) Version/18.1 Mobile/15E148 Safari/604.1"
    ),
    "Mozilla/5.0 (X11; Linux x86_64; rv:132.0) Gecko/20100101 Firefox/132.0",
    "curl/8.9.1",
    "Go-http-client/2.0",
    "ELB-HealthChecker/2.0",
)
PATHS = (
    "/",
    "/login",
    "/api/orders",
    "/api/orders/{n}",
    "/img/{n}.png",
    "/search",
    "/static/app.js",
)


class Followed:
    """One request that AWS WAF, a load balancer and a function saw."""

    client = "203.0.113.7"
    trace = "1-691ed06f-0a1b2c3d4e5f60718293a4b5"
    path = "/api/orders/4711"
    at = datetime(2026, 11, 20, 8, 12, 30, 27_000, tzinfo=UTC)


def address(rng: random.Random) -> str:
    """Give a client's IPv4 address; one in four requests is of the three busiest."""
    if rng.random() < 0.25:
        return rng.choice(("192.0.2.55", "198.51.100.7", "203.0.113.9"))
    return f"{rng.choice(('192.0.2', '198.51.100', '203.0.113'))}.{rng.randrange(1, 255)}"


def address_v6(rng: random.Random) -> str:
    """Give a client's IPv6 address."""
    return f"2001:db8::{rng.randrange(1, 0xFFFF):x}"


def path(rng: random.Random) -> str:
    """Give a URL's path, sometimes with a query."""
    text = rng.choice(PATHS).format(n=rng.randrange(10_000))
    return f"{text}?page={rng.randrange(20)}&q=red%20hat" if rng.random() < 0.3 else text


def hexadecimal(rng: random.Random, digits: int) -> str:
    """Give an id of so many hexadecimal digits."""
    return f"{rng.getrandbits(4 * digits):0{digits}x}"
