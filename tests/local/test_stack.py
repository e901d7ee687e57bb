"""A local stack comes up whole or leaves nothing; it never touches a real account."""

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from local import ROOT, emulated_aws, sample_logs
from local.__main__ import main
from local.deploy import LOG_GROUPS, Deployment, all_parameters, local_settings
from local.processes import Processes, StartFailed
from local.stack import LocalStack

SLEEP = [sys.executable, "-c", "import time; time.sleep(60)"]


@pytest.fixture
def local(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[LocalStack]:
    """Give a stack whose servers sleep and whose deployment does nothing."""

    def start(name: str, processes: Processes) -> str:
        processes.start(name, SLEEP)
        return f"http://{name}"

    monkeypatch.setattr(emulated_aws, "start", lambda processes: start("aws", processes))
    monkeypatch.setattr(
        "local.stack.ENGINES", {"osmem": lambda p: start("osmem", p), "other": None}
    )
    monkeypatch.setattr("local.stack.start_page", lambda processes, _: start("page", processes))
    monkeypatch.setattr(Deployment, "start_build", lambda self, *, member: None)
    monkeypatch.setattr(Deployment, "finish_build", lambda self, *, member: None)
    monkeypatch.setattr(Deployment, "deploy", lambda self, aws, parameters: dict(parameters))
    monkeypatch.setattr(
        Deployment, "deploy_member", lambda self, aws, central, parameters: {"Of": "the member"}
    )
    stack = LocalStack(tmp_path)
    yield stack
    stack.down()


def fail(*_: object) -> dict[str, str]:
    raise StartFailed("refused")


def test_up_writes_down_where_it_is_and_down_forgets_it(local: LocalStack) -> None:
    stack = local.up("osmem")
    assert local.running() == stack
    assert stack.outputs == {
        "OpenSearchEndpoint": "http://osmem",
        "AwsEndpointUrl": "http://aws",
    }
    assert stack.page == "http://page"
    assert local.down() == ["page", "osmem", "aws"]
    assert local.running() is None
    assert not local.endpoints.exists()


def test_a_failed_first_start_leaves_nothing_running(
    local: LocalStack, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Deployment, "deploy", fail)
    with pytest.raises(StartFailed, match="refused"):
        local.up("osmem")
    assert local.running() is None
    assert local.down() == []


def test_what_fails_after_the_deployment_is_a_failed_start_too(local: LocalStack) -> None:
    with pytest.raises(StartFailed, match="refused"):
        local.up("osmem", afterwards=lambda stack: fail() and None)
    assert local.down() == []


def test_a_failed_update_leaves_the_running_stack_as_it_was(
    local: LocalStack, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = local.up("osmem")
    monkeypatch.setattr(Deployment, "deploy", fail)
    with pytest.raises(StartFailed, match="refused"):
        local.up("osmem")
    assert local.running() == before


def test_a_second_up_deploys_into_the_servers_that_run(local: LocalStack) -> None:
    local.up("osmem")
    server = local.processes.folder / "aws.pid"
    before = server.read_text()
    local.up("osmem")
    assert server.read_text() == before


@pytest.mark.parametrize("server", ["aws", "osmem", "page"])
def test_a_stack_that_lost_a_server_is_begun_anew(local: LocalStack, server: str) -> None:
    local.up("osmem")
    local.processes.stop(server)
    assert local.running() is None
    local.up("osmem")
    assert local.running() is not None


def test_another_engine_needs_the_running_stack_ended_first(local: LocalStack) -> None:
    local.up("osmem")
    with pytest.raises(
        StartFailed, match="runs with osmem: set SEARCH=osmem, or `make down` first"
    ):
        local.up("other")
    assert local.running() is not None


def test_an_engine_that_does_not_exist_is_refused_by_name(local: LocalStack) -> None:
    with pytest.raises(StartFailed, match="SEARCH is 'elastic', must be one of: osmem, other"):
        local.up("elastic")


def test_a_member_account_is_added_to_what_runs_and_not_taken_away(local: LocalStack) -> None:
    alone = local.up("osmem")
    assert (alone.accounts, alone.member) == (1, {})
    both = local.up("osmem", accounts=2)
    assert (both.accounts, both.member) == (2, {"Of": "the member"})
    assert both.outputs["MemberAccountIds"] == emulated_aws.MEMBER
    assert local.running() == both
    with pytest.raises(
        StartFailed, match="runs with 2 accounts: set ACCOUNTS=2, or `make down` first"
    ):
        local.up("osmem")


@pytest.mark.parametrize("said", ["0", "3", "two", "1.0", " 2"])
def test_another_number_of_accounts_is_refused(
    said: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("ACCOUNTS", said)
    monkeypatch.setattr(sys, "argv", ["local", "demo"])
    assert main() == 1
    assert f"ACCOUNTS is {said!r}, must be 1 (" in capsys.readouterr().err


def test_a_second_start_at_the_same_time_is_refused(local: LocalStack) -> None:
    def start_again(_: object) -> None:
        with pytest.raises(StartFailed, match="is being started"):
            local.up("osmem")

    local.up("osmem", afterwards=start_again)


def test_something_may_be_put_in_front_of_the_engine(local: LocalStack) -> None:
    stack = local.up("osmem", in_front=lambda engine: engine + ":81")
    assert stack.opensearch_endpoint == "http://osmem"
    assert stack.outputs["OpenSearchEndpoint"] == "http://osmem:81"


def test_nothing_of_the_users_own_aws_settings_reaches_a_command(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for name in ("AWS_PROFILE", "AWS_SESSION_TOKEN", "AWS_ENDPOINT_URL_S3", "SAM_CLI_POLL_DELAY"):
        monkeypatch.setenv(name, "mine")
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIAMINE")
    environment = emulated_aws.environment("http://127.0.0.1:4566")
    assert "mine" not in environment.values()
    assert environment["AWS_ACCESS_KEY_ID"] == emulated_aws.ACCOUNT
    assert environment["AWS_ENDPOINT_URL"] == "http://127.0.0.1:4566"
    assert environment["AWS_CONFIG_FILE"] == "/dev/null"


def test_the_local_environment_subscribes_every_log_group_of_the_samples() -> None:
    given = all_parameters(local_settings(ROOT), {})
    named = ",".join(given.get(name, "") for name in LOG_GROUPS).split(",")
    for sample in sample_logs.log_events():
        by_prefix = sample.group.startswith(given["LambdaLogGroupPrefix"])
        assert sample.group in named or by_prefix, f"name {sample.group} in samconfig.toml"


def test_samconfigs_parameters_are_kept_beside_those_of_the_running_stack() -> None:
    settings = {"parameter_overrides": ["IndexReplicas=0", "OpenSearchEndpoint=x"]}
    parameters = all_parameters(settings, {"OpenSearchEndpoint": "http://127.0.0.1:9200"})
    assert parameters["IndexReplicas"] == "0"
    assert parameters["OpenSearchEndpoint"] == "http://127.0.0.1:9200"
    assert parameters["Architecture"] in {"arm64", "x86_64"}
