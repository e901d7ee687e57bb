"""Old indexes move to cheaper storage by their own dates, and a policy says when."""

import json
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest
from opensearchpy import OpenSearch

from servicelogs import formats
from servicelogs.errors import ClusterNeedsFixing, ConfigurationError
from servicelogs.opensearch.expiry import delete_expired
from servicelogs.opensearch.index_names import IndexNames
from servicelogs.opensearch.setup import set_up
from servicelogs.opensearch.tiers import index_maker, policy
from servicelogs.opensearch.writer import BulkWriter
from servicelogs.settings import IndexSettings
from tests.opensearch.blocks import Rejects, block, counts_of
from tests.opensearch.scripted_server import Answer, Request, ScriptedServer, error

NOW = datetime(2026, 11, 23, 9, tzinfo=UTC)
NAMES = IndexNames("aws", "day")
PATH = "/_plugins/_ism/policies/aws-service-logs"


def settings(**days: Any) -> IndexSettings:
    return IndexSettings(prefix="aws", **days)


def states(**days: int) -> list[dict[str, Any]]:
    return policy(settings(**days), NAMES)["policy"]["states"]


def test_each_tier_is_a_state_that_the_one_before_leads_to_in_the_order_of_days() -> None:
    found = states(force_merge_after_days=2, warm_after_days=7, cold_after_days=90)
    assert [state["name"] for state in found] == ["hot", "merged", "warm", "cold"]
    led = [transition for state in found for transition in state["transitions"]]
    assert led == [
        {"state_name": "merged", "conditions": {"min_index_age": "2d"}},
        {"state_name": "warm", "conditions": {"min_index_age": "7d"}},
        {"state_name": "cold", "conditions": {"min_index_age": "90d"}},
    ]
    actions = [set(action) - {"retry"} for state in found for action in state["actions"]]
    assert actions == [{"force_merge"}, {"warm_migration"}, {"cold_migration"}]
    # AWS: a policy must say by which field cold indexes are found again.
    assert found[-1]["actions"][0]["cold_migration"] == {"timestamp_field": "@timestamp"}


def test_a_tier_that_is_not_asked_for_is_left_out_and_nothing_is_deleted_by_a_policy() -> None:
    assert [state["name"] for state in states(warm_after_days=7)] == ["hot", "warm"]
    assert "delete" not in json.dumps(states(warm_after_days=7, cold_after_days=30))


def test_the_policy_is_for_indexes_of_the_prefix_alone() -> None:
    (template,) = policy(settings(warm_after_days=7), NAMES)["policy"]["ism_template"]
    assert all(pattern.startswith("aws-") for pattern in template["index_patterns"])
    assert "aws-vpc-flow-2*" in template["index_patterns"]


def patterns(**days: int) -> list[str]:
    found: list[str] = policy(settings(**days), NAMES)["policy"]["ism_template"][0][
        "index_patterns"
    ]
    return found


def test_an_index_that_is_still_written_does_not_move() -> None:
    """Of Config one index is a month's, and a warm one takes no writes."""
    assert "aws-config-2*" not in patterns(warm_after_days=30)
    assert "aws-config-2*" in patterns(warm_after_days=31)
    assert "aws-config-2*" not in patterns(force_merge_after_days=2, warm_after_days=60)


def test_tiers_before_the_period_is_over_are_refused() -> None:
    with pytest.raises(ConfigurationError, match="at least 31 with INDEX_PERIOD month"):
        settings(period="month", warm_after_days=7)
    settings(period="week", warm_after_days=7)


def put(client: OpenSearch, **days: Any) -> None:
    set_up(client, settings(**days), ("alb",))


def policies(server: ScriptedServer) -> list[Request]:
    return [
        one for one in server.requests if one.method == "PUT" and one.path.startswith("/_plugins")
    ]


def test_the_setup_puts_a_new_policy_and_updates_the_one_that_is_there(
    scripted: ScriptedServer, client_of: Callable[[str], OpenSearch]
) -> None:
    scripted.script = lambda request: (
        error(404, "not_found")
        if request.path.startswith(PATH) and request.method == "GET"
        else Answer()
    )
    put(client_of(scripted.url), warm_after_days=7)
    (first,) = policies(scripted)
    assert first.path == PATH
    scripted.script = lambda request: (
        Answer(body={"_id": "x", "_seq_no": 4, "_primary_term": 2, "policy": {}})
        if request.path.startswith(PATH) and request.method == "GET"
        else Answer()
    )
    put(client_of(scripted.url), warm_after_days=8)
    second = policies(scripted)[1]
    assert second.path == f"{PATH}?if_seq_no=4&if_primary_term=2"


def test_without_tiers_no_policy_is_asked_for(
    scripted: ScriptedServer, client_of: Callable[[str], OpenSearch]
) -> None:
    scripted.script = lambda _: Answer()
    put(client_of(scripted.url))
    assert not [one for one in scripted.requests if "_ism" in one.path]


def test_an_engine_without_the_plugin_fails_the_setup(real: OpenSearch, unique_prefix: str) -> None:
    with pytest.raises(ClusterNeedsFixing, match=r"no handler found|unknown"):
        set_up(real, IndexSettings(prefix=unique_prefix, warm_after_days=7), ("alb",))


@pytest.mark.parametrize(
    "days",
    [
        {"cold_after_days": 30},
        {"cold_after_days": 7, "warm_after_days": 7},
        {"force_merge_after_days": 7, "warm_after_days": 7},
        {"warm_after_days": 7, "engine_type": "serverless-search"},
    ],
)
def test_days_that_contradict_each_other_are_refused(days: dict[str, Any]) -> None:
    with pytest.raises(ConfigurationError, match="AFTER_DAYS"):
        settings(**days)


def test_the_index_of_a_past_day_is_as_old_as_its_day(real: OpenSearch, unique_prefix: str) -> None:
    set_up(real, IndexSettings(prefix=unique_prefix, replicas=0), ("alb",))
    make = index_maker(real, IndexNames(unique_prefix, "day"), now=lambda: NOW)
    old, today = (f"{unique_prefix}-alb-{day}" for day in ("2026.03.01", "2026.11.23"))
    writer = BulkWriter(
        real, seconds_left=lambda: 60, ensure_template=lambda _: None, ensure_index=make
    )
    for _ in range(2):  # the second attempt finds it there
        for index in (old, today):
            given = block(index, ['"elb_status_code":200'], indexes={old, today})
            writer.add(given, counts_of(Rejects()))
        writer.flush()
        writer = BulkWriter(
            real, seconds_left=lambda: 60, ensure_template=lambda _: None, ensure_index=make
        )
    made = real.indices.get(index=f"{unique_prefix}-alb-*")
    created = int(made[old]["settings"]["index"]["creation_date"])
    assert datetime.fromtimestamp(created / 1000, UTC) == datetime(2026, 3, 1, tzinfo=UTC)
    assert int(made[today]["settings"]["index"]["creation_date"]) > created
    assert made[old]["mappings"] == made[today]["mappings"]


def test_cold_indexes_are_deleted_too_page_by_page(
    scripted: ScriptedServer, client_of: Callable[[str], OpenSearch]
) -> None:
    cold = [f"aws-alb-2020.{month:02}.{day:02}" for month in (1, 2, 3, 4) for day in range(1, 29)]

    def script(request: Request) -> Answer:
        if request.path.startswith("/_cold/indices/_search"):
            asked = json.loads(request.body)
            first = "pagination_id" not in asked
            page = cold[:100] if first else cold[100:]
            return Answer(
                body={"pagination_id": "next", "indices": [{"index": index} for index in page]}
            )
        return Answer()

    scripted.script = script
    expiring = settings(delete_after_days={"": 30}, warm_after_days=3, cold_after_days=9)
    expired = delete_expired(client_of(scripted.url), expiring, ("alb",), now=lambda: NOW)
    assert expired.deleted == cold
    deleted = [one.path for one in scripted.requests if one.method == "DELETE"]
    assert deleted == [f"/_cold/{index}" for index in cold]


@pytest.mark.parametrize("log_type", formats.NAMES)
def test_the_day_of_a_name_is_where_it_begins(log_type: str) -> None:
    at = datetime(2026, 7, 1, 5, 30, tzinfo=UTC)
    for period, begin in {
        "hour": datetime(2026, 7, 1, 5, tzinfo=UTC),
        "week": datetime(2026, 6, 29, tzinfo=UTC),
        "month": datetime(2026, 7, 1, tzinfo=UTC),
        "year": datetime(2026, 1, 1, tzinfo=UTC),
    }.items():
        names = IndexNames("aws", period)  # type: ignore[arg-type]
        name = names.name(formats.get(log_type), at)
        if names.period(formats.get(log_type)) == period:
            assert names.begin(name) == begin
