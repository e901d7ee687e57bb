"""Which log type an object or a file is: as its deployment or user says, else as it shows."""

from typing import NamedTuple

from servicelogs import formats
from servicelogs.detection import content, keys
from servicelogs.detection.content import MOST_BYTES, START_BYTES
from servicelogs.detection.keys import Place
from servicelogs.detection.options import with_options
from servicelogs.errors import UnknownLogType, UnreadableObject
from servicelogs.parsing.format import Format
from servicelogs.settings import LogSettings

_SHOWN_BYTES = 60


class Detected(NamedTuple):
    """What an object is."""

    format: Format | None
    skip: str = ""
    """Why it is not read, if it is not."""
    account_id: str = ""
    region: str = ""


class ObjectTypes:
    """Identifies the types of objects.

    The first of these decides: LogType, the longest matching prefix of LogTypePrefixes, the key's
    own layout, the first lines. All types are identified, also those that are not read: their
    objects are skipped by name, and are not unknown.
    """

    def __init__(
        self,
        settings: LogSettings,
        advice: str = "if it is a log, give the beginning of its key in LogTypePrefixes",
    ) -> None:
        """Take what the settings say; `advice` says what to do with an object of unknown type."""
        self._log_type = settings.log_type
        self._prefixes = sorted(settings.log_type_prefixes.items(), key=lambda pair: -len(pair[0]))
        self._log_types = settings.log_types
        self._with_options = with_options(settings.format_options)
        self._advice = advice

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

        An UnknownLogType if neither its key nor its first lines say what it is.
        """
        by_key = self.by_key(key)
        if by_key and by_key.skip:
            return by_key
        if fault is None and not start.strip() and len(start) < START_BYTES:
            return Detected(None, "an empty object")
        if by_key and self._assigned(key):
            return by_key
        start = start[:MOST_BYTES]
        if skip := content.why_not_a_log(start):
            return Detected(None, skip)
        return by_key or self._by_content(keys.places(key), start, fault)

    def _by_content(
        self, places: dict[str, Place], start: bytes, fault: UnreadableObject | None
    ) -> Detected:
        found = content.types(start, places or formats.NAMES) or self._headless(places, start)
        if len(found) == 1:
            return self._detected(found.pop(), places)
        why = _why_unknown([*places], sorted(found))
        shown = f"; it starts with {start[:_SHOWN_BYTES]!r}" if start else ""
        damage = f"; {fault}" if fault else ""
        raise UnknownLogType(f"unknown type: {why}{shown}{damage}; {self._advice}")

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


def _why_unknown(by_key: list[str], by_content: list[str]) -> str:
    key = f"is that of {' or '.join(by_key)}" if by_key else "matches no known layout"
    if by_content:
        return f"its key {key}, and its first lines match {' and '.join(by_content)}"
    lines = "match none of them" if by_key else "match no known format"
    return f"its key {key}, {'but' if by_key else 'and'} its first lines {lines}"
