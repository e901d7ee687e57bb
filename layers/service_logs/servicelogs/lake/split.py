"""Split a batch whose conversion keeps failing, until one object fails alone: it is set aside.

First the batch is taken out of OPEN, so that no attempt that still runs is chosen; then its objects
are given to smaller batches, which are opened when they have all of theirs.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from itertools import batched, pairwise
from typing import Any

from aws_lambda_powertools import Logger

from servicelogs.errors import ObjectGone, UnreadableDocument
from servicelogs.lake import copies, names
from servicelogs.lake.copies import FoundObject
from servicelogs.lake.deployment import Lake
from servicelogs.lake.files import at_once
from servicelogs.lake.ledger import Batch, Claim, State
from servicelogs.lake.manifests import Manifest, StagedObject

logger = Logger(child=True)

LEFT = "LEFT"
"""A batch that fails through no fault of its objects stays open, for the next run."""
_LONGEST_REASON = 1000
_LOOKED_AT_TOGETHER = 1000
# Errors that every batch would meet: rights, settings, what AWS cannot do now.
_NO_OBJECTS_FAULT = {
    "ClientError",
    "ConfigurationError",
    "ConnectTimeoutError",
    "ConnectionClosedError",
    "DeliveryError",
    "EndpointConnectionError",
    "ImportError",
    "ModuleNotFoundError",
    "NoCredentialsError",
    "ObjectUnreachable",
    "ReadTimeoutError",
    "Runtime.HandlerNotFound",
    "Runtime.ImportModuleError",
    "Runtime.InvalidEntrypoint",
    "Runtime.UserCodeSyntaxError",
    "States.Permissions",
}


def split_batch(lake: Lake, batch: str, error: Mapping[str, Any]) -> str:
    """Split a batch that failed with this error, or set its only object aside; say what it is now.

    The error is what a state machine catches: its name, and its cause.
    """
    found = lake.ledger.batch(batch)
    if found is None:
        return State.DONE
    if found.state is State.OPEN and _is_everybodys(error):
        logger.warning("batch left for later", extra={"batch": batch, "error": dict(error)})
        return LEFT
    if found.state is State.OPEN:
        manifest = _manifest(lake, found)
        if manifest is None:
            return LEFT
        if len(manifest.objects) == 1:
            _quarantine(lake, found, manifest.objects[0], _reason(error))
        elif lake.ledger.splitting(batch):
            logger.warning("batch split", extra={"batch": batch, "reason": _reason(error)})
        found = lake.ledger.batch(batch) or found
    if found.state is State.SPLITTING:
        return go_on(lake, found)
    return found.state


def _manifest(lake: Lake, batch: Batch) -> Manifest | None:
    """Read the list of an open batch's objects; None if it has to be made again, and was.

    The claims of an open batch are all that it was opened with: only a split moves them, which
    reads the list before.
    """
    try:
        return lake.staging.read(batch.manifest, Manifest)
    except UnreadableDocument as error:
        objects = [*_claimed(lake, batch)]
        if len(objects) < batch.objects:
            raise UnreadableDocument(
                f"{error}; of the {batch.objects} objects of batch {batch.id} only {len(objects)} "
                "are in the staging bucket, so that the list cannot be made again"
            ) from error
        lake.staging.write(batch.manifest, Manifest(batch.id, batch.log_type, objects))
        logger.warning("list of a batch made again", extra={"batch": batch.id, "why": str(error)})
        return None


def _claimed(lake: Lake, batch: Batch) -> Iterator[StagedObject]:
    """Give the objects that wait and are a batch's, the oldest first."""
    waiting = lake.staging.list(f"{names.RAW}{batch.log_type}/")
    for entries in batched(waiting, _LOOKED_AT_TOGETHER, strict=False):
        found = [
            StagedObject(entry["Key"], names.id_of(entry["Key"]), entry["Size"])
            for entry in entries
            if names.is_copy(entry["Key"])
        ]
        claims = lake.ledger.claims(one.id for one in found)
        yield from (one for one in found if claims.get(one.id) == Claim(batch.id, one.key))


def go_on(lake: Lake, batch: Batch) -> str:
    """Give the objects of a batch that is being split to smaller batches."""
    objects = lake.staging.read(names.manifest_key(batch.id), Manifest).objects
    shares = _shares(objects)
    for child, share in zip(names.children(batch.id, len(shares)), shares, strict=True):
        manifest = Manifest(child, batch.log_type, share)
        lake.staging.write_once(names.manifest_key(child), manifest)
        lake.ledger.waiting(child, batch, len(share))
        at_once(partial(_move, lake, batch.id, child), share)
        lake.ledger.child_opened(child)
    lake.ledger.split(batch.id)
    return State.SPLIT


def _move(lake: Lake, from_batch: str, to_batch: str, staged: StagedObject) -> None:
    lake.ledger.move_claim(staged.id, from_batch, to_batch)


def _shares(objects: Sequence[StagedObject]) -> list[list[StagedObject]]:
    """Part objects into as many shares as a batch may have children, alike in number."""
    count = min(len(objects), names.MOST_CHILDREN)
    ends = [len(objects) * n // count for n in range(count + 1)]
    return [list(objects[start:end]) for start, end in pairwise(ends)]


def _quarantine(lake: Lake, batch: Batch, staged: StagedObject, reason: str) -> None:
    """Set an object aside, where it can be sent again, and say why."""
    staging = lake.staging
    about = {"reason": reason}
    aside = names.quarantined_key(staged.key)
    try:
        found = copies.find(staging.s3, staging.bucket, staged.key)
    except ObjectGone:
        about["reason"] = f"its staged copy is gone, send it again; before that: {reason}"
    else:
        about |= _origin(found, staged)
        copies.copy(staging.s3, found, staging.bucket, aside, found.metadata)
    if lake.ledger.quarantined(batch.id, staged.id, about):
        # Should it be sent again at this very moment, it ends here once more, its copy gone.
        staging.delete([staged.key])
        logger.error("object quarantined", extra={"batch": batch.id, **about})


def _origin(found: FoundObject, staged: StagedObject) -> dict[str, str]:
    """Say where a copy comes from."""
    try:
        source = copies.source_of(found.metadata, staged.id)
        return {"source": source.uri, "etag": found.metadata["etag"]}
    except (KeyError, ValueError):  # it does not say it, which is the reason why it is set aside
        return {}


def _is_everybodys(error: Mapping[str, Any]) -> bool:
    name = str(error.get("Error", ""))
    of_lambda = name.startswith("Lambda.") and name != "Lambda.Unknown"
    return of_lambda or name in _NO_OBJECTS_FAULT


def _reason(error: Mapping[str, Any]) -> str:
    """Say what went wrong in the words of whom it happened to."""
    cause = str(error.get("Cause", ""))
    try:
        told = json.loads(cause)
    except ValueError:
        told = {}
    message = told.get("errorMessage", cause) if isinstance(told, dict) else cause
    return f"{error.get('Error', 'unknown')}: {message}"[:_LONGEST_REASON]
