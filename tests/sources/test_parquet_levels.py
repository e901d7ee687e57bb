"""The longest row of a column is found in its levels, however they are written."""

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from servicelogs.sources import parquet_levels
from servicelogs.sources.parquet_levels import RowLengths
from tests.sources.crafted_parquet import varint


def written(levels: list[int], width: int, rng: random.Random) -> bytes:
    """Write levels as runs and packed bits by turns."""
    text, at = b"", 0
    while at < len(levels):
        if rng.random() < 0.5:
            run = 1
            while levels[at : at + run + 1] == levels[at : at + 1] * (run + 1):
                run += 1
            text += varint(run << 1) + bytes([levels[at]])
            at += run
        else:
            groups = rng.randint(1, 5)
            some = levels[at : at + 8 * groups]
            packed = sum(level << width * place for place, level in enumerate(some))
            text += varint(groups << 1 | 1) + packed.to_bytes(groups * width, "little")
            at += 8 * groups
    return text


@pytest.mark.parametrize("highest", [1, 2, 3, 5, 9])
@given(seed=st.integers(0, 2**32))
def test_the_longest_row_is_found_whatever_the_runs_and_pages(
    monkeypatch: pytest.MonkeyPatch, highest: int, seed: int
) -> None:
    monkeypatch.setattr(parquet_levels, "_GROUPS", 2)
    rng = random.Random(seed)
    sizes = [rng.choice([1, 1, 2, 7, 8, 9, 40, 100]) for _ in range(rng.randint(1, 30))]
    levels = [0 if at == 0 else rng.randint(1, highest) for size in sizes for at in range(size)]
    rows = RowLengths(highest)
    pages, at = rng.randint(1, 4), 0
    for page in range(pages):
        some = levels[at:] if page == pages - 1 else levels[at : at + rng.randint(0, 50)]
        rows.take(written(some, highest.bit_length(), rng), len(some))
        at += len(some)
    assert rows.longest == max(sizes)


@pytest.mark.parametrize("levels", [b"", b"\x05", b"\x10", b"\x03"])
def test_levels_that_end_too_early_are_an_error(levels: bytes) -> None:
    with pytest.raises(EOFError):
        RowLengths(1).take(levels, 9)


@pytest.mark.parametrize("levels", [b"\x00\x00", b"\x01"])
def test_a_run_of_no_levels_is_an_error_and_takes_no_time(levels: bytes) -> None:
    with pytest.raises(ValueError, match="no levels"):
        RowLengths(1).take(levels * 1_000_000, 9)
