"""Makes columns of what messages say, in their groups, in their members, and without saying it.

What a column is made of is written in one way, whoever says it: as the text itself, and as JSON
where the column holds no texts. An array is made of all of a column's values at once; only where
one does not fit they are read one by one.
"""

from collections.abc import Mapping, Sequence
from itertools import groupby
from typing import Protocol, cast

import msgspec
import pyarrow
import pyarrow.compute

from servicelogs.lake.arrow_values import Misfits, read_times, texts
from servicelogs.lake.json_values import reader_of
from servicelogs.lake.schema import Kind, LakeColumn
from servicelogs.parsing.fields import FieldType
from servicelogs.parsing.json.values import decode_scalar
from servicelogs.parsing.messages.format import FRACTION, MESSAGE, TIME, JsonForm
from servicelogs.parsing.messages.forms import Way
from servicelogs.parsing.messages.reading import HIDDEN, NUMBERS, ReadWay

_TEXTS: tuple[Kind, ...] = ("text", "time")
_EXACT = 2**53
"""Doubles hold all whole numbers up to this one."""
_decode_text = msgspec.json.Decoder(str).decode
_decode_texts = msgspec.json.Decoder(list[str]).decode

type Said = Mapping[str, bytes]
"""Fields that messages have beside their own values, as JSON."""
type Value = bytes | str | None
type Values = Sequence[Value]
"""What is found in a message, or at one place of several."""


class Gathered(Protocol):
    """Makes columns of messages that are alike."""

    def put(self, values: Sequence[Values], start: int, cells: "Cells") -> None:
        """Put what each of them says into its columns, from a row on."""
        ...


class GatheredWay(ReadWay):
    """Makes columns of messages that are read in one way."""

    def __init__(self, way: Way, types: Mapping[str, FieldType]) -> None:
        super().__init__(way, types)
        self.fractions_at = [at for at, name in enumerate(way.names) if name == FRACTION]
        names = dict.fromkeys(name for name in way.names if name not in HIDDEN)
        self._places = {name: self._places_of(name) for name in names}
        if self.object_at >= 0:
            self._places[MESSAGE] = self._places_of(MESSAGE)

    def _places_of(self, field: str) -> list[int]:
        """Give the groups that are a field, the best first."""
        places = [at for at, name in enumerate(self.names) if name == field]
        # An object that could not be read is the message, if nothing else is.
        return [*places, self.object_at] if field == MESSAGE and self.object_at >= 0 else places

    def digits_of(self, fraction: bytes) -> bytes:
        """Give the digits that the fraction of a message's time stands for."""
        convert = self._convert.get(FRACTION)
        return convert(fraction) if convert else fraction

    def put(self, values: Sequence[Values], start: int, cells: "Cells") -> None:
        """Put the values of groups into their columns, of a field's the first that there is."""
        groups = [*zip(*values, strict=True)]
        for field, (first, *others) in self._places.items():
            found = self._written(field, groups[first])
            for at in others:
                other = self._written(field, groups[at])
                found = [two if one is None else one for one, two in zip(found, other, strict=True)]
            if self._types[field] in NUMBERS:
                cells.put_json(field, found, start)
            else:
                cells.put_texts(field, found, start)

    def _written(self, field: str, group: Values) -> Values:
        """Give the values of a group; an empty one is none."""
        if convert := self._convert.get(field):
            return [convert(value) if value else None for value in cast("Sequence[bytes]", group)]
        return group if all(group) else [value or None for value in group]


class GatheredObjects:
    """Makes columns of objects that have the same names: first is the object, then its values."""

    def __init__(self, form: JsonForm, _picked: int, shown: Mapping[str, int]) -> None:
        self._places = {field: at for field, at in shown.items() if field != TIME}
        self._places[form.whole] = 0

    def put(self, values: Sequence[Values], start: int, cells: "Cells") -> None:
        """Put the values of members into their columns."""
        groups = [*zip(*values, strict=True)]
        for field, at in self._places.items():
            cells.put_json(field, groups[at], start)


class GatheredTexts:
    """Makes a column of messages that have no form: the message."""

    def put(self, values: Sequence[Values], start: int, cells: "Cells") -> None:
        """Put the texts into their column; an empty one is none."""
        cells.put_texts(MESSAGE, [text or None for (text,) in values], start)


class Cells:
    """What the columns of some rows are made of."""

    def __init__(self, columns: Mapping[str, LakeColumn], rows: int) -> None:
        """Take the columns by the fields that they are."""
        self.misfits = Misfits()
        self._columns = columns
        self._rows = rows
        self._cells: dict[str, list[Value]] = {}

    def put_said(self, said: Sequence[Said], start: int) -> None:
        """Put what messages have beside their own values, from a row on, before these are put."""
        for _, run in groupby(said, id):
            same = [*run]
            for field, value in same[0].items():
                column = self._columns[field]
                self._put(column, self._read(column, [value], start) * len(same), start)
            start += len(same)

    def put_texts(self, field: str, values: Values, start: int) -> None:
        """Put texts into a field's column, from a row on."""
        column = self._columns[field]
        if column.kind not in _TEXTS:
            values = [value if value is None else _as_json(value) for value in values]
        self._put(column, values, start)

    def put_json(self, field: str, values: Values, start: int) -> None:
        """Put values that are JSON into a field's column, from a row on."""
        column = self._columns[field]
        self._put(column, self._read(column, values, start), start)

    def arrays(self) -> dict[str, pyarrow.Array]:
        """Make the columns that have values; what does not fit is among the misfits."""
        columns = {column.name: column for column in self._columns.values()}
        return {name: self._array(columns[name], values) for name, values in self._cells.items()}

    def _put(self, column: LakeColumn, values: Values, start: int) -> None:
        cells = self._cells.get(column.name)
        if cells is None:
            cells = self._cells[column.name] = [None] * self._rows
        end = start + len(values)
        if None in values:
            before = cells[start:end]
            values = [old if new is None else new for old, new in zip(before, values, strict=True)]
        cells[start:end] = values

    def _read(self, column: LakeColumn, values: Values, start: int) -> list[Value]:
        """Read texts that are written as JSON, where the column holds such."""
        if column.kind not in _TEXTS:
            return [*values]
        written = cast("Sequence[bytes]", values)
        try:
            return [*_decode_texts(b"[%b]" % b",".join(written))]
        except msgspec.DecodeError:  # one is no string
            return [self._read_one(column, raw, at) for at, raw in enumerate(written, start)]

    def _read_one(self, column: LakeColumn, raw: bytes, row: int) -> Value:
        try:
            text: str = reader_of(column)(decode_scalar(raw))
        except ValueError:
            self.misfits.add(row, column, msgspec.Raw(raw))
            return None
        return text.encode("utf-8", "replace")  # half a surrogate is in no column

    def _array(self, column: LakeColumn, values: list[Value]) -> pyarrow.Array:
        if column.kind == "json":
            return texts(values)
        if column.kind not in _TEXTS:
            return self._numbers(column, values)
        try:
            found = texts(values)
        except pyarrow.ArrowInvalid:  # not all is UTF-8
            found = texts(
                [
                    one.decode("utf-8", "replace") if isinstance(one, bytes) else one
                    for one in values
                ]
            )
        return read_times(found, column, self.misfits) if column.kind == "time" else found

    def _numbers(self, column: LakeColumn, values: list[Value]) -> pyarrow.Array:
        """Make a column of numbers, or of what else is written as JSON writes it."""
        try:
            found = texts(values).cast(column.arrow_type())
        except pyarrow.ArrowInvalid:
            return self._read_one_by_one(column, values)
        if column.kind == "float" and not _are_exact(found):
            return self._read_one_by_one(column, values)
        return found

    def _read_one_by_one(self, column: LakeColumn, values: list[Value]) -> pyarrow.Array:
        read = reader_of(column)
        found: list[object] = [None] * len(values)
        for row, raw in enumerate(cast("Sequence[bytes]", values)):
            if raw is not None:
                try:
                    found[row] = read(decode_scalar(raw))
                except ValueError:
                    self.misfits.add(row, column, msgspec.Raw(raw))
        return pyarrow.array(found, column.arrow_type())


def _are_exact(numbers: pyarrow.Array) -> bool:
    largest = pyarrow.compute.max(pyarrow.compute.abs(numbers)).as_py()
    return largest is None or largest <= _EXACT


def _in_utf_8(value: Value) -> str | None:
    return value.decode("utf-8", "replace") if isinstance(value, bytes) else value


def _as_json(value: bytes | str) -> bytes:
    return msgspec.json.encode(_in_utf_8(value))
