"""`servicelogs panels` writes pages and saved objects, and names mistakes by file and line."""

import json
from pathlib import Path

import pytest

from servicelogs.command_line.main import BAD_USAGE, main
from servicelogs.opensearch.dashboards import page_files


def test_pages_are_written_as_one_line_of_json(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["panels", "--type", "alb", "--prefix", "logs"]) == 0

    written = json.loads(capsys.readouterr().out)
    assert written["prefix"] == "logs"
    assert [page["name"] for page in written["pages"]] == ["overview", "client", "request", "alb"]


def test_saved_objects_are_written_a_line_each(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["panels", "--saved-objects", "--type", "waf"]) == 0

    types = {json.loads(line)["type"] for line in capsys.readouterr().out.splitlines()}
    assert types == {"index-pattern", "visualization", "search", "dashboard"}


def test_files_in_order_are_checked_without_a_word(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["panels", "--check"]) == 0
    assert capsys.readouterr() == ("", "")


@pytest.mark.parametrize(
    "prefix", ["", "AWS", "a..b", 'a"b', "a b", "*", "a,b", "_a", "é", "aws\n", "a" * 200]
)
def test_a_prefix_that_no_deployment_has_is_refused(
    capsys: pytest.CaptureFixture[str], prefix: str
) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["panels", "--prefix", prefix])
    assert ended.value.code == BAD_USAGE
    out, err = capsys.readouterr()
    assert out == ""
    assert "PREFIX must be a lower-case letter, then up to 30 of a-z, 0-9 and hyphens, not" in err


@pytest.mark.parametrize("how", [[], ["--check"], ["--saved-objects"]])
def test_a_mistake_is_named_by_file_and_line_and_nothing_is_written(
    how: list[str],
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> None:
    (tmp_path / "alb.yaml").write_text(
        "title: T\npanels:\n- title: A\n  kind: bar\n  by: elbb\n- title: B\n  kind: meter\n"
    )
    monkeypatch.setattr(page_files, "PAGES", tmp_path)

    assert main(["panels", *how]) == BAD_USAGE

    out, err = capsys.readouterr()
    assert out == ""
    first, second = err.splitlines()
    assert "alb.yaml:5: 'elbb' is an unknown field; did you mean elb?" in first
    assert "alb.yaml:7: 'meter' is an unknown kind of panel" in second
