"""The frame around every record: the action line, and what we put in front of its own fields.

A document is `{"cloud":{…},"event":{…},"log":{…,"record":N},"@timestamp":"…",` and then the
record's own fields. All of the frame but the ordinal and the exact time is the same for the records
of one object and hour, so it is built once for them and kept here as bytes.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Protocol

import msgspec

from servicelogs.records import Source

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MOST_STAMPS = 10_000


@dataclass(frozen=True, slots=True)
class IndexDate:
    """Where a record goes: the index, and whether its date is the delivery's instead of its own."""

    index: str
    adjusted: bool = False


class Dates(Protocol):
    """Choose the index for records of one hour; None if they are past their retention."""

    def __call__(self, hour: datetime, source: Source) -> IndexDate | None:
        """Choose for this hour (UTC) and source."""
        ...


def one_index(name: str) -> Dates:
    """Put everything into one index, whatever its date (for the command line)."""
    return lambda _hour, _source: IndexDate(name)


Stamp = tuple[bytes, bytes, bytes]
"""ISO 8601 text as far as the key tells the time, the action line up to the `_id` or its end, the
document up to the ordinal."""


class Stamps(dict[bytes, Stamp | None]):
    """From the part of a record's time that many records share to their common frame.

    The key is the hour as the format writes it (or a whole epoch second, …); `-` and the empty key
    stand for records without a time, which get the delivery's. None means: expired, filter it.
    """

    def __init__(
        self,
        log_type: str,
        source: Source,
        dates: Dates,
        moment: Callable[[bytes], tuple[datetime, str]],
        *,
        id_prefix: bytes,
    ) -> None:
        self._source = source
        self._dates = dates
        self._moment = moment
        self._id_prefix = id_prefix
        cloud = {"account_id": source.account_id, "region": source.region}
        self._frame = {
            "cloud": {name: value for name, value in cloud.items() if value},
            "event": {"ingested": iso(datetime.now(UTC))},
        }
        self._log = {"type": log_type, "source": source.uri}

    def __missing__(self, key: bytes) -> Stamp | None:
        if len(self) >= _MOST_STAMPS:
            self.clear()
        if key in (b"-", b""):
            moment, text = self._source.delivered, iso(self._source.delivered)[:-1]
        else:
            moment, text = self._moment(key)
        stamp = self[key] = self._stamp(moment, text)
        return stamp

    def _stamp(self, moment: datetime, text: str) -> Stamp | None:
        date = self._dates(moment.replace(minute=0, second=0, microsecond=0), self._source)
        if date is None:
            return None
        log = self._log | ({"date_adjusted": True} if date.adjusted else {})
        action = msgspec.json.encode({"create": {"_index": date.index, "_id": ""}})
        frame = msgspec.json.encode(self._frame | {"log": log})
        return (
            text.encode(),
            action.removesuffix(b'"}}') + self._id_prefix,
            frame.removesuffix(b"}}") + b',"record":',
        )


def iso(moment: datetime) -> str:
    """Write a UTC time as ISO 8601 with its microseconds, if it has any."""
    return moment.astimezone(UTC).replace(tzinfo=None).isoformat() + "Z"


def iso_hour(text: bytes) -> tuple[datetime, str]:
    """Read an hour in ISO 8601, `2026-11-20T08`; a ValueError if it is none."""
    hour = text.decode()
    moment = datetime.strptime(hour, "%Y-%m-%dT%H").replace(tzinfo=UTC)
    if moment.isoformat()[:13] != hour:  # strptime takes ` 2` and digits of other scripts too
        raise ValueError(f"{hour!r} is no hour")
    return moment, hour
