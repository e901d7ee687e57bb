"""Writes what each role may do, and who else may do what, as the templates say it."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from samtranslator.yaml_helper import yaml_parse

ROOT = Path(__file__).parents[1]
SCENARIOS = sorted((ROOT / "scenarios").glob("*.yaml"))

type Template = Mapping[str, Any]

_USERS = {
    "AWS::Serverless::Function": "function",
    "AWS::Lambda::Function": "function",
    "AWS::Serverless::StateMachine": "state machine",
    "AWS::KinesisFirehose::DeliveryStream": "Firehose",
}
"""What runs by a role that it names; another is named by the service that it trusts."""


_OF_THIS_ACCOUNT = r"^arn:\$\{AWS::Partition\}:(\w+):\$\{AWS::Region\}:\$\{AWS::AccountId\}:"


@dataclass(frozen=True, slots=True)
class Statement:
    """A statement of a policy, and the conditions of the template under which it is there."""

    content: Template
    there_if: tuple[str, ...]

    @property
    def held_by(self) -> list[str]:
        """Give the condition keys of IAM that hold it."""
        return [key for test in self.content.get("Condition", {}).values() for key in test]

    @property
    def row(self) -> tuple[str, str, str, str]:
        """Write it for a reader: what for, which actions, on what, and when."""
        held = [f"held by `{key}`" for key in self.held_by]
        when = [*(f"if `{one}`" for one in self.there_if), *held]
        return (
            _words(self.content["Sid"]),
            ", ".join(f"`{action}`" for action in _listed(self.content["Action"])),
            "<br>".join(f"`{_resource(one)}`" for one in _listed(self.content["Resource"])),
            "<br>".join(when),
        )


@dataclass(frozen=True, slots=True)
class Role:
    """A role of a template."""

    name: str
    of: str
    """Who does things by it."""
    statements: tuple[Statement, ...]


def read(path: Path) -> Template:
    """Read a template as it is written."""
    template: Template = yaml_parse(path.read_text())
    return template


def roles(template: Template) -> Iterator[Role]:
    """Give the roles of a template, with what policies apart from them add."""
    resources = template["Resources"]
    for name, resource in resources.items():
        if resource["Type"] == "AWS::IAM::Role":
            there_if = _condition(resource)
            found = [*_statements(resource["Properties"].get("Policies", []), there_if)]
            for other in _attached(resource, name, resources):
                policy = resources[other]
                when = tuple(dict.fromkeys((*there_if, *_condition(policy))))
                found += _statements(policy["Properties"], when)
            yield Role(name, _user(name, resource, resources), tuple(found))


def policies_of_resources(template: Template) -> Iterator[Statement]:
    """Give the statements of buckets, queues, topics and buses: who else may do what there."""
    for resource in template["Resources"].values():
        if resource["Type"].endswith(("BucketPolicy", "QueuePolicy", "TopicPolicy", "EventBus")):
            yield from _statements(resource["Properties"], _condition(resource))


def principal(statement: Statement) -> str:
    """Say whom a statement of a resource's policy is about."""
    who = statement.content["Principal"]
    if isinstance(who, str):
        return "everybody"
    return "<br>".join(f"`{_resource(one)}`" for kind in who.values() for one in _listed(kind))


def _condition(resource: Template) -> tuple[str, ...]:
    return (resource["Condition"],) if "Condition" in resource else ()


def _attached(role: Template, name: str, resources: Template) -> Iterator[str]:
    for node in _nodes(role["Properties"].get("ManagedPolicyArns", [])):
        if isinstance(node, dict) and node.get("Ref") in resources:
            yield node["Ref"]
    for other, resource in resources.items():
        if (
            resource["Type"] == "AWS::IAM::Policy"
            and {"Ref": name} in resource["Properties"]["Roles"]
        ):
            yield other


def _user(name: str, role: Template, resources: Template) -> str:
    for logical_id, resource in resources.items():
        kind = _USERS.get(resource["Type"])
        if kind and {"Fn::GetAtt": [name, "Arn"]} in _nodes(resource):
            return f"{kind} `{logical_id}`"
    trust, *_ = _statements(role["Properties"]["AssumeRolePolicyDocument"])
    return principal(trust)


def _statements(value: Any, there_if: tuple[str, ...] = ()) -> Iterator[Statement]:
    if isinstance(value, list):
        for one in value:
            yield from _statements(one, there_if)
    elif isinstance(value, dict) and "Fn::If" in value:
        condition, yes, no = value["Fn::If"]
        yield from _statements(yes, (*there_if, condition))
        yield from _statements(no, (*there_if, f"not {condition}"))
    elif isinstance(value, dict) and "Effect" in value:
        yield Statement(value, there_if)
    elif isinstance(value, dict):
        yield from _statements([*value.values()], there_if)


def _nodes(value: Any) -> Iterator[Any]:
    yield value
    for item in (
        value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    ):
        yield from _nodes(item)


def _resource(value: Any) -> str:
    """Write an ARN, or what gives one, as short as it is clear."""
    match value:
        case {"Fn::GetAtt": [str(name), str()]} | {"Ref": str(name)}:
            return name
        case {"Fn::Sub": [str(text), dict() as own]}:
            return _short(re.sub(r"\$\{(\w+)\}", lambda m: _list_in(own.get(m[1])) or m[0], text))
        case {"Fn::Sub": str(text)} | str(text):
            return _short(text)
        case {"Fn::If": [_, yes, {"Ref": "AWS::NoValue"}]}:
            return _resource(yes)
        case {"Fn::If": [_, yes, no]}:
            return " or ".join(dict.fromkeys((_resource(yes), _resource(no))))
        case {"Fn::Split": [",", several]}:
            return _resource(several).replace(",", " and ")
    raise ValueError(f"a resource is written in a way that is not known here: {str(value)[:200]}")


def _list_in(value: Any) -> str:
    """Name the list that is joined into a text; nothing if none is."""
    match value:
        case {"Fn::Join": [_, {"Ref": str(name)}]}:
            return f"${{{name}}}"
    return ""


def _short(text: str) -> str:
    text = re.sub(r"arn:(\$\{AWS::Partition\}|\*):s3:::", "", text)
    text = re.sub(_OF_THIS_ACCOUNT, r"\1 ", text)
    text = re.sub(r"arn:\$\{AWS::Partition\}:iam::(.+):root$", r"account \1", text)
    text = re.sub(r"\$\{AWS::AccountId\}", "<account>", text)
    return re.sub(r"\$\{(\w+)(?:\.\w+)?\}", r"<\1>", text)


def _listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def _words(sid: str) -> str:
    """Write a statement's id as words."""
    return re.sub(r"(?<=[a-z])(?=[A-Z])", " ", sid).capitalize()
