"""Golden pairs: an input as AWS writes it, and what it becomes (`make_cases.py` writes them)."""

import json
from pathlib import Path

import pytest

from servicelogs import formats
from tests.formats.make_cases import EVENTS, FOLDER, cases, event_cases, expected_file, outcome

CASES = [*cases(), *event_cases()]


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case.parent.name}/{case.name}")
def test_an_input_becomes_what_is_expected_of_it(case: Path) -> None:
    assert outcome(case) == json.loads(expected_file(case).read_text()), (
        f"if it should be so: make cases CASES='{case.parent.name}/*', and read the difference"
    )


@pytest.mark.parametrize("name", formats.NAMES)
def test_every_format_has_the_records_that_aws_documents_as_a_case(name: str) -> None:
    found = [case for case in cases() if case.match(f"{name}/documented.*")]
    assert found, f"write {FOLDER / name}/documented.log, then make cases CASES='{name}/*'"


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case.parent.name}/{case.name}")
def test_every_input_has_what_is_expected_of_it_beside_it(case: Path) -> None:
    name = case.name.partition(".")[0]
    assert expected_file(case).exists(), f"make cases CASES={case.parent.name}/{name}"


@pytest.mark.parametrize("name", formats.NAMES)
def test_however_an_object_is_compressed_it_becomes_the_same(name: str) -> None:
    same = [
        json.loads((FOLDER / name / f"{kind}.expected.json").read_text())
        for kind in ("documented", "gzip", "gzip_members", "zstd")
    ]
    assert same == same[:1] * len(same)


def test_each_expected_file_belongs_to_an_input() -> None:
    expected = {path for name in formats.NAMES for path in (FOLDER / name).glob("*.expected.json")}
    expected |= {*EVENTS.glob("*/*.expected.json")}
    assert expected == {expected_file(case) for case in CASES}
