"""The page of `facealign labels edit` over HTTP, for the browser of whoever started it only.

The address has a random token, so that neither another user of the machine nor a page from the web
can guess it. The name in `Host` and the `Origin` are checked, too: a page from the web whose own
name leads to this machine would be refused.
"""

from __future__ import annotations

import json
import os
import re
import secrets
import sys
from collections.abc import Callable, Mapping
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from socketserver import ThreadingTCPServer
from typing import Any

from facealign.core import images
from facealign.core.errors import ConfigError, FacealignError
from facealign.core.points import is_known, scheme_of
from facealign.labels.edits import Edits

HOST = "127.0.0.1"
MOST_BYTES = 2**18  # of a request: 999 points have about 40,000
SECONDS = 60.0  # that a connection may wait

_LOCAL = re.compile(r"(127\.0\.0\.1|localhost)(:[0-9]{1,5})?")  # any port: a tunnel has its own
_NUMBER = re.compile("[0-9]{1,9}")
_PAGE = Path(__file__).with_name("edit.html")
_POLICY = (
    "default-src 'none'; script-src 'nonce-{nonce}'; style-src 'nonce-{nonce}'; img-src blob:; "
    "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)

Answer = tuple[int, str, bytes]  # status, type and body


class Server(ThreadingTCPServer):
    """It listens from the start, and answers in `serve_forever`."""

    daemon_threads = True
    allow_reuse_address = os.name == "posix"  # elsewhere it would let others take the port

    def __init__(self, edits: Edits, port: int) -> None:
        self.edits = edits
        self.token = secrets.token_urlsafe(24)
        self.nonce = secrets.token_urlsafe(16)  # of the page's script and style
        try:
            super().__init__((HOST, port), _Handler)
        except OSError as error:
            raise ConfigError(f"--port {port}: {error.strerror}") from None

    @property
    def url(self) -> str:
        return f"http://{HOST}:{self.server_address[1]}/{self.token}/"

    def handle_error(self, request: Any, client_address: Any) -> None:
        if not isinstance(sys.exception(), ConnectionError):  # else a browser has gone
            super().handle_error(request, client_address)


class _Handler(BaseHTTPRequestHandler):
    server: Server
    server_version, sys_version = "facealign", ""
    protocol_version = "HTTP/1.1"  # one connection for many requests
    timeout = SECONDS

    def do_GET(self) -> None:
        self._answer(
            {"": self._page, "state": self._state, "face": self._face, "image": self._image}
        )

    def do_POST(self) -> None:
        self._answer({"face": self._change})

    def log_message(self, format: str, *args: Any) -> None:
        """Nothing: the path holds the token."""

    def _answer(self, routes: Mapping[str, Callable[[int], Answer]]) -> None:
        try:
            status, kind, body = self._forbidden() or self._routed(routes)
        except FacealignError as error:
            status, kind, body = _problem(422, str(error))
        except (ConnectionError, TimeoutError):
            raise
        except OSError as error:  # a full disk, a folder that cannot be written
            status, kind, body = _problem(500, f"{error.filename}: {error.strerror}")
        if status in (403, 404, 411, 413):  # what was sent may not have been read
            self.close_connection = True
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.send_header("Content-Security-Policy", _POLICY.format(nonce=self.server.nonce))
        self.send_header("Cache-Control", "no-store")  # faces of people
        self.send_header("Referrer-Policy", "no-referrer")
        self.send_header("X-Content-Type-Options", "nosniff")
        self.send_header("Cross-Origin-Resource-Policy", "same-origin")
        if self.close_connection:
            self.send_header("Connection", "close")
        self.end_headers()
        self.wfile.write(body)

    def _forbidden(self) -> Answer | None:
        """Why this is not the page that was opened here."""
        hosts = self.headers.get_all("Host", [])
        if len(hosts) != 1 or not _LOCAL.fullmatch(hosts[0]):
            return _problem(403, f"expected the host {HOST}")
        origin = self.headers.get("Origin")
        if origin != f"http://{hosts[0]}" and (origin is not None or self.command == "POST"):
            return _problem(403, f"expected the origin http://{hosts[0]}")
        token = self.path.split("/")[1] if self.path.startswith("/") else ""
        if not secrets.compare_digest(token.encode(), self.server.token.encode()):
            return _problem(403, "another token: open the address that the command printed last")
        return None

    def _routed(self, routes: Mapping[str, Callable[[int], Answer]]) -> Answer:
        name, slash, number = self.path.split("/", 2)[-1].partition("/")
        item = int(number) if _NUMBER.fullmatch(number) else -1
        numbered = name in ("face", "image")
        wanted = range(len(self.server.edits.items)) if numbered else [-1]
        if name not in routes or item not in wanted or bool(slash) != numbered:
            return _problem(404, "no such page")
        return routes[name](item)

    def _page(self, _: int) -> Answer:
        page = _PAGE.read_text(encoding="utf-8").replace("{nonce}", self.server.nonce)
        return 200, "text/html; charset=utf-8", page.encode()

    def _state(self, _: int) -> Answer:
        edits = self.server.edits
        changed = edits.changed()
        return _json(
            {
                "images": [item.image for item in edits.items],
                "notes": [item.note for item in edits.items],
                "changed": changed,
                "count": edits.count,
                "start": max(changed, default=0),  # where the last session ended, perhaps
                "out": str(edits.out),
            }
        )

    def _face(self, number: int) -> Answer:
        edits = self.server.edits
        label, expected = edits.label(number), edits.items[number].expected
        return _json(
            {
                "points": label.points.tolist(),
                "original": label.original.tolist(),
                "expected": [] if expected is None else expected.tolist(),
                "scheme": _scheme(len(label.points)),
            }
        )

    def _image(self, number: int) -> Answer:
        """As it is read everywhere here: upright, and in a format that every browser has."""
        return 200, "image/png", images.encode(".png", self.server.edits.picture(number))

    def _change(self, number: int) -> Answer:
        length = self.headers.get("Content-Length", "")
        if not _NUMBER.fullmatch(length):
            return _problem(411, "expected a Content-Length")
        if int(length) > MOST_BYTES:
            return _problem(413, f"{length} bytes, expected {MOST_BYTES:,} at most")
        body = self.rfile.read(int(length))
        try:
            points = json.loads(body)
        except (ValueError, RecursionError) as error:
            return _problem(400, f"not JSON: {error}")
        edits = self.server.edits
        changed = edits.change(number, points)
        return _json({"changed": changed, "count": edits.count})


def _scheme(count: int) -> dict[str, Any]:
    """What the page draws and says of so many points."""
    if not is_known(count):
        return {"name": "", "lines": [], "regions": {}, "mirror": None, "names": None}
    scheme = scheme_of(count)
    return {
        "name": scheme.name,
        "lines": scheme.lines,
        "regions": dict(scheme.regions),
        "mirror": scheme.mirror,
        "names": scheme.source["points"] if scheme.source else None,
    }


def _json(value: Any) -> Answer:
    return 200, "application/json", json.dumps(value).encode()


def _problem(status: int, reason: str) -> Answer:
    return status, "application/json", json.dumps({"error": reason}).encode()
