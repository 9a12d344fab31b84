"""`facealign predict --parts`: any number of pictures, in numbered files and a manifest."""

import csv
import io
import json
import os
import shutil
import signal
import subprocess
import sys
import tarfile
import time
import tracemalloc
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from pyarrow import parquet

from facealign.core.files import sha256
from facealign.inference.listing import list_pictures
from tests.cli.running import run

MODEL = ("--model", "small")


def manifest(out: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (out / "manifest.jsonl").read_text("utf-8").splitlines()]


def lines(out: Path) -> list[dict[str, Any]]:
    files = sorted(out.glob("landmarks-*.jsonl"))
    return [json.loads(line) for file in files for line in file.read_text("utf-8").splitlines()]


def contents(out: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in sorted(out.iterdir())}


@pytest.fixture
def finished(album: Path, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> Path:
    out = tmp_path / "finished"
    status, said, err = run(capsys, "predict", album, *MODEL, "--parts", 2, "--out", out)
    assert (status, said) == (1, "")
    assert f"4 images, 3 faces, 1 images without a face, 1 failed: {out / 'manifest.jsonl'}" in err
    return out


def test_the_files_have_what_predict_prints(
    album: Path, finished: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    _, printed, _ = run(capsys, "predict", album, *MODEL)
    assert lines(finished) == [json.loads(line) for line in printed.splitlines()]


def test_the_manifest_lists_the_files_and_what_cannot_be_read(album: Path, finished: Path) -> None:
    head, first, second, last = manifest(finished)
    assert head["format"] == "json" and head["parts"] == 2 and head["detector"] == "fast"
    assert len(head["model_sha256"]) == 64
    for part in (first, second):
        assert part["sha256"] == sha256(finished / part["part"]) and part["images"] == 2
    errors = first["errors"] | second["errors"]
    bad = str(album / "text.jpg")
    assert list(errors) == [bad] and "not a picture that can be read" in errors[bad]
    sums = {"images": 4, "faces": 3, "without_face": 1, "failed": 1}
    assert last == {"complete": True, "files": 2} | sums


def test_a_finished_run_is_not_done_again(
    album: Path, finished: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    command = ("predict", album, *MODEL, "--parts", 2, "--out", finished)
    before = contents(finished)
    status, _, _ = run(capsys, *command)
    assert "manifest.jsonl is there already: add --resume, or name another folder" in str(status)
    started = time.monotonic()
    assert run(capsys, *command, "--resume")[0] == 1
    assert contents(finished) == before and time.monotonic() - started < 5


def test_other_options_or_other_images_do_not_resume(
    album: Path, finished: Path, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    command = ("predict", album, *MODEL, "--out", finished, "--resume")
    for options, words in (
        (("--parts", 3), "its parts is 2, not 3"),
        (("--parts", 2, "--min-size", 50), "its min_size is 0.0, not 50.0"),
        (("--parts", 2, "--format", "csv"), "its format is 'json', not 'csv'"),
    ):
        assert words in str(run(capsys, *command, *options)[0])
    undo_the_last(finished)
    other = shutil.copytree(album, tmp_path / "other")
    moved = run(capsys, "predict", other, *MODEL, "--parts", 2, "--out", finished, "--resume")
    assert "the images are not those of the earlier run, which began with" in str(moved[0])


def undo_the_last(out: Path) -> None:
    """As if the run had been killed while it wrote the line of the second file."""
    kept = (out / "manifest.jsonl").read_bytes().splitlines(keepends=True)
    (out / "manifest.jsonl").write_bytes(b"".join(kept[:2]) + kept[2][:30])


def test_a_run_that_was_stopped_goes_on(
    album: Path, finished: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    before = contents(finished)
    undo_the_last(finished)
    first = finished / "landmarks-000000.jsonl"
    written = first.stat().st_mtime_ns
    assert (
        run(capsys, "predict", album, *MODEL, "--parts", 2, "--out", finished, "--resume")[0] == 1
    )
    assert contents(finished) == before and first.stat().st_mtime_ns == written


@pytest.mark.slow
def test_a_run_that_is_killed_goes_on(album: Path, tmp_path: Path) -> None:
    pictures = tmp_path / "pictures"
    pictures.mkdir()
    for number in range(40):
        shutil.copy(album / "both.png", pictures / f"{number:02}.png")

    def command(out: str) -> list[str]:
        options = [str(pictures), *MODEL, "--parts", "4", "--resume", "--out", str(tmp_path / out)]
        return [sys.executable, "-m", "facealign", "predict", *options]

    subprocess.run(command("whole"), check=True, capture_output=True)
    running = subprocess.Popen(command("killed"), stderr=subprocess.DEVNULL)
    while not list((tmp_path / "killed").glob("landmarks-000001*")):
        time.sleep(0.01)
    running.send_signal(signal.SIGKILL)
    running.wait()
    assert "complete" not in manifest(tmp_path / "killed")[-1]
    subprocess.run(command("killed"), check=True, capture_output=True)
    of_whole, of_killed = (contents(tmp_path / name) for name in ("whole", "killed"))
    assert {name: of_killed[name] for name in of_whole} == of_whole


def test_tables_have_the_same_values(
    album: Path, finished: Path, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    tables: dict[str, list[list[str]]] = {}
    for form in ("csv", "parquet"):
        out = tmp_path / form
        run(capsys, "predict", album, *MODEL, "--parts", 9, "--format", form, "--out", out)
        file = out / f"landmarks-000000.{form}"
        if form == "csv":
            tables[form] = list(csv.reader(file.read_text("utf-8").splitlines()))
        else:
            table = parquet.read_table(file)
            columns = [column.to_pylist() for column in table.columns]
            tables[form] = [table.column_names, *map(list, zip(*columns, strict=True))]
    assert tables["csv"][0] == tables["parquet"][0]
    assert len(tables["csv"]) == len(tables["parquet"]) == 4
    for one, other in zip(tables["csv"][1:], tables["parquet"][1:], strict=True):
        assert one[0] == other[0]
        np.testing.assert_allclose(np.array(one[1:], float), np.array(other[1:], float))


def in_tar(album: Path, path: Path) -> Path:
    with tarfile.open(path, "w") as tar:
        for file in sorted(album.rglob("*.*")):
            tar.add(file, str(file.relative_to(album)))
    return path


def test_pictures_of_tar_files_lists_and_stores_are_the_same(
    album: Path,
    finished: Path,
    capsys: pytest.CaptureFixture[str],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    tar = in_tar(album, tmp_path / "shard.tar")
    listed = tmp_path / "list.txt"
    listed.write_text(f"{album / 'both.png'}\n{album / 'nobody.png'}\n", "utf-8")
    monkeypatch.setattr("sys.stdin", io.StringIO(f"{album / 'both.png'}\n"))
    expected = {Path(line["image"]).name: line["faces"] for line in lines(finished)}
    sources: list[tuple[tuple[object, ...], int]] = [
        ((tar,), 4),
        ((f"file://{tar}",), 4),
        ((f"file://{album}",), 4),
        ((f"file://{album}/*.png",), 2),
        (("--list", listed), 2),
        (("--list", "-"), 1),
    ]
    for number, (source, images) in enumerate(sources):
        out = tmp_path / f"out{number}"
        run(capsys, "predict", *source, *MODEL, "--parts", 9, "--out", out)
        assert manifest(out)[-1]["images"] == images, source
        for line in lines(out):
            assert line["faces"] == expected[Path(line["image"]).name], source


def test_what_cannot_be_listed_is_in_the_manifest(
    album: Path, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    (tmp_path / "broken.tar").write_bytes(b"x" * 2000)
    cut = in_tar(album, tmp_path / "cut.tar")
    os.truncate(cut, 2000)
    (tmp_path / "empty").mkdir()
    names = ["broken.tar", "cut.tar", "empty", "none.jpg", "a.tgz", "file:///nowhere"]
    sources = [name if "://" in name else tmp_path / name for name in names]
    out = tmp_path / "out"
    assert run(capsys, "predict", *sources, *MODEL, "--parts", 9, "--out", out)[0] == 1
    part = manifest(out)[1]
    errors = part["errors"]
    assert len(errors) == part["failed"] == part["images"] - len(lines(out))
    for name in names:
        assert any(name in error for error in errors.values()), (name, errors)


def test_a_folder_that_cannot_be_read_ends_nothing(
    album: Path, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    photos = shutil.copytree(album, tmp_path / "photos")
    for name in ("a.HEIC", "b.heic", "c.gif", "._c.gif"):
        (photos / name).touch()
    folder = os.open(photos, os.O_RDONLY)
    for _ in range(20):  # its path is longer than allowed, also for root
        os.mkdir("deep" * 60, dir_fd=folder)
        below = os.open("deep" * 60, os.O_RDONLY, dir_fd=folder)
        os.close(folder)
        folder = below
    os.close(folder)
    out = tmp_path / "out"
    for more in (("--format", "csv"), ("--parts", 9, "--out", out)):
        status, _, err = run(capsys, "predict", photos, *MODEL, *more)
        assert status == 1 and f"error: {photos}/deepdeep" in err and "name too long" in err
        assert "skipped: 2 .heic, 1 .gif\n" in err
    part = manifest(out)[1]
    assert (part["images"], part["faces"], part["failed"]) == (5, 3, 2)
    assert [error for name, error in part["errors"].items() if "deepdeep" in name] == [
        line.removeprefix("error: ") for line in err.splitlines() if line.startswith("error: ")
    ]
    listed = tmp_path / "list.txt"
    listed.write_text("x" * 300 + f"\n{album / 'both.png'}\n", "utf-8")
    assert [bool(each.error) for each in list_pictures([], [listed])] == [True, False]


def test_pictures_are_listed_as_they_are_needed(tmp_path: Path) -> None:
    folder = tmp_path / "many"
    folder.mkdir()
    for number in range(2000):
        (folder / f"{number:04}.jpg").touch()
    (tmp_path / "list.txt").write_text("".join(f"{folder}\n" for _ in range(10_000)))
    started = time.monotonic()
    pictures = list_pictures([], [tmp_path / "list.txt"])
    assert next(pictures).name == str(folder / "0000.jpg")
    assert time.monotonic() - started < 2


def test_a_part_is_written_before_the_list_ends(album: Path, tmp_path: Path) -> None:
    """The command cannot see more of the list than was written to it."""
    options = [*MODEL, "--parts", "2", "--list", "-", "--out", str(tmp_path)]
    command = [sys.executable, "-m", "facealign", "predict", *options]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    ) as running:
        assert running.stdin
        print(f"{album / 'both.png'}\n" * 2, file=running.stdin, flush=True)
        while not (tmp_path / "landmarks-000000.jsonl").exists():
            assert running.poll() is None
            time.sleep(0.01)
        print(album / "nobody.png", file=running.stdin)
    assert running.returncode == 0 and manifest(tmp_path)[-1]["images"] == 3


def test_the_list_of_a_tar_file_takes_the_same_memory_for_any_number(tmp_path: Path) -> None:
    with tarfile.open(tmp_path / "many.tar", "w") as tar:
        for number in range(5000):
            tar.addfile(tarfile.TarInfo(f"{number}.jpg"))
    tracemalloc.start()
    assert sum(1 for _ in list_pictures([str(tmp_path / "many.tar")])) == 5000
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 500_000


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ((), "expected a PATH"),
        (("x.jpg", "--resume"), "--resume is for many images: add --parts N"),
        (("x.jpg", "--format", "parquet"), "--format parquet is for many images"),
        (("--list", "x.txt"), "--list is for many images"),
        (("x.jpg", "--parts", "2"), "--parts writes files to a folder: name it with --out"),
        (("--parts", "2", "--out", "o"), "expected a path, or a list of paths with --list"),
        (("x.jpg", "--parts", "2", "--out", "o", "--format", "pts"), "expected one of json, csv"),
        (("x.jpg", "--out", "s3://b/o"), "--out s3://b/o is for many images: add --parts N"),
        (("--list", "x.txt", "--parts", "2", "--out", "o"), "x.txt: no such file, expected a list"),
        (("nope://x", "--parts", "2", "--out", "o"), "nope://x: Protocol not known"),
    ],
)
def test_options_that_do_not_go_together(
    options: tuple[str, ...],
    words: str,
    capsys: pytest.CaptureFixture[str],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(tmp_path)
    assert words in str(run(capsys, "predict", *options)[0])
