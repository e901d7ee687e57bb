"""The handler as Lambda calls it: against emulated AWS and the embedded search engine."""

import importlib.util
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from local import emulated_aws, sample_events, sample_logs
from local.sample_logs.parquet import parquet
from servicelogs import formats
from servicelogs.errors import EveryItemFailed
from servicelogs.opensearch.setup import set_up
from servicelogs.settings import IndexSettings, read_settings
from tests.deployment import BACKUP, LOGS, Deployment, flow_key, flow_lines
from tests.sources.envelopes import CONTROL, GROUP, envelope
from tests.sources.stream_events import compressed, stream_event

ROOT = Path(__file__).parents[2]


@dataclass
class Context:
    """What Lambda says to a function of its invocation."""

    function_name: str = "index_s3_logs"
    memory_limit_in_mb: int = 1769
    invoked_function_arn: str = "arn:aws:lambda:eu-west-1:111122223333:function:index_s3_logs"
    aws_request_id: str = "0f1e2d3c"

    def get_remaining_time_in_millis(self) -> int:
        return 300_000


@pytest.fixture
def load(
    deployment: Deployment, osmem: str, unique_prefix: str, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Callable[..., ModuleType]]:
    """Load a function's module as in a new process, with the templates in place."""
    modules: list[ModuleType] = []

    def load(name: str, **environment: str) -> ModuleType:
        for variable, value in {
            "OPENSEARCH_ENDPOINT": osmem,
            "OPENSEARCH_AUTH": "none",
            "INDEX_PREFIX": unique_prefix,
            "INDEX_REPLICAS": "0",
            "BACKUP_BUCKET": BACKUP,
            "ACCOUNT_ID": "000000000000",
            "MEMBER_ACCOUNT_IDS": emulated_aws.MEMBER,
            "DEFAULT_ACCOUNT_ID": "123456789012",
            "DEFAULT_REGION": "us-east-1",
            **environment,
        }.items():
            monkeypatch.setenv(variable, value)
        spec = importlib.util.spec_from_file_location(name, ROOT / f"functions/{name}/app.py")
        assert spec is not None
        assert spec.loader is not None
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
        if not modules:
            set_up(module.function.opensearch, read_settings(IndexSettings), formats.NAMES)
        modules.append(module)
        return module

    yield load
    for module in modules:
        module.function.opensearch.close()


@pytest.fixture
def app(deployment: Deployment, load: Callable[..., ModuleType]) -> ModuleType:
    return load(
        "index_s3_logs",
        QUEUE_URL=deployment.queue_url,
        PARQUET_QUEUE_URL=deployment.parquet_queue_url,
    )


@pytest.fixture
def stream_app(load: Callable[..., ModuleType]) -> ModuleType:
    return load("index_stream_logs")


@pytest.fixture
def parquet_app(
    deployment: Deployment,
    load: Callable[..., ModuleType],
    app: ModuleType,
    monkeypatch: pytest.MonkeyPatch,
) -> ModuleType:
    monkeypatch.delenv("PARQUET_QUEUE_URL")
    return load("index_parquet_logs", QUEUE_URL=deployment.parquet_queue_url)


def search(app: ModuleType, prefix: str) -> list[dict[str, Any]]:
    app.function.opensearch.indices.refresh(index=f"{prefix}-*")
    answer = app.function.opensearch.search(index=f"{prefix}-*", body={"size": 1000})
    return [hit["_source"] for hit in answer["hits"]["hits"]]


def metrics(printed: str) -> dict[str, dict[str, float]]:
    """Read the metrics documents among printed lines, by log type."""
    found: dict[str, dict[str, float]] = {}
    for line in printed.splitlines():
        document = json.loads(line) if line.startswith("{") else {}
        for about in document.get("_aws", {}).get("CloudWatchMetrics", []):
            values = found.setdefault(document.get("log_type", ""), {})
            for metric in about["Metrics"]:
                (values[metric["Name"]],) = document[metric["Name"]]
    return found


def test_records_become_searchable_and_each_is_counted_once(app, deployment, unique_prefix, capsys):
    deployment.put(flow_key("a"), flow_lines(20, bad=(3,)))
    deployment.notify(flow_key("a"))

    answer = app.lambda_handler({"Records": deployment.receive()}, Context())

    assert answer == {"batchItemFailures": []}
    found = search(app, unique_prefix)
    assert len(found) == 19
    assert {document["log"]["source"] for document in found} == {f"s3://{LOGS}/{flow_key('a')}"}
    assert {document["cloud"]["account_id"] for document in found} == {"111122223333"}
    published = metrics(capsys.readouterr().out)
    assert published["vpc_flow"] == {
        "Objects": 1,
        "Records": 20,
        "Indexed": 19,
        "AlreadyThere": 0,
        "Rejected": 1,
        "Filtered": 0,
    }
    assert published[""]["Rejected"] == 1


def test_only_the_messages_that_failed_are_reported(app, deployment, unique_prefix, capsys):
    deployment.put(flow_key("a"), flow_lines(20))
    deployment.notify(flow_key("a"))
    deployment.send("not a notification")
    records = deployment.receive()
    bad = next(record for record in records if record["body"] == "not a notification")

    answer = app.lambda_handler({"Records": records}, Context())

    assert answer == {"batchItemFailures": [{"itemIdentifier": bad["messageId"]}]}
    assert len(search(app, unique_prefix)) == 20
    assert metrics(capsys.readouterr().out)[""]["FailedMessages"] == 1


def test_an_outage_is_an_error_of_the_function(app, deployment):
    deployment.send("not a notification")

    with pytest.raises(EveryItemFailed):
        app.lambda_handler({"Records": deployment.receive()}, Context())


def test_no_log_line_holds_a_records_content(app, deployment, capsys, caplog):
    caplog.set_level("INFO")
    deployment.put(flow_key("a"), flow_lines(5, bad=(2,)))
    deployment.notify(flow_key("a"))

    app.lambda_handler({"Records": deployment.receive()}, Context())

    # opensearch-py traces bodies where its trace has a handler: only pytest gives it one.
    records = [vars(record) for record in caplog.records if record.name != "opensearchpy.trace"]
    said = capsys.readouterr().out + str(records)
    assert "source delivered" in said
    assert "this line does not fit" not in said
    assert "198.51.100.20" not in said


def test_a_parquet_file_becomes_searchable_through_both_functions(
    app, parquet_app, deployment, unique_prefix, capsys
):
    key = flow_key("a").replace(".log.gz", ".log.parquet")
    file = parquet(sample_logs.generate("vpc_flow", 20).decode())
    deployment.s3.put_object(Bucket=LOGS, Key=key, Body=file)
    deployment.notify(key)

    assert app.lambda_handler({"Records": deployment.receive()}, Context()) == {
        "batchItemFailures": []
    }
    first = metrics(capsys.readouterr().out)
    waiting = deployment.receive(deployment.parquet_queue_url)
    assert parquet_app.lambda_handler({"Records": waiting}, Context()) == {"batchItemFailures": []}
    second = metrics(capsys.readouterr().out)

    assert len(search(app, unique_prefix)) == 20
    assert (first[""]["Routed"], "vpc_flow" in first) == (1, False)
    assert (second["vpc_flow"]["Objects"], second["vpc_flow"]["Indexed"]) == (1, 20)


@pytest.mark.slow
@pytest.mark.parametrize(
    "path",
    # Those of the functions that index: enqueue_objects has a test of its own.
    sorted(set((ROOT / "events").glob("*.json")) - set((ROOT / "events").glob("enqueue-*"))),
    ids=lambda path: path.stem,
)
def test_each_sample_event_is_handled_with_the_objects_it_names(request, deployment, path, capsys):
    sample_events.put_objects(deployment.s3, deployment.s3)
    apps = {"parquet": "parquet_app", "kinesis": "stream_app"}
    function = request.getfixturevalue(apps.get(path.stem.partition("-")[0], "app"))

    answer = function.lambda_handler(json.loads(path.read_text()), Context())

    assert answer == {"batchItemFailures": []}
    published = metrics(capsys.readouterr().out)
    published_types = [name for name in published if name]
    expected = {path.stem.split("-", 1)[1].removeprefix("raw-").replace("-", "_")}
    if path.stem == "s3-several-objects":
        expected = {"alb", "cloudtrail", "vpc_flow"}
    if published[""]["Skipped"]:
        expected = set()
    assert set(published_types) == expected
    assert all(published[name]["Indexed"] > 0 for name in published_types)


def test_records_of_a_stream_become_searchable_and_those_that_cannot_are_kept(
    stream_app, deployment, unique_prefix, capsys
):
    flows = [line.decode() for line in flow_lines(5, bad=(3,)).splitlines()[1:]]
    event = stream_event(compressed(envelope(*flows)), b"\x1f\x8bbroken", compressed(CONTROL))

    answer = stream_app.lambda_handler(event, Context())

    assert answer == {"batchItemFailures": []}
    found = search(stream_app, unique_prefix)
    assert len(found) == 4
    assert {document["log"]["group"] for document in found} == {GROUP}
    assert {document["cloud"]["region"] for document in found} == {"eu-west-1"}
    numbers = {line["sequence_number"] for v in deployment.rejected().values() for line in v}
    assert numbers == {record["kinesis"]["sequenceNumber"] for record in event["Records"][:2]}
    published = metrics(capsys.readouterr().out)
    assert published["vpc_flow"]["Indexed"] == 4
    assert (published[""]["FailedRecords"], published[""]["LateRecords"]) == (0, 0)
    assert published[""]["Rejected"] == 2


def test_an_event_without_records_is_done(stream_app):
    assert stream_app.lambda_handler({"Records": []}, Context()) == {"batchItemFailures": []}
