"""Aggregated records are taken apart, and none that is corrupt gives anything."""

import hashlib

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from servicelogs.errors import UnreadableObject
from servicelogs.sources.aggregation import MAGIC, is_aggregated, taken_apart
from tests.sources.stream_events import aggregated, field


@settings(max_examples=50)
@given(st.lists(st.binary(max_size=300), max_size=5))
def test_what_was_put_together_comes_apart(given: list[bytes]) -> None:
    data = aggregated(*given)
    assert is_aggregated(data)
    assert taken_apart(data) == given


def test_fields_that_are_not_known_are_skipped() -> None:
    tag = field(4, field(1, b"name") + field(2, b"value"))
    fixed = bytes([9 << 3 | 1]) + b"\0" * 8 + bytes([10 << 3 | 5]) + b"\0" * 4
    text = field(8, 300) + fixed + field(3, field(1, 0) + tag + field(3, b"data"))
    assert taken_apart(_with_digest(text)) == [b"data"]


@pytest.mark.parametrize("at", [5, 20, -1])
def test_a_wrong_byte_is_found_by_the_checksum(at: int) -> None:
    data = bytearray(aggregated(b"one", b"two"))
    data[at] ^= 1
    with pytest.raises(UnreadableObject, match="checksum"):
        taken_apart(bytes(data))


@pytest.mark.parametrize(
    "text",
    [b"\x1a\xff", b"\x1a\x05ab", b"\xff" * 12, bytes([3 << 3 | 3]), bytes([3 << 3 | 1]) + b"abc"],
)
def test_a_buffer_that_is_none_is_an_error_even_if_its_checksum_is_right(text: bytes) -> None:
    with pytest.raises(UnreadableObject):
        taken_apart(_with_digest(text))


def test_what_is_shorter_than_a_checksum_is_an_error() -> None:
    with pytest.raises(UnreadableObject):
        taken_apart(MAGIC + b"abc")


def _with_digest(text: bytes) -> bytes:
    return MAGIC + text + hashlib.md5(text).digest()
