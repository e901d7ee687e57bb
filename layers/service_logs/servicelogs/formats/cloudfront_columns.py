"""What the standard and the real-time logs of CloudFront share: columns that only it has.

CloudFront percent-encodes what it writes, `%` too: a request for `/a%20b` is logged as `/a%2520b`.
Headers are decoded once, so they are what the viewer sent; of a URL only what CloudFront encoded,
so that it stays a URL.
"""

import re

from servicelogs.parsing.fields import Field
from servicelogs.parsing.text.columns import (
    Column,
    Group,
    Variant,
    decoded_as,
    percent_decoded,
    snake,
)


def status(name: str, description: str) -> Column:
    """A status code; `000`, the viewer left before there was one, is the number 0."""
    groups = (Group(Field(snake(name), "integer", description), "number"),)
    variants = (Variant(r"(0|[1-9]\d{0,8}+)", groups), Variant("00(0)", groups))
    return Column(name, variants, expects="a status code, as 200 or 000")


def url_part(name: str, description: str) -> Column:
    """A part of a URL, as it was requested."""
    return decoded_as(Field(snake(name), "keyword", description), name, _as_requested)


_ENCODED = {
    b"%%%02X" % ord(character): character.replace("\\", r"\\").replace('"', r"\u0022").encode()
    for character in "<>\"#%{}|\\^~[]`'"
}
_encoded = re.compile(b"|".join(_ENCODED))


def _as_requested(value: bytes) -> bytes:
    """Undo what CloudFront does to a URL, but for bytes that no URL has as they are."""
    return _encoded.sub(lambda match: _ENCODED[match[0]], value)


def addresses(name: str, description: str) -> Column:
    """Addresses with commas between, or whatever a client wrote there; a list."""
    field = Field(f"{snake(name)}[]", "keyword", description)
    one, several = (Group(field),), (Group(field, convert=_items),)
    variants = (
        Variant(r"([^<end>%,-][^<end>%,]*+)", one),
        Variant(r"([^<end>%,]*+[%,][^<end>]*+)", several, marks="%,"),
        Variant(r"(-[^<end>%,]++)", one),
    )
    return Column(name, variants)


def _items(value: bytes) -> bytes:
    items = [item.strip() for item in percent_decoded(value).split(b",")]
    return b'","'.join(filter(None, items))


MEDIA_CLIENT_DATA = tuple(
    (f"cmcd-{name}", f"media client data: {meaning}")
    for name, meaning in (
        ("encoded-bitrate", "bit rate of the object, kbit/s"),
        ("buffer-length", "buffered media, ms"),
        ("buffer-starvation", "whether the buffer ran empty"),
        ("content-id", "content"),
        ("object-duration", "playing time of the object, ms"),
        ("deadline", "time until the buffer runs empty, ms"),
        ("measured-throughput", "throughput to the client, kbit/s"),
        ("next-object-request", "path of the next object"),
        ("next-range-request", "range of the next request"),
        ("object-type", "kind of object"),
        ("playback-rate", "1 real time, 2 twice as fast"),
        ("requested-maximum-throughput", "throughput that is enough, kbit/s"),
        ("streaming-format", "streaming format"),
        ("session-id", "playback session"),
        ("stream-type", "live or on demand"),
        ("startup", "whether it is needed to start, seek or recover"),
        ("top-bitrate", "highest bit rate that could be played, kbit/s"),
        ("version", "version of the specification"),
    )
)
"""A player's word (Common Media Client Data): names of columns, and what they say."""
