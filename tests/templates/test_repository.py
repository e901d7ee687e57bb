"""What the Serverless Application Repository asks of a template: those with functions have it."""

import re
import tomllib

import pytest

from tests.templates.expansion import ROOT, SCENARIOS, of_type, read

KEY = "AWS::ServerlessRepo::Application"
PUBLISHED = [
    name for name in SCENARIOS if of_type(read(name)["Resources"], "AWS::Serverless::Function")
]
VERSION = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["version"]


@pytest.mark.parametrize("name", PUBLISHED)
def test_a_scenario_with_functions_can_be_published_alone(name):
    said = read(name)["Metadata"][KEY]
    assert re.fullmatch(r"[a-zA-Z0-9-]{1,140}", said["Name"])
    assert 1 <= len(said["Description"]) <= 256
    assert re.fullmatch(r"[a-z0-9](([a-z0-9]|-(?!-))*[a-z0-9])?", said["Author"])
    assert said["SemanticVersion"] == VERSION
    for file in (said["LicenseUrl"], said["ReadmeUrl"]):
        assert ((ROOT / name).parent / file).exists()
    assert len(said["Labels"]) <= 10
    # The repository nests only what is published itself.
    assert not of_type(read(name)["Resources"], "AWS::Serverless::Application")


def test_no_two_of_them_have_one_name_and_nothing_else_is_published():
    names = [read(name)["Metadata"][KEY]["Name"] for name in PUBLISHED]
    assert len(set(names)) == len(names) > 5
    others = {"template.yaml", *SCENARIOS} - set(PUBLISHED)
    assert not [name for name in others if KEY in read(name).get("Metadata", {})]
