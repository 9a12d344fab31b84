"""`facealign dataset`."""

from pathlib import Path

import pytest

from tests.cli.running import run
from tests.data.archives import PICTURE
from tests.data.test_celeba import LISTS


def test_a_folder_of_a_release_becomes_a_data_set(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    source = tmp_path / "downloads"
    (source / "img_celeba").mkdir(parents=True)
    for number in (1, 2, 3):
        (source / "img_celeba" / f"00000{number}.jpg").write_bytes(PICTURE)
    for name, text in LISTS.items():
        (source / name).write_text(text)
    out = tmp_path / "faces"
    status, _, _ = run(capsys, "evaluate", source, "--model", "small")
    assert str(status).endswith(f"first: facealign dataset {source} OUT")
    status, said, _ = run(capsys, "dataset", source, out)
    assert status == 0
    assert said.splitlines() == [
        f"{out}/celeba/test: 1 images",
        f"{out}/celeba/train: 2 images",
    ]
    assert (source / "img_celeba" / "000001.jpg").read_bytes() == PICTURE
    status, _, _ = run(capsys, "dataset", source, out)
    assert status == f"error: {out}: not empty, expected an empty or a new folder"


def test_what_is_no_data_set_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "photos").mkdir()
    status, _, _ = run(capsys, "dataset", tmp_path / "photos", tmp_path / "out")
    assert str(status).startswith(f"error: {tmp_path}/photos: the layout of none of WFLW, ")
    assert not (tmp_path / "out").exists()
