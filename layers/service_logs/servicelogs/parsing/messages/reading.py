"""Reads messages in the forms of their kind: what engines have in common, who make of it theirs.

A message has a form, is or ends in a JSON object that has one, or is as it is.
"""

import re
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

import msgspec

from servicelogs.parsing.cache import Cache
from servicelogs.parsing.encoder import Encoder
from servicelogs.parsing.fields import FieldType
from servicelogs.parsing.json.proof import is_utf_8
from servicelogs.parsing.messages.format import (
    FRACTION,
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
from servicelogs.parsing.messages.objects import (
    BETWEEN,
    MOST_NAMES_BYTES,
    MakePlan,
    ObjectShape,
    ObjectShapes,
    has_several,
    weight_of,
)
from servicelogs.parsing.messages.times import times
from servicelogs.records import Source

NUMBERS: tuple[FieldType, ...] = ("integer", "long", "float")
HIDDEN = (TIME, OFFSET, FRACTION, OBJECT, "")
"""Groups that are no fields."""

_BRACE = b"{"
_DAY = 24
_LINE_FEED = ord("\n")
_decode_text = msgspec.json.Decoder(str).decode
_utc_end = re.compile(rb'(?:[.,](\d{1,9}))?(?:Z|\+00:?00)"').fullmatch
_json_time = re.compile(
    rb'"(\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d)(?:[.,](\d{1,9}))?'
    rb' ?(?:Z|UTC|GMT)?([+-]\d\d(?::?\d\d)?)?"'
).fullmatch


def types_of(log_format: MessageFormat) -> Mapping[str, FieldType]:
    """Give the types of what messages of a format may say."""
    return {field.name: field.type for field in log_format.fields} | {MESSAGE: "text"}


class ReadWay:
    """What the groups of a message mean that is read in one way."""

    def __init__(self, way: Way, types: Mapping[str, FieldType]) -> None:
        self.names = way.names
        self.groups = way.groups
        self.times_at = tuple(at for at, name in enumerate(way.names) if name == TIME)
        """Where times are, the best first."""
        self.offset_at = way.names.index(OFFSET) if OFFSET in way.names else -1
        self.constants = way.constants
        """Fields that messages have which are read so."""
        self.object_at = way.names.index(OBJECT) if OBJECT in way.names else -1
        self.time_at = -1 if OFFSET in way.names or len(self.times_at) != 1 else self.times_at[0]
        """Where the time is, if nothing else is asked for it."""
        self._types = types
        self._convert = way.convert

    def fields(self, values: Sequence[bytes]) -> dict[str, bytes]:
        """Give the fields of a message as members of JSON, for one that ends in an object."""
        found: dict[str, bytes] = {}
        for name, value in zip(self.names, self._converted(values), strict=True):
            if value and name not in HIDDEN and name not in found:
                is_number = self._types[name] in NUMBERS
                text = value.decode("utf-8", "replace")
                found[name] = value if is_number else msgspec.json.encode(text)
        return found

    def fraction(self, values: Sequence[bytes]) -> bytes:
        """Give the fraction of a message's time, with its dot."""
        if FRACTION not in self.names:
            return b""
        digits = self._converted(values)[self.names.index(FRACTION)]
        return b"." + digits if digits else b""

    def _converted(self, values: Sequence[bytes]) -> list[bytes]:
        convert = self._convert
        return [
            convert[name](value) if value and name in convert else value
            for name, value in zip(self.names, values, strict=True)
        ]


class Head(NamedTuple):
    """What a message says before the object that it ends in."""

    fields: Mapping[str, bytes]
    constants: Mapping[str, str]
    moment: tuple[int, bytes] | None
    """Its hour and its time, if it says them."""


NO_HEAD = Head({}, {}, None)


class CompiledKind[AnyWay: ReadWay, Plan](NamedTuple):
    """A kind of messages, compiled for an engine."""

    forms: Forms[AnyWay]
    members: JsonMembers | None
    objects: Mapping[JsonForm, ObjectShapes[Plan]]
    texts: Mapping[JsonForm, Mapping[str, Forms[AnyWay]]]
    """The members of an object that are texts with forms of their own."""
    usual: Cache[tuple[str, ...], ObjectShape[Plan] | None]
    """From the names in a JSON object to its shape; None: more than these decide."""
    joiner: Joiner


def compile_kind[AnyWay: ReadWay, Plan](
    kind: Kind, make_way: Callable[[Way], AnyWay], make_plan: MakePlan[Plan]
) -> CompiledKind[AnyWay, Plan]:
    """Compile a kind, with what an engine makes of each way and of each shape of objects."""
    members = JsonMembers(kind.json_forms) if kind.json_forms else None
    objects = {form: ObjectShapes(form, make_plan) for form in kind.json_forms}

    def compiled(forms: Iterable[Form]) -> Forms[AnyWay]:
        return Forms(forms, make_way)

    def usual(names: tuple[str, ...]) -> ObjectShape[Plan] | None:
        if members is None or members.usual is None or not members.is_usual(names):
            return None
        return objects[members.usual].shape_of(dict.fromkeys(names, b""))

    return CompiledKind(
        compiled(kind.forms),
        members,
        objects,
        {
            form: {name: compiled(forms) for name, forms in form.texts.items()}
            for form in kind.json_forms
        },
        Cache(usual, MOST_NAMES_BYTES, weight_of),
        Joiner(kind),
    )


class MessageReader[AnyWay: ReadWay, Plan, Frame](Encoder, ABC):
    """Reads the messages of one source."""

    def __init__(
        self,
        kind: CompiledKind[AnyWay, Plan],
        fields: Mapping[str, str],
        source: Source,
        frames: Mapping[int, Frame | None],
    ) -> None:
        """Put `fields` into each record, but where its form says otherwise.

        The frames are by the hour (from 1970) that dates records; None: they have expired.
        """
        super().__init__(source)
        self._kind = kind
        self._fields = fields
        self._frames = frames

    @abstractmethod
    def write(self, messages: Iterable[Message]) -> None:
        """Take messages; of those that are JSON objects `_texts` leaves the others."""

    @abstractmethod
    def add_object(
        self,
        message: Message,
        text: bytes,
        time: bytes,
        frame: Frame,
        shape: ObjectShape[Plan],
        values: list[bytes],
        head: Head,
        changes: Sequence[bytes],
    ) -> None:
        """Take an object; `values` are those of its members, behind nothing, as they are written.

        The changes are what the object was as delivered, and the names of that.
        """

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

    def _texts(self, messages: Iterable[Message], members: JsonMembers) -> Iterator[Message]:
        """Take the messages that are JSON objects, and give the others.

        Written for the machine: about ten calls into C for an object that is like most.
        """
        decode, usual = members.decode, self._kind.usual
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
            head, shape = NO_HEAD, usual[tuple(found)]
            if shape is None:
                form = members.form_of(found)
                if form is None:
                    yield message
                    continue
                found = members.with_places(text, found, form)
                if form.texts:
                    head, found = self._read_texts(form, found)
                shape = self._kind.objects[form].shape_of(found)
            write(message, text, found, shape, head)

    def _write_members(
        self,
        message: Message,
        text: bytes,
        found: Members,
        shape: ObjectShape[Plan],
        head: Head = NO_HEAD,
        changes: Sequence[bytes] = (),
    ) -> None:
        """Take an object, and the members that become fields."""
        joined = shape.pick(found)
        values = joined.split(BETWEEN)
        if has_several(joined):
            shape = shape.without_several(values)
        for at, convert in shape.conversions:
            values[at] = convert(values[at])
        hour, time = head.moment or self._time_of_member(values[shape.time_at], message[0])
        frame = self._frame(hour)
        if frame is not None:
            self.add_object(message, text, time, frame, shape, values, head, changes)
            self._documents += 1

    def _write_object(
        self, members: JsonMembers, message: Message, ending: bytes = b"", head: Head = NO_HEAD
    ) -> bool:
        """Take a message if it is, or ends in, a JSON object that has a form."""
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
        shape = self._kind.objects[form].shape_of(found)
        self._write_members(message, text, found, shape, head, changes)
        return True

    def _read_texts(
        self, form: JsonForm, found: Members, head: Head = NO_HEAD
    ) -> tuple[Head, Members]:
        """Give what texts among the members say, as a head does, and the members beside that."""
        for name, forms in self._kind.texts[form].items():
            try:
                text = _decode_text(found.get(name, b""))
            except msgspec.DecodeError:  # there is none
                continue
            if match := forms.match(text.encode()):
                way = forms.plans[match.lastindex]
                fields = way.fields(match.group(*way.groups))
                head = Head(
                    {**head.fields, **fields}, {**head.constants, **way.constants}, head.moment
                )
                replaced = {member for member, field in form.leaves if field in fields} | {name}
                found = {one: found[one] for one in found if one not in replaced}
        return head, found

    def _write_ending(
        self, members: JsonMembers | None, message: Message, way: AnyWay, values: Sequence[bytes]
    ) -> bool:
        """Take a message with a text before the object that it ends in."""
        text = values[way.object_at]
        if members is None or not text:
            return False
        head = Head(way.fields(values), way.constants, self._moment_of(way, values))
        return self._write_object(members, message, text, head)

    def _said_before(self, head: Head, shape: ObjectShape[Plan]) -> dict[str, bytes]:
        """Give what is implied, and what a text says and the object behind it does not."""
        form = shape.form
        implied = encoded({**self._fields, **head.constants, **form.constants})
        said = {**implied, **head.fields}
        for name, other in form.aside.items():
            if name in head.fields and name in shape.fields:
                said[other] = head.fields[name]
        return {name: said[name] for name in said if name not in shape.fields}

    def _frame(self, hour: int) -> Frame | None:
        """Give the frame of a record of this hour; None if it has expired, which is counted."""
        dated_by = self._records.hour
        frame = self._frames[hour if dated_by is None else dated_by]
        self._expired += frame is None
        return frame

    def _time_of(self, way: AnyWay, values: Sequence[bytes], number: int) -> tuple[int, bytes]:
        """Give the hour and the time that a message says, else those of its event."""
        for at in way.times_at:
            if time := values[at]:
                if way.offset_at >= 0 and (offset := values[way.offset_at]):
                    time += offset
                return times[time]
        return self._time_of_source(number)

    def _moment_of(self, way: AnyWay, values: Sequence[bytes]) -> tuple[int, bytes] | None:
        """Give the hour and the exact time that a message says, if it does."""
        if not any(values[at] for at in way.times_at):
            return None
        try:
            hour, time = self._time_of(way, values, 0)
        except (ValueError, OverflowError):
            return None
        return hour, time + way.fraction(values)

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


def encoded(fields: Mapping[str, str]) -> dict[str, bytes]:
    """Write the values of fields as JSON."""
    return {name: msgspec.json.encode(value) for name, value in fields.items()}
