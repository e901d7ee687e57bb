"""Move old indexes to cheaper storage, by Index State Management of Amazon OpenSearch Service.

Deletion is not its work (`expiry`): that is the same on every engine.
"""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Any

from opensearchpy import OpenSearch
from opensearchpy.exceptions import OpenSearchException

from servicelogs import formats
from servicelogs.opensearch.answers import judge_failure
from servicelogs.opensearch.index_names import IndexNames
from servicelogs.opensearch.indexes import get
from servicelogs.parsing.format import MOST_DAYS
from servicelogs.settings import IndexSettings

# Migrations wait for each other; one that failed is tried again later.
_RETRY = {"count": 5, "backoff": "exponential", "delay": "1h"}
_PRIORITY = 100

type State = tuple[str, int, dict[str, Any]]


def put_policy(client: OpenSearch, settings: IndexSettings, names: IndexNames) -> None:
    """Put the policy for new indexes of the prefix; without tiers nothing is touched.

    An index keeps the policy that it began with.
    """
    if not settings.tiers:
        return
    path = f"/_plugins/_ism/policies/{settings.prefix}-service-logs"
    there = get(client, path)
    # An update must say what it is an update of.
    of = {
        f"if_{name}": str(there[f"_{name}"])
        for name in ("seq_no", "primary_term")
        if f"_{name}" in there
    }
    try:
        client.transport.perform_request("PUT", path, params=of, body=policy(settings, names))
    except OpenSearchException as failure:
        raise judge_failure(failure).as_error() from failure


def policy(settings: IndexSettings, names: IndexNames) -> dict[str, Any]:
    """Return the policy: a state for each tier, in the order of their days.

    It is for all log types: several deployments of a prefix put the same one. Those alone are left
    out whose indexes would move while they are written.
    """
    kept = [
        each
        for each in formats.NAMES
        if MOST_DAYS[names.period(formats.get(each))] <= settings.first_tier_days
    ]
    patterns = [pattern for each in kept for pattern in names.patterns(each)]
    states = [("hot", 0, {}), *_states(settings)]
    ends = [*pairwise(states), (states[-1], None)]
    return {
        "policy": {
            "description": "Tiers of the indexes of service logs",
            "default_state": "hot",
            "states": [_state(state, then) for state, then in ends],
            "ism_template": [{"index_patterns": patterns, "priority": _PRIORITY}],
        }
    }


def index_maker(
    client: OpenSearch, names: IndexNames, now: Callable[[], datetime] = lambda: datetime.now(UTC)
) -> Callable[[str], None]:
    """Return what makes an index of a past day, so that its age counts from that day.

    A policy takes an index's age from `creation_date`: a backfill's would be as young as today's.
    """

    def make(index: str) -> None:
        begin = names.begin(index)
        if begin > now() - timedelta(days=1):
            return  # the first document makes it, in time
        settings = {"index.creation_date": int(begin.timestamp() * 1000)}
        try:
            client.transport.perform_request("PUT", f"/{index}", body={"settings": settings})
        except OpenSearchException as failure:
            finding = judge_failure(failure)
            if finding.type != "resource_already_exists_exception":
                raise finding.as_error() from failure

    return make


def _states(settings: IndexSettings) -> Iterator[State]:
    if settings.force_merge_after_days:
        yield "merged", settings.force_merge_after_days, {"force_merge": {"max_num_segments": 1}}
    if settings.warm_after_days:
        yield "warm", settings.warm_after_days, {"warm_migration": {}}
    if settings.cold_after_days:
        timestamp = {"timestamp_field": "@timestamp"}
        yield "cold", settings.cold_after_days, {"cold_migration": timestamp}


def _state(state: State, then: State | None) -> dict[str, Any]:
    name, _, action = state
    conditions = {"min_index_age": f"{then[1]}d"} if then else {}
    return {
        "name": name,
        "actions": [{"retry": _RETRY, **action}] if action else [],
        "transitions": [{"state_name": then[0], "conditions": conditions}] if then else [],
    }
