"""The documents of messages: objects that OpenSearch could not take are changed."""

from collections.abc import Callable, Mapping
from typing import Any, override

from servicelogs.opensearch.fitting import MOST_TERM_BYTES, fit
from servicelogs.opensearch.frames import Frames
from servicelogs.opensearch.json_documents import FIRST_BYTES, MOST_ARRAYS, MOST_ENDS
from servicelogs.parsing.json.values import encode
from servicelogs.parsing.messages.format import JsonForm
from servicelogs.parsing.messages.printing import PrintedMessages, Printers
from servicelogs.records import Block, Reject

_MOST_FREE_FORM = MOST_TERM_BYTES - 256
"""An object of so many bytes holds no leaf that is too long for a term, its path included."""


class MessageDocuments(PrintedMessages):
    """The documents of one source's messages."""

    def __init__(self, printers: Printers, fields: Mapping[str, str], frames: Frames) -> None:
        super().__init__(printers, fields, frames.source, frames.of_hour)
        self._all_frames = frames

    @override
    def finish(self, rejects: list[Reject], raw: Callable[[int], bytes] | None = None) -> Block:
        block = super().finish(rejects, raw)
        block.indexes = self._all_frames.indexes
        block.delivery_index = self._all_frames.delivery_index
        return block

    @staticmethod
    @override
    def may_go_through(text: bytes) -> bool:
        return len(text) <= FIRST_BYTES or (
            len(text) <= _MOST_FREE_FORM
            and text.count(b"}") <= MOST_ENDS
            and text.count(b"[") <= MOST_ARRAYS
        )

    @override
    def fitting(self, text: bytes, record: dict[str, Any], form: JsonForm) -> list[bytes]:
        holder = {form.whole: record}
        original = fit(holder, self._printers.log_format)
        text = encode(holder.get(form.whole))
        return [text, encode(original), encode([*original])] if original else [text]
