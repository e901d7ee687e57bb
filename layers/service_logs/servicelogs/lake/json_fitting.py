"""How a JSON record is made to fit the columns of its table: slow, and whatever it holds.

What has no column, and what does not fit its own, moves to what becomes `extra_fields`, nested as
it was: there, in a list null stands for what had nothing to move. Nothing is decoded but what
columns must read: the rest stays as AWS wrote it, however deep it nests and whatever its numbers.
"""

import json
from collections import Counter
from collections.abc import Iterable
from typing import Any, NamedTuple

import msgspec

from servicelogs.lake.json_values import reader_of
from servicelogs.lake.schema import LakeColumn
from servicelogs.parsing.json.proof import is_utf_8
from servicelogs.parsing.json.values import NumberAsText, Repeated, decode_scalar, encode

_members_of = msgspec.json.Decoder(dict[str, msgspec.Raw]).decode
_items_of = msgspec.json.Decoder(list[msgspec.Raw]).decode


class Fitted(NamedTuple):
    """A record in two, each as JSON."""

    members: bytes
    """What its columns take, each value in their form."""
    extra: bytes | None
    """The rest."""
    misfits: Counter[str]
    """Values that did not fit, by column."""


def strict_json(data: bytes, record: dict[str, Any]) -> bytes:
    """Give a record as JSON that every parser takes: as AWS wrote it, if it is that, else anew.

    A ValueError if it holds what JSON does not have.
    """
    if is_utf_8(data):
        try:
            return msgspec.json.format(data, indent=-1)
        except msgspec.DecodeError:
            pass
    encode(record)
    return msgspec.json.encode(_settled(record))


def fit(record: bytes, columns: Iterable[LakeColumn]) -> Fitted:
    """Make a record, an object in strict JSON, fit columns whose names are its own members'."""
    misfits: Counter[str] = Counter()
    members, extra = _Fitting(misfits).fit_object(record, columns, "")
    return Fitted(
        msgspec.json.encode(members), msgspec.json.encode(extra) if extra else None, misfits
    )


class _Fitting:
    """Fits one record."""

    def __init__(self, misfits: Counter[str]) -> None:
        self._misfits = misfits

    def fit_object(
        self, text: bytes, columns: Iterable[LakeColumn], above: str
    ) -> tuple[dict[str, Any], dict[str, Any]]:
        """Divide an object into what fits, and the rest."""
        given = {name: raw for name, raw in _members_of(text).items() if bytes(raw) != b"null"}
        members: dict[str, Any] = {}
        for column in columns:
            name = next((name for name in column.paths if name in given), None)
            if name is None:
                continue
            fitting, rest = self._fit_value(given.pop(name), column, f"{above}{column.name}")
            if fitting is not None:
                members[name] = fitting
            if rest is not None:
                given[name] = rest
        return members, given

    def _fit_value(self, raw: msgspec.Raw, column: LakeColumn, where: str) -> tuple[Any, Any]:
        """Give what fits of a value, and the rest; None for what there is not."""
        text = bytes(raw)
        if not column.many:
            return self._fit_one(raw, column, where)
        if not text.startswith(b"["):
            self._misfits[where] += 1
            return None, raw
        fitted = [self._fit_one(item, column, where) for item in _items_of(text)]
        rests = [rest for _, rest in fitted]
        has_rest = any(rest is not None for rest in rests)
        return [fitting for fitting, _ in fitted], rests if has_rest else None

    def _fit_one(self, raw: msgspec.Raw, column: LakeColumn, where: str) -> tuple[Any, Any]:
        text = bytes(raw)
        if text == b"null":
            return None, None
        if column.kind == "json":
            return raw, None
        is_object = text.startswith(b"{")
        if column.kind is None and is_object:
            members, extra = self.fit_object(text, column.members, f"{where}.")
            return members, extra or None
        if column.kind is not None and not is_object and not text.startswith(b"["):
            try:
                return reader_of(column)(decode_scalar(text)), None
            except ValueError:
                pass
        self._misfits[where] += 1
        return None, raw


def _settled(value: Any) -> Any:
    """Give a decoded value as it is written anew: once, in UTF-8, with its own numbers."""
    match value:
        case NumberAsText():
            return msgspec.Raw(value.encode())
        case str():
            return value.encode("utf-8", "replace").decode()
        case Repeated():
            return _settled(value[-1])
        case list():
            return [_settled(one) for one in value]
        case dict():
            return {_settled(name): _settled(one) for name, one in value.items()}
        case float():
            return msgspec.Raw(json.dumps(value).encode())
    return value
