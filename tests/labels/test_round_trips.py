"""From each format to each other one and back: the same faces, to the last bit."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Sequence
from dataclasses import replace
from itertools import permutations
from pathlib import Path

import dlib
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from facealign.core.errors import InputError
from facealign.labels import conversion
from facealign.labels.faces import Images, LabelledFace
from facealign.labels.formats import FORMATS
from facealign.labels.pixels import from_corner, from_percent, to_corner, to_percent
from tests.labels.samples import NAMES, SIZES, assert_same, make_images, place, save

# Label Studio keeps 20 decimals, which floats from 0.001 on never exceed
FRACTIONS = st.floats(-1e7, 1e7).filter(lambda value: value == 0 or abs(value) >= 0.001)
WHOLE = st.integers(-(10**6), 10**6).map(float)
PAIRS = list(permutations(FORMATS, 2))


@pytest.fixture(scope="module")
def images(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_images(tmp_path_factory.mktemp("картинки 1"))


@st.composite
def faces(draw: st.DrawFn, coordinates: st.SearchStrategy[float]) -> list[LabelledFace]:
    """One to three faces in some of the images, with points that are hidden or not labelled."""
    count = draw(st.integers(2, 6))
    found: list[LabelledFace] = []
    for image in sorted(draw(st.sets(st.sampled_from(NAMES), min_size=1))):
        for number in range(1, draw(st.integers(1, 3)) + 1):
            points = np.array([[draw(coordinates) for _ in "xy"] for _ in range(count)])
            hidden = np.array([draw(st.booleans()) for _ in range(count)])
            # all points are labelled in the first face, so that every format knows their number
            left_out = [bool(found) and draw(st.booleans()) for _ in range(count - 1)]
            points[[*left_out, False]] = np.nan
            hidden &= ~np.isnan(points[:, 0])
            found.append(LabelledFace(image, points, hidden, None, SIZES[image], number))
    return found


def read(path: Path, images: Path) -> list[LabelledFace]:
    return conversion.read(path, None, images)[1].faces


def without_marks(faces: Sequence[LabelledFace]) -> list[LabelledFace]:
    return [replace(face, hidden=np.zeros_like(face.hidden)) for face in faces]


@pytest.mark.parametrize(("one", "other"), PAIRS)
def test_a_round_trip_changes_nothing(images: Path, one: str, other: str) -> None:
    whole = FORMATS[one].whole or FORMATS[other].whole

    @settings(derandomize=True, database=None, deadline=None, max_examples=5)
    @given(faces(WHOLE if whole else FRACTIONS))
    def check(generated: list[LabelledFace]) -> None:
        with tempfile.TemporaryDirectory() as name:
            first = save(generated, Path(name), one, images)
            there, back = place(Path(name), other), place(Path(name, "back"), one)
            conversion.convert(first, there, None, other, images)
            conversion.convert(there, back, None, one, images)
            before, after = read(first, images), read(back, images)
        assert_same(before, generated if FORMATS[one].hidden else without_marks(generated))
        assert_same(after, before if FORMATS[other].hidden else without_marks(before))

    check()


@given(st.floats(-1e9, 1e9), st.integers(1, 100_000))
def test_no_coordinate_moves_by_more_than_its_format_says(coordinate: float, side: int) -> None:
    assert from_corner(to_corner(coordinate)) == coordinate
    moved = from_percent(to_percent(coordinate, side), side)
    assert abs(moved - coordinate) <= 1e-20
    assert moved == coordinate or abs(coordinate) < 0.001


def test_dlib_reads_the_xml_and_gets_whole_pixels(images: Path, tmp_path: Path) -> None:
    """dlib's own parser: training on the file, and the mean error of what was learnt."""
    corners = np.array([[100.5, 60], [140, 60.49], [120, 90], [100, 110], [140, 110]])
    faces = [
        LabelledFace(image, corners if image == NAMES[0] else corners.round(), np.zeros(5, bool))
        for image in NAMES[:2]
    ]
    path = save(faces, tmp_path, "imglab", images)
    # dlib's rectangles include their last pixel
    text = path.read_text(encoding="utf-8")
    assert text.count('<box top="60" left="100" width="41" height="51">') == 2
    shutil.copytree(images, tmp_path, dirs_exist_ok=True)  # dlib looks beside the file
    options = dlib.shape_predictor_training_options()
    options.cascade_depth = options.num_trees_per_cascade_level = options.oversampling_amount = 1
    dlib.train_shape_predictor(str(path), str(tmp_path / "model.dat"), options)
    assert dlib.test_shape_predictor(str(path), str(tmp_path / "model.dat")) == 0
    assert [face.points[:2].tolist() for face in read(path, images)] == [[[100, 60], [140, 60]]] * 2


@pytest.mark.parametrize("form", ["coco", "cvat", "csv", "pts"])
def test_faces_of_several_schemes_stay_together(images: Path, tmp_path: Path, form: str) -> None:
    rng = np.random.default_rng(1)
    faces = [
        LabelledFace(NAMES[0], rng.uniform(0, 99, (68, 2)), np.zeros(68, bool), number=1),
        LabelledFace(NAMES[1], rng.uniform(0, 99, (39, 2)), np.zeros(39, bool), number=1),
        LabelledFace(NAMES[1], rng.uniform(0, 99, (68, 2)), np.zeros(68, bool), number=2),
    ]
    assert_same(read(save(faces, tmp_path, form, images), images), faces)


@pytest.mark.parametrize("form", ["label-studio", "imglab", "labelme", "via"])
def test_faces_of_several_schemes_are_refused(images: Path, tmp_path: Path, form: str) -> None:
    faces = [
        LabelledFace(NAMES[0], np.ones((count, 2)), np.zeros(count, bool)) for count in (39, 68)
    ]
    with pytest.raises(InputError, match=f"{form} holds one scheme of points, not 39 and 68"):
        save(faces, tmp_path, form, images)


@pytest.mark.parametrize("form", ["label-studio", "imglab", "labelme", "via"])
@pytest.mark.parametrize("place", [0, 4])
def test_points_that_would_be_numbered_wrongly_are_refused(
    images: Path, tmp_path: Path, form: str, place: int
) -> None:
    points = np.ones((5, 2))
    points[place] = np.nan
    face = LabelledFace(NAMES[0], points, np.zeros(5, bool))
    with pytest.raises(InputError, match=f"no face has point {place + 1}, so {form} would"):
        save([face], tmp_path, form, images)


@pytest.mark.parametrize("form", FORMATS)
def test_names_of_points_are_kept_or_counted(images: Path, tmp_path: Path, form: str) -> None:
    names = ("nose", "left eye", "губа")
    face = LabelledFace(NAMES[0], np.arange(6.0).reshape(3, 2), np.zeros(3, bool), names)
    lost = conversion.write(place(tmp_path, form), [face], FORMATS[form], Images(images))
    assert bool(lost) != FORMATS[form].names
    kept = face if FORMATS[form].names else replace(face, names=None)
    assert_same(read(place(tmp_path, form), images), [kept])


@pytest.mark.parametrize("form", [name for name in FORMATS if FORMATS[name].listed])
def test_names_are_numbered_where_their_order_would_be_lost(
    images: Path, tmp_path: Path, form: str
) -> None:
    points = np.arange(6.0).reshape(3, 2)
    partly = np.where([[True], [False], [True]], points, np.nan)
    faces = [
        LabelledFace(NAMES[0], some, np.zeros(3, bool), ("nose", "eye", "lip"), number=number)
        for number, some in enumerate((partly, points), start=1)
    ]
    lost = conversion.write(place(tmp_path, form), faces, FORMATS[form], Images(images))
    assert lost == {f"faces whose points {form} numbers instead of naming them": 2}
    assert_same(read(place(tmp_path, form), images), [replace(face, names=None) for face in faces])
