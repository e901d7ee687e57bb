"""Indexes go when all of their time is past the retention, and nothing else goes."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from opensearchpy import OpenSearch

from servicelogs import formats
from servicelogs.errors import ClusterNeedsFixing, TryLater
from servicelogs.opensearch.expiry import Expired, delete_expired
from servicelogs.opensearch.index_names import IndexNames
from servicelogs.parsing.format import PERIODS, Period
from servicelogs.settings import IndexSettings
from tests.opensearch.scripted_server import Answer, Request, ScriptedServer, error

NOW = datetime(2026, 11, 23, 2, 15, tzinfo=UTC)
ALB = formats.get("alb")


def run(client: OpenSearch, prefix: str, days: dict[str, int], **changed: Any) -> Expired:
    settings = IndexSettings(prefix=prefix, replicas=0, delete_after_days=days)
    log_types = changed.pop("log_types", formats.NAMES)
    return delete_expired(client, settings, log_types, now=lambda: NOW, **changed)


def make(client: OpenSearch, *names: str) -> None:
    for name in names:
        client.indices.create(
            index=name,
            body={"settings": {"index": {"number_of_replicas": 0, "number_of_shards": 1}}},
        )


def there(client: OpenSearch, prefix: str) -> set[str]:
    answer = client.transport.perform_request(
        "GET", f"/*{prefix}*/_settings", params={"expand_wildcards": "all"}
    )
    return {name.removeprefix(f"{prefix}-") for name in answer}


def test_an_index_goes_when_its_last_record_is_past_the_retention(
    engine: OpenSearch, unique_prefix: str
) -> None:
    make(engine, *(f"{unique_prefix}-alb-2026.11.{day}" for day in (10, 11, 12, 13)))
    # 11 ends at midnight of the 12th, ten days and two hours before now.
    expired = run(engine, unique_prefix, {"": 11})
    assert expired.deleted == [f"{unique_prefix}-alb-2026.11.{day}" for day in (10, 11)]
    assert there(engine, unique_prefix) == {"alb-2026.11.12", "alb-2026.11.13"}


def test_missed_days_a_changed_retention_and_closed_indexes_are_caught_up_with(
    engine: OpenSearch, unique_prefix: str
) -> None:
    make(engine, *(f"{unique_prefix}-waf-2026.{month}.01" for month in ("01", "05", "11")))
    engine.indices.close(index=f"{unique_prefix}-waf-2026.01.01")
    assert run(engine, unique_prefix, {"": 0}).deleted == []
    assert len(run(engine, unique_prefix, {"": 100}).deleted) == 2
    assert there(engine, unique_prefix) == {"waf-2026.11.01"}
    assert run(engine, unique_prefix, {"": 100}) == Expired()


def test_each_type_has_its_own_retention_and_others_stay(
    engine: OpenSearch, unique_prefix: str
) -> None:
    old = [f"{unique_prefix}-{kind}-2026.01.01" for kind in ("alb", "alb-connection", "waf", "nlb")]
    make(engine, *old)
    run(engine, unique_prefix, {"": 30, "waf": 0}, log_types=("alb", "waf", "nlb"))
    assert there(engine, unique_prefix) == {"alb-connection-2026.01.01", "waf-2026.01.01"}
    run(engine, unique_prefix, {"waf": 30})
    assert there(engine, unique_prefix) == {"alb-connection-2026.01.01"}


def test_what_is_not_a_name_of_ours_stays(engine: OpenSearch, unique_prefix: str) -> None:
    others = {
        "alb-2026.1.1",
        "alb-2026.02.30",
        "alb-2026.w54",
        "alb-2026.13",
        "alb-2026.01.01-reindexed",
        "alb-2026.01.01.24",
        "alb-1999-old",
        "alb",
        "custom-2020.01.01",
        "alb2-2020.01.01",
    }
    make(engine, *(f"{unique_prefix}-{name}" for name in others))
    make(engine, f"copy-of-{unique_prefix}-alb-2020.01.01")
    engine.indices.put_alias(
        index=f"{unique_prefix}-custom-2020.01.01", name=f"{unique_prefix}-alb-2020.01.02"
    )
    assert run(engine, unique_prefix, {"": 1}) == Expired()
    assert there(engine, unique_prefix) == {*others, f"copy-of-{unique_prefix}-alb-2020.01.01"}


def test_one_index_that_is_refused_stops_no_other(
    scripted: ScriptedServer, client_of: Callable[[str], OpenSearch]
) -> None:
    gone = "aws-alb-2026.01.03"

    def script(request: Request) -> Answer:
        if request.method == "GET":
            days = [f"aws-alb-2026.01.{day:02}" for day in range(1, 6)]
            return Answer(body={day: {} for day in days} if "aws-alb-1" in request.path else {})
        if "2026.01.02" in request.path:
            return error(403, "security_exception", "no permissions for [indices:admin/delete]")
        return error(404, "index_not_found_exception") if gone in request.path else Answer()

    scripted.script = script
    expired = run(client_of(scripted.url), "aws", {"": 30})
    assert expired.deleted == [f"aws-alb-2026.01.{day}" for day in ("01", "04", "05")]
    (refused,) = expired.refused.values()
    assert isinstance(refused, ClusterNeedsFixing)
    assert "Map the role or user that it names" in str(refused)


@pytest.mark.parametrize("refused", ["_cold/indices", "aws-alb-1", "aws-alb-connection-1"])
def test_indexes_that_may_not_be_listed_stop_no_others(
    scripted: ScriptedServer, client_of: Callable[[str], OpenSearch], refused: str
) -> None:
    def script(request: Request) -> Answer:
        if refused in request.path:
            return error(403, "security_exception", "no permissions for [cluster:admin/cold/x]")
        return Answer(body={"aws-waf-2026.01.01": {}} if "aws-waf-1" in request.path else {})

    scripted.script = script
    settings = IndexSettings(delete_after_days={"": 30}, warm_after_days=5, cold_after_days=9)
    expired = delete_expired(client_of(scripted.url), settings, formats.NAMES, now=lambda: NOW)
    assert expired.deleted == ["aws-waf-2026.01.01"]
    assert isinstance(next(iter(expired.refused.values())), ClusterNeedsFixing)


def test_an_engine_that_does_not_answer_is_said(
    scripted: ScriptedServer, client_of: Callable[[str], OpenSearch]
) -> None:
    scripted.script = lambda _: error(503, "no_master")
    with pytest.raises(TryLater):
        run(client_of(scripted.url), "aws", {"": 30})


def test_what_there_is_no_time_for_is_left(engine: OpenSearch, unique_prefix: str) -> None:
    make(engine, *(f"{unique_prefix}-alb-2026.01.0{day}" for day in (1, 2, 3)))
    answers = iter([True, False])
    expired = run(engine, unique_prefix, {"": 1}, has_time=lambda: next(answers))
    assert (len(expired.deleted), expired.left) == (1, 2)


@given(
    st.datetimes(datetime(1970, 1, 1), datetime(2200, 1, 1)).map(lambda at: at.replace(tzinfo=UTC)),  # noqa: DTZ001
    st.sampled_from(PERIODS),
)
def test_every_name_is_read_as_the_time_that_it_covers(at: datetime, period: Period) -> None:
    names = IndexNames("aws", period)
    end = names.end(ALB, name := names.name(ALB, at))
    assert end is not None
    assert end > at
    # One moment before its end is in it, the end itself is not.
    assert names.name(ALB, end - timedelta(seconds=1)) == name != names.name(ALB, end)
    assert names.end(formats.get("waf"), name) is None


def test_a_name_of_the_last_year_that_a_calendar_has_is_not_one_of_ours() -> None:
    assert IndexNames("aws", "year").end(ALB, "aws-alb-9999") is None
