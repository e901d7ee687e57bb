"""The documents of messages: printed by templates; what OpenSearch could not take is changed."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from operator import not_
from typing import Any, override

from servicelogs.opensearch.fitting import MOST_TERM_BYTES, fit
from servicelogs.opensearch.frames import Frame, Frames
from servicelogs.opensearch.json_documents import FIRST_BYTES, MOST_ARRAYS, MOST_ENDS
from servicelogs.opensearch.message_templates import (
    CONTINUATION,
    MOST_SHAPES,
    ORDINARY,
    PLAIN,
    Implied,
    ObjectTemplate,
    Printer,
    Printers,
    converted,
    members_as_json,
    safe,
    safe_values,
    what_is_in,
)
from servicelogs.parsing.cache import Cache
from servicelogs.parsing.json.values import encode
from servicelogs.parsing.messages.format import JsonForm, MessageFormat
from servicelogs.parsing.messages.joining import Message
from servicelogs.parsing.messages.objects import ObjectShape
from servicelogs.parsing.messages.reading import NO_HEAD, Head, MessageReader, encoded
from servicelogs.parsing.messages.times import times
from servicelogs.records import Block, Reject

_MOST_FREE_FORM = MOST_TERM_BYTES - 256
"""An object of so many bytes holds no leaf that is too long for a term, its path included."""


class MessageDocuments(MessageReader[Printer, ObjectTemplate, Frame]):
    """The documents of one source's messages."""

    def __init__(
        self,
        log_format: MessageFormat,
        printers: Printers,
        fields: Mapping[str, str],
        frames: Frames,
    ) -> None:
        super().__init__(printers, fields, frames.source, frames.of_hour)
        self._format = log_format
        self._all_frames = frames
        self._implied: Cache[Implied, bytes] = Cache(self._written, MOST_SHAPES)
        self._implied_by_all = members_as_json(encoded(fields))

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
        original = fit(holder, self._format)
        text = encode(holder.get(form.whole))
        return [text, encode(original), encode([*original])] if original else [text]

    @override
    def write(self, messages: Iterable[Message]) -> None:
        """Append messages.

        Written for the machine: about ten calls into C for a message.
        """
        forms, members, _, _, _, joiner = self._kind
        match_forms, plans = forms.match, forms.plans
        frames, dated_by = self._frames, self._records.hour
        body, documents, expired = self._body, 0, 0
        # Joined events have line feeds between them.
        care, odd = what_is_in((b"\n" if joiner.joins else b"").join(self._records.items))
        implied, time_of, odd_ones = self._implied, self._time_of, (ValueError, OverflowError)
        for message in messages if members is None else self._texts(messages, members):
            number, key, text, continues = message
            match = None if continues else match_forms(text)
            if match is None:
                self._write_plain(message)
                continue
            printer = plans[match.lastindex]
            values = match.group(*printer.groups)
            if printer.object_at >= 0 and self._write_ending(members, message, printer, values):
                continue
            try:
                if (at := printer.time_at) >= 0 and values[at]:
                    hour, time = times[values[at]]
                else:
                    hour, time = time_of(printer, values, number)
                frame = frames[hour if dated_by is None else dated_by]
            except odd_ones:
                self._write_plain(message)
                continue
            if frame is None:
                expired += 1
                continue
            if all(values):
                template, fraction_at, conversions, same = printer.template
            else:
                absent = tuple(map(not_, values))
                template, fraction_at, conversions, same = printer.templates[absent]
                values = tuple(filter(None, values))
            if conversions and (changed := converted(values, conversions)) != values:
                # They may hold what the text does not.
                care_again, odd_now = what_is_in(b"".join(changed))
                values = safe_values(changed, odd=odd_now) if care_again else changed
            elif care and text.translate(None, ORDINARY):
                values = safe_values(values, odd=odd)
            action, head = frame.own_action, frame.head
            fraction = values[fraction_at] if values else b""
            body += template % (action, key, head, number, time, fraction, implied[same], *values)
            documents += 1
        self._documents += documents
        self._expired += expired

    @override
    def add_object(
        self,
        message: Message,
        text: bytes,
        time: bytes,
        frame: Frame,
        shape: ObjectShape[ObjectTemplate],
        values: list[bytes],
        head: Head,
        changes: Sequence[bytes],
    ) -> None:
        number, key, _, _ = message
        template, implied = shape.plan
        log = b"%d" % number
        if changes:
            log += b',"original":%b,"adjusted":%b' % (*changes,)
        if head is NO_HEAD:
            before = self._implied[implied]
        else:
            before = members_as_json(self._said_before(head, shape))
        self._body += template % (
            frame.own_action,
            key,
            frame.head,
            log,
            time,
            before,
            *values,
            text,
        )

    def _write_plain(self, message: Message) -> None:
        """Append a message that has no form, with its time as its source says it."""
        number, key, text, continues = message
        hour, time = self._time_of_source(number)
        frame = self._frame(hour)
        if frame is None:
            return
        member = b',"message":"%b"' % safe(text) if text else b""
        self._body += (CONTINUATION if continues else PLAIN) % (
            frame.own_action,
            key,
            frame.head,
            number,
            time,
            self._implied_by_all,
            member,
        )
        self._documents += 1

    def _written(self, implied: Implied) -> bytes:
        """Write the fields that are the same in all documents of this source and a shape."""
        fields = {**self._fields, **implied.constants}
        return members_as_json(encoded({n: fields[n] for n in fields if n not in implied.replaced}))
