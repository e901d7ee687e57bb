"""Samples of VPC flow logs."""

import random
from collections.abc import Iterator

from local.sample_logs import ACCOUNT, REGION, SampleEvents, SampleObject, gzipped
from local.sample_logs.clients import address, address_v6, hexadecimal
from local.sample_logs.parquet import parquet

_START = 1_795_162_200
_DEFAULT = (
    "version account-id interface-id srcaddr dstaddr srcport dstport protocol packets bytes"
    " start end action log-status"
)
_CUSTOM = "region vpc-id srcaddr dstaddr flow-direction tcp-flags bytes pkt-src-aws-service"


def generate(records: int, rng: random.Random, seconds: int = 300) -> bytes:
    return "".join((_DEFAULT, "\n", *(_line(rng, seconds) + "\n" for _ in range(records)))).encode()


def objects(rng: random.Random) -> Iterator[SampleObject]:
    odd = [
        f"2 {ACCOUNT} eni-{hexadecimal(rng, 17)} - - - - - - - {_START} {_START + 60} - NODATA",
        f"2 {ACCOUNT} eni-{hexadecimal(rng, 17)} - - - - - - - {_START} {_START + 60} - SKIPDATA",
        " ".join(
            (
                f"2 {ACCOUNT} eni-{hexadecimal(rng, 17)} {address_v6(rng)} {address_v6(rng)}",
                f"40112 22 6 1 60 {_START} {_START + 60} REJECT OK",
            )
        ),
    ]
    text = generate(300, rng) + "\n".join(odd).encode() + b"\n"
    yield SampleObject("vpc_flow", _key("0815", rng), gzipped(text), 303)
    custom = [
        f"{REGION} vpc-0aaaaaaa {address(rng)} 10.0.1.{n} ingress {rng.choice((2, 18))} {n * 40} -"
        for n in range(1, 31)
    ]
    # Two files one after the other: a header in the middle, CRLF, and a line that does not fit.
    joined = "\r\n".join((_CUSTOM, *custom, _DEFAULT, _line(rng), "2 too short", ""))
    yield SampleObject("vpc_flow", _key("0820", rng), gzipped(joined.encode()), 32, rejected=1)
    columns = "\n".join((generate(200, rng).decode().rstrip("\n"), *odd))
    yield SampleObject("vpc_flow", _key("0825", rng, "parquet"), parquet(columns), 203)


def log_events(rng: random.Random) -> Iterator[SampleEvents]:
    lines = [*(_line(rng) for _ in range(150)), "2 too short"]
    events = tuple(((_START + 60) * 1000 + number, line) for number, line in enumerate(lines))
    stream = f"eni-{hexadecimal(rng, 17)}-all"
    yield SampleEvents("vpc_flow", "/vpc/shop/flow-logs", stream, events, rejected=1)


def _key(minute: str, rng: random.Random, ending: str = "gz") -> str:
    folder = f"net/AWSLogs/{ACCOUNT}/vpcflowlogs/{REGION}/2026/11/20"
    flow_log = "fl-0a1b2c3d4e5f60718"
    name = f"{ACCOUNT}_vpcflowlogs_{REGION}_{flow_log}_20261120T{minute}Z_{hexadecimal(rng, 8)}"
    return f"{folder}/{name}.log.{ending}"


def _line(rng: random.Random, seconds: int = 300) -> str:
    start = _START + rng.randrange(seconds)
    packets = rng.randrange(1, 2000)
    inside = f"10.0.{rng.randrange(8)}.{rng.randrange(1, 255)}"
    outside = address(rng)
    source, target = (inside, outside) if rng.random() < 0.5 else (outside, inside)
    action = "ACCEPT" if rng.random() < 0.9 else "REJECT"
    return (
        f"2 {ACCOUNT} eni-{0x0A1B2C3D4E5F60718 + rng.randrange(40):017x} {source} {target}"
        f" {rng.randrange(1024, 65535)} {rng.choice((443, 443, 53, 22, 5432))}"
        f" {rng.choice((6, 6, 17))} {packets} {packets * rng.randrange(40, 1500)}"
        f" {start} {start + 60} {action} OK"
    )
