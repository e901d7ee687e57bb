"""What stands in a YAML file, each with the line it stands on, so that a mistake can be found."""

import os
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path

import yaml

from servicelogs.errors import PanelMistake

# An anchor can stand inside of itself.
_DEEPEST = 20
_LONGEST_TITLE = 120

# Of a long.
_LARGEST = 2**63

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

    def items(self, *, least: int = 1) -> "list[Written]":
        """Read a list of different things; what is not one is a list of itself."""
        found = self.value if isinstance(self.value, list) else [self]
        if len(found) < least:
            raise self.mistake("the list is empty")
        seen: list[object] = []
        for one in found:
            if one.value in seen and not isinstance(one.value, list | dict):
                raise one.mistake(f"{one._shown} stands twice")
            seen.append(one.value)
        return found

    def list(self, *, least: int = 1) -> "list[Written]":
        """Read a list that must be one."""
        if not isinstance(self.value, list):
            raise self.mistake(f"{self._shown} must be a list (- item)")
        return self.items(least=least)

    def text(self) -> str:
        """Read a text."""
        if not isinstance(self.value, str) or not self.value.strip():
            raise self.mistake(f"{self._shown} must be text; put it in quotes")
        return self.value

    def title(self) -> str:
        """Read what something is called, in lists and in ids too."""
        title = self.text()
        if len(title) > _LONGEST_TITLE or not title.isprintable():
            raise self.mistake(f"a title must be one line of at most {_LONGEST_TITLE} characters")
        return title

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
    raw = file.read_bytes()
    try:
        node = yaml.compose(raw.decode(), yaml.CSafeLoader)
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 1
        raise Written(None, file, line).mistake(f"this is not YAML: {error.problem}") from error
    except UnicodeDecodeError as error:
        line = raw.count(b"\n", 0, error.start) + 1
        raise Written(None, file, line).mistake("this is not UTF-8: save it as UTF-8") from error
    except yaml.reader.ReaderError as error:
        line = raw.decode().count("\n", 0, error.position) + 1
        raise Written(None, file, line).mistake(f"this is not YAML: {error.reason}") from error
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
    try:
        value = yaml.constructor.SafeConstructor().construct_object(node)
    except (yaml.constructor.ConstructorError, ValueError) as error:
        raise Written(node.value, file, line).mistake(
            f"{node.value!r:.60} must be in quotes, and without a tag (!)"
        ) from error
    if isinstance(value, int | float) and not -_LARGEST < value < _LARGEST:
        raise Written(None, file, line).mistake(f"{node.value!r:.60} is no number that fields hold")
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
