"""Say for the page what became of all that was delivered: counts by log type, and the rejects."""

import threading
from collections import Counter
from dataclasses import asdict
from typing import Any

from local.reconcile import Published
from local.stack import Stack
from local.witnesses import Witnesses

MOST_REJECTS = 500
MOST_CHARACTERS = 20_000
"""Of a rejected record; the whole one is in the backup bucket."""


class PipelineState:
    """One running stack, asked by one request at a time."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._asked: tuple[Stack, Witnesses] | None = None

    def counts(self, stack: Stack) -> dict[str, Any]:
        """Count what came and what became of it, by log type, and what waits."""
        with self._lock:
            witnesses = self._witnesses(stack)
            said = witnesses.said()
            waiting = witnesses.waiting()
        by_type: dict[str, Counter[str]] = {}
        for published in said.published.values():
            by_type.setdefault(published.log_type, Counter()).update(_counts(published))
        return {
            "by_type": [{"log_type": name, **counts} for name, counts in sorted(by_type.items())],
            "skipped": said.skipped,
            "left_out": said.left_out,
            "waiting": waiting,
            "failures": said.failures,
        }

    def rejects(self, stack: Stack) -> dict[str, Any]:
        """Give the newest rejects of both engines, with their reasons."""
        with self._lock:
            witnesses = self._witnesses(stack)
            rejects = [
                reject | {"engine": engine, "raw": _raw(reject)}
                for engine, of_lake in (("OpenSearch", False), ("Light Engine", True))
                for reject in witnesses.rejects(of_lake=of_lake)
            ]
        rejects.sort(key=lambda reject: str(reject["delivered"]), reverse=True)
        return {"total": len(rejects), "records": rejects[:MOST_REJECTS]}

    def _witnesses(self, stack: Stack) -> Witnesses:
        if self._asked is None or self._asked[0] != stack:
            self._asked = stack, Witnesses(stack, 0)
        return self._asked[1]


def _counts(published: Published) -> dict[str, int]:
    counts = asdict(published)
    del counts["log_type"]
    return {"objects": 1} | counts


def _raw(reject: dict[str, Any]) -> str:
    raw = str(reject.get("raw") or reject.get("raw_base64", ""))
    return raw if len(raw) <= MOST_CHARACTERS else f"{raw[:MOST_CHARACTERS]}…"
