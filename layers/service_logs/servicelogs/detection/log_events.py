"""Which log type events of CloudWatch Logs are, and records of a stream that are no events."""

import re
from collections.abc import Iterable, Iterator
from functools import cache
from itertools import islice
from typing import NamedTuple, Protocol

from servicelogs import formats
from servicelogs.detection import content
from servicelogs.detection.options import with_options
from servicelogs.errors import OutsidePrefix, UnknownLogType
from servicelogs.parsing.format import Format
from servicelogs.records import ANOTHER_LINE, Records, Source
from servicelogs.settings import LogSettings

_MOST_GROUPS = 4096
_MOST_MESSAGES = 40
_SHOWN_BYTES = 60


class EventType(NamedTuple):
    """What the events of one log stream are."""

    format: Format
    is_read: bool
    """Whether their type is among those that this deployment reads."""


class Identify(Protocol):
    """Identifies the type of events; an UnknownLogType if that cannot be."""

    def __call__(self, source: Source, records: Records) -> EventType:
        """Identify the type of events of one log stream."""
        ...


class EventTypes:
    """Identifies the types of events.

    The first of these decides: what is assigned (LogType, a prefix of the object's key), the name
    of the log group, the beginnings of the messages.
    """

    def __init__(
        self,
        settings: LogSettings,
        how_to_choose: str = "with StreamLogType, or do not send them to the stream",
    ) -> None:
        """Take what the settings say; errors advise to choose the type `how_to_choose` says."""
        self._how_to_choose = how_to_choose
        self._assigned = settings.log_type
        self._log_types = settings.log_types
        self._prefix = settings.log_group_prefix
        self._with_options = with_options(settings.format_options)
        self._last_of_group: dict[str, str] = {}

    def identify(self, source: Source, records: Records, assigned: str = "") -> EventType:
        """Identify events; an UnknownLogType if nothing says what they are.

        An OutsidePrefix if the account's subscription sent them, and they are not to be read.
        """
        if source.account_level and not source.log_group.startswith(self._prefix):
            raise OutsidePrefix(source.log_group)
        name = assigned or self._assigned or type_of_group(source.log_group)
        return self._type(name or self._by_messages(source, records))

    def _type(self, name: str) -> EventType:
        log_format = self._with_options.get(name) or formats.get(name)
        return EventType(log_format, name in self._log_types)

    def _by_messages(self, source: Source, records: Records) -> str:
        group = source.log_group
        items = records.items
        # Nearly always it is what the group's events were before.
        last = self._last_of_group.get(group)
        if last and content.matches(items[0] + b"\n", last):
            return last
        messages = islice(items, _MOST_MESSAGES)
        start = b"".join(b"%b\n" % message for message in messages)[: content.MOST_BYTES]
        found = content.types(start, formats.NAMES) or self._headless(start)
        if len(found) != 1:
            raise UnknownLogType(self._why_unknown(source, found, start))
        (name,) = found
        if len(self._last_of_group) >= _MOST_GROUPS:
            self._last_of_group.clear()
        self._last_of_group[group] = name
        return name

    def _why_unknown(self, source: Source, found: Iterable[str], start: bytes) -> str:
        where = f"the log group {source.log_group!r}" if source.log_group else source.uri
        shown = f"its messages start with {start[:_SHOWN_BYTES]!r}"
        if found:
            what = f"the messages of {where} could be {' or '.join(sorted(found))}"
        else:
            what = (
                f"unknown type: neither the name nor the messages of {where} match a known format"
            )
        return f"{what}; {shown}; if they are logs, choose their type {self._how_to_choose}"

    def _headless(self, start: bytes) -> set[str]:
        """Find the types whose options match the messages."""
        return {
            name
            for name, log_format in self._with_options.items()
            if content.headless(start, log_format.headless)
        }


def of_one_type(records: Records) -> Iterator[Records]:
    """Part records without a log group where one begins as those of another type do.

    What begins as no type goes with the records before it, and so do the further lines of a record.
    """
    items, keys, name = records.items, records.keys, content.type_of(records.items[0])
    if not name or keys is None or all(map(content.beginning(name), items)):
        yield records
        return
    at = 0
    for place, (item, key) in enumerate(zip(items, keys, strict=True)):
        own = "" if ANOTHER_LINE in key else content.type_of(item)
        if own and own != name:
            yield records.part(at, place)
            at, name = place, own
    yield records.part(at, len(items))


@cache
def _groups() -> tuple[tuple[str, re.Pattern[str]], ...]:
    every = ((name, formats.get(name).log_groups) for name in formats.NAMES)
    return tuple((name, re.compile(pattern)) for name, pattern in every if pattern)


def type_of_group(log_group: str) -> str:
    """Give the type that a log group's name says; empty if it says none."""
    return next((name for name, groups in _groups() if groups.fullmatch(log_group)), "")
