"""What stands in a YAML file, each with the line it stands on, so that a mistake can be found."""

import os
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from difflib import get_close_matches
from math import isfinite
from pathlib import Path

import yaml

from servicelogs.errors import PanelMistake

# An anchor can stand inside of itself.
_DEEPEST = 20

type Scalar = str | int | float | bool | None


@dataclass(frozen=True, slots=True)
class Written:
    """A value of the file."""

    value: "Scalar | list[Written] | dict[str, Written]"
    file: Path
    line: int

    def mistake(self, what: str) -> PanelMistake:
        """Give the error that says what is wrong here."""
        return PanelMistake(f"{os.path.relpath(self.file)}:{self.line}: {what}")

    def members(self, known: Collection[str] = ()) -> dict[str, "Written"]:
        """Read a mapping with these keys, or with any."""
        if not isinstance(self.value, dict):
            raise self.mistake(f"{self._shown} must be a mapping (key: value)")
        for key, member in self.value.items():
            if known and key not in known:
                raise member.mistake(unknown(key, "key", known))
        return self.value

    def items(self) -> list["Written"]:
        """Read a list that has something; what is no list is one of itself."""
        if self.value == []:
            raise self.mistake("the list must not be empty")
        return self.value if isinstance(self.value, list) else [self]

    def text(self) -> str:
        """Read a text."""
        if not isinstance(self.value, str) or not self.value.strip():
            raise self.mistake(f"{self._shown} must be text; put it in quotes")
        return self.value

    def number(self, least: int, most: int) -> int:
        """Read a whole number between two others."""
        if type(self.value) is not int or not least <= self.value <= most:
            raise self.mistake(f"{self._shown} must be a whole number from {least} to {most}")
        return self.value

    def one_of(self, what: str, known: Collection[str]) -> str:
        """Read a word of these."""
        word = self.text()
        if word not in known:
            raise self.mistake(unknown(word, what, known))
        return word

    def scalar(self) -> str | int | float | bool:
        """Read a single value."""
        if self.value is None or isinstance(self.value, list | dict):
            raise self.mistake(f"{self._shown} must be a single value")
        return self.value

    @property
    def _shown(self) -> str:
        if isinstance(self.value, list | dict):
            return "this"
        return repr(self.value)[:60]


def unknown(word: str, what: str, known: Collection[str]) -> str:
    """Say that a word is not known, and which is meant perhaps, or which there are."""
    near = get_close_matches(word, known, 3)
    hint = f"did you mean {' or '.join(near)}?" if near else f"there are {', '.join(sorted(known))}"
    return f"{word[:60]!r} is an unknown {what}; {hint[:300]}"


def read(file: Path) -> Written:
    """Read a file; a PanelMistake says where it is not YAML."""
    try:
        node = yaml.compose(file.read_text(encoding="utf-8"), yaml.CSafeLoader)
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 1
        raise Written(None, file, line).mistake(f"this is not YAML: {error.problem}") from error
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise Written(None, file, 1).mistake(f"this is not YAML: {error}") from error
    if node is None:
        raise Written(None, file, 1).mistake("the file is empty")
    return _written(node, file)


def _written(node: yaml.Node, file: Path, depth: int = 0) -> Written:
    line = node.start_mark.line + 1
    if depth > _DEEPEST:
        raise Written(None, file, line).mistake("this is nested too deeply")
    if isinstance(node, yaml.MappingNode):
        return Written(dict(_members(node, file, depth + 1)), file, line)
    if isinstance(node, yaml.SequenceNode):
        return Written([_written(item, file, depth + 1) for item in node.value], file, line)
    value = yaml.constructor.SafeConstructor().construct_object(node)
    if isinstance(value, float) and not isfinite(value):
        raise Written(node.value, file, line).mistake(
            f"{node.value!r} must be a number or in quotes"
        )
    if value is not None and not isinstance(value, str | int | float | bool):
        raise Written(node.value, file, line).mistake(f"{node.value!r} must be in quotes")
    return Written(value, file, line)


def _members(node: yaml.MappingNode, file: Path, depth: int) -> Iterator[tuple[str, Written]]:
    seen = set()
    for key, value in node.value:
        here = Written(key.value, file, key.start_mark.line + 1)
        if not isinstance(key, yaml.ScalarNode) or key.tag == "tag:yaml.org,2002:merge":
            raise here.mistake("a key must be a word")
        if key.value in seen:
            raise here.mistake(f"{key.value!r} stands twice")
        seen.add(key.value)
        written = _written(value, file, depth)
        # What is wrong with a key is shown at the key.
        yield key.value, Written(written.value, file, here.line)
