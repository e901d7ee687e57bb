"""Tells work that grows with the size of its input from work that grows with its square."""

import gc
import time
from collections.abc import Callable

# Where the input is four times as large, linear work takes 4 times as long, quadratic work 16.
TIMES = 4
MOST_RATIO = 8
# What takes less is measured once: work that grows with the square takes seconds.
LONG_SECONDS = 0.1


def seconds(work: Callable[[], object], rounds: int = 3) -> float:
    """Return the least CPU time of several rounds, without that of collecting garbage."""
    best = float("inf")
    gc.collect()
    gc.disable()
    try:
        for _ in range(rounds):
            began = time.process_time()
            work()
            best = min(best, time.process_time() - began)
    finally:
        gc.enable()
    return best


def ratio[Input](make: Callable[[int], Input], work: Callable[[Input], object], size: int) -> float:
    """Return how many times as long an input takes that is four times as large."""
    small, large = make(size), make(TIMES * size)
    return seconds(lambda: work(large)) / seconds(lambda: work(small))


def is_linear[Input](
    make: Callable[[int], Input], work: Callable[[Input], object], size: int
) -> bool:
    """Say whether work grows with its input: it is measured closer if it takes long at first."""
    text = make(TIMES * size)
    began = time.process_time()
    work(text)
    soon = time.process_time() - began < LONG_SECONDS
    return soon or ratio(make, work, size) <= MOST_RATIO
