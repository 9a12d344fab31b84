"""`facealign predict --parts` with a real S3 server: it lists, reads and writes there."""

import os
import signal
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import fsspec
import pytest
from fsspec.implementations.memory import MemoryFileSystem
from moto.server import ThreadedMotoServer
from s3fs import S3FileSystem

from facealign.core.errors import ImageError
from facealign.inference.listing import list_pictures
from tests.cli.running import run
from tests.cli.test_parts import MODEL, contents, in_tar, manifest

ACCOUNT = {
    "AWS_ACCESS_KEY_ID": "tests",
    "AWS_SECRET_ACCESS_KEY": "tests",
    "AWS_DEFAULT_REGION": "us-east-1",
    "AWS_EC2_METADATA_DISABLED": "true",
}


@pytest.fixture(scope="module")
def store(album: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[S3FileSystem]:
    """With the album in s3://faces/album, and in a tar file in s3://faces/shards."""
    server = ThreadedMotoServer("127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    with pytest.MonkeyPatch.context() as patch:
        for name, value in (ACCOUNT | {"AWS_ENDPOINT_URL": f"http://{host}:{port}"}).items():
            patch.setenv(name, value)
        S3FileSystem.clear_instance_cache()
        store = S3FileSystem()
        store.mkdir("faces")
        store.put(str(album), "faces/album", recursive=True)
        shard = in_tar(album, tmp_path_factory.mktemp("shards") / "0.tar")
        store.put(str(shard), "faces/shards/0.tar")
        yield store
        S3FileSystem.clear_instance_cache()
    server.stop()


def objects(store: S3FileSystem, folder: str) -> dict[str, bytes]:
    store.invalidate_cache()
    return {path.rpartition("/")[2]: store.cat_file(path) for path in store.ls(folder)}


@pytest.mark.parametrize("form", ["json", "csv", "parquet"])
@pytest.mark.parametrize("source", ["album", "album/*.png", "shards/*.tar"])
def test_results_are_the_same_bytes_in_a_store_and_in_a_folder(
    source: str, form: str, store: S3FileSystem, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    command = ("predict", f"s3://faces/{source}", *MODEL, "--parts", 3, "--format", form, "--out")
    away = f"faces/out/{source.replace('*', '-')}/{form}"
    local = run(capsys, *command, tmp_path)[0]
    status, _, err = run(capsys, *command, f"s3://{away}")
    assert status == local and f"failed: s3://{away}/manifest.jsonl" in err
    assert objects(store, away) == contents(tmp_path)
    images = {"album": 4, "album/*.png": 2, "shards/*.tar": 4}[source]
    assert manifest(tmp_path)[-1]["images"] == images


@pytest.mark.slow
def test_pictures_are_listed_as_they_are_needed(store: S3FileSystem) -> None:
    """S3 lists a thousand at a time, and what is added behind these while they are read is seen."""
    store.pipe({f"faces/many/{number:04}.jpg": b"" for number in range(1100)})
    pictures = list_pictures(["s3://faces/many"])
    assert next(pictures).name == "s3://faces/many/0000.jpg"
    store.pipe_file("faces/many/9999.jpg", b"")
    rest = [picture.name for picture in pictures]
    assert len(rest) == 1100 and rest[-1] == "s3://faces/many/9999.jpg"


def test_a_list_of_urls_is_read_without_a_request_for_each(
    store: S3FileSystem, tmp_path: Path
) -> None:
    (tmp_path / "list").write_text("s3://nowhere/a.jpg\ns3://faces/shards/0.tar\n", "utf-8")
    missing, *others = list_pictures([], [tmp_path / "list"])
    assert missing.error == "" and len(others) == 4
    with pytest.raises(ImageError, match=r"s3://nowhere/a\.jpg: "):
        missing.read()


def test_what_is_below_a_folder_is_listed_once(store: S3FileSystem, album: Path) -> None:
    for place in ("s3://faces/album", album):
        below, *others = (picture.name for picture in list_pictures([f"{place}/**/*.png"]))
        assert below == f"{place}/below/Эйлин К.png" and len(others) == 2
        names = [picture.name for picture in list_pictures([f"{place}/**"])]
        assert len(names) == len(set(names)) and below in names


def test_a_run_that_was_stopped_goes_on(
    store: S3FileSystem, capsys: pytest.CaptureFixture[str]
) -> None:
    command = ("predict", "s3://faces/album", *MODEL, "--parts", 2, "--out", "s3://faces/stopped/")
    assert run(capsys, *command)[0] == 1
    whole = objects(store, "faces/stopped")
    assert len(whole) == 3 and "s3://faces/album/text.jpg: not a picture" in str(whole)
    assert "s3://faces/stopped/manifest.jsonl is there already" in str(run(capsys, *command)[0])
    lines = whole["manifest.jsonl"].splitlines(keepends=True)
    store.pipe_file("faces/stopped/manifest.jsonl", b"".join(lines[:2]))
    store.rm("faces/stopped/landmarks-000001.jsonl")
    first = store.info("faces/stopped/landmarks-000000.jsonl", refresh=True)["LastModified"]
    assert run(capsys, *command, "--resume")[0] == 1
    assert objects(store, "faces/stopped") == whole
    written = {one["name"]: one["LastModified"] for one in store.ls("faces/stopped", detail=True)}
    assert written["faces/stopped/landmarks-000000.jsonl"] == first
    time.sleep(1)  # S3's times are in whole seconds
    assert run(capsys, *command, "--resume")[0] == 1
    again = store.ls("faces/stopped", detail=True, refresh=True)
    assert {one["name"]: one["LastModified"] for one in again} == written


@pytest.mark.slow
def test_a_run_that_is_killed_goes_on(album: Path, store: S3FileSystem) -> None:
    store.pipe({f"faces/forty/{n:02}.png": (album / "both.png").read_bytes() for n in range(40)})

    def command(out: str) -> list[str]:
        options = [*MODEL, "--parts", "4", "--resume", "--out", f"s3://faces/{out}"]
        return [sys.executable, "-m", "facealign", "predict", "s3://faces/forty", *options]

    subprocess.run(command("whole"), check=True, capture_output=True)
    running = subprocess.Popen(command("killed"), stderr=subprocess.DEVNULL)
    while not store.exists("faces/killed/landmarks-000001.jsonl"):
        store.invalidate_cache()
        time.sleep(0.01)
    running.send_signal(signal.SIGKILL)
    running.wait()
    assert b"complete" not in objects(store, "faces/killed")["manifest.jsonl"]
    subprocess.run(command("killed"), check=True, capture_output=True)
    assert objects(store, "faces/killed") == objects(store, "faces/whole")


def test_what_is_missing_is_in_the_manifest_and_what_is_refused_ends_the_command(
    store: S3FileSystem,
    capsys: pytest.CaptureFixture[str],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    missing = ("s3://faces/none.jpg", "s3://faces/none/*.jpg", "s3://faces/none.tar")
    assert run(capsys, "predict", *missing, *MODEL, "--parts", 9, "--out", tmp_path / "a")[0] == 1
    assert list(manifest(tmp_path / "a")[1]["errors"]) == list(missing)
    command = ("predict", "s3://faces/album", *MODEL)
    said = str(run(capsys, *command, "--parts", 9, "--out", "s3://nowhere/out")[0])
    assert said.startswith("error: s3://nowhere/out/manifest.jsonl: ") and "bucket" in said
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.delenv(name)
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "none"))
    S3FileSystem.clear_instance_cache()
    said = str(run(capsys, *command, "--parts", 9, "--out", tmp_path / "b")[0])
    S3FileSystem.clear_instance_cache()
    assert said.startswith("error: s3://faces/album: ") and "redentials" in said
    assert len(manifest(tmp_path / "b")) == 1


def test_what_a_store_refuses_is_in_the_manifest(
    store: S3FileSystem, album: Path, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    picture = (album / "both.png").read_bytes()
    store.pipe_file("faces/years/2020.png", picture)
    for year in range(2021, 2026):
        store.pipe_file(f"faces/years/{year}.png", picture, StorageClass="GLACIER")
    command = ("predict", "s3://faces/years", *MODEL, "--parts", 2, "--out", tmp_path)
    status, _, err = run(capsys, *command)
    assert status == 1 and "6 images, 2 faces, 0 images without a face, 5 failed" in err
    _, first, _, last, _ = manifest(tmp_path)
    assert "s3://faces/years/2021.png: " in first["errors"]["s3://faces/years/2021.png"]
    assert len(last["errors"]) == 2
    lines = (tmp_path / "manifest.jsonl").read_bytes().splitlines(keepends=True)
    (tmp_path / "manifest.jsonl").write_bytes(b"".join(lines[:3]))  # no other picture is read
    assert run(capsys, *command, "--resume")[0] == 1
    assert manifest(tmp_path)[-1]["failed"] == 5


def check_credentials(after: str) -> None:
    """Let the server refuse unknown accounts after so many requests."""
    url, kind = f"{os.environ['AWS_ENDPOINT_URL']}/moto-api/reset-auth", "text/plain"
    request = urllib.request.Request(url, after.encode(), {"Content-Type": kind})
    urllib.request.urlopen(request).close()


def test_wrong_credentials_end_the_command(
    store: S3FileSystem, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    (tmp_path / "list").write_text(
        "".join(f"s3://faces/album/{name}.png\n" for name in ("both", "nobody", "both")), "utf-8"
    )
    command = ("predict", *MODEL, "--parts", 2)
    listed = (*command, "--list", tmp_path / "list", "--out", tmp_path / "out")
    assert run(capsys, *listed)[0] == 0
    lines = (tmp_path / "out" / "manifest.jsonl").read_bytes().splitlines(keepends=True)
    (tmp_path / "out" / "manifest.jsonl").write_bytes(b"".join(lines[:2]))
    check_credentials("0")
    try:
        for place in ("s3://faces/album", "s3://faces/album/both.png", "s3://faces/shards/0.tar"):
            said = str(run(capsys, *command, place, "--out", tmp_path / "none")[0])
            assert said.startswith(f"error: {place}: ") and "check the credentials" in said
            assert len(manifest(tmp_path / "none")) == 1
            (tmp_path / "none" / "manifest.jsonl").unlink()
        said = str(run(capsys, *listed, "--resume")[0])
        assert "s3://faces/album/nobody.png, which was read before, is refused now, too" in said
        assert len(manifest(tmp_path / "out")) == 2
        said = str(run(capsys, *command, "x.png", "--out", "s3://faces/refused")[0])
        assert said.startswith("error: s3://faces/refused/manifest.jsonl: ")
    finally:
        check_credentials("inf")
    assert run(capsys, *listed, "--resume")[0] == 0


class Guarded(MemoryFileSystem):  # type: ignore[misc]  # fsspec has no types
    """A store with a folder that nobody may list."""

    protocol = "guarded"
    store: dict[str, Any] = {}  # noqa: RUF012  # as in the base class
    pseudo_dirs = [""]  # noqa: RUF012

    @classmethod
    def _strip_protocol(cls, path: str) -> str:
        return str(super()._strip_protocol(path.replace("guarded:", "memory:")))

    def ls(self, path: str, detail: bool = True, **more: Any) -> Any:
        if path.endswith("lost+found"):
            raise OSError("Forbidden: it")
        return super().ls(path, detail, **more)


def test_a_folder_that_a_store_refuses_ends_nothing(
    album: Path, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    fsspec.register_implementation("guarded", Guarded, clobber=True)
    guarded = fsspec.filesystem("guarded")
    for name in ("a.png", "lost+found/b.png", "z.png", "z.heic"):
        guarded.pipe_file(f"/photos/{name}", (album / "both.png").read_bytes())
    command = ("predict", "guarded://photos", *MODEL, "--parts", 9, "--out", tmp_path)
    status, _, err = run(capsys, *command)
    assert status == 1 and "3 images, 4 faces, 0 images without a face, 1 failed" in err
    [(name, error)] = manifest(tmp_path)[1]["errors"].items()
    assert name.endswith("lost+found") and "Forbidden: it" in error
    assert f"error: {error}\n" in err and "skipped: 1 .heic\n" in err
