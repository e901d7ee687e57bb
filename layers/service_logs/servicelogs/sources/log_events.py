"""Log events of CloudWatch Logs, in the envelopes in which its subscriptions send them.

An envelope holds events of one log stream. Kinesis and Firehose carry it compressed; where Firehose
writes objects, envelopes follow each other, with nothing or a newline between.
https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/SubscriptionFilters.html
"""

import json
import re
from collections.abc import Generator, Iterable, Iterator, Sequence
from dataclasses import replace
from datetime import timedelta
from functools import lru_cache
from itertools import groupby, pairwise
from operator import itemgetter
from typing import Any, overload, override

import msgspec

from servicelogs.dates import EPOCH, iso
from servicelogs.errors import UnreadableObject
from servicelogs.parsing.cache import Cache
from servicelogs.parsing.framing import BLOCK_BYTES, KEPT_BYTES, cut, too_long
from servicelogs.parsing.places import place_of
from servicelogs.records import Records, Reject, Source, short_id

type Run = tuple[Source, Records | Reject]
"""Consecutive events of one log stream, or what stands in the place of one and cannot be read."""

_MEMBERS = b"messageType|owner|logGroup|logStream|subscriptionFilters|logEvents|policyLevel"
_begins = re.compile(rb'\s*+\{\s*+"(?:%b)"\s*+:' % _MEMBERS).match
_says_what_it_is = re.compile(
    rb'"messageType"\s*+:\s*+"(?:DATA|CONTROL)_MESSAGE"|"logEvents"\s*+:\s*+\[\s*+\{'
).search
# A quote in a JSON string has a backslash before it, so that no message of an event matches.
_between = re.compile(rb'\}\s*+(?=\{\s*+"\w++"\s*+:)').finditer
_beginnings = re.compile(rb'\{(?="(?:%b)":)' % _MEMBERS).finditer
_plain_id = re.compile(r"[\w.:-]{1,128}", re.ASCII).fullmatch
_plain_ids = re.compile(r"(?:[\w.:-]{1,128}\n)+", re.ASCII).fullmatch

_ACCOUNT_LEVEL = "ACCOUNT_LEVEL_POLICY"
_EXTRACTED = b'"extractedFields"'
_ACCOUNT, _REGION, _SYSTEM = "@aws.account", "@aws.region", "@"
_HOUR_MILLISECONDS = 3_600_000
_LONGEST_BEGINNING = 256
_MOST_PLACES = 4096
_MOST_SECONDS = 4096
_MOST_EXTRACTED_BYTES = 4 * 1024 * 1024
# flat_object takes no longer leaf, and a name is a part of one.
_MOST_NAME_CHARACTERS, _MOST_VALUE_CHARACTERS = 256, 7900
_SHOWN = 60


class Event(msgspec.Struct, gc=False):
    """A log event, as far as it is asked for."""

    timestamp: int
    message: str
    id: str = ""
    extracted_fields: msgspec.Raw = msgspec.field(name="extractedFields", default=msgspec.Raw(b""))


class Envelope(msgspec.Struct, gc=False, rename="camel"):
    """Events of one log stream."""

    message_type: str
    log_events: list[Event]
    owner: str = ""
    log_group: str = ""
    log_stream: str = ""
    policy_level: str = ""


_decode = msgspec.json.Decoder(Envelope).decode


class EventTimes(Sequence[bytes]):
    """When events happened, as ISO 8601 without its Z; written when they are asked for."""

    __slots__ = ("milliseconds",)

    def __init__(self, milliseconds: list[int]) -> None:
        self.milliseconds = milliseconds

    @override
    def __len__(self) -> int:
        return len(self.milliseconds)

    @overload
    def __getitem__(self, index: int) -> bytes: ...
    @overload
    def __getitem__(self, index: slice) -> "EventTimes": ...
    @override
    def __getitem__(self, index: int | slice) -> "bytes | EventTimes":
        if isinstance(index, slice):
            return EventTimes(self.milliseconds[index])
        second, rest = divmod(self.milliseconds[index], 1000)
        try:
            return b"%b.%03d" % (_iso_second(second), rest)
        except OverflowError:  # no calendar has it: the delivery's time counts
            return b""

    def hours(self) -> list[int]:
        """Give the hour of each, counted from 1970."""
        return [one // _HOUR_MILLISECONDS for one in self.milliseconds]


@lru_cache(_MOST_SECONDS)
def _iso_second(second: int) -> bytes:
    return iso(EPOCH + timedelta(seconds=second)).removesuffix("Z").encode()


def is_envelope(start: bytes) -> bool:
    """Say whether a text that begins so is an envelope, or several."""
    return _begins(start) is not None and _says_what_it_is(start) is not None


class Envelopes:
    """Reads the envelopes of one object, or of one shard's records, and counts their events."""

    def __init__(self, carrier: Source, *, keeps_extracted_fields: bool = False) -> None:
        """Read what this source carries; fields that a filter extracted are kept if it says so."""
        self.next = 1
        """The number of the next event."""
        self._carrier = carrier
        self._keeps = keeps_extracted_fields
        self._sources = Cache(self._source, _MOST_PLACES)
        self._extracted = Cache(self._read_extracted, _MOST_EXTRACTED_BYTES, weight=len)

    def read(self, text: bytes) -> Iterator[Run]:
        """Read envelopes that follow each other; what is not one is rejected, the others are read.

        One that only says that the subscription works has no event.
        """
        try:
            envelope = _decode(text)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            yield from self.take(text, last=True)
        else:
            yield from self._message(envelope, text)

    def cut(self, chunks: Iterable[bytes]) -> Iterator[Run]:
        """Read the envelopes of a text in chunks.

        An UnreadableObject that ends them becomes a reject of what is left.
        """
        try:
            yield from cut(chunks, self, BLOCK_BYTES)
        except UnreadableObject as fault:
            yield self.reject("unreadable", str(fault), fault.tail)

    reach = _LONGEST_BEGINNING

    def take(self, text: bytes, *, last: bool) -> Generator[Run, None, int]:
        """Read the whole envelopes that a text begins with: up to the last beginning."""
        *whole, rest = _split(text)
        for one in [*whole, rest] if last else whole:
            yield from self._one(one)
        return len(text) if last else len(text) - len(rest)

    def give_up(self, text: bytes, *, last: bool) -> Generator[Run, None, int]:  # noqa: ARG002 - it ends before the next
        """Reject an envelope that is too long."""
        yield self.reject("too_long", too_long(f"{len(text)} bytes or more"), text[:KEPT_BYTES])
        return 0

    def go_on(self, text: bytes, start: int) -> int:
        """Find the next envelope."""
        return next((found.start() for found in _beginnings(text, start)), -1)

    def end(self, rest: bytes, fault: UnreadableObject) -> Iterator[Run]:
        """Read a last envelope, if it is whole; leave it to the fault, if it is not."""
        from servicelogs.parsing.json.proof import is_json  # few texts end so

        if is_json(rest):
            yield from self._one(rest)
        else:
            fault.tail = rest[:KEPT_BYTES]

    def _one(self, text: bytes, *, damaged: bool = False) -> Iterator[Run]:
        """Read an envelope that may be odd; `damaged` says that it was parted from others."""
        if not text or text.isspace():
            return
        try:
            envelope = _decode(text)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            yield from self._odd(text, damaged=damaged)
        else:
            yield from self._message(envelope, text)

    def _message(self, envelope: Envelope, text: bytes) -> Iterator[Run]:
        if envelope.message_type == "DATA_MESSAGE":
            yield from self._events(envelope, extracted=_EXTRACTED in text)
        elif envelope.message_type != "CONTROL_MESSAGE":
            yield self.reject("unreadable", _what_message(envelope.message_type), text)

    def _events(self, envelope: Envelope, *, extracted: bool) -> Iterator[Run]:
        events = envelope.log_events
        account_level = envelope.policy_level == _ACCOUNT_LEVEL
        place = envelope.owner, envelope.log_group, envelope.log_stream, account_level
        if not extracted:
            if events:
                yield self._sources[*place, "", ""], self._records(events)
            return
        at = 0
        of_each = (self._extracted[bytes(event.extracted_fields)] for event in events)
        for (account_id, region), group in groupby(of_each, itemgetter(0, 1)):
            kept = [fields[2] for fields in group]
            end = at + len(kept)
            records = self._records(events[at:end])
            if any(kept):
                records.extracted = kept
            yield self._sources[*place, account_id, region], records
            at = end

    def _records(self, events: list[Event]) -> Records:
        first = self.next
        self.next += len(events)
        times = EventTimes([event.timestamp for event in events])
        hours = times.hours()
        hour = hours[0] if min(hours) == max(hours) else None
        items = [event.message.rstrip("\r\n").encode() for event in events]
        return Records(first, items, keys=_keys(events), hour=hour, times=times)

    def _odd(self, text: bytes, *, damaged: bool) -> Iterator[Run]:
        """Read what can be read of an envelope event by event."""
        from servicelogs.sources.odd_envelopes import read_odd  # hardly any is odd

        try:
            envelope = read_odd(text)
        except ValueError as error:
            begins = [] if damaged else [found.start() for found in _beginnings(text, 1)]
            if begins:  # one that is truncated stands before others
                for one in _parted(text, begins):
                    yield from self._one(one, damaged=True)
                return
            yield self.reject("unreadable", str(error), text)
            return
        good = Envelope(
            envelope.message_type,
            [],
            envelope.owner,
            envelope.log_group,
            envelope.log_stream,
            envelope.policy_level,
        )
        odd = envelope.log_events if good.message_type == "DATA_MESSAGE" else []
        for event in odd:
            if isinstance(event, Event):
                good.log_events.append(event)
                continue
            yield from self._message(good, text)
            good.log_events = []
            yield self.reject("unreadable", event.reason, event.raw)
        yield from self._message(good, text)

    def of_stream(self, log_stream: str, events: list[Event]) -> Run:
        """Give events of a log stream that came without an envelope."""
        return self._sources["", self._carrier.log_group, log_stream, False, "", ""], self._records(
            events
        )

    def reject(self, error_type: str, reason: str, raw: bytes) -> Run:
        """Give what stands in the place of an event, or of several, and cannot be read."""
        number = self.next
        self.next += 1
        id_ = f"{self._carrier.id}-{number}"
        return self._carrier, Reject(number, error_type, reason, raw, id=id_)

    def _source(self, place: tuple[str, str, str, bool, str, str]) -> Source:
        """Describe a log stream; its account is the owner's if no system field names another."""
        owner, group, stream, account_level, account_id, region = place
        carrier = self._carrier
        return replace(
            carrier,
            id=_identify(owner, group, stream),
            account_id=account_id or place_of([owner]).account_id or carrier.account_id,
            region=region or carrier.region,
            log_group=group,
            log_stream=stream,
            account_level=account_level,
        )

    def _read_extracted(self, raw: bytes) -> tuple[str, str, str]:
        """Give the account and the Region that system fields name, and the other fields as JSON."""
        try:
            fields = json.loads(raw or b"{}")
        except ValueError:
            fields = {}
        if not isinstance(fields, dict):
            fields = {}
        values = (fields.get(_ACCOUNT), fields.get(_REGION))
        place = place_of(value for value in values if isinstance(value, str))
        others = {
            name[:_MOST_NAME_CHARACTERS]: text_of(value)[:_MOST_VALUE_CHARACTERS]
            for name, value in fields.items()
            if name not in (_ACCOUNT, _REGION)
        }
        return *place, json.dumps(others, ensure_ascii=False).encode(
            "utf-8", "replace"
        ).decode() if others and self._keeps else ""


def of_one_hour(records: Records) -> Records:
    """Let the first event's hour date all events of an envelope, so that they stay together."""
    if records.hour is None and isinstance(records.times, EventTimes):
        records.hour = records.times.hours()[0]
    return records


def by_hour(records: Records) -> Iterator[Records]:
    """Part events of several hours, so that each part has the hour that dates it."""
    times = records.times
    if records.hour is not None or not isinstance(times, EventTimes):
        yield records
        return
    at = 0
    for hour, group in groupby(times.hours()):
        end = at + len([*group])
        part = records.part(at, end)
        part.hour = hour
        yield part
        at = end


def _split(text: bytes) -> list[bytes]:
    """Part envelopes that follow each other."""
    return _parted(text, [found.end() for found in _between(text)])


def _parted(text: bytes, at: list[int]) -> list[bytes]:
    return [text[start:end] for start, end in pairwise([0, *at, len(text)])]


def _keys(events: list[Event]) -> list[bytes]:
    """Give each event's id, which CloudWatch Logs never gives twice in a log stream."""
    ids = [event.id for event in events]
    text = "\n".join(ids)
    if _plain_ids(f"{text}\n") and len({*ids}) == len(ids):
        plain = text.encode().split(b"\n")
        if len(plain) == len(ids):  # else an id has lines
            return plain
    keys: dict[str, None] = {}
    for event in events:
        key = event.id
        if not _plain_id(key):
            identity = f"{key}\0{event.timestamp}\0{event.message}"
            key = short_id(identity.encode("utf-8", "replace"))
        number = 1
        while (numbered := key if number == 1 else f"{key}-{number}") in keys:
            number += 1
        keys[numbered] = None
    return [key.encode() for key in keys]


def _identify(owner: str, group: str, stream: str) -> str:
    # No name holds a NUL, so that no two log streams share a text.
    return short_id(f"{owner}\0{group}\0{stream}".encode("utf-8", "replace"))


def text_of(value: Any) -> str:
    """Give a text as it is, anything else as JSON."""
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def _what_message(kind: str) -> str:
    return f"it is not a message with log events: its messageType is {kind[:_SHOWN]!r}"
