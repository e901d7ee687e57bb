"""The page in a browser: every panel draws the sample data, filters narrow, all on this machine."""

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from local import ROOT
from local.page_server import FOLDER, PREFIX, PageServer
from local.pipeline_state import PipelineState
from local.processes import LOOPBACK, Processes
from local.search_engines import start_osmem
from servicelogs.opensearch.dashboards.export import export
from tests.browser import Browser
from tests.sample_indexes import indexed

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("page")]

PAGES = [page["name"] for page in export()["pages"]]
ASKED = {
    "client": "203.0.113.7",
    "principal": "backup-role",
    "request": "1-69200a5f-0123456789abcdef01234567",
}
OTHERS = 3
OTHER = {
    "@timestamp": "2026-11-20T08:20:00Z",
    "cloud": {"account_id": "222233334444", "region": "us-east-1"},
    "log": {"type": "alb", "source": "s3://logs/b.log.gz"},
    "elb_status_code": 200,
}
# What somebody may have had written into a log: markup, a right-to-left override, a bell, much.
ODD = "<img src=x onerror=hacked=1><script>hacked=1</script> \u202eodd\x07 \u05d0\u05d1"
ODD_SEEN = ODD.replace("\u202e", r"\u202e").replace("\x07", r"\u0007")
ODD_ACCOUNT = "333344445555"
ODD_RECORD = OTHER | {
    "@timestamp": "2026-11-20T08:20:00Z",
    "cloud": {"account_id": ODD_ACCOUNT, "region": "eu-west-1"},
    "elb": ODD,
    "user_agent": "x" * 5000,
    "request_url": f"http://a/{ODD}",
    "domain_name": ODD,
}
COUNTS = {
    "by_type": [
        {
            "log_type": "alb",
            "objects": 2,
            "records": 1234,
            "indexed": 1200,
            "already_there": 4,
            "rejected": 20,
            "filtered": 10,
        }
    ],
    "skipped": 3,
    "left_out": {"outside LogGroupPrefix": 10},
    "waiting": {"queue": 5, "dead-letter queue": 0},
    "failures": ["AccessDenied: no right"],
}
REJECT = {
    "log_type": "alb",
    "engine": "OpenSearch",
    "error_type": "malformed",
    "reason": "has 3 fields, must have 29",
    "source": "s3://logs/a.log.gz",
    "record_number": 7,
    "delivered": "2026-11-20T08:20:00Z",
    "account_id": "111122223333",
    "region": "eu-west-1",
    "raw": "<img src=x onerror=alert(1)>",
}


@pytest.fixture(scope="module")
def address(osmem: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Serve the page for an engine that has the sample logs."""
    samples = indexed(osmem, PREFIX)
    for number in range(OTHERS):
        samples.client.index(index=f"{PREFIX}-alb-2026", id=f"other-{number}", body=OTHER)
    samples.client.index(index=f"{PREFIX}-alb-2026", id="odd", body=ODD_RECORD)
    samples.client.indices.refresh(index=f"{PREFIX}-*")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(PipelineState, "counts", lambda self, stack: COUNTS)
        now = datetime.now(UTC) - timedelta(minutes=30)
        other = REJECT | {
            "account_id": "222233334444",
            "reason": "is no line",
            "delivered": now.isoformat(),
        }
        rejects = {"total": 2, "records": [other, REJECT]}
        patch.setattr(PipelineState, "rejects", lambda self, stack: rejects)
        with served(osmem, tmp_path_factory.mktemp("page")) as url:
            yield url


@contextmanager
def served(engine: str, folder: Path) -> Iterator[str]:
    """Serve the page for an engine."""
    stack = {"aws_endpoint": "", "opensearch_endpoint": engine, "search": "osmem"}
    (folder / "endpoints.json").write_text(json.dumps(stack | {"outputs": {}, "page": ""}))
    with PageServer(0, folder / "endpoints.json") as server:
        threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
        yield f"http://{LOOPBACK}:{server.server_port}/"
        server.shutdown()


@pytest.fixture
def page(browser: Browser, address: str) -> Iterator[Browser]:
    """Give a browser; whatever the test did, nothing was an error, and nothing left the machine."""
    browser.requests.clear()
    browser.complaints.clear()
    load(browser, f"{address}#pipeline")
    yield browser
    assert browser.complaints == []
    assert {url for url in browser.requests if not url.startswith((address, "data:"))} == set()


def load(browser: Browser, url: str) -> None:
    """Load the page anew: an address that differs in its hash alone would not."""
    browser.command("Page.navigate", url="about:blank")
    browser.command("Page.navigate", url=url)
    drawn(browser)


def drawn(browser: Browser, hash_is: str | None = None) -> None:
    """Wait until all panels of the page that the address says are drawn."""
    if hash_is is not None:
        browser.run(f"location.hash = {json.dumps(hash_is)}")
    browser.wait("document.getElementById('main')?.dataset.drawn === location.hash")
    browser.wait("!document.querySelector('[aria-busy=true]')")


PANELS = """
[...document.querySelectorAll('[data-panel]')].map((panel) => {
  const canvas = panel.querySelector('canvas');
  const chart = canvas && Chart.getChart(canvas);
  return {
    name: panel.dataset.panel,
    kind: panel.dataset.kind,
    wrong: panel.querySelector('.wrong')?.textContent ?? '',
    values: chart
      ? chart.data.datasets.flatMap((one) => one.data).filter((one) => one !== null).length
      : [...panel.querySelectorAll('td, dd, .content > p:not(.about)')]
        .filter((one) => one.textContent.trim()).length,
    said: canvas ? canvas.getAttribute('aria-label') : 'no chart',
    rows: panel.querySelectorAll('tbody tr').length,
    painted: !canvas || (canvas.width > 0 && new Set(canvas.getContext('2d')
      .getImageData(0, 0, canvas.width, canvas.height).data).size > 2),
  };
})
"""


def panels(browser: Browser) -> dict[str, dict[str, Any]]:
    return {panel["name"]: panel for panel in browser.run(PANELS)}


TOTAL = "parseInt(document.querySelector('#status').textContent.replaceAll(',', '')) || 0"
# Within the samples' time: what the golden inputs became is of its end.
BEFORE = "2026-11-20T08:20:00"
NO_ACCOUNT = "000000000000"
EMPTY = """
[...document.querySelectorAll('[data-panel]:not([data-kind=markdown])')].filter((panel) => {
  const numbers = [...panel.querySelectorAll('dd')].map((one) => one.textContent);
  return numbers.length
    ? !numbers.every((one) => /^(0( B| s| ms)?|\\u2013)$/.test(one))
    : panel.querySelector('.content').textContent.includes('Nothing found.') === false;
}).map((panel) => panel.dataset.panel)
"""


@pytest.mark.parametrize("name", PAGES)
def test_every_panel_of_a_page_draws_the_sample_data_and_follows_the_filters(
    page: Browser, name: str
) -> None:
    drawn(page, f"#{name}")
    found = panels(page)
    named = next(one for one in export()["pages"] if one["name"] == name)
    assert set(found) == {panel["name"] for panel in named["panels"]} | {"newest"}
    assert {one: panel["wrong"] for one, panel in found.items() if panel["wrong"]} == {}
    assert [one for one, panel in found.items() if not panel["values"]] == []
    assert [one for one, panel in found.items() if not (panel["painted"] and panel["said"])] == []
    # What is drawn is there to be read as well.
    charts = [one for one in found.values() if one["said"] != "no chart"]
    assert all(one["rows"] for one in charts)
    assert nameless(page) == []
    before, bodies = page.run(TOTAL), watched(page)
    drawn(page, f"#{name}?range=custom&to={BEFORE}")
    assert 0 < page.run(TOTAL) < before
    asked = [body for body in page.run(bodies) if "by_0" not in body.get("aggs", {})]
    assert len(asked) >= len([panel for panel in named["panels"] if panel["body"]])
    assert all(BEFORE in json.dumps(body["query"]) for body in asked)
    drawn(page, f"#{name}?cloud.account_id={NO_ACCOUNT}")
    assert page.run(EMPTY) == []
    assert "No records match" in page.run("document.getElementById('status').textContent")


def nameless(page: Browser) -> list[dict[str, Any]]:
    """Give what a screen reader meets and cannot name."""
    roles = ("button", "link", "combobox", "searchbox", "image", "table", "region")
    tree = page.command("Accessibility.getFullAXTree")["nodes"]
    return [
        node
        for node in tree
        if not node["ignored"]
        and node["role"]["value"] in (*roles, "dialog", "columnheader", "DisclosureTriangle")
        and not node.get("name", {}).get("value", "").strip()
    ]


@pytest.mark.parametrize(
    ("name", "narrowing"),
    [
        ("alb", {"cloud.account_id": "222233334444"}),
        ("alb", {"cloud.region": "us-east-1"}),
        ("principal", {"log.type": "rds"}),
        ("alb", {"query": "elb_status_code:200"}),
        ("alb", {"range": "custom", "from": "2026-11-20T08:20", "to": "2026-11-20T08:21"}),
    ],
    ids=str,
)
def test_each_way_to_narrow_is_in_every_search(
    page: Browser, name: str, narrowing: dict[str, str]
) -> None:
    bodies = watched(page)
    pairs = "&".join(f"{key}={value}" for key, value in narrowing.items())
    drawn(page, f"#{name}?{pairs}")
    assert page.run(TOTAL) > 0
    *_, value = narrowing.values()
    asked = [body for body in page.run(bodies) if "by_0" not in body.get("aggs", {})]
    assert len(asked) > 10
    assert all(value in json.dumps(body["query"]) for body in asked)


@pytest.mark.parametrize(("said", "seconds"), [("15m", 900), ("24h", 86400), ("365d", 31536000)])
def test_a_relative_time_counts_from_now(page: Browser, said: str, seconds: int) -> None:
    bodies = watched(page)
    drawn(page, f"#alb_connection?range={said}")
    first, *_ = page.run(bodies)
    (clause,) = first["query"]["bool"]["filter"]
    began = datetime.fromisoformat(clause["range"]["@timestamp"]["gte"])
    assert abs(datetime.now(UTC) - timedelta(seconds=seconds) - began) < timedelta(minutes=2)


@pytest.mark.parametrize("said", ["range=soon", "range=custom&from=yesterday"])
@pytest.mark.parametrize("name", ["alb", "rejected"])
def test_a_time_that_is_none_is_said(page: Browser, name: str, said: str) -> None:
    drawn(page, f"#{name}?{said}")
    assert said.rpartition("=")[2] in page.run("document.getElementById('error').textContent")
    assert page.run(PANELS) == []


@pytest.mark.parametrize("name", ["alb", "rejected"])
def test_a_time_that_ends_before_it_begins_is_said(page: Browser, name: str) -> None:
    drawn(page, f"#{name}?range=custom&from=2026-11-20T09:00&to=2026-11-20T08:00")
    assert "ends before it begins" in page.run("document.getElementById('error').textContent")


def test_a_page_that_there_is_not_is_said(page: Browser) -> None:
    drawn(page, "#nlbs")
    assert "no page nlbs" in page.run("document.getElementById('error').textContent")


def test_one_record_is_said_with_its_time(page: Browser) -> None:
    drawn(page, "#alb?cloud.account_id=" + ODD_ACCOUNT)
    said = page.run("document.getElementById('status').textContent")
    assert said == "1 record, of 2026-11-20 08:20:00 UTC."


def test_records_are_shown_with_their_time_and_with_values_that_can_be_read(page: Browser) -> None:
    drawn(page, "#config")
    heads = "[...document.querySelectorAll('{} th')].map((th) => th.textContent)"
    for table in ("[data-kind=records]", "[data-panel=newest]"):
        assert page.run(heads.format(table))[:2] == ["Record", "@timestamp"]
    first = "document.querySelector('[data-panel=newest] tbody tr').innerText"
    assert "{" not in page.run(first)


def test_long_texts_keep_some_width_beside_many_columns(page: Browser) -> None:
    drawn(page, "#request")
    narrow = """[...document.querySelectorAll('td.long')]
      .filter((one) => one.getBoundingClientRect().width < 100).length"""
    assert page.run("document.querySelectorAll('td.long').length") > 0
    assert page.run(narrow) == 0


def test_the_form_takes_one_line_and_keeps_its_width(page: Browser) -> None:
    """Where lists have other values, what is beside them stays where it is."""
    page.resize(1280)
    try:
        widths = """[...document.querySelectorAll('#filters > *')].filter((one) => !one.hidden)
          .map((one) => one.getBoundingClientRect()).map(({ x, bottom }) => [x, bottom])"""
        drawn(page, "#overview")
        before = page.run(widths)
        assert len({bottom for _, bottom in before}) == 1
        drawn(page, "#overview?range=15m")
        assert page.run(widths) == before
    finally:
        page.command("Emulation.clearDeviceMetricsOverride")


@pytest.mark.parametrize("link", ["the newest day", "the day that has most"])
def test_a_point_of_a_chart_and_a_day_narrow_the_time(page: Browser, link: str) -> None:
    drawn(page, "#config")
    before = page.run(TOTAL)
    links = "[...document.querySelectorAll('#status a')]"
    page.run(f"{links}.find((one) => one.textContent === '{link}').click()")
    page.wait("location.hash.includes('range=custom')")
    drawn(page)
    day = page.run(TOTAL)
    assert 0 < day < before
    page.run("document.querySelector('[data-panel] details a').click()")
    page.wait("!document.querySelector('#main').dataset.drawn")
    drawn(page)
    assert 0 < page.run(TOTAL) <= day


def watched(page: Browser) -> str:
    """Note the bodies that the page sends from now on, and say how they are read."""
    page.run("""
      globalThis.bodies = [];
      globalThis.asked ??= fetch;
      globalThis.fetch = (...said) => {
        bodies.push(JSON.parse(said[1].body));
        return asked(...said);
      };
      0
    """)
    return "bodies"


@pytest.mark.parametrize("name", ASKED)
def test_a_page_about_one_value_asks_for_it(page: Browser, name: str) -> None:
    drawn(page, f"#{name}?cloud.account_id={NO_ACCOUNT}")
    page.run(f"document.querySelector('[name=ask]').value = '{ASKED[name]}'; 0")
    page.run("document.getElementById('filters').requestSubmit()")
    page.wait("location.hash.includes('ask=')")
    drawn(page)
    bodies = watched(page)
    drawn(page, f"#{name}?ask={ASKED[name]}")
    assert page.run(TOTAL) > 0
    asked = [body for body in page.run(bodies) if "by_0" not in body.get("aggs", {})]
    assert len(asked) > 10
    assert all(ASKED[name] in json.dumps(body["query"]) for body in asked)


def test_the_form_says_what_the_address_says(page: Browser) -> None:
    drawn(page, "#alb?range=30d&cloud.account_id=111122223333&query=elb_status_code:500")
    control = "document.querySelector('[name=\"{}\"]').value"
    assert page.run(control.format("range")) == "30d"
    assert page.run(control.format("cloud.account_id")) == "111122223333"
    assert page.run(control.format("query")) == "elb_status_code:500"
    # Another page is narrowed by the same.
    link = "[...document.querySelectorAll('nav a')].find((a) => a.textContent.includes('WAF')).hash"
    assert "cloud.account_id=111122223333" in page.run(link)


CONTROLS = """
[...document.querySelectorAll('#filters input, #filters select, #filters button')]
  .filter((one) => one.checkVisibility()).map((one) => one.name || one.textContent)
"""


@pytest.mark.parametrize(
    ("said", "controls"),
    [
        ("pipeline?query=a", ["Refresh"]),
        (
            "rejected?range=custom",
            ["range", "from", "to", "cloud.account_id", "cloud.region", "log.type", "text"],
        ),
        ("lambda", ["range", "cloud.account_id", "cloud.region", "query"]),
        ("lambda?log.type=waf", ["range", "cloud.account_id", "cloud.region", "log.type", "query"]),
        (
            f"request?cloud.account_id={NO_ACCOUNT}",
            ["range", "cloud.account_id", "cloud.region", "log.type", "ask", "query"],
        ),
    ],
)
def test_the_form_shows_what_a_page_uses(page: Browser, said: str, controls: list[str]) -> None:
    drawn(page, f"#{said}")
    buttons = ["Search", "Clear"] if len(controls) > 1 else []
    assert page.run(CONTROLS) == controls + buttons


def test_a_query_that_is_none_is_said_once(browser: Browser, address: str) -> None:
    load(browser, f"{address}#overview?query=a%20AND%20(")
    error = browser.run("document.getElementById('error').textContent")
    assert "a AND (" in error
    assert "in quotes" in error
    assert (
        browser.run("document.querySelector('[name=query]').getAttribute('aria-invalid')") == "true"
    )
    assert browser.run(PANELS) == []


def test_a_value_that_is_none_is_marked(browser: Browser, address: str) -> None:
    load(browser, f"{address}#client?ask=hello")
    assert "'hello'" in browser.run("document.getElementById('error').textContent")
    wrong = "[...document.querySelectorAll('[aria-invalid=true]')].map((one) => one.name)"
    assert browser.run(wrong) == ["ask"]


def test_a_record_opens_whole_and_gives_the_focus_back(page: Browser) -> None:
    drawn(page, "#nlb")
    page.wait("!!document.querySelector('[data-panel=newest] tbody button')")
    page.run("document.querySelector('[data-panel=newest] tbody button').focus()")
    page.press("Enter", 13, "\r")
    page.wait("document.getElementById('detail').open")
    fields = page.run("document.getElementById('detail').innerText")
    assert "@timestamp" in fields
    assert "cloud.account_id" in fields
    page.press("Escape", 27)
    page.wait("!document.getElementById('detail').open")
    assert page.run("document.activeElement.getAttribute('aria-label')").startswith(
        "Open the record "
    )


def test_the_saved_searches_of_a_page_can_be_chosen(page: Browser) -> None:
    drawn(page, "#alb")
    select = "document.querySelector('[data-panel=newest] select')"
    assert page.run(f"{select}.options.length") == 6
    page.run(f"{select}.selectedIndex = 1; {select}.dispatchEvent(new Event('change')); 0")
    columns = next(one for one in export()["pages"] if one["name"] == "alb")["searches"][0][
        "columns"
    ]
    heads = "[...document.querySelectorAll('[data-panel=newest] th')].map((th) => th.textContent)"
    page.wait(f"{heads}.slice(1).join() === {json.dumps(','.join(['@timestamp', *columns]))}")


REJECTED = "[...document.querySelectorAll('[data-panel=rejected] tbody tr')].length"


def test_rejected_records_are_listed_with_their_reasons_as_text(page: Browser) -> None:
    drawn(page, "#rejected?cloud.account_id=111122223333")
    assert page.run(REJECTED) == 1
    assert "has 3 fields, must have 29" in page.run("document.getElementById('panels').innerText")
    page.run("document.querySelector('[data-panel=rejected] button').click()")
    assert REJECT["raw"] in page.run("document.getElementById('detail').innerText")
    assert page.run("document.querySelectorAll('img').length") == 0


@pytest.mark.parametrize(
    ("narrowing", "count"),
    [
        ("", 2),
        ("range=1h", 1),
        ("range=15m", 0),
        ("range=custom&to=2026-11-20T08:20", 0),
        ("range=custom&from=2026-11-20T08:20&to=2026-11-20T08:20:01", 1),
        ("text=ONERROR", 2),
        ("text=is%20no", 1),
        ("text=alert(1", 2),
        ("query=nothing", 2),
        ("log.type=waf", 0),
        ("cloud.region=eu-west-1", 2),
    ],
)
def test_rejected_records_are_narrowed_as_panels_are(
    page: Browser, narrowing: str, count: int
) -> None:
    drawn(page, f"#rejected?{narrowing}")
    assert page.run(REJECTED) == count
    said = page.run("document.getElementById('status').textContent")
    assert said == f"{count} of 2 rejected records, the newest first."
    offered = "[...document.querySelector('[name=\"cloud.account_id\"]').options]"
    assert page.run(f"{offered}.map((one) => one.value)") == ["", "111122223333", "222233334444"]


def test_the_state_of_the_pipeline_is_shown(page: Browser) -> None:
    drawn(page, "#pipeline")
    said = page.run("document.getElementById('panels').innerText")
    for shown in (
        "1,234",
        "1,200",
        "Messages waiting",
        "dead-letter queue",
        "outside LogGroupPrefix",
        "AccessDenied: no right",
    ):
        assert shown in said


def test_everything_can_be_reached_with_the_keyboard_and_has_a_name(
    page: Browser, address: str
) -> None:
    load(page, f"{address}#alb")
    reached = []
    for _ in range(40):
        page.press("Tab", 9)
        reached.append(
            page.run(
                "(document.activeElement.ariaLabel || document.activeElement.labels?.[0]?.innerText"
                " || document.activeElement.innerText).trim()"
            )
        )
        assert page.run("getComputedStyle(document.activeElement).outlineStyle") != "none"
    assert all(reached)
    assert reached[0] == "Skip to the panels"
    assert {"Time", "Account", "Region", "Search"} <= {one.split("\n")[0] for one in reached}
    tree = page.command("Accessibility.getFullAXTree")["nodes"]
    roles = {node["role"]["value"] for node in tree if not node["ignored"]}
    assert {"banner", "navigation", "main", "search", "status", "image"} <= roles


def test_the_way_past_the_form_stays_on_the_page(page: Browser) -> None:
    drawn(page, "#lambda")
    page.run("document.getElementById('skip').focus()")
    page.press("Enter", 13, "\r")
    page.wait("document.activeElement.id === 'main'")
    assert page.run("[location.hash, document.title]") == [
        "#lambda",
        "Lambda functions · Service Logs",
    ]


def test_another_page_takes_the_focus_to_its_title(page: Browser) -> None:
    drawn(page, "#lambda")
    assert page.run("document.activeElement.id") == "title"
    assert page.run("document.querySelector('nav [aria-current=page]').hash") == "#lambda"


TEXTS = """
(() => {
  const parts = (written) => written.match(/[\\d.]+/g).map(Number);
  const ground = (one) => {
    for (; one; one = one.parentElement) {
      const [r, g, b, a = 1] = parts(getComputedStyle(one).backgroundColor);
      if (a > 0) return [r, g, b];
    }
    throw new Error('no ground');
  };
  const seen = new Map();
  for (const one of document.querySelectorAll('body *')) {
    const own = [...one.childNodes].some((node) => node.nodeType === 3 && node.data.trim());
    if (!own || !one.checkVisibility()) continue;
    const colours = [parts(getComputedStyle(one).color).slice(0, 3), ground(one)];
    seen.set(JSON.stringify(colours), { what: one.outerHTML.slice(0, 80), colours });
  }
  return [...seen.values()];
})()
"""


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("name", ["alb_connection", "rejected", "pipeline", "config?query=("])
def test_text_has_contrast_in_light_and_in_dark(
    browser: Browser, address: str, scheme: str, name: str
) -> None:
    features = [{"name": "prefers-color-scheme", "value": scheme}]
    browser.command("Emulation.setEmulatedMedia", features=features)
    try:
        load(browser, f"{address}#{name}")
        browser.run("document.querySelector('td button')?.click()")
        texts = browser.run(TEXTS)
        series = [colour(browser, f"--series-{number}") for number in range(1, 16)]
        surface = colour(browser, "--surface")
    finally:
        browser.command("Emulation.setEmulatedMedia", features=[])
    assert len(texts) >= 3
    faint = {
        one["what"]: one["colours"]
        for one in texts
        if contrast(*([part / 255 for part in colour] for colour in one["colours"])) < 4.5
    }
    assert faint == {}
    assert [one for one in series if contrast(one, surface) < 3] == []


def test_an_axis_has_a_unit_and_counts_whole_records(page: Browser) -> None:
    drawn(page, f"#alb?cloud.account_id={ODD_ACCOUNT}")
    axes = """
    [...document.querySelectorAll('canvas')].map((one) => Chart.getChart(one))
      .filter((one) => one.config.type !== 'pie').map(({ options, scales }) => {
        const { ticks, options: { title } } = scales[options.indexAxis === 'x' ? 'y' : 'x'];
        return { title: title.text, ticks: ticks.map(({ label }) => label) };
      })
    """
    counted = [one["ticks"] for one in page.run(axes) if one["title"] == "Records"]
    assert counted
    assert all(label.isdigit() for labels in counted for label in labels)
    times = """
    [...document.querySelectorAll('canvas')].map((one) => Chart.getChart(one))
      .filter((one) => one.options.onClick).map(({ scales }) => scales.x.options.title.text)
    """
    assert set(page.run(times)) == {"2026-11-20, UTC"}


def test_the_legend_of_lines_has_their_dashes(page: Browser) -> None:
    drawn(page, "#alb")
    chart = "Chart.getChart(document.querySelector('[data-panel=time-that-targets-took] canvas'))"
    dashes = page.run(f"{chart}.legend.legendItems.map((one) => one.lineDash)")
    assert dashes == page.run(f"{chart}.data.datasets.map((one) => one.borderDash)")
    assert len({str(one) for one in dashes}) == 3


def test_a_chart_over_time_leads_closer_when_it_is_clicked(page: Browser) -> None:
    drawn(page, "#alb_connection")
    before = page.run(TOTAL)
    canvases = "[...document.querySelectorAll('canvas')]"
    canvas = f"{canvases}.find((one) => Chart.getChart(one).options.onClick)"
    page.run(f"{canvas}.scrollIntoView({{block: 'center'}})")
    x, y = page.run(f"""(() => {{
      const canvas = {canvas};
      const {{ left, top }} = canvas.getBoundingClientRect();
      const {{ x, y }} = Chart.getChart(canvas).getDatasetMeta(0).data[0];
      return [left + x, top + y];
    }})()""")
    for event in ("mouseMoved", "mousePressed", "mouseReleased"):
        page.command("Input.dispatchMouseEvent", type=event, x=x, y=y, button="left", clickCount=1)
    page.wait("location.hash.includes('range=custom')")
    drawn(page)
    assert 0 < page.run(TOTAL) < before


def test_nothing_moves(page: Browser) -> None:
    drawn(page, "#alb_connection")
    charts = "[...document.querySelectorAll('canvas')].map((one) => Chart.getChart(one))"
    assert page.run(f"{charts}.every((one) => one.options.animation === false)")
    assert page.run("document.getAnimations().length") == 0
    sheet = (FOLDER / "page.css").read_text()
    assert not [word for word in ("transition", "animation", "@keyframes") if word in sheet]


@pytest.mark.parametrize("width", [360, 640])
@pytest.mark.parametrize(
    "name",
    [
        f"request?range=custom&cloud.account_id={NO_ACCOUNT}",
        f"principal?cloud.account_id={NO_ACCOUNT}",
        "rejected",
        "pipeline",
        f"alb?cloud.account_id={ODD_ACCOUNT}",
    ],
)
def test_a_narrow_window_is_not_scrolled_sideways(page: Browser, width: int, name: str) -> None:
    """640 pixels are what a zoom of 200 % leaves of 1280."""
    page.resize(width)
    try:
        drawn(page, f"#{name}")
        assert page.run("document.documentElement.scrollWidth <= innerWidth")
        outside = f"""[...document.querySelectorAll('#filters *, main h1, .panel, canvas')]
          .filter((one) => one.getBoundingClientRect().right > {width}).length"""
        assert page.run(outside) == 0
        page.run("document.querySelector('td button')?.click()")
        cut = "[...document.querySelectorAll('#detail .scroll')]"
        assert page.run(f"{cut}.every((one) => one.scrollWidth <= one.clientWidth)")
    finally:
        page.command("Emulation.clearDeviceMetricsOverride")


def test_what_a_log_says_is_text(page: Browser) -> None:
    drawn(page, f"#alb?cloud.account_id={ODD_ACCOUNT}")
    assert page.run(TOTAL) == 1
    assert ODD_SEEN in page.run("document.getElementById('panels').innerText")
    page.run("document.querySelector('[data-panel=newest] td button').click()")
    said = page.run("document.getElementById('detail').innerText")
    assert ODD_SEEN in said
    assert "x" * 5000 in said
    page.run("document.querySelector('#detail summary').click()")
    assert "\u202e" not in page.run("document.body.innerText")
    assert page.run(
        "[document.querySelectorAll('main img, main script').length, typeof hacked]"
    ) == [
        0,
        "undefined",
    ]


class _Broken(BaseHTTPRequestHandler):
    """An engine that fails in a way that none should."""

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["Content-Length"]))
        self.send_response(500)
        self.end_headers()
        self.wfile.write(b"<html>out of memory</html>")

    def log_message(self, format: str, *args: Any) -> None: ...  # noqa: A002 - the library's name


def test_an_engine_that_fails_or_is_down_is_said(browser: Browser, tmp_path: Path) -> None:
    error = "document.getElementById('error').textContent"
    with ThreadingHTTPServer((LOOPBACK, 0), _Broken) as engine:
        threading.Thread(target=engine.serve_forever, args=(0.01,), daemon=True).start()
        with served(f"http://{LOOPBACK}:{engine.server_port}", tmp_path) as url:
            load(browser, f"{url}#waf?query=a")
            assert "answered with status 500" in browser.run(error)
            query = "document.querySelector('[name=query]').getAttribute('aria-invalid')"
            assert browser.run(query) == "false"
        engine.shutdown()
    with served(f"http://{LOOPBACK}:{engine.server_port}", tmp_path) as url:
        load(browser, f"{url}#waf")
        assert "the search engine does not answer" in browser.run(error)
        drawn(browser, "#pipeline")
        (tmp_path / "endpoints.json").unlink()
        drawn(browser, "#waf")
        assert "make up" in browser.run(error)


def test_a_page_server_that_is_gone_is_said(page: Browser) -> None:
    page.run("globalThis.fetch = () => Promise.reject(new TypeError('Failed to fetch')); 0")
    for name in ("alb", "rejected", "pipeline"):
        drawn(page, f"#{name}")
        said = page.run("document.getElementById('error').textContent")
        assert said.startswith("the page's server does not answer")
        assert page.run(PANELS) == []


def test_one_search_that_fails_leaves_the_other_panels(page: Browser) -> None:
    page.run("""
      globalThis.asked ??= fetch;
      globalThis.fetch = (path, said) => said.body.includes('"percentiles"')
        ? Promise.resolve(new Response('{"error": {"reason": "too many buckets"}}', {status: 400}))
        : asked(path, said);
      0
    """)
    drawn(page, "#alb")
    wrong = "[...document.querySelectorAll('.wrong')].map((one) => one.textContent)"
    assert page.run(wrong) == ["Not drawn: too many buckets"]
    assert (
        page.run("document.querySelectorAll('.panel canvas, .panel table, .panel dl').length") > 20
    )


def test_a_slow_engine_leaves_no_other_pages_panels(page: Browser) -> None:
    page.run("""
      globalThis.asked ??= fetch;
      globalThis.fetch = (...said) => new Promise((done) => {
        globalThis.answer = () => done(asked(...said));
      });
      location.hash = '#waf';
      0
    """)
    page.wait("document.getElementById('title').textContent === 'AWS WAF requests'")
    assert page.run("document.getElementById('status').textContent") == "Searching …"
    assert page.run(PANELS) == []


def test_an_engine_without_any_index_is_said_plainly(
    browser: Browser, tmp_path_factory: pytest.TempPathFactory
) -> None:
    processes = Processes(tmp_path_factory.mktemp("engine"))
    try:
        with served(start_osmem(processes), tmp_path_factory.mktemp("page")) as url:
            browser.complaints.clear()
            load(browser, f"{url}#alb")
            said = browser.run("document.getElementById('status').textContent")
            assert said == "No records yet: `make demo` delivers sample logs."
            assert browser.run(EMPTY) == []
            assert browser.complaints == []
    finally:
        processes.stop_all()


def colour(page: Browser, name: str) -> list[float]:
    written = page.run(
        "(() => { const one = document.createElement('i'); document.body.append(one);"
        f"one.style.color = 'var({name})'; const found = getComputedStyle(one).color;"
        "one.remove(); return found; })()"
    )
    return [int(part) / 255 for part in written.strip("rgb()").split(",")]


def contrast(one: list[float], other: list[float]) -> float:
    """Give the contrast of two colours as WCAG 2 defines it."""
    lights = sorted(luminance(colour) for colour in (one, other))
    return (lights[1] + 0.05) / (lights[0] + 0.05)


def luminance(colour: list[float]) -> float:
    red, green, blue = (
        part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in colour
    )
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def test_each_page_in_the_docs_has_its_picture() -> None:
    pictures = {path.stem for path in (ROOT / "docs" / "pictures").glob("*.png")}
    assert pictures == {page["name"] for page in export()["pages"] if not page["ask"]}
