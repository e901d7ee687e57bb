"""What a panel's title promises is what its filter finds, of records as services write them."""

import pytest

from servicelogs.opensearch.dashboards.filters import IsLike, query_of
from servicelogs.opensearch.dashboards.page_files import pages
from tests.opensearch.dashboards import oracle

NOW = {"@timestamp": "2026-11-20T08:00:00Z"}


def counted(page: str, title: str, *documents: dict[str, object]) -> int:
    """Count the documents that a panel or a search looks at."""
    names = oracle.Names(page)
    read = oracle.Page(page, [names.document(NOW | one) for one in documents])
    return len(read.seen((read.panels | read.searches)[title]))


@pytest.mark.parametrize(
    "title", ["Invocations", "Cold starts", "Errors", "Failed invocations over time"]
)
def test_an_invocation_counts_once_though_several_events_of_the_platform_say_of_it(
    title: str,
) -> None:
    said = {"status": "error", "error_type": "Runtime.ExitError"}
    events = (
        said | {"kind": "platform.initReport", "init_duration_ms": 120.5},
        said | {"kind": "platform.runtimeDone", "duration_ms": 8.25},
        said | {"kind": "platform.report", "duration_ms": 9.5, "init_duration_ms": 120.5},
    )
    assert counted("lambda", title, *events) == 1


@pytest.mark.parametrize(
    ("operation", "expected"),
    [
        ("REST.GET.OBJECT", "reads"),
        ("WEBSITE.GET.OBJECT", "reads"),
        ("REST.COPY.OBJECT_GET", "reads"),
        ("REST.POST.SELECT_OBJECT_CONTENT", "reads"),
        ("REST.COPY.OBJECT", "writes"),
        ("REST.PUT.PART", "writes"),
        ("REST.POST.UPLOADS", "writes"),
        ("BATCH.DELETE.OBJECT", "deletions"),
        ("S3.CREATE.DELETEMARKER", "deletions"),
    ],
)
def test_an_operation_of_s3_reads_writes_or_deletes(operation: str, expected: str) -> None:
    document = oracle.Names("s3_access").document(NOW | {"operation": operation})
    page = oracle.Page("s3_access", [document])
    kinds = {key for key, _ in page.counted(page.panels["Reads, writes and deletions"])}
    assert kinds == {expected}


def test_the_request_that_deletes_many_objects_is_not_a_write() -> None:
    document = oracle.Names("s3_access").document(
        NOW | {"operation": "REST.POST.MULTI_OBJECT_DELETE"}
    )
    page = oracle.Page("s3_access", [document])
    assert page.counted(page.panels["Reads, writes and deletions"]) == {}


@pytest.mark.parametrize(
    "code",
    ["AccessDenied", "AccessDeniedException", "Client.UnauthorizedOperation"],
)
def test_a_refused_call_is_refused_by_whatever_code_the_service_has_for_it(code: str) -> None:
    assert counted("cloudtrail", "Refused calls", {"errorCode": code}) == 1
    assert counted("cloudtrail", "Refused calls", {"errorCode": "ThrottlingException"}) == 0


def test_a_web_socket_without_tls_is_a_request_without_tls() -> None:
    some = [{"type": type_} for type_ in ("http", "ws", "https", "wss", "h2", "grpcs")]
    assert counted("alb", "Requests without TLS", *some) == 2


def test_a_request_that_a_rule_answered_after_the_firewall_was_not_stopped_by_it() -> None:
    title = "Requests that a firewall rule stopped"
    for after in ("redirect", "fixed-response", "forward"):
        assert counted("alb", title, {"actions_executed": ["waf", after]}) == 0
    assert counted("alb", title, {"actions_executed": ["waf"]}) == 1


def test_old_tls_is_found_where_the_title_says_so() -> None:
    some = [{"tls_version": "TLSv1", "remote_ip": "192.0.2.1"}, {"remote_ip": "192.0.2.1"}, {}]
    assert counted("s3_access", "Requests with old TLS or without any", *some) == 2


def test_what_is_asked_for_most_is_sorted_by_records_whatever_else_is_said_of_it() -> None:
    said = ("Most active", "asked for most", "most requests", "change most")
    wrong = [
        (page.name, panel.title)
        for page in pages()
        for panel in page.panels
        if any(word in panel.title for word in said) and panel.measures[0].kind != "count"
    ]
    assert wrong == []


def test_a_question_mark_in_a_pattern_stands_for_itself() -> None:
    assert query_of(IsLike("url", "/a?b*")) == {"wildcard": {"url": {"value": r"/a\?b*"}}}
