"""The Python that the environment is made with: one that runs, whatever has its name."""

import stat
from pathlib import Path

import pytest

from local.find_python import candidates, find


def interpreter(path: Path, version: str = "", status: int = 0) -> Path:
    """Make something that answers as this version of Python would, or fails as a dead shim."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"#!/bin/sh\necho '{version} {path}'\nexit {status}\n")
    path.chmod(path.stat().st_mode | stat.S_IXUSR)
    return path


@pytest.fixture
def machine(tmp_path: Path) -> dict[str, str]:
    """Describe a machine without any Python of the version looked for."""
    return {"HOME": str(tmp_path / "home"), "PATH": str(tmp_path / "bin")}


def test_a_python_on_path_that_runs_is_taken(machine: dict[str, str], tmp_path: Path) -> None:
    python = interpreter(tmp_path / "bin" / "python3.99", "3.99")
    assert find("3.99", machine) == str(python)


def test_a_dead_shim_is_skipped_for_pyenvs_own_version(
    machine: dict[str, str], tmp_path: Path
) -> None:
    interpreter(tmp_path / "bin" / "python3.99", status=127)
    python = interpreter(tmp_path / "home/.pyenv/versions/3.99.1/bin/python3.99", "3.99")
    assert find("3.99", machine) == str(python)


def test_pyenv_may_live_elsewhere(machine: dict[str, str], tmp_path: Path) -> None:
    python = interpreter(tmp_path / "pyenv/versions/3.99.1/bin/python3.99", "3.99")
    assert find("3.99", machine | {"PYENV_ROOT": str(tmp_path / "pyenv")}) == str(python)


def test_the_newest_patch_of_pyenv_comes_first(machine: dict[str, str], tmp_path: Path) -> None:
    for patch in (9, 10, 2):
        interpreter(tmp_path / f"home/.pyenv/versions/3.99.{patch}/bin/python3.99", "3.99")
    found = find("3.99", machine)
    assert "/3.99.10/" in found


def test_a_python_that_says_it_is_another_version_is_not_taken(
    machine: dict[str, str], tmp_path: Path
) -> None:
    interpreter(tmp_path / "bin" / "python3.99", "3.9")
    assert find("3.99", machine) == "3.99"


def test_without_any_the_version_is_left_to_uv(machine: dict[str, str]) -> None:
    assert find("3.99", machine) == "3.99"


def test_the_machine_is_not_searched_beyond_path_and_pyenv(machine: dict[str, str]) -> None:
    import sys

    assert [str(path) for path in candidates("3.99", machine)] == [
        sys.executable,
        f"{machine['PATH']}/python3.99",
    ]
