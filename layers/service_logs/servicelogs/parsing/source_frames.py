"""What the records of one source share, whatever an engine makes of it: made once for many of them.

It depends on the hour that dates a record, and on its account and Region where it names them.
"""

from abc import ABC, abstractmethod

from servicelogs.parsing.cache import Cache
from servicelogs.parsing.format import Format
from servicelogs.parsing.places import names_places
from servicelogs.records import Source

_MOST_HOURS = 10_000
# Of all values that name places; a frame's own size counts as some more.
_MOST_PLACE_BYTES = 4 * 1024 * 1024
_FRAME_BYTES = 1024


class SourceFrames[Value: (bytes, str), Frame](ABC):
    """The frames of one source's records, by the hour (from 1970) that dates them."""

    def __init__(self, log_format: Format, source: Source) -> None:
        self.source = source
        self.of_hour: Cache[int, Frame | None] = Cache(
            lambda hour: self.make(hour, ()), _MOST_HOURS
        )
        """None: the records of that hour have expired."""
        self.of_place: Cache[tuple[int, tuple[Value, ...]], Frame | None] = Cache(
            lambda placed: self.make(*placed), _MOST_PLACE_BYTES, weight=_weight
        )
        """The same for an hour and the values of a record that name its account and Region."""
        self.by_record = names_places(log_format, source)
        """Whether records are asked for their account and Region."""

    @abstractmethod
    def make(self, hour: int, values: tuple[Value, ...]) -> Frame | None:
        """Make the frame of an hour's records with such values; None: they have expired."""


def _weight(placed: tuple[int, tuple[bytes | str, ...]]) -> int:
    return _FRAME_BYTES + sum(map(len, placed[1]))
