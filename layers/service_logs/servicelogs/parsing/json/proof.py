"""Proves that records were cut where they end: each of them is JSON."""

import json
from collections.abc import Callable, Iterable
from typing import Any, Protocol

import msgspec

from servicelogs.records import Records

_LINE_FEED = ord("\n")
_decode_any = msgspec.json.Decoder(msgspec.Raw).decode


class Decoder(Protocol):
    """Decodes what an engine must know of a record."""

    @property
    def decode(self) -> Callable[[bytes], Any]:
        """Decode a record; a DecodeError if it is none, or not of the form that is looked for."""


def decode(records: list[bytes], decoder: Decoder, *, plain: bool) -> list[Any] | None:
    """Decode each record (None: the decoder cannot); None if one of them is not JSON.

    `plain` says that they are all in UTF-8 and on one line each.
    """
    if plain:
        try:
            return list(map(decoder.decode, records))
        except (msgspec.DecodeError, RecursionError):
            pass
    known = []
    for record in records:
        members = decode_plain(record, decoder, plain=plain)
        if members is None and not is_json(record):
            return None
        known.append(members)
    return known


def decode_each(records: list[bytes], decoder: Decoder) -> Iterable[Any]:
    """Decode each record as `decode_plain` does: all at once, where they let themselves."""
    text = b"".join(records)
    if _LINE_FEED not in text and is_utf_8(text):
        try:
            return list(map(decoder.decode, records))
        except (msgspec.DecodeError, RecursionError):
            pass
    return (decode_plain(record, decoder) for record in records)


def decode_plain(record: bytes, decoder: Decoder, *, plain: bool = False) -> Any:
    """Decode a record in UTF-8 on one line (`plain`: it is known to be); None: it cannot be."""
    if not plain and (_LINE_FEED in record or not is_utf_8(record)):
        return None
    try:
        return decoder.decode(record)
    except (msgspec.DecodeError, RecursionError):
        return None


def decode_compact(record: bytes, decoder: Decoder) -> tuple[bytes, Any]:
    """Write a record on one line, and decode it (None: it cannot be)."""
    if _LINE_FEED not in record:
        return record, decode_plain(record, decoder)  # where it was cut by its braces
    try:
        compact = msgspec.json.format(record, indent=-1)
    except (msgspec.DecodeError, RecursionError):
        return record, None
    return compact, decode_plain(compact, decoder)


def decoded_items(
    records: Records, skipped: int, decoder: Decoder
) -> tuple[list[bytes], Iterable[Any]]:
    """Give the records behind those that are skipped, each with what was decoded of it."""
    items = records.items[skipped:]
    if records.decoded is not None:
        return items, records.decoded[skipped:]
    # Nobody has cut these: there may be spaces around them.
    items = [item.strip() for item in items]
    return items, decode_each(items, decoder)


def is_json(record: bytes) -> bool:
    """Find out whether a record can be decoded, if only leniently."""
    try:
        _decode_any(record)
    except (msgspec.DecodeError, RecursionError):
        return _is_nearly_json(record)
    return True


def _is_nearly_json(record: bytes) -> bool:
    """Let half surrogate pairs, control characters and bytes that are not UTF-8 pass."""
    try:
        json.loads(record.decode("utf-8", "replace"), strict=False)
    except (ValueError, RecursionError):
        return False
    return True


def is_utf_8(text: bytes) -> bool:
    """Find out whether bytes are UTF-8."""
    try:
        return text.isascii() or bool(text.decode())
    except UnicodeDecodeError:
        return False
