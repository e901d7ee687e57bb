"""The nightly function deletes what has expired, and its errors are seen."""

import importlib.util
from collections.abc import Callable
from pathlib import Path
from types import ModuleType

import pytest

from servicelogs.errors import ClusterNeedsFixing
from tests.functions.test_index_functions import Context
from tests.opensearch.scripted_server import Answer, Request, ScriptedServer, error

PATH = Path(__file__).parents[2] / "functions" / "delete_expired_indexes" / "app.py"
OLD = ["aws-alb-2020.01.01", "aws-alb-2020.01.02"]


@pytest.fixture
def load(monkeypatch: pytest.MonkeyPatch) -> Callable[[ScriptedServer], ModuleType]:
    def load(server: ScriptedServer) -> ModuleType:
        for name, value in {
            "OPENSEARCH_ENDPOINT": server.url,
            "OPENSEARCH_AUTH": "none",
            "LOG_TYPES": "alb",
            "DELETE_AFTER_DAYS": "90,waf=30",
            "POWERTOOLS_METRICS_NAMESPACE": "ServiceLogs",
            "POWERTOOLS_SERVICE_NAME": "delete_expired_indexes",
        }.items():
            monkeypatch.setenv(name, value)
        spec = importlib.util.spec_from_file_location("delete_expired_indexes", PATH)
        assert spec is not None
        assert spec.loader is not None
        app = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(app)
        return app

    return load


def answers(refused: str) -> Callable[[Request], Answer]:
    def script(request: Request) -> Answer:
        if request.method == "GET":
            return Answer(body={index: {} for index in OLD})
        if refused and refused in request.path:
            return error(403, "security_exception", "no permissions for [indices:admin/delete]")
        return Answer(body={"acknowledged": True})

    return script


def test_indexes_of_the_deployments_types_are_deleted(
    load: Callable[[ScriptedServer], ModuleType], capsys: pytest.CaptureFixture[str]
) -> None:
    with ScriptedServer() as server:
        server.script = answers(refused="")
        assert load(server).lambda_handler({}, Context()) == {"deleted": OLD, "left": 0}
        deleted = [one.path.split("?")[0] for one in server.requests if one.method == "DELETE"]
        assert deleted == [f"/{index}" for index in OLD]
        assert [one.method for one in server.requests].count("GET") == 1
    assert '"DeletedIndexes":[2.0]' in capsys.readouterr().out


def test_what_is_refused_fails_the_invocation_after_the_others_went(
    load: Callable[[ScriptedServer], ModuleType], caplog: pytest.LogCaptureFixture
) -> None:
    with ScriptedServer() as server:
        server.script = answers(refused=OLD[0])
        with pytest.raises(ClusterNeedsFixing, match="Map the role or user that it names"):
            load(server).lambda_handler({}, Context())
        assert any(OLD[1] in one.path for one in server.requests if one.method == "DELETE")
    (logged,) = [record for record in caplog.records if record.levelname == "ERROR"]
    assert vars(logged)["index"] == OLD[0]
