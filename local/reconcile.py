"""Say whether every record that was delivered is where it belongs, and if not, which is not.

Three witnesses are asked about each object: the search engine (documents that a search finds), the
backup bucket (rejects), and the function itself (the counts it published). Three more are asked
about each that the lake takes: its tables (rows), the backup bucket, and the ledger.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace

MANY = 5


@dataclass(frozen=True)
class Expected:
    """What was delivered in one object, or by one way; and what must become of it."""

    uri: str
    """The object's address, or the name of the way."""
    log_type: str
    records: int
    rejected: int
    filtered: int
    in_bucket: bool = True
    """Whether it is in the log bucket, from which the lake has it too."""

    @property
    def indexed(self) -> int:
        """Say how many documents a search must find."""
        return self.records - self.rejected - self.filtered


@dataclass(frozen=True)
class Published:
    """What the function said of one object when it was done with it."""

    log_type: str
    records: int
    indexed: int
    already_there: int
    rejected: int
    filtered: int


@dataclass(frozen=True)
class InLake:
    """What the lake has of one object, or of what came by one way."""

    records: int
    """As the ledger says, and so are those that expired."""
    expired: int
    rejected: int
    """In the backup bucket."""
    rows: int
    """That a query finds."""


NOTHING = InLake(0, 0, 0, 0)


@dataclass
class Found:
    """What the three witnesses say, by the object's address."""

    searchable: Mapping[str, int] = field(default_factory=dict)
    in_backup: Mapping[str, int] = field(default_factory=dict)
    published: Mapping[str, Published] = field(default_factory=dict)
    skipped: int = 0
    """Objects that the function skipped since the delivery began."""


@dataclass
class Row:
    """One log type's line of the table, of what one account sent."""

    log_type: str
    account: str
    objects: int = 0
    records: int = 0
    indexed: int = 0
    rejected: int = 0
    filtered: int = 0
    rows: int | None = None
    """In the lake; None for what does not reach it."""
    seconds: float = 0.0


def together(expected: Iterable[Expected]) -> list[Expected]:
    """Add up what came by one way in several log streams."""
    summed: dict[str, Expected] = {}
    for one in expected:
        before = summed.get(one.uri, replace(one, records=0, rejected=0, filtered=0))
        summed[one.uri] = replace(
            one,
            records=before.records + one.records,
            rejected=before.rejected + one.rejected,
            filtered=before.filtered + one.filtered,
        )
    return list(summed.values())


def difference(expected: Expected, found: Found) -> str:
    """Say what is not as it must be with one object; empty if nothing."""
    uri = expected.uri
    said = found.published.get(uri)
    wrong = [
        _unequal("searchable", found.searchable.get(uri, 0), expected.indexed),
        _unequal("in the backup bucket", found.in_backup.get(uri, 0), expected.rejected),
    ]
    if said is not None:
        wrong += [
            _unequal("records read", said.records, expected.records),
            _unequal("indexed now or before", said.indexed + said.already_there, expected.indexed),
            _unequal("published as rejected", said.rejected, expected.rejected),
            _unequal("published as filtered", said.filtered, expected.filtered),
        ]
    elif expected.records:
        wrong.append("the function has not said that it is done")
    text = "; ".join(filter(None, wrong))
    return f"{uri}: {text}" if text else ""


def differences(expected: Iterable[Expected], found: Found) -> list[str]:
    """Say all that is not as it must be."""
    wrong = [text for one in expected if (text := difference(one, found))]
    silent = sum(one.records == 0 and one.uri not in found.published for one in expected)
    if found.skipped < silent:
        wrong.append(f"{found.skipped} objects without records were skipped, of {silent}")
    return wrong


def lake_differences(expected: Iterable[Expected], found: Mapping[str, InLake]) -> list[str]:
    """Say all that is not as it must be in the lake: each record is a row, a reject or too old."""
    wrong = []
    for one in expected:
        had = found.get(one.uri, NOTHING)
        texts = [
            _unequal("records in the ledger", had.records, one.records - one.filtered),
            _unequal("rejected by the lake", had.rejected, one.rejected),
            _unequal("rows in the lake", had.rows, had.records - had.rejected - had.expired),
        ]
        if one.in_bucket and (text := "; ".join(filter(None, texts))):
            wrong.append(f"{one.uri}: {text}")
    return wrong


def settled(expected: Iterable[Expected], found: Found) -> int:
    """Count the records that are where they belong."""
    return sum(
        min(found.searchable.get(one.uri, 0), one.indexed)
        + min(found.in_backup.get(one.uri, 0), one.rejected)
        + (min(said.filtered, one.filtered) if (said := found.published.get(one.uri)) else 0)
        for one in expected
    )


def table(
    account: str,
    expected: Iterable[Expected],
    found: Found,
    seconds: Mapping[str, float],
    in_lake: Mapping[str, InLake],
) -> list[Row]:
    """Add up what an account sent, by log type; the seconds are those of the slowest object."""
    rows: dict[str, Row] = {}
    for one in expected:
        row = rows.setdefault(one.log_type, Row(one.log_type, account))
        said = found.published.get(one.uri)
        row.objects += 1
        row.records += said.records if said else 0
        row.indexed += found.searchable.get(one.uri, 0)
        row.rejected += found.in_backup.get(one.uri, 0)
        row.filtered += said.filtered if said else 0
        if one.in_bucket:
            row.rows = (row.rows or 0) + in_lake.get(one.uri, NOTHING).rows
        row.seconds = max(row.seconds, seconds.get(one.uri, 0.0))
    return list(rows.values())


def shortened(lines: list[str]) -> list[str]:
    """Keep the first few lines and say how many more there are."""
    rest = len(lines) - MANY
    return lines if rest <= 0 else [*lines[:MANY], f"… and {rest} more"]


def _unequal(what: str, found: int, should_be: int) -> str:
    return "" if found == should_be else f"{found} {what}, should be {should_be}"
