"""Samples of Application Load Balancer access logs."""

import random
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

from local.sample_logs import ACCOUNT, REGION, SampleObject, gzipped
from local.sample_logs.clients import USER_AGENTS, Followed, address, address_v6, hexadecimal, path
from local.sample_logs.load_balancers import key

_START = datetime(2026, 11, 20, 8, 10, tzinfo=UTC)
_GROUP = f"arn:aws:elasticloadbalancing:{REGION}:{ACCOUNT}:targetgroup/web/0f1e2d3c4b5a6978"
_ANSWERS = ("200",) * 10 + ("304", "304", "304", "404", "404", "500")
_CERTIFICATE = f"arn:aws:acm:{REGION}:{ACCOUNT}:certificate/11111111-2222-4333-8444-555555555555"


def generate(records: int, rng: random.Random, seconds: int = 300) -> bytes:
    return "".join(_line(rng, seconds) + "\n" for _ in range(records)).encode()


def objects(rng: random.Random) -> Iterator[SampleObject]:
    text = generate(249, rng) + f"{_followed()}\n".encode()
    yield SampleObject("alb", _key("0815", "3kq9x1zz"), gzipped(text), 250)
    lines = [_line(rng) for _ in range(40)]
    text = "\n".join((*lines, *_odd_lines(rng), "this is no log line", lines[0][:200])).encode()
    middle = len(text) // 2
    # Two gzip members, cut inside a line; no newline at the end; two lines that do not fit.
    data = gzipped(text[:middle], text[middle:])
    yield SampleObject("alb", _key("0820", "4abc2def"), data, 40 + 5 + 2, rejected=2)
    yield SampleObject(
        "alb", f"lb/AWSLogs/{ACCOUNT}/ELBAccessLogTestFile", b"Enable AccessLog for ELB", 0
    )


def _key(minute: str, unique: str) -> str:
    return key("app.shop-web.0a1b2c3d4e5f6071", minute, f"192.0.2.10_{unique}.log.gz")


def _line(rng: random.Random, seconds: int = 300) -> str:
    """An ordinary line: mostly HTTPS to a target, some redirected, some blocked, some failed."""
    kind = rng.choices(("https", "redirect", "waf", "error"), (88, 6, 3, 3))[0]
    responded = _START + timedelta(microseconds=rng.randrange(seconds * 1_000_000))
    seconds = rng.randrange(1, 900) / 1000
    time, created = (
        moment.isoformat(timespec="microseconds").replace("+00:00", "Z")
        for moment in (responded, responded - timedelta(seconds=seconds))
    )
    client = f"{address(rng)}:{rng.randrange(1024, 65535)}"
    target = (
        f"10.0.{rng.randrange(4)}.{rng.randrange(1, 255)}:8080"
        if kind in ("https", "error")
        else "-"
    )
    answered = rng.choice(_ANSWERS)
    status = {"https": answered, "redirect": "301"}.get(kind, "403" if kind == "waf" else "502")
    target_status = status if kind == "https" else "-"
    times = f"0.000 {seconds:.3f} 0.000" if target != "-" else "-1 -1 -1"
    plain = kind == "redirect"
    scheme, port, protocol = ("http", 80, "HTTP/1.1") if plain else ("https", 443, "HTTP/2.0")
    url = f"{scheme}://shop.example:{port}{path(rng)}"
    tls = "- -" if plain else "TLS_AES_128_GCM_SHA256 TLSv1.3"
    names = '"-" "-"' if plain else f'"shop.example" "{_CERTIFICATE}"'
    actions = {"redirect": "redirect", "waf": "waf"}.get(kind, "waf,forward")
    redirect = f"https://shop.example:443{path(rng)}" if plain else "-"
    targets = f'"{target}" "{target_status}"'
    return (
        f"{'http' if plain else 'h2'} {time} app/shop-web/0a1b2c3d4e5f6071 {client} {target}"
        f" {times} {status} {target_status} {rng.randrange(100, 2000)} {rng.randrange(200, 90_000)}"
        f' "{rng.choice(("GET", "GET", "GET", "POST"))} {url} {protocol}"'
        f' "{rng.choice(USER_AGENTS)}" {tls} {_GROUP if target != "-" else "-"}'
        f' "Root=1-{hexadecimal(rng, 8)}-{hexadecimal(rng, 24)}" {names}'
        f' {rng.randrange(5)} {created} "{actions}" "{redirect}" "-" {targets}'
        f' "-" "-" TID_{hexadecimal(rng, 32)}'
        ' "-" "-" "-" 198.51.100.4'
    )


def _followed() -> str:
    """Give the line of the request that can be followed through the logs."""
    created, responded = (
        f"{moment:%Y-%m-%dT%H:%M:%S.%fZ}"
        for moment in (Followed.at, Followed.at + timedelta(milliseconds=187))
    )
    return (
        f"h2 {responded} app/shop-web/0a1b2c3d4e5f6071 {Followed.client}:51834 10.0.1.17:8080"
        f" 0.000 0.187 0.000 200 200 412 1874"
        f' "GET https://shop.example:443{Followed.path} HTTP/2.0" "{USER_AGENTS[0]}"'
        f' TLS_AES_128_GCM_SHA256 TLSv1.3 {_GROUP} "Root={Followed.trace}" "shop.example"'
        f' "{_CERTIFICATE}" 1 {created} "waf,forward" "-" "-" "10.0.1.17:8080" "200" "-" "-"'
        ' TID_0a1b2c3d4e5f60718293a4b5c6d7e8f9 "-" "-" "-" 198.51.100.4'
    )


def _odd_lines(rng: random.Random) -> Iterator[str]:
    """Lines that AWS writes and that are easy to get wrong."""
    line = _line(rng)
    while "h2" not in line[:3] or "waf,forward" not in line:
        line = _line(rng)
    start = line.split('"')
    yield line + ' "a column of next year" -'
    yield " ".join(line.split(" ")[:-1])[: line.rindex(" TID_")]
    yield line.replace(line.split(" ")[3], f"[{address_v6(rng)}]:40112")
    yield '"'.join([start[0], "- http://shop.example:80- -", *start[2:]])
    yield '"'.join([*start[:3], r"an \x22agent\x22 of its own", *start[4:]])
