"""Rows of JSON records: what they are decoded into is gathered, and turned some thousand at a time.

The decoder that proves where records end makes what the columns are made of: each record is decoded
once. Only one that does not fit is decoded again, alone, and made to fit (json_fitting.py).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from functools import lru_cache
from operator import attrgetter
from typing import Any, cast

import msgspec
import pyarrow

from servicelogs.dates import DatePolicy
from servicelogs.lake.arrow_values import TEXT, TIMES, texts
from servicelogs.lake.json_arrays import DoNotFit, arrays_of
from servicelogs.lake.json_fitting import fit, strict_json
from servicelogs.lake.json_promoted import MakePromoted, promoted_column
from servicelogs.lake.json_structs import Shape, Structs
from servicelogs.lake.json_values import LAST_TIME, iso_times
from servicelogs.lake.row_frame import RowFrame, RowFrames, batch_of
from servicelogs.lake.schema import (
    EVENT_TIME,
    EXTRA_FIELDS,
    arrow_schema,
    columns,
    frame_columns,
)
from servicelogs.parsing.encoder import Encoder
from servicelogs.parsing.format import Format
from servicelogs.parsing.frame import PROMOTED
from servicelogs.parsing.framing import MAX_RECORD_BYTES
from servicelogs.parsing.json.format import JsonFormat
from servicelogs.parsing.json.parser import JsonParser
from servicelogs.parsing.json.proof import decode_compact, decoded_items
from servicelogs.parsing.json.values import decode, promoted_of, strings_at, time_in
from servicelogs.parsing.places import Place
from servicelogs.parsing.reader import Parser
from servicelogs.records import Source

ROWS = 2000
"""So many are turned at a time: an array costs as much as some ten values."""
_MOST_BYTES = 16 * 1024 * 1024
_MILLISECONDS_OF_HOUR = 3_600_000
_MOST_FORMATS = 64


def gatherer(log_format: Format, dates: DatePolicy, default_place: Place) -> JsonGatherer:
    """Give what gathers the rows of a JSON format."""
    return JsonGatherer(cast("JsonFormat", log_format), dates, default_place)


class Compiled:
    """What is made of a format's declaration, and what is learned of its records."""

    def __init__(self, log_format: JsonFormat) -> None:
        all_columns = columns(log_format)
        frame = {*frame_columns(log_format).values()}
        own = [column for column in all_columns if column.name not in frame]
        self.columns = [column for column in own if column.paths != (PROMOTED,)]
        self.structs = Structs(self.columns)
        self.promoted: MakePromoted | None = None
        for column in own:
            if column.paths == (PROMOTED,):
                self.promoted = promoted_column(log_format, column)
        self.schema = arrow_schema(log_format)


compiled = lru_cache(_MOST_FORMATS)(Compiled)


class Rows:
    """Gathered rows of one shape."""

    def __init__(self, shape: Shape) -> None:
        self.shape = shape
        self.objects: list[Any] = []
        self.items: list[bytes] = []
        """The records as they were cut."""
        self.numbers: list[int] = []
        self.times: list[int] = []
        """The microsecond of each."""
        self.frames: list[RowFrame] = []
        self.extra: dict[int, bytes] = {}
        """What was left over where a record was made to fit, by the place of its row."""
        self.promoted: dict[int, dict[str, str]] = {}
        """What such a record has of promoted values: made to fit, it would have others."""
        self.bytes = 0
        """About how long the records are together."""

    def add(self, members: Any, item: bytes, number: int, time: int, frame: RowFrame) -> None:
        """Gather a row."""
        self.objects.append(members)
        self.items.append(item)
        self.numbers.append(number)
        self.times.append(time)
        self.frames.append(frame)


class JsonGatherer:
    """Gathers the rows of a JSON format."""

    def __init__(self, log_format: JsonFormat, dates: DatePolicy, default_place: Place) -> None:
        self.misfits: Counter[str] = Counter()
        self.compiled = compiled(log_format)
        self._format = log_format
        self._dates = dates
        self._default_place = default_place
        self._rows = Rows(self.compiled.structs.shape)
        self._turned: list[pyarrow.RecordBatch] = []

    def parser_of(self, source: Source) -> Parser:
        """Give what gathers the records of a source."""
        frames = RowFrames(self._format, source, self._dates, self._default_place)
        return JsonParser(self._format, JsonRows(self._format, frames, self))

    def batches(self) -> Iterator[pyarrow.RecordBatch]:
        """Turn the rows, if there are enough."""
        if len(self._rows.objects) >= ROWS or self._rows.bytes >= _MOST_BYTES:
            self._turn()
        return self._emptied()

    def finish(self) -> Iterator[pyarrow.RecordBatch]:
        """Turn all rows."""
        self._turn()
        return self._emptied()

    def rows(self) -> Rows:
        """Give where rows are gathered that are of the shape which is known by now."""
        if self._rows.shape is not self.compiled.structs.shape:
            self._turn()
        return self._rows

    def _emptied(self) -> Iterator[pyarrow.RecordBatch]:
        turned, self._turned = self._turned, []
        return iter(turned)

    def _turn(self) -> None:
        rows, self._rows = self._rows, Rows(self.compiled.structs.shape)
        if rows.objects:
            self._turned.append(self._batch(rows))

    def _batch(self, rows: Rows) -> pyarrow.RecordBatch:
        own = self._arrays(rows)
        found = {
            column.name: array for column, array in zip(self.compiled.columns, own, strict=True)
        }
        if self.compiled.promoted:
            found[PROMOTED] = self.compiled.promoted(rows.shape, rows.objects, rows.promoted)
        found[EVENT_TIME] = pyarrow.array(rows.times, TIMES)
        found["log_record"] = pyarrow.array(rows.numbers, pyarrow.int64())
        found[EXTRA_FIELDS] = _extra_fields(rows)
        return batch_of(self.compiled.schema, rows.frames, found)

    def _arrays(self, rows: Rows) -> list[pyarrow.Array]:
        """Make the arrays of the record's own columns; records that do not fit are made to."""
        while True:
            try:
                return arrays_of(rows.shape, rows.objects)
            except DoNotFit as odd:
                for row in odd.places:
                    record, rows.items[row] = rows.items[row], b""  # none is made to fit twice
                    rows.objects[row] = self.fit(record, rows, row)

    def fit(self, record: bytes, rows: Rows, row: int) -> Any:
        """Decode a record, an object in strict JSON, as far as it fits; its row keeps the rest."""
        fitted = fit(record, self.compiled.columns)
        members = msgspec.json.decode(fitted.members, type=rows.shape.struct)
        if fitted.extra:
            rows.extra[row] = fitted.extra
        self.misfits += fitted.misfits
        if self.compiled.promoted:
            rows.promoted[row] = promoted_of(decode(record), self._format)
        return members


def _extra_fields(rows: Rows) -> pyarrow.Array:
    if rows.shape.has_extra:
        unknown = [*map(rows.shape.extra_of, rows.objects)]
        found = [members and msgspec.json.encode(members) for members in unknown]
    elif rows.extra:
        found = [None] * len(rows.objects)
    else:
        return pyarrow.nulls(len(rows.objects), TEXT)
    for place, text in rows.extra.items():
        found[place] = text  # what was made to fit has nothing else that is unknown
    return texts(found)


class JsonRows(Encoder):
    """The rows of one source's records."""

    def __init__(self, log_format: JsonFormat, frames: RowFrames, gatherer: JsonGatherer) -> None:
        super().__init__(frames.source)
        self.decoder = gatherer.compiled.structs
        self._format = log_format
        self._frames = frames
        self._gatherer = gatherer
        self._compiled = gatherer.compiled

    def take(self) -> Iterator[int]:
        """Gather the records that fit; give the numbers of others.

        Written for the machine: what is asked of each record is asked in place, without a call.
        """
        items, objects = self._decoded()
        rows = self._gatherer.rows()
        rows.bytes += sum(map(len, items))
        shape, milliseconds = rows.shape, self._format.in_milliseconds
        time_of = attrgetter(shape.slots[self._format.times[0]])
        frames, dated_by = self._frames.of_hour, self._records.hour
        frames_of_place, by_record = self._frames.of_place, self._frames.by_record
        place = _places(shape, self._format) if by_record else None
        taken = expired = 0
        for number, item, members in zip(
            self._records.numbers()[self._skipped :], items, objects, strict=True
        ):
            if members is None or len(item) > MAX_RECORD_BYTES:
                yield number
                continue
            time = time_of(members)
            try:
                if not milliseconds:
                    hour, microseconds = iso_times[time]
                elif type(time) is int and 0 <= time * 1000 <= LAST_TIME:
                    hour, microseconds = time // _MILLISECONDS_OF_HOUR, time * 1000
                else:
                    yield number
                    continue
            except (ValueError, TypeError):
                yield number
                continue
            hour = hour if dated_by is None else dated_by
            frame = frames_of_place[hour, place(members)] if place else frames[hour]
            if frame is None:
                expired += 1
                continue
            rows.add(members, item, number, microseconds, frame)
            taken += 1
        self._documents += taken
        self._expired += expired

    def write(self, number: int, record: dict[str, Any]) -> None:
        """Gather a decoded record, as far as it fits."""
        log_format, frames = self._format, self._frames
        hour, microseconds = iso_times[time_in(record, log_format, self._records.time(number))]
        if self._records.hour is not None:
            hour = self._records.hour
        item = strict_json(self._records.raw(number), record)
        if frames.by_record:
            frame = frames.of_place[hour, tuple(strings_at(record, log_format.places))]
        else:
            frame = frames.of_hour[hour]
        if frame is None:
            self._expired += 1
            return
        rows = self._gatherer.rows()
        members = self._gatherer.fit(item, rows, len(rows.objects))
        rows.add(members, b"", number, microseconds, frame)
        self._documents += 1

    def _decoded(self) -> tuple[list[bytes], list[Any]]:
        """Give the records that are not skipped, each decoded; None if it does not fit."""
        items, decoded = decoded_items(self._records, self._skipped, self.decoder)
        objects = [*decoded]
        structs = self._compiled.structs
        while {*map(type, objects)} - {structs.shape.struct}:
            struct = structs.shape.struct
            for place, members in enumerate(objects):
                if type(members) is not struct:
                    items[place], objects[place] = decode_compact(items[place], structs)
                    if objects[place] is None and structs.learn(items[place]):
                        items[place], objects[place] = decode_compact(items[place], structs)
            if structs.shape.struct is struct:  # what one record teaches changes the type of all
                break
        return items, objects


def _places(shape: Shape, log_format: JsonFormat) -> Callable[[Any], tuple[str, ...]]:
    """Give what reads the values of a record's own members that name account and Region."""
    slots = [shape.slots[name] for name in log_format.places if name in shape.slots]
    return lambda members: tuple([str(getattr(members, slot)) for slot in slots])
