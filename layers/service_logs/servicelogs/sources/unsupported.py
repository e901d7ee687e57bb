"""Compressions and file formats that are known by their first bytes and not read."""

import codecs
import re

START_BYTES = 512
"""So many first bytes suffice."""

_MAGICS = {
    b"\xff\x06\0\0sNaPpY": "compressed with Snappy (framed)",
    b"\x82SNAPPY\0": "compressed with Snappy (in Java's frame)",
    b"\x04\x22\x4d\x18": "compressed with LZ4",
    b"\x02\x21\x4c\x18": "compressed with LZ4 (legacy frame)",
    b"\x89LZO\0\r\n\x1a\n": "compressed with LZO",
    b"\x1f\x9d": "compressed with compress (.Z)",
    b"7z\xbc\xaf\x27\x1c": "a 7z archive",
    b"Obj\x01": "an Avro file",
    b"ORC": "an ORC file",
}
_EVERY_MAGIC = tuple(_MAGICS)
_TEXT = frozenset(bytes([byte]) for byte in range(0x20, 0x7F)) - {m[:1] for m in _MAGICS}
"""First bytes that nothing but text begins with."""
_TAR_AT, _TAR = 257, b"ustar"
_text = re.compile(rb"[\t\r\n\x20-\x7e]+").fullmatch
_HADOOP_HEADER = 8
_SHOWN = 16


def what_is_not_read(start: bytes) -> str:
    """Say what bytes that begin so are, if they are known and not read; empty if they are not."""
    if start.startswith(_TAR, _TAR_AT):
        return "a tar archive"
    if start[:1] in _TEXT:  # as nearly always
        return ""
    if start.startswith(_EVERY_MAGIC):
        return next(name for magic, name in _MAGICS.items() if start.startswith(magic))
    if _is_snappy_of_hadoop(start):
        return "compressed with Snappy (in Hadoop's frame)"
    # ASCII never begins like the length of more than 127 bytes.
    if start[:1] >= b"\x80" and _text_of_snappy(start) and not _is_utf_8(start):
        return "compressed with Snappy (without a frame)"
    return ""


def _is_snappy_of_hadoop(start: bytes) -> bool:
    """Find two lengths of four bytes, each below 16 MiB, and Snappy behind them."""
    if start[:1] != b"\0" or start[4:5] != b"\0":
        return False
    return 0 < _text_of_snappy(start[_HADOOP_HEADER:]) <= int.from_bytes(start[:4])


def _text_of_snappy(data: bytes) -> int:
    """Give how long the text is that data in Snappy's format becomes; 0 if it is not that.

    It begins with that length, seven bits a byte, and then with some of the text as it is.
    """
    length = at = 0
    while at < min(5, len(data)):
        length |= (data[at] & 0x7F) << (7 * at)
        at += 1
        if data[at - 1] < 0x80:
            break
    tag, more = (data[at] & 3, data[at] >> 2) if at < len(data) else (1, 0)
    wide = max(0, more - 59)  # so many bytes say how long the piece is
    piece = 1 + (int.from_bytes(data[at + 1 : at + 1 + wide], "little") if wide else more)
    shown = data[at + 1 + wide :][: min(piece, _SHOWN)]
    return length if tag == 0 and piece <= length and _text(shown) else 0


def _is_utf_8(start: bytes) -> bool:
    try:
        codecs.getincrementaldecoder("utf-8")().decode(start)
    except UnicodeDecodeError:
        return False
    return True
