"""Delete what a batch that is done leaves in the staging bucket, and what came late to such.

A function whose execution was aborted may go on for a quarter of an hour, and write beside a batch
that others ended: a daily sweep finds that. Nothing there expires by itself.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from itertools import batched
from typing import TYPE_CHECKING

from servicelogs.errors import UnreadableDocument
from servicelogs.lake import names
from servicelogs.lake.deployment import Lake
from servicelogs.lake.ledger import ENDED, Batch
from servicelogs.lake.manifests import Manifest

if TYPE_CHECKING:
    from mypy_boto3_s3.type_defs import ObjectTypeDef

_LOOKED_AT_TOGETHER = 100
# Younger ones may be of batches that are just being made.
_OLD = timedelta(days=1)


def clean(lake: Lake, batch: Batch) -> None:
    """Delete the staged objects of a batch that is done, and everything that attempts wrote."""
    keys = _objects(lake, batch)
    aside = map(names.quarantined_key, keys) if batch.reason else ()
    lake.staging.delete([*keys, *aside])
    lake.staging.delete_all(names.attempts_of(batch.id))
    # Last: it names what is to be deleted.
    lake.staging.delete_all(names.folder_of(batch.id))


def _objects(lake: Lake, batch: Batch) -> list[str]:
    try:
        manifest = lake.staging.read(batch.manifest, Manifest)
    except UnreadableDocument:  # the next plan finds the copies, and deletes them
        return []
    return [one.key for one in manifest.objects]


def sweep(lake: Lake, seconds_left: Callable[[], float], reserve: float) -> bool:
    """Delete what lies beside batches that ended, while there is time; say whether it was all."""
    for above in (names.OUT, names.BATCHES):
        for batches in batched(lake.staging.folders(above), _LOOKED_AT_TOGETHER, strict=False):
            for batch in _ended(lake, above, batches):
                if seconds_left() < reserve:
                    return False
                lake.staging.delete_all(f"{above}{batch}/")
    lake.staging.delete(run["Key"] for run in lake.staging.list(names.RUNS) if _is_old(lake, run))
    return True


def _ended(lake: Lake, above: str, batches: tuple[str, ...]) -> Iterator[str]:
    states = lake.ledger.states(batches)
    for batch in batches:
        if batch not in states:
            # Forgotten since it ended, or not begun yet.
            if all(_is_old(lake, one) for one in lake.staging.list(f"{above}{batch}/")):
                yield batch
        elif states[batch] in ENDED:
            yield batch


def _is_old(lake: Lake, listed: ObjectTypeDef) -> bool:
    return datetime.fromtimestamp(lake.clock(), UTC) - listed["LastModified"] > _OLD
