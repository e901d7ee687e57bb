"""Templates as CloudFormation sees them: the SAM transform carried out, conditions decided."""

import copy
import re
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any

import boto3
from samtranslator.yaml_helper import yaml_parse

ROOT = Path(__file__).parents[2]
TEMPLATES = sorted(
    str(path.relative_to(ROOT))
    for pattern in ("template.yaml", "scenarios/*.yaml", "examples/*/template.yaml")
    for path in ROOT.glob(pattern)
)
SCENARIOS = [name for name in TEMPLATES if name.startswith("scenarios/")]

Template = dict[str, Any]
PSEUDO = {
    "AWS::AccountId": "111122223333",
    "AWS::Partition": "aws",
    "AWS::Region": "eu-west-1",
    "AWS::URLSuffix": "amazonaws.com",
    "AWS::StackId": "arn:aws:cloudformation:eu-west-1:111122223333:stack/name/1-2-3-4-0123456789ab",
}
NO_VALUE = {"Ref": "AWS::NoValue"}


@cache
def _parsed(name: str, project: Path) -> Template:
    return yaml_parse((project / name).read_text())


def read(name: str, project: Path = ROOT) -> Template:
    """Read a template as it is written."""
    return copy.deepcopy(_parsed(name, project))


@cache
def _expanded(name: str, project: Path) -> Template:
    # Late: they take half a second, and most tests read templates as they are written.
    from samtranslator.parser.parser import Parser
    from samtranslator.translator.translator import Translator

    template = read(name, project)
    for resource in template["Resources"].values():
        properties = resource.get("Properties", {})
        # The transform takes only what `sam deploy` has uploaded.
        if uris := {"CodeUri", "ContentUri", "DefinitionS3Location", "DefinitionUri"} & set(
            properties
        ):
            properties |= dict.fromkeys(uris, "s3://bucket/code.zip")
        # The same in a template without the transform.
        if folders := {"Code", "Content"} & set(properties):
            properties |= {key: {"S3Bucket": "bucket", "S3Key": "code.zip"} for key in folders}
        if resource["Type"] == "AWS::Serverless::Application":
            properties["Location"] = "https://s3.amazonaws.com/bucket/child.template"
    translator = Translator(
        managed_policy_map={},
        sam_parser=Parser(),
        plugins=[],
        boto_session=boto3.Session(region_name=PSEUDO["AWS::Region"]),
    )
    return translator.translate(sam_template=template, parameter_values={})


def expand(name: str, project: Path = ROOT) -> Template:
    """Read a template with the SAM transform carried out."""
    return copy.deepcopy(_expanded(name, project))


def decide(name: str, project: Path = ROOT, /, **parameters: str) -> dict[str, Template]:
    """Return the resources that a stack with these parameters has, each If decided."""
    return _decided(expand(name, project), "Resources", parameters)


def outputs(name: str, **parameters: str) -> dict[str, Template]:
    """Return the outputs of a stack with these parameters, each If decided."""
    return _decided(expand(name), "Outputs", parameters)


def _decided(
    template: Template, section: str, parameters: Mapping[str, str]
) -> dict[str, Template]:
    values: dict[str, Any] = PSEUDO | {
        key: _value(declared, str(parameters.get(key, declared.get("Default", f"<{key}>"))))
        for key, declared in template["Parameters"].items()
    }
    decision = _Decision(template.get("Conditions", {}), values, template.get("Mappings", {}))
    return {
        logical_id: decision.of(one)
        for logical_id, one in template[section].items()
        if "Condition" not in one or decision.holds(one["Condition"])
    }


def _value(declared: Mapping[str, Any], said: str) -> str | list[str]:
    return said.split(",") if declared["Type"] == "CommaDelimitedList" else said


class _Decision:
    def __init__(
        self, conditions: Mapping[str, Any], values: Mapping[str, str], mappings: Mapping[str, Any]
    ) -> None:
        self.conditions, self.values, self.mappings = conditions, values, mappings

    def holds(self, condition: Any) -> bool:
        if isinstance(condition, str):
            return self.holds(self.conditions[condition])
        ((function, argument),) = condition.items()
        match function:
            case "Condition":
                return self.holds(argument)
            case "Fn::Equals":
                one, other = (self.of(value) for value in argument)
                return str(one) == str(other)
            case "Fn::Not":
                return not self.holds(argument[0])
            case "Fn::And":
                return all(map(self.holds, argument))
            case "Fn::Or":
                return any(map(self.holds, argument))
        raise NotImplementedError(function)

    def of(self, value: Any) -> Any:
        """Decide every If inside, and put in the parameters' values."""
        if isinstance(value, list):
            return [self.of(item) for item in value if self._chosen(item) != NO_VALUE]
        if not isinstance(value, dict):
            return value
        chosen = self._chosen(value)
        if chosen is not value:
            return self.of(chosen)
        found = self._result(value)
        if found is not None:
            return found
        return {key: self.of(item) for key, item in value.items() if self._chosen(item) != NO_VALUE}

    def _result(self, value: dict[str, Any]) -> Any:
        """Work out a function whose arguments are known before a deployment, else None."""
        match value:
            case {"Ref": str(name)} if name in self.values:
                return self.values[name]
            case {"Fn::Join": [str(joint), parts]}:
                parts = self.of(parts)
                return joint.join(parts) if all(isinstance(p, str) for p in parts) else None
            case {"Fn::Split": [str(joint), source]}:
                source = self.of(source)
                return source.split(joint) if isinstance(source, str) else None
            case {"Fn::Select": [int(number), parts]}:
                parts = self.of(parts)
                return parts[number] if isinstance(parts, list) else None
            case {"Fn::FindInMap": [str(name), key, second]}:
                return self.mappings[name][self.of(key)][second]
            case {"Fn::Sub": str(text)}:
                return _filled_in(text, self.values)
            case {"Fn::Sub": [str(text), dict() as own]}:
                parts = {name: self.of(part) for name, part in own.items()}
                said = {name: part for name, part in parts.items() if isinstance(part, str)}
                return _filled_in(text, {**self.values, **said})
        return None

    def _chosen(self, value: Any) -> Any:
        if isinstance(value, dict) and set(value) == {"Fn::If"}:
            condition, yes, no = value["Fn::If"]
            return self._chosen(yes if self.holds(condition) else no)
        return value


def _filled_in(text: str, values: Mapping[str, str]) -> str:
    """Put values in their places; what is not known before a deployment stays as it is."""
    return re.sub(r"\$\{([\w:]+)\}", lambda m: values.get(m[1], m[0]), text)


def of_type(resources: Mapping[str, Template], kind: str) -> dict[str, Template]:
    """Return the resources of a type, by logical id."""
    return {key: value for key, value in resources.items() if value["Type"] == kind}


def nodes(value: Any) -> Iterator[Any]:
    """Go through everything inside, dictionaries and lists too."""
    yield value
    for item in (
        value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    ):
        yield from nodes(item)


def statements(value: Any) -> Iterator[Template]:
    """Go through every policy statement, whatever it is attached to."""
    yield from (node for node in nodes(value) if isinstance(node, dict) and "Effect" in node)


def rights_by_role(resources: Mapping[str, Template]) -> Iterator[tuple[str, Template]]:
    """Go through what the roles of a template may do: a role's logical id, and a statement."""
    for logical_id, role in of_type(resources, "AWS::IAM::Role").items():
        properties = role["Properties"]
        shared = [
            resources[node["Ref"]]
            for node in nodes(properties.get("ManagedPolicyArns", []))
            if isinstance(node, dict) and node.get("Ref") in resources
        ]
        apart = [
            policy
            for policy in of_type(resources, "AWS::IAM::Policy").values()
            if {"Ref": logical_id} in policy["Properties"]["Roles"]
        ]
        for statement in statements([properties.get("Policies", []), shared, apart]):
            yield logical_id, statement


def as_list(value: Any) -> list[Any]:
    """Return a list of what may be written as one or as several."""
    return value if isinstance(value, list) else [value]
