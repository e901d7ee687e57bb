"""The setup puts templates, again and again; the writer's check sees whether they are there."""

from collections.abc import Callable
from typing import Any

import pytest
from opensearchpy import OpenSearch

from servicelogs import formats
from servicelogs.errors import ClusterNeedsFixing, ConfigurationError, TryLater
from servicelogs.opensearch.setup import set_up, template_check
from servicelogs.settings import Settings
from tests.opensearch.made_up_format import made_up
from tests.opensearch.scripted_server import Answer, ScriptedServer, error

SETTINGS = Settings(opensearch_endpoint="http://unused", log_types=("made_up",), index_replicas=0)


@pytest.fixture(autouse=True)
def made_up_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(formats, "get", lambda name: made_up(name=name))


def settings(prefix: str, **changed: Any) -> Settings:
    given = {"log_types": ("made_up", "made_up_too"), "index_replicas": 0} | changed
    return Settings(opensearch_endpoint="http://unused", index_prefix=prefix, **given)


def test_the_setup_names_the_templates_and_may_be_run_again(
    engine: OpenSearch, unique_prefix: str
) -> None:
    expected = [f"{unique_prefix}-made-up", f"{unique_prefix}-made-up-too"]
    assert set_up(engine, settings(unique_prefix)) == expected
    assert set_up(engine, settings(unique_prefix)) == expected


def test_the_check_passes_after_the_setup_and_tells_what_to_do_before_it(
    engine: OpenSearch, unique_prefix: str
) -> None:
    check = template_check(engine, settings(unique_prefix))
    with pytest.raises(ClusterNeedsFixing, match=r"is missing: deploy the stack again"):
        check("made_up")
    set_up(engine, settings(unique_prefix))
    check("made_up")


def test_the_check_refuses_the_template_of_another_version(
    engine: OpenSearch, unique_prefix: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    set_up(engine, settings(unique_prefix))
    monkeypatch.setattr(formats, "get", lambda name: made_up(common={}))
    with pytest.raises(ClusterNeedsFixing, match="in version"):
        template_check(engine, settings(unique_prefix))("made_up")


def test_changed_index_settings_are_put_and_hold_for_new_indexes(
    engine: OpenSearch, unique_prefix: str
) -> None:
    set_up(engine, settings(unique_prefix))
    set_up(engine, settings(unique_prefix, index_shards=3, index_refresh_interval="5s"))
    index = f"{unique_prefix}-made-up-2026.11.24"
    engine.indices.create(index=index)
    kept = engine.indices.get_settings(index=index)[index]["settings"]["index"]
    assert (kept["number_of_shards"], kept["refresh_interval"]) == ("3", "5s")


def test_another_period_is_refused_while_indexes_of_the_old_one_live(
    engine: OpenSearch, unique_prefix: str
) -> None:
    set_up(engine, settings(unique_prefix))
    old = f"{unique_prefix}-made-up-2026.11.23"
    engine.indices.create(index=old)
    with pytest.raises(ConfigurationError, match=f"1 indexes of another period live, '{old}'"):
        set_up(engine, settings(unique_prefix, index_period="month"))
    set_up(engine, settings(unique_prefix))
    engine.indices.delete(index=old)
    set_up(engine, settings(unique_prefix, index_period="month"))


def test_a_closed_index_of_the_old_period_lives(real: OpenSearch, unique_prefix: str) -> None:
    old = f"{unique_prefix}-made-up-2026.11.23"
    real.indices.create(index=old)
    real.indices.close(index=old)
    with pytest.raises(ConfigurationError, match="another period"):
        set_up(real, settings(unique_prefix, index_period="week"))


def test_indexes_of_a_type_that_begins_alike_are_not_taken_for_an_old_period(
    engine: OpenSearch, unique_prefix: str
) -> None:
    engine.indices.create(index=f"{unique_prefix}-made-up-too-2026.11")
    set_up(engine, settings(unique_prefix, log_types=("made_up",)))


def test_an_index_setting_that_the_engine_refuses_is_named(
    real: OpenSearch, unique_prefix: str
) -> None:
    with pytest.raises(ConfigurationError, match=r"made-up.*codec.*zstd"):
        set_up(real, settings(unique_prefix, index_codec="zstd"))


def test_serverless_decides_its_own_index_settings(
    scripted: ScriptedServer, client_of: Callable
) -> None:
    scripted.script = lambda request: Answer(body={})
    set_up(client_of(scripted.url), settings("aws", opensearch_service="aoss"))
    put = [request.body for request in scripted.requests if request.method == "PUT"]
    assert len(put) == 2
    assert not any(b"number_of_shards" in body for body in put)


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        (error(403, "security_exception"), ClusterNeedsFixing),
        (error(429, "rejected_execution_exception"), TryLater),
        (Answer(503, b"", "text/html"), TryLater),
        (Answer(reset=True), TryLater),
    ],
)
def test_an_engine_that_does_not_answer_is_no_missing_template(
    scripted: ScriptedServer, client_of: Callable, answer: Answer, expected: type[Exception]
) -> None:
    scripted.script = lambda request: answer
    client = client_of(scripted.url)
    with pytest.raises(expected):
        template_check(client, SETTINGS)("made_up")
    with pytest.raises(expected):
        set_up(client, SETTINGS)
