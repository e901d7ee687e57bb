"""The lane of clean lines: the same rows as by the patterns alone, and as the oracle gives."""

from collections import Counter
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import cache

import pyarrow
import pyarrow.compute
import pytest
from hypothesis import given
from hypothesis import strategies as st

from local.sample_logs import generate
from servicelogs import formats
from servicelogs.dates import DatePolicy
from servicelogs.lake import row_parser
from servicelogs.lake.text_columns import Values
from servicelogs.lake.text_lane import Lane
from servicelogs.opensearch.dated_indexes import one_index
from servicelogs.opensearch.documents import parser_of
from servicelogs.parsing.text.format import TextFormat
from servicelogs.records import Records, Source
from tests.formats.make_cases import FOLDER
from tests.formats.parsing import SOURCE, chunked
from tests.formats.test_delimited import LINES
from tests.lake.gathering import (
    Blocks,
    expected,
    gathered,
    mutated,
    new_gatherer,
    of_object,
    refused,
)
from tests.properties import examples

pytestmark = pytest.mark.slow

WITHOUT = {"s3_access"}
"""The text types whose columns only patterns can read: words with spaces in them."""
NAMES = [name for name in formats.NAMES if formats.get(name).kind == "text" and name not in WITHOUT]
NO_LANE = 1 << 40
SILENT = replace(SOURCE, account_id="", region="")

VALUES = (
    *("-", "--", "-1", "-0", "0", "00", "000", "007", "+7", "7.", ".5", "0.5", "1e5", "NaN", "inf"),
    *(
        "999999999",
        "9999999999",
        "2147483648",
        "9" * 18,
        "9" * 19,
        "9" * 40,
        "1.0000000000000000001",
    ),
    *('""', '"-"', '"a b"', '"a,b"', '"a,,b"', '","', '"a","b"', 'a"b', '"a"b', '"', "a'b", "x"),
    *(
        "%",
        "%20",
        "%2520",
        "a%zz",
        "%0A",
        "a%2Cb",
        "%22",
        "a,b",
        ",",
        "%5C",
        "\\",
        "\\x22",
        "\\u0041",
    ),
    *("192.0.2.1", "192.0.2.1:443", "1:2", "[2001:db8::1]:443", "2001:db8::1:443", "::1:0", ":1"),
    *("2026-02-30T08:14:55Z", "2026-11-20T24:00:00Z", "0000-01-01T00:00:00Z", "2026-11-20"),
    *("2026-11-20T08:14:55", "2026-11-20T08:14:55.123456789Z", "9999-12-31T23:59:59.999999Z"),
    *("2026-02-30", "24:00:00", "08:14:55.5", "08:60:00", "0", "253402300799", "99999999999"),
    *("1795162495", "1795162495123", "1795162495.123", "1795162495.", "9999999999999"),
    *(
        '"GET http://a:80/ HTTP/1.1"',
        '"GET http://a/?b?c HTTP/1.1"',
        '"GET http://a:80/b? HTTP/1.1"',
    ),
    *('"- - - "', '"- http://a:80- -"', '"GET https://[::1]:443/a b HTTP/1.1"', '"GET / HTTP/1.1"'),
    *(
        "é",
        "\u0667",
        "a\tb",
        "a b",
        "",
        " ",
        "\x7f",
        "\0",
        "\x1f",
        "\x02",
        "a\r",
        "NotBefore=0;NotAfter=1",
    ),
)
"""What a column may hold, as the lines of an attacker or of the AWS of next year."""
BETWEEN = (
    b"\n",
    b"\n",
    b"\n",
    b"\n\n",
    b"\r\n",
    b"\n \n",
    b"\n# a comment\n",
    b"\n#Version: 1.0\n",
)


@cache
def lines_of(log_type: str) -> list[bytes]:
    """Give lines of all kinds that AWS writes, headers too, in their order."""
    files = (file.read_bytes() for file in sorted(FOLDER.glob(f"{log_type}/*.log")))
    return [line for data in files for line in data.split(b"\n") if len(line) < 10_000]


@cache
def usual_lines(log_type: str) -> list[bytes]:
    return generate(log_type, 60).rstrip(b"\n").split(b"\n")


def changed(log_type: str, line: bytes) -> st.SearchStrategy[bytes]:
    """Give a line with some columns changed, left out or added."""
    log_format = formats.get(log_type)
    assert isinstance(log_format, TextFormat)
    separator = log_format.separator.encode()
    words = line.split(separator)
    changes = st.lists(
        st.tuples(
            st.integers(0, len(words)),
            st.integers(0, 2),
            st.sampled_from(VALUES).map(lambda text: text.encode()) | st.just(b"\xff"),
        ),
        min_size=1,
        max_size=2,
    )

    def change(places: list[tuple[int, int, bytes]]) -> bytes:
        found = [*words]
        for place, length, value in places:
            found[place : place + length] = [value]
        return separator.join(found)

    return changes.map(change)


def objects(log_type: str) -> st.SearchStrategy[bytes]:
    """Give objects whose lines are usual, or changed, or of any kind, in any order."""
    usual = st.sampled_from(usual_lines(log_type))
    some = st.sampled_from(lines_of(log_type))
    line = st.one_of(
        usual,
        usual.flatmap(lambda one: changed(log_type, one)),
        usual.flatmap(mutated),
        some,
        some.flatmap(lambda one: changed(log_type, one)),
    )
    pieces = st.lists(st.tuples(line, st.sampled_from(BETWEEN)), min_size=1, max_size=12)
    header = usual_lines(log_type)[:2]
    return pieces.map(
        lambda found: b"\n".join((*header, b"".join(part for piece in found for part in piece)))
    )


@pytest.fixture
def taken(monkeypatch: pytest.MonkeyPatch) -> Counter[str]:
    """Let blocks of any size have a lane; count the lines that one takes."""
    monkeypatch.setattr(row_parser, "LEAST_LINES", 1)
    counted: Counter[str] = Counter()
    values = Lane.values

    def counting(lane: Lane, lines: pyarrow.BinaryArray) -> Values:
        counted["lines"] += len(lines)
        return values(lane, lines)

    monkeypatch.setattr(Lane, "values", counting)
    return counted


def by_patterns(log_type: str, blocks_of: Blocks, source: Source) -> list[dict[str, object]]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(row_parser, "LEAST_LINES", NO_LANE)
        return gathered(log_type, blocks_of, source)


def check(name: str, data: bytes, source: Source = SOURCE) -> None:
    """Hold an object's rows and rejects against those of the patterns, and the oracle's."""
    blocks_of = of_object(data)
    rows = gathered(name, blocks_of, source)

    assert rows == by_patterns(name, blocks_of, source)
    assert rows == expected(name, blocks_of, source)
    other = parser_of(formats.get(name), source, one_index("an-index"))
    assert refused(new_gatherer(name).parser_of(source), blocks_of) == refused(other, blocks_of)


@pytest.mark.parametrize("name", NAMES)
@examples(0.5)
@given(data=st.data())
def test_lines_become_the_same_rows_by_the_lane_by_patterns_and_by_the_oracle(
    name: str, data: st.DataObject, taken: Counter[str]
) -> None:
    check(name, data.draw(objects(name)), data.draw(st.sampled_from((SOURCE, SILENT))))


@pytest.mark.parametrize("name", NAMES)
def test_each_value_in_each_column_becomes_the_same_by_the_lane_and_by_patterns(
    name: str, taken: Counter[str]
) -> None:
    log_format = formats.get(name)
    assert isinstance(log_format, TextFormat)
    separator = log_format.separator.encode()
    words = LINES[name].split(separator)
    lines = [
        separator.join((*words[:place], value.encode(), *words[place + 1 :]))
        for place in range(len(words))
        for value in VALUES
    ]
    data = b"\n".join((LINES[name], *lines))
    blocks_of = of_object(data)

    assert gathered(name, blocks_of) == by_patterns(name, blocks_of, SOURCE)
    assert taken["lines"] > len(words)


@pytest.mark.parametrize("name", NAMES)
def test_a_lane_takes_the_lines_that_are_usual(name: str, taken: Counter[str]) -> None:
    data = generate(name, 500)
    rows = gathered(name, of_object(data))

    assert len(rows) == 500
    assert taken["lines"] > 400


@pytest.mark.parametrize("name", ["alb", "cloudfront", "vpc_flow"])
def test_an_odd_line_leaves_the_others_to_the_lane(name: str, taken: Counter[str]) -> None:
    lines = usual_lines(name)
    odd = (lines[-1] + b"\xff", b"", b"no record", lines[-1] + b"\r")
    data = b"\n".join((*lines, *odd, *lines[2:]))

    check(name, data)

    assert taken["lines"] >= 2 * 2 * (len(lines) - 3)


def of_headers(*parts: tuple[str, str]) -> bytes:
    return "".join(f"{header}\n{lines}\n" for header, lines in parts).encode()


def test_behind_a_header_lines_have_its_columns(taken: Counter[str]) -> None:
    data = of_headers(
        ("version srcport dstport start", "2 1 2 1795162440\n2 3 4 1795162440"),
        ("version dstport srcport start", "2 1 2 1795162440\nno record\n2 3 4 1795162440"),
        *(
            [("version packets start", "2 7 1795162440"), ("version bytes start", "2 8 1795162440")]
            * 4
        ),
    )

    check("vpc_flow", data)

    rows = gathered("vpc_flow", of_object(data))
    assert [row["srcport"] for row in rows[:4]] == [1, 3, 2, 4]
    assert taken["lines"]


def test_lines_of_an_older_layout_have_a_lane_of_their_own(taken: Counter[str]) -> None:
    older = [line.rsplit(b" ", 4)[0] for line in usual_lines("alb")]

    check("alb", b"\n".join(older))

    assert taken["lines"] >= len(older)


def test_a_lane_counts_what_has_expired_as_patterns_do(taken: Counter[str]) -> None:
    now = datetime(2026, 11, 22, 12, tzinfo=UTC)
    dates = DatePolicy(delete_after_days=2, now=lambda: now)
    line = LINES["alb"]
    lines = [line.replace(b"2026-11-20T08", hour) for hour in (b"2026-11-20T08", b"2026-11-20T23")]
    gatherer = new_gatherer("alb", dates)

    blocks = [*of_object(b"\n".join(lines * 30))(gatherer.parser_of(SOURCE))]
    rows = sum(batch.num_rows for batch in gatherer.finish())

    assert taken["lines"]
    assert sum(block.filtered["expired"] for block in blocks) == 30
    assert sum(block.documents for block in blocks) == rows == 30


def test_lines_of_several_days_are_each_of_their_day(taken: Counter[str]) -> None:
    days = [SOURCE.delivered.date() - timedelta(days=number) for number in (0, 1, 40)]
    line = LINES["alb"].decode()
    lines = [line.replace("2026-11-20T08", f"{day}T08", 1) for day in days] * 20

    check("alb", "\n".join(lines).encode())

    rows = gathered("alb", of_object("\n".join(lines).encode()))
    assert {row["event_day"] for row in rows} == {str(day) for day in days}


def test_rows_name_their_lines_wherever_an_object_is_cut(taken: Counter[str]) -> None:
    lines = usual_lines("vpc_flow")
    data = b"\n".join((*lines, b"no record", *lines[1:]))
    whole = gathered("vpc_flow", of_object(data))

    assert gathered("vpc_flow", of_object(data, 300)) == whole
    assert [row["log_record"] for row in whole] == [*range(2, 62), *range(63, 123)]
    assert gathered("vpc_flow", of_object(data, start=70)) == [
        row for row in whole if row["log_record"] >= 70
    ]


def test_a_block_may_end_in_blank_lines(taken: Counter[str]) -> None:
    lines = usual_lines("vpc_flow")

    check("vpc_flow", b"\n".join((*lines, b"", b"", b"")))

    assert taken["lines"] >= len(lines) - 1


def test_a_header_may_name_as_many_columns_as_are_read(taken: Counter[str]) -> None:
    names = ["start", "srcport", *(f"column-{number}" for number in range(254))]
    values = ["1795162440", "443", *(str(number) for number in range(254))]
    data = "\n".join((" ".join(names), *[" ".join(values)] * 3)).encode()

    check("vpc_flow", data)

    assert taken["lines"]


def test_where_few_lines_are_clean_they_are_asked_for_less_often(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(row_parser, "LEAST_LINES", 1)
    asked: list[int] = []
    match = pyarrow.compute.match_substring_regex

    def counting(lines: pyarrow.Array, pattern: str) -> pyarrow.Array:
        asked.append(len(lines))
        return match(lines, pattern)

    monkeypatch.setattr(pyarrow.compute, "match_substring_regex", counting)
    odd, good = LINES["vpc_flow"].replace(b"eni-", b"eni\\"), LINES["vpc_flow"]
    gatherer = new_gatherer("vpc_flow")
    parser = gatherer.parser_of(SOURCE)

    def parse(line: bytes, blocks: int) -> int:
        asked.clear()
        for _ in range(blocks):
            parser.take(Records(1, text=b"\n".join([line] * 10)), 0)
        return len([lines for lines in asked if lines])

    assert parse(odd, 160) < 20
    assert parse(good, 16 + 100) > 90
    assert sum(batch.num_rows for batch in gatherer.finish()) == 10 * (160 + 116)


def test_an_object_is_cut_into_blocks_that_are_worth_a_lane() -> None:
    data = (LINES["vpc_flow"] + b"\n") * 100_000
    parser = new_gatherer("vpc_flow").parser_of(SOURCE)

    lines = [
        len(block) for block in parser.cut(chunked(data, 256 * 1024)) if isinstance(block, Records)
    ]

    assert len(lines) <= len(data) // row_parser.BLOCK_BYTES + 1
    assert sum(lines) == 100_000
