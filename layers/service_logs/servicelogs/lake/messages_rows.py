"""Rows of messages: each is written as JSON, as for every engine, and made to fit its columns."""

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import lru_cache
from operator import attrgetter
from types import MappingProxyType
from typing import Annotated, Any, NamedTuple, cast, override

import msgspec
import pyarrow

from servicelogs.dates import DatePolicy
from servicelogs.lake.arrow_values import event_times, texts
from servicelogs.lake.json_fitting import fit, strict_json
from servicelogs.lake.json_values import iso_microseconds
from servicelogs.lake.row_frame import RowFrame, RowFrames, batch_of
from servicelogs.lake.schema import (
    EVENT_TIME,
    EXTRA_FIELDS,
    Kind,
    LakeColumn,
    arrow_schema,
    columns,
    frame_columns,
)
from servicelogs.parsing.cache import Cache
from servicelogs.parsing.format import Format
from servicelogs.parsing.messages import format as messages
from servicelogs.parsing.messages.format import JsonForm, MessageFormat
from servicelogs.parsing.messages.parser import MessageParser
from servicelogs.parsing.messages.printing import PrintedMessages, Printers, printers_of
from servicelogs.parsing.places import Place
from servicelogs.parsing.reader import Parser
from servicelogs.records import Block, Reject, Source

ROWS = 2000
"""So many are turned at a time."""
_MOST_BYTES = 8 * 1024 * 1024
_MOST_HOURS = 10_000
# Each holds what was compiled of a kind.
_MOST_KINDS = 64

_members_of = msgspec.json.Decoder(dict[str, msgspec.Raw]).decode
_NULL = msgspec.Raw(b"null")
_LONG = 2**63
_INTEGER = 2**31
_OF_FRAME = ("frame", "log", "@timestamp")
_EXACT = 2**53
"""Doubles hold all whole numbers up to this one."""
_TYPES: Mapping[Kind, Any] = MappingProxyType(
    {
        "text": str,
        "integer": Annotated[int, msgspec.Meta(ge=-_INTEGER, le=_INTEGER - 1)],
        "long": Annotated[int, msgspec.Meta(ge=-_LONG, le=_LONG - 1)],
        "float": int | float,
        "boolean": bool,
        "time": str,
    }
)
"""What nearly all values of columns are, each as JSON has it."""


class _Log(msgspec.Struct):
    record: int
    continuation: bool | None = None


class _Line(msgspec.Struct, forbid_unknown_fields=True):
    """A message written as JSON; a class made of it has its columns too, by their places."""

    frame: int
    log: _Log
    time: str = msgspec.field(name="@timestamp")


class _Around(NamedTuple):
    """What a line begins with says which frame its row has, and what number."""

    own_action: bytes
    head: bytes


class _Row(NamedTuple):
    line: Any
    extra: bytes | None
    frame: RowFrame


def gatherer(log_format: Format, dates: DatePolicy, default_place: Place) -> "MessageGatherer":
    """Give what gathers the rows of a format of messages."""
    return MessageGatherer(cast("MessageFormat", log_format), dates, default_place)


class Lines:
    """Decodes the messages of a format, written as JSON, into what its columns hold."""

    def __init__(self, log_format: MessageFormat) -> None:
        of_frame = {*frame_columns(log_format).values()}
        self.columns = [one for one in columns(log_format) if one.name not in of_frame]
        fields = [(f"c{at}", *_field(one)) for at, one in enumerate(self.columns)]
        line = msgspec.defstruct("Line", fields, bases=(_Line,), forbid_unknown_fields=True)
        self._decode = msgspec.json.Decoder(line).decode
        kinds = {name: one.kind for (name, *_), one in zip(fields, self.columns, strict=True)}
        self.values_of = attrgetter(*kinds)
        """Gives the values of all columns."""
        self._times = [name for name, kind in kinds.items() if kind == "time"]
        self._floats = [name for name, kind in kinds.items() if kind == "float"]

    def decode(self, text: bytes, misfits: Counter[str]) -> tuple[Any, bytes | None]:
        """Give a line, and what of it becomes `extra_fields`."""
        try:
            line = self._decode(text)
            if self._fits(line):
                return line, None
        except msgspec.DecodeError:
            pass
        members = _members_of(text)
        frame = {name: members.pop(name) for name in _OF_FRAME}
        fitted = fit(msgspec.json.encode(members), self.columns)
        misfits.update(fitted.misfits)
        line = self._decode(msgspec.json.encode(frame | _members_of(fitted.members)))
        return line, fitted.extra

    def _fits(self, line: Any) -> bool:
        """Say whether times are such, and doubles hold all numbers that they have to."""
        try:
            for name in self._times:
                iso_microseconds[getattr(line, name)]
        except ValueError:
            return False
        return all(abs(getattr(line, name) or 0) <= _EXACT for name in self._floats)


class MessageGatherer:
    """Gathers the rows of a format of messages."""

    def __init__(self, log_format: MessageFormat, dates: DatePolicy, default_place: Place) -> None:
        self.misfits: Counter[str] = Counter()
        self._format = log_format
        self._dates = dates
        self._default_place = default_place
        self._schema = arrow_schema(log_format)
        self._lines = lines_of(log_format)
        self._rows: list[_Row] = []
        self._bytes = 0

    def parser_of(self, source: Source) -> Parser:
        """Give what gathers the messages of a source."""
        frames = RowFrames(self._format, source, self._dates, self._default_place)
        origin = self._format.origin(source)
        printers = _printers(self._format, origin.kind or self._format.any_kind)
        return MessageParser(printers.joiner, MessageRows(printers, origin.fields, frames, self))

    def add(self, line: bytes, frames: Sequence[RowFrame]) -> None:
        """Gather the row of a message written as JSON, which has one of these frames."""
        members, extra = self._lines.decode(line, self.misfits)
        self._rows.append(_Row(members, extra, frames[members.frame]))
        self._bytes += len(line)

    def batches(self) -> Iterator[pyarrow.RecordBatch]:
        """Turn the rows, if there are enough."""
        if len(self._rows) >= ROWS or self._bytes > _MOST_BYTES:
            yield from self.finish()

    def finish(self) -> Iterator[pyarrow.RecordBatch]:
        """Turn all rows."""
        rows, self._rows, self._bytes = self._rows, [], 0
        if rows:
            yield self._batch(rows)

    def _batch(self, rows: Sequence[_Row]) -> pyarrow.RecordBatch:
        lines, extra, frames = zip(*rows, strict=True)
        turned = zip(*map(self._lines.values_of, lines), strict=True)
        own = zip(self._lines.columns, turned, strict=True)
        found = {column.name: _array(column, values) for column, values in own}
        found[EVENT_TIME] = event_times(texts([line.time[:-1].encode() for line in lines]))
        found["log_record"] = pyarrow.array([line.log.record for line in lines], pyarrow.int64())
        found["log_continuation"] = pyarrow.array(
            [line.log.continuation for line in lines], pyarrow.bool_()
        )
        found[EXTRA_FIELDS] = texts(extra)
        return batch_of(self._schema, frames, found)


class MessageRows(PrintedMessages):
    """The rows of one source's messages."""

    def __init__(
        self,
        printers: Printers,
        fields: Mapping[str, str],
        frames: RowFrames,
        gatherer: MessageGatherer,
    ) -> None:
        around: Cache[int, _Around | None] = Cache(self._around, _MOST_HOURS)
        super().__init__(printers, fields, frames.source, around)
        self._of_hour = frames.of_hour
        self._numbered: dict[RowFrame, int] = {}
        self._gatherer = gatherer

    def _around(self, hour: int) -> _Around | None:
        frame = self._of_hour[hour]
        if frame is None:
            return None
        number = self._numbered.setdefault(frame, len(self._numbered))
        return _Around(b"", b'{"frame":%d,"log":{"record":' % number)

    @override
    def finish(self, rejects: list[Reject], raw: Callable[[int], bytes] | None = None) -> Block:
        block = super().finish(rejects, raw)
        frames = [*self._numbered]
        # Before each line of a record stands one with its key.
        for line in block.body.split(b"\n")[1::2]:
            self._gatherer.add(bytes(line), frames)
        block.body = b""
        return block

    @staticmethod
    @override
    def may_go_through(text: bytes) -> bool:
        return True

    @override
    def fitting(self, text: bytes, record: dict[str, Any], form: JsonForm) -> list[bytes]:
        return [strict_json(text, record)]


@lru_cache(_MOST_KINDS)
def _printers(log_format: MessageFormat, kind: messages.Kind) -> Printers:
    return printers_of(kind, log_format)


def _field(column: LakeColumn) -> tuple[Any, Any]:
    """Give the type and the default of a member."""
    name = column.paths[0]
    if column.kind is None or column.kind == "json":
        return msgspec.Raw, msgspec.field(default=_NULL, name=name)
    return _TYPES[column.kind] | None, msgspec.field(default=None, name=name)


@lru_cache(_MOST_KINDS)
def lines_of(log_format: MessageFormat) -> Lines:
    """Give what decodes the lines of a format, once in a process."""
    return Lines(log_format)


def _array(column: LakeColumn, values: Sequence[Any]) -> pyarrow.Array:
    """Make a column of values that fit it."""
    if column.kind == "json":
        return texts([None if raw == _NULL else bytes(raw) for raw in values])
    if column.kind == "time":
        values = [iso_microseconds[value] for value in values]
    return pyarrow.array(values, column.arrow_type())
