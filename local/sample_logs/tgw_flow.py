"""Samples of Transit Gateway flow logs."""

import random
from collections.abc import Iterator

from local.sample_logs import ACCOUNT, REGION, SampleObject, gzipped
from local.sample_logs.clients import address_v6, hexadecimal
from servicelogs.formats.tgw_flow import DEFAULT

_START = 1_795_162_200
_GATEWAY = "tgw-0a1b2c3d4e5f60718"
_ATTACHMENTS = ("tgw-attach-0aaaaaaaaaaaaaaaa", "tgw-attach-0bbbbbbbbbbbbbbbb")
_CUSTOM = (
    "tgw-id tgw-attachment-id srcaddr dstaddr bytes packets-lost-no-route start flow-direction"
)


def generate(records: int, rng: random.Random, seconds: int = 300) -> bytes:
    return "".join((DEFAULT, "\n", *(_line(rng, seconds) + "\n" for _ in range(records)))).encode()


def objects(rng: random.Random) -> Iterator[SampleObject]:
    text = generate(200, rng) + "\n".join(_odd_lines(rng)).encode() + b"\n"
    yield SampleObject("tgw_flow", _key("0815", rng), gzipped(text), 203)
    custom = [
        f"{_GATEWAY} {_ATTACHMENTS[0]} 10.1.0.{n} 10.2.0.{n} {n * 15} {n % 3} {_START + n} ingress"
        for n in range(1, 31)
    ]
    # Two files one after the other: a header in the middle, CRLF, and a line that does not fit.
    joined = "\r\n".join((_CUSTOM, *custom, DEFAULT, _line(rng), "6 TransitGateway too short", ""))
    yield SampleObject("tgw_flow", _key("0820", rng), gzipped(joined.encode()), 32, rejected=1)


def _key(minute: str, rng: random.Random) -> str:
    folder = f"net/AWSLogs/{ACCOUNT}/vpcflowlogs/{REGION}/2026/11/20"
    flow_log = "fl-0f1e2d3c4b5a69788"
    name = f"{ACCOUNT}_vpcflowlogs_{REGION}_{flow_log}_20261120T{minute}Z_{hexadecimal(rng, 8)}"
    return f"{folder}/{name}.log.gz"


def _line(rng: random.Random, seconds: int = 300) -> str:
    """An ordinary line: between two VPCs; some packets find no route."""
    from_, to = rng.sample(("a", "b"), 2)
    here, there = rng.sample(_ATTACHMENTS, 2)
    packets = rng.randrange(1, 2000)
    lost = rng.randrange(1, packets + 1) if rng.random() < 0.05 else 0
    start = _START + rng.randrange(seconds)
    return (
        f"6 TransitGateway {ACCOUNT} {_GATEWAY} {here} {ACCOUNT} {ACCOUNT} vpc-0{from_ * 7}"
        f" vpc-0{to * 7} subnet-0{from_ * 7} subnet-0{to * 7} eni-0{from_ * 7} eni-0{to * 7}"
        f" euw1-az1 euw1-az2 {there} 10.{1 if from_ == 'a' else 2}.0.{rng.randrange(1, 255)}"
        f" 10.{1 if to == 'a' else 2}.0.{rng.randrange(1, 255)} {rng.randrange(1024, 65535)}"
        f" {rng.choice((443, 443, 53, 22, 5432))} {rng.choice((6, 6, 17))} {packets}"
        f" {packets * rng.randrange(40, 1500)} {start} {start + 60} OK IPv4 {lost} 0 0 0"
        f" {rng.choice((2, 18, 19))} {REGION} {rng.choice(('ingress', 'egress'))} - -"
    )


def _odd_lines(rng: random.Random) -> Iterator[str]:
    """Lines that AWS writes and that are easy to get wrong."""
    columns = _line(rng).split(" ")
    nothing = columns[:5] + ["-"] * 18 + columns[23:25]
    for status in ("NODATA", "SKIPDATA"):
        yield " ".join([*nothing, status, *["-"] * 6, REGION, "-", "-", "-"])
    v6 = columns.copy()
    v6[1], v6[16:18], v6[26] = (
        "TransitGatewayAttachment",
        [address_v6(rng), address_v6(rng)],
        "IPv6",
    )
    yield " ".join(v6)
