"""Prints the documents of messages: for each way in which one is read a template for its groups.

Values are matched as they came, and made safe for JSON together, once they are found.
"""

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from itertools import compress
from operator import is_not, itemgetter
from typing import Any, NamedTuple

import msgspec

from servicelogs.dates import iso, read_iso_hour
from servicelogs.opensearch.encoder import Encoder
from servicelogs.opensearch.fitting import MOST_TERM_BYTES, encode, fit
from servicelogs.opensearch.frames import DELIVERY_HOUR, Frame, Frames
from servicelogs.opensearch.json_documents import FIRST_BYTES, MOST_ARRAYS, MOST_ENDS
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
from servicelogs.parsing.messages.json_members import ABSENT, JsonMembers
from servicelogs.parsing.messages.times import times

_MOST_SHAPES = 4096
_MOST_VALUE_BYTES = 256 * 1024
_OBJECT = b"{"
_MORE_THAN_ONE = frozenset(b"{[n")
"""How objects, lists and null begin: what has not a single value."""
_first = itemgetter(0)
_MOST_FREE_FORM = MOST_TERM_BYTES - 256
"""An object of so many bytes holds no leaf that is too long for a term, its path included."""
_NUMBERS: tuple[FieldType, ...] = ("integer", "long", "float")

_ORDINARY = bytes(byte for byte in range(0x20, 0x7F) if byte not in b'"\\')
"""What stands in a JSON string as it is."""
_COMMON = bytes({*range(0x20, 0x100)} | {*b"\t\n"})
"""All but control characters that are rare."""
_NOT_CONTROLS = bytes(range(0x20, 0x100))
_usual_end = re.compile(rb'\.\d{1,9}Z"').fullmatch
_json_time = re.compile(
    rb'"(\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d)(?:\.(\d{1,9}))? ?(?:Z|UTC|GMT)?([+-]\d\d(?::?\d\d)?)?"'
).fullmatch

_HIDDEN = (TIME, OFFSET, FRACTION, "")
_START = '%b%b"}}\n%b%d},'
"""Takes action line, key, frame and the record's number."""
_PLAIN = (_START + '"@timestamp":"%bZ"%b%b}\n').encode()
_CONTINUATION = _PLAIN.replace(b"%d}", b'%d,"continuation":true}')
_CHANGES = b'%d,"original":%b,"adjusted":%b}'

type Shape = tuple[bool, ...]
"""For each group whether it has no value, or for each member of JSON whether it has one."""


class Template(NamedTuple):
    """Prints the messages of one shape."""

    text: bytes
    """Takes action line, key, frame, number, time, fraction, constants and the groups with a value;
    `%.0b` swallows those not shown."""
    fraction_at: int
    """Which of these is the time's fraction; 0: none is, and what stands there is swallowed."""
    conversions: tuple[tuple[int, Callable[[bytes], bytes]], ...]


class Printer:
    """Prints the messages that are read in one way."""

    def __init__(self, way: Way, types: Mapping[str, FieldType]) -> None:
        self._way = way
        self._types = types
        self.groups = way.groups
        self.times_at = tuple(at for at, name in enumerate(way.names) if name == TIME)
        """Where times are, the best first."""
        self.offset_at = way.names.index(OFFSET) if OFFSET in way.names else -1
        self.constants = way.constants
        """Fields that messages have which are read so."""
        self.begins_with_time = way.names[0] == TIME and OFFSET not in way.names
        """The first group is the time, and nothing else is asked for it."""
        self.templates: Cache[Shape, Template] = Cache(self._template, _MOST_SHAPES)
        self.template = self.templates[(False,) * len(way.names)]
        """Prints those in which all groups have a value."""

    def _template(self, absent: Shape) -> Template:
        names = [name for name, no in zip(self._way.names, absent, strict=True) if not no]
        has_fraction = FRACTION in names
        text = f'{_START}"@timestamp":"%b{".%b" if has_fraction else "%.0b"}Z"%b'
        for at, name in enumerate(names):
            # Of a field that has several groups the first counts.
            shown = name not in _HIDDEN and name not in names[:at]
            text += _member(name, self._types[name]) if shown else "%.0b"
        convert = self._way.convert
        return Template(
            f"{text}}}\n".encode(),
            names.index(FRACTION) if has_fraction else 0,
            tuple((at, convert[name]) for at, name in enumerate(names) if name in convert),
        )


class JsonTemplate(NamedTuple):
    """Prints the objects that have a form, and the same of its members."""

    form: JsonForm
    conditions: tuple[tuple[int, Cache[bytes, bool]], ...]
    """Which of the members that are there must match, and which of their values do."""
    text: bytes
    """Takes action line, key, frame, number, time in quotes, constants, all members that are there,
    and the object."""
    time_at: int
    """Which of them is the time; -1: none is."""


class JsonPrinter:
    """Prints the JSON objects of a kind."""

    def __init__(self, forms: tuple[JsonForm, ...]) -> None:
        self.members = JsonMembers(forms)
        self.absent = (ABSENT,) * len(self.members.paths)
        self._forms = forms
        self.templates: Cache[Shape, list[JsonTemplate]] = Cache(self._templates, _MOST_SHAPES)
        """The forms that objects with these members may have."""

    def _templates(self, there: Shape) -> list[JsonTemplate]:
        paths = [*compress(self.members.paths, there)]
        return [_json_template(form, paths) for form in self._forms if form.when.keys() <= {*paths}]


def _json_template(form: JsonForm, paths: list[str]) -> JsonTemplate:
    # Of a field that may be several members the first counts.
    names: dict[str, str] = {}
    for path, name in form.members:
        if path in paths:
            names.setdefault(name, path)
    shown = {path: name for name, path in names.items() if name != TIME}
    members = "".join(f',"{shown[path]}":%b' if path in shown else "%.0b" for path in paths)
    return JsonTemplate(
        form,
        tuple(
            (paths.index(path), Cache(_matching(pattern), _MOST_VALUE_BYTES, weight=len))
            for path, pattern in form.when.items()
        ),
        f'{_START}"@timestamp":%b%b{members},"{form.whole}":%b}}\n'.encode(),
        paths.index(names[TIME]) if TIME in names else -1,
    )


class Printers(NamedTuple):
    """A kind of messages, compiled for documents."""

    forms: Forms[Printer]
    objects: JsonPrinter | None
    joiner: Joiner
    log_format: MessageFormat


def printers_of(kind: Kind, log_format: MessageFormat) -> Printers:
    """Compile a kind."""
    types = {field.name: field.type for field in log_format.fields} | {MESSAGE: "text"}
    return Printers(
        Forms(kind, lambda way: Printer(way, types)),
        JsonPrinter(kind.json_forms) if kind.json_forms else None,
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
        self._constants_of_form: Cache[JsonForm, bytes] = Cache(
            lambda form: self._written(form.constants), _MOST_SHAPES
        )
        self._constants_of_plain = self._written({})

    def write(self, messages: Iterable[Message]) -> None:
        """Append the documents of messages.

        Written for the machine: about ten calls into C for a message.
        """
        forms, objects, joiner, _ = self._printers
        match_forms, plans = forms.match, forms.plans
        frames, dated_by = self._frames, self._records.hour
        body, documents, expired = self._body, 0, 0
        # Joined events have line feeds between them.
        care, odd = _what_is_in((b"\n" if joiner.joins else b"").join(self._records.items))
        constants, time_of, odd_ones = self._constants, self._time_of, (ValueError, OverflowError)
        for message in messages:
            number, key, text, continues = message
            if objects is not None and text[:1] == _OBJECT and self._write_json(objects, message):
                continue
            match = None if continues else match_forms(text)
            if match is None:
                self._write_plain(message)
                continue
            printer = plans[match.lastindex]
            values = match.group(*printer.groups)
            try:
                if printer.begins_with_time and values[0]:
                    hour, time = times[values[0]]
                else:
                    hour, time = time_of(printer, values, number)
                frame = frames[hour if dated_by is None else dated_by]
            except odd_ones:
                self._write_plain(message)
                continue
            if frame is None:
                expired += 1
                continue
            if all(values):
                template, fraction_at, conversions = printer.template
            else:
                absent = tuple([not value for value in values])
                template, fraction_at, conversions = printer.templates[absent]
                values = tuple([value for value in values if value])
            if conversions and (converted := _converted(values, conversions)) != values:
                # They may hold what the text does not.
                care_again, odd_now = _what_is_in(b"".join(converted))
                values = _safe_values(converted, odd=odd_now) if care_again else converted
            elif care and text.translate(None, _ORDINARY):
                values = _safe_values(values, odd=odd)
            action, head = frame.own_action, frame.head
            fraction = values[fraction_at] if values else b""
            same = constants[printer]
            body += template % (action, key, head, number, time, fraction, same, *values)
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

    def _write_json(self, printer: JsonPrinter, message: Message) -> bool:
        """Append a message if it is a JSON object that has a form."""
        number, key, text, _ = message
        changes: list[bytes] = []
        found = printer.members.read(text)
        if found and (len(found[0]) <= FIRST_BYTES or _may_go_through(found[0])):
            text, members = found
            record = None
        else:
            try:
                record, members = printer.members.decoded(text)
            except (ValueError, RecursionError):
                return False
        there = tuple(map(is_not, members, printer.absent))
        # JSON has no zeros.
        joined = b"\0".join(compress(members, there))
        values = joined.split(b"\0") if joined else []
        if not _MORE_THAN_ONE.isdisjoint(map(_first, values)):
            # Objects, lists and null count as if they were not there.
            there = tuple([one is not ABSENT and _is_single(bytes(one)) for one in members])
            values = [value for value in values if _is_single(value)]
        for form, conditions, template, time_at in printer.templates[there]:  # noqa: B007
            if False not in [matches[values[at]] for at, matches in conditions]:
                break
        else:
            return False
        if record is not None:
            try:
                text, *changes = self._fitting(record, form)
            except (ValueError, RecursionError):
                return False
            if changes:
                template = template.replace(b"%d}", _CHANGES, 1)
        hour, time = self._time_of_member(values[time_at] if time_at >= 0 else b"", number)
        dated_by = self._records.hour
        frame = self._frames[hour if dated_by is None else dated_by]
        if frame is None:
            self._expired += 1
            return True
        action, head = frame.own_action, frame.head
        constants = self._constants_of_form[form]
        self._body += template % (
            action,
            key,
            head,
            number,
            *changes,
            time,
            constants,
            *values,
            text,
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
        for at in printer.times_at:
            if time := values[at]:
                if printer.offset_at >= 0 and (offset := values[printer.offset_at]):
                    time += offset
                return times[time]
        return self._time_of_source(number)

    def _time_of_member(self, value: bytes, number: int) -> tuple[int, bytes]:
        """Give the hour and the time, in quotes, that a member says, else those of the source."""
        try:
            # As most are written: `"2026-11-20T08:14:55.123Z"`.
            second, end = value[1:20], value[20:]
            if second[10:11] == b"T" and _usual_end(end):
                return times[second][0], value
            if found := _json_time(value):
                second, fraction, offset = found.groups(b"")
                hour, time = times[second + offset]
                return hour, b'"%b.%bZ"' % (time, fraction) if fraction else b'"%bZ"' % time
        except (ValueError, OverflowError):
            pass
        hour, time = self._time_of_source(number)
        return hour, b'"%bZ"' % time

    def _time_of_source(self, number: int) -> tuple[int, bytes]:
        """Give the hour and the time of an event that says none itself."""
        time = self._records.time(number)
        return (read_iso_hour(time[:13])[0], time) if time else self._delivered

    def _written(self, constants: Mapping[str, str]) -> bytes:
        """Write the fields that are the same in all documents of this source and form."""
        fields = {**self._fields, **constants}
        return _members({name: msgspec.json.encode(value) for name, value in fields.items()})


def _is_single(value: bytes) -> bool:
    return value[0] not in _MORE_THAN_ONE


def _matching(pattern: str) -> Callable[[bytes], bool]:
    """Give what finds out whether a JSON string matches."""
    match = re.compile(pattern.encode(), re.DOTALL).fullmatch
    return lambda value: match(value.strip(b'"')) is not None


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


def _converted(
    values: tuple[bytes, ...], conversions: Iterable[tuple[int, Callable[[bytes], bytes]]]
) -> tuple[bytes, ...]:
    changed = [*values]
    for at, convert in conversions:
        changed[at] = convert(changed[at])
    return tuple(changed)


def _safe_values(values: tuple[bytes, ...], *, odd: bool) -> tuple[bytes, ...]:
    """Make values safe for JSON strings; `odd` says that there may be more than is common."""
    if odd:
        return tuple([_safe(value) for value in values])
    joined = b"\0".join(values)
    return tuple(
        joined.replace(b"\\", rb"\\")
        .replace(b'"', rb"\"")
        .replace(b"\n", rb"\n")
        .replace(b"\t", rb"\t")
        .split(b"\0")
    )


def _safe(text: bytes) -> bytes:
    """Make any bytes safe for a JSON string."""
    if not text.isascii():
        text = text.decode("utf-8", "replace").encode()
    text = text.replace(b"\\", rb"\\").replace(b'"', rb"\"").replace(b"\n", rb"\n")
    # Each at once: a text may consist of nothing else.
    for control in {*text.translate(None, _NOT_CONTROLS)}:
        text = text.replace(bytes([control]), b"\\u%04x" % control)
    return text


def _what_is_in(text: bytes) -> tuple[bool, bool]:
    """Say whether there is in a text what JSON escapes, and whether that is more than common."""
    care = bool(text.translate(None, _ORDINARY))
    return care, care and (bool(text.translate(None, _COMMON)) or not is_utf_8(text))
