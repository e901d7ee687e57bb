"""Searches in PPL say what those in DSL say, of fields under the names that documents have."""

from pathlib import Path

import pytest

from servicelogs.opensearch.dashboards.page_files import read_page
from servicelogs.opensearch.dashboards.ppl import ppl_of_search

PAGE = """\
title: T
filters: {wanted: CONDITION}
panels: [{title: R, kind: metric}]
searches:
  - title: S
    filter: wanted
    columns: ["@timestamp", source.ip, user_agent.original]
""" + "".join(f"  - {{title: S{number}, columns: [elb]}}\n" for number in range(4))


@pytest.mark.parametrize(
    ("condition", "expected"),
    [
        ("{elb_status_code: 404}", "elb_status_code = 404"),
        ("{elb_status_code: [403, 404]}", "elb_status_code in (403, 404)"),
        (
            "{elb_status_code: {from: 500, below: 600}}",
            "elb_status_code >= 500 and elb_status_code < 600",
        ),
        ('{elb: "it\'s \\\\"}', "elb = 'it''s \\\\'"),
        ('{elb: {like: "app/*"}}', "like(elb, 'app/%')"),
        ('{elb: {like: "a_b%*"}}', r"like(elb, 'a\\_b\\%%')"),
        ("{error.code: {exists: true}}", "isnotnull(error_reason)"),
        ("{error.code: {exists: false}}", "isnull(error_reason)"),
        ("{source.ip: 203.0.113.0/24}", "cidrmatch(client_ip, '203.0.113.0/24')"),
        (
            "{source.ip: [203.0.113.0/24, 192.0.2.1]}",
            "cidrmatch(client_ip, '203.0.113.0/24') or client_ip = '192.0.2.1'",
        ),
        ("{not: {elb_status_code: 200}}", "isnull(elb_status_code) or not (elb_status_code = 200)"),
        ("{not: {not: {elb: a}}}", "elb = 'a'"),
        (
            "{not: {elb: a, type: h2}}",
            "(isnull(elb) or not (elb = 'a')) or (isnull(type) or not (type = 'h2'))",
        ),
        (
            "{not: {any: [{elb: a}, {type: h2}]}}",
            "(isnull(elb) or not (elb = 'a')) and (isnull(type) or not (type = 'h2'))",
        ),
        ("{cloud.region: eu-west-1}", "`cloud.region` = 'eu-west-1'"),
    ],
)
def test_a_filter_is_a_condition(tmp_path: Path, condition: str, expected: str) -> None:
    file = tmp_path / "alb.yaml"
    file.write_text(PAGE.replace("CONDITION", condition))
    page = read_page(file)

    assert ppl_of_search(page.searches[0], page, "aws-alb-2*") == (
        f"source = `aws-alb-2*` | where {expected} | sort - `@timestamp` | head 100 "
        "| fields `@timestamp`, client_ip, `user_agent.original`"
    )
