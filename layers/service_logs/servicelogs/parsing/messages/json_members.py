"""Finds the members of JSON messages that become fields, without decoding the others.

Those inside of inner objects are given beside the others: their names differ.
"""

import re
from collections.abc import Callable, Collection, Mapping
from typing import Any, TypedDict

import msgspec

from servicelogs.parsing.cache import Cache
from servicelogs.parsing.json.proof import decode_plain
from servicelogs.parsing.json.values import Repeated, value_at
from servicelogs.parsing.json.values import decode as decode_any
from servicelogs.parsing.messages.format import JsonForm, name_of

_LINE_FEED = ord("\n")
_MOST_CONDITIONS_BYTES = 256 * 1024
_encode = msgspec.json.Encoder().encode

type Value = bytes | msgspec.Raw
type Members = Mapping[str, Value]
"""The members of an object that forms ask for, as they are written."""


class JsonMembers:
    """The members of a kind's JSON forms."""

    def __init__(self, forms: tuple[JsonForm, ...]) -> None:
        self._forms = tuple(
            (form, {name: _compiled(pattern) for name, pattern in form.when.items()})
            for form in forms
        )
        self._asked = tuple(dict.fromkeys(name for form in forms for name in form.when))
        """The members that decide which form it is."""
        flat = (name for form in forms if not form.places for name, _ in form.leaves)
        self._decoder = _decoder(dict.fromkeys((*self._asked, *flat), msgspec.Raw))
        self.decode: Callable[[bytes], Members] = self._decoder.decode
        """Decodes an object on one line: the members of forms without places, and those that decide
        which form it is."""
        self._of_places = {
            form: (_decoder(_tree(form)).decode, tuple(map(name_of, form.places)))
            for form in forms
            if form.places
        }
        self._form_of: Cache[tuple[bytes, ...], JsonForm | None] = Cache(
            self._choose, _MOST_CONDITIONS_BYTES, lambda asked: 100 + sum(map(len, asked))
        )
        self.usual = self.form_of({})
        """The form of those that have none of these members."""

    def is_usual(self, names: Collection[str]) -> bool:
        """Say whether an object with these names has the form that most have, and no places."""
        return not (self.usual is None or self.usual.places or any(n in names for n in self._asked))

    def read(self, text: bytes) -> tuple[bytes, Members] | None:
        """Give an object on one line, and its members.

        None if it is not an object, or one that not every decoder takes.
        """
        if _LINE_FEED in text:
            try:
                text = msgspec.json.format(text, indent=-1)
            except (msgspec.DecodeError, RecursionError):
                return None
        members = decode_plain(text, self._decoder)
        return None if members is None else (text, members)

    def form_of(self, members: Members) -> JsonForm | None:
        """Choose the form of an object."""
        return self._form_of[tuple([bytes(members.get(name, b"")) for name in self._asked])]

    def with_places(self, text: bytes, members: Members, form: JsonForm) -> Members:
        """Give the members of a form, from inner objects too, of what was decoded once."""
        if not form.places:
            return members
        decode, places = self._of_places[form]
        try:
            found = decode(text)
        except msgspec.DecodeError:  # something else is where the form has an object
            return _written(decode_any(text), form)
        for name in places:
            if inner := found.pop(name, None):
                found |= inner
        return found

    def decoded(self, text: bytes) -> tuple[dict[str, Any], JsonForm | None, Members]:
        """Decode an object that `read` does not; a ValueError or RecursionError if it is none."""
        record = decode_any(text)
        form = self.form_of({name: _text(value_at(record, name)) for name in self._asked})
        return record, form, _written(record, form) if form else {}

    def _choose(self, asked: tuple[bytes, ...]) -> JsonForm | None:
        values = dict(zip(self._asked, asked, strict=True))
        for form, conditions in self._forms:
            if all(matches(values[name].strip(b'"')) for name, matches in conditions.items()):
                return form
        return None


def _tree(form: JsonForm) -> dict[str, Any]:
    """Say what the members of a form are, and what is in them."""
    tree: dict[str, Any] = {}
    for member, _ in form.members:
        *places, name = member.split(".")
        inside = tree
        for place in places:
            inside = inside.setdefault(place, {})
        inside[name] = msgspec.Raw
    names = [name_of(path) for path in (*form.places, *dict(form.members))]
    if len({*names}) < len(names):
        raise ValueError(f"members have the same name: {sorted(names)}")
    return tree


def _decoder(tree: Mapping[str, Any]) -> msgspec.json.Decoder[dict[str, Any]]:
    """Decode these members, and skip all others."""
    return msgspec.json.Decoder(_typed(tree))


def _typed(tree: Mapping[str, Any]) -> Any:
    typed: Any = TypedDict
    types = {name: _typed(one) if isinstance(one, dict) else one for name, one in tree.items()}
    return typed("Members", types, total=False)


def _compiled(pattern: str) -> Any:
    return re.compile(pattern.encode(), re.DOTALL).fullmatch


def _written(record: object, form: JsonForm) -> Members:
    """Write the members of a form that have a single value."""
    written = ((name_of(path), _text(value_at(record, path))) for path, _ in form.members)
    return {name: text for name, text in written if text}


def _text(value: object) -> bytes:
    if isinstance(value, Repeated):
        value = value[-1]
    if isinstance(value, str):
        value = value.encode("utf-8", "replace").decode()  # half surrogates are in no document
    if not isinstance(value, str | int | float | bool):
        return b""
    try:
        return _encode(value)
    except (ValueError, OverflowError, msgspec.MsgspecError):
        return b""
