"""The frame around every row: where it comes from, and the partition that it belongs to.

All of the frame but the record's number and its exact time is the same for the records of one
source, day and place: it is made once for them, and consecutive rows that share it are counted.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import accumulate, groupby
from types import MappingProxyType
from typing import override

import pyarrow
import pyarrow.compute

from servicelogs.dates import DatePolicy, dating_moment
from servicelogs.lake.row_place import row_place
from servicelogs.lake.schema import PARTITION
from servicelogs.parsing.cache import Cache
from servicelogs.parsing.format import Format
from servicelogs.parsing.places import Place
from servicelogs.parsing.source_frames import SourceFrames
from servicelogs.records import Source

_MOST_FRAMES = 10_000


@dataclass(frozen=True, slots=True, eq=False)
class RowFrame:
    """What the rows of one source, day and place share."""

    source: Source
    account_id: str
    region: str
    event_day: str
    date_adjusted: bool


class RowFrames(SourceFrames[str, RowFrame]):
    """The frames of one source's rows, by the hour (from 1970) that dates them."""

    def __init__(
        self, log_format: Format, source: Source, dates: DatePolicy, default_place: Place
    ) -> None:
        """Take the default place for records of which neither source nor record names one."""
        super().__init__(log_format, source)
        self._format = log_format
        self._dates = dates
        self._by_delivery = log_format.is_snapshot(source)
        self._default = default_place
        # Frames of a day are one object, so that its rows are counted together.
        self._frames = Cache(self._frame, _MOST_FRAMES)

    @override
    def make(self, hour: int, values: tuple[str, ...]) -> RowFrame | None:
        source = self.source
        moment = dating_moment(hour, source)
        date = self._dates.date(moment, source, by_delivery=self._by_delivery)
        if date is None:
            return None
        place = row_place(self._format, source, values, self._default)
        return self._frames[*place, date.moment.date().isoformat(), date.adjusted]

    def _frame(self, of: tuple[str, str, str, bool]) -> RowFrame:
        return RowFrame(self.source, *of)


def batch_of(
    schema: pyarrow.Schema, frames: Sequence[RowFrame], own: Mapping[str, pyarrow.Array]
) -> pyarrow.RecordBatch:
    """Join the rows' own columns with those of their frames; what is in neither is null.

    The partition's columns stand behind those of the schema.
    """
    found = {**own, **_FrameRuns(frames).columns(schema.names)}
    missing = [field for field in schema if field.name not in found]
    found |= {field.name: pyarrow.nulls(len(frames), field.type) for field in missing}
    names = [*schema.names, *PARTITION]
    return pyarrow.RecordBatch.from_arrays([found[name] for name in names], names)


class _FrameRuns:
    """The frames of rows: one after the other, each with how many rows have it."""

    def __init__(self, frames: Sequence[RowFrame]) -> None:
        self._frames, self._rows = [frames[0]], [len(frames)]
        if frames.count(frames[0]) < len(frames):  # nearly always all have the same
            runs = [(frame, len([*same])) for frame, same in groupby(frames)]
            self._frames, self._rows = [frame for frame, _ in runs], [rows for _, rows in runs]

    def columns(self, names: Iterable[str]) -> dict[str, pyarrow.Array]:
        """Make those of these columns that are the frame's, and the partition's columns."""
        wanted = [name for name in names if name in _COLUMNS]
        found = {name: self._column(*_COLUMNS[name]) for name in wanted}
        return found | {name: self._partition_column(name) for name in PARTITION}

    def _column(
        self, type_: pyarrow.DataType, value_of: Callable[[RowFrame], str | bool | None]
    ) -> pyarrow.Array:
        return self._repeated(pyarrow.array(map(value_of, self._frames), type_))

    def _partition_column(self, name: str) -> pyarrow.Array:
        """Make a column of a dictionary: few values, each of which is there once."""
        values = [getattr(frame, name) for frame in self._frames]
        places = {value: place for place, value in enumerate(dict.fromkeys(values))}
        indices = pyarrow.array([places[value] for value in values], pyarrow.int32())
        return pyarrow.DictionaryArray.from_arrays(self._repeated(indices), [*places])

    def _repeated(self, values: pyarrow.Array) -> pyarrow.Array:
        """Give each frame's value once for each of its rows."""
        ends = pyarrow.array(accumulate(self._rows), pyarrow.int32())
        runs = pyarrow.RunEndEncodedArray.from_arrays(ends, values)
        return pyarrow.compute.run_end_decode(runs)


_COLUMNS: Mapping[str, tuple[pyarrow.DataType, Callable[[RowFrame], str | bool | None]]] = (
    MappingProxyType(
        {
            "log_source": (pyarrow.string(), lambda frame: frame.source.uri),
            "log_group": (pyarrow.string(), lambda frame: frame.source.log_group or None),
            "log_stream": (pyarrow.string(), lambda frame: frame.source.log_stream or None),
            "log_extracted_fields": (
                pyarrow.string(),
                lambda frame: frame.source.extracted_fields or None,
            ),
            "date_adjusted": (pyarrow.bool_(), lambda frame: frame.date_adjusted or None),
        }
    )
)
