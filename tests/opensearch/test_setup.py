"""The setup puts templates, again and again; the writer's check sees whether they are there."""

from collections.abc import Callable
from typing import Any

import pytest
from opensearchpy import OpenSearch

from servicelogs import formats
from servicelogs.errors import ClusterNeedsFixing, ConfigurationError, TryLater
from servicelogs.opensearch.setup import set_up, template_check
from servicelogs.settings import IndexSettings
from tests.opensearch.made_up_format import made_up
from tests.opensearch.scripted_server import Answer, ScriptedServer, error

LOG_TYPES = ("made_up", "made_up_too")


@pytest.fixture(autouse=True)
def made_up_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(formats, "get", lambda name: made_up(name=name))


def settings(prefix: str, **changed: Any) -> IndexSettings:
    return IndexSettings(prefix=prefix, replicas=0, **changed)


def test_the_setup_names_the_templates_and_may_be_run_again(
    engine: OpenSearch, unique_prefix: str
) -> None:
    expected = [f"{unique_prefix}-made-up", f"{unique_prefix}-made-up-too"]
    assert set_up(engine, settings(unique_prefix), LOG_TYPES) == expected
    assert set_up(engine, settings(unique_prefix), LOG_TYPES) == expected


def test_the_check_passes_after_the_setup_and_tells_what_to_do_before_it(
    engine: OpenSearch, unique_prefix: str
) -> None:
    check = template_check(engine, settings(unique_prefix))
    with pytest.raises(
        ClusterNeedsFixing, match=r"is missing: deploy the stack with another SetUpAgain"
    ):
        check("made_up")
    set_up(engine, settings(unique_prefix), LOG_TYPES)
    check("made_up")


def test_the_check_refuses_the_template_of_another_version(
    engine: OpenSearch, unique_prefix: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    set_up(engine, settings(unique_prefix), LOG_TYPES)
    monkeypatch.setattr(formats, "get", lambda name: made_up(common={}))
    with pytest.raises(ClusterNeedsFixing, match="in version"):
        template_check(engine, settings(unique_prefix))("made_up")


def test_changed_index_settings_are_put_and_hold_for_new_indexes(
    engine: OpenSearch, unique_prefix: str
) -> None:
    set_up(engine, settings(unique_prefix), LOG_TYPES)
    set_up(engine, settings(unique_prefix, shards=3, refresh_interval="5s"), LOG_TYPES)
    index = f"{unique_prefix}-made-up-2026.11.24"
    engine.indices.create(index=index)
    kept = engine.indices.get_settings(index=index)[index]["settings"]["index"]
    assert (kept["number_of_shards"], kept["refresh_interval"]) == ("3", "5s")


def test_another_period_is_refused_while_indexes_of_the_old_one_live(
    engine: OpenSearch, unique_prefix: str
) -> None:
    set_up(engine, settings(unique_prefix), LOG_TYPES)
    old = f"{unique_prefix}-made-up-2026.11.23"
    engine.indices.create(index=old)
    with pytest.raises(ConfigurationError, match=f"1 indexes of another period exist, '{old}'"):
        set_up(engine, settings(unique_prefix, period="month"), LOG_TYPES)
    set_up(engine, settings(unique_prefix), LOG_TYPES)
    engine.indices.delete(index=old)
    set_up(engine, settings(unique_prefix, period="month"), LOG_TYPES)


def test_a_closed_index_of_the_old_period_lives(real: OpenSearch, unique_prefix: str) -> None:
    old = f"{unique_prefix}-made-up-2026.11.23"
    real.indices.create(index=old)
    real.indices.close(index=old)
    with pytest.raises(ConfigurationError, match="another period"):
        set_up(real, settings(unique_prefix, period="week"), LOG_TYPES)


def test_indexes_of_a_type_that_begins_alike_are_not_taken_for_an_old_period(
    engine: OpenSearch, unique_prefix: str
) -> None:
    engine.indices.create(index=f"{unique_prefix}-made-up-too-2026.11")
    set_up(engine, settings(unique_prefix), ["made_up"])


def test_an_index_setting_that_the_engine_refuses_is_named(
    real: OpenSearch, unique_prefix: str
) -> None:
    with pytest.raises(ConfigurationError, match=r"component template .*codec.*zstd"):
        set_up(real, settings(unique_prefix, codec="zstd"), LOG_TYPES)


def test_serverless_decides_its_own_index_settings(
    scripted: ScriptedServer, client_of: Callable
) -> None:
    scripted.script = lambda request: Answer(body={})
    set_up(client_of(scripted.url), settings("aws", engine_type="serverless-search"), LOG_TYPES)
    put = [request.body for request in scripted.requests if request.method == "PUT"]
    assert len(put) == 4
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
        template_check(client, settings("aws"))("made_up")
    with pytest.raises(expected):
        set_up(client, settings("aws"), LOG_TYPES)
