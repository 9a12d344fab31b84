"""What all commands have in common: help, options and exit statuses."""

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import onnxruntime
import pytest

from facealign.cli.main import COMMANDS
from facealign.inference import providers
from tests.cli.running import run

NAMES = sorted(command.__name__.rpartition(".")[2] for command in COMMANDS)
FACES = [  # of each command that detects faces
    ["align", "ALBUM", "--out", "out"],
    ["bench"],
    ["compare", "ALBUM", "ALBUM"],
    ["embed", "ALBUM"],
    ["evaluate", "ALBUM"],
    ["predict", "ALBUM"],
    ["serve", "--port", "0"],
    ["show", "ALBUM"],
    ["video", "CLIP"],
    ["webcam", "--camera", "CLIP"],
]


def start(*words: object, **variables: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "facealign", *map(str, words)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=os.environ | variables,
        # a shell's background job, which this may be, ignores it, and so would the command
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    )


def test_help_imports_nothing_heavy() -> None:
    command = [sys.executable, "-X", "importtime", "-m", "facealign", "--help"]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    for name in NAMES:
        assert f"\n    {name} " in done.stdout
    imported = {line.rsplit("|", 1)[-1].strip() for line in done.stderr.splitlines()}
    assert not imported & {"torch", "numpy", "cv2", "onnxruntime", "dlib", "tqdm", "yaml"}


def test_all_commands_but_four_detect_faces() -> None:
    others = {"dataset", "export", "labels", "score"}
    assert [words[0] for words in FACES] == [name for name in NAMES if name not in others]


@pytest.mark.parametrize("words", FACES, ids=lambda words: words[0])
def test_a_command_takes_detector_and_device(
    words: list[str], album: Path, clip: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    places = {"ALBUM": album, "CLIP": clip}
    given = [places.get(word, word) for word in words]
    said = run(capsys, *given, "--detector", "dlip")[0]
    assert said == "error: unknown detector 'dlip', did you mean dlib? Valid: fast, dlib"
    said = run(capsys, *given, "--device", "tpu")[0]
    assert said == "error: device: 'tpu', expected auto, cpu, cuda, cuda:N, coreml or openvino"
    if "CUDAExecutionProvider" not in onnxruntime.get_available_providers():
        said = run(capsys, *given, "--device", "cuda")[0]
        assert "device cuda: the installed onnxruntime offers only " in str(said)


def test_auto_says_which_device_it_took(album: Path, capsys: pytest.CaptureFixture[str]) -> None:
    _, by_auto, said = run(capsys, "predict", album, "--device", "auto")
    taken = providers.offered()[0]
    assert said.splitlines()[0] == f"device: {taken}"
    _, same, without = run(capsys, "predict", album, "--device", taken)
    assert by_auto == same != "" and "device" not in without


def test_the_help_lists_the_devices(capsys: pytest.CaptureFixture[str]) -> None:
    text = " ".join(run(capsys, "predict", "--help")[1].split())
    assert all(device in text for device in ("auto", *providers.PROVIDERS))


def test_a_reader_that_closes_the_output_ends_the_command(album: Path) -> None:
    process = start("predict", album)
    assert process.stdout and process.stderr
    process.stdout.close()
    process.stderr.read()
    process.stderr.close()
    assert process.wait() == 141


def test_a_closed_or_full_output_is_an_error(album: Path) -> None:
    for redirection, problem in ((">&-", "not writable"), ("> /dev/full", "No space left")):
        command = f"exec {sys.executable} -m facealign predict '{album}/nobody.png' {redirection}"
        done = subprocess.run(command, shell=True, capture_output=True, text=True, check=False)
        assert done.returncode == 1
        assert done.stderr.splitlines()[-1].startswith("error: output: ")
        assert problem in done.stderr and "Exception" not in done.stderr


def test_names_that_are_not_utf8_are_printed(album: Path, tmp_path: Path) -> None:
    picture = tmp_path / os.fsdecode(b"\xff\xfe.png")
    shutil.copy(album / "below" / "Эйлин К.png", picture)
    for form in ("json", "csv"):
        done = subprocess.run(
            [sys.executable, "-m", "facealign", "predict", str(picture), "--format", form],
            capture_output=True,
            check=True,
            env=os.environ | {"LC_ALL": "C", "PYTHONUTF8": "0"},
        )
        if form == "json":
            assert json.loads(done.stdout)["image"] == str(picture)
        else:
            assert b"\\udcff\\udcfe.png,1," in done.stdout


def test_sigterm_ends_a_command_quietly_and_keeps_the_finished_results(
    album: Path, tmp_path: Path
) -> None:
    pictures, out = tmp_path / "pictures", tmp_path / "out"
    pictures.mkdir()
    for number in range(60):
        shutil.copy(album / "both.png", pictures / f"{number}.png")
    process = start("predict", pictures, "--out", out, FACEALIGN_WORKERS="2")
    while not list(out.glob("*.json")):
        assert process.poll() is None
        time.sleep(0.05)
    process.terminate()
    _, err = process.communicate(timeout=30)
    assert process.returncode == 143
    assert "Traceback" not in err and "rror" not in err
    written = [path.name for path in out.iterdir()]
    assert 0 < len(written) < 60 and all(name.endswith(".json") for name in written)


def test_an_interrupted_command_says_nothing_more() -> None:
    process = start("bench", "--faces", 4, "--pictures", 4)
    assert process.stdout and process.stderr
    assert "few faces or images" in process.stderr.readline()
    process.send_signal(signal.SIGINT)
    _, err = process.communicate()
    assert process.returncode == 130
    assert "Traceback" not in err


def test_a_folder_that_cannot_be_written_is_named(
    album: Path, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    (tmp_path / "file").write_text("no folder", encoding="utf-8")
    out = tmp_path / "file" / "out"
    said = run(capsys, "predict", album / "both.png", "--out", out)[0]
    assert said == f"error: {out}: Not a directory"
