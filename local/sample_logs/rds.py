"""Samples of RDS and Aurora logs: events of log groups, and lines as Firehose extracts them."""

import random
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta

from local.sample_logs import SampleEvents, SampleObject, gzipped
from local.sample_logs.clients import address, address_v6, hexadecimal

_START = datetime(2026, 11, 20, 8, 10, tzinfo=UTC)
_ISO = "%Y-%m-%dT%H:%M:%S.%fZ"
_USERS = ("app", "app", "web-app.v2", "report", "ann@EXAMPLE.COM")
_TABLES = ("orders", "customers", "order_items", "stock")


def generate(records: int, rng: random.Random, seconds: int = 300) -> bytes:
    return "".join(f"{_postgresql(rng, seconds)}\n" for _ in range(records)).encode()


def objects(rng: random.Random) -> Iterator[SampleObject]:
    """Give messages without their envelopes, as Firehose's message extraction leaves them."""
    for kind, records in (("postgresql", 200), ("slowquery", 30), ("audit", 60)):
        lines = [MESSAGES[kind](rng, 300) for _ in range(records)]
        key = f"firehose/rds/2026/11/20/08/rds-{kind}-1-2026-11-20-08-15-00-{hexadecimal(rng, 12)}"
        yield SampleObject(
            "rds", key, gzipped("".join(f"{one}\n" for one in lines).encode()), records
        )


def log_events(rng: random.Random) -> Iterator[SampleEvents]:
    """Give the events of some databases and a proxy."""
    for group, stream, kind, number in (
        ("/aws/rds/instance/shop/postgresql", "shop.0", "postgresql", 120),
        ("/aws/rds/cluster/shop-cluster/postgresql", "shop-cluster-1.0", "postgresql", 60),
        ("/aws/rds/instance/billing/error", "billing", "error", 20),
        ("/aws/rds/instance/billing/slowquery", "billing", "slowquery", 30),
        ("/aws/rds/instance/billing/general", "billing", "general", 60),
        ("/aws/rds/instance/billing/audit", "billing.audit.log.0", "audit", 60),
        ("/aws/rds/proxy/front", "front", "proxy", 20),
    ):
        texts = [MESSAGES[kind](rng, 300) for _ in range(number)]
        joined = 0
        if kind == "postgresql":  # a statement in two events, the second of which looks like a line
            line = f"{_prefix(rng, 300)}LOG:  statement: "
            texts += [f"{line}select '", f"\t{line}drop table t'"]
            joined = 1
        start = int(_START.timestamp() * 1000)
        events = tuple((start + 1000 * second, text) for second, text in enumerate(texts))
        yield SampleEvents("rds", group, stream, events, joined=joined)


def _at(rng: random.Random, seconds: int) -> datetime:
    return _START + timedelta(microseconds=rng.randrange(seconds * 1_000_000))


def _utc(rng: random.Random, seconds: int) -> str:
    return f"{_at(rng, seconds):{_ISO}}"


def _client(rng: random.Random) -> str:
    return address_v6(rng) if rng.random() < 0.1 else address(rng)


def _prefix(rng: random.Random, seconds: int) -> str:
    client = f"{_client(rng)}({rng.randrange(1024, 65535)})"
    session = f"{rng.choice(_USERS)}@shop:[{rng.randrange(300, 32000)}]"
    return f"{_at(rng, seconds):%Y-%m-%d %H:%M:%S} UTC:{client}:{session}:"


def _query(rng: random.Random) -> str:
    table, number = rng.choice(_TABLES), rng.randrange(100_000)
    return rng.choice(
        (
            f"select * from {table} where id = {number}",
            f"update {table} set note = 'it''s \"new\"' where id = {number}",
            f"select count(*) from {table} t join customers c on c.id = t.customer_id",
        )
    )


def _postgresql(rng: random.Random, seconds: int) -> str:
    prefix, query, number = _prefix(rng, seconds), _query(rng), rng.randrange(1, 99)
    duration = f"duration: {rng.expovariate(0.02):.3f} ms"
    quoted = query.replace('"', '""')
    audit = f'AUDIT: SESSION,{number},1,READ,SELECT,TABLE,public.orders,"{quoted}",<not logged>'
    background = f"{_at(rng, seconds):%Y-%m-%d %H:%M:%S} UTC::@:[355]:"
    return rng.choice(
        (
            f"{prefix}LOG:  {duration}  statement: {query}",
            f"{prefix}LOG:  {duration}  statement: {query}",
            f"{prefix}LOG:  {duration}",
            f'{prefix}ERROR:  relation "nope" does not exist at character {number}',
            f"{prefix}STATEMENT:  {query}",
            f"{prefix}LOG:  {audit}",
            f"{background}LOG:  checkpoint starting: time",
        )
    )


def _error(rng: random.Random, seconds: int) -> str:
    thread, client = rng.randrange(1, 999), address(rng)
    code, subsystem, text = rng.choice(
        (
            ("[Warning] [MY-010055]", "[Server]", f"IP address '{client}' could not be resolved"),
            ("[Note] [MY-010914]", "[Server]", f"Aborted connection {thread} to db: 'shop'"),
            ("[System] [MY-010931]", "[Server]", "mysqld: ready for connections."),
            ("[ERROR] [MY-012592]", "[InnoDB]", "Operating system error number 2"),
        )
    )
    return f"{_utc(rng, seconds)} {thread} {code} {subsystem} {text}"


def _slow_query(rng: random.Random, seconds: int) -> str:
    end = _at(rng, seconds)
    took, rows = rng.expovariate(0.5) + 1, rng.randrange(1_000_000)
    extra = (
        f" Thread_id: 116 Errno: 0 Killed: 0 Bytes_received: 0 Bytes_sent: {rows} Read_first: 0"
        f" Read_last: 0 Read_key: 1 Read_next: 2 Read_prev: 0 Read_rnd: 0 Read_rnd_next: {rows}"
        " Sort_merge_passes: 0 Sort_range_count: 0 Sort_rows: 0 Sort_scan_count: 0"
        " Created_tmp_disk_tables: 0 Created_tmp_tables: 1"
        f" Start: {end - timedelta(seconds=took):{_ISO}} End: {end:{_ISO}}"
    )
    return "\n".join(
        (
            f"# Time: {end:{_ISO}}",
            f"# User@Host: app[app] @  [{address(rng)}]  Id: {rng.randrange(1, 999):5}",
            f"# Query_time: {took:.6f}  Lock_time: 0.000100 Rows_sent: 3  Rows_examined: {rows}"
            + rng.choice(("", extra)),
            "use shop;",
            f"SET timestamp={int((end - timedelta(seconds=took)).timestamp())};",
            f"{_query(rng)};",
        )
    )


def _general(rng: random.Random, seconds: int) -> str:
    said = rng.choice(
        (
            f"Connect\tapp@{address(rng)} on shop using SSL/TLS",
            "Init DB\tshop",
            f"Query\t{_query(rng)}",
            f"Query\t{_query(rng)}",
            "Quit\t",
        )
    )
    return f"{_utc(rng, seconds)}\t{rng.randrange(1, 999):5} {said}"


def _audit(rng: random.Random, seconds: int) -> str:
    head = f"{_client(rng)},{rng.randrange(1, 999)},{rng.randrange(1, 99999)}"
    quoted = _query(rng).replace("'", "\\'")
    moment = _at(rng, seconds)
    rds = f"{moment:%Y%m%d %H:%M:%S},ip-192-0-2-9,app,{head}"
    return rng.choice(
        (
            f"{rds},CONNECT,shop,,0,SSL/TLS",
            f"{rds},QUERY,shop,'{quoted}',0,,",
            f"{rds},QUERY,shop,'{quoted}',0,,",
            f"{rds},FAILED_CONNECT,,,1045,TCP/IP",
            f"{int(moment.timestamp() * 1_000_000)},shop-1,app,{head},QUERY,shop,'{quoted}',0",
        )
    )


def _proxy(rng: random.Random, seconds: int) -> str:
    moment = f"{_at(rng, seconds):%Y-%m-%dT%H:%M:%S.%f}"[:-3]
    text = f"A new client connected from {address(rng)}:{rng.randrange(1024, 65535)}."
    return (
        f"{moment}Z [INFO] [proxyEndpoint=default] [clientConnection={rng.randrange(10**9)}] {text}"
    )


MESSAGES: dict[str, Callable[[random.Random, int], str]] = {
    "postgresql": _postgresql,
    "error": _error,
    "slowquery": _slow_query,
    "general": _general,
    "audit": _audit,
    "proxy": _proxy,
}
"""What makes a message of each kind of log."""
