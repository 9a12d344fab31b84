"""A headless Chromium, driven over the DevTools protocol."""

from __future__ import annotations

import asyncio
import base64
import json
import shutil
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.request import urlopen

from tornado.websocket import WebSocketClientConnection, websocket_connect

NAMES = ("chromium", "chromium-browser", "google-chrome")
PROGRAM = next(filter(None, map(shutil.which, NAMES)), None)
SECONDS = 60.0  # that anything may take
OPTIONS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--no-first-run",
    "--window-size=1100,850",
)
MODIFIERS = {"Alt": 1, "Control": 2, "Shift": 8}
ACTED_ON = {"Tab": 9, "Escape": 27}  # keys that Chromium itself acts on, which it knows by numbers


class Page:
    """A tab. `requested` has the addresses of all that it has asked for."""

    def __init__(self, loop: asyncio.AbstractEventLoop, socket: WebSocketClientConnection) -> None:
        self._loop, self._socket = loop, socket
        self._sent = 0
        self.requested: list[str] = []
        self.problems: list[str] = []  # exceptions, and what the page's policy refused

    def call(self, method: str, **params: Any) -> Any:
        self._sent += 1
        message = json.dumps({"id": self._sent, "method": method, "params": params})
        return self._loop.run_until_complete(asyncio.wait_for(self._answer(message), SECONDS))

    async def _answer(self, message: str) -> Any:
        await self._socket.write_message(message)
        while True:
            said = await self._socket.read_message()
            assert said is not None, "the browser has gone"
            event = json.loads(said)
            if event.get("id") == self._sent:
                assert "error" not in event, event["error"]
                return event["result"]
            self._note(event.get("method"), event.get("params", {}))

    def _note(self, method: str | None, params: dict[str, Any]) -> None:
        if method == "Network.requestWillBeSent":
            self.requested.append(params["request"]["url"])
        elif method == "Runtime.exceptionThrown":
            self.problems.append(json.dumps(params["exceptionDetails"]))
        elif method == "Log.entryAdded" and params["entry"]["source"] in ("security", "violation"):
            self.problems.append(params["entry"]["text"])

    def open(self, url: str) -> None:
        for domain in ("Page", "Network", "Runtime", "Log"):
            self.call(f"{domain}.enable")
        self.call("Page.navigate", url=url)

    def value(self, code: str) -> Any:
        done = self.call("Runtime.evaluate", expression=code, returnByValue=True, awaitPromise=True)
        assert "exceptionDetails" not in done, done
        return done["result"].get("value")

    def wait_for(self, code: str) -> None:
        """Until this is true; it may be an error until the page is there."""
        deadline = time.monotonic() + SECONDS
        while not self.value(f"(() => {{ try {{ return {code}; }} catch {{ return false; }} }})()"):
            assert time.monotonic() < deadline, f"never true: {code}"
            time.sleep(0.02)

    def press(self, key: str, *modifiers: str) -> None:
        letter = len(key) == 1
        code = f"Key{key.upper()}" if letter and key.isalpha() else key
        given = {"key": key, "code": code, "modifiers": sum(MODIFIERS[one] for one in modifiers)}
        given |= {"windowsVirtualKeyCode": ACTED_ON[key]} if key in ACTED_ON else {}
        text = {"text": key} if letter and not modifiers else {}
        self.call("Input.dispatchKeyEvent", type="keyDown", **given, **text)
        self.call("Input.dispatchKeyEvent", type="keyUp", **given)

    def mouse(self, kind: str, x: float, y: float, **more: Any) -> None:
        self.call("Input.dispatchMouseEvent", type=f"mouse{kind}", x=x, y=y, **more)

    def drag(self, start: tuple[float, float], by: tuple[float, float]) -> None:
        x, y = start
        self.mouse("Moved", x, y)
        self.mouse("Pressed", x, y, button="left", clickCount=1)
        for part in (0.5, 1):
            self.mouse("Moved", x + part * by[0], y + part * by[1], button="left", buttons=1)
        self.mouse("Released", x + by[0], y + by[1], button="left", clickCount=1)

    def touch(self, kind: str, *places: tuple[float, float]) -> None:
        """With a finger at each place; `kind` is Start, Move or End."""
        fingers = [{"x": x, "y": y, "id": number} for number, (x, y) in enumerate(places)]
        self.call("Input.dispatchTouchEvent", type=f"touch{kind}", touchPoints=fingers)

    def screenshot(self, path: Path) -> None:
        path.write_bytes(base64.b64decode(self.call("Page.captureScreenshot")["data"]))


@contextmanager
def chromium(folder: Path) -> Iterator[Page]:
    """With its profile in this folder."""
    assert PROGRAM is not None
    command = [PROGRAM, *OPTIONS, "--remote-debugging-port=0", f"--user-data-dir={folder}"]
    process = subprocess.Popen(
        [*command, "about:blank"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    loop = asyncio.new_event_loop()
    try:
        socket = loop.run_until_complete(_connected(_address(process, folder)))
        yield Page(loop, socket)
        loop.run_until_complete(_closed(socket))
    finally:
        loop.close()
        process.terminate()
        process.wait(SECONDS)


def _address(process: subprocess.Popen[bytes], folder: Path) -> str:
    port, deadline = folder / "DevToolsActivePort", time.monotonic() + SECONDS
    while not port.exists() or "\n" not in port.read_text(encoding="utf-8"):
        assert process.poll() is None and time.monotonic() < deadline, "Chromium did not start"
        time.sleep(0.05)
    number = port.read_text(encoding="utf-8").splitlines()[0]
    with urlopen(f"http://127.0.0.1:{number}/json/list", timeout=SECONDS) as answer:
        pages = [one for one in json.load(answer) if one["type"] == "page"]
    return str(pages[0]["webSocketDebuggerUrl"])


async def _connected(address: str) -> WebSocketClientConnection:
    return await websocket_connect(address, max_message_size=2**27)


async def _closed(socket: WebSocketClientConnection) -> None:
    socket.close()
    while await socket.read_message() is not None:  # what was still on its way
        pass
