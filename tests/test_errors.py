"""What an error says is one line, whatever it quotes."""

import pytest

from servicelogs.errors import TryLater, one_line


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("plain, é, 日本 and 😀", "plain, é, 日本 and 😀"),
        ("two\nlines\r\n", r"two\nlines\r\n"),
        ("\u2028\u2029\x85\x0b\x0c", r"\u2028\u2029\x85\x0b\x0c"),
        ("\x1b[2J\x9b2J\b\x00", r"\x1b[2J\x9b2J\x08\x00"),
        ("\u202egnp.exe \ud800", r"\u202egnp.exe \ud800"),
    ],
)
def test_nothing_ends_the_line_or_moves_the_cursor(text, shown):
    assert one_line(text) == shown
    assert one_line(shown) == shown
    assert str(TryLater(text)) == shown
