"""Compile the requirements, or check that what is compiled says what is declared.

`requirements/dev.txt` is the one set of versions; each layer's requirements.txt is a part of it.
"""

import argparse
import re
import subprocess
import sys
import tempfile
from pathlib import Path

HERE = Path(__file__).parent
ROOT = HERE.parent
UV = ROOT / ".bootstrap" / "bin" / "uv"

DEV = HERE / "dev.txt"
COMMON = ["--quiet", "--no-emit-index-url", "--no-header"]
PYTHON = ["--python-version", "3.13"]
# What is compiled to what, and how. The layers ship for Lambda's Linux, whatever machine compiles.
LAYER = [
    *PYTHON,
    *("--python-platform", "x86_64-manylinux_2_28"),
    *("--constraint", str(DEV.relative_to(ROOT))),
    *("--override", "requirements/lambda.txt"),
]
LOCKS = {
    HERE / "uv.txt": ("uv.in", ["--python-version", "3.8"]),
    DEV: ("dev.in", [*PYTHON, "--override", "requirements/overrides.txt"]),
    HERE / "checks.txt": ("checks.in", PYTHON),
    ROOT / "layers/service_logs/requirements.txt": ("layer.in", LAYER),
    ROOT / "layers/opensearch/requirements.txt": ("opensearch.in", LAYER),
    ROOT / "layers/awswrangler/requirements.txt": ("awswrangler.in", LAYER),
}


def compile_lock(lock: Path, output: Path, *options: str) -> None:
    """Compile one lock; versions that the output already names are kept where they still fit."""
    source, special = LOCKS[lock]
    command = [str(UV), "pip", "compile", *COMMON, *special, *options]
    subprocess.run([*command, f"requirements/{source}", "-o", str(output)], cwd=ROOT, check=True)


def pins(text: str) -> dict[str, str]:
    """Read name and version of every requirement; the hashes of a version only ever grow."""
    return dict(re.findall(r"^([a-z0-9._-]+)(?:\[[^\]]*\])?==([^\s;\\]+)", text, re.MULTILINE))


def drift(lock: Path) -> list[str]:
    """Say how a lock differs from what its declaration gives with the same versions at hand."""
    if not lock.exists():
        return [f"{lock.relative_to(ROOT)}: missing"]
    is_now = lock.read_text()
    with tempfile.TemporaryDirectory() as folder:
        output = Path(folder) / lock.name
        output.write_text(is_now)
        compile_lock(lock, output)
        should_be = pins(output.read_text())
    found = pins(is_now)
    return [
        f"{lock.relative_to(ROOT)}: {name} is {found.get(name, 'missing')}, "
        f"should be {should_be.get(name, 'absent')}"
        for name in sorted(found.keys() | should_be.keys())
        if found.get(name) != should_be.get(name)
    ]


def main() -> int:
    """Compile or check every lock."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true", help="change nothing, fail on a difference")
    parser.add_argument("--upgrade", action="store_true", help="take the newest versions that fit")
    arguments = parser.parse_args()
    if arguments.check:
        differences = [difference for lock in LOCKS for difference in drift(lock)]
        print(*differences, sep="\n", end="\n" if differences else "", file=sys.stderr)
        if differences:
            print("run `make lock` and commit what it changes", file=sys.stderr)
        return int(bool(differences))
    for lock in LOCKS:
        upgrade = ["--upgrade"] if arguments.upgrade and lock.parent == HERE else []
        compile_lock(lock, lock, "--generate-hashes", *upgrade)
    return 0


if __name__ == "__main__":
    sys.exit(main())
