"""Samples of CloudFront real-time logs, as a stream has them or Firehose writes them."""

import random
from collections.abc import Collection, Iterator
from datetime import UTC, datetime, timedelta
from urllib.parse import quote

from local.sample_logs import SampleObject, SampleRecords, gzipped
from local.sample_logs.clients import USER_AGENTS, address, address_v6, path

_START = datetime(2026, 11, 20, 8, 0, tzinfo=UTC)
_DISTRIBUTION = "d111111abcdef8.cloudfront.net"
# All fields, in the order in which CloudFront sends them.
_FIELDS = (
    "timestamp c-ip s-ip time-to-first-byte sc-status sc-bytes cs-method cs-protocol cs-host"
    " cs-uri-stem cs-bytes x-edge-location x-edge-request-id x-host-header time-taken"
    " cs-protocol-version c-ip-version cs-user-agent cs-referer cs-cookie cs-uri-query"
    " x-edge-response-result-type x-forwarded-for ssl-protocol ssl-cipher x-edge-result-type"
    " fle-encrypted-fields fle-status sc-content-type sc-content-len sc-range-start"
    " sc-range-end c-port x-edge-detailed-result-type c-country cs-accept-encoding cs-accept"
    " cache-behavior-path-pattern cs-headers cs-header-names cs-headers-count"
    " primary-distribution-id primary-distribution-dns-name origin-fbl origin-lbl asn"
    " cmcd-encoded-bitrate cmcd-buffer-length cmcd-buffer-starvation cmcd-content-id"
    " cmcd-object-duration cmcd-deadline cmcd-measured-throughput cmcd-next-object-request"
    " cmcd-next-range-request cmcd-object-type cmcd-playback-rate"
    " cmcd-requested-maximum-throughput cmcd-streaming-format cmcd-session-id"
    " cmcd-stream-type cmcd-startup cmcd-top-bitrate cmcd-version r-host sr-reason"
    " x-edge-mqcs distribution-tenant-id connection-id viewer-request-log-data"
    " viewer-response-log-data"
)
_SAFE = "!$&()*+,-./:;=?@_"


def generate(records: int, rng: random.Random, seconds: int = 300) -> bytes:
    return "".join(_line(_record(rng, seconds)) for _ in range(records)).encode()


def objects(rng: random.Random) -> Iterator[SampleObject]:
    left = _record(rng) | {
        "sc-status": "000",
        "sc-bytes": "0",
        "c-ip": address_v6(rng),
        "c-ip-version": "IPv6",
        "x-edge-detailed-result-type": "ClientCommError",
        "cs-headers": "-",
        "cs-header-names": "-",
        "cs-headers-count": "0",
    }
    player = _record(rng) | {
        "cmcd-encoded-bitrate": "4500",
        "cmcd-object-type": "v",
        "cmcd-session-id": "6e2fb550-c457-11e9-bb97-0800200c9a66",
        "viewer-request-log-data": "%7B%22experiment%22:%22b%22%7D",
    }
    # One field fewer: what a changed configuration would send.
    other = _line(dict(list(_record(rng).items())[:-1]))
    text = generate(300, rng) + (_line(left) + _line(player) + other).encode()
    key = f"realtime/2026/11/20/08/cloudfront-1-2026-11-20-08-00-00-{_uuid(rng)}.gz"
    yield SampleObject("cloudfront_realtime", key, gzipped(text), 303, rejected=1)


def stream_records(rng: random.Random, fields: Collection[str]) -> Iterator[SampleRecords]:
    """Send the fields of a configuration, in CloudFront's order."""
    records = [
        {name: value for name, value in _record(rng).items() if name in fields} for _ in range(150)
    ]
    data = [*(_line(record).encode() for record in records), b"a\tfew\tcolumns\n"]
    yield SampleRecords("cloudfront_realtime", tuple(data), rejected=1)


def _uuid(rng: random.Random) -> str:
    digits = f"{rng.getrandbits(128):032x}"
    return "-".join(digits[a:b] for a, b in ((0, 8), (8, 12), (12, 16), (16, 20), (20, 32)))


def _line(record: dict[str, str]) -> str:
    return "\t".join(record.values()) + "\n"


def _record(rng: random.Random, seconds: int = 300) -> dict[str, str]:
    moment = _START + timedelta(milliseconds=rng.randrange(seconds * 1000))
    stem = path(rng)
    _, _, query = stem.partition("?")
    status = rng.choices(("200", "304", "404", "502"), (85, 8, 5, 2))[0]
    hit = rng.choices(("Hit", "Miss", "RefreshHit"), (80, 15, 5))[0]
    result = "Error" if status in ("404", "502") else hit
    taken, size = rng.randrange(1, 400), rng.randrange(200, 60_000)
    agent = quote(rng.choice(USER_AGENTS), safe=_SAFE)
    headers = {"Host": "cdn.shop.example", "User-Agent": agent, "Accept": "*/*"}
    values = {
        "timestamp": f"{moment.timestamp():.3f}",
        "c-ip": address(rng),
        "s-ip": "198.51.100.9",
        "time-to-first-byte": f"{taken / 2000:.3f}",
        "sc-status": status,
        "sc-bytes": str(size + 400),
        "cs-method": rng.choices(("GET", "POST", "HEAD"), (90, 8, 2))[0],
        "cs-protocol": "https",
        "cs-host": "cdn.shop.example",
        "cs-uri-stem": quote(stem, safe=_SAFE),
        "cs-bytes": str(rng.randrange(60, 900)),
        "x-edge-location": rng.choice(("FRA56-P4", "DUB56-P1", "LHR5-P2")),
        "x-edge-request-id": f"{rng.getrandbits(192):048x}aB3x_-==",
        "x-host-header": _DISTRIBUTION,
        "time-taken": f"{taken / 1000:.3f}",
        "cs-protocol-version": rng.choice(("HTTP/2.0", "HTTP/3.0", "HTTP/1.1")),
        "c-ip-version": "IPv4",
        "cs-user-agent": agent,
        "cs-referer": "https://shop.example/" if rng.random() < 0.5 else "-",
        "cs-uri-query": quote(query, safe=_SAFE) or "-",
        "x-edge-response-result-type": result,
        "ssl-protocol": "TLSv1.3",
        "ssl-cipher": "TLS_AES_128_GCM_SHA256",
        "x-edge-result-type": result,
        "sc-content-type": "image/png" if stem.endswith("png") else "text/html",
        "sc-content-len": str(size),
        "c-port": str(rng.randrange(1024, 65_535)),
        "x-edge-detailed-result-type": result,
        "c-country": rng.choice(("DE", "FR", "US")),
        "cs-accept-encoding": "gzip,%20br",
        "cs-accept": "*/*",
        "cache-behavior-path-pattern": "*",
        "cs-headers": "".join(f"{name}:{value}%0A" for name, value in headers.items()),
        "cs-header-names": "".join(f"{name}%0A" for name in headers),
        "cs-headers-count": str(len(headers)),
        "asn": rng.choice(("64496", "64500", "64511")),
    }
    if result == "Miss":
        values |= {"origin-fbl": f"{taken / 3000:.3f}", "origin-lbl": f"{taken / 2500:.3f}"}
    return dict.fromkeys(_FIELDS.split(), "-") | values
