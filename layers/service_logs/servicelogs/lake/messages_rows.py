"""Rows of messages: what each says is gathered with those that are read alike, and turned together.

No document is written on the way: values go from the groups of their form into columns.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import lru_cache
from typing import Any, NamedTuple, cast, override

import pyarrow

from servicelogs.dates import DatePolicy
from servicelogs.lake.arrow_values import event_times, texts
from servicelogs.lake.json_fitting import strict_json
from servicelogs.lake.messages_columns import (
    Cells,
    Gathered,
    GatheredObjects,
    GatheredTexts,
    GatheredWay,
    Said,
)
from servicelogs.lake.row_frame import RowFrame, RowFrames, batch_of
from servicelogs.lake.schema import (
    EVENT_TIME,
    EXTRA_FIELDS,
    arrow_schema,
    columns,
    frame_columns,
)
from servicelogs.parsing.cache import Cache
from servicelogs.parsing.format import Format
from servicelogs.parsing.messages.format import JsonForm, Kind, MessageFormat
from servicelogs.parsing.messages.joining import Message
from servicelogs.parsing.messages.objects import ObjectShape
from servicelogs.parsing.messages.parser import MessageParser
from servicelogs.parsing.messages.reading import (
    NO_HEAD,
    CompiledKind,
    Head,
    MessageReader,
    compile_kind,
    encoded,
    types_of,
)
from servicelogs.parsing.messages.times import times
from servicelogs.parsing.places import Place
from servicelogs.parsing.reader import Parser
from servicelogs.records import Source

ROWS = 2000
"""So many are turned at a time."""
_MOST_BYTES = 8 * 1024 * 1024
# Each holds what was compiled of a kind.
_MOST_KINDS = 64
_MOST_CONSTANTS = 4096

type Row = tuple[Sequence[bytes], int, bytes, RowFrame, Said]
"""A message's values, its number, its time, its frame, and what it has beside its values."""
type Compiled = CompiledKind[GatheredWay, GatheredObjects]


class _WithoutForm(NamedTuple):
    """What becomes of messages without a form: of whole ones, and of what goes on with others."""

    whole: GatheredTexts
    continuation: GatheredTexts


_WITHOUT_FORM = _WithoutForm(GatheredTexts(), GatheredTexts())


def gatherer(log_format: Format, dates: DatePolicy, default_place: Place) -> "MessageGatherer":
    """Give what gathers the rows of a format of messages."""
    return MessageGatherer(cast("MessageFormat", log_format), dates, default_place)


class MessageGatherer:
    """Gathers the rows of a format of messages."""

    def __init__(self, log_format: MessageFormat, dates: DatePolicy, default_place: Place) -> None:
        self.misfits: Counter[str] = Counter()
        self.rows: defaultdict[Gathered, list[Row]] = defaultdict(list)
        """The messages that are read alike."""
        self._format = log_format
        self._dates = dates
        self._default_place = default_place
        self._schema = arrow_schema(log_format)
        of_frame = {*frame_columns(log_format).values()}
        own = (column for column in columns(log_format) if column.name not in of_frame)
        self._columns = {field: column for column in own for field in column.paths}
        self._gathered = self._bytes = 0

    def parser_of(self, source: Source) -> Parser:
        """Give what gathers the messages of a source."""
        frames = RowFrames(self._format, source, self._dates, self._default_place)
        origin = self._format.origin(source)
        kind = _compiled(self._format, origin.kind or self._format.any_kind)
        return MessageParser(kind.joiner, MessageRows(kind, origin.fields, frames, self))

    def count(self, rows: int, size: int) -> None:
        """Count rows that were gathered of so many bytes."""
        self._gathered += rows
        self._bytes += size

    def batches(self) -> Iterator[pyarrow.RecordBatch]:
        """Turn the rows, if there are enough."""
        if self._gathered >= ROWS or self._bytes > _MOST_BYTES:
            yield from self.finish()

    def finish(self) -> Iterator[pyarrow.RecordBatch]:
        """Turn all rows."""
        if self._gathered:
            rows, self.rows = self.rows, defaultdict(list)
            self._gathered = self._bytes = 0
            yield self._batch(rows)

    def _batch(self, gathered: Mapping[Gathered, Sequence[Row]]) -> pyarrow.RecordBatch:
        cells = Cells(self._columns, sum(map(len, gathered.values())))
        numbers: list[int] = []
        said_times: list[bytes] = []
        frames: list[RowFrame] = []
        continues: list[bool | None] = []
        for alike, rows in gathered.items():
            values, of_rows, their_times, their_frames, said = zip(*rows, strict=True)
            cells.put_said(said, len(numbers))
            alike.put(values, len(numbers), cells)
            numbers += of_rows
            said_times += their_times
            frames += their_frames
            continues += [alike is _WITHOUT_FORM.continuation or None] * len(rows)
        found = cells.arrays()
        self.misfits += cells.misfits.counts
        found[EVENT_TIME] = event_times(texts(said_times))
        found["log_record"] = pyarrow.array(numbers, pyarrow.int64())
        found["log_continuation"] = pyarrow.array(continues, pyarrow.bool_())
        found[EXTRA_FIELDS] = cells.misfits.extra_fields(len(numbers))
        return batch_of(self._schema, frames, found)


class MessageRows(MessageReader[GatheredWay, GatheredObjects, RowFrame]):
    """The rows of one source's messages."""

    def __init__(
        self,
        kind: Compiled,
        fields: Mapping[str, str],
        frames: RowFrames,
        gatherer: MessageGatherer,
    ) -> None:
        super().__init__(kind, fields, frames.source, frames.of_hour)
        self._gatherer = gatherer
        self._said = encoded(fields)
        self._said_with: Cache[GatheredWay | JsonForm, Said] = Cache(
            lambda read: {**self._said, **encoded(read.constants)}, _MOST_CONSTANTS
        )

    @override
    def write(self, messages: Iterable[Message]) -> None:
        """Gather messages.

        Written for the machine: what is asked of each is asked in place, without a call.
        """
        forms, members = self._kind.forms, self._kind.members
        match_forms, plans = forms.match, forms.plans
        frames, dated_by = self._frames, self._records.hour
        rows, said_with, time_of = self._gatherer.rows, self._said_with, self._time_of
        gathered = expired = 0
        before = self._documents
        odd_ones = (ValueError, OverflowError)
        for message in messages if members is None else self._texts(messages, members):
            number, _, text, continues = message
            match = None if continues else match_forms(text)
            if match is None:
                self._add_without_form(message)
                continue
            way = plans[match.lastindex]
            values = match.group(*way.groups)
            if way.object_at >= 0 and self._write_ending(members, message, way, values):
                continue
            try:
                if (at := way.time_at) >= 0 and values[at]:
                    hour, time = times[values[at]]
                else:
                    hour, time = time_of(way, values, number)
                frame = frames[hour if dated_by is None else dated_by]
            except odd_ones:
                self._add_without_form(message)
                continue
            if frame is None:
                expired += 1
                continue
            for at in way.fractions_at:
                if values[at]:
                    time = b"%b.%b" % (time, way.digits_of(values[at]))
                    break
            rows[way].append((values, number, time, frame, said_with[way]))
            gathered += 1
        self._documents += gathered
        self._expired += expired
        self._gatherer.count(self._documents - before, sum(map(len, self._records.items)))

    @override
    def add_object(
        self,
        message: Message,
        text: bytes,
        time: bytes,
        frame: RowFrame,
        shape: ObjectShape[GatheredObjects],
        values: list[bytes],
        head: Head,
        changes: Sequence[bytes],
    ) -> None:
        said = self._said_with[shape.form] if head is NO_HEAD else self._said_before(head, shape)
        values[0] = text
        self._gatherer.rows[shape.plan].append((values, message[0], time, frame, said))

    @staticmethod
    @override
    def may_go_through(text: bytes) -> bool:
        return True

    @override
    def fitting(self, text: bytes, record: dict[str, Any], form: JsonForm) -> list[bytes]:
        return [strict_json(text, record)]

    def _add_without_form(self, message: Message) -> None:
        """Gather a message that has no form, with its time as its source says it."""
        number, _, text, continues = message
        hour, time = self._time_of_source(number)
        frame = self._frame(hour)
        if frame is not None:
            alike = _WITHOUT_FORM.continuation if continues else _WITHOUT_FORM.whole
            self._gatherer.rows[alike].append(((text,), number, time, frame, self._said))
            self._documents += 1


@lru_cache(_MOST_KINDS)
def _compiled(log_format: MessageFormat, kind: Kind) -> Compiled:
    """Compile a kind for rows, once in a process."""
    types = types_of(log_format)
    return compile_kind(kind, lambda way: GatheredWay(way, types), GatheredObjects)
