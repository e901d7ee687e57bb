"""Cuts the records of an array by decoding them as one list: where they begin differently."""

from collections.abc import Iterator

import msgspec

from servicelogs.parsing.framing import BLOCK_BYTES
from servicelogs.parsing.json.cutter import Found
from servicelogs.parsing.json.proof import Decoder, decode

_TRIES = 4
"""So many places are taken for the end of the last whole record: each try decodes all."""
_OBJECTS = 256
"""So many objects are passed from the end of the text on, to find such a place."""
_MOST_BYTES = 4 * BLOCK_BYTES
"""Of more, which would be one record nearly always, the elements of any list fill the memory."""
_ENOUGH_FAILURES = 4
"""After so many in a row the object is of another kind: each try copies and decodes a block."""
_decode_list = msgspec.json.Decoder(list[msgspec.Raw]).decode


class ByDecoding:
    """Lets the decoder find where each record ends."""

    def __init__(self, decoder: Decoder) -> None:
        self._decoder = decoder
        self._failures = 0

    def cut(self, text: bytes, *, last: bool) -> Found | None:
        """Find the records; None if what the text holds is not an array's, or not JSON."""
        if self._failures >= _ENOUGH_FAILURES or len(text) > _MOST_BYTES:
            return None
        for end in _ends(text, last=last):
            try:
                raw = _decode_list(b"[%b]" % text[:end])
            except (msgspec.DecodeError, RecursionError):
                continue
            records = [bytes(record) for record in raw]
            known = decode(records, self._decoder, plain=False)
            if known is None:
                break
            self._failures = 0
            return Found(records, known, end + last, closed=last)
        self._failures += 1
        return None


def _ends(text: bytes, *, last: bool) -> Iterator[int]:
    """Guess where the last whole record ends, from the end of the text on."""
    if last:
        if (end := text.rfind(b"]")) >= 0:
            yield end
        return
    tries, begin = 0, len(text)
    for _ in range(_OBJECTS):
        begin = text.rfind(b"{", 0, begin)
        end = text.rfind(b"}", 0, max(begin, 0)) + 1
        if not end or tries == _TRIES:
            return
        # Only in a list does an object follow another: members have their names in between.
        if text[end:begin].strip() == b",":
            tries += 1
            yield end
