"""Prints the documents of messages: for each way in which one is read a template for its groups.

Values are matched as they came, and made safe for JSON together, once they are found.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

import msgspec

from servicelogs.dates import iso, read_iso_hour
from servicelogs.opensearch.encoder import Encoder
from servicelogs.opensearch.fitting import MOST_TERM_BYTES, encode, fit
from servicelogs.opensearch.frames import DELIVERY_HOUR, Frame, Frames
from servicelogs.opensearch.json_documents import MOST_ARRAYS, MOST_ENDS
from servicelogs.parsing.cache import Cache
from servicelogs.parsing.fields import FieldType
from servicelogs.parsing.json.proof import is_utf_8
from servicelogs.parsing.messages.format import (
    FRACTION,
    MESSAGE,
    OFFSET,
    TIME,
    JsonForm,
    Kind,
    MessageFormat,
)
from servicelogs.parsing.messages.forms import Forms, Way
from servicelogs.parsing.messages.joining import Joiner, Message
from servicelogs.parsing.messages.json_members import JsonMembers
from servicelogs.parsing.messages.times import times

_MOST_SHAPES = 4096
_OBJECT = b"{"
_NO_VALUES = b"{[n"
"""How objects, lists and null begin."""
_MOST_FREE_FORM = MOST_TERM_BYTES - 256
"""An object of so many bytes holds no leaf that is too long for a term, its path included."""
_NUMBERS: tuple[FieldType, ...] = ("integer", "long", "float")

_ORDINARY = bytes(byte for byte in range(0x20, 0x7F) if byte not in b'"\\')
"""What stands in a JSON string as it is."""
_COMMON = bytes({*range(1, 0x100)} - {*range(0x20)} | {*b"\t\n\r"})
"""What hardly any text lacks, or `_safe` replaces at once: all but rare control characters."""
_controls = re.compile(rb"[\x00-\x1f]")
_json_time = re.compile(
    rb'"(\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d)(?:\.(\d{1,9}))? ?(?:Z|UTC|GMT)?([+-]\d\d(?::?\d\d)?)?"'
).fullmatch

_HIDDEN = (TIME, OFFSET, FRACTION, "")
_START = '%b%b"}}\n%b%d},'
"""Takes action line, key, frame and the record's number."""
_PLAIN = (_START + '"@timestamp":"%bZ"%b%b}\n').encode()
_CONTINUATION = _PLAIN.replace(b"%d}", b'%d,"continuation":true}')
_CHANGED = _PLAIN.replace(b"%d}", b'%d,"original":%b,"adjusted":%b}')

type Shape = tuple[bool, ...]
"""For each group whether it has no value."""


class Printer:
    """Prints the messages that are read in one way."""

    def __init__(self, way: Way, types: Mapping[str, FieldType]) -> None:
        self._way = way
        self._types = types
        self.groups = way.groups
        self.time_at = way.names.index(TIME) if TIME in way.names else -1
        self.offset_at = way.names.index(OFFSET) if OFFSET in way.names else -1
        self.fraction_at = way.names.index(FRACTION) if FRACTION in way.names else 0
        """What stands there, where there is none, is not printed."""
        self.conversions = tuple(
            (at, way.convert[name]) for at, name in enumerate(way.names) if name in way.convert
        )
        self.constants = way.constants
        """Fields that messages have which are read so."""
        self.templates: Cache[Shape, bytes] = Cache(self._template, _MOST_SHAPES)

    def converted(self, values: Sequence[bytes]) -> list[bytes]:
        """Make of the groups that quote something what their fields have."""
        changed = [*values]
        for at, convert in self.conversions:
            changed[at] = convert(changed[at])
        return changed

    def _template(self, absent: Shape) -> bytes:
        """Print the frame, the time, constants and then all groups; `%.0b` swallows some."""
        has_fraction = FRACTION in self._way.names and not absent[self.fraction_at]
        rest = ".%b" if has_fraction else "%.0b"
        values = (
            "%.0b" if missing or name in _HIDDEN else _member(name, self._types[name])
            for name, missing in zip(self._way.names, absent, strict=True)
        )
        return (_START + f'"@timestamp":"%b{rest}Z"%b{"".join(values)}}}\n').encode()


class Printers(NamedTuple):
    """A kind of messages, compiled for documents."""

    forms: Forms[Printer]
    members: JsonMembers | None
    joiner: Joiner
    log_format: MessageFormat


def printers_of(kind: Kind, log_format: MessageFormat) -> Printers:
    """Compile a kind."""
    types = {field.name: field.type for field in log_format.fields} | {MESSAGE: "text"}
    return Printers(
        Forms(kind, lambda way: Printer(way, types)),
        JsonMembers(kind.json_forms) if kind.json_forms else None,
        Joiner(kind),
        log_format,
    )


class MessageDocuments(Encoder):
    """The documents of one source's messages."""

    def __init__(self, printers: Printers, fields: Mapping[str, str], frames: Frames) -> None:
        """Put `fields` into each document, but where its form says otherwise."""
        super().__init__(frames)
        self._printers = printers
        self._fields = fields
        self._delivered = DELIVERY_HOUR, iso(self.source.delivered)[:-1].encode()
        self._constants: Cache[Printer, bytes] = Cache(
            lambda printer: self._written(printer.constants), _MOST_SHAPES
        )
        self._constants_of_plain = self._written({})

    def write(self, messages: Iterable[Message]) -> None:
        """Append the documents of messages.

        Written for the machine: about ten calls into C for a message.
        """
        forms, members, joiner, _ = self._printers
        match_forms, plans = forms.match, forms.plans
        frames, dated_by = self._frames, self._records.hour
        body, documents, expired = self._body, 0, 0
        # Joined events have line feeds between them.
        care, odd = _what_is_in((b"\n" if joiner.joins else b"").join(self._records.items))
        constants, time_of, odd_ones = self._constants, self._time_of, (ValueError, OverflowError)
        for message in messages:
            number, key, text, continues = message
            if members is not None and text[:1] == _OBJECT and self._write_json(members, message):
                continue
            match = None if continues else match_forms(text)
            if match is None:
                self._write_plain(message)
                continue
            printer = plans[match.lastindex]
            values: Sequence[bytes] = match.group(*printer.groups)
            absent = tuple([not value for value in values])
            try:
                hour, time = time_of(printer, values, number)
                frame = frames[hour if dated_by is None else dated_by]
            except odd_ones:
                self._write_plain(message)
                continue
            if frame is None:
                expired += 1
                continue
            if True in absent:
                values = [value or b"" for value in values]
            if printer.conversions:
                values = printer.converted(values)
            if care:
                values = _safe_values(values, odd=odd)
            body += printer.templates[absent] % (
                frame.own_action,
                key,
                frame.head,
                number,
                time,
                values[printer.fraction_at],
                constants[printer],
                *values,
            )
            documents += 1
        self._documents += documents
        self._expired += expired

    def _write_plain(self, message: Message) -> None:
        """Append a message that has no form, with its time as its source says it."""
        number, key, text, continues = message
        hour, time = self._time_of_source(number)
        frame = self._frame(hour)
        if frame is None:
            return
        member = b',"message":"%b"' % _safe(text) if text else b""
        self._body += (_CONTINUATION if continues else _PLAIN) % (
            frame.own_action,
            key,
            frame.head,
            number,
            time,
            self._constants_of_plain,
            member,
        )
        self._documents += 1

    def _write_json(self, members: JsonMembers, message: Message) -> bool:
        """Append a message if it is a JSON object that has a form."""
        number, key, text, _ = message
        found = members.read(text)
        if found and _may_go_through(found[0]):
            text, values = found
            form = members.form_of(values)
            changes: list[bytes] = []
        else:
            try:
                record, values = members.decoded(text)
                form = members.form_of(values)
                text, *changes = self._fitting(record, form) if form else [b""]
            except (ValueError, RecursionError):
                return False
        if form is None:
            return False
        given = _given(form, members, values)
        hour, time = self._time_of_member(given.pop(TIME, b""), number)
        if frame := self._frame(hour):
            given[form.whole] = text
            self._body += (_CHANGED if changes else _PLAIN) % (
                frame.own_action,
                key,
                frame.head,
                number,
                *changes,
                time,
                self._written(form.constants),
                _members(given),
            )
            self._documents += 1
        return True

    def _fitting(self, record: dict[str, Any], form: JsonForm) -> list[bytes]:
        """Write an object so that it fits under a free-form field.

        Where it was changed, what it was as delivered, and the names of that, follow. A ValueError
        if it cannot be written.
        """
        holder = {form.whole: record}
        original = fit(holder, self._printers.log_format)
        text = encode(holder.get(form.whole))
        return [text, encode(original), encode([*original])] if original else [text]

    def _frame(self, hour: int) -> Frame | None:
        """Give the frame of a record of this hour; None if it has expired, which is counted."""
        dated_by = self._records.hour
        frame = self._frames[hour if dated_by is None else dated_by]
        self._expired += frame is None
        return frame

    def _time_of(self, printer: Printer, values: Sequence[bytes], number: int) -> tuple[int, bytes]:
        """Give the hour and the time that a message says, else those of its event."""
        if printer.time_at < 0 or not (time := values[printer.time_at]):
            return self._time_of_source(number)
        if printer.offset_at >= 0 and (offset := values[printer.offset_at]):
            time += offset
        return times[time]

    def _time_of_member(self, value: bytes, number: int) -> tuple[int, bytes]:
        """Give the hour and the time that a JSON member says, else those of the source."""
        found = _json_time(value)
        if found is None:
            return self._time_of_source(number)
        second, fraction, offset = found.groups(b"")
        try:
            hour, time = times[second + offset]
        except (ValueError, OverflowError):
            return self._time_of_source(number)
        return hour, b"%b.%b" % (time, fraction) if fraction else time

    def _time_of_source(self, number: int) -> tuple[int, bytes]:
        """Give the hour and the time of an event that says none itself."""
        time = self._records.time(number)
        return (read_iso_hour(time[:13])[0], time) if time else self._delivered

    def _written(self, constants: Mapping[str, str]) -> bytes:
        """Write the fields that are the same in all documents of this source and form."""
        fields = {**self._fields, **constants}
        return _members({name: msgspec.json.encode(value) for name, value in fields.items()})


def _given(form: JsonForm, members: JsonMembers, values: tuple[bytes, ...]) -> dict[str, bytes]:
    """Give the fields that members become: of those with a single value, the first of each."""
    given: dict[str, bytes] = {}
    for path, name in form.members:
        value = values[members.paths.index(path)]
        if name not in given and value and value[0] not in _NO_VALUES:
            given[name] = value
    return given


def _members(values: Mapping[str, bytes]) -> bytes:
    """Write members that follow others."""
    return b"".join([b',"%b":%b' % (name.encode(), value) for name, value in values.items()])


def _may_go_through(text: bytes) -> bool:
    """Find out whether an object may lie under a free-form field as it is."""
    return (
        len(text) <= _MOST_FREE_FORM
        and text.count(b"}") <= MOST_ENDS
        and text.count(b"[") <= MOST_ARRAYS
    )


def _member(name: str, type_: FieldType) -> str:
    """Write the template of a member."""
    return f',"{name}":%b' if type_ in _NUMBERS else f',"{name}":"%b"'


def _safe_values(values: Sequence[bytes], *, odd: bool) -> Sequence[bytes]:
    """Make values safe for JSON strings; `odd` says that there may be more than is common."""
    if odd:
        return [_safe(value) for value in values]
    joined = b"\0".join(values)
    return (
        joined.replace(b"\\", rb"\\")
        .replace(b'"', rb"\"")
        .replace(b"\n", rb"\n")
        .replace(b"\t", rb"\t")
        .replace(b"\r", rb"\r")
        .split(b"\0")
    )


def _safe(text: bytes) -> bytes:
    """Make any bytes safe for a JSON string."""
    escaped = text.decode("utf-8", "replace").encode().replace(b"\\", rb"\\").replace(b'"', rb"\"")
    named = escaped.replace(b"\n", rb"\n").replace(b"\t", rb"\t").replace(b"\r", rb"\r")
    return _controls.sub(lambda control: b"\\u%04x" % ord(control[0]), named)


def _what_is_in(text: bytes) -> tuple[bool, bool]:
    """Say whether there is in a text what JSON escapes, and whether that is more than common."""
    care = bool(text.translate(None, _ORDINARY))
    return care, care and (bool(text.translate(None, _COMMON)) or not is_utf_8(text))
