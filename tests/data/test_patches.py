"""Patches of labels, and what the stage `filter` makes of them."""

import json
from pathlib import Path

import numpy as np
import pytest
import yaml

from facealign.core import images
from facealign.core.errors import AnnotationError, ConfigError, InputError
from facealign.core.faces import Faces
from facealign.data import patches
from facealign.data.filtering import filter_faces, summarise
from stages import filter as stage
from tests.data.test_filtering import add, add_face
from tests.helpers import PARAMS

TRAIN, TEST, PROFILE = "300W/train/a.png", "300W/test/b.png", "300W/train/profile.png"


@pytest.fixture
def root(tmp_path: Path, face: np.ndarray) -> Path:
    root = tmp_path / "faces"
    add_face(root, "300W/train/a", face + 120)
    add_face(root, "300W/train/profile", face[:39] + 120)
    add_face(root, "300W/test/b", face + 120)
    return root


def patch(folder: Path, name: str, **points: np.ndarray) -> Path:
    named = {"train": TRAIN, "test": TEST, "gone": "300W/train/gone.png", "profile": PROFILE}
    patches.write(folder / name, {named[key]: its for key, its in points.items()})
    return folder / name


def test_a_patch_reads_back_to_the_same_bits_and_is_sorted(
    tmp_path: Path, face: np.ndarray
) -> None:
    moved = face + 1 / 3
    path = patch(tmp_path, "p.csv", train=moved, test=face)
    lines = path.read_text(encoding="utf-8").splitlines()
    assert [line.split(",")[0] for line in lines] == ["image", TEST, TRAIN]
    found = patches.read([path])
    np.testing.assert_array_equal(found[TRAIN].points, moved)
    assert found[TRAIN].where == f"{path}:3"


def test_of_several_patches_the_last_one_counts(
    root: Path, tmp_path: Path, face: np.ndarray
) -> None:
    first = patch(tmp_path, "1.csv", train=face + 121, test=face + 122)
    second = patch(tmp_path, "2.csv", train=face + 123)
    patched = patches.read([first, second])
    faces, drops = filter_faces(root, ["300W"], patched=patched)
    assert faces.images == [TEST, TRAIN]
    np.testing.assert_array_equal(faces.points, [face + 122, face + 123])
    assert [drop.reason for drop in drops] == ["profile_39"]
    summary = summarise(faces, drops, patched)["300W"]
    assert {split: its["patched"] for split, its in summary.items()} == {"test": 1, "train": 1}
    assert "patched" not in summarise(faces, drops)["300W"]["train"]


def test_a_patch_mends_points_that_cannot_be_read(
    root: Path, tmp_path: Path, face: np.ndarray
) -> None:
    add(root, "300W/train/a.pts", "spoilt")
    patched = patches.read([patch(tmp_path, "p.csv", train=face + 120)])
    assert filter_faces(root, ["300W"], patched=patched)[0].images == [TEST, TRAIN]


def test_a_patch_of_a_data_set_that_is_not_used_does_nothing(
    root: Path, tmp_path: Path, face: np.ndarray
) -> None:
    add_face(root, "Menpo/train/c", face + 120)
    add_face(root, "Menpo/test/d", face + 120)
    patched = patches.read([patch(tmp_path, "p.csv", train=face + 121)])
    faces, drops = filter_faces(root, ["Menpo"], patched=patched)
    assert len(faces) == 2
    assert summarise(faces, drops, patched)["Menpo"]["train"]["patched"] == 0


def test_a_patch_of_an_image_that_is_held_back_does_nothing(
    root: Path, tmp_path: Path, face: np.ndarray
) -> None:
    add_face(root, "Menpo/train/c", face + 120)
    add_face(root, "Menpo/test/d", face + 120)
    patched = patches.read([patch(tmp_path, "p.csv", train=face + 121, test=face + 122)])
    faces, _ = filter_faces(root, ["300W", "Menpo"], {"300W"}, patched=patched)
    assert faces.images == [TEST, "Menpo/test/d.png", "Menpo/train/c.png"]
    np.testing.assert_array_equal(faces.points[0], face + 122)


def test_an_image_without_a_label_of_its_own_cannot_be_patched(
    root: Path, tmp_path: Path, face: np.ndarray
) -> None:
    patched = patches.read([patch(tmp_path, "p.csv", train=face + 121)])
    (root / "300W/train/a.pts").unlink()
    said = r"p.csv:2: '300W/train/a.png' has no label to correct: no_points"
    with pytest.raises(AnnotationError, match=said):
        filter_faces(root, ["300W"], patched=patched)


@pytest.mark.parametrize("image", ["../a.png", "{root}/300W/train/a.png", "", "a\0b", "x" * 300])
def test_a_name_that_is_no_path_below_the_images_is_refused(
    root: Path, tmp_path: Path, face: np.ndarray, image: str
) -> None:
    images.write(tmp_path / "a.png", images.read(root / TRAIN))
    patches.write(tmp_path / "p.csv", {image.format(root=root): face})
    with pytest.raises(AnnotationError, match=r"p.csv:2: no image '.*' in .*faces"):
        filter_faces(root, ["300W"], patched=patches.read([tmp_path / "p.csv"]))


def test_the_present_label_is_the_one_of_the_same_name(root: Path, face: np.ndarray) -> None:
    add_face(root, "300W/train/a.b", face + 130)
    np.testing.assert_allclose(patches.present(root, TRAIN, {}), face + 120)
    (root / "300W/train/a.pts").rename(root / "300W/train/a.PTS")
    np.testing.assert_allclose(patches.present(root, TRAIN, {}), face + 120)


def test_errors_name_the_file_and_the_line(root: Path, tmp_path: Path, face: np.ndarray) -> None:
    gone = patch(tmp_path, "gone.csv", gone=face, train=face)
    with pytest.raises(AnnotationError, match=r"gone.csv:3: no image '300W/train/gone.png' in"):
        filter_faces(root, ["300W"], patched=patches.read([gone]))
    few = patch(tmp_path, "few.csv", train=face[:5])
    said = r"few.csv:2: 5 points, expected 68 as in the .pts"
    with pytest.raises(AnnotationError, match=said):
        filter_faces(root, ["300W"], patched=patches.read([few]))
    far = patch(tmp_path, "far.csv", train=face, test=face + 2e7)
    with pytest.raises(AnnotationError, match=r"far.csv:2: a point beyond 10,000,000 pixels"):
        patches.read([far])
    twice = tmp_path / "twice.csv"
    text = few.read_text(encoding="utf-8")
    twice.write_text(text + text.splitlines()[1] + "\n", encoding="utf-8")
    with pytest.raises(AnnotationError, match=r"twice.csv:3: .* is in .*twice.csv:2, too"):
        patches.read([twice])
    twice.write_text(f"{text.rpartition(',')[0]},x\n", encoding="utf-8")
    with pytest.raises(InputError, match=r"twice.csv:2: y4 is 'x', expected a number"):
        patches.read([twice])


@pytest.fixture
def here(root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def run_stage(here: Path, names: list[str]) -> dict[str, bytes]:
    params = yaml.safe_load(PARAMS.read_text(encoding="utf-8"))
    params["data"] |= {"datasets": ["300W"], "patches": names}
    (here / "params.yaml").write_text(yaml.safe_dump(params), encoding="utf-8")
    outs = [Path(name) for name in ("index", "dropped", "scheme", "counts")]
    stage.main(Path("faces"), Path("schemes"), Path("patches"), *outs)
    return {path.name: path.read_bytes() for path in outs}


def test_the_stage_applies_the_patches_that_the_params_name(here: Path, face: np.ndarray) -> None:
    plain = run_stage(here, [])
    patch(here, "patches/p.csv", train=face + 125)
    assert run_stage(here, []) == plain
    patched = run_stage(here, ["patches/p.csv"])
    assert patched["dropped"] == plain["dropped"]
    np.testing.assert_array_equal(Faces.read(here / "index").points, [face + 120, face + 125])
    counts = json.loads(patched["counts"])["300W"]
    assert (counts["train"].pop("patched"), counts["test"].pop("patched")) == (1, 0)
    assert {"300W": counts} == json.loads(plain["counts"])


def test_the_stage_takes_patches_from_the_folder_that_it_depends_on(
    here: Path, face: np.ndarray
) -> None:
    patch(here, "p.csv", train=face)
    for name in ("p.csv", "patches/../p.csv"):
        with pytest.raises(ConfigError, match=r"data.patches is '.*p.csv', expected a file in pa"):
            run_stage(here, [name])
    with pytest.raises(InputError, match=r"patches/lost.csv: No such file"):
        run_stage(here, ["patches/lost.csv"])
