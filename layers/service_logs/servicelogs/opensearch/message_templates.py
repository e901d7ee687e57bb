"""Templates that print messages as documents: for each way in which one is read, and each shape.

Values are matched as they came, and made safe for JSON together, once they are found.
"""

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import NamedTuple

from servicelogs.parsing.cache import Cache
from servicelogs.parsing.fields import FieldType
from servicelogs.parsing.json.proof import is_utf_8
from servicelogs.parsing.messages.format import (
    FRACTION,
    KIND,
    MESSAGE,
    OBJECT,
    TIME,
    JsonForm,
    Kind,
    MessageFormat,
)
from servicelogs.parsing.messages.forms import Way
from servicelogs.parsing.messages.reading import (
    HIDDEN,
    NUMBERS,
    CompiledKind,
    ReadWay,
    compile_kind,
    types_of,
)

MOST_SHAPES = 4096
ORDINARY = bytes(byte for byte in range(0x20, 0x7F) if byte not in b'"\\')
"""What stands in a JSON string as it is."""
_ORDINARY_OR_BETWEEN = b"\0" + ORDINARY
_COMMON = bytes({*range(0x20, 0x100)} | {*b"\t\n"})
"""All but control characters that are rare."""
_NOT_CONTROLS = bytes(range(0x20, 0x100))

_START = '%b%b"}}\n%b%d},'
"""Takes action line, key, frame and the record's number."""
PLAIN = (_START + '"@timestamp":"%bZ"%b%b}\n').encode()
CONTINUATION = PLAIN.replace(b"%d}", b'%d,"continuation":true}')
_START_OF_OBJECT = _START.replace("%d", "%b")
"""Takes as the number what else is said of the record too."""

type Groups = tuple[bool, ...]
"""For each group whether it has no value."""


@dataclass(frozen=True, slots=True, eq=False)
class Implied:
    """Fields that messages of one shape have without saying them."""

    constants: Mapping[str, str]
    """Those of the form."""
    replaced: frozenset[str]
    """Those of the kind, the group and the stream that the message says itself."""


class Template(NamedTuple):
    """Prints the messages in which the same groups have a value."""

    text: bytes
    """Takes action line, key, frame, number, time, fraction, constants and the groups with a value;
    `%.0b` swallows those not shown."""
    fraction_at: int
    """Which of these is the time's fraction; 0: none is, and what stands there is swallowed."""
    conversions: tuple[tuple[int, Callable[[bytes], bytes]], ...]
    implied: Implied


class ObjectTemplate(NamedTuple):
    """Prints the objects that have the same names."""

    text: bytes
    """Takes action line, key, frame, number, time, what is implied, what comes from
    splitting the values (nothing, then each of them), and the object."""
    implied: Implied


class Printer(ReadWay):
    """Prints the messages that are read in one way."""

    def __init__(self, way: Way, types: Mapping[str, FieldType], of_source: frozenset[str]) -> None:
        """Print the groups of a way; `of_source` are the fields that a source may imply."""
        super().__init__(way, types)
        self._of_source = of_source
        self._implied: Cache[frozenset[str], Implied] = Cache(
            lambda replaced: Implied(way.constants, replaced), MOST_SHAPES
        )
        self.templates: Cache[Groups, Template] = Cache(self._template, MOST_SHAPES)
        self.template = self.templates[(False,) * len(way.names)]
        """Prints those in which all groups have a value."""

    def _template(self, absent: Groups) -> Template:
        names = [name for name, no in zip(self.names, absent, strict=True) if not no]
        if MESSAGE not in names:  # an object that could not be read
            names = [MESSAGE if name == OBJECT else name for name in names]
        has_fraction = FRACTION in names
        text = f'{_START}"@timestamp":"%b{".%b" if has_fraction else "%.0b"}Z"%b'
        for at, name in enumerate(names):
            # Of a field that has several groups the first counts.
            shown = name not in HIDDEN and name not in names[:at]
            text += _member(name, self._types[name]) if shown else "%.0b"
        convert = self._convert
        return Template(
            f"{text}}}\n".encode(),
            names.index(FRACTION) if has_fraction else 0,
            tuple((at, convert[name]) for at, name in enumerate(names) if name in convert),
            self._implied[self._of_source.intersection(names)],
        )


type Printers = CompiledKind[Printer, ObjectTemplate]
"""A kind of messages, compiled."""


def printers_of(kind: Kind, log_format: MessageFormat) -> Printers:
    """Compile a kind."""
    types = types_of(log_format)
    of_source = frozenset(
        (KIND, *kind.constants, *re.findall(r"\(\?P<(\w+)>", kind.groups + kind.streams))
    )
    implied: Cache[tuple[JsonForm, frozenset[str]], Implied] = Cache(
        lambda of: Implied(of[0].constants, of[1]), MOST_SHAPES
    )

    def template(form: JsonForm, picked: int, shown: Mapping[str, int]) -> ObjectTemplate:
        fields = {place: field for field, place in shown.items() if field != TIME}
        places = range(1, picked + 1)
        members = "".join(f',"{fields[at]}":%b' if at in fields else "%.0b" for at in places)
        text = f'{_START_OF_OBJECT}"@timestamp":"%bZ"%b%.0b{members},"{form.whole}":%b}}\n'
        return ObjectTemplate(text.encode(), implied[form, of_source.intersection(shown)])

    return compile_kind(kind, lambda way: Printer(way, types, of_source), template)


def members_as_json(values: Mapping[str, bytes]) -> bytes:
    """Write members that follow others."""
    return b"".join([b',"%b":%b' % (name.encode(), value) for name, value in values.items()])


def _member(name: str, type_: FieldType) -> str:
    """Write the template of a member."""
    return f',"{name}":%b' if type_ in NUMBERS else f',"{name}":"%b"'


def converted(
    values: tuple[bytes, ...], conversions: Iterable[tuple[int, Callable[[bytes], bytes]]]
) -> tuple[bytes, ...]:
    """Convert the values at some places."""
    changed = [*values]
    for at, convert in conversions:
        changed[at] = convert(changed[at])
    return tuple(changed)


def safe_values(values: tuple[bytes, ...], *, odd: bool) -> tuple[bytes, ...]:
    """Make values safe for JSON strings; `odd` says that there may be more than is common."""
    if odd:
        return tuple([safe(value) for value in values])
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


def safe(text: bytes) -> bytes:
    """Make any bytes safe for a JSON string."""
    if not text.isascii():
        text = text.decode("utf-8", "replace").encode()
    text = text.replace(b"\\", rb"\\").replace(b'"', rb"\"").replace(b"\n", rb"\n")
    # Each at once: a text may consist of nothing else.
    for control in {*text.translate(None, _NOT_CONTROLS)}:
        text = text.replace(bytes([control]), b"\\u%04x" % control)
    return text


def what_is_in(text: bytes) -> tuple[bool, bool]:
    """Say whether there is in a text what JSON escapes, and whether that is more than common."""
    care = bool(text.translate(None, ORDINARY))
    return care, care and (bool(text.translate(None, _COMMON)) or not is_utf_8(text))
