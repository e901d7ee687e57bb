"""Objects that JSON records were decoded into as arrays: one for each column, those below it too.

An array costs as much as some ten values, so many objects are turned together.
"""

from bisect import bisect_right
from collections.abc import Iterable, Mapping, Sequence
from itertools import accumulate, chain
from typing import Any

import pyarrow
import pyarrow.compute

from servicelogs.lake.arrow_values import TIMES, texts
from servicelogs.lake.json_structs import ABSENT, Shape
from servicelogs.lake.json_values import (
    FIRST_TIME,
    LAST_TIME,
    MICROSECONDS,
    iso_microseconds,
    reader_of,
)
from servicelogs.lake.schema import LakeColumn, arrow_types

_TYPES: Mapping[Any, pyarrow.DataType] = arrow_types()
_UNREADABLE = (pyarrow.ArrowInvalid, pyarrow.ArrowTypeError, OverflowError)


class DoNotFit(Exception):
    """Some values do not fit their column."""

    def __init__(self, places: Iterable[int]) -> None:
        self.places = sorted(set(places))
        """Where they are among the values, or the objects that hold them."""


def arrays_of(shape: Shape, objects: Sequence[Any]) -> list[pyarrow.Array]:
    """Make the arrays of all columns; DoNotFit with the places of objects that do not fit them."""
    values = iter(shape.read(objects))
    return [
        _first_of([_array(column, next(values), shape.below.get(path)) for path in column.paths])
        for column in shape.columns
    ]


def _first_of(arrays: list[pyarrow.Array]) -> pyarrow.Array:
    """Join the arrays of names that share a column; DoNotFit where several have a value."""
    first = arrays[0]
    for other in arrays[1:]:
        if other.null_count == len(other):
            continue
        both = pyarrow.compute.and_(first.is_valid(), other.is_valid())
        if pyarrow.compute.any(both).as_py():
            raise DoNotFit(pyarrow.compute.indices_nonzero(both).to_pylist())
        first = pyarrow.compute.coalesce(first, other)
    return first


def _array(column: LakeColumn, values: list[Any], shape: Shape | None) -> pyarrow.Array:
    if not column.many:
        return _single(column, values, shape)
    absent = None in values
    lists = [value or () for value in values] if absent else values
    ends = [*accumulate(map(len, lists), initial=0)]
    try:
        items = _single(column, [*chain.from_iterable(lists)], shape)
    except DoNotFit as odd:
        raise DoNotFit(bisect_right(ends, place) - 1 for place in odd.places) from odd
    mask = pyarrow.array([value is None for value in values]) if absent else None
    return pyarrow.ListArray.from_arrays(pyarrow.array(ends, pyarrow.int32()), items, mask=mask)


def _single(column: LakeColumn, values: list[Any], shape: Shape | None) -> pyarrow.Array:
    if shape is not None:
        return _structs(values, shape)
    if column.kind == "json":
        return _json(values)
    if column.kind == "time":
        return _times(column, values)
    try:
        return pyarrow.array(values, _TYPES[column.kind])
    except _UNREADABLE:
        return pyarrow.array(_read(column, values), _TYPES[column.kind])


def _structs(values: list[Any], shape: Shape) -> pyarrow.Array:
    places = [place for place, value in enumerate(values) if value is not None]
    present = values if len(places) == len(values) else [values[place] for place in places]
    if not present:
        return pyarrow.nulls(len(values), shape.type)
    try:
        found = pyarrow.StructArray.from_arrays(arrays_of(shape, present), type=shape.type)
    except DoNotFit as odd:
        raise DoNotFit(places[place] for place in odd.places) from odd
    if len(present) == len(values):
        return found
    count = iter(range(len(present)))
    indices = [None if value is None else next(count) for value in values]
    return found.take(pyarrow.array(indices, pyarrow.int32()))


def _json(values: Iterable[Any]) -> pyarrow.Array:
    """Make an array of JSON texts."""
    return texts(
        [None if raw is ABSENT or (text := bytes(raw)) == b"null" else text for raw in values]
    )


def _times(column: LakeColumn, values: list[Any]) -> pyarrow.Array:
    scale = MICROSECONDS.get(column.date_format)
    if scale is None:
        try:
            return pyarrow.array([iso_microseconds[value] for value in values], TIMES)
        except ValueError:
            return pyarrow.array(map(iso_microseconds.__getitem__, _read(column, values)), TIMES)
    try:
        numbers = pyarrow.array(values, pyarrow.int64())
        bounds = pyarrow.compute.min_max(numbers)
        least, most = bounds["min"].as_py(), bounds["max"].as_py()
        if least is None or FIRST_TIME <= least * scale <= most * scale <= LAST_TIME:
            return pyarrow.compute.multiply(numbers, scale).cast(TIMES)
    except _UNREADABLE:
        pass
    read = _read(column, values)
    return pyarrow.array([value and value * scale for value in read], TIMES)


def _read(column: LakeColumn, values: Iterable[Any]) -> list[Any]:
    """Bring values into the form of their column, one by one; DoNotFit if some have none."""
    read = reader_of(column)
    found: list[Any] = []
    misfits = []
    for place, value in enumerate(values):
        try:
            found.append(None if value is None else read(value))
        except ValueError:
            misfits.append(place)
    if misfits:
        raise DoNotFit(misfits)
    return found
