"""Build and deploy the stack as to AWS, with `sam`; only the endpoints are the emulator's."""

import platform
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import boto3

from local import ROOT, STATE, emulated_aws
from local.processes import Processes

ARCHITECTURES = {"aarch64": "arm64", "arm64": "arm64"}


def start_build(processes: Processes, project: Path = ROOT) -> None:
    """Begin `sam build` into a folder of its own, so that what is built for AWS stays as it is."""
    processes.start(
        "build",
        [
            # The layers are built for this machine alone here, so the cache holds nothing else.
            *("sam", "build", "--cached", "--cache-dir", STATE / "build-cache"),
            *_configured(project),
        ],
        # Building asks AWS for nothing.
        environment=emulated_aws.environment("http://127.0.0.1:9") | {"ARCHITECTURE": "host"},
        cwd=project,
    )


def deploy(
    processes: Processes, endpoint: str, parameters: Mapping[str, str], project: Path = ROOT
) -> dict[str, str]:
    """Deploy what was built and return the stack's outputs."""
    settings = local_settings(project)
    s3 = client("s3", endpoint)
    if settings["s3_bucket"] not in {bucket["Name"] for bucket in s3.list_buckets()["Buckets"]}:
        s3.create_bucket(Bucket=settings["s3_bucket"])
    words = [f"{name}={value}" for name, value in all_parameters(settings, parameters).items()]
    processes.start(
        "deploy",
        ["sam", "deploy", *_configured(project), "--parameter-overrides", *words],
        environment=emulated_aws.environment(endpoint),
        cwd=project,
    )
    processes.finish("deploy")
    return outputs(endpoint, settings["stack_name"])


def outputs(endpoint: str, stack_name: str) -> dict[str, str]:
    """Read the outputs of the deployed stack."""
    stacks = client("cloudformation", endpoint).describe_stacks(StackName=stack_name)["Stacks"]
    return {output["OutputKey"]: output["OutputValue"] for output in stacks[0].get("Outputs", [])}


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
    configured = dict(word.split("=", 1) for word in settings["parameter_overrides"])
    host = {"Architecture": ARCHITECTURES.get(platform.machine(), "x86_64")}
    return configured | host | dict(parameters)


def _configured(project: Path) -> list[str]:
    return ["--config-file", str(project / "samconfig.toml"), "--config-env", "local"]
