"""A real Chromium, driven by its devtools protocol: pages, mouse, keys, screenshots, and all that it asked for."""

import base64
import json
import os
import re
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

websockets = pytest.importorskip("websockets.sync.client", reason="websockets is not installed")

FLAGS = (
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-component-update",
    "--disable-sync", "--no-first-run", "--no-default-browser-check", "--disable-default-apps",
    "--disable-extensions",    "--force-color-profile=srgb", "--hide-scrollbars", "--remote-debugging-port=0",
)  # fmt: skip
PATIENCE_S = 180.0
NAMES = {
    "ArrowLeft": 37, "ArrowUp": 38, "ArrowRight": 39, "ArrowDown": 40, "Enter": 13, "Escape": 27, "Tab": 9,
    "Delete": 46, "Backspace": 8, "Home": 36, "End": 35, " ": 32,
}  # fmt: skip


def chromium() -> str:
    """The program; tests that need it skip where there is none."""
    found = os.environ.get("VSANON_CHROMIUM") or shutil.which("chromium") or shutil.which("chromium-browser")
    if not found:
        pytest.skip("no Chromium on this machine (set VSANON_CHROMIUM)")
    return found


class Page:
    """A page of its own browsing context: no cookie of another one."""

    def __init__(self, send: Callable[..., Any], session: str) -> None:
        self._send, self._session = send, session
        self.complaints: list[str] = []
        self.asked: list[str] = []

    def call(self, method: str, **parameters: Any) -> Any:
        return self._send(method, parameters, self._session)

    def open(self, address: str) -> None:
        self.call("Page.navigate", url=address)
        self.until("document.readyState === 'complete'")

    def run(self, code: str) -> Any:
        """What an expression of JavaScript is, a promise's value."""
        done = self.call("Runtime.evaluate", expression=code, awaitPromise=True, returnByValue=True)
        assert "exceptionDetails" not in done, done["exceptionDetails"]
        return done["result"].get("value")

    def until(self, code: str, patience_s: float = PATIENCE_S) -> None:
        """Wait until an expression is true."""
        end = time.monotonic() + patience_s
        while not self.run(code):
            assert time.monotonic() < end, f"{code} did not come true; the page says {self.said()!r}"
            time.sleep(0.05)

    def said(self) -> str:
        return str(self.run("document.getElementById('said')?.textContent ?? ''"))

    def press(self, key: str, *, ctrl: bool = False, shift: bool = False) -> None:
        code = NAMES.get(key, ord(key.upper()[0]) if len(key) == 1 else 0)
        shown = key.upper() if shift and len(key) == 1 else key
        parts: dict[str, Any] = {"key": shown, "windowsVirtualKeyCode": code, "modifiers": 2 * ctrl + 8 * shift}
        text = {"Enter": "\r"}.get(key, shown if len(key) == 1 else None)
        self.call(
            "Input.dispatchKeyEvent", type="keyDown", **parts, **({"text": text} if text and not ctrl else {})
        )
        self.call("Input.dispatchKeyEvent", type="keyUp", **parts)

    def type(self, text: str) -> None:
        self.call("Input.insertText", text=text)

    def mouse(self, kind: str, x: float, y: float, **more: Any) -> None:
        self.call("Input.dispatchMouseEvent", type=kind, x=x, y=y, button="left", clickCount=1, **more)

    def drag(self, start: tuple[float, float], stop: tuple[float, float]) -> None:
        self.mouse("mouseMoved", *start)
        self.mouse("mousePressed", *start, buttons=1)
        for k in range(1, 6):
            at = [a + (b - a) * k / 5 for a, b in zip(start, stop, strict=True)]
            self.mouse("mouseMoved", *at, buttons=1)
        self.mouse("mouseReleased", *stop)

    def click(self, x: float, y: float) -> None:
        self.mouse("mousePressed", x, y, buttons=1)
        self.mouse("mouseReleased", x, y)

    def screen(self, width: int, height: int, *, dark: bool = False) -> None:
        self.call(
            "Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1, mobile=False
        )
        scheme = {"name": "prefers-color-scheme", "value": "dark" if dark else "light"}
        self.call("Emulation.setEmulatedMedia", features=[scheme])

    def screenshot(self, path: Path, *, whole: bool = False) -> None:
        shot = self.call("Page.captureScreenshot", format="png", captureBeyondViewport=whole)
        path.write_bytes(base64.b64decode(shot["data"]))


class Browser:
    """What is driven over one connection."""

    def __init__(self, socket: Any) -> None:
        self._socket = socket
        self._count = 0
        self._pages: dict[str, Page] = {}

    def page(self) -> Page:
        context = self._send("Target.createBrowserContext", {})["browserContextId"]
        target = self._send("Target.createTarget", {"url": "about:blank", "browserContextId": context})["targetId"]
        session = self._send("Target.attachToTarget", {"targetId": target, "flatten": True})["sessionId"]
        page = self._pages[session] = Page(self._send, session)
        for domain in ("Page", "Runtime", "Log", "Network"):
            page.call(f"{domain}.enable")
        page.screen(1440, 900)
        return page

    def _send(self, method: str, parameters: dict[str, Any], session: str | None = None) -> Any:
        self._count += 1
        message = {"id": self._count, "method": method, "params": parameters}
        self._socket.send(json.dumps({**message, **({"sessionId": session} if session else {})}))
        while True:
            got = json.loads(self._socket.recv(PATIENCE_S))
            if got.get("id") == self._count:
                assert "error" not in got, (method, got["error"])
                return got["result"]
            self._hear(got)

    def _hear(self, event: dict[str, Any]) -> None:
        page, told = self._pages.get(event.get("sessionId", "")), event.get("params", {})
        if page is None:
            return
        match event["method"]:
            case "Runtime.exceptionThrown":
                page.complaints.append(json.dumps(told["exceptionDetails"])[:500])
            case "Log.entryAdded" if told["entry"]["level"] in ("error", "warning"):
                page.complaints.append(f"{told['entry']['text']} {told['entry'].get('url', '')}")
            case "Runtime.consoleAPICalled" if told["type"] in ("error", "warning", "assert"):
                page.complaints.append(json.dumps(told["args"])[:500])
            case "Network.requestWillBeSent":
                page.asked.append(told["request"]["url"])


@contextmanager
def browser(program: str | None = None, flags: Sequence[str] = FLAGS) -> Iterator[Browser]:
    """A browser of its own, with an empty profile, gone with the context."""
    with tempfile.TemporaryDirectory(prefix="vsanon-chromium-", ignore_cleanup_errors=True) as folder:
        argv = [program or chromium(), *flags, f"--user-data-dir={folder}", "about:blank"]
        started = subprocess.Popen(argv, stderr=subprocess.PIPE, text=True, start_new_session=True)
        try:
            assert started.stderr is not None
            address = None
            for line in started.stderr:
                if found := re.match(r"DevTools listening on (ws://\S+)", line):
                    address = found[1]
                    break
            assert address, "Chromium ended before it could be driven"
            with websockets.connect(address, max_size=None, ping_interval=None) as socket:
                yield Browser(socket)
        finally:
            os.killpg(started.pid, signal.SIGKILL)
            started.wait()
