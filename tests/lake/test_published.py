"""Published columns stay as they are: older partitions have them so, and Athena goes by place."""

import hashlib
from collections.abc import Iterable

import pytest

from servicelogs import formats
from servicelogs.lake import schema
from servicelogs.lake.published import COLUMNS, order_of, published_lines
from servicelogs.lake.schema import columns
from servicelogs.parsing.fields import Field
from tests.lake.made_up_format import MadeUp
from tests.lake.publish_columns import lines_of

FIRST_PUBLISHED = {
    "alb": (48, "f9a0196805c414f1"),
    "alb_connection": (23, "c9268c4efca7778d"),
    "alb_health_check": (18, "6b0fe09f2ecb729d"),
    "clb": (29, "1917d3c23670c389"),
    "cloudfront": (73, "e99f5b27979f571f"),
    "cloudfront_realtime": (77, "569619d8b979b769"),
    "cloudtrail": (91, "4ad4cd7509c6bea4"),
    "config": (42, "0aa41bec41eed1df"),
    "lambda": (43, "b0cf7f939dfffb48"),
    "nlb": (30, "9891185b5c56eacd"),
    "rds": (115, "9948a0e41cb29abc"),
    "s3_access": (41, "af0cea31a51e56ab"),
    "tgw_flow": (43, "dea4eb3da0556d8f"),
    "vpc_flow": (61, "51b12b0aa5d41be9"),
    "waf": (121, "082727aad1436db6"),
}
"""How many lines each type had when its table was first made, and what they were."""

PUBLISHED = ("event_time time", "user.name text", "rules[].id text", "extra_fields json")


def digest(lines: Iterable[str]) -> str:
    return hashlib.sha256("\n".join(lines).encode()).hexdigest()[:16]


def table(monkeypatch: pytest.MonkeyPatch, *fields: Field) -> list[str]:
    """Give the lines of a format of which PUBLISHED were published."""
    monkeypatch.setattr(schema, "published_order", lambda name: order_of(PUBLISHED))
    return [*lines_of(columns(MadeUp(*fields)))]


@pytest.mark.parametrize("name", formats.NAMES)
def test_what_was_published_first_is_as_it_was(name: str) -> None:
    count, first = FIRST_PUBLISHED[name]

    assert digest(published_lines(name)[:count]) == first


@pytest.mark.parametrize("name", formats.NAMES)
def test_columns_are_those_published_and_new_ones_are_appended_by_make_columns(name: str) -> None:
    found = [*lines_of(columns(formats.get(name)))]

    published = published_lines(name)
    gone = [line for line in published if line not in found]
    new = [line for line in found if line not in published]
    assert not gone, "tables have these columns: they can be neither removed nor changed"
    assert not new, "run `make columns`, which appends these"
    assert len({*published}) == len(published)


@pytest.mark.parametrize("name", formats.NAMES)
def test_columns_and_members_of_structs_are_in_the_order_in_which_they_were_published(
    name: str,
) -> None:
    found = [*lines_of(columns(formats.get(name)))]

    assert repr(order_of(found)) == repr(order_of(published_lines(name)))


def test_each_log_type_has_its_file_and_no_other_has_one() -> None:
    assert sorted(file.name for file in COLUMNS.iterdir()) == [
        f"{name}.txt" for name in sorted(formats.NAMES)
    ]


def test_a_new_field_comes_behind_all_columns_wherever_it_is_declared(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    found = table(
        monkeypatch,
        Field("first", "keyword"),
        Field("user.name", "keyword"),
        Field("rules[].id", "keyword"),
    )

    assert found[:4] == [*PUBLISHED]
    assert found[4] == "first text"


def test_a_new_member_comes_behind_all_of_its_struct_wherever_it_is_declared(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    found = table(
        monkeypatch,
        Field("rules[].action", "keyword"),
        Field("rules[].id", "keyword"),
        Field("user.email", "keyword"),
        Field("user.name", "keyword"),
    )

    assert found[:6] == [
        "event_time time",
        "user.name text",
        "user.email text",
        "rules[].id text",
        "rules[].action text",
        "extra_fields json",
    ]
