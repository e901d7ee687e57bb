"""Records of delimited formats that are JSON objects, one a line: read as columns with names.

Such a line is delimited text too: between its values stand the names. So a pattern takes it as it
is, and this is for those that it does not take: with escapes or spaces in them, with other names.
"""

import json
import re
from decimal import Decimal, InvalidOperation

import msgspec

_MOST_DIGITS = 400
# Of a line that is not an object, which its reason shows.
_SHOWN = 40
_plain = re.compile(r'[^"\\\x00-\x1f]*').fullmatch
# An escape; the group is half a surrogate pair, which is not a character.
_escape = re.compile(
    r"\\(?:u[dD][89abAB]\w\w\\u[dD][c-fC-F]\w\w|(u[dD][89a-fA-F]\w\w)|.)", re.DOTALL
)


def as_columns(line: bytes) -> tuple[tuple[str, ...], bytes]:
    """Give the names of a JSON object's members, and it written as patterns take it.

    A ValueError if it is not one. Names and values are as between quotes of a JSON string in
    which no quote stands.
    """
    members = _decode(line.decode(errors="replace"))
    names = tuple(_escaped(name) for name in members)
    values = (_text(value) for value in members.values())
    pairs = ",".join(f'"{name}":"{value}"' for name, value in zip(names, values, strict=True))
    return names, f"{{{pairs}}}".encode(errors="replace")


def _decode(text: str) -> dict[str, msgspec.Raw]:
    if "\\u" in text:
        text = _escape.sub(lambda escape: "\\ufffd" if escape[1] else escape[0], text)
    try:
        return msgspec.json.decode(text, type=dict[str, msgspec.Raw])
    except (msgspec.DecodeError, RecursionError) as error:
        raise ValueError(f"the line is not a JSON object: {text[:_SHOWN]!r} ({error})") from error


def _text(raw: msgspec.Raw) -> str:
    """Write a value as text would have it."""
    text = bytes(raw).decode()
    if text == "null":
        return "-"
    if text[0] == '"':
        return _escaped(json.loads(text)) if "\\" in text else text[1:-1]
    if text[0] in "{[":
        return _escaped(text)
    return _number(text) if text[0] not in "tf" else text


def _number(text: str) -> str:
    """Write a number without an exponent, and without `.0` at its end."""
    try:
        number = Decimal(text)
    except InvalidOperation:  # an exponent of some twenty digits
        return text
    if abs(number.adjusted()) > _MOST_DIGITS:
        return text
    plain = format(number, "f")
    return plain.rstrip("0").rstrip(".") if "." in plain else plain


def _escaped(text: str) -> str:
    if _plain(text):
        return text
    return json.dumps(text, ensure_ascii=False)[1:-1].replace('\\"', "\\u0022")
