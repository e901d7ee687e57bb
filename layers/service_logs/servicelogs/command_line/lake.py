"""`servicelogs lake`: what there is to ask about a lake that is deployed."""

import json
import sys
from collections.abc import Iterator
from dataclasses import asdict

from servicelogs.errors import one_line
from servicelogs.lake.verify import Verified, verify

MOST_LINES = 200
"""Of differences that are shown; JSON has all."""


def verify_lake(database: str, work_group: str, ledger: str, *, as_json: bool) -> bool:
    """Print which objects have other rows than the ledger says; return whether none has."""
    verified = verify(database, work_group, ledger)
    lines = iter([json.dumps(asdict(verified))]) if as_json else _table(verified)
    sys.stdout.write("".join(f"{line}\n" for line in lines))
    sys.stdout.flush()
    return not verified.differences


def _table(verified: Verified) -> Iterator[str]:
    if verified.differences:
        yield f"{'in tables':>15}{'in ledger':>15}  object"
    for one in verified.differences[:MOST_LINES]:
        said = "unknown" if one.in_ledger is None else f"{one.in_ledger:,}"
        yield f"{one.in_tables:>15,}{said:>15}  {one_line(one.source)}"
    if len(verified.differences) > MOST_LINES:
        yield f"and {len(verified.differences) - MOST_LINES:,} more: --json has all"
    differing = (
        f"{len(verified.differences):,} differ" if verified.differences else "nothing differs"
    )
    yield f"{differing}; the ledger has {verified.rows:,} rows of {verified.objects:,} objects"
    if verified.expired:
        yield (
            f"{verified.expired:,} objects have fewer rows than the ledger says, of days that are "
            "past their retention: these were not compared"
        )
