"""The sample logs as a lake: converted by `servicelogs convert`, read as Athena reads tables."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import duckdb

from local import sample_logs
from servicelogs import formats
from servicelogs.command_line.convert import Converted, convert_files
from servicelogs.lake.conversion import WrittenFile
from servicelogs.lake.schema import PARTITION
from servicelogs.lake.tables import tables_of
from servicelogs.parsing.places import Place
from tests.formats.make_cases import event_cases

RECORDS = 100
DAY = "2026-11-20"

# What the samples do not have.
_SIGN_IN: dict[str, Any] = {
    "eventVersion": "1.11",
    "eventTime": f"{DAY}T08:14:55Z",
    "eventSource": "signin.amazonaws.com",
    "eventName": "ConsoleLogin",
    "awsRegion": "eu-west-1",
    "eventID": "0a1b2c3d-0000-4000-8000-000000000001",
    "readOnly": False,
    "userIdentity": {"type": "Root", "arn": "arn:aws:iam::111122223333:root"},
    "additionalEventData": {"MFAUsed": "No"},
    "responseElements": {"ConsoleLogin": "Success"},
}
_CHANGE: dict[str, Any] = _SIGN_IN | {
    "eventSource": "s3.amazonaws.com",
    "eventName": "DeleteBucketPolicy",
    "eventID": "0a1b2c3d-0000-4000-8000-000000000002",
    "resources": [{"type": "AWS::S3::Bucket", "ARN": "arn:aws:s3:::logs"}],
}


def convert_samples(folder: Path) -> Converted:
    """Convert sample objects, log events and some ordinary records of every type."""
    given = folder / "given"
    names = [_write(given / name, data) for name, data in _files()]
    return convert_files(
        names,
        str(folder / "lake"),
        log_type="",
        fields=(),
        key="",
        default_place=Place(sample_logs.ACCOUNT, sample_logs.REGION),
        rejects="",
        as_json=True,
    )


def _files() -> Iterator[tuple[str, bytes]]:
    for one in sample_logs.objects():
        yield one.key, one.data
    for number, events in enumerate(sample_logs.log_events()):
        yield f"events/{number}", _envelope(events)
    for case in event_cases():
        if case.parent.name == "rds":  # of which one event may hold several records
            yield f"cases/{case.name}", case.read_bytes()
    for name in formats.NAMES:
        yield f"more/{name}", sample_logs.generate(name, RECORDS)
    deleted = sample_logs.generate("config", RECORDS, 2)
    deleted = deleted.replace(b"ResourceDiscovered", b"ResourceDeleted")
    yield "more/deleted.json", deleted.replace(b"2026-11-05", DAY.encode())
    yield "more/events.json", json.dumps({"Records": [_SIGN_IN, _CHANGE]}).encode()


def _write(path: Path, data: bytes) -> str:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)
    return str(path)


def _envelope(events: sample_logs.SampleEvents) -> bytes:
    found = [
        {"id": f"{number:056}", "timestamp": time, "message": message}
        for number, (time, message) in enumerate(events.events)
    ]
    about = {
        "messageType": "DATA_MESSAGE",
        "owner": sample_logs.ACCOUNT,
        "logGroup": events.group,
        "logStream": events.stream,
        "subscriptionFilters": ["all"],
    }
    return json.dumps({**about, "logEvents": found}).encode()


def connect(folder: Path, files: Iterable[WrittenFile]) -> Any:
    """Open tables of the files in a folder, each with the columns of its partition, in UTC."""
    connection = duckdb.connect()
    connection.execute("SET TimeZone = 'UTC'")
    by_table: dict[str, list[WrittenFile]] = {}
    for file in files:
        by_table.setdefault(file.partition.table, []).append(file)
    for log_type in formats.NAMES:
        for table in tables_of(formats.get(log_type)):
            make_table(connection, folder, table, by_table[table])
    return connection


def make_table(connection: Any, folder: Path, table: str, files: Iterable[WrittenFile]) -> None:
    """Open one table."""
    parts = [_select(folder, file) for file in files]
    connection.execute(f'CREATE OR REPLACE VIEW "{table}" AS {" UNION ALL BY NAME ".join(parts)}')


def _select(folder: Path, file: WrittenFile) -> str:
    values = zip(PARTITION, file.partition.values, strict=True)
    columns = ", ".join(f"'{value}' AS {name}" for name, value in values)
    return f"SELECT *, {columns} FROM read_parquet('{folder / file.name}')"
