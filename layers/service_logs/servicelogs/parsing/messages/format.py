"""How a format of messages is declared: kinds of logs, and the forms that their messages have.

The log group's name says which kind a log is. A form is a regular expression whose named groups are
fields of the document; what has no form is a document with its message and kind all the same.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import ClassVar, Literal, NamedTuple, override

from servicelogs.parsing.fields import Field
from servicelogs.parsing.format import Format
from servicelogs.records import Source

TIME, FRACTION, OFFSET = "time", "fraction", "offset"
"""Groups that say when it happened, and are no fields: the time up to its second (times.py), the
digits of the fraction, the distance from UTC (`+02:00`). Without them the event's own time counts,
as it does where the time does not exist."""
OBJECT = "json_object"
"""Group that is a JSON object: it is read as a message that is one, and its members take the place
of the form's fields. Where it cannot be read it is the message, if no other group is."""
MESSAGE = "message"
KIND = "kind"
NOTHING = "(?!)"
"""A regular expression that nothing matches."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Form:
    """A form that messages have.

    All groups that capture have a name, a field's; several may have the same. The expression must
    match the whole message. Where there are inner forms it matches only the beginning, in one way
    (atomically): the rest has one of these, or else is the `message`. It holds for any bytes: `.`
    matches line feeds too; `^` and `$` have no meaning. What may be long is matched possessively
    (`[^,]*+`) or by `.*` at the end, so that no message takes longer than its length.
    """

    pattern: str
    inner: tuple["Form", ...] = ()
    constants: Mapping[str, str] = field(default_factory=dict)
    """Fields that this form implies; they take the place of those that the kind has."""
    convert: Mapping[str, Callable[[bytes], bytes]] = field(default_factory=dict)
    """What makes of a group's bytes the value of the field: for text that quotes something."""


@dataclass(frozen=True, kw_only=True, eq=False)
class JsonForm:
    """A form of messages that are JSON objects.

    `whole` is the free-form field under which the object lies as it is. A member is copied to a
    field if it has a single value there, not an object or list: no value breaks the mapping.
    """

    whole: str
    members: tuple[tuple[str, str], ...]
    """Where a member is (`metrics.durationMs`), and the field that it becomes; the same field may
    be several members, of which the first that is there counts. `time` is the event's time. A name
    stands in one place alone, in whatever object that is."""
    when: Mapping[str, str] = field(default_factory=dict)
    """A member of the message itself → regular expression of all its text; where it does not match
    the next form counts."""
    constants: Mapping[str, str] = field(default_factory=dict)
    convert: Mapping[str, Callable[[bytes], bytes]] = field(default_factory=dict)
    """What makes of a member's JSON the field's."""
    texts: Mapping[str, tuple[Form, ...]] = field(default_factory=dict)
    """Members that are texts, and the forms that these have: the fields of a form take the place of
    the member, and of other members that are the same field."""
    aside: Mapping[str, str] = field(default_factory=dict)
    """Fields of the text before an object, and what they are where a member is the same field."""

    @cached_property
    def places(self) -> tuple[str, ...]:
        """The paths of the objects inside of a message in which members are, outer ones first."""
        split = (member.split(".") for member, _ in self.members)
        return tuple(
            dict.fromkeys(
                ".".join(names[:depth]) for names in split for depth in range(1, len(names))
            )
        )

    @cached_property
    def leaves(self) -> tuple[tuple[str, str], ...]:
        """The name of each member, and the field that it becomes."""
        return tuple((name_of(member), field) for member, field in self.members)


class Inside(NamedTuple):
    """How an event is taken apart that holds several records."""

    begins: str
    """A regular expression of how such an event begins."""
    between: str
    """A regular expression of what stands between its records: it is left out, and what it looks
    ahead at is a record's beginning. A group in it is a record of its own."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Kind:
    """A kind of log, which has a log group of its own."""

    name: str
    groups: str
    """A regular expression of the whole name of its log groups; its named groups are fields."""
    streams: str = ""
    """The same of the beginning of its log streams' names, where that says something."""
    forms: tuple[Form, ...] = ()
    """The first that a message has counts."""
    json_forms: tuple[JsonForm, ...] = ()
    constants: Mapping[str, str] = field(default_factory=dict)
    """Fields that are the same in all documents."""
    begins: str = ""
    """A regular expression of how records begin, where they may go on in the events that follow;
    empty: every event is a record."""
    continues: str = NOTHING
    """A regular expression of how events begin that continue a record, whatever they look like."""
    inside: tuple["Inside", ...] = ()
    """How events that hold several records are taken apart, one way after the other."""
    unfinished: str = ""
    """A regular expression of all of an event that is no record yet: the next one goes on with it,
    whatever it looks like."""


def name_of(path: str) -> str:
    """Give the name at the end of a path."""
    return path.rpartition(".")[2]


class Origin(NamedTuple):
    """What the names of its log group and stream say of a log."""

    kind: Kind | None
    """None: they do not say which kind it is."""
    fields: Mapping[str, str]
    """Fields that are the same in all documents."""


@dataclass(frozen=True, kw_only=True, eq=False)
class MessageFormat(Format):
    """Messages of log events, of several kinds of logs."""

    kind: ClassVar[Literal["text", "json", "messages"]] = "messages"

    declared: tuple[Field, ...]
    kinds: tuple[Kind, ...]
    kinds_with: Callable[[tuple[str, ...]], tuple[Kind, ...]] | None = None
    """The kinds when the option has this value (as words); a ConfigurationError if it cannot."""

    @property
    @override
    def fields(self) -> tuple[Field, ...]:
        return self.declared

    @cached_property
    def any_kind(self) -> Kind:
        """The kind of logs whose group is not known: a message may have the forms of all."""
        named = [one for one in self.kinds if one.begins]
        return Kind(
            name="",
            groups=NOTHING,
            forms=tuple(_of_kind(form, kind) for kind in self.kinds for form in kind.forms),
            json_forms=tuple(
                _of_kind(form, kind) for kind in self.kinds for form in kind.json_forms
            ),
            begins="|".join(f"(?:{kind.begins})" for kind in named),
            continues="|".join(f"(?:{kind.continues})" for kind in named) or NOTHING,
            inside=tuple(dict.fromkeys(way for kind in self.kinds for way in kind.inside)),
            unfinished="|".join(f"(?:{kind.unfinished})" for kind in named if kind.unfinished),
        )

    @override
    def with_fields(self, names: tuple[str, ...]) -> Format:
        if self.kinds_with is None:
            return super().with_fields(names)
        return replace(self, kinds=self.kinds_with(names))

    def origin(self, source: Source) -> Origin:
        """Find the kind of log that a source is, and the fields that its names give."""
        for kind in self.kinds:
            if group := re.fullmatch(kind.groups, source.log_group):
                matches = filter(None, (group, re.match(kind.streams, source.log_stream)))
                found = (pair for match in matches for pair in match.groupdict().items())
                named = {name: text for name, text in found if text}
                return Origin(kind, {KIND: kind.name, **kind.constants, **named})
        return Origin(None, {})


def _of_kind[AnyForm: (Form, JsonForm)](form: AnyForm, kind: Kind) -> AnyForm:
    """Give a form that says of which kind it is."""
    constants = {KIND: kind.name, **kind.constants, **form.constants}
    return replace(form, constants=constants)
