"""Take the pictures of the docs: each page as it draws what the demo delivered.

After `make demo`, `python -m tests.local.screenshots` writes docs/pictures/<page>.png.
"""

import base64
import sys
import tempfile
from pathlib import Path

from local import ROOT
from local.stack import LocalStack
from servicelogs.opensearch.dashboards.export import export
from tests.browser import Browser
from tests.local.test_page import TOTAL, load

PICTURES = ROOT / "docs" / "pictures"
WIDTH, HEIGHT = 1280, 800
SCALE = 0.6
# When the sample logs are of; a type that has fewer of that time is shown with all.
RANGE = "range=custom&from=2026-11-20T08:10:00&to=2026-11-20T08:20:00"
FEW = 50


def main() -> None:
    """Take all of them."""
    stack = LocalStack().running()
    if stack is None:
        sys.exit("no stack runs: run `make demo` first")
    PICTURES.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory() as folder:
        browser = Browser(Path(folder))
        try:
            _take(browser, stack.page)
        finally:
            browser.close()


def _take(browser: Browser, url: str) -> None:
    browser.command(
        "Emulation.setDeviceMetricsOverride",
        width=WIDTH,
        height=HEIGHT,
        deviceScaleFactor=SCALE,
        mobile=False,
    )
    for page in export()["pages"]:
        if not page["ask"]:
            address = f"{url}/#{page['name']}"
            load(browser, f"{address}?{RANGE}")
            if browser.run(TOTAL) < FEW:
                load(browser, address)
            taken = browser.command("Page.captureScreenshot", format="png")["data"]
            (PICTURES / f"{page['name']}.png").write_bytes(base64.b64decode(taken))


if __name__ == "__main__":
    main()
