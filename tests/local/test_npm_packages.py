"""What comes from npm: checked against its checksum; and which browser tests get."""

import platform
import shutil
from dataclasses import replace
from pathlib import Path

import pytest

from local import npm_packages
from local.processes import StartFailed


@pytest.mark.slow
def test_the_charting_library_is_what_npm_has_under_its_checksum(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shipped = npm_packages.VENDORED
    monkeypatch.setattr(npm_packages, "VENDORED", tmp_path)
    npm_packages.write_charts()
    for name in npm_packages.CHARTS_FILES.values():
        assert (tmp_path / name).read_bytes() == (shipped / name).read_bytes()


@pytest.mark.slow
def test_a_package_with_another_checksum_is_refused(tmp_path: Path) -> None:
    other = replace(npm_packages.CHARTS, integrity="sha512-other")
    with pytest.raises(StartFailed, match=r"chart.js@.* has the checksum .*, not sha512-other"):
        npm_packages.fetch(other, tmp_path)
    assert not (tmp_path / "package").exists()


def test_a_browser_that_is_named_is_taken(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    named = tmp_path / "a browser"
    named.touch(0o755)
    monkeypatch.setenv("CHROMIUM", str(named))
    assert npm_packages.browser() == (named, None)


@pytest.mark.parametrize("name", ["missing", "no program"])
def test_a_named_browser_that_is_none_is_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    (tmp_path / "no program").touch(0o644)
    monkeypatch.setenv("CHROMIUM", str(tmp_path / name))
    with pytest.raises(StartFailed, match=r"CHROMIUM is .* must be the path of a Chromium"):
        npm_packages.browser()


def test_a_machine_for_which_npm_has_no_browser_is_told_how_to_name_one(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.delenv("CHROMIUM", raising=False)
    monkeypatch.setattr(shutil, "which", lambda name: None)
    monkeypatch.setattr(platform, "machine", lambda: "arm64")
    with pytest.raises(StartFailed, match="set CHROMIUM to the path of a Chromium or Chrome"):
        npm_packages.browser()
