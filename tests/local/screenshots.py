"""Take the pictures of the docs: each page as it draws the sample data.

`python -m tests.local.screenshots` writes docs/pictures/<page>.png.
"""

import base64
import tempfile
from pathlib import Path

from local import ROOT
from local.page_server import PREFIX
from local.processes import Processes
from local.search_engines import start_osmem
from servicelogs.opensearch.dashboards.export import export
from tests.browser import Browser
from tests.local.test_page import TOTAL, load, served
from tests.sample_indexes import indexed

PICTURES = ROOT / "docs" / "pictures"
WIDTH, HEIGHT = 1280, 800
SCALE = 0.6
# When the sample logs are of: the golden inputs have records of other years.
FEW = 50
RANGE = "range=custom&from=2026-11-20T08:10:00&to=2026-11-20T08:20:00"


def main() -> None:
    """Take all of them."""
    PICTURES.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory() as folder:
        processes = Processes(Path(folder) / "processes")
        try:
            _take(Path(folder), start_osmem(processes))
        finally:
            processes.stop_all()


def _take(folder: Path, engine: str) -> None:
    indexed(engine, PREFIX)
    browser = Browser(folder)
    try:
        browser.command(
            "Emulation.setDeviceMetricsOverride",
            width=WIDTH,
            height=HEIGHT,
            deviceScaleFactor=SCALE,
            mobile=False,
        )
        with served(engine, folder) as url:
            for page in export()["pages"]:
                if not page["ask"]:
                    address = f"{url}#{page['name']}"
                    load(browser, f"{address}?{RANGE}")
                    if browser.run(TOTAL) < FEW:
                        load(browser, address)
                    taken = browser.command("Page.captureScreenshot", format="png")["data"]
                    (PICTURES / f"{page['name']}.png").write_bytes(base64.b64decode(taken))
    finally:
        browser.close()


if __name__ == "__main__":
    main()
