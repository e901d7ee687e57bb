"""Which log type an object or a file is: as its deployment or user says, else as it shows."""

from collections.abc import Iterable, Iterator
from functools import partial
from typing import NamedTuple

from servicelogs import formats
from servicelogs.detection import content, keys
from servicelogs.detection.content import MOST_BYTES, START_BYTES
from servicelogs.detection.log_events import EventTypes, Identify
from servicelogs.detection.options import with_options
from servicelogs.errors import UnknownLogType, UnreadableObject
from servicelogs.parsing.format import Format
from servicelogs.parsing.places import Place
from servicelogs.parsing.reader import Cut
from servicelogs.records import Reject, Source
from servicelogs.settings import LogSettings
from servicelogs.sources.export_tasks import cut_events, is_export, without_times
from servicelogs.sources.failed_batches import is_failed_batch, read_failed_batch
from servicelogs.sources.kinesis import ShardRecords
from servicelogs.sources.listed_events import ListedEvents, is_list_of_events
from servicelogs.sources.log_events import Envelopes, Run, is_envelope

_SHOWN_BYTES = 60
# How much of an object of unknown type its reject shows.
_KEPT_BYTES = 4096


class Detected(NamedTuple):
    """What an object is."""

    format: Format | None
    skip: str = ""
    """Why it is not read, if it is not."""
    account_id: str = ""
    region: str = ""
    cut: Cut | None = None
    """What cuts its records, if not its format."""
    of_events: Identify | None = None
    """What identifies its records' types, if it holds log events in their envelopes."""
    is_batch: bool = False
    """Whether these are in the records of a stream, in a batch that Lambda gave up."""
    is_list: bool = False
    """Whether they are without envelopes, as `aws logs filter-log-events` prints them."""

    def log_events(
        self, chunks: Iterable[bytes], source: Source, *, keeps_extracted_fields: bool = False
    ) -> tuple[Iterator[Run], ShardRecords | None]:
        """Read the log events that it holds, and the stream's records that they were in, if any.

        An UnreadableObject if these are no batch of records.
        """
        keeps = keeps_extracted_fields
        if self.is_batch:
            shard = read_failed_batch(chunks, keeps_extracted_fields=keeps)
            return shard.runs(), shard
        if self.is_list:
            return ListedEvents(source).cut(chunks), None
        return Envelopes(source, keeps_extracted_fields=keeps).cut(chunks), None


def reject_unknown(error: UnknownLogType, start: bytes, number: int = 1) -> Reject:
    """Reject an object of unknown type, from this record on: it is one reject."""
    return Reject(number, "unknown_log_type", str(error), start[:_KEPT_BYTES])


class ObjectTypes:
    """Identifies the types of objects.

    The first of these decides: LogType, the longest matching prefix of LogTypePrefixes, the key's
    own layout, the first lines. All types are identified, also those that are not read: their
    objects are skipped by name, and are not unknown.
    """

    def __init__(
        self,
        settings: LogSettings,
        how_to_choose: str = "by the beginning of the object's key in LogTypePrefixes",
    ) -> None:
        """Take what the settings say; errors advise to choose the type `how_to_choose` says."""
        self._log_type = settings.log_type
        self._prefixes = sorted(settings.log_type_prefixes.items(), key=lambda pair: -len(pair[0]))
        self._log_types = settings.log_types
        self._with_options = with_options(settings.format_options)
        self._how_to_choose = how_to_choose
        self._events = EventTypes(settings, how_to_choose)

    def by_key(self, key: str) -> Detected | None:
        """Identify an object, or why it is skipped, before it is read; None if it must be read."""
        if skip := keys.why_not_a_log(key):
            return Detected(None, skip)
        places = keys.places(key)
        if assigned := self._assigned(key):
            return self._detected(assigned, places)
        return self._detected(next(iter(places)), places) if len(places) == 1 else None

    def identify(self, key: str, start: bytes, fault: UnreadableObject | None) -> Detected:
        """Identify an object whose text starts so, and may end there with a fault.

        The key is empty where there is none (a line, a pipe). An UnknownLogType if neither its key
        nor its first lines say what it is.
        """
        by_key = self.by_key(key)
        if by_key and by_key.skip:
            return by_key
        if fault is None and not start.strip() and len(start) < START_BYTES:
            return Detected(None, "an empty object")
        start = start[:MOST_BYTES]
        is_batch, is_list = is_failed_batch(start), is_list_of_events(start)
        if is_batch or is_list or is_envelope(start):
            of_events = partial(self._events.identify, assigned=self._assigned(key))
            return Detected(None, of_events=of_events, is_batch=is_batch, is_list=is_list)
        if is_export(start) and not content.types(start, formats.NAMES):
            detected = self._identify(key, by_key, without_times(start), fault)
            return detected._replace(cut=cut_events) if detected.format else detected
        return self._identify(key, by_key, start, fault)

    def _identify(
        self, key: str, by_key: Detected | None, start: bytes, fault: UnreadableObject | None
    ) -> Detected:
        if skip := content.why_not_a_log(start):
            return Detected(None, skip)
        if by_key and self._assigned(key):
            return by_key
        return by_key or self._by_content(key, start, fault)

    def _by_content(self, key: str, start: bytes, fault: UnreadableObject | None) -> Detected:
        places = keys.places(key)
        found = content.types(start, places or formats.NAMES) or self._headless(places, start)
        if len(found) == 1:
            return self._detected(found.pop(), places)
        raise UnknownLogType(self._why_unknown(key, [*places], sorted(found), start, fault))

    def _why_unknown(
        self,
        key: str,
        by_key: list[str],
        by_content: list[str],
        start: bytes,
        fault: UnreadableObject | None,
    ) -> str:
        if fault and not start.strip():
            nothing = "nothing of its text can be read"
            advice = "check how it was written or copied"
            return f"unknown type: {_of_key(key, by_key)}{nothing}: {fault}; {advice}"
        shown = f"it starts with {start[:_SHOWN_BYTES]!r}"
        damage = f"; {fault}" if fault else ""
        if by_content:
            both = "both" if len(by_content) == 2 else "all"
            what = f"could be {_any_of(by_content)}: its first lines match {both}"
            return f"{what}; {shown}{damage}; choose its type {self._how_to_choose}"
        lines = f"its first lines match {'none of them' if by_key else 'no known format'}"
        advice = f"if it is a log, choose its type {self._how_to_choose}"
        return f"unknown type: {_of_key(key, by_key)}{lines}; {shown}{damage}; {advice}"

    def _headless(self, places: dict[str, Place], start: bytes) -> set[str]:
        """Find the types, among those that the key leaves open, whose options match its lines."""
        return {
            name
            for name in places
            if name in self._with_options
            and content.headless(start, self._with_options[name].headless)
        }

    def _assigned(self, key: str) -> str:
        matching = (name for prefix, name in self._prefixes if key.startswith(prefix))
        return self._log_type or next(matching, "")

    def _detected(self, name: str, places: dict[str, Place]) -> Detected:
        if name not in self._log_types:
            return Detected(None, f"{name} is not among LogTypes")
        place = places.get(name) or next(iter(places.values()), Place())
        return Detected(self._with_options.get(name) or formats.get(name), "", *place)


def _of_key(key: str, by_key: list[str]) -> str:
    """Say what an object's key says of its type, before what its text does."""
    if not key:
        return ""
    if by_key:
        return f"its key is that of {_any_of(by_key)}, but "
    return "its key matches no known layout, and "


def _any_of(names: list[str]) -> str:
    return " or ".join(filter(None, (", ".join(names[:-1]), names[-1])))
