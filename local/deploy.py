"""Build and deploy the stack as to AWS, with `sam`; only the endpoints are the emulator's."""

import platform
import tomllib
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

import boto3

from local import ROOT, emulated_aws
from local.processes import Processes

LOG_GROUPS = ("RdsLogGroupNames", "LambdaLogGroupNames", "StreamLogGroupNames", "LogGroupNames")
"""The parameters that name log groups to read."""
ARCHITECTURES = {"aarch64": "arm64", "arm64": "arm64"}


class Deployment:
    """One project, built and deployed from one folder."""

    def __init__(
        self,
        processes: Processes,
        state: Path,
        project: Path = ROOT,
        *,
        template: str = "template.yaml",
        build: str = "build",
    ) -> None:
        """Build a template of the project into a folder of this name, beside what is built there.

        What is built for one template is taken from the cache for another one.
        """
        self._processes = processes
        self._project = project
        self._template = template
        self._build = state / build
        self._cache = state / "build-cache"
        configuration = project / "samconfig.toml"
        self._configured = ["--config-file", str(configuration), "--config-env", "local"]

    def start_build(self) -> None:
        """Begin `sam build` into a folder of its own: what is built for AWS stays as it is."""
        self._processes.start(
            "build",
            [
                # The layers are built for this machine alone here: the cache holds nothing else.
                *("sam", "build", "--cached", "--cache-dir", self._cache),
                *("--template-file", self._template),
                *("--build-dir", self._build, *self._configured),
            ],
            # Building asks AWS for nothing.
            environment=emulated_aws.environment("http://127.0.0.1:9") | {"ARCHITECTURE": "host"},
            cwd=self._project,
        )

    def finish_build(self) -> None:
        """Wait for the build."""
        self._processes.finish("build")

    def deploy(self, endpoint: str, parameters: Mapping[str, str]) -> dict[str, str]:
        """Deploy what was built and return the stack's outputs."""
        settings = local_settings(self._project)
        s3 = client("s3", endpoint)
        if settings["s3_bucket"] not in {bucket["Name"] for bucket in s3.list_buckets()["Buckets"]}:
            s3.create_bucket(Bucket=settings["s3_bucket"])
        given = all_parameters(settings, parameters)
        make_log_groups(client("logs", endpoint), given)
        self._deploy(endpoint, self.built(), settings["stack_name"], given)
        return outputs(endpoint, settings["stack_name"])

    def deploy_alone(
        self, endpoint: str, scenario: str, stack_name: str, parameters: Mapping[str, str]
    ) -> dict[str, str]:
        """Deploy one scenario, as it was built under its name in the root, as its own stack."""
        return self.deploy_template(endpoint, self.built(scenario), stack_name, parameters)

    def deploy_template(
        self, endpoint: str, template: Path, stack_name: str, parameters: Mapping[str, str]
    ) -> dict[str, str]:
        """Deploy a template, wherever it is, as a stack that has no other parameters."""
        make_log_groups(client("logs", endpoint), parameters)
        self._deploy(endpoint, template, stack_name, all_parameters({}, parameters))
        return outputs(endpoint, stack_name)

    def built(self, scenario: str = "") -> Path:
        """Say where the template that was built is, or that of a scenario inside it."""
        return self._build / scenario / "template.yaml"

    def package(self, endpoint: str, bucket: str, packaged: Path) -> None:
        """Upload what was built to a bucket, and write the template that names it there."""
        self._processes.start(
            "package",
            [
                *("sam", "package", "--template-file", self.built(), "--s3-bucket", bucket),
                *("--output-template-file", packaged, "--region", emulated_aws.REGION),
            ],
            environment=emulated_aws.environment(endpoint),
            cwd=self._project,
        )
        self._processes.finish("package")

    def _deploy(
        self, endpoint: str, template: Path, stack_name: str, parameters: Mapping[str, str]
    ) -> None:
        words = [f"{name}={value}" for name, value in parameters.items()]
        self._processes.start(
            "deploy",
            [
                *("sam", "deploy", "--template-file", template, "--stack-name", stack_name),
                *(*self._configured, "--parameter-overrides", *words),
            ],
            environment=emulated_aws.environment(endpoint),
            cwd=self._project,
        )
        self._processes.finish("deploy")

    def stop(self) -> None:
        """End a build or a deployment that is under way."""
        self._processes.stop("build")
        self._processes.stop("deploy")


def make_log_groups(logs: Any, parameters: Mapping[str, str]) -> None:
    """Make the log groups to read, which others have made before a deployment."""
    for name in ",".join(parameters.get(one, "") for one in LOG_GROUPS).split(","):
        if name:
            with suppress(logs.exceptions.ResourceAlreadyExistsException):
                logs.create_log_group(logGroupName=name)


def outputs(endpoint: str, stack_name: str) -> dict[str, str]:
    """Read the outputs of the deployed stack."""
    stacks = client("cloudformation", endpoint).describe_stacks(StackName=stack_name)["Stacks"]
    return {output["OutputKey"]: output["OutputValue"] for output in stacks[0].get("Outputs", [])}


def realtime_fields(endpoint: str, outputs: Mapping[str, str]) -> list[str]:
    """Read which fields CloudFront is to send, from the configuration that a stack made."""
    arn = outputs["RealtimeLogConfigArn"]
    answer = client("cloudfront", endpoint).get_realtime_log_config(ARN=arn)
    return list(answer["RealtimeLogConfig"]["Fields"])


def client(service: str, endpoint: str):
    """Make a client of the emulated AWS."""
    return boto3.client(
        service,
        endpoint_url=endpoint,
        region_name=emulated_aws.REGION,
        aws_access_key_id="test",
        aws_secret_access_key="test",
    )


def local_settings(project: Path) -> dict[str, Any]:
    """Read how samconfig deploys the local environment."""
    environment = tomllib.loads((project / "samconfig.toml").read_text())["local"]
    return environment["global"]["parameters"] | environment["deploy"]["parameters"]


def all_parameters(settings: Mapping[str, Any], parameters: Mapping[str, str]) -> dict[str, str]:
    """Join the local environment's parameters with those that only a running stack knows.

    Parameters on the command line replace all of samconfig's, so both are passed.
    """
    configured = dict(word.split("=", 1) for word in settings.get("parameter_overrides", []))
    host = {"Architecture": ARCHITECTURES.get(platform.machine(), "x86_64")}
    return configured | host | dict(parameters)
