"""Finds the members of JSON messages that become fields, without decoding the others."""

import re
from collections.abc import Callable, Collection, Mapping
from typing import Any

import msgspec

from servicelogs.parsing.cache import Cache
from servicelogs.parsing.json.proof import decode_plain
from servicelogs.parsing.json.values import Repeated, decode, value_at
from servicelogs.parsing.messages.format import JsonForm

_LINE_FEED = ord("\n")
_MOST_CONDITIONS_BYTES = 256 * 1024
_encode = msgspec.json.Encoder().encode

type Value = bytes | msgspec.Raw
type Members = Mapping[str, Value]
"""The members of an object, as they are written."""
type Found = tuple[Members, ...]
"""The members of those objects that a form asks for: of the message, and of those in it; empty
where there is no such object."""


class JsonMembers:
    """The members of a kind's JSON forms."""

    def __init__(self, forms: tuple[JsonForm, ...]) -> None:
        self._decoder = msgspec.json.Decoder(dict[str, msgspec.Raw])
        self.decode: Callable[[Value], Members] = self._decoder.decode
        """Decodes an object on one line."""
        self._forms = tuple(
            (form, {name: _compiled(pattern) for name, pattern in form.when.items()})
            for form in forms
        )
        self._asked = tuple(dict.fromkeys(name for form in forms for name in form.when))
        """The members that decide which form it is."""
        leaves = (name for form in forms for _, name, _ in form.leaves)
        self._wanted = frozenset((*self._asked, *leaves))
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

    def at_places(self, members: Members, form: JsonForm) -> Found:
        """Find the objects inside of an object that its form asks for."""
        found = [members]
        for _, above, name in form.places:
            inner = found[above].get(name)
            try:
                found.append({} if inner is None else self.decode(inner))
            except msgspec.DecodeError:  # not an object
                found.append({})
        return tuple(found)

    def decoded(self, text: bytes) -> tuple[dict[str, Any], JsonForm | None, Found]:
        """Decode an object that `read` does not; a ValueError or RecursionError if it is none."""
        record = decode(text)
        members = self._written(record)
        form = self.form_of(members)
        places = form.places if form else ()
        inner = (self._written(value_at(record, place.path)) for place in places)
        return record, form, (members, *inner)

    def _choose(self, asked: tuple[bytes, ...]) -> JsonForm | None:
        values = dict(zip(self._asked, asked, strict=True))
        for form, conditions in self._forms:
            if all(matches(values[name].strip(b'"')) for name, matches in conditions.items()):
                return form
        return None

    def _written(self, value: object) -> dict[str, bytes]:
        """Write the members of an object that forms ask for and that have a single value."""
        members = value.items() if isinstance(value, dict) else ()
        written = ((name, _written(one)) for name, one in members if name in self._wanted)
        return {name: text for name, text in written if text}


def _compiled(pattern: str) -> Any:
    return re.compile(pattern.encode(), re.DOTALL).fullmatch


def _written(value: object) -> bytes:
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
