"""JSON records as documents: a record goes into the search engine as AWS wrote it.

It is decoded once, for what we must know (its id, its time, the sub-fields that get fields of their
own) and because only what is JSON may enter a bulk body; the bytes then go through as they are
(`JsonDocuments.take`, the hot loop). A record of which that cannot be is decoded whole and written
anew (`write`): one over several lines, with a value where an object must be, a leaf too long for a
term, names that we add ourselves.
"""

import json
from collections.abc import Callable, Iterable, Iterator
from itertools import repeat
from operator import attrgetter
from typing import Annotated, Any

import msgspec

from servicelogs.opensearch.encoder import DocumentEncoder
from servicelogs.opensearch.fitting import MOST_TERM_BYTES, OBEYED, fit
from servicelogs.opensearch.frames import MOST_ID_BYTES, Frames
from servicelogs.parsing.cache import Cache
from servicelogs.parsing.frame import PROMOTED, RESERVED
from servicelogs.parsing.json.format import JsonFormat
from servicelogs.parsing.json.proof import decode_compact, decoded_items
from servicelogs.parsing.json.values import (
    encode,
    iso_second,
    promoted_of,
    read_iso_time,
    strings_at,
    time_in,
    wanted_headers,
)

# A record that cannot nest deeper than 150 objects and 300 arrays goes through without a walk: a
# node bore 250 objects with 375 arrays in them. In its first bytes a record opens at most
# one object in four (`{"":`), in its last bytes it ends at most one in one; between them the ends
# are counted. An array takes two bytes.
FIRST_BYTES, LAST_BYTES, MOST_ENDS = 600, 100, 50
MOST_ARRAYS = 300
_MOST_TIMES = 10_000
# Of an id in quotes: that of an empty one, and of the longest that may stand in an action line.
_EMPTY, _MOST_QUOTED_ID = 2, MOST_ID_BYTES + 2
# As numbers: a byte is looked for many times faster than bytes of length one.
_QUOTE, _BACKSLASH, _BRACE_ENDS, _BRACKET, _BRACKET_ENDS = b'"\\}[]'

_ABSENT = msgspec.Raw(b"")
_Nothing = Annotated[int, msgspec.Meta(ge=1, le=0)]
"""No value, null neither, is of this type: a record with such a member is decoded whole."""
_encode_members = msgspec.json.Encoder().encode

_DOCUMENT_START = b'%b%b}}\n%b%d},"@timestamp":%b,%b'
"""Takes action line, id in quotes, frame, record's number, time and promoted fields."""
_CHANGED_DOCUMENT_START = b'%b%b}}\n%b%d,"original":%b,"adjusted":%b},"@timestamp":%b,%b'
"""The same, with what was changed as it was delivered, and its names, behind the number."""
_PROMOTED_MEMBER = b'"%b":%%b,' % PROMOTED.encode()

type Time = tuple[int, bytes]
"""The hour (from 1970), and the time as it is printed, as far as records share it."""


class _Header(msgspec.Struct, gc=False):
    """One element of a list of headers."""

    name: str
    value: msgspec.Raw


class Members:
    """What must be known of a format's records before they go through as they are."""

    def __init__(self, log_format: JsonFormat, *, with_places: bool) -> None:
        """Take what names account and Region among it, where the source does not say them."""
        self.log_format = log_format
        top = [name for name in log_format.places if with_places and "." not in name]
        self.decoder = _decoder(log_format, top)
        """Decodes that alone; a free-form value must be an object or null there, and a name of ours
        must not be there."""
        self.place: Callable[[Any], tuple[bytes, ...]] = _places(len(top))
        """Gives the values that name account and Region."""
        self.promoted = _promoted(log_format)
        """Writes the member `request` of what was decoded."""


class JsonDocuments(DocumentEncoder):
    """The documents of one source's records."""

    def __init__(self, members: Members, frames: Frames) -> None:
        super().__init__(frames)
        self.decoder = members.decoder
        self._members = members
        self._format = members.log_format

    def take(self) -> Iterator[int]:
        """Append documents of records that may go through as they are; give the others' numbers.

        Written for the machine: what is asked of each record is asked in place, without a call.
        """
        body, start, promoted = self._body, _DOCUMENT_START, self._members.promoted
        milliseconds = self._format.in_milliseconds
        frames, dated_by = self._frames, self._records.hour
        frames_of_place, by_record = self._frames_of_place, self._by_record
        place = self._members.place
        times: Cache[Any, Time] = _seconds if milliseconds else _iso_times
        source_id = self.source.id.encode()
        may_nest = bool(self._format.free_form)
        documents = expired = 0
        for number, key, record, members in self._rows():
            if members is None:
                record, members = decode_compact(record, self.decoder)
            if (
                members is None
                or len(record) > MOST_TERM_BYTES
                or (
                    may_nest
                    and (
                        record.count(_BRACE_ENDS, FIRST_BYTES, -LAST_BYTES) > MOST_ENDS
                        # Most have their brackets, if any, near each other: there are few then.
                        or (
                            record.rfind(_BRACKET_ENDS) - record.find(_BRACKET) > 2 * MOST_ARRAYS
                            and record.count(_BRACKET) > MOST_ARRAYS
                        )
                    )
                )
            ):
                yield number
                continue
            id_ = bytes(members.id)
            size = len(id_)
            if size <= _EMPTY:
                way = b'"%b-%d"' if key is None else b'"%b-%b"'
                id_ = way % (source_id, number if key is None else key)
            elif id_[0] != _QUOTE or _BACKSLASH in id_ or size > _MOST_QUOTED_ID:
                yield number
                continue
            time, rest = members.time, 0
            if milliseconds:  # what records share is the second
                time, rest = divmod(time, 1000)
            try:
                hour, printed = times[time]
                hour = hour if dated_by is None else dated_by
                frame = frames_of_place[hour, place(members)] if by_record else frames[hour]
            except (ValueError, OverflowError):
                yield number
                continue
            if frame is None:
                expired += 1
                continue
            if milliseconds:
                printed = b'%b%03dZ"' % (printed, rest)
            # Three short appends copy a record once; one long template copies it three times.
            body += start % (frame.action, id_, frame.head, number, printed, promoted(members))
            body += record[1:]
            body += b"\n"
            documents += 1
        self._documents += documents
        self._expired += expired

    def _rows(self) -> Iterator[tuple[int, bytes | None, bytes, Any]]:
        """Give number, key, bytes and what was decoded of each record that is not skipped."""
        records, skipped = self._records, self._skipped
        numbers = records.numbers()[skipped:]
        items, decoded = decoded_items(records, skipped, self.decoder)
        keys = repeat(None, len(numbers)) if records.keys is None else records.keys[skipped:]
        return zip(numbers, keys, items, decoded, strict=True)

    def write(self, number: int, record: dict[str, Any]) -> None:
        """Append the document of a decoded record, written anew so that it fits."""
        log_format = self._format
        hour, printed = _iso_times[time_in(record, log_format, self._records.time(number))]
        if self._records.hour is not None:
            hour = self._records.hour
        if self._by_record:
            named = tuple(strings_at(record, log_format.places))
            frame = self._frames_of_place[hour, tuple(map(encode, named))]
        else:
            frame = self._frames[hour]
        if frame is None:
            self._expired += 1
            return
        id_ = next(strings_at(record, log_format.ids), "")
        if not _is_id(id_):
            id_ = f"{self.source.id}-{self._records.key(number)}"
        promoted = promoted_of(record, log_format)
        original = fit(record, log_format)
        own = encode(record)[1:]  # it may raise: nothing is appended before
        changes = (encode(original), encode([*original])) if original else ()
        start = _CHANGED_DOCUMENT_START if original else _DOCUMENT_START
        self._body += start % (
            frame.action,
            encode(id_),
            frame.head,
            number,
            *changes,
            printed,
            _PROMOTED_MEMBER % encode(promoted) if promoted else b"",
        )
        self._body += b"%b\n" % own
        self._documents += 1


def _iso_time(time: str) -> Time:
    """Read a time in ISO 8601; a ValueError if it is not one."""
    hour, _ = read_iso_time(time)
    return hour, b'"%b"' % time.encode()


def _second(seconds: int) -> Time:
    """Read seconds since 1970; the milliseconds and a quote are still to follow."""
    return seconds // 3600, b'"%b.' % iso_second(seconds).encode()


_iso_times = Cache(_iso_time, _MOST_TIMES)
_seconds = Cache(_second, _MOST_TIMES)


def _decoder(log_format: JsonFormat, places: Iterable[str] = ()) -> msgspec.json.Decoder[Any]:
    """Decode the time, the id, free-form fields, the list of headers, and what is not let through.

    That is our own names, and those of the engine's that it would obey.
    """
    members: list[Any] = [("time", int if log_format.in_milliseconds else str)]
    if log_format.headers:
        top, inner = log_format.header_list
        members.append((top, msgspec.defstruct(top, [(inner, list[_Header])], gc=False)))
    members += [("id", msgspec.Raw, _ABSENT)] if log_format.ids else []
    members += _objects(log_format.free_form, log_format.promoted)
    elsewhere = {f"_{i}": name for i, name in enumerate((*RESERVED, *OBEYED))}
    members += [(attribute, _Nothing, 0) for attribute in elsewhere]
    of_places = {f"place_{i}": name for i, name in enumerate(places)}
    members += [(attribute, msgspec.Raw, _ABSENT) for attribute in of_places]
    renamed = elsewhere | of_places | {"time": log_format.times[0]}
    no_id = {"id": _ABSENT}
    if log_format.ids:
        renamed["id"] = log_format.ids[0]
        no_id = {}
    struct = msgspec.defstruct(log_format.name, members, rename=renamed, namespace=no_id, gc=False)
    return msgspec.json.Decoder(struct)


def _places(number: int) -> Callable[[Any], tuple[bytes, ...]]:
    names = [f"place_{i}" for i in range(number)]
    return lambda members: tuple([bytes(getattr(members, name)) for name in names])


def _objects(paths: Iterable[str], promoted: Iterable[str]) -> list[Any]:
    """Make members for paths that must lead to an object, through objects, or end at a null."""
    inner: dict[str, list[str]] = {}
    for path in paths:
        top, _, rest = path.partition(".")
        inner.setdefault(top, []).extend([rest] if rest else [])
    ours = [path.partition(".") for path in promoted]
    return [
        (top, _object(top, _objects(rests, ()), [name for t, _, name in ours if t == top]), None)
        for top, rests in inner.items()
    ]


def _object(name: str, members: list[Any], promoted: Iterable[str]) -> Any:
    """Make the type of a member; what is promoted of it is what its encoding gives."""
    raw = [(one, msgspec.Raw, _ABSENT) for one in promoted]
    return msgspec.defstruct(name, [*members, *raw], gc=False, omit_defaults=True) | None


def _promoted(log_format: JsonFormat) -> Callable[[Any], bytes]:
    """Give what writes the member `request` of a record with these members."""
    if log_format.headers:
        top, inner = log_format.header_list
        return _from_headers(attrgetter(f"{top}.{inner}"), wanted_headers(log_format))
    if log_format.promoted:
        (top,) = {path.partition(".")[0] for path in log_format.promoted}
        return _from_member(attrgetter(top))
    return lambda _: b""


def _from_member(get: Callable[[Any], Any]) -> Callable[[Any], bytes]:
    def promoted(members: Any) -> bytes:
        inner = get(members)
        if inner is None:
            return b""
        data = _encode_members(inner)
        if data == b"{}":
            return b""
        if not _holds_strings(data):
            decoded = json.loads(data.decode("utf-8", "replace"), strict=False)
            data = encode({name: v for name, v in decoded.items() if isinstance(v, str)})
        return _PROMOTED_MEMBER % data if data != b"{}" else b""

    return promoted


def _holds_strings(data: bytes) -> bool:
    """Say whether all members of an object are strings; False too where that is not sure."""
    # A colon that no quote follows is in a string, or before a value that is not one.
    return data.count(b'":"') == data.count(b'":')


def _from_headers(
    get: Callable[[Any], list[_Header]], wanted: Cache[Any, str]
) -> Callable[[Any], bytes]:
    def first_of_each(headers: Iterable[_Header]) -> dict[str, msgspec.Raw]:
        found: dict[str, msgspec.Raw] = {}
        for header in headers:
            if (ours := wanted[header.name]) and ours not in found:
                found[ours] = header.value
        return found

    def promoted(members: Any) -> bytes:
        headers = get(members)
        data = _encode_members(first_of_each(headers))
        if not _holds_strings(data):
            strings = (one for one in headers if bytes(one.value).startswith(b'"'))
            data = _encode_members(first_of_each(strings))
        return _PROMOTED_MEMBER % data if data != b"{}" else b""

    return promoted


def _is_id(text: str) -> bool:
    try:
        return 0 < len(text.encode()) <= MOST_ID_BYTES
    except UnicodeEncodeError:  # half a surrogate pair
        return False
