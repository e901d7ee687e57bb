"""Finds the members of JSON messages that become fields, without decoding the others."""

import operator
from collections.abc import Callable, Iterable
from typing import Any

import msgspec

from servicelogs.parsing.json.proof import is_utf_8
from servicelogs.parsing.json.values import decode, value_at
from servicelogs.parsing.messages.format import JsonForm

ABSENT = msgspec.Raw(b"")
"""Stands for a member that is not there; known by its identity."""
_LINE_FEED = ord("\n")
_encode = msgspec.json.Encoder().encode

type Tree = dict[str, "Tree"]


class JsonMembers:
    """The members of a kind's JSON forms."""

    def __init__(self, forms: tuple[JsonForm, ...]) -> None:
        paths = dict.fromkeys(
            path for form in forms for path in (*form.when, *(path for path, _ in form.members))
        )
        self.paths = tuple(paths)
        """Where they are; no path leads through another's end."""
        struct, attributes = _struct(self.paths)
        self._decode = msgspec.json.Decoder(struct).decode
        self._get: Callable[[Any], tuple[msgspec.Raw, ...]] = _getter(attributes)

    def read(self, text: bytes) -> tuple[bytes, tuple[msgspec.Raw, ...]] | None:
        """Give an object on one line, and its members as they are written, or ABSENT.

        None if it is not an object, or one that not every decoder takes.
        """
        try:
            if _LINE_FEED in text:
                text = msgspec.json.format(text, indent=-1)
            if text.isascii() or is_utf_8(text):
                return text, self._get(self._decode(text))
        except (msgspec.DecodeError, RecursionError, AttributeError):
            pass  # AttributeError: null where an object leads on
        return None

    def decoded(self, text: bytes) -> tuple[dict[str, Any], tuple[msgspec.Raw, ...]]:
        """Decode an object that `read` does not; a ValueError or RecursionError if it is none."""
        record = decode(text)
        return record, tuple(_written(value_at(record, path)) for path in self.paths)


def _written(value: object) -> msgspec.Raw:
    if not isinstance(value, str | int | float | bool):
        return ABSENT
    try:
        return msgspec.Raw(_encode(value))
    except (ValueError, OverflowError, msgspec.MsgspecError):
        return ABSENT


def _struct(paths: Iterable[str]) -> tuple[type[msgspec.Struct], list[str]]:
    """Make a type with these members, and give where in it each of them is."""
    tree: Tree = {}
    for path in paths:
        inner = tree
        for name in path.split("."):
            inner = inner.setdefault(name, {})
    where: dict[str, str] = {}
    struct = _of_tree(tree, "", "", where)
    return struct, [where[path] for path in paths]


def _of_tree(tree: Tree, path: str, attribute: str, where: dict[str, str]) -> type[msgspec.Struct]:
    members: list[Any] = []
    for number, (name, inner) in enumerate(tree.items()):
        own = f"a{number}"
        if inner:
            struct = _of_tree(inner, f"{path}{name}.", f"{attribute}{own}.", where)
            members.append((own, struct, msgspec.field(default_factory=struct)))
        else:
            where[f"{path}{name}"] = f"{attribute}{own}"
            members.append((own, msgspec.Raw, ABSENT))
    names = {f"a{number}": name for number, name in enumerate(tree)}
    return msgspec.defstruct("Members", members, rename=names, gc=False)


def _getter(attributes: list[str]) -> Callable[[Any], tuple[msgspec.Raw, ...]]:
    if len(attributes) > 1:
        return operator.attrgetter(*attributes)
    (only,) = attributes
    get = operator.attrgetter(only)
    return lambda found: (get(found),)
