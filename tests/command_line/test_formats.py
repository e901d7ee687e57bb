"""`servicelogs formats`: what there is, and what its fields are."""

import pytest

from servicelogs import formats
from servicelogs.command_line.main import main


def test_formats_are_listed_by_name_with_their_titles(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["formats"]) == 0

    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[0] for line in lines] == list(formats.NAMES)
    assert all(formats.get(line.split()[0]).title in line for line in lines)


@pytest.mark.parametrize("name", formats.NAMES)
def test_a_format_is_described_with_its_page_and_every_field(
    capsys: pytest.CaptureFixture[str], name: str
) -> None:
    assert main(["formats", name]) == 0

    title, page, _, heading, *rows = capsys.readouterr().out.splitlines()
    log_format = formats.get(name)
    assert log_format.title in title
    assert page == log_format.page
    assert heading.split()[:2] == ["field", "type"]
    assert [row.split()[0] for row in rows] == [field.name for field in log_format.fields]
    for field, row in zip(log_format.fields, rows, strict=True):
        assert field.type in row
        assert field.since in row


def test_common_names_stand_beside_their_fields(capsys: pytest.CaptureFixture[str]) -> None:
    main(["formats", "cloudtrail"])

    rows = capsys.readouterr().out.splitlines()
    (row,) = [row for row in rows if row.startswith("sourceIPAddress ")]
    assert "source.address, source.ip" in row
