"""Whatever a message of a log event holds, the engine takes its document."""

from collections.abc import Iterator

from opensearchpy import OpenSearch

from servicelogs.detection.event_blocks import EventBlocks
from servicelogs.detection.log_events import EventTypes
from servicelogs.opensearch.dated_indexes import every_index
from servicelogs.opensearch.documents import parsers_of
from servicelogs.opensearch.setup import set_up
from servicelogs.opensearch.writer import BulkWriter
from servicelogs.settings import IndexSettings, LogSettings
from servicelogs.sources.log_events import Envelopes
from tests.formats.parsing import SOURCE
from tests.opensearch.blocks import Rejects, counts_of
from tests.opensearch.test_odd_values import SHAPES
from tests.sources.envelopes import envelope

LONG = "x" * 40_000
HEAD = "2026-11-20 08:14:55 UTC:%s(51514):%s@%s:[3639]:LOG:  %s"
SLOW = (
    "# User@Host: app[%s] @ %s [%s]  Id: %s\n"
    "# Query_time: %s  Lock_time: 0.1 Rows_sent: 3  Rows_examined: %s Start: %s End: %s\nselect 1;"
)
MEMBERS = ("timestamp", "user", "pid", "remote_host", "remote_port", "message", "query_id", "txid")


def jsonlog() -> Iterator[str]:
    """Give lines of jsonlog with odd members."""
    for shape in SHAPES.values():
        for name in MEMBERS:
            yield f'{{"error_severity":"LOG","{name}":{shape}}}'
        yield f'{{"error_severity":{shape},"other":{shape}}}'


MESSAGES = {
    "postgresql": (
        *jsonlog(),
        HEAD % ("fe80::1%eth0", "u" * 63, "d" * 63, LONG),
        HEAD % ("999.1.1.1", "a", "b", f"duration: {'9' * 18}.5 ms  statement: {LONG}"),
        HEAD % (":::::", "a", "b", f'AUDIT: SESSION,1,1,READ,"{LONG}","{LONG}","{LONG}",,<none>'),
        HEAD % ("h" * 255, "\0\x1b", "\xa0", f"execute {'n' * 200}: {LONG}"),
        f"2026-11-20 08:14:55.1 UTC,{LONG},,1,,,1,,,,,LOG,,,,,,,,,,,,,,{'9' * 19}",
        LONG,
        "\t" + LONG,
    ),
    "slowquery": (
        SLOW % (LONG, LONG, "no-address", "9" * 18, "9" * 18, "9" * 18, "T", "2026-13-45T99:00Z"),
        SLOW % ("", "", "", "0", "0", "9" * 20, "-", "-"),
        LONG,
    ),
    "audit": (
        f"20261120 08:14:55,{LONG},u,{LONG},1,{'9' * 18},QUERY,{LONG},'{LONG}',999999999,X{LONG}",
        "99991231 23:59:59,h,u,:::,1,2,CONNECT,,,0",
        "9999999999999999,h,u,h,1,2,CONNECT,,,0",
    ),
    "general": (f"2026-11-20T08:14:55Z\t1 Connect\t{'u' * 255}@{LONG} on {'d' * 64}", LONG),
    "error": (f"2026-11-20T08:14:55Z {'9' * 18} [{LONG}] [MY-1] [{LONG}] {LONG}", "0" * 40_000),
    "trace": (LONG, "\0"),
}


def test_any_message_of_a_database_is_a_document_that_the_engine_takes(
    real: OpenSearch, unique_prefix: str
) -> None:
    settings = IndexSettings(prefix=unique_prefix, period="year", replicas=0)
    set_up(real, settings, ("rds",))
    writer = BulkWriter(real, seconds_left=lambda: 60, ensure_template=lambda log_type: None)
    rejects = Rejects()
    counts = counts_of(rejects, "rds")
    envelopes = [
        envelope(*messages, logGroup=f"/aws/rds/instance/shop/{kind}")
        for kind, messages in MESSAGES.items()
    ]
    documents = EventBlocks(
        EventTypes(LogSettings()).identify, parsers_of(every_index(unique_prefix, "year"))
    )
    for _, block in documents.blocks(Envelopes(SOURCE).cut(envelopes)):
        writer.add(block, counts)
    writer.flush()
    assert [(one.reason, one.raw[:200]) for one in rejects] == []
    assert counts.indexed == counts.records > len(MESSAGES)
