"""The vocabulary of delimited text: what a column may hold, and what it becomes.

A value comes in variants (an IPv4 address, a URL with a query …) that exclude each other and null,
and each variant has groups that always take part.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Literal, NamedTuple
from urllib.parse import unquote_to_bytes

import msgspec

from servicelogs.dates import iso_hour, read_iso_hour
from servicelogs.parsing.fields import Field, FieldType

Kind = Literal["string", "number", "list", "first", "last", "hidden"]
"""What a group holds: a `list` is cut into items, `first` and `last` are items themselves, and what
is `hidden` is not a value of the document but helps to find its time."""


class Group(NamedTuple):
    """A group of a pattern, and what it becomes; no field: it only helps to find the time."""

    field: Field | None
    kind: Kind = "string"
    optional: bool = False
    """The group may take no part though its variant does."""
    convert: Callable[[bytes], bytes] | None = None
    """Makes of the value what the field has; both are as between the quotes of a JSON string."""


class Variant(NamedTuple):
    r"""One kind of value.

    In the pattern `<end>` stands, in a set, for the characters that end the value (the separator,
    or a quote): `[^<end>]` is a character of the value, `[^<end>-]` one that is not a `-` either.
    """

    pattern: str
    groups: tuple[Group, ...]
    otherwise: bool = False
    """It takes what no variant before it takes; the others exclude each other by their patterns."""
    quotes: int | None = 0
    """So many quotes its pattern takes; None: any number, where no variant before it fits."""
    marks: str = ""
    """Characters: what has one of them is of this variant, if of any; empty: there are none."""


@dataclass(frozen=True, slots=True)
class Column:
    """One column of a line."""

    name: str
    variants: tuple[Variant, ...]
    null: str = "-"
    """The pattern of the null tokens."""
    quoted: bool = False
    since: str = ""
    separator: str = ""
    """For a list: what is between its items."""
    read_time: Callable[[bytes], tuple[int, bytes]] | None = None
    """For a time: the hour (from 1970) that the first group means, and the time as ISO 8601 as far
    as it goes; a second group is the rest of it (`:14:55.123`)."""
    expects: str = ""
    """What stands there, in plain words; empty: any value, as far as quotes and separators let."""
    date: str = ""
    """For a time of day: the column with its date; what `moment` reads is `date`T`first group`."""
    in_json: "Column | None" = None
    """What it is as the value of a JSON member, where a line has it in another way."""


def snake(name: str) -> str:
    """Write AWS's name of a column as a document has it: `cs(User-Agent)` is `cs_user_agent`.

    A dot stays: it stands for nesting.
    """
    return re.sub(r"[^0-9A-Za-z.]+", "_", name).strip("_").lower()


EMPTY = Variant("()", (Group(None),))
"""Nothing between quotes is no value; it is rare, and a variant of its own."""


def _plain(name: str, field: Field, *, quoted: bool = False, since: str = "") -> Column:
    """Take any value; one that starts like null is rare, and a variant of its own."""
    groups = (Group(field),)
    return Column(
        name,
        (Variant(r"([^<end>-][^<end>]*+)", groups), Variant(r"(-[^<end>]++)", groups)),
        quoted=quoted,
        since=since,
    )


class Form(NamedTuple):
    """What a word looks like, where another may stand in its place."""

    pattern: str
    expects: str
    """The same in plain words."""


CIPHER = Form(r"[0-9A-Z]{2}[^<end>a-z]*+", "a TLS cipher, as TLS_AES_128_GCM_SHA256")
TLS_VERSION = Form(r"[TtSs][LlSs][SsLl][vV][0-9][0-9.]*+", "a TLS version, as TLSv1.3")
WORD = r"[^<end>-][^<end>]*+|-[^<end>]++"
"""The pattern of any word but null."""


def keyword(name: str, description: str, *, since: str = "", form: Form | None = None) -> Column:
    """A word; with a form only such a one, but in JSON, where a name says what a value is."""
    field = Field(snake(name), "keyword", description, since)
    column = _plain(name, field, since=since)
    if form is None:
        return column
    variant = Variant(f"({form.pattern})", (Group(field),))
    return replace(column, variants=(variant,), in_json=column, expects=form.expects)


def ip(name: str, description: str, *, since: str = "") -> Column:
    """An IP address."""
    return _plain(name, Field(snake(name), "ip", description, since), since=since)


def timestamp(name: str, description: str, *, since: str = "") -> Column:
    """A time beside the record's own, ISO 8601."""
    return _plain(name, Field(snake(name), "timestamp", description, since), since=since)


def timestamp_in_utc(name: str, description: str, *, since: str = "") -> Column:
    """A time beside the record's own, ISO 8601 without Z; the document has it with one."""
    field = Field(snake(name), "timestamp", description, since)
    local = Variant(r"(\d{4}-\d\d-\d\dT[0-9:.]+)", (Group(field, convert=_with_z),))
    return Column(
        name, (local, Variant(r"([^<end>]+)", (Group(field),), otherwise=True)), since=since
    )


def _with_z(value: bytes) -> bytes:
    return value + b"Z"


def _number(type_: FieldType, pattern: str, expects: str, null: str = "-") -> Callable[..., Column]:
    def column(name: str, description: str, *, since: str = "") -> Column:
        group = Group(Field(snake(name), type_, description, since), "number")
        return Column(name, (Variant(pattern, (group,)),), null, since=since, expects=expects)

    return column


# As JSON writes numbers, in one way only: what can be read in several makes a line that does not
# fit be tried in all of them.
integer = _number("integer", r"(0|[1-9]\d{0,8}+)", "a whole number of at most 9 digits")
long = _number("long", r"(0|[1-9]\d{0,17}+)", "a whole number of at most 18 digits")
signed = _number("integer", r"(-?[1-9]\d{0,8}+|0)", "a whole number, which may be negative")
seconds = _number(
    "float", r"((?:0|[1-9]\d{0,8}+)(?:\.\d{1,18}+)?+)", "a number of seconds, as 0.004", "-1?"
)


def text(name: str, description: str, *, since: str = "") -> Column:
    """A value in quotes that may hold spaces; none if it is empty."""
    column = _plain(name, Field(name, "keyword", description, since), quoted=True, since=since)
    return replace(column, variants=(*column.variants, EMPTY))


def items(name: str, description: str, *, separator: str = ",", since: str = "") -> Column:
    """Several values in quotes; the document has them as a list, none if it is empty."""
    field_ = Field(f"{name}[]", "keyword", description, since)
    item = f'[^"{separator}]*+'
    return Column(
        name,
        (
            # One or two items are by far the most common, and need no work.
            Variant(f'([^"{separator}-]{item})', (Group(field_),)),
            Variant(
                f"({item}){separator}({item})", (Group(field_, "first"), Group(field_, "last"))
            ),
            Variant(f"({item}{separator}{item}{separator}[^<end>]*)", (Group(field_, "list"),)),
            Variant(f'(-[^"{separator}]+)', (Group(field_),)),
            EMPTY,
        ),
        quoted=True,
        since=since,
        separator=separator,
        expects="a list in quotes",
    )


def quotes_optional(column: Column, *, bare: str) -> Column:
    """Take a value in quotes also without them, if it has the pattern `bare`."""

    def in_quotes(variant: Variant) -> Variant:
        return variant._replace(pattern=f'"{variant.pattern.replace("<end>", '"')}"', quotes=2)

    without = Variant(f"({bare})", column.variants[0].groups)
    # A variant of its own: the quotes in the pattern of null are counted.
    dash = Variant("(-)", (Group(None),))
    return replace(
        column,
        variants=(*map(in_quotes, column.variants), without, dash),
        null=f'"{column.null}"',
        quoted=False,
        in_json=column,
        expects=f"{column.expects or 'text in quotes'}, or without them",
    )


def quoted_items(name: str, description: str, *, since: str = "") -> Column:
    """Several words, each in quotes, with commas between; the list may be cut at its end."""
    groups = (Group(Field(f"{snake(name)}[]", "keyword", description, since)),)
    item = r'[^<end>"]+'

    def variant(items: int) -> Variant:
        # What is between two items is what JSON has there.
        return Variant(f'"({'","'.join([item] * items)})"', groups, quotes=2 * items)

    rest = rf'"({item}(?:","{item})*+)(?:"(?:,"?)?)?'
    empty = Variant('("")', (Group(None),), quotes=2)
    others = Variant(rest, groups, otherwise=True, quotes=None)
    variants = (*map(variant, (1, 2, 3)), empty, others)
    return Column(
        name, variants, since=since, expects='words in quotes with commas between: "a","b"'
    )


def json_items(name: str, description: str, *, since: str = "") -> Column:
    """Several words as JSON has them: an array, or a string with each in quotes."""
    field = Field(f"{snake(name)}[]", "keyword", description, since)
    return Column(
        name, (Variant(r"([^<end>]+)", (Group(field, convert=_json_items),)),), since=since
    )


_quote_or_backslash = re.compile(rb"\\(?:u0022|(\\))")


def _json_items(value: bytes) -> bytes:
    # A backslash stands for itself with the one behind it: `\\u0022` holds no quote.
    unquoted = _quote_or_backslash.sub(lambda one: one[0] if one[1] else b"", value)
    items = unquoted.removeprefix(b"[").removesuffix(b"]").split(b",")
    return b'","'.join(filter(None, map(bytes.strip, items)))


def decoded(name: str, description: str, *, since: str = "") -> Column:
    """A word that AWS percent-encodes; the document has it decoded, once."""
    return decoded_as(Field(snake(name), "keyword", description, since), name, percent_decoded)


def decoded_as(field: Field, name: str, convert: Callable[[bytes], bytes]) -> Column:
    """Take any value; one with a `%` is converted."""
    plain, encoded = (Group(field),), (Group(field, convert=convert),)
    variants = (
        Variant(r"([^<end>%-][^<end>%]*+)", plain),
        Variant(r"([^<end>%]*+%[^<end>]*+)", encoded, marks="%"),
        Variant(r"(-[^<end>%]++)", plain),
    )
    return Column(name, variants, since=field.since)


def _decoded_ascii() -> dict[bytes, bytes]:
    """Give what a JSON string has for each character of ASCII, by its digits behind a `%`."""
    codes = range(0x80)
    safe = {code: msgspec.json.encode(chr(code))[1:-1] for code in codes}
    spellings = ((f"{code:02X}", f"{code:02x}", code) for code in codes)
    return {digits.encode(): safe[code] for *both, code in spellings for digits in both}


_DECODED_ASCII = _decoded_ascii()


def percent_decoded(value: bytes) -> bytes:
    """Decode a value once; what is not UTF-8 then is replaced."""
    first, *others = value.replace(b"%20", b" ").split(b"%")
    if not others:
        return first
    if b"\\" in value:
        value = msgspec.json.decode(b'"%b"' % value, type=str).encode()
    else:
        try:
            return b"".join([first, *[_DECODED_ASCII[one[:2]] + one[2:] for one in others]])
        except KeyError:  # not ASCII, or no digits: rare
            pass
    return msgspec.json.encode(unquote_to_bytes(value).decode(errors="replace"))[1:-1]


def quotes_escaped(value: bytes) -> bytes:
    """Escape the quotes that AWS leaves inside a value in quotes."""
    return value.replace(b'"', b"\\u0022")


def validity(name: str, description: str, *, since: str = "") -> Column:
    """From when to when a certificate is valid, `NotBefore=…;NotAfter=…`."""
    stem = name.removesuffix("_validity")
    before, after = (
        Group(Field(f"{stem}_not_{end}", "timestamp", f"{description}: valid {of}", since))
        for end, of in (("before", "from"), ("after", "until"))
    )
    whole = Group(Field(name, "keyword", f"{description}: validity, if it is not two times", since))
    two = Variant(r"NotBefore=([0-9][^<end>;]*);NotAfter=([0-9][^<end>;]*)", (before, after))
    return Column(name, (two, Variant(r"([^<end>]+)", (whole,), otherwise=True)), since=since)


_PORT = r"(0|[1-9]\d{0,4}+)"
_ENDPOINTS = (rf"([0-9.]++):{_PORT}", rf"\[?([0-9A-Fa-f.]*:[0-9A-Fa-f.:]*?)\]?:{_PORT}")
"""The patterns of an IPv4 and of an IPv6 address with its port."""


def endpoint(name: str, description: str, *, since: str = "") -> Column:
    """An address and port: `192.0.2.1:443`, `[2001:db8::1]:443`, `2001:db8::1:443`."""
    groups = (
        Group(Field(f"{name}_ip", "ip", f"{description}: address", since)),
        Group(Field(f"{name}_port", "integer", f"{description}: port", since), "number"),
    )
    variants = tuple(Variant(pattern, groups) for pattern in _ENDPOINTS)
    return Column(name, variants, since=since, expects="an IP address and port, as 192.0.2.1:443")


def endpoint_or_name(name: str, prefix: str, description: str) -> Column:
    """What may be an address and port or a name; the address and port are fields of their own."""
    whole = Group(Field(name, "keyword", description))
    address = Group(Field(f"{prefix}_ip", "ip", f"{prefix}: address"))
    port = Group(Field(f"{prefix}_port", "integer", f"{prefix}: port"), "number")
    endpoints = (Variant(f"({pattern})", (whole, address, port)) for pattern in _ENDPOINTS)
    return Column(name, (*endpoints, Variant(r"([^<end>]+)", (whole,), otherwise=True)))


def request(name: str, description: str) -> Column:
    """A request line, `METHOD URL PROTOCOL`; the URL may hold spaces, and have no port or host."""

    def group(suffix: str, meaning: str, kind: Kind = "string") -> Group:
        type_: FieldType = "integer" if kind == "number" else "keyword"
        return Group(Field(f"{name}_{suffix}", type_, f"{description}: {meaning}"), kind)

    verb, protocol = group("verb", "method"), group("proto", "protocol version")
    url = group("url", "URL as requested")
    host, port = group("host", "host in the URL"), group("port", "port in the URL", "number")
    path = group("path", "path in the URL")
    query = group("query", "query string in the URL")._replace(optional=True)
    word = r"([^ \"-][^ \"]*+)"
    origin = r"[A-Za-z][A-Za-z0-9+.-]*+://(\[[0-9A-Fa-f:.]*+\]|[^]/:?\"\[ ]++)"
    local = r"(/[^? \"]*+)(?:\?([^ \"]*+))?"
    spaced = r"(/[^?\"]*)?(?:\?([^<end>]*))?"
    whole = (verb, url, host, port, path, query, protocol)
    without_port = (verb, url, host, path, query, protocol)
    some = tuple(one._replace(optional=one in (port, path, query)) for one in whole)
    path_or_any = r"(/[^?\"]*)(?:\?([^<end>]*))?|[^<end>/][^<end>]*"
    of_any = (verb, *(one._replace(optional=True) for one in (url, path, query)), protocol)
    return Column(
        name,
        (
            Variant(rf"{word} ({origin}:{_PORT}{local}) {word}", whole),
            Variant(rf"{word} ({origin}{local}) {word}", without_port),
            Variant(rf"{word} ({origin}(?::{_PORT})?{spaced}) {word}", some, otherwise=True),
            Variant(r"- ([^<end>]+) - ?", (url,), otherwise=True),
            Variant(rf"{word} ({path_or_any})? {word} ?", of_any, otherwise=True),
            Variant(r"([^<end>]+)", (url,), otherwise=True),
            EMPTY,
        ),
        null="-|- - - ?",
        quoted=True,
        expects="a request line in quotes",
    )


def time(name: str, description: str) -> Column:
    """The record's time, ISO 8601 in UTC with or without Z; in documents it is `@timestamp`."""
    pattern = r"(\d{4}-\d\d-\d\dT\d\d)(:[0-5]\d:[0-5]\d(?:\.\d{1,9})?)Z?"
    field = Field(name, "timestamp", description, alias_of="@timestamp")
    groups = (Group(field, "hidden"), Group(None, "hidden"))
    expects = "a time in UTC, as 2026-11-20T08:14:55Z"
    return Column(name, (Variant(pattern, groups),), read_time=read_iso_hour, expects=expects)


def date(name: str, description: str) -> Column:
    """The date of a time of day, `2026-11-20`."""
    field = Field(name, "timestamp", description, alias_of="@timestamp")
    variant = Variant(r"(\d{4}-\d\d-\d\d)", (Group(field, "hidden"),))
    return Column(name, (variant,), expects="a date, as 2026-11-20")


def time_of_day(name: str, description: str, *, date: str) -> Column:
    """The record's time in UTC, `08:14:55`, whose date is in another column."""
    field = Field(name, "timestamp", description, alias_of="@timestamp")
    groups = (Group(field, "hidden"), Group(None, "hidden"))
    variant = Variant(r"(\d\d)(:[0-5]\d:[0-5]\d(?:\.\d{1,9})?)", groups)
    expects = "a time of day, as 08:14:55"
    return Column(name, (variant,), read_time=read_iso_hour, date=date, expects=expects)


def epoch_millis(name: str, description: str) -> Column:
    """The record's time in milliseconds since 1970; the document has it as `@timestamp`."""
    field = Field(snake(name), "timestamp", description, alias_of="@timestamp")
    groups = (
        Group(field, "hidden", convert=_hour_of_millis),
        Group(None, "hidden", convert=_rest_of_millis),
    )
    variant = Variant(r"((0|[1-9]\d{0,12}+))", groups)
    expects = "milliseconds since 1970, as 1795162495123"
    return Column(name, (variant,), read_time=read_iso_hour, expects=expects)


def _hour_of_millis(value: bytes) -> bytes:
    return iso_hour(int(value) // 3_600_000)


def _rest_of_millis(value: bytes) -> bytes:
    seconds, millis = divmod(int(value) % 3_600_000, 1000)
    return b":%02d:%02d.%03d" % (*divmod(seconds, 60), millis)


def epoch_seconds(name: str, description: str, *, since: str = "") -> Column:
    """A time in whole seconds since 1970."""
    field = Field(snake(name), "timestamp", description, since, date_format="epoch_second")
    group = Group(field, "number")
    seconds_ = Variant(r"(0|[1-9]\d{0,10}+)", (group,))
    expects = "seconds since 1970, as 1795162495"
    return Column(name, (seconds_,), since=since, read_time=_epoch_second, expects=expects)


def epoch_time(name: str, description: str) -> Column:
    """The record's time in seconds since 1970 with a fraction; it is `@timestamp` in documents."""
    field = Field(snake(name), "timestamp", description, alias_of="@timestamp")
    groups = (Group(field, "hidden"), Group(None, "hidden", optional=True))
    variant = Variant(r"(0|[1-9]\d{0,10}+)(\.\d{1,9}+)?", groups)
    expects = "seconds since 1970, as 1795162495.123"
    return Column(name, (variant,), read_time=_epoch_second, expects=expects)


def encoded_lines(name: str, description: str, *, since: str = "") -> Column:
    """A list that AWS percent-encodes, each item ending in a line feed."""
    field = Field(f"{snake(name)}[]", "keyword", description, since)
    groups = (Group(field, convert=_encoded_lines),)
    return Column(
        name, (Variant(r"([^<end>-][^<end>]*+)", groups), Variant(r"(-[^<end>]++)", groups))
    )


_encoded_line_feed = re.compile(rb"%0[Aa]")


def _encoded_lines(value: bytes) -> bytes:
    # Nearly always nothing but the ends of items and spaces is encoded.
    plain = value.removesuffix(b"%0A").replace(b"%0A", b'","').replace(b"%20", b" ")
    if b"%" not in plain and b'""' not in plain:
        return plain
    items = map(percent_decoded, _encoded_line_feed.split(value))
    return b'","'.join(filter(None, items))


_SECONDS = tuple(b":%02d:%02d" % divmod(second, 60) for second in range(3600))
"""How each second of an hour is written."""


def _epoch_second(text: bytes) -> tuple[int, bytes]:
    hour, second = divmod(int(text), 3600)
    return hour, iso_hour(hour) + _SECONDS[second]
