"""`facealign serve`: a real server, asked over HTTP."""

import json
import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from http.client import HTTPConnection
from pathlib import Path
from typing import Any

import psutil
import pytest

from tests.cli.running import run


class Server:
    def __init__(self, process: subprocess.Popen[str], port: int) -> None:
        self.process, self.port = process, port

    def ask(self, method: str, path: str, body: bytes = b"") -> tuple[int, str]:
        connection = HTTPConnection("127.0.0.1", self.port, timeout=60)
        try:
            connection.request(method, path, body)
            answer = connection.getresponse()
            return answer.status, answer.read().decode()
        finally:
            connection.close()

    def predict(self, body: bytes) -> tuple[int, dict[str, Any]]:
        status, text = self.ask("POST", "/predict", body)
        return status, json.loads(text)

    def metric(self, name: str) -> float:
        _, text = self.ask("GET", "/metrics")
        found = re.search(rf"^{re.escape(name)} (\S+)$", text, re.MULTILINE)
        return float(found[1]) if found else 0.0


@contextmanager
def serving(*options: str) -> Iterator[Server]:
    command = [sys.executable, "-m", "facealign", "serve", "--port", "0", "--model", "small"]
    process = subprocess.Popen(
        [*command, *options],
        env=os.environ | {"FACEALIGN_WORKERS": "1"},
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        assert process.stderr is not None
        for line in process.stderr:
            if found := re.search(r"running on http://127.0.0.1:(\d+)", line):
                yield Server(process, int(found[1]))
                break
        else:
            raise AssertionError("it did not start")
    finally:
        process.terminate()
        process.communicate(timeout=30)


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    with serving("--waiting", "4", "--megabytes", "1") as started:
        yield started


def test_the_answer_is_what_predict_prints(
    server: Server, album: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for name, faces in (("both.png", 2), ("nobody.png", 0)):
        _, printed, _ = run(capsys, "predict", album / name, "--model", "small")
        expected = json.loads(printed)
        expected.pop("image")
        status, answer = server.predict((album / name).read_bytes())
        assert (status, answer) == (200, expected) and len(answer["faces"]) == faces


@pytest.mark.parametrize(
    ("body", "status", "words"),
    [
        (b"", 400, "not a picture that can be read"),
        (b"nonsense", 400, "not a picture that can be read"),
        (b"\xff\xd8\xff" + bytes(500), 400, "the JPEG is cut short"),
        (bytes(1_000_001), 413, "the image has more than 1,000,000 bytes"),
    ],
)
def test_what_is_no_picture_is_refused(
    server: Server, body: bytes, status: int, words: str
) -> None:
    found, answer = server.predict(body)
    assert found == status and words in answer["error"]
    assert server.ask("GET", "/health")[0] == 200


def test_more_than_it_can_do_is_refused_at_once_and_nothing_is_lost(
    server: Server, album: Path
) -> None:
    body = (album / "both.png").read_bytes()
    before = server.metric("facealign_request_seconds_count")
    with ThreadPoolExecutor(40) as clients:
        answers = list(clients.map(server.predict, [body] * 200))
    statuses = Counter(status for status, _ in answers)
    assert set(statuses) == {200, 503} and statuses[200] >= 4
    for status, answer in answers:
        if status == 200:
            assert len(answer["faces"]) == 2
        else:
            assert answer["error"] == "4 images are waiting already: try again later"
    assert server.metric("facealign_request_seconds_count") == before + 200
    assert server.metric('facealign_requests_total{status="503"}') >= statuses[503]
    assert server.metric("facealign_in_flight") == 0


def test_a_process_that_is_killed_is_replaced(server: Server, album: Path) -> None:
    body = (album / "both.png").read_bytes()
    for child in psutil.Process(server.process.pid).children():
        if "spawn_main" in " ".join(child.cmdline()):
            child.kill()
    first, _ = server.predict(body)
    second, answer = server.predict(body)
    assert first in (200, 500) and second == 200 and len(answer["faces"]) == 2


def test_its_description_names_the_answers(server: Server) -> None:
    described = json.loads(server.ask("GET", "/openapi.json")[1])
    answers = described["paths"]["/predict"]["post"]["responses"]
    assert {"200", "400", "413", "503"} <= set(answers)
    assert server.ask("GET", "/docs")[0] == 404  # its page would load scripts from the web


def test_a_client_that_sends_nothing_keeps_nobody_waiting(server: Server, album: Path) -> None:
    with socket.create_connection(("127.0.0.1", server.port)) as slow:
        slow.sendall(b"POST /predict HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\n\r\n")
        time.sleep(0.2)
        assert server.predict((album / "nobody.png").read_bytes())[0] == 200
    deadline = time.monotonic() + 10
    while server.metric("facealign_in_flight") and time.monotonic() < deadline:
        time.sleep(0.05)
    assert server.metric("facealign_in_flight") == 0


def test_sigterm_ends_it_and_its_processes() -> None:
    with serving() as started:
        children = psutil.Process(started.process.pid).children(recursive=True)
        started.process.send_signal(signal.SIGTERM)
        started.process.wait(timeout=30)
        psutil.wait_procs(children, timeout=10)
        assert children and not any(child.is_running() for child in children)


@pytest.mark.parametrize("port", ["-1", "70000", "x"])
def test_a_port_that_cannot_be(port: str, capsys: pytest.CaptureFixture[str]) -> None:
    status, _, err = run(capsys, "serve", "--port", port)
    assert status == 2 and "expected an integer from 0 to 65535" in err
