"""Writes messages as JSON: for each way in which one is read there is a template for its groups.

What stands around a record's own members is the engine's: it is given for the hour that dates it.

Values are matched as they came, and made safe for JSON together, once they are found.
"""

import re
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from operator import not_
from typing import Any, NamedTuple, Protocol

import msgspec

from servicelogs.parsing.cache import Cache
from servicelogs.parsing.encoder import Encoder
from servicelogs.parsing.fields import FieldType
from servicelogs.parsing.json.proof import is_utf_8
from servicelogs.parsing.messages.format import (
    FRACTION,
    KIND,
    MESSAGE,
    OBJECT,
    OFFSET,
    TIME,
    Form,
    JsonForm,
    Kind,
    MessageFormat,
)
from servicelogs.parsing.messages.forms import Forms, Way
from servicelogs.parsing.messages.joining import Joiner, Message
from servicelogs.parsing.messages.json_members import JsonMembers, Members
from servicelogs.parsing.messages.object_templates import (
    BETWEEN,
    MOST_NAMES_BYTES,
    ObjectPrinter,
    ObjectTemplate,
    has_several,
    weight_of,
)
from servicelogs.parsing.messages.templates import START, Implied
from servicelogs.parsing.messages.times import times
from servicelogs.records import Source

_MOST_SHAPES = 4096
_BRACE = b"{"
_NUMBERS: tuple[FieldType, ...] = ("integer", "long", "float")

_ORDINARY = bytes(byte for byte in range(0x20, 0x7F) if byte not in b'"\\')
"""What stands in a JSON string as it is."""
_ORDINARY_OR_BETWEEN = b"\0" + _ORDINARY
_COMMON = bytes({*range(0x20, 0x100)} | {*b"\t\n"})
"""All but control characters that are rare."""
_DAY = 24
_LINE_FEED = ord("\n")
_decode_text = msgspec.json.Decoder(str).decode
_utc_end = re.compile(rb'(?:[.,](\d{1,9}))?(?:Z|\+00:?00)"').fullmatch
_NOT_CONTROLS = bytes(range(0x20, 0x100))
_json_time = re.compile(
    rb'"(\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d)(?:[.,](\d{1,9}))?'
    rb' ?(?:Z|UTC|GMT)?([+-]\d\d(?::?\d\d)?)?"'
).fullmatch

_HIDDEN = (TIME, OFFSET, FRACTION, OBJECT, "")
_PLAIN = (START + '"@timestamp":"%bZ"%b%b}\n').encode()
_CONTINUATION = _PLAIN.replace(b"%d}", b'%d,"continuation":true}')

type Shape = tuple[bool, ...]
"""For each group whether it has no value."""


class Template(NamedTuple):
    """Prints the messages of one shape."""

    text: bytes
    """Takes action line, key, frame, number, time, fraction, constants and the groups with a value;
    `%.0b` swallows those not shown."""
    fraction_at: int
    """Which of these is the time's fraction; 0: none is, and what stands there is swallowed."""
    conversions: tuple[tuple[int, Callable[[bytes], bytes]], ...]
    implied: Implied


class Printer:
    """Prints the messages that are read in one way."""

    def __init__(self, way: Way, types: Mapping[str, FieldType], of_source: frozenset[str]) -> None:
        """Print the groups of a way; `of_source` are the fields that a source may imply."""
        self._way = way
        self._types = types
        self._of_source = of_source
        self._implied: Cache[frozenset[str], Implied] = Cache(
            lambda replaced: Implied(way.constants, replaced), _MOST_SHAPES
        )
        self.groups = way.groups
        self.times_at = tuple(at for at, name in enumerate(way.names) if name == TIME)
        """Where times are, the best first."""
        self.offset_at = way.names.index(OFFSET) if OFFSET in way.names else -1
        self.constants = way.constants
        """Fields that messages have which are read so."""
        self.object_at = way.names.index(OBJECT) if OBJECT in way.names else -1
        self.time_at = -1 if OFFSET in way.names or len(self.times_at) != 1 else self.times_at[0]
        """Where the time is, if nothing else is asked for it."""
        self.templates: Cache[Shape, Template] = Cache(self._template, _MOST_SHAPES)
        self.template = self.templates[(False,) * len(way.names)]
        """Prints those in which all groups have a value."""

    def fields(self, values: Sequence[bytes]) -> dict[str, bytes]:
        """Give the fields of a message as members of JSON, for one that ends in an object."""
        found: dict[str, bytes] = {}
        for name, value in zip(self._way.names, self._converted(values), strict=True):
            if value and name not in _HIDDEN and name not in found:
                is_number = self._types[name] in _NUMBERS
                found[name] = value if is_number else b'"%b"' % _safe(value)
        return found

    def fraction(self, values: Sequence[bytes]) -> bytes:
        """Give the fraction of a message's time, with its dot."""
        if FRACTION not in self._way.names:
            return b""
        digits = self._converted(values)[self._way.names.index(FRACTION)]
        return b"." + digits if digits else b""

    def _converted(self, values: Sequence[bytes]) -> list[bytes]:
        convert = self._way.convert
        return [
            convert[name](value) if value and name in convert else value
            for name, value in zip(self._way.names, values, strict=True)
        ]

    def _template(self, absent: Shape) -> Template:
        names = [name for name, no in zip(self._way.names, absent, strict=True) if not no]
        if MESSAGE not in names:  # an object that could not be read
            names = [MESSAGE if name == OBJECT else name for name in names]
        has_fraction = FRACTION in names
        text = f'{START}"@timestamp":"%b{".%b" if has_fraction else "%.0b"}Z"%b'
        for at, name in enumerate(names):
            # Of a field that has several groups the first counts.
            shown = name not in _HIDDEN and name not in names[:at]
            text += _member(name, self._types[name]) if shown else "%.0b"
        convert = self._way.convert
        return Template(
            f"{text}}}\n".encode(),
            names.index(FRACTION) if has_fraction else 0,
            tuple((at, convert[name]) for at, name in enumerate(names) if name in convert),
            self._implied[self._of_source.intersection(names)],
        )


class Head(NamedTuple):
    """What a message says before the object that it ends in."""

    fields: Mapping[str, bytes]
    constants: Mapping[str, str]
    moment: tuple[int, bytes] | None
    """Its hour and its time, if it says them."""


NO_HEAD = Head({}, {}, None)


class Printers(NamedTuple):
    """A kind of messages, compiled."""

    forms: Forms[Printer]
    members: JsonMembers | None
    objects: Mapping[JsonForm, ObjectPrinter]
    texts: Mapping[JsonForm, Mapping[str, Forms[Printer]]]
    """The members of an object that are texts with forms of their own."""
    usual: Cache[tuple[str, ...], ObjectTemplate | None]
    """From the names in a JSON object to its template; None: more than these decide."""
    joiner: Joiner
    log_format: MessageFormat


def printers_of(kind: Kind, log_format: MessageFormat) -> Printers:
    """Compile a kind."""
    types = {field.name: field.type for field in log_format.fields} | {MESSAGE: "text"}
    of_source = frozenset(
        (KIND, *kind.constants, *re.findall(r"\(\?P<(\w+)>", kind.groups + kind.streams))
    )
    members = JsonMembers(kind.json_forms) if kind.json_forms else None
    objects = {form: ObjectPrinter(form, of_source) for form in kind.json_forms}

    def compiled(forms: Iterable[Form]) -> Forms[Printer]:
        return Forms(forms, lambda way: Printer(way, types, of_source))

    def usual(names: tuple[str, ...]) -> ObjectTemplate | None:
        if members is None or members.usual is None or not members.is_usual(names):
            return None
        return objects[members.usual].template_of(dict.fromkeys(names, b""))

    return Printers(
        compiled(kind.forms),
        members,
        objects,
        {
            form: {name: compiled(forms) for name, forms in form.texts.items()}
            for form in kind.json_forms
        },
        Cache(usual, MOST_NAMES_BYTES, weight_of),
        Joiner(kind),
        log_format,
    )


class Around(Protocol):
    """What stands around a record's own members."""

    @property
    def own_action(self) -> bytes:
        """A line before the record's, up to the record's key."""
        ...

    @property
    def head(self) -> bytes:
        """What the record's line begins with, up to its number in an object of its own."""
        ...


class PrintedMessages(Encoder, ABC):
    """The messages of one source, written as JSON."""

    def __init__(
        self,
        printers: Printers,
        fields: Mapping[str, str],
        source: Source,
        frames: Mapping[int, Around | None],
    ) -> None:
        """Put `fields` into each record, but where its form says otherwise.

        The frames are by the hour (from 1970) that dates records; None: they have expired.
        """
        super().__init__(source)
        self._printers = printers
        self._fields = fields
        self._frames = frames
        self._implied: Cache[Implied, bytes] = Cache(self._written, _MOST_SHAPES)
        self._implied_by_all = _members(_encoded(fields))

    @staticmethod
    @abstractmethod
    def may_go_through(text: bytes) -> bool:
        """Say whether an object may lie under a free-form field as it is."""

    @abstractmethod
    def fitting(self, text: bytes, record: dict[str, Any], form: JsonForm) -> list[bytes]:
        """Write an object, which is decoded too, so that it may lie under its form's free field.

        Where it had to be changed, what it was as delivered, and the names of that, follow. A
        ValueError if it cannot be written.
        """

    def write(self, messages: Iterable[Message]) -> None:
        """Append messages.

        Written for the machine: about ten calls into C for a message.
        """
        forms, members, _, _, _, joiner, _ = self._printers
        match_forms, plans = forms.match, forms.plans
        frames, dated_by = self._frames, self._records.hour
        body, documents, expired = self._body, 0, 0
        # Joined events have line feeds between them.
        care, odd = _what_is_in((b"\n" if joiner.joins else b"").join(self._records.items))
        implied, time_of, odd_ones = self._implied, self._time_of, (ValueError, OverflowError)
        for message in messages if members is None else self._texts(messages, members):
            number, key, text, continues = message
            match = None if continues else match_forms(text)
            if match is None:
                self._write_plain(message)
                continue
            printer = plans[match.lastindex]
            values = match.group(*printer.groups)
            if printer.object_at >= 0 and self._write_ending(members, message, printer, values):
                continue
            try:
                if (at := printer.time_at) >= 0 and values[at]:
                    hour, time = times[values[at]]
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
                template, fraction_at, conversions, same = printer.template
            else:
                absent = tuple(map(not_, values))
                template, fraction_at, conversions, same = printer.templates[absent]
                values = tuple(filter(None, values))
            if conversions and (converted := _converted(values, conversions)) != values:
                # They may hold what the text does not.
                care_again, odd_now = _what_is_in(b"".join(converted))
                values = _safe_values(converted, odd=odd_now) if care_again else converted
            elif care and text.translate(None, _ORDINARY):
                values = _safe_values(values, odd=odd)
            action, head = frame.own_action, frame.head
            fraction = values[fraction_at] if values else b""
            body += template % (action, key, head, number, time, fraction, implied[same], *values)
            documents += 1
        self._documents += documents
        self._expired += expired

    def _texts(self, messages: Iterable[Message], members: JsonMembers) -> Iterator[Message]:
        """Append the messages that are JSON objects, and give the others.

        Written for the machine: about ten calls into C for an object that is like most.
        """
        decode, usual = members.decode, self._printers.usual
        plain = b"".join(self._records.items)
        is_plain = _LINE_FEED not in plain and is_utf_8(plain)
        write, may_go_through = self._write_members, self.may_go_through
        for message in messages:
            text = message[2]
            if text[:1] != _BRACE:
                yield message
                continue
            try:
                found = decode(text) if is_plain and may_go_through(text) else None
            except (msgspec.DecodeError, RecursionError):
                found = None
            if found is None:
                if not self._write_object(members, message):
                    yield message
                continue
            head, template = NO_HEAD, usual[tuple(found)]
            if template is None:
                form = members.form_of(found)
                if form is None:
                    yield message
                    continue
                found = members.with_places(text, found, form)
                if form.texts:
                    head, found = self._read_texts(form, found)
                template = self._printers.objects[form].template_of(found)
            write(message, text, found, template, head)

    def _write_members(
        self,
        message: Message,
        text: bytes,
        found: Members,
        template: ObjectTemplate,
        head: Head = NO_HEAD,
        changes: Sequence[bytes] = (),
    ) -> None:
        """Append an object, and the members that become fields."""
        number, key, _, _ = message
        joined = template.pick(found)
        values = joined.split(BETWEEN)
        if has_several(joined):
            template = template.without_several(values)
        for at, convert in template.conversions:
            values[at] = convert(values[at])
        hour, time = head.moment or self._time_of_member(values[template.time_at], number)
        dated_by = self._records.hour
        frame = self._frames[hour if dated_by is None else dated_by]
        if frame is None:
            self._expired += 1
            return
        log = b"%d" % number
        if changes:
            log += b',"original":%b,"adjusted":%b' % (*changes,)
        self._body += template.text % (
            frame.own_action,
            key,
            frame.head,
            log,
            time,
            self._implied[template.implied] if head is NO_HEAD else self._before(head, template),
            *values,
            text,
        )
        self._documents += 1

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
            self._implied_by_all,
            member,
        )
        self._documents += 1

    def _write_object(
        self, members: JsonMembers, message: Message, ending: bytes = b"", head: Head = NO_HEAD
    ) -> bool:
        """Append a message if it is, or ends in, a JSON object that has a form."""
        text = ending or message[2]
        changes: list[bytes] = []
        if (read := members.read(text)) and self.may_go_through(read[0]):
            text, found = read
            form = members.form_of(found)
            found = members.with_places(text, found, form) if form else {}
        else:
            try:
                record, form, found = members.decoded(text)
                text, *changes = self.fitting(text, record, form) if form else [b""]
            except (ValueError, RecursionError):
                return False
        if form is None:
            return False
        head, found = self._read_texts(form, found, head)
        template = self._printers.objects[form].template_of(found)
        self._write_members(message, text, found, template, head, changes)
        return True

    def _read_texts(
        self, form: JsonForm, found: Members, head: Head = NO_HEAD
    ) -> tuple[Head, Members]:
        """Give what texts among the members say, as a head does, and the members beside that."""
        for name, forms in self._printers.texts[form].items():
            try:
                text = _decode_text(found.get(name, b""))
            except msgspec.DecodeError:  # there is none
                continue
            if match := forms.match(text.encode()):
                printer = forms.plans[match.lastindex]
                fields = printer.fields(match.group(*printer.groups))
                head = Head(
                    {**head.fields, **fields}, {**head.constants, **printer.constants}, head.moment
                )
                replaced = {member for member, field in form.leaves if field in fields} | {name}
                found = {one: found[one] for one in found if one not in replaced}
        return head, found

    def _write_ending(
        self,
        members: JsonMembers | None,
        message: Message,
        printer: Printer,
        values: Sequence[bytes],
    ) -> bool:
        """Append a message with a text before the object that it ends in."""
        text = values[printer.object_at]
        if members is None or not text:
            return False
        head = Head(printer.fields(values), printer.constants, self._moment_of(printer, values))
        return self._write_object(members, message, text, head)

    def _before(self, head: Head, template: ObjectTemplate) -> bytes:
        """Write what is implied, and what a text says and the object behind it does not."""
        form = template.form
        implied = _encoded({**self._fields, **head.constants, **form.constants})
        said = {**implied, **head.fields}
        for name, other in form.aside.items():
            if name in head.fields and name in template.fields:
                said[other] = head.fields[name]
        return _members({name: said[name] for name in said if name not in template.fields})

    def _frame(self, hour: int) -> Around | None:
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

    def _moment_of(self, printer: Printer, values: Sequence[bytes]) -> tuple[int, bytes] | None:
        """Give the hour and the exact time that a message says, if it does."""
        if not any(values[at] for at in printer.times_at):
            return None
        try:
            hour, time = self._time_of(printer, values, 0)
        except (ValueError, OverflowError):
            return None
        return hour, time + printer.fraction(values)

    def _time_of_member(self, value: bytes, number: int) -> tuple[int, bytes]:
        """Give the hour and the time that a JSON member says, else those of the source.

        These count too where it says another day than that of the event: then it is no log's time.
        """
        try:
            if end := _utc_end(value, 20):
                hour, time = times[value[1:20]]
                fraction = end[1]
            elif written := _json_time(value):
                second, fraction, offset = written.groups(b"")
                hour, time = times[second + offset]
            else:
                return self._time_of_source(number)
        except (ValueError, OverflowError):
            return self._time_of_source(number)
        dated_by = self._records.hour
        if dated_by is not None and not -_DAY <= hour - dated_by <= _DAY:
            return self._time_of_source(number)
        return hour, b"%b.%b" % (time, fraction) if fraction else time

    def _written(self, implied: Implied) -> bytes:
        """Write the fields that are the same in all documents of this source and a shape."""
        fields = {**self._fields, **implied.constants}
        return _members(_encoded({n: fields[n] for n in fields if n not in implied.replaced}))


def _encoded(fields: Mapping[str, str]) -> dict[str, bytes]:
    return {name: msgspec.json.encode(value) for name, value in fields.items()}


def _members(values: Mapping[str, bytes]) -> bytes:
    """Write members that follow others."""
    return b"".join([b',"%b":%b' % (name.encode(), value) for name, value in values.items()])


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
    if not joined.translate(None, _ORDINARY_OR_BETWEEN):
        return values
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
