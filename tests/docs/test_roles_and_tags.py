"""The page on roles and tags says which resources a stack's tags do not reach."""

import re

from tests.templates.expansion import ROOT, SCENARIOS, expand, of_type

PAGE = (ROOT / "docs/roles-and-tags.md").read_text()


def test_every_type_that_takes_no_tags_is_on_the_page_and_no_other() -> None:
    from cfnlint.schema import PROVIDER_SCHEMA_MANAGER as SCHEMAS  # late: it takes a second

    used = {
        resource["Type"] for name in SCENARIOS for resource in expand(name)["Resources"].values()
    }
    takes_none = {
        kind
        for kind in used
        if not kind.startswith("Custom::")
        and not SCHEMAS.get_resource_schema("us-east-1", kind)
        .schema.get("tagging", {})
        .get("taggable")
    }
    assert set(re.findall(r"AWS::\w+::\w+", PAGE)) == takes_none


def test_the_parameters_of_the_page_are_those_of_every_template_that_makes_a_role() -> None:
    named = set(re.findall(r"^\| `(\w+)` \|", PAGE, re.MULTILINE))
    assert named == {"RolePath", "PermissionsBoundaryArn"}
    for name in (*SCENARIOS, "template.yaml"):
        template = expand(name)
        makes_roles = bool(of_type(template["Resources"], "AWS::IAM::Role"))
        assert not makes_roles or named <= template["Parameters"].keys(), name
    assert named <= expand("template.yaml")["Parameters"].keys()
