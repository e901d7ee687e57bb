"""The page in a browser: every panel draws the sample data, filters narrow, all on this machine."""

import json
import threading
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from local import ROOT, npm_packages
from local.page_server import FOLDER, PREFIX, PageServer
from local.pipeline_state import PipelineState
from local.processes import StartFailed
from servicelogs.opensearch.dashboards.export import export
from tests.browser import Browser
from tests.sample_indexes import indexed

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("page")]

PAGES = [page["name"] for page in export()["pages"]]
ASKED = {
    "client": "203.0.113.7",
    "principal": "deployer",
    "request": "1-691ed06f-0a1b2c3d4e5f60718293a4b5",
}
OTHERS = 3
OTHER = {
    "@timestamp": "2026-11-20T08:20:00Z",
    "cloud": {"account_id": "222233334444", "region": "us-east-1"},
    "log": {"type": "alb", "source": "s3://logs/b.log.gz"},
    "elb_status_code": 200,
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
    samples.client.indices.refresh(index=f"{PREFIX}-*")
    endpoints: Path = tmp_path_factory.mktemp("page") / "endpoints.json"
    stack = {"aws_endpoint": "", "opensearch_endpoint": osmem, "search": "osmem"}
    endpoints.write_text(json.dumps(stack | {"outputs": {}, "page": ""}))
    with PageServer(0, endpoints) as server, pytest.MonkeyPatch.context() as patch:
        patch.setattr(PipelineState, "counts", lambda self, stack: COUNTS)
        other = REJECT | {"account_id": "222233334444", "reason": "is no line"}
        rejects = {"total": 2, "records": [REJECT, other]}
        patch.setattr(PipelineState, "rejects", lambda self, stack: rejects)
        threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}/"
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


@pytest.mark.parametrize("name", PAGES)
def test_every_panel_of_a_page_draws_the_sample_data(page: Browser, name: str) -> None:
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


TOTAL = "parseInt(document.querySelector('#status').textContent.replaceAll(',', '')) || 0"
FIRST = "document.querySelector('[data-panel=records] dd').textContent"


@pytest.mark.parametrize(
    "narrowing",
    [
        {"cloud.account_id": "222233334444"},
        {"cloud.region": "us-east-1"},
        {"log.type": "waf"},
        {"query": "log.type:alb"},
        {"range": "custom", "from": "2026-11-20T08:20", "to": "2026-11-20T08:21"},
    ],
    ids=str,
)
def test_a_filter_narrows_every_panel(page: Browser, narrowing: dict[str, str]) -> None:
    drawn(page, "#overview")
    before, bodies = page.run(TOTAL), watched(page)
    pairs = "&".join(f"{name}={value}" for name, value in narrowing.items())
    drawn(page, f"#overview?{pairs}")
    assert 0 < page.run(TOTAL) < before
    assert page.run(FIRST).replace(",", "") == str(page.run(TOTAL))
    *_, value = narrowing.values()
    asked = [body for body in page.run(bodies) if "by_0" not in body.get("aggs", {})]
    assert len(asked) > 20
    assert all(value in json.dumps(body["query"]) for body in asked)


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
    drawn(page, f"#{name}")
    assert page.run("document.querySelector('[name=ask]').checkVisibility()")
    before = page.run(TOTAL)
    page.run(f"document.querySelector('[name=ask]').value = '{ASKED[name]}'; 0")
    page.run("document.getElementById('filters').requestSubmit()")
    page.wait("location.hash.includes('ask=')")
    drawn(page)
    assert page.run(TOTAL) < before


def test_the_form_says_what_the_address_says(page: Browser) -> None:
    drawn(page, "#alb?range=30d&cloud.account_id=111122223333&query=elb_status_code:500")
    control = "document.querySelector('[name=\"{}\"]').value"
    assert page.run(control.format("range")) == "30d"
    assert page.run(control.format("cloud.account_id")) == "111122223333"
    assert page.run(control.format("query")) == "elb_status_code:500"
    # Another page is narrowed by the same.
    link = "[...document.querySelectorAll('nav a')].find((a) => a.textContent.includes('WAF')).hash"
    assert "cloud.account_id=111122223333" in page.run(link)


def test_a_query_that_is_none_is_said_once(browser: Browser, address: str) -> None:
    load(browser, f"{address}#overview?query=a%20AND%20(")
    assert "a AND (" in browser.run("document.getElementById('error').textContent")
    assert (
        browser.run("document.querySelector('[name=query]').getAttribute('aria-invalid')") == "true"
    )
    assert browser.run(PANELS) == []


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
    assert page.run("document.activeElement.getAttribute('aria-label')").startswith("Details of ")


def test_the_saved_searches_of_a_page_can_be_chosen(page: Browser) -> None:
    drawn(page, "#alb")
    select = "document.querySelector('[data-panel=newest] select')"
    assert page.run(f"{select}.options.length") == 6
    page.run(f"{select}.selectedIndex = 1; {select}.dispatchEvent(new Event('change')); 0")
    columns = next(one for one in export()["pages"] if one["name"] == "alb")["searches"][0][
        "columns"
    ]
    heads = "[...document.querySelectorAll('[data-panel=newest] th')].map((th) => th.textContent)"
    page.wait(f"{heads}.slice(1).join() === {json.dumps(','.join(columns))}")


def test_rejected_records_are_listed_with_their_reasons_as_text(page: Browser) -> None:
    drawn(page, "#rejected?cloud.account_id=111122223333")
    assert page.run("document.querySelectorAll('[data-panel=rejected] tbody tr').length") == 1
    assert "has 3 fields, must have 29" in page.run("document.getElementById('panels').innerText")
    page.run("document.querySelector('[data-panel=rejected] button').click()")
    assert REJECT["raw"] in page.run("document.getElementById('detail').innerText")
    assert page.run("document.querySelectorAll('img').length") == 0


def test_the_state_of_the_pipeline_is_shown(page: Browser) -> None:
    drawn(page, "#pipeline")
    said = page.run("document.getElementById('panels').innerText")
    for shown in ("1,234", "1,200", "Waiting", "dead-letter queue", "AccessDenied: no right"):
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
    assert all(reached)
    assert reached[0] == "Skip to the panels"
    assert {"Time", "Account", "Region", "Search"} <= {one.split("\n")[0] for one in reached}
    tree = page.command("Accessibility.getFullAXTree")["nodes"]
    roles = {node["role"]["value"] for node in tree if not node["ignored"]}
    assert {"banner", "navigation", "main", "search", "status", "image"} <= roles
    nameless = [
        node
        for node in tree
        if not node["ignored"]
        and node["role"]["value"] in ("button", "link", "combobox", "searchbox", "image", "table")
        and not node.get("name", {}).get("value")
    ]
    assert nameless == []


def test_another_page_takes_the_focus_to_its_title(page: Browser) -> None:
    drawn(page, "#waf")
    assert page.run("document.activeElement.id") == "title"
    assert page.run("document.querySelector('nav [aria-current=page]').hash") == "#waf"


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_text_has_contrast_in_light_and_in_dark(page: Browser, scheme: str) -> None:
    features = [{"name": "prefers-color-scheme", "value": scheme}]
    page.command("Emulation.setEmulatedMedia", features=features)
    for text, ground in (
        ("--text", "--surface"),
        ("--quiet", "--ground"),
        ("--wrong", "--surface"),
    ):
        assert contrast(colour(page, text), colour(page, ground)) >= 4.5
    for number in range(1, 11):
        assert contrast(colour(page, f"--series-{number}"), colour(page, "--surface")) >= 3
    page.command("Emulation.setEmulatedMedia", features=[])
    drawn(page)


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


def test_the_charting_library_is_what_npm_has_under_its_checksum(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(npm_packages, "VENDORED", tmp_path)
    npm_packages.write_charts()
    for name in npm_packages.CHARTS_FILES.values():
        assert (tmp_path / name).read_bytes() == (FOLDER / "vendor" / name).read_bytes()


def test_a_package_with_another_checksum_is_refused(tmp_path: Path) -> None:
    other = replace(npm_packages.CHARTS, integrity="sha512-other")
    with pytest.raises(StartFailed, match=r"chart.js@.* has the checksum .*, not sha512-other"):
        npm_packages.fetch(other, tmp_path)
    assert not (tmp_path / "package").exists()


def test_each_page_in_the_docs_has_its_picture() -> None:
    pictures = {path.stem for path in (ROOT / "docs" / "pictures").glob("*.png")}
    assert pictures == {page["name"] for page in export()["pages"] if not page["ask"]}
