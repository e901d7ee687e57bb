"""Formats whose records are JSON: a record goes into the search engine as AWS wrote it.

It is decoded once, for what we must know (its id, its time, the sub-fields that get fields of their
own) and because only what is JSON may enter a bulk body; the bytes then go through as they are
(`_Reader._fast`, the hot loop). A record of which that cannot be is decoded whole and written anew
(`_careful`): one over several lines, with a value where an object must be, a leaf too long for a
term, names that we add ourselves.
"""

import json
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from functools import cached_property
from operator import attrgetter
from typing import Annotated, Any, override

import msgspec

from servicelogs.documents import EPOCH, FRAME, Dates, Stamps, iso, iso_hour
from servicelogs.errors import UnreadableObject
from servicelogs.parsing.cutting import KEPT_BYTES, MAX_RECORD_BYTES, Overlong
from servicelogs.parsing.delimited import one_reject
from servicelogs.parsing.fields import Field
from servicelogs.parsing.format import Format
from servicelogs.parsing.json.cutting import JsonCutter, Records
from servicelogs.parsing.layout import Output
from servicelogs.records import Block, Reject, Source

MOST_TERM_BYTES = 32766
"""Lucene's longest term: a leaf of a flat_object that is longer fails its whole document."""
MOST_DEPTH = 100
"""How deep a free-form value may nest: OpenSearch 2.19 and 3.8 end with a stack overflow, the whole
node, on a flat_object of some hundred levels (400 were fine, 600 were not)."""
CUT_CHARACTERS = 8191
"""What a longer leaf is cut to: so many characters never take more bytes than a term may have."""
MOST_ID_BYTES = 512

# A record that cannot nest deeper than 150 objects and 300 arrays goes through without a walk: a
# node bore 250 objects with 375 arrays in them. In its first bytes a record opens at most
# one object in four (`{"":`), in its last bytes it ends at most one in one; between them the ends
# are counted. An array takes two bytes.
FIRST_BYTES, LAST_BYTES, MOST_ENDS = 600, 100, 50
MOST_ARRAYS = 300
_MOST_FRAMES = 10_000
# As numbers: a byte is looked for many times faster than bytes of length one.
_QUOTE, _BACKSLASH, _BRACE_ENDS, _BRACKET, _BRACKET_ENDS = b'"\\}[]'

_ABSENT = msgspec.Raw(b"")
_Nothing = Annotated[int, msgspec.Meta(ge=1, le=0)]
"""No value, null neither, is of this type: a record with such a member is decoded whole."""
_is_iso = re.compile(r"\d{4}-\d\d-\d\dT\d\d:[0-5]\d:[0-5]\d(?:\.\d{1,9}+)?+Z", re.ASCII).fullmatch
_encode = msgspec.json.Encoder().encode


class _Header(msgspec.Struct, gc=False):
    """One element of a list of headers."""

    name: str
    value: msgspec.Raw


@dataclass(frozen=True, kw_only=True)
class JsonRecords(Format):
    """JSON records, in one array of a document or one after the other."""

    array: str = ""
    """The member that holds the records; empty: there is none, they follow each other."""
    tree: tuple[Field, ...]
    times: tuple[str, ...]
    """Where the record's time is: ISO 8601 in UTC (the first path that is there counts), or one
    member with milliseconds since 1970."""
    ids: tuple[str, ...] = ()
    """Where the record's own id is, if AWS gives it one; else the object's and the ordinal."""
    taken: tuple[str, ...] = ()
    """Members of a free-form field that get a field of their own, under `request`."""
    headers: Mapping[str, str] = field(default_factory=dict)
    """Our field under `request` → the name, in lower case, of the header that it is taken from."""
    header_list: tuple[str, str] = ("", "")
    """The member, and the member in it, that holds the list of headers (`name` and `value`)."""

    @property
    @override
    def fields(self) -> tuple[Field, ...]:
        own = [(path.rpartition(".")[2], f"`{path}`") for path in self.taken]
        own += [(name, f"the header `{header}`") for name, header in self.headers.items()]
        return (
            *self.tree,
            *(Field(f"request.{n}", "keyword", f"{of}, as a field of its own") for n, of in own),
        )

    @cached_property
    def free_form(self) -> tuple[str, ...]:
        """The paths of free-form fields."""
        return tuple(field.name for field in self.tree if field.type == "flat_object")

    @cached_property
    def in_milliseconds(self) -> bool:
        """Whether the time is a number."""
        fields = {field.name: field for field in self.tree}
        return fields[self.times[0]].date_format == "epoch_millis"

    @cached_property
    def known(self) -> msgspec.json.Decoder[Any]:
        """Decode what the hot loop must know; a free-form value must be an object or null.

        These are the time, the id, the free-form fields, the list of headers, and whether a name of
        ours is there.
        """
        time = int if self.in_milliseconds else str
        members: list[Any] = [("time", time)]
        if self.headers:
            top, inner = self.header_list
            members.append((top, msgspec.defstruct(top, [(inner, list[_Header])], gc=False)))
        members += [("id", msgspec.Raw, _ABSENT)] if self.ids else []
        members += _objects(self.free_form, self.taken)
        members += [(f"_{i}", _Nothing, 0) for i in range(len(FRAME))]
        renamed = {f"_{i}": name for i, name in enumerate(FRAME)}
        renamed["time"] = self.times[0]
        no_id = {"id": _ABSENT}
        if self.ids:
            renamed["id"] = self.ids[0]
            no_id = {}
        return msgspec.json.Decoder(
            msgspec.defstruct(self.name, members, rename=renamed, namespace=no_id, gc=False)
        )

    @override
    def blocks(
        self, chunks: Iterable[bytes], source: Source, dates: Dates, start: int = 1
    ) -> Iterator[Block]:
        return _Reader(self, source, dates, start).blocks(chunks)


class _Reader:
    """Goes through the records of one object."""

    def __init__(self, format_: JsonRecords, source: Source, dates: Dates, start: int) -> None:
        self._format = format_
        self._source = source
        self._start = start
        stamps = Stamps(format_.name, source, dates, iso_hour, id_prefix=b"")
        self._iso_frames = _Frames(stamps, _printed)
        self._frames: _Frames[Any] = self._iso_frames
        if format_.in_milliseconds:
            self._frames = _Frames(stamps, _printed_second)
        self._requests = _requests(format_)

    def blocks(self, chunks: Iterable[bytes]) -> Iterator[Block]:
        try:
            cutter = JsonCutter(self._format.array, self._format.known)
            for piece in cutter.cut(chunks):
                if isinstance(piece, Overlong):
                    if piece.first >= self._start:
                        reason = f"a record of over {piece.length - 1} bytes is too long"
                        reject = self._reject(piece.first, "too_long", reason, piece.data)
                        yield one_reject(reject)
                elif piece.first + len(piece.records) > self._start:
                    yield self._block(piece)
        except UnreadableObject as error:
            yield one_reject(self._reject(error.ordinal, "unreadable", str(error), error.tail))

    def _block(self, piece: Records) -> Block:
        skipped = max(self._start - piece.first, 0)
        first = piece.first + skipped
        records = piece.records[skipped:]
        out = Output()
        for ordinal, record in self._fast(records, piece.known[skipped:], first, out):
            self._careful(ordinal, record, out)
        filtered = {"expired": out.expired} if out.expired else {}
        return Block(
            first,
            first + len(records),
            out.body,
            out.documents,
            lambda ordinal: records[ordinal - first],
            filtered,
            out.rejects,
        )

    def _fast(
        self, records: list[bytes], known: list[Any], first: int, out: Output
    ) -> Iterator[tuple[int, bytes]]:
        """Append documents of records that may go through as they are; give the others.

        Written for the machine: what is asked of each record is asked in place, without a call.
        """
        body, frames, requests = out.body, self._frames, self._requests
        milliseconds = self._format.in_milliseconds
        source_id = self._source.id.encode()
        may_nest = bool(self._format.free_form)
        passed = 0
        for ordinal, (record, members) in enumerate(zip(records, known, strict=True), first):
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
                yield ordinal, record
                continue
            id_ = bytes(members.id)
            if len(id_) <= len('""'):
                id_ = b'"%b-%d"' % (source_id, ordinal)
            elif id_[0] != _QUOTE or _BACKSLASH in id_ or len(id_) > MOST_ID_BYTES + 2:
                yield ordinal, record
                continue
            time, rest = members.time, 0
            if milliseconds:  # what records share is the second
                time, rest = divmod(time, 1000)
            try:
                frame = frames[time]
            except (ValueError, OverflowError):
                yield ordinal, record
                continue
            if frame is None:
                out.expired += 1
                continue
            action, head, printed = frame
            if milliseconds:
                printed = b'%b%03dZ"' % (printed, rest)
            # Three short appends copy a record once; one long template copies it three times.
            body += b"%b%b%b%d%b,%b" % (action, id_, head, ordinal, printed, requests(members))
            body += record[1:]
            body += b"\n"
            passed += 1
        out.documents += passed

    def _careful(self, ordinal: int, data: bytes, out: Output) -> None:
        """Append the document of one record, written anew; or its reject."""
        if len(data) > MAX_RECORD_BYTES:
            reason = f"a record of {len(data)} bytes is too long; its beginning is kept"
            out.rejects.append(self._reject(ordinal, "too_long", reason, data[:KEPT_BYTES]))
            return
        try:
            self._write(ordinal, loads(data), out)
        except (ValueError, OverflowError, RecursionError) as error:
            reason = str(error) or type(error).__name__
            out.rejects.append(self._reject(ordinal, "does_not_fit", reason, data))

    def _write(self, ordinal: int, record: dict[str, Any], out: Output) -> None:
        time = self._time(record)
        frame = self._iso_frames[time]
        if frame is None:
            out.expired += 1
            return
        id_ = next(self._strings(record, self._format.ids), "")
        if not _is_id(id_):
            id_ = f"{self._source.id}-{ordinal}"
        request = self._request(record)
        original = _fit_free_form(record, self._format.free_form)
        log = b',"original":%b,"adjusted":%b' % (dumps(original), dumps([*original]))
        action, head, printed = frame
        out.body += b"%b%b%b%d%b%b,%b%b\n" % (
            action,
            dumps(id_),
            head,
            ordinal,
            log if original else b"",
            printed,
            b'"request":%b,' % dumps(request) if request else b"",
            dumps(record)[1:],
        )
        out.documents += 1

    def _time(self, record: dict[str, Any]) -> str:
        """Give the record's time as ISO 8601."""
        if self._format.in_milliseconds:
            milliseconds = value_at(record, self._format.times[0])
            if not isinstance(milliseconds, int) or isinstance(milliseconds, bool):
                found = str(milliseconds)[:40]
                raise ValueError(f"{self._format.times[0]} is no number of milliseconds: {found!r}")
            seconds, rest = divmod(milliseconds, 1000)
            return f"{_second(seconds)}.{rest:03d}Z"
        paths = self._format.times
        time = next(self._strings(record, paths), None)
        if time is None:
            raise ValueError(f"it has no {' or '.join(paths)}")
        if not _is_iso(time):
            raise ValueError(f"{paths[0]} is no time: {time[:40]!r}")
        return time

    def _strings(self, record: dict[str, Any], paths: Iterable[str]) -> Iterator[str]:
        values = (value_at(record, path) for path in paths)
        return (value for value in values if isinstance(value, str))

    def _request(self, record: dict[str, Any]) -> dict[str, str]:
        found = {path.rpartition(".")[2]: value_at(record, path) for path in self._format.taken}
        if self._format.headers:
            found |= self._headers(value_at(record, ".".join(self._format.header_list)))
        return {name: value for name, value in found.items() if isinstance(value, str)}

    def _headers(self, headers: object) -> dict[str, str]:
        found: dict[str, str] = {}
        ours = {header: name for name, header in self._format.headers.items()}
        for header in headers if isinstance(headers, list) else ():
            name, value = value_at(header, "name"), value_at(header, "value")
            if isinstance(name, str) and isinstance(value, str):
                found.setdefault(ours.get(name.lower(), ""), value)
        found.pop("", None)
        return found

    def _reject(self, ordinal: int, error_type: str, reason: str, raw: bytes) -> Reject:
        return Reject(ordinal, error_type, reason, raw, id=f"{self._source.id}-{ordinal}")


class _Frames[Time](dict[Time, tuple[bytes, bytes, bytes] | None]):
    """From a time, as far as records share it, to the frame of its records.

    That is what stands before the id, before the ordinal, and after it up to the time's end. None
    means: expired. A ValueError: it is no time.
    """

    def __init__(self, stamps: Stamps, printed: Callable[[Time], bytes]) -> None:
        self._stamps = stamps
        self._printed = printed

    def __missing__(self, key: Time) -> tuple[bytes, bytes, bytes] | None:
        if len(self) >= _MOST_FRAMES:
            self.clear()
        time = self._printed(key)
        frame = None
        if stamp := self._stamps[time[1:14]]:
            _, action, head = stamp
            frame = action.removesuffix(b'"'), b"}}\n" + head, b'},"@timestamp":' + time
        self[key] = frame
        return frame


def _printed(time: str) -> bytes:
    if not _is_iso(time):
        raise ValueError(f"{time[:40]!r} is no time")
    return b'"%b"' % time.encode()


def _printed_second(seconds: int) -> bytes:
    return b'"%b.' % _second(seconds).encode()


def _second(seconds: int) -> str:
    """Write a second since 1970 as ISO 8601, without its end."""
    return iso(EPOCH + timedelta(seconds=seconds)).removesuffix("Z")


def _requests(format_: JsonRecords) -> Callable[[Any], bytes]:
    """Give what writes the member `request` of a record with these members."""
    if format_.headers:
        top, inner = format_.header_list
        return _from_headers(attrgetter(f"{top}.{inner}"), _Wanted(format_.headers))
    if format_.taken:
        (top,) = {path.partition(".")[0] for path in format_.taken}
        return _from_member(attrgetter(top))
    return lambda _: b""


def _from_member(get: Callable[[Any], Any]) -> Callable[[Any], bytes]:
    def request(members: Any) -> bytes:
        inner = get(members)
        if inner is None or (data := _encode(inner)) == b"{}":
            return b""
        # A colon that no quote follows is in a string, or before a value that is none.
        if data.count(b'":"') != data.count(b'":'):
            strings = {name: v for name, v in loads(data).items() if isinstance(v, str)}
            data = dumps(strings)
        return b'"request":%b,' % data if data != b"{}" else b""

    return request


class _Wanted(dict[str, bytes]):
    """From a header's name, in any case, to our field's name and a colon; empty: not wanted."""

    def __init__(self, headers: Mapping[str, str]) -> None:
        self._names = {header: b'"%b":' % name.encode() for name, header in headers.items()}
        self._longest = max(map(len, headers.values()))

    def __missing__(self, name: str) -> bytes:
        if len(name) > self._longest:
            return b""  # clients may send thousands of them, of kilobytes each
        if len(self) >= _MOST_FRAMES:
            self.clear()
        self[name] = ours = self._names.get(name.lower(), b"")
        return ours


def _from_headers(get: Callable[[Any], list[_Header]], wanted: _Wanted) -> Callable[[Any], bytes]:
    def request(members: Any) -> bytes:
        found: dict[bytes, bytes] = {}
        for header in get(members):
            if (ours := wanted[header.name]) and ours not in found:
                value = bytes(header.value)
                if value.startswith(b'"'):
                    found[ours] = value
        return b'"request":{%b},' % b",".join(map(b"".join, found.items())) if found else b""

    return request


def _is_id(text: str) -> bool:
    try:
        return 0 < len(text.encode()) <= MOST_ID_BYTES
    except UnicodeEncodeError:  # half a surrogate pair
        return False


def _objects(paths: Iterable[str], taken: Iterable[str]) -> list[Any]:
    """Make members for paths that must lead to an object, through objects, or end at a null."""
    inner: dict[str, list[str]] = {}
    for path in paths:
        top, _, rest = path.partition(".")
        inner.setdefault(top, []).extend([rest] if rest else [])
    ours = [path.partition(".") for path in taken]
    return [
        (top, _object(top, _objects(rests, ()), [name for t, _, name in ours if t == top]), None)
        for top, rests in inner.items()
    ]


def _object(name: str, members: list[Any], taken: Iterable[str]) -> Any:
    """Make the type of a member; what is taken of it is what its encoding gives."""
    raw = [(one, msgspec.Raw, _ABSENT) for one in taken]
    return msgspec.defstruct(name, [*members, *raw], gc=False, omit_defaults=True) | None


def value_at(record: object, path: str) -> object:
    """Follow a dotted path through objects; None where it ends early."""
    for name in path.split("."):
        if not isinstance(record, dict):
            return None
        record = record.get(name)
    return record


def loads(data: bytes) -> dict[str, Any]:
    """Decode one JSON object, also with control characters and bytes that are no UTF-8."""
    record = json.loads(data.decode("utf-8", "replace"), strict=False)
    if not isinstance(record, dict):
        raise ValueError("it is no JSON object")
    return record


def dumps(value: object) -> bytes:
    """Encode on one line; what is no number and what is no character does not get through."""
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
    return text.encode("utf-8", "replace")


def _fit_free_form(record: dict[str, Any], free_form: Iterable[str]) -> dict[str, Any]:
    """Make a record fit its mapping in place; give what was changed, as it was delivered."""
    original: dict[str, Any] = {}
    ours = {name: record.pop(name) for name in FRAME if name in record}
    if ours:
        record["extra_fields"] = ours
    for path in (*free_form, "extra_fields"):
        above, _, name = path.rpartition(".")
        holder = value_at(record, above) if above else record
        if not isinstance(holder, dict) or (value := holder.get(name)) is None:
            continue
        fitting = _fit_leaves(value if isinstance(value, dict) else {"value": value}, path)
        if fitting != value:
            original[path] = value
            holder[name] = fitting
    return original


def _fit_leaves(value: Any, path: str, depth: int = 1) -> Any:
    """Cut strings that are too long for a term (which holds their path too)."""
    if isinstance(value, dict | list) and depth > MOST_DEPTH:
        raise ValueError(f"{path[:40]!r} nests over {MOST_DEPTH} levels deep: that ends a node")
    if isinstance(value, dict):
        return {
            name: _fit_leaves(inner, f"{path}.{name}", depth + 1) for name, inner in value.items()
        }
    if isinstance(value, list):
        return [_fit_leaves(inner, path, depth + 1) for inner in value]
    if isinstance(value, str):
        room = max(MOST_TERM_BYTES - len(path.encode("utf-8", "replace")) - 2, 0)
        data = value.encode("utf-8", "replace")
        if len(data) > room:
            return data[:room].decode("utf-8", "ignore")[:CUT_CHARACTERS]
    return value
