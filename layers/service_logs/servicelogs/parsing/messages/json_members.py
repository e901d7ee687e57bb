"""Finds the members of JSON messages that become fields, without decoding the others."""

import operator
import re
from collections.abc import Callable, Iterable
from typing import Any

import msgspec

from servicelogs.parsing.json.proof import decode_plain
from servicelogs.parsing.json.values import decode, value_at
from servicelogs.parsing.messages.format import JsonForm

_ABSENT = msgspec.Raw(b"")
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
        self._decoder = msgspec.json.Decoder(struct)
        self._get: Callable[[Any], tuple[msgspec.Raw, ...]] = _getter(attributes)
        self._forms = [
            (
                form,
                [
                    (self.paths.index(path), re.compile(pattern.encode(), re.DOTALL).fullmatch)
                    for path, pattern in form.when.items()
                ],
            )
            for form in forms
        ]

    def read(self, text: bytes) -> tuple[bytes, tuple[bytes, ...]] | None:
        """Give an object on one line, and its members as they are written (empty: not there).

        None if it is not an object, or one that not every decoder takes.
        """
        if _LINE_FEED in text:
            try:
                text = msgspec.json.format(text, indent=-1)
            except (msgspec.DecodeError, RecursionError):
                return None
        found = decode_plain(text, self._decoder)
        if found is None:
            return None
        try:
            return text, tuple(map(bytes, self._get(found)))
        except AttributeError:  # null where an object leads on
            return None

    def decoded(self, text: bytes) -> tuple[dict[str, Any], tuple[bytes, ...]]:
        """Decode an object that `read` does not; a ValueError or RecursionError if it is none."""
        record = decode(text)
        return record, tuple(_written(value_at(record, path)) for path in self.paths)

    def form_of(self, members: tuple[bytes, ...]) -> JsonForm | None:
        """Choose the form of an object."""
        for form, conditions in self._forms:
            if all(match(members[at].strip(b'"')) for at, match in conditions):
                return form
        return None


def _written(value: object) -> bytes:
    if not isinstance(value, str | int | float | bool):
        return b""
    try:
        return _encode(value)
    except (ValueError, OverflowError, msgspec.MsgspecError):
        return b""


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
            members.append((own, msgspec.Raw, _ABSENT))
    names = {f"a{number}": name for number, name in enumerate(tree)}
    return msgspec.defstruct("Members", members, rename=names, gc=False)


def _getter(attributes: list[str]) -> Callable[[Any], tuple[msgspec.Raw, ...]]:
    if len(attributes) > 1:
        return operator.attrgetter(*attributes)
    (only,) = attributes
    get = operator.attrgetter(only)
    return lambda found: (get(found),)
