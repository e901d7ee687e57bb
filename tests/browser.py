"""A headless Chromium for tests, driven by the DevTools protocol over a pipe.

`browser` is one for the whole run: it reaches no host but this machine, and notes what it asks for.
Which Chromium it is: `npm_packages.browser`; the variable CHROMIUM names another.
"""

import itertools
import json
import os
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from local import npm_packages
from local.processes import StartFailed

FLAGS = (
    "--headless",
    "--no-sandbox",  # root may not start it otherwise
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-default-apps",
    "--disable-extensions",
    "--disable-sync",
    "--no-first-run",
    "--no-proxy-server",
    # Whatever else the page would ask for has no address.
    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1",
    "--remote-debugging-pipe",
)
SECONDS = 60


class Browser:
    """One browser with one page."""

    def __init__(self, folder: Path) -> None:
        program, libraries = npm_packages.browser()
        environment = dict(os.environ)
        if libraries:
            environment |= {
                "LD_LIBRARY_PATH": str(libraries),
                "FONTCONFIG_FILE": str(libraries.parent / "fonts.conf"),
                "XDG_CACHE_HOME": str(folder),
            }
        to_browser, self._to = os.pipe()
        self._from, from_browser = os.pipe()
        self._log = folder / "browser.log"
        # The protocol's pipe has the numbers 3 and 4.
        command = 'exec "$@" 3<&"$TO" 4>&"$FROM"'
        environment |= {"TO": str(to_browser), "FROM": str(from_browser)}
        self._process = subprocess.Popen(
            ["bash", "-c", command, "bash", program, *FLAGS, f"--user-data-dir={folder}/profile"],
            env=environment,
            pass_fds=(to_browser, from_browser),
            stderr=self._log.open("wb"),
        )
        os.close(to_browser)
        os.close(from_browser)
        self._numbers = itertools.count(1)
        self._buffer = b""
        self._answers: dict[int, dict[str, Any]] = {}
        self.requests: list[str] = []
        """The addresses that were asked for."""
        self.complaints: list[str] = []
        """What is an error in the console, or was thrown."""
        self._session: str | None = None
        target = self.command("Target.createTarget", url="about:blank")["targetId"]
        attached = self.command("Target.attachToTarget", targetId=target, flatten=True)
        self._session = attached["sessionId"]
        for domain in ("Page", "Network", "Runtime", "Log"):
            self.command(f"{domain}.enable")

    def command(self, method: str, **parameters: Any) -> dict[str, Any]:
        """Give one command and wait for its result."""
        number = next(self._numbers)
        message = {"id": number, "method": method, "params": parameters}
        if self._session:
            message["sessionId"] = self._session
        os.write(self._to, json.dumps(message).encode() + b"\0")
        while number not in self._answers:
            self._read()
        answer = self._answers.pop(number)
        assert "error" not in answer, (method, answer["error"])
        result: dict[str, Any] = answer["result"]
        return result

    def _read(self) -> None:
        some = os.read(self._from, 1 << 20)
        assert some, f"the browser has ended: {self._log.read_text(errors='replace')[-2000:]}"
        *messages, self._buffer = (self._buffer + some).split(b"\0")
        for message in map(json.loads, messages):
            if "id" in message:
                self._answers[message["id"]] = message
            else:
                self._note(message["method"], message["params"])

    def _note(self, event: str, said: dict[str, Any]) -> None:
        match event:
            case "Network.requestWillBeSent":
                self.requests.append(said["request"]["url"])
            case "Runtime.exceptionThrown":
                self.complaints.append(str(said["exceptionDetails"]))
            case "Runtime.consoleAPICalled" if said["type"] in ("error", "warning", "assert"):
                self.complaints.append(str(said["args"]))
            case "Log.entryAdded" if said["entry"]["level"] in ("error", "warning"):
                self.complaints.append(f"{said['entry']['text']} ({said['entry'].get('url')})")

    def run(self, script: str) -> Any:
        """Run JavaScript in the page and give its value."""
        said = self.command(
            "Runtime.evaluate", expression=script, returnByValue=True, awaitPromise=True
        )
        assert "exceptionDetails" not in said, said["exceptionDetails"]
        return said["result"].get("value")

    def wait(self, script: str) -> Any:
        """Wait until JavaScript gives something that is true."""
        return self._until(lambda: self.run(script), script)

    def _until(self, found: Callable[[], Any], what: str) -> Any:
        give_up = time.monotonic() + SECONDS
        while not (value := found()):
            assert time.monotonic() < give_up, f"still not: {what}"
            time.sleep(0.05)
        return value

    def press(self, key: str, code: int, text: str = "", modifiers: int = 0) -> None:
        """Press a key and let it go."""
        said = {"key": key, "code": key, "windowsVirtualKeyCode": code, "modifiers": modifiers}
        self.command("Input.dispatchKeyEvent", type="keyDown", text=text, **said)
        self.command("Input.dispatchKeyEvent", type="keyUp", **said)

    def resize(self, width: int, height: int = 800) -> None:
        """Give the page a window of this size."""
        self.command(
            "Emulation.setDeviceMetricsOverride",
            width=width,
            height=height,
            deviceScaleFactor=1,
            mobile=False,
        )

    def close(self) -> None:
        """End it."""
        self._process.terminate()
        try:
            self._process.wait(10)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        os.close(self._to)
        os.close(self._from)


@pytest.fixture(scope="session")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    """Start a browser; where none can be had a test is skipped, which fails in CI."""
    try:
        npm_packages.browser()
    except StartFailed as error:
        pytest.skip(f"no browser: {error}")
    opened = Browser(tmp_path_factory.mktemp("browser"))
    try:
        yield opened
    finally:
        opened.close()
