"""A deployment can name every log type there is, wherever it is asked for some."""

import re

import pytest

from servicelogs import formats
from servicelogs.detection.options import format_options
from servicelogs.settings import LogSettings, read_settings
from tests.templates.expansion import TEMPLATES, read

PREFIXES = [
    read(name)["Parameters"]["LogTypePrefixes"]
    for name in (
        "template.yaml",
        "scenarios/s3_to_opensearch.yaml",
        "scenarios/s3_to_light_engine.yaml",
    )
]


@pytest.mark.parametrize("name", TEMPLATES)
def test_every_type_is_allowed_and_no_other_name(name):
    parameters = read(name).get("Parameters", {})
    if "LogType" in parameters:
        missing = set(formats.NAMES) - set(parameters["LogType"]["AllowedValues"])
        assert not missing, f"add to AllowedValues of the parameter LogType in {name}"
    for parameter in {"LogTypes", "LakeLogTypes"} & set(parameters):
        # CloudFormation asks this of each name of the list.
        allowed = parameters[parameter]["AllowedPattern"]
        refused = [one for one in ("all", *formats.NAMES) if not re.fullmatch(allowed, one)]
        assert not refused, f"add to AllowedPattern of the parameter {parameter} in {name}"
        assert not [name for name in ("", "albs", "vpc-flow") if re.fullmatch(allowed, name)]


@pytest.mark.parametrize("declared", PREFIXES)
def test_a_prefix_may_be_given_every_type_and_is_read_as_it_is_written(declared):
    value = ",".join(f"hive/of={name}/={name}" for name in formats.NAMES)
    assert re.fullmatch(declared["AllowedPattern"], value), (
        "add to AllowedPattern of LogTypePrefixes in template.yaml, s3_to_opensearch.yaml and "
        "s3_to_light_engine.yaml"
    )
    settings = read_settings(LogSettings, {"LOG_TYPE_PREFIXES": value})
    assert settings.log_type_prefixes == {f"hive/of={name}/": name for name in formats.NAMES}


@pytest.mark.parametrize("declared", PREFIXES)
@pytest.mark.parametrize("value", ["edge/", "=alb", "edge/=", "edge/=albs", "a/=alb,", "a b/=alb"])
def test_what_is_no_pair_of_prefix_and_type_is_refused_at_once(declared, value):
    assert not re.fullmatch(declared["AllowedPattern"], value)


OPTIONS = [
    read(name)["Parameters"]["FlowLogFields"]
    for name in ("template.yaml", "scenarios/s3_to_opensearch.yaml")
]


# CloudFront's plain files never come by a stream.
@pytest.mark.parametrize(
    ("child", "name", "setup", "not_there"),
    [
        ("S3ToOpenSearch", "scenarios/s3_to_opensearch.yaml", "SearchEngine", set()),
        (
            "StreamToOpenSearch",
            "scenarios/stream_to_opensearch.yaml",
            "SearchEngine",
            {"CloudFrontFields"},
        ),
        ("S3ToLightEngine", "scenarios/s3_to_light_engine.yaml", "Lake", set()),
    ],
)
def test_functions_get_every_option_that_a_format_has(child, name, setup, not_there):
    scenario = read(name)
    variables = scenario["Globals"]["Function"]["Environment"]["Variables"]
    passed = re.findall(r"(\w+)=\$\{(\w+)\}", variables["FORMAT_OPTIONS"]["Fn::Sub"])
    options = format_options() - not_there
    assert {option for option, _ in passed} == options
    assert all(option == parameter for option, parameter in passed)
    # A changed option is checked by the setup, before a message comes.
    properties = scenario["Resources"][setup]["Properties"]
    nested = read("template.yaml")["Resources"][child]["Properties"]["Parameters"]
    for option in options:
        assert properties[option] == nested[option] == {"Ref": option}


@pytest.mark.parametrize("declared", OPTIONS)
@pytest.mark.parametrize(
    "value",
    ["", "srcaddr dstaddr", "srcaddr,instance-tag-2", "${srcaddr} ${pkt-src-aws-service}", "a, b"],
)
def test_flow_log_fields_may_be_written_as_aws_writes_them(declared, value):
    assert re.fullmatch(declared["AllowedPattern"], value)


@pytest.mark.parametrize("declared", OPTIONS)
@pytest.mark.parametrize("value", ["a;b", "$a", "${a", "a}", "A", "a=b", " a"])
def test_what_is_not_a_list_of_columns_is_refused_at_once(declared, value):
    assert not re.fullmatch(declared["AllowedPattern"], value)
