"""Formats whose records are JSON: a record goes into the search engine as AWS wrote it.

It is decoded once, for what we must know (its id, its time, the sub-fields that get fields of their
own) and because only what is JSON may enter a bulk body; the bytes then go through as they are
(`_Reader._fast`, the hot loop). A record of which that cannot be is decoded whole and written anew
(`_careful`): one over several lines, with a value where an object must be, a leaf too long for a
term, names that we add ourselves.
"""

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Annotated, Any, override

import msgspec
from msgspec.structs import astuple

from servicelogs.documents import FRAME, Dates, Stamps, iso_hour
from servicelogs.errors import UnreadableObject
from servicelogs.formats.cutting import KEPT_BYTES, MAX_RECORD_BYTES, Overlong
from servicelogs.formats.delimited import one_reject
from servicelogs.formats.fields import Field
from servicelogs.formats.format import Format
from servicelogs.formats.json_cutting import JsonCutter, Records
from servicelogs.formats.layout import Output
from servicelogs.records import Block, Reject, Source

MOST_TERM_BYTES = 32766
"""Lucene's longest term: a leaf of a flat_object that is longer fails its whole document."""
MOST_DEPTH = 100
"""How deep a free-form value may nest: OpenSearch 2.19 and 3.8 end with a stack overflow, the whole
node, on a flat_object of some hundred levels (400 were fine, 600 were not)."""
CUT_CHARACTERS = 8191
"""What a longer leaf is cut to: so many characters never take more bytes than a term may have."""
MOST_ID_BYTES = 512

_ABSENT = msgspec.Raw(b"")
# An id that may stand in an action line as it was delivered, or none.
_plain_id = re.compile(rb'(?:"[^"\\]{0,%d}+")?+' % MOST_ID_BYTES).fullmatch
_Nothing = Annotated[int, msgspec.Meta(ge=1, le=0)]
"""No value, null neither, is of this type: a record with such a member is decoded whole."""
_rest_of_time = re.compile(rb":[0-5]\d:[0-5]\d(?:\.\d{1,9})?Z").fullmatch


@dataclass(frozen=True, kw_only=True)
class JsonRecords(Format):
    """JSON records, in one array of a document or one after the other."""

    array: str
    """The member that holds the records."""
    tree: tuple[Field, ...]
    times: tuple[str, ...]
    """Where the record's time is, ISO 8601 in UTC: the first path that is there counts."""
    ids: tuple[str, ...]
    """Where the record's own id is, if AWS gives it one; else the object's and the ordinal."""
    taken: Mapping[str, str]
    """Our field under `request` → the path in a free-form field that it is taken from."""

    @property
    @override
    def fields(self) -> tuple[Field, ...]:
        own = (
            Field(f"request.{name}", "keyword", f"`{path}`, as a field of its own")
            for name, path in self.taken.items()
        )
        return (*self.tree, *own)

    @cached_property
    def free_form(self) -> tuple[str, ...]:
        """The paths of free-form fields."""
        return tuple(field.name for field in self.tree if field.type == "flat_object")

    @cached_property
    def takes(self) -> tuple[tuple[str, tuple[str, ...]], ...]:
        """For each free-form field the sub-fields that are taken from it, in their order."""
        paths = [path.partition(".") for path in self.taken.values()]
        return tuple(
            (name, tuple(inner for top, _, inner in paths if top == name))
            for name in self.free_form
            if "." not in name
        )

    @cached_property
    def known(self) -> msgspec.json.Decoder[Any]:
        """Decode what the hot loop must know; a free-form value must be an object or null.

        In order: the time, the id, the free-form fields, whether a name of ours is there.
        """
        members: list[Any] = [(self.times[0], msgspec.Raw)]
        members.append((self.ids[0], msgspec.Raw, _ABSENT))
        for name, inner in self.takes:
            sub_fields = [(sub_field, msgspec.Raw, _ABSENT) for sub_field in inner]
            members.append((name, msgspec.defstruct(name, sub_fields, gc=False) | None, None))
        members += _objects([path for path in self.free_form if "." in path])
        ours = [(f"_{i}", _Nothing, 0) for i in range(len(FRAME))]
        renamed = {f"_{i}": name for i, name in enumerate(FRAME)}
        return msgspec.json.Decoder(
            msgspec.defstruct(self.name, [*members, *ours], rename=renamed, gc=False)
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
        self._stamps = Stamps(format_.name, source, dates, iso_hour, id_prefix=b"")
        # Which of our names the sub-fields of each free-form field get.
        names = {path: name.encode() for name, path in format_.taken.items()}
        self._takes = [
            (at, [names[f"{top}.{inner}"] for inner in inners], (_ABSENT,) * len(inners))
            for at, (top, inners) in enumerate(format_.takes, 2)
            if inners
        ]

    def blocks(self, chunks: Iterable[bytes]) -> Iterator[Block]:
        try:
            cutter = JsonCutter(self._format.array, self._format.known.decode)
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
        """Append documents of records that may go through as they are; give the others."""
        stamps, body, takes = self._stamps, out.body, self._takes
        source_id = self._source.id.encode()
        for ordinal, (record, members) in enumerate(zip(records, known, strict=True), first):
            if (
                members is None
                or len(record) > MOST_TERM_BYTES
                or record.count(b"{") + record.count(b"[") > MOST_DEPTH
            ):
                yield ordinal, record
                continue
            values = astuple(members)
            time, id_ = bytes(values[0])[1:-1], bytes(values[1])
            rest = time[13:]
            if not _rest_of_time(rest) or not _plain_id(id_):
                yield ordinal, record
                continue
            try:
                stamp = stamps[time[:13]]
            except ValueError:
                yield ordinal, record
                continue
            if stamp is None:
                out.expired += 1
                continue
            request = b""
            for at, names, nothing in takes:
                inner = values[at]
                if inner is not None and (taken := astuple(inner)) != nothing:
                    request += _members(names, taken)
            iso, action, head = stamp
            body += b'%b%b"}}\n%b%d},"@timestamp":"%b%b",%b%b\n' % (
                action,
                id_[1:-1] or b"%b-%d" % (source_id, ordinal),
                head,
                ordinal,
                iso,
                rest,
                b'"request":{%b},' % request[1:] if request else b"",
                record[1:],
            )
            out.documents += 1

    def _careful(self, ordinal: int, data: bytes, out: Output) -> None:
        """Append the document of one record, written anew; or its reject."""
        if len(data) > MAX_RECORD_BYTES:
            reason = f"a record of {len(data)} bytes is too long; its beginning is kept"
            out.rejects.append(self._reject(ordinal, "too_long", reason, data[:KEPT_BYTES]))
            return
        try:
            self._write(ordinal, loads(data), out)
        except (ValueError, RecursionError) as error:
            reason = str(error) or type(error).__name__
            out.rejects.append(self._reject(ordinal, "does_not_fit", reason, data))

    def _write(self, ordinal: int, record: dict[str, Any], out: Output) -> None:
        time = self._first(record, self._format.times)
        rest = time[13:].encode()
        if not _rest_of_time(rest):
            raise ValueError(f"{self._format.times[0]} is no time: {time[:40]!r}")
        stamp = self._stamps[time[:13].encode()]
        if stamp is None:
            out.expired += 1
            return
        id_ = self._first(record, self._format.ids, default="")
        if not _is_id(id_):
            id_ = f"{self._source.id}-{ordinal}"
        request = self._request(record)
        original = _fit_free_form(record, self._format.free_form)
        log = b',"original":%b,"adjusted":%b' % (dumps(original), dumps([*original]))
        iso, action, head = stamp
        out.body += b'%b%b"}}\n%b%d%b},"@timestamp":"%b%b",%b%b\n' % (
            action,
            dumps(id_)[1:-1],
            head,
            ordinal,
            log if original else b"",
            iso,
            rest,
            b'"request":%b,' % dumps(request) if request else b"",
            dumps(record)[1:],
        )
        out.documents += 1

    def _first(
        self, record: dict[str, Any], paths: Iterable[str], default: str | None = None
    ) -> str:
        for path in paths:
            if isinstance(value := value_at(record, path), str):
                return value
        if default is None:
            raise ValueError(f"it has no {' or '.join(paths)}")
        return default

    def _request(self, record: dict[str, Any]) -> dict[str, str]:
        found = {name: value_at(record, path) for name, path in self._format.taken.items()}
        return {name: value for name, value in found.items() if isinstance(value, str)}

    def _reject(self, ordinal: int, error_type: str, reason: str, raw: bytes) -> Reject:
        return Reject(ordinal, error_type, reason, raw, id=f"{self._source.id}-{ordinal}")


def _is_id(text: str) -> bool:
    try:
        return 0 < len(text.encode()) <= MOST_ID_BYTES
    except UnicodeEncodeError:  # half a surrogate pair
        return False


def _objects(paths: list[str]) -> list[Any]:
    """Make members for paths that must lead to an object, through objects, or end at a null."""
    inner: dict[str, list[str]] = {}
    for path in paths:
        top, _, rest = path.partition(".")
        inner.setdefault(top, []).extend([rest] if rest else [])
    return [
        (top, msgspec.defstruct(top, _objects(rests), gc=False) | None, None)
        for top, rests in inner.items()
    ]


def _members(names: list[bytes], values: tuple[msgspec.Raw, ...]) -> bytes:
    """Write the sub-fields that are strings, each behind a comma."""
    text = b""
    for name, value in zip(names, values):  # noqa: B905  (of one length; strict costs time)
        if value is not _ABSENT and (data := bytes(value)).startswith(b'"'):
            text += b',"%b":%b' % (name, data)
    return text


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
        value = holder.get(name) if isinstance(holder, dict) else None
        if value is None:
            continue
        fitting = _fit_leaves(value if isinstance(value, dict) else {"value": value}, path)
        if fitting != value:
            original[path] = value
            holder[name] = fitting  # type: ignore[index]
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
