"""Packages from npm, pinned by version and checksum: the page's charts, and a browser for tests.

`python -m local.npm_packages` writes the charting library that the page ships anew. To take another
version change it here with its integrity (`npm view NAME@VERSION dist.integrity`), and run that.
"""

import base64
import hashlib
import os
import platform
import shutil
import subprocess
import sys
import tarfile
import tempfile
from dataclasses import dataclass
from pathlib import Path

from local.kept_folders import kept
from local.processes import StartFailed

VENDORED = Path(__file__).parent / "page" / "vendor"


@dataclass(frozen=True)
class Package:
    """One version of a package, with the checksum that npm publishes of it."""

    name: str
    version: str
    integrity: str


CHARTS = Package(
    "chart.js",
    "4.6.1",
    "sha512-hJyniucsFmq//EvXYvJ6c6mahPoI3kaxdjVH8awTaJ/fDNWeSqqqArixMJWkWNN6fcYvPU3HneSANFNYtRi61g==",
)
CHARTS_FILES = {
    "dist/chart.umd.min.js": "chart.umd.min.js",
    "LICENSE.md": "chart.js.LICENSE.md",
}
# Chromium for Lambda: one file with the libraries that it needs, without a window. For x86_64.
BROWSER = Package(
    "@sparticuz/chromium",
    "153.0.0",
    "sha512-jiGWqSvPMdu4+P9TilYqAR7yEGPEHINx+lCvE/NqNO/EHYzF/x1hUiI5T6ioVIt7dEy7n88byyT0vk+dnsgQwA==",
)
# Python has no Brotli; npm is not there without node.
UNPACK = """
const [,, source, target] = process.argv;
const {readFileSync, writeFileSync} = require('fs');
writeFileSync(target, require('zlib').brotliDecompressSync(readFileSync(source)));
"""


def fetch(package: Package, folder: Path) -> Path:
    """Fetch a package with npm, check it, unpack it there, and return where it is."""
    npm = shutil.which("npm")
    named = f"{package.name}@{package.version}"
    if npm is None:
        raise StartFailed(f"{named} is fetched with npm: install Node.js")
    packed = subprocess.run(
        [npm, "pack", "--silent", "--pack-destination", str(folder), named],
        capture_output=True,
        text=True,
        check=False,
    )
    if packed.returncode:
        raise StartFailed(f"npm does not give {named}: {packed.stderr.strip()}")
    archive = folder / packed.stdout.split()[-1]
    digest = base64.b64encode(hashlib.sha512(archive.read_bytes()).digest()).decode()
    if f"sha512-{digest}" != package.integrity:
        raise StartFailed(f"{named} has the checksum sha512-{digest}, not {package.integrity}")
    with tarfile.open(archive) as tar:
        tar.extractall(folder, filter="data")
    return folder / "package"


def browser() -> tuple[Path, Path | None]:
    """Give a Chromium, and the folder of libraries that it needs.

    It is the one that the variable CHROMIUM names, else one in PATH, else npm's.
    """
    if named := os.environ.get("CHROMIUM"):
        if (program := shutil.which(named)) is None:
            raise StartFailed(
                f"CHROMIUM is {named!r:.200}, must be the path of a Chromium or Chrome"
            )
        return Path(program), None
    for name in ("chromium", "chromium-browser", "google-chrome"):
        if found := shutil.which(name):
            return Path(found), None
    if platform.machine() not in ("x86_64", "AMD64") or sys.platform != "linux":
        raise StartFailed(
            "there is no chromium or google-chrome in PATH, and npm has one for Linux on x86_64 "
            "alone: set CHROMIUM to the path of a Chromium or Chrome"
        )
    home = kept(f"chromium-{BROWSER.version}", _unpacked_browser)
    return home / "chromium", home / "lib"


def _unpacked_browser(folder: Path) -> Path:
    packed, home = fetch(BROWSER, folder) / "bin", folder / "chromium"
    home.mkdir()
    for name in ("chromium", "al2023.tar", "fonts.tar"):
        subprocess.run(
            ["node", "-e", UNPACK, "unpack", packed / f"{name}.br", home / name], check=True
        )
        if name.endswith(".tar"):
            with tarfile.open(home / name) as tar:
                tar.extractall(home, filter="data")
    (home / "chromium").chmod(0o755)
    # The packed one looks where Lambda has its fonts; without any Chromium crashes.
    (home / "fonts.conf").write_text(
        '<?xml version="1.0"?><!DOCTYPE fontconfig SYSTEM "fonts.dtd"><fontconfig>'
        '<dir prefix="relative">fonts</dir><cachedir prefix="xdg">fonts</cachedir></fontconfig>'
    )
    return home


def write_charts() -> None:
    """Write the files of the charting library into the page's folder."""
    with tempfile.TemporaryDirectory() as folder:
        package = fetch(CHARTS, Path(folder))
        for name, shipped in CHARTS_FILES.items():
            shutil.copyfile(package / name, VENDORED / shipped)


if __name__ == "__main__":
    write_charts()
