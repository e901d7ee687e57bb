"""The protocol's model finds nothing while every rule holds, and something without each of them."""

import pytest
from hypothesis import settings

from tests.lake.protocol_model import RULES, violation

pytestmark = pytest.mark.slow

SCHEDULES = 4000 * settings().max_examples // 60
PARTS = 4

# A schedule that each rule alone prevents: what goes wrong without it.
FOUND = {
    "generation": (5092, "twice"),
    "unique": (1, "twice"),
    "attempt": (140, "twice"),
    "splitting": (3, "twice"),
    "fence": (485, "lost"),
    "replan": (3423, "staged copies stay for ever"),
    "tables": (0, "lost"),
    "prepared": (228, "lost"),
    "carried": (1, "lost"),
    "looked at": (535, "lost"),
    "again": (233, "an expired day stays"),
    "claim": (87, "twice at the end"),
    "manifest": (20528, "lost"),
}


@pytest.mark.parametrize("part", range(PARTS))
def test_no_schedule_loses_a_row_or_shows_one_twice(part: int) -> None:
    violations = {seed: violation(seed) for seed in range(part, SCHEDULES, PARTS)}
    assert not {seed: what for seed, what in violations.items() if what}


@pytest.mark.parametrize("rule", RULES)
def test_each_rule_is_needed(rule: str) -> None:
    seed, what = FOUND[rule]
    assert violation(seed, rule) == what
    assert violation(seed) == ""
