"""What the page on log groups has its readers write is taken by SAM and by the template."""

import re
import tomllib

from samcli.cli.types import CfnParameterOverridesType

from tests.templates.expansion import ROOT, read

TEXT = (ROOT / "docs" / "log-groups.md").read_text()


def test_parameters_of_the_page_are_what_the_template_takes() -> None:
    (block,) = re.findall(r"```toml\n(parameter_overrides = .*?)```", TEXT, re.DOTALL)
    written = tomllib.loads(block)["parameter_overrides"]
    declared = read("template.yaml")["Parameters"]

    given = CfnParameterOverridesType().convert(tuple(written), None, None)

    assert len(given) == len(written) > 5
    for override in written:
        name, _, value = override.partition("=")
        assert given[name] == value.strip("'"), "SAM takes all of it"
        if pattern := declared[name].get("AllowedPattern"):
            assert re.search(pattern, given[name]), name
    assert any("''" in one for one in written)
    assert any(" " in one for one in written)
