"""Clean lines that a lane has read, on their way to rows: when each happened, and its frame.

What depends on the hour, the account or the Region of a line is made once for all that have them,
by what makes it for the lines that patterns take.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy
import pyarrow
import pyarrow.compute
from numpy.typing import NDArray

from servicelogs.lake.arrow_values import event_times, texts
from servicelogs.lake.row_frame import RowFrame, RowFrames
from servicelogs.lake.text_columns import Values
from servicelogs.lake.text_lane import Lane, Places

NOT_TAKEN, EXPIRED = -1, -2
"""Stand for the frame of a line whose time does not exist, and of one that is left out."""


class Dating(NamedTuple):
    """What says when lines happened, and finds their frames."""

    times: Mapping[bytes, tuple[int, bytes]]
    """From what a line says of its hour to that (from 1970), and to its time up to the rest."""
    dated_by: int | None
    """The hour that dates them, whatever they say; None: each has its own."""
    frames: RowFrames

    def moment(self, said: bytes) -> tuple[int, bytes] | None:
        """Give the hour that dates lines, and their time up to the rest; None: there is none."""
        try:
            hour, time = self.times[said]
        except (ValueError, OverflowError):
            return None
        return hour if self.dated_by is None else self.dated_by, time


@dataclass(frozen=True, slots=True)
class CleanRows:
    """What rows of clean lines are made of."""

    lane: Lane
    values: Values
    places: Places
    times: pyarrow.Array
    frames: Sequence[RowFrame]


class CleanLines:
    """Clean lines of one block."""

    def __init__(
        self,
        lane: Lane,
        lines: pyarrow.BinaryArray,
        places: Places,
        dating: Dating,
    ) -> None:
        """Read lines whose places in the block these are."""
        self._lane, self._places = lane, places
        self._values = lane.values(lines)
        said, self._rest = lane.said(self._values, len(places))
        self._said = _Words.of(said)
        convert = lane.times[0].hour.convert or bytes
        self._moments = [dating.moment(convert(text)) for text in self._said.distinct]
        self._frames: dict[RowFrame, int] = {}
        find = self._by_place if dating.frames.by_record else self._by_hour
        self._frame_of = find(dating.frames)
        """The place of each line's frame, or why it has none."""

    @property
    def not_taken(self) -> Places:
        """The places of the lines that only patterns can judge: their time does not exist."""
        places: Places = self._places[self._frame_of == NOT_TAKEN]
        return places

    def rows(self, end: int) -> tuple[CleanRows | None, int]:
        """Give the rows of the lines in front of a place, and how many have expired."""
        before = self._places < end
        expired = numpy.count_nonzero(before & (self._frame_of == EXPIRED))
        taken = before & (self._frame_of >= 0)
        if not taken.any():
            return None, int(expired)
        values, places, rest, said = self._values, self._places, self._rest, self._said.of_line
        if not taken.all():
            which = pyarrow.array(taken)
            values = [None if one is None else one.filter(which) for one in values]
            places, rest, said = places[taken], rest.filter(which), said[taken]
        frames = [*self._frames] * len(places)
        if len(self._frames) > 1:
            frames = [frames[at] for at in self._frame_of[taken]]
        return CleanRows(self._lane, values, places, self._times(said, rest), frames), int(expired)

    def _times(self, said: NDArray[Any], rest: pyarrow.Array) -> pyarrow.Array:
        up_to_rest = texts([None if one is None else one[1] for one in self._moments])
        of_line = pyarrow.array(said)
        if rest.null_count == len(rest):
            return event_times(up_to_rest).take(of_line)
        return event_times(
            pyarrow.compute.binary_join_element_wise(
                up_to_rest.take(of_line), rest, "", null_handling="replace"
            )
        )

    def _by_hour(self, frames: RowFrames) -> NDArray[Any]:
        found = [
            NOT_TAKEN if one is None else self._place(frames.of_hour[one[0]])
            for one in self._moments
        ]
        of_line: NDArray[Any] = numpy.array([*found, NOT_TAKEN])[self._said.of_line]
        return of_line

    def _by_place(self, frames: RowFrames) -> NDArray[Any]:
        """Ask once for all lines of one hour whose values name the same account and Region."""
        hours = [*dict.fromkeys(one[0] for one in self._moments if one)]
        of_moment = [-1 if one is None else hours.index(one[0]) for one in self._moments]
        hour_of = numpy.array([*of_moment, -1])[self._said.of_line]
        columns = (self._values[at] for at in self._lane.places)
        words = [_Words.of(one.dictionary_encode()) for one in columns if one is not None]
        key = hour_of
        for of in words:
            key = key * (len(of.distinct) + 1) + of.of_line + 1
        _, firsts, of_line = numpy.unique(key, return_index=True, return_inverse=True)
        found = []
        for first in firsts:
            if hour_of[first] < 0:
                found.append(NOT_TAKEN)
                continue
            named = (of.distinct[of.of_line[first]] for of in words if of.of_line[first] >= 0)
            frame = frames.of_place[hours[hour_of[first]], tuple(map(bytes.decode, named))]
            found.append(self._place(frame))
        frame_of: NDArray[Any] = numpy.array(found)[of_line]
        return frame_of

    def _place(self, frame: RowFrame | None) -> int:
        return EXPIRED if frame is None else self._frames.setdefault(frame, len(self._frames))


class _Words(NamedTuple):
    """The distinct values of a column, and the place of each line's among them; -1: it has none."""

    distinct: list[bytes]
    of_line: NDArray[Any]

    @classmethod
    def of(cls, values: pyarrow.DictionaryArray) -> "_Words":
        texts_ = values.dictionary.cast(pyarrow.string()).cast(pyarrow.binary())
        return cls(texts_.to_pylist(), numpy.asarray(values.indices.fill_null(-1)))
