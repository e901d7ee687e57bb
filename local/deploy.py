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
ROOT_TEMPLATE, MEMBER_TEMPLATE = "template.yaml", "scenarios/member_account.yaml"
IN_BOTH = (
    *("RdsLogGroupNames", "LambdaLogGroupNames", "LambdaLogGroupPrefix", "StreamLogGroupNames"),
    *("LambdaFilterPattern", "TlsOnly", "AwsEndpointUrl", "Architecture"),
)
"""The parameters that a member account's stack has as the central one has them."""
HANDED_ON = (
    *("ObjectsTargetArn", "ReaderRoleArns"),
    *("RdsDestinationArn", "LambdaDestinationArn", "StreamDestinationArn"),
)
"""The central account's outputs that are the member's parameters."""


class Deployment:
    """One project, built and deployed from one folder."""

    def __init__(
        self,
        processes: Processes,
        state: Path,
        project: Path = ROOT,
        *,
        template: str = ROOT_TEMPLATE,
        build: str = "build",
    ) -> None:
        """Build a template of the project into a folder of this name, beside what is built there.

        What is built for one template is taken from the cache for another one.
        """
        self._processes = processes
        self._project = project
        self._state = state
        self._template = template
        self._build = state / build
        self._member_build = state / "member" / "build"
        configuration = project / "samconfig.toml"
        self._configured = ["--config-file", str(configuration), "--config-env", "local"]

    def start_build(self, *, member: bool = False) -> None:
        """Begin `sam build` into folders of its own: what is built for AWS stays as it is."""
        self._start_build("build", self._template, self._build)
        if member:
            self._start_build("build-member", MEMBER_TEMPLATE, self._member_build)

    def _start_build(self, name: str, template: str, folder: Path) -> None:
        self._processes.start(
            name,
            [
                *("sam", "build", "--template-file", self._project / template),
                # The layers are built for this machine alone here: the cache holds nothing else.
                *("--cached", "--cache-dir", self._state / f"{name}-cache"),
                *("--build-dir", folder, *self._configured),
            ],
            # Building asks AWS for nothing.
            environment=emulated_aws.environment("http://127.0.0.1:9") | {"ARCHITECTURE": "host"},
            cwd=self._project,
        )

    def finish_build(self, *, member: bool = False) -> None:
        """Wait for what was begun."""
        self._processes.finish("build")
        if member:
            self._processes.finish("build-member")

    def deploy(self, endpoint: str, parameters: Mapping[str, str]) -> dict[str, str]:
        """Deploy what was built and return the stack's outputs."""
        settings = local_settings(self._project)
        given = all_parameters(settings, parameters)
        make_log_groups(client("logs", endpoint), given)
        name = settings["stack_name"]
        self._deploy(endpoint, self.built(), name, given)
        return outputs(endpoint, name)

    def deploy_member(
        self,
        endpoint: str,
        central: Mapping[str, str],
        parameters: Mapping[str, str],
        stack_name: str = "service-logs-member",
    ) -> dict[str, str]:
        """Deploy a stack of the member account, with the outputs of the central one."""
        both = all_parameters(local_settings(self._project), {"AwsEndpointUrl": endpoint})
        given = {name: both[name] for name in IN_BOTH}
        given |= {name: central[name] for name in HANDED_ON}
        given |= {"CentralAccountId": emulated_aws.ACCOUNT, **parameters}
        account, template = emulated_aws.MEMBER, self._member_build / "template.yaml"
        make_log_groups(client("logs", endpoint, account), given)
        self._deploy(endpoint, template, stack_name, given, account)
        return outputs(endpoint, stack_name, account)

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
        self,
        endpoint: str,
        template: Path,
        stack_name: str,
        parameters: Mapping[str, str],
        account: str = emulated_aws.ACCOUNT,
    ) -> None:
        packages = f"{local_settings(self._project)['s3_bucket']}-{account}"
        s3 = client("s3", endpoint, account)
        if packages not in {bucket["Name"] for bucket in s3.list_buckets()["Buckets"]}:
            s3.create_bucket(Bucket=packages)
        words = [f"{name}={value}" for name, value in parameters.items()]
        self._processes.start(
            "deploy",
            [
                *("sam", "deploy", "--template-file", template, "--stack-name", stack_name),
                *(*self._configured, "--s3-bucket", packages, "--parameter-overrides", *words),
            ],
            environment=emulated_aws.environment(endpoint, account),
            cwd=self._project,
        )
        self._processes.finish("deploy")

    def stop(self) -> None:
        """End a build or a deployment that is under way."""
        for name in ("build", "build-member", "deploy"):
            self._processes.stop(name)


def make_log_groups(logs: Any, parameters: Mapping[str, str]) -> None:
    """Make the log groups to read, which others have made before a deployment."""
    for name in ",".join(parameters.get(one, "") for one in LOG_GROUPS).split(","):
        if name:
            with suppress(logs.exceptions.ResourceAlreadyExistsException):
                logs.create_log_group(logGroupName=name)


def outputs(endpoint: str, stack_name: str, account: str = emulated_aws.ACCOUNT) -> dict[str, str]:
    """Read the outputs of a deployed stack."""
    cloudformation = client("cloudformation", endpoint, account)
    stacks = cloudformation.describe_stacks(StackName=stack_name)["Stacks"]
    return {output["OutputKey"]: output["OutputValue"] for output in stacks[0].get("Outputs", [])}


def realtime_fields(endpoint: str, outputs: Mapping[str, str]) -> list[str]:
    """Read which fields CloudFront is to send, from the configuration that a stack made."""
    arn = outputs["RealtimeLogConfigArn"]
    answer = client("cloudfront", endpoint).get_realtime_log_config(ARN=arn)
    return list(answer["RealtimeLogConfig"]["Fields"])


def client(service: str, endpoint: str, account: str = emulated_aws.ACCOUNT):
    """Make a client of the emulated AWS, for the root of an account."""
    return boto3.client(
        service,
        endpoint_url=endpoint,
        region_name=emulated_aws.REGION,
        aws_access_key_id=account,
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
