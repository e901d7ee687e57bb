"""Build and deploy the stack as to AWS, with `sam`; only the endpoints are the emulator's."""

import platform
import tomllib
from collections.abc import Mapping
from pathlib import Path

import boto3

from local import ROOT, STATE, emulated_aws
from local.processes import Processes

STACK = "service-logs"
# The bucket that `sam deploy` puts built code into.
CODE_BUCKET = "service-logs-code"
ARCHITECTURES = {"aarch64": "arm64", "arm64": "arm64"}


def start_build(processes: Processes, project: Path = ROOT) -> None:
    """Begin `sam build` into a folder of its own, so that what is built for AWS stays as it is."""
    processes.start(
        "build",
        [
            *("sam", "build", "--parallel", "--cached"),
            *("--config-file", project / "samconfig.toml", "--config-env", "local"),
            *("--template-file", project / "template.yaml"),
            *("--build-dir", STATE / "build", "--cache-dir", STATE / "build-cache"),
            *("--parameter-overrides", *_words(local_parameters(project, {}))),
        ],
        # Building asks AWS for nothing.
        environment=emulated_aws.environment("http://127.0.0.1:9") | {"ARCHITECTURE": "host"},
        cwd=project,
    )


def deploy(
    processes: Processes, endpoint: str, parameters: Mapping[str, str], project: Path = ROOT
) -> dict[str, str]:
    """Deploy what was built and return the stack's outputs."""
    s3 = client("s3", endpoint)
    if CODE_BUCKET not in {bucket["Name"] for bucket in s3.list_buckets()["Buckets"]}:
        s3.create_bucket(Bucket=CODE_BUCKET)
    processes.start(
        "deploy",
        [
            *("sam", "deploy", "--stack-name", STACK, "--s3-bucket", CODE_BUCKET),
            *("--config-file", project / "samconfig.toml", "--config-env", "local"),
            *("--template-file", STATE / "build" / "template.yaml"),
            *("--no-confirm-changeset", "--no-fail-on-empty-changeset", "--no-progressbar"),
            *("--parameter-overrides", *_words(local_parameters(project, parameters))),
        ],
        environment=emulated_aws.environment(endpoint),
        cwd=project,
    )
    processes.finish("deploy")
    return outputs(endpoint)


def outputs(endpoint: str) -> dict[str, str]:
    """Read the outputs of the deployed stack."""
    stack = client("cloudformation", endpoint).describe_stacks(StackName=STACK)["Stacks"][0]
    return {output["OutputKey"]: output["OutputValue"] for output in stack.get("Outputs", [])}


def client(service: str, endpoint: str):
    """Make a client of the emulated AWS."""
    return boto3.client(
        service,
        endpoint_url=endpoint,
        region_name=emulated_aws.REGION,
        aws_access_key_id="test",
        aws_secret_access_key="test",
    )


def local_parameters(project: Path, parameters: Mapping[str, str]) -> dict[str, str]:
    """Join the local environment's parameters with those that only a running stack knows.

    Parameters on the command line replace all of samconfig's, so both are passed.
    """
    configuration = tomllib.loads((project / "samconfig.toml").read_text())
    configured = configuration["local"]["deploy"]["parameters"].get("parameter_overrides", [])
    words = configured.split() if isinstance(configured, str) else configured
    host = {"Architecture": ARCHITECTURES.get(platform.machine(), "x86_64")}
    return dict(word.split("=", 1) for word in words) | host | dict(parameters)


def _words(parameters: Mapping[str, str]) -> list[str]:
    return [f"{name}={value}" for name, value in parameters.items()]
