"""A deployment can name every log type there is, wherever it is asked for some."""

import re

import pytest

from servicelogs import formats
from servicelogs.settings import LogSettings, read_settings
from tests.templates.expansion import TEMPLATES, read

PREFIXES = [
    read(name)["Parameters"]["LogTypePrefixes"]
    for name in ("template.yaml", "scenarios/s3_to_opensearch.yaml")
]


@pytest.mark.parametrize("name", TEMPLATES)
def test_every_type_is_allowed_and_no_other_name(name):
    parameters = read(name).get("Parameters", {})
    if "LogType" in parameters:
        assert set(formats.NAMES) <= set(parameters["LogType"]["AllowedValues"])
    if "LogTypes" in parameters:
        # CloudFormation asks this of each name of the list.
        allowed = parameters["LogTypes"]["AllowedPattern"]
        assert all(re.fullmatch(allowed, name) for name in ("all", *formats.NAMES))
        assert not [name for name in ("", "albs", "vpc-flow") if re.fullmatch(allowed, name)]


@pytest.mark.parametrize("declared", PREFIXES)
def test_a_prefix_may_be_given_every_type_and_is_read_as_it_is_written(declared):
    value = ",".join(f"hive/of={name}/={name}" for name in formats.NAMES)
    assert re.fullmatch(declared["AllowedPattern"], value)
    settings = read_settings(LogSettings, {"LOG_TYPE_PREFIXES": value})
    assert settings.log_type_prefixes == {f"hive/of={name}/": name for name in formats.NAMES}


@pytest.mark.parametrize("declared", PREFIXES)
@pytest.mark.parametrize("value", ["edge/", "=alb", "edge/=", "edge/=albs", "a/=alb,", "a b/=alb"])
def test_what_is_no_pair_of_prefix_and_type_is_refused_at_once(declared, value):
    assert not re.fullmatch(declared["AllowedPattern"], value)
