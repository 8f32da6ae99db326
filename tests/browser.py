"""Pages in a headless Chromium: what they ask for, what their console says, what a reader sees and hears.

A test that needs it takes the fixture `browser`; where Chromium or its driver is not installed, it is skipped.
"""

from __future__ import annotations

import base64
import json
import re
import secrets
import shutil
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.client import HTTPConnection
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest

from tests.processes import LONGEST, started, wait_until

PROGRAMS = ("chromium", "chromium-browser", "google-chrome")
DRIVER = "chromedriver"
READY = re.compile(r"started successfully on port (\d+)")
OWN = (
    "file:",
    "data:",
    "blob:",
    "about:",
    "chrome:",
    "chrome-untrusted:",
)  # without a network; the last are Chromium's
FLAGS = ("--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--no-first-run")
IS_THERE = "return location.href === arguments[0] && document.readyState === 'complete'"
_AXE = """
const [exclude, done] = arguments;
axe.run({ include: [document], exclude }, { resultTypes: ["violations"] }).then(done, (error) => done(String(error)));
"""


@dataclass
class Browser:
    """One window of a Chromium, by the commands of its driver.

    port, session: where the driver listens, and the name that it gave the window. log: what it said so far of the
    page that is open.
    """

    port: int
    session: str
    log: list[dict[str, Any]] = field(default_factory=list)

    def open(self, page: Path, width: int = 1280, height: int = 900, *, dark: bool = False) -> None:
        """Opens a file as it shows in a window of this size, in pixels, and forgets what was said of the last page."""
        self.command(
            "Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1, mobile=False
        )
        scheme = {"name": "prefers-color-scheme", "value": "dark" if dark else "light"}
        self.command("Emulation.setEmulatedMedia", media="", features=[scheme])
        self.complaints()
        self._said("")
        self.log.clear()
        address = page.resolve().as_uri()
        self._ask("url", {"url": address})
        wait_until(lambda: bool(self.run(IS_THERE, address)))  # the driver may answer while the last page is there

    def run(self, script: str, *arguments: Any) -> Any:
        """What a script returns, the body of a function; `arguments` has these."""
        return self._ask("execute/sync", {"script": script, "args": list(arguments)})

    def press(self, *keys: str) -> None:
        """Presses keys one after the other, as WebDriver spells them: "a", "\\ue004" for Tab, "\\ue007" for Enter."""
        actions = [{"type": kind, "value": key} for key in keys for kind in ("keyDown", "keyUp")]
        self._ask("actions", {"actions": [{"type": "key", "id": "keyboard", "actions": actions}]})

    def command(self, name: str, **parameters: Any) -> Any:
        """What a command of the DevTools protocol returns."""
        return self._ask("goog/cdp/execute", {"cmd": name, "params": parameters})

    def requests(self) -> list[str]:
        """The addresses outside the page itself that it has asked for."""
        asked = [one["params"] for one in self._said("Network.requestWillBeSent")]
        addresses = [one["request"]["url"] for one in asked]
        sockets = [one["params"]["url"] for one in self._said("Network.webSocketCreated")]
        return [one for one in (*addresses, *sockets) if not one.startswith(OWN)]

    def complaints(self) -> list[str]:
        """The errors and warnings of its console, those of a forbidden script or style among them."""
        last, entries = secrets.token_hex(8), list[dict[str, Any]]()
        self.run("console.log(arguments[0])", last)
        end = time.monotonic() + LONGEST
        while not any(last in entry["message"] for entry in entries):  # what is said comes in order, and not at once
            assert time.monotonic() < end, "the console says nothing"
            entries += self._entries()
        return [entry["message"] for entry in entries if entry.get("level") in ("SEVERE", "WARNING")]

    def violations(self, *leave_out: str) -> list[str]:
        """What keeps the page from being accessible, as axe-core finds it; needs axe-core-python.

        leave_out: selectors of elements that are not looked into.
        """
        self.run(f"if (!window.axe) {{ {axe_source()} }}")
        found = self._ask("execute/async", {"script": _AXE, "args": [list(leave_out)]})
        assert isinstance(found, dict), found
        return [f"{one['id']}: {one['help']}: {one['nodes'][0]['html'][:200]}" for one in found["violations"]]

    def overflow(self) -> int:
        """By how many pixels the page is wider than its window."""
        return int(self.run("return document.documentElement.scrollWidth - document.documentElement.clientWidth"))

    def screenshot(self, file: Path) -> None:
        """Writes a picture of the whole page, as PNG."""
        shown = self.command("Page.captureScreenshot", format="png", captureBeyondViewport=True)
        file.write_bytes(base64.b64decode(shown["data"]))

    def pdf(self) -> bytes:
        """The page as it is printed."""
        return base64.b64decode(self.command("Page.printToPDF", printBackground=True)["data"])

    def _said(self, method: str) -> list[dict[str, Any]]:
        """The events of one kind since the page was opened."""
        messages = [json.loads(one["message"])["message"] for one in self._ask("se/log", {"type": "performance"})]
        self.log += messages
        return [one for one in self.log if one["method"] == method]

    def _entries(self) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = self._ask("se/log", {"type": "browser"})
        return found

    def _ask(self, path: str, body: dict[str, Any]) -> Any:
        return _answer(self.port, f"/session/{self.session}/{path}", body)


def axe_source() -> str:
    """The script of axe-core."""
    found = find_spec("axe_core_python")
    if found is None or not found.submodule_search_locations:
        pytest.skip("axe-core-python is not installed")
    return (Path(found.submodule_search_locations[0]) / "axe.min.js").read_text(encoding="utf-8")


@pytest.fixture(scope="session")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    """A Chromium for all tests of this process."""
    program = next(filter(None, map(shutil.which, PROGRAMS)), None)
    driver = shutil.which(DRIVER)
    if program is None or driver is None:
        pytest.skip(f"needs one of {', '.join(PROGRAMS)} and {DRIVER}")
    with running(program, driver, tmp_path_factory.mktemp("chromium")) as found:
        yield found


@contextmanager
def running(program: str, driver: str, profile: Path) -> Iterator[Browser]:
    """A Chromium with a profile of its own, ended on leaving, and by the kernel where pytest is killed."""
    with started(driver, "--port=0", stderr=subprocess.DEVNULL) as process:
        assert process.stdout is not None
        lines = iter(process.stdout.readline, "")
        port = next((int(found[1]) for line in lines if (found := READY.search(line))), None)
        assert port is not None, f"{driver} did not start"
        session = _answer(port, "/session", {"capabilities": {"alwaysMatch": _capabilities(program, profile)}})
        try:
            yield Browser(port, session["sessionId"])
        finally:
            _answer(port, f"/session/{session['sessionId']}", None)


def _capabilities(program: str, profile: Path) -> dict[str, Any]:
    flags = [*FLAGS, f"--user-data-dir={profile}"]
    return {
        "browserName": "chrome",
        "timeouts": {"script": int(1000 * LONGEST)},
        "goog:chromeOptions": {"binary": program, "args": flags},
        "goog:loggingPrefs": {"browser": "ALL", "performance": "ALL"},
    }


def _answer(port: int, path: str, body: dict[str, Any] | None) -> Any:
    """What the driver answers to a command; a body of None deletes. AssertionError where it is an error."""
    connection = HTTPConnection("127.0.0.1", port, timeout=LONGEST)
    try:
        connection.request("DELETE" if body is None else "POST", path, None if body is None else json.dumps(body))
        answer = json.loads(connection.getresponse().read())["value"]
    finally:
        connection.close()
    assert not (isinstance(answer, dict) and "error" in answer), f"{path}: {answer.get('message', answer):.500}"
    return answer
