"""The column `request`: what is taken out of a free-form field, or from headers."""

from collections.abc import Callable, Mapping, Sequence
from functools import reduce
from operator import attrgetter
from typing import Any

import msgspec
import pyarrow
import pyarrow.compute

from servicelogs.lake.json_structs import ABSENT, Shape, attribute_reader
from servicelogs.lake.schema import LakeColumn
from servicelogs.parsing.cache import Cache
from servicelogs.parsing.json.format import JsonFormat
from servicelogs.parsing.json.values import decode, wanted_headers

_TEXT = pyarrow.string()
_MOST_NAME_CHARACTERS = 1024 * 1024

type Known = Mapping[int, Mapping[str, str]]
"""What is known of some rows: the values by their names."""
type MakePromoted = Callable[[Shape, Sequence[Any], Known], pyarrow.Array]
"""Makes the column for objects of a shape."""


def promoted_column(log_format: JsonFormat, column: LakeColumn) -> MakePromoted:
    """Give what makes the column of a format's promoted values."""
    if log_format.headers:
        return _OfHeaders(log_format, column)
    return _OfMember(log_format, column)


class _OfMember:
    """Takes them out of one free-form member."""

    def __init__(self, log_format: JsonFormat, column: LakeColumn) -> None:
        (self._top,) = {path.partition(".")[0] for path in log_format.promoted}
        self._column = column
        self._names = [name for member in column.members for name in member.paths]
        slots = {f"m{i}": name for i, name in enumerate(self._names)}
        struct = msgspec.defstruct(
            self._top, [(slot, Any, None) for slot in slots], rename=slots, gc=False
        )
        self._decode = msgspec.json.Decoder(struct | None).decode
        self._make = struct
        self._get = [attrgetter(slot) for slot in slots]

    def __call__(self, shape: Shape, objects: Sequence[Any], known: Known) -> pyarrow.Array:
        raws = map(attrgetter(shape.slots[self._top]), objects)
        found = [None if raw is ABSENT else self._members(raw) for raw in raws]
        nothing = self._make()
        holders = [nothing if members is None else members for members in found]
        return _struct(self._column, [[*map(get, holders)] for get in self._get], known)

    def _members(self, raw: msgspec.Raw) -> Any:
        try:
            return self._decode(raw)
        except msgspec.ValidationError:  # it is no object, or holds a number that is too large
            return self._decoded_alone(bytes(raw))
        except RecursionError:
            return None

    def _decoded_alone(self, text: bytes) -> Any:
        try:
            members = decode(text)
        except ValueError:
            return None
        found = map(members.get, self._names)
        # A number that no double holds is a text here, of a type of its own.
        return self._make(*(value if type(value) is str else None for value in found))


class _OfHeaders:
    """Takes the first of each name, in any case, from a list of headers."""

    def __init__(self, log_format: JsonFormat, column: LakeColumn) -> None:
        self._path = log_format.header_list
        self._column = column
        self._places = {
            name: at for at, member in enumerate(column.members) for name in member.paths
        }
        self._wanted = wanted_headers(log_format)
        # Clients send the same headers in the same order, again and again.
        self._plans = Cache(self._plan, _MOST_NAME_CHARACTERS, weight=lambda names: len(str(names)))

    def _plan(self, names: tuple[Any, ...]) -> list[tuple[int, int]]:
        """Give the members of the column that headers of these names become, and their places."""
        wanted = [(self._wanted[name], at) for at, name in enumerate(names)]
        return [(self._places[ours], at) for ours, at in wanted if ours]

    def __call__(self, shape: Shape, objects: Sequence[Any], known: Known) -> pyarrow.Array:
        top, inner = self._path
        above = shape.below[top]
        of_object, of_above = attrgetter(shape.slots[top]), attrgetter(above.slots[inner])
        header = above.below[inner].slots
        names_of, value_of = attribute_reader(header["name"]), attrgetter(header["value"])
        plans = self._plans
        found: list[list[str | None]] = [[None] * len(objects) for _ in self._column.members]
        for row, one in enumerate(map(of_object, objects)):
            headers = one and of_above(one)
            if not headers:
                continue
            try:
                names = tuple(names_of(headers))
            except AttributeError:  # there is a null among them
                headers = [header for header in headers if header is not None]
                names = tuple(names_of(headers))
            for member, at in plans[names]:
                texts = found[member]
                if texts[row] is None and type(value := value_of(headers[at])) is str:
                    texts[row] = value
        return _struct(self._column, found, known)


def _struct(column: LakeColumn, values: Sequence[list[Any]], known: Known) -> pyarrow.Array:
    """Make the column of the values of its members; it is null where all of them are."""
    for row, found in known.items():
        for texts, member in zip(values, column.members, strict=True):
            texts[row] = next((found[name] for name in member.paths if name in found), None)
    arrays = [*map(_texts, values)]
    nulls = reduce(pyarrow.compute.and_, [array.is_null() for array in arrays])
    fields = [pyarrow.field(member.name, member.arrow_type()) for member in column.members]
    return pyarrow.StructArray.from_arrays(arrays, fields=fields, mask=nulls)


def _texts(values: list[Any]) -> pyarrow.Array:
    """Make an array of those values that are strings."""
    try:
        return pyarrow.array(values, _TEXT)
    except (pyarrow.ArrowInvalid, pyarrow.ArrowTypeError):
        return pyarrow.array([v if isinstance(v, str) else None for v in values], _TEXT)
