"""The frame around every document: the action line, and what we put in front of its own fields.

A document is `{"cloud":{…},"event":{…},"log":{…,"record":N},"@timestamp":"…",` and then the
record's own fields. All of the frame but the record's number and its exact time is the same for the
records of one source and hour: it is made once for them and kept as bytes.
"""

from datetime import UTC, datetime
from typing import Any, NamedTuple

import msgspec

from servicelogs.dates import hour_of, hour_start, iso
from servicelogs.opensearch.dated_indexes import ChooseIndex
from servicelogs.parsing.cache import Cache
from servicelogs.records import Source

_MOST_HOURS = 10_000

# Stands for the hour of the delivery, where a record says no time.
DELIVERY_HOUR = -(10**9)


class Frame(NamedTuple):
    """What the documents of one source and hour share."""

    action: bytes
    """The action line up to the `_id`."""
    own_action: bytes
    """The same up to the record's key: with a quote and the source's id in front of it."""
    head: bytes
    """The document up to the record's number."""


class Frames:
    """The frames of one source's documents, by the hour (from 1970) that dates them."""

    def __init__(self, log_type: str, source: Source, choose_index: ChooseIndex) -> None:
        self.source = source
        self.of_hour: Cache[int, Frame | None] = Cache(self._make, _MOST_HOURS)
        """None: the records of that hour have expired."""
        self.delivery_index = ""
        """The index of those that the delivery dates, if there were any."""
        self._choose_index = choose_index
        self._log_type = log_type
        self._ingested = iso(datetime.now(UTC))

    def _make(self, hour: int) -> Frame | None:
        source = self.source
        says_no_time = hour == DELIVERY_HOUR
        moment = hour_start(hour_of(source.delivered) if says_no_time else hour)
        index = self._choose_index(moment, source)
        if index is None:
            return None
        if index.by_delivery or says_no_time:
            self.delivery_index = index.name
        cloud = {"account_id": source.account_id, "region": source.region}
        log: dict[str, Any] = {
            "type": self._log_type,
            "source": source.uri,
            **_given({"group": source.log_group, "stream": source.log_stream}),
            **({"date_adjusted": True} if index.adjusted else {}),
        }
        document = {"cloud": _given(cloud), "event": {"ingested": self._ingested}, "log": log}
        action = msgspec.json.encode({"create": {"_index": index.name, "_id": ""}})
        action = action.removesuffix(b'""}}')
        return Frame(
            action,
            b'%b"%b-' % (action, source.id.encode()),
            msgspec.json.encode(document).removesuffix(b"}}") + b',"record":',
        )


def _given(values: dict[str, str]) -> dict[str, str]:
    """Leave out what is empty."""
    return {name: value for name, value in values.items() if value}
