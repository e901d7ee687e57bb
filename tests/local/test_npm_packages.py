"""What comes from npm: checked against its checksum; which browser tests get; the page's names."""

import platform
import re
import shutil
import subprocess
from dataclasses import replace
from pathlib import Path

import pytest

from local import npm_packages
from local.processes import StartFailed

# It reads JavaScript without running it. What it says of types, which nobody declares, counts not.
COMPILER = npm_packages.Package(
    "typescript",
    "5.9.3",
    "sha512-jl1vZzPDinLr9eUt3J/t7V6FgNEw9QjvBPdysz9KfQDD41fQrC2Y4vKQdiaUpFT4bXlb1RHhLpp8wtm6M5TgSw==",
)
SAID = {
    "TS1": "syntax",
    "TS2304": "an unknown name",
    "TS2305": "an import that is not exported",
    "TS2307": "a module that is not there",
    "TS2552": "an unknown name, nearly one",
    "TS2554": "too many or too few arguments",
    "TS2724": "an import that is nearly exported",
    "TS6133": "an unused name",
    "TS6192": "unused imports",
    "TS6196": "an unused declaration",
    "TS6198": "unused names",
    "TS7027": "code that is never reached",
}


def findings(compiler: Path, *modules: Path) -> list[str]:
    """Say what is wrong with modules and with those that they import."""
    checks = ["--allowJs", "--checkJs", "--noEmit", "--noUnusedLocals", "--noUnusedParameters"]
    checks += [
        "--allowUnreachableCode",
        "false",
        "--target",
        "esnext",
        "--moduleResolution",
        "bundler",
    ]
    checks += [
        "--module",
        "esnext",
        "--lib",
        "dom,dom.iterable,esnext",
        "--pretty",
        "false",
        "--skipLibCheck",
    ]
    said = subprocess.run(
        ["node", compiler / "bin" / "tsc", *checks, *modules],
        capture_output=True,
        text=True,
        check=False,
    )
    assert not said.stderr
    return re.findall(rf"^.*error (?:TS1\d{{3}}|{'|'.join(SAID)}):.*$", said.stdout, re.MULTILINE)


@pytest.mark.slow
def test_the_pages_modules_have_no_unknown_and_no_unused_names(tmp_path: Path) -> None:
    compiler = npm_packages.fetch(COMPILER, tmp_path)
    page = npm_packages.VENDORED.parent
    # It is seen to look by what is wrong with another module.
    wrong = tmp_path / "wrong.js"
    wrong.write_text(f'import {{ colour }} from "{page}/charts.js";\nmissing();\n')
    found = findings(compiler, page / "page.js", wrong)
    assert [one for one in found if "wrong.js" not in one] == []
    assert len(found) == 2


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
