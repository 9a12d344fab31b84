"""The server behind the page that corrects labels, asked over HTTP."""

import json
import os
import re
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from http.client import HTTPConnection, HTTPMessage
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from facealign.core.errors import ConfigError
from facealign.data import patches
from facealign.labels import edits
from facealign.labels.edit_server import MOST_BYTES, Server
from facealign.labels.edits import Edits
from tests.data.test_filtering import add, add_face
from tests.helpers import smallest_files
from tests.labels.editing import serving

NAMES = [f"300W/train/{number:02}.png" for number in range(12)]


@pytest.fixture
def server(tmp_path: Path, face: np.ndarray) -> Iterator[Server]:
    root = tmp_path / "faces"
    for number, name in enumerate(NAMES):
        picture = np.full((60 + number, 90, 3), 20 * number, np.uint8)
        data = cv2.imencode(".png", picture)[1].tobytes()
        add_face(root, name.removesuffix(".png"), face + 100 + number, data)
    with serving(Edits(root, edits.in_folder(root), tmp_path / "p.csv")) as started:
        yield started


def ask(
    server: Server, path: str = "", body: Any = None, token: str | None = None, **headers: str
) -> tuple[int, HTTPMessage, bytes]:
    """As the page does, apart from these headers."""
    method, data = "GET", None
    if body is not None:
        method, data = "POST", body if isinstance(body, bytes) else json.dumps(body).encode()
    port = server.server_address[1]
    given = {"Host": f"127.0.0.1:{port}"}
    given |= {"Origin": f"http://127.0.0.1:{port}"} if method == "POST" else {}
    connection = HTTPConnection("127.0.0.1", port, timeout=30)
    try:
        address = f"/{server.token if token is None else token}/{path}"
        connection.request(method, address, data, given | headers)
        answer = connection.getresponse()
        return answer.status, answer.headers, answer.read()
    finally:
        connection.close()


def said(server: Server, path: str = "", body: Any = None, **headers: str) -> tuple[int, Any]:
    status, _, data = ask(server, path, body, **headers)
    return status, json.loads(data)


def test_the_page_loads_nothing_and_runs_only_its_own_script(server: Server) -> None:
    status, headers, data = ask(server)
    page = data.decode()
    assert status == 200 and headers["Content-Type"] == "text/html; charset=utf-8"
    policy = headers["Content-Security-Policy"]
    assert policy.startswith("default-src 'none'; ") and "unsafe" not in policy
    assert f"script-src 'nonce-{server.nonce}'; style-src 'nonce-{server.nonce}'" in policy
    assert page.count(f'nonce="{server.nonce}"') == 2 and "{nonce}" not in page
    assert re.findall(r"https?://[\w./]+", page) == ["http://www.w3.org/2000/svg"]  # a name only
    assert headers["Cache-Control"] == "no-store" and headers["Referrer-Policy"] == "no-referrer"


def test_a_face_comes_with_its_scheme_and_its_picture(server: Server, face: np.ndarray) -> None:
    status, state = said(server, "state")
    assert status == 200 and state["images"] == NAMES and state["changed"] == []
    status, label = said(server, "face/2")
    assert status == 200 and label["points"] == label["original"] == (face + 102).tolist()
    assert label["expected"] == [] and len(label["scheme"]["lines"]) == 9
    assert label["scheme"]["mirror"][36] == 45 and label["scheme"]["regions"]["jaw"][0] == 0
    status, headers, data = ask(server, "image/2")
    assert status == 200 and headers["Content-Type"] == "image/png"
    picture = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR)
    assert picture is not None and picture.shape == (62, 90, 3) and (picture == 40).all()


def test_a_change_is_in_the_patch_when_it_is_answered(server: Server, face: np.ndarray) -> None:
    points = (face + 130.25).tolist()
    assert said(server, "face/3", points) == (200, {"changed": True, "count": 1})
    [(image, patched)] = patches.read([server.edits.out]).items()
    assert image == NAMES[3] and patched.points.tolist() == points
    assert said(server, "face/3")[1]["points"] == points
    state = said(server, "state")[1]
    assert (state["changed"], state["count"], state["start"]) == ([3], 1, 3)
    original = said(server, "face/3")[1]["original"]
    assert said(server, "face/3", original) == (200, {"changed": False, "count": 0})
    assert not server.edits.out.exists()


def test_changes_at_the_same_time_are_all_kept(server: Server, face: np.ndarray) -> None:
    def change(number: int) -> int:
        return said(server, f"face/{number % 12}", (face + 100 + number + 0.5).tolist())[0]

    with ThreadPoolExecutor(12) as clients:
        assert set(clients.map(change, range(48))) == {200}
    patched = patches.read([server.edits.out])
    assert list(patched) == NAMES
    for number, image in enumerate(NAMES):
        offset = (patched[image].points - face)[0, 0] - 100.5
        assert offset % 12 == number and offset < 48


@pytest.mark.parametrize("token", ["", "x", "x" * 32])
def test_another_token_is_refused(server: Server, face: np.ndarray, token: str) -> None:
    for path, body in (("", None), ("state", None), ("image/0", None), ("face/0", face.tolist())):
        status, _, data = ask(server, path, body, token=token)
        assert status == 403 and "another token" in json.loads(data)["error"]
    assert server.edits.count == 0


@pytest.mark.parametrize(
    "headers",
    [
        {"Host": "evil.example"},
        {"Host": "evil.example:80", "Origin": "http://evil.example:80"},
        {"Host": "127.0.0.1.evil.example"},
        {"Origin": "http://evil.example"},
        {"Origin": "null"},
    ],
)
def test_other_pages_are_refused(server: Server, face: np.ndarray, headers: dict[str, str]) -> None:
    """Also one whose name leads to this machine, and that knows the token."""
    status, answer = said(server, "face/0", (face + 130).tolist(), **headers)
    assert status == 403 and "expected the " in answer["error"]
    assert said(server, "state", **headers)[0] == 403
    assert server.edits.count == 0


def test_a_change_must_say_where_it_comes_from(server: Server) -> None:
    with_token = f"/{server.token}/face/0"
    connection = HTTPConnection("127.0.0.1", server.server_address[1], timeout=30)
    connection.request("POST", with_token, b"[]")
    assert connection.getresponse().status == 403
    connection.close()


def test_a_tunnel_may_have_another_port(server: Server) -> None:
    assert ask(server, Host="localhost:9000")[0] == 200


@pytest.mark.parametrize(
    "path",
    [
        *(
            "x",
            "face",
            "face/",
            "face/12",
            "face/-1",
            "face/1/",
            "image/1.png",
            "image/00000000000",
        ),
        *("../etc/passwd", "image/../../etc/passwd", "image/%2e%2e/x", "state/0", "/", "?a"),
    ],
)
def test_nothing_else_is_there(server: Server, path: str) -> None:
    assert said(server, path) == (404, {"error": "no such page"})


def test_a_request_has_a_limit(server: Server, face: np.ndarray) -> None:
    status, answer = said(server, "face/0", b"", **{"Content-Length": str(MOST_BYTES + 1)})
    assert status == 413 and answer["error"].endswith("expected 262,144 at most")
    assert said(server, "face/0", b"", **{"Content-Length": "x"})[0] == 411
    assert len(json.dumps([[-1234567.123456789] * 2] * 999)) < MOST_BYTES


@pytest.mark.parametrize(
    ("body", "status", "words"),
    [
        (b"", 400, "not JSON"),
        (b"\xff\xfe", 400, "not JSON"),
        (b"[" * 100_000, 400, "not JSON"),
        (b"[[1, NaN]]", 422, "expected 68 points of two numbers"),
        (b"[[1, 2]]", 422, "expected 68 points of two numbers"),
    ],
)
def test_what_are_no_points_is_refused(
    server: Server, body: bytes, status: int, words: str
) -> None:
    found, answer = said(server, "face/0", body)
    assert found == status and words in answer["error"]
    assert said(server, "face/0")[0] == 200 and not server.edits.out.exists()


def test_files_that_cannot_be_read_are_named_and_the_others_go_on(server: Server) -> None:
    add(server.edits.root, NAMES[0], b"no picture")
    status, answer = said(server, "image/0")
    assert status == 422 and answer["error"].endswith(f"{NAMES[0]}: not a picture that can be read")
    add(server.edits.root, "300W/train/01.pts", "version: 1\n{\n1 x\n}\n")
    status, answer = said(server, "face/1")
    assert status == 422 and "01.pts:3: '1 x', expected a point's two numbers" in answer["error"]
    assert said(server, "face/2")[0] == ask(server, "image/2")[0] == 200


@pytest.mark.skipif(os.name == "nt", reason="files have no limits there")
def test_a_full_disk_is_said_and_the_change_can_be_sent_again(
    server: Server, face: np.ndarray
) -> None:
    points = (face + 130).tolist()
    with smallest_files():
        status, answer = said(server, "face/0", points)
    assert status == 500 and answer["error"] == f"{server.edits.out}: File too large"
    assert server.edits.count == 0 and not server.edits.out.exists()
    assert said(server, "face/0", points) == (200, {"changed": True, "count": 1})


def test_a_port_that_is_taken(server: Server) -> None:
    port = server.server_address[1]
    with pytest.raises(ConfigError, match=f"--port {port}: Address already in use"):
        Server(server.edits, port)
