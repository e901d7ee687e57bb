"""A small format of messages, and what becomes of some."""

import json
from datetime import UTC, datetime
from typing import Any

from servicelogs.opensearch.dated_indexes import every_index
from servicelogs.opensearch.documents import parser_of
from servicelogs.parsing.fields import Field
from servicelogs.parsing.messages.format import Form, Inside, JsonForm, Kind, MessageFormat
from servicelogs.records import Block, Records, Source

FORMAT = MessageFormat(
    name="shop",
    title="Logs of a shop",
    page="https://docs.aws.amazon.com/",
    keys=(),
    service_principal="logs.amazonaws.com",
    declared=(
        Field("kind", "keyword", "kind of log"),
        Field("shop", "keyword", "the shop"),
        Field("till", "keyword", "the till"),
        Field("level", "keyword", "how bad it is"),
        Field("user", "keyword", "who"),
        Field("amount", "float", "how much"),
        Field("article", "text", "what"),
        Field("message", "text", "the rest"),
        Field("application", "flat_object", "an object"),
    ),
    kinds=(
        Kind(
            name="sales",
            groups=r"/shop/(?P<shop>[^/]+)/sales",
            streams=r"(?P<till>[a-z]+)",
            begins=r"\d{4}-",
            continues=r"\t",
            inside=(Inside(r"\d", r"\n(?=NEXT \d{4}-)"),),
            forms=(
                Form(
                    pattern=r"(?:NEXT )?+(?P<time>\d{4}-\d\d-\d\d \d\d:\d\d:\d\d)"
                    r"(?>\.(?P<fraction>\d{1,9})|)(?P<offset>[+-]\d\d)? (?P<user>[^ ]*+) ",
                    inner=(
                        Form(
                            pattern=r"sold (?P<article>.+?)(?: for (?P<amount>0|[1-9]\d{0,8}))?",
                            constants={"level": "good"},
                        ),
                        Form(
                            pattern=r"says '(?P<message>[^']*+(?:''[^']*+)*+)'",
                            convert={"message": lambda text: text.replace(b"''", b"'")},
                        ),
                    ),
                ),
            ),
        ),
        Kind(
            name="staff",
            groups=r"/shop/(?P<shop>[^/]+)/staff",
            constants={"level": "unknown"},
            json_forms=(
                JsonForm(
                    whole="application",
                    when={"type": r"bill\..*"},
                    members=(("bill.sum", "amount"), ("bill.time", "time")),
                    constants={"level": "good"},
                ),
                JsonForm(
                    whole="application",
                    members=(
                        ("who", "user"),
                        ("name", "user"),
                        ("at", "time"),
                        ("text", "message"),
                    ),
                ),
            ),
        ),
    ),
)
TIME = b"2026-11-20T08:14:55.123"


def source(group: str = "/shop/corner/sales", stream: str = "front.1") -> Source:
    delivered = datetime(2026, 11, 20, 9, tzinfo=UTC)
    return Source("logs", "0123456789abcdef", delivered, "111122223333", "eu-west-1", group, stream)


def take(*items: bytes, of: Source | None = None, skipped: int = 0) -> Block:
    """Parse events as an envelope holds them."""
    keys = [b"e%d" % number for number in range(1, len(items) + 1)]
    records = Records(1, [*items], keys=keys, times=[TIME] * len(items), hour=498_656)
    choose_index = every_index().of(FORMAT)
    return parser_of(FORMAT, of or source(), choose_index).take(records, skipped)


def documents(block: Block) -> list[tuple[str, dict[str, Any]]]:
    """Give the ids and documents of a block, without what all share."""
    *lines, end = bytes(block.body).split(b"\n")
    assert end == b""
    assert len(lines) == 2 * block.documents
    found = []
    for action, document in zip(lines[::2], lines[1::2], strict=True):
        members = json.loads(document)
        del members["cloud"], members["event"]
        found.append((json.loads(action)["create"]["_id"].partition("-")[2], members))
    return found


def own(*items: bytes, of: Source | None = None) -> list[dict[str, Any]]:
    """Give the documents of events without their frames."""
    found = [document for _, document in documents(take(*items, of=of))]
    for document in found:
        del document["log"]
    return found
