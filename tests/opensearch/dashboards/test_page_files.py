"""A file of panels that cannot be drawn is an error that names file, line and what to write."""

from pathlib import Path

import pytest

from servicelogs import formats
from servicelogs.errors import PanelMistake
from servicelogs.opensearch.dashboards.page_files import (
    mistakes,
    page_files,
    pages,
    read_page,
)
from servicelogs.opensearch.dashboards.panels import Page

# What people have to look at elsewhere; here there is no less.
LEAST_PANELS = {
    "s3_access": 17,
    "cloudfront": 23,
    "cloudfront_realtime": 17,
    "cloudtrail": 16,
    "alb": 25,
    "waf": 20,
    "vpc_flow": 21,
    "config": 15,
    "rds": 34,
    "lambda": 4,
}
CROSSING = {"overview", "client", "principal", "request"}

PANEL = """\
title: Requests
panels:
  - title: Requests
    kind: {kind}
"""
SEARCHES = "searches:\n" + "".join(
    f"  - {{title: Search {number}, columns: [elb]}}\n" for number in range(5)
)


def page_of(folder: Path, text: str, name: str = "alb") -> Page:
    file = folder / f"{name}.yaml"
    file.write_text(text)
    return read_page(file)


def mistake_of(folder: Path, text: str, name: str = "alb") -> str:
    with pytest.raises(PanelMistake) as raised:
        page_of(folder, text, name)
    where, _, what = str(raised.value).partition(": ")
    assert where.rpartition(":")[0].endswith(f"{name}.yaml")
    return f"{where.rpartition(':')[2]}: {what}"


def test_every_page_that_is_there_can_be_drawn() -> None:
    assert [str(mistake) for mistake in mistakes(page_files())] == []


def test_there_is_a_page_for_each_log_type_and_for_what_crosses_them() -> None:
    assert {page.name for page in pages()} == {*formats.NAMES} | CROSSING


@pytest.mark.parametrize("page", pages(), ids=lambda page: page.name)
def test_a_page_has_as_many_panels_as_people_need(page: Page) -> None:
    drawn = [panel for panel in page.panels if panel.kind not in ("records", "markdown")]
    assert len(drawn) >= LEAST_PANELS.get(page.name, 8)


def test_a_deployment_has_pages_of_its_log_types_alone() -> None:
    found = {page.name: page.log_types for page in pages(["alb", "waf"])}
    assert found == {
        "overview": ("alb", "waf"),
        "client": ("alb", "waf"),
        "request": ("waf", "alb"),
        "alb": ("alb",),
        "waf": ("waf",),
    }


def test_a_panel_by_hand_takes_two_lines(tmp_path: Path) -> None:
    page = page_of(tmp_path, PANEL.format(kind="metric") + SEARCHES)
    assert [panel.name for panel in page.panels] == ["requests"]


def test_a_common_name_has_the_unit_of_its_field(tmp_path: Path) -> None:
    panel = PANEL.format(kind="metric\n    sum: [sent_bytes, http.response.bytes, client_port]")
    page = page_of(tmp_path, "units: {sent_bytes: bytes}\n" + panel + SEARCHES)
    assert [measure.unit for measure in page.panels[0].measures] == ["bytes", "bytes", ""]
    assert dict(page.units) == {"sent_bytes": "bytes", "http.response.bytes": "bytes"}


@pytest.mark.parametrize(
    ("rest", "expected"),
    [
        ("    kind: gauge\n", "4: 'gauge' is an unknown kind of panel; there are area, bar"),
        ("    kind: bar\n    by: elb_satus_code\n", "5: 'elb_satus_code' is an unknown field; did"),
        ("    kind: bar\n    by: requestParameters.x\n", "5: 'requestParameters.x' is an unknown"),
        ("    kind: bar\n    by: extra_fields\n", "5: 'extra_fields' is a flat_object"),
        ("    kind: bar\n    by: extra_fields.x\n", "5: 'extra_fields.x' is an unknown field"),
        ("    kind: bar\n", "3: by must name 1 to 2 fields for the kind bar"),
        ("    kind: line\n    by: [elb, type]\n", "5: by must name 1 field at most for the ki"),
        ("    kind: pie\n    by: [elb, type]\n", "5: by must name 1 field for the kind pie"),
        ("    kind: metric\n    sum: elb\n", "5: 'elb' is a keyword, and must be a number"),
        ("    kind: metric\n    summ: sent_bytes\n", "5: 'summ' is an unknown key; did you mean"),
        (
            "    kind: metric\n    filter: {elb_status_code: '500'}\n",
            "5: 'elb_status_code' is a",
        ),
        ("    kind: metric\n    filter: {elb: 5}\n", "5: 'elb' is a keyword, and 5 is not; put it"),
        ("    kind: metric\n    filter: {elb: NO}\n", "5: 'elb' is a keyword, and False is not; p"),
        ("    kind: metric\n    filter: {elb: 2026-11-20}\n", "5: '2026-11-20' must be in quotes"),
        (
            "    kind: metric\n    filter: {source.ip: a.b}\n",
            "5: 'source.ip' is a ip, and 'a.b'",
        ),
        ("    kind: metric\n    filter: {elb: {from: 5}}\n", "5: from is for a number, and 'elb'"),
        ("    kind: metric\n    filter: {elb: {like: [a]}}\n", "5: this must be text; put it in"),
        (
            "    kind: metric\n    filter: {source.ip: 10.0.0.0/255.0.0.0}\n",
            "5: 'source.ip' is a ip, and '10.0.0.0/255.0.0.0' is not",
        ),
        (
            "    kind: metric\n    filter: {source.ip: 'fe80::1%eth0'}\n",
            "5: 'source.ip' is a ip, and 'fe80::1%eth0' is not",
        ),
        ("    kind: metric\n    filter: {elb: {}}\n", "5: one condition is expected, of from"),
        ("    kind: metric\n    filter: slow\n", "5: 'slow' is an unknown filter; there are"),
        ("    kind: metric\n    filter: {}\n", "5: a filter must have a condition"),
        ("    kind: bar\n    by: elb\n    size: 0\n", "6: 0 must be a whole number from 1 to 100"),
        ("    kind: bar\n    by: elb\n    steps: [1]\n", "6: steps are for a number, and 'elb'"),
        (
            "    kind: bar\n    by: sent_bytes\n    steps: [2, 1]\n",
            "6: steps must be numbers, e",
        ),
        ("    kind: bar\n    by: sent_bytes\n    steps: []\n", "6: the list is empty"),
        ("    kind: bar\n    by: [elb, elb]\n", "5: 'elb' stands twice"),
        ("    kind: pie\n    by: {}\n", "5: names with a filter each are expected"),
        ("    kind: metric\n    sum: []\n", "5: the list is empty"),
        ("    kind: metric\n    size: 5\n", "5: size says nothing without by"),
        ("    kind: metric\n    percents: [5]\n", "5: percents says nothing without percentiles"),
        ("    kind: metric\n    percentiles: sent_bytes\n    percents: [5, 5]\n", "6: 5 stands tw"),
        ("    kind: table\n    by: elb\n    percent: true\n", "6: 'percent' is an unknown key"),
        ("    kind: table\n    by: elb\n    sort: elb\n", "6: 'elb' is an unknown order; there"),
        ("    kind: records\n    columns: []\n", "5: the list is empty"),
        ("    kind: metric\n    filter: {elb: []}\n", "5: the list is empty"),
        ("    kind: metric\n    filter: {any: []}\n", "5: the list is empty"),
        ("    kind: metric\n    filter: {elb_status_code: .inf}\n", "5: '.inf' is no number that"),
        ("    kind: bar\n    by: sent_bytes\n    steps: [.nan]\n", "6: '.nan' is no number that"),
        ("    kind: metric\n    width: 9223372036854775808\n", "5: '9223372036854775808' is no n"),
        (
            "    kind: metric\n    filter: {elb_status_code: {from: 500, below: 400}}\n",
            "5: no number is between 500 and 400",
        ),
        (
            "    kind: metric\n    filter: {elb_status_code: {from: 5, above: 4}}\n",
            "5: either from or above is expected",
        ),
        (f"    kind: metric\n    title: {'x' * 121}\n", "5: 'title' stands twice"),
        (f"    kind: metric\n  - {{title: {'x' * 121}, kind: metric}}\n", "5: a title must be one"),
        ('    kind: metric\n  - {title: "a\\nb", kind: metric}\n', "5: a title must be one line"),
        ("    kind: area\n    percent: often\n", "5: percent must be true or false"),
        ("    kind: records\n", "3: columns is missing"),
        ("    kind: markdown\n", "3: text is missing"),
        ("    kind: metric\n    kind: bar\n", "5: 'kind' stands twice"),
        ("    kind: metric\n    about: [a, b\n", "6: this is not YAML"),
        ("    kind: metric\n    about: &a [*a]\n", "5: this is nested too deeply"),
        ("    kind: metric\n    by: {<<: {a: b}}\n", "5: a key must be a word"),
        (
            "    kind: metric\n  - {title: requests, kind: metric}\n",
            "5: the title 'requests' is",
        ),
        (
            "    kind: metric\n  - {title: Controls, kind: metric}\n",
            "5: the title 'Controls' is",
        ),
        ("    kind: metric\n  - {title: '!', kind: metric}\n", "5: the title '!' has no letter"),
        ("    kind: metric\n  - {kind: metric}\n", "5: title is missing"),
        ("    kind: metric\n  - metric\n", "5: 'metric' must be a mapping"),
    ],
)
def test_what_is_wrong_with_a_panel_is_said_with_its_line(
    tmp_path: Path, rest: str, expected: str
) -> None:
    text = f"title: Requests\npanels:\n  - title: Requests\n{rest}"
    assert mistake_of(tmp_path, text).startswith(expected)


@pytest.mark.parametrize(
    ("name", "condition", "expected"),
    [
        ("rds", "{message: {words: connection-refused}}", "as 'connection refused', not 'conn"),
        ("rds", "{message: {words: HTTP/1.1}}", "as 'HTTP 1 1', not 'HTTP/1.1'"),
        ("cloudtrail", '{requestParameters.bucketName: {like: "*-logs"}}', "must be a beginning"),
    ],
)
def test_what_the_query_bar_would_find_otherwise_than_a_panel_is_refused(
    tmp_path: Path, name: str, condition: str, expected: str
) -> None:
    text = f"title: T\npanels:\n  - title: R\n    kind: metric\n    filter: {condition}\n"
    assert expected in mistake_of(tmp_path, text, name)


@pytest.mark.parametrize(
    ("named", "expected"),
    [
        ("{a: a}", "2: filters go round in a circle: a -> a"),
        ("{a: b, b: {not: c}, c: {any: [{elb: x}, a]}}", "2: filters go round in a circle: a -> b"),
    ],
)
def test_filters_that_go_round_in_a_circle_are_refused_even_if_nothing_uses_them(
    tmp_path: Path, named: str, expected: str
) -> None:
    text = f"title: Requests\nfilters: {named}\npanels: [{{title: R, kind: metric}}]\n"
    assert mistake_of(tmp_path, text).startswith(expected)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", "1: the file is empty"),
        ("- a\n", "1: this must be a mapping"),
        ("title: T\n", "1: a page must have panels"),
        ("panels: [{title: R, kind: metric}]\n" + SEARCHES, "1: title is missing"),
        ("title: T\npanels: [{title: R, kind: metric}]\n", "1: the page of a log type must have 5"),
        ("title: T\nlog_types: all\n", "2: the page of alb is about that log type alone"),
        ("title: T\nunits: {elb: bytes}\n", "2: 'elb' is a keyword, and must be a number"),
        ("title: T\nunits: {sent_bytes: byte}\n", "2: 'byte' is an unknown unit; did you mean byt"),
        ("title: T\npanel: []\n", "2: 'panel' is an unknown key; did you mean panels?"),
        ("title: T\nask: {label: x}\npanels: [{title: R, kind: metric}]\n" + SEARCHES, "2: label"),
    ],
)
def test_what_is_wrong_with_a_page_is_said_with_its_line(
    tmp_path: Path, text: str, expected: str
) -> None:
    assert mistake_of(tmp_path, text).startswith(expected)


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        (b"title: \xff\n", "alb.yaml:1: this is not UTF-8"),
        (b"title: T\npanels:\n  - {title: caf\xe9}\n", "alb.yaml:3: this is not UTF-8"),
        ("title: T\n".encode("utf-16"), "alb.yaml:1: this is not UTF-8"),
        (b"title: T\nabout: a\x07b\n", "alb.yaml:2: this is not YAML: control characters"),
        (b"title: T\nabout: !foo x\n", "alb.yaml:2: 'x' must be in quotes, and without a tag"),
        (b"title: T\nabout: !!python/object:os.system x\n", "alb.yaml:2: 'x' must be in quotes"),
        (b"title: T\n---\ntitle: U\n", "alb.yaml:2: this is not YAML"),
        (b"title: T\npanels: {title: R, kind: metric}\n", "alb.yaml:2: this must be a list"),
        (b"title: T\npanels:\n", "alb.yaml:2: None must be a list"),
        (b"title: T\nsearches: x\npanels: []\n", "alb.yaml:2: 'x' must be a list"),
    ],
)
def test_what_cannot_be_read_is_a_mistake_of_its_line(
    tmp_path: Path, written: bytes, expected: str
) -> None:
    file = tmp_path / "alb.yaml"
    file.write_bytes(written)
    (found,) = mistakes([file])
    assert expected in str(found)


def test_a_field_of_differing_types_is_refused_where_pages_cross_types(tmp_path: Path) -> None:
    text = "title: T\npanels:\n  - {title: V, kind: pie, by: version}\n"
    expected = "3: 'version' is of different types in different logs"
    assert mistake_of(tmp_path, text, "overview").startswith(expected)


def test_each_wrong_panel_is_named_not_the_first_alone(tmp_path: Path) -> None:
    file = tmp_path / "alb.yaml"
    file.write_text(
        "title: T\npanels:\n  - {title: A, kind: x}\n  - {title: B, kind: metric}\n"
        "  - {title: C, kind: bar, by: nothing}\nsearches:\n  - {title: D, columns: [none]}\n"
    )
    lines = [str(mistake).split(":")[1] for mistake in mistakes([file])]
    assert lines == ["3", "5", "7"]
