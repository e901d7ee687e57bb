"""The frame around every document: the action line, and what we put in front of its own fields.

A document is `{"cloud":{…},"event":{…},"log":{…,"record":N},"@timestamp":"…",` and then the
record's own fields. All of the frame but the record's number and its exact time is the same for the
records of one source and hour: it is made once for them and kept as bytes.
"""

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, override

import msgspec

from servicelogs.dates import DELIVERY_HOUR, dating_moment, iso
from servicelogs.opensearch.dated_indexes import ChooseIndex
from servicelogs.parsing.format import Format
from servicelogs.parsing.places import place_in, place_of
from servicelogs.parsing.source_frames import SourceFrames
from servicelogs.records import Source

MOST_ID_BYTES = 512
"""A longer `_id` fails its whole request."""


@dataclass(frozen=True, slots=True)
class Frame:
    """What the documents of one source and hour share."""

    action: bytes
    """The action line up to the `_id`."""
    own_action: bytes
    """The same up to the record's key: with a quote and the source's id in front of it."""
    head: bytes
    """The document up to the record's number."""


class Frames(SourceFrames[bytes, Frame]):
    """The frames of one source's documents, by the hour (from 1970) that dates them."""

    def __init__(self, log_format: Format, source: Source, choose_index: ChooseIndex) -> None:
        super().__init__(log_format, source)
        self.indexes: set[str] = set()
        """Where the documents go, so far."""
        self.delivery_index = ""
        """The index of those that the delivery dates, if there were any."""
        self._choose_index = choose_index
        self._format = log_format
        self._log_type = log_format.name
        self._ingested = iso(datetime.now(UTC))

    @override
    def make(self, hour: int, values: tuple[bytes, ...]) -> Frame | None:
        source = self.source
        named = place_of(value.decode("utf-8", "replace").strip('"') for value in values)
        place = place_in(source, named)
        index = self._choose_index(dating_moment(hour, source), source)
        if index is None:
            return None
        self.indexes.add(index.name)
        if index.by_delivery or hour == DELIVERY_HOUR:
            self.delivery_index = index.name
        cloud = {
            "account_id": place.account_id or source.default_account_id,
            "region": place.region or self._default_region(values),
        }
        log: dict[str, Any] = {
            "type": self._log_type,
            "source": source.uri,
            **_given({"group": source.log_group, "stream": source.log_stream}),
            **_extracted(source),
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

    def _default_region(self, values: tuple[bytes, ...]) -> str:
        """Give the Region of what names none, unless it is of none."""
        texts = (value.decode("utf-8", "replace") for value in values)
        is_worldwide = self._format.is_worldwide(self.source, texts)
        return "" if is_worldwide else self.source.default_region


def _extracted(source: Source) -> dict[str, msgspec.Raw]:
    fields = source.extracted_fields
    return {"extracted_fields": msgspec.Raw(fields.encode())} if fields else {}


def _given(values: dict[str, str]) -> dict[str, str]:
    """Leave out what is empty."""
    return {name: value for name, value in values.items() if value}
