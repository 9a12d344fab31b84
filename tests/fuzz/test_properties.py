"""Properties that hold for any value: of text that is read, and of geometry."""

from __future__ import annotations

import copy
import math
from collections.abc import Sequence
from decimal import Decimal
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml
from hypothesis import assume, example, given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from hypothesis.strategies import DrawFn, SearchStrategy

from facealign.core import config, tables
from facealign.core.errors import AnnotationError, ConfigError, InputError
from facealign.core.faces import Detection, Faces
from facealign.core.geometry import FARTHEST, Affine, Box, box_sizes, crop_map
from facealign.core.images import warp
from facealign.data.annotations import format_pts, from_1, read_pts
from facealign.evaluation import metrics
from facealign.faces import detection
from tests.fuzz.sections import SECTIONS
from tests.helpers import PARAMS

COORDINATES = st.floats(-1e5, 1e5)
# as `filter` lets them pass: without control characters
NAMES = st.text(st.characters(exclude_categories=["Cs", "Cc"]), min_size=1, max_size=20)


def points(count: int | None = None) -> SearchStrategy[np.ndarray]:
    counts = st.integers(1, 70) if count is None else st.just(count)
    return counts.flatmap(lambda n: arrays.arrays(np.float64, (n, 2), elements=COORDINATES))


@st.composite
def boxes(draw: DrawFn) -> Box:
    left, top = draw(COORDINATES), draw(COORDINATES)
    side = st.floats(1, 1e4)
    return Box(left, top, left + draw(side), top + draw(side))


@st.composite
def maps(draw: DrawFn) -> Affine:
    turned = Affine.similarity(draw(st.floats(0.01, 100)), draw(st.floats(-180, 180)))
    shift = st.floats(-5000, 5000)
    return turned @ Affine.translation(draw(shift), draw(shift))


def assert_names(error: Exception, *wanted: str) -> None:
    """The message is one short line that names one of these."""
    message = str(error)
    assert any(name in message for name in wanted)
    assert "\n" not in message and len(message) < 8000


# --- .pts files ---


@given(st.data())
def test_points_survive_any_number_of_round_trips(tmp_path: Path, data: st.DataObject) -> None:
    elements = COORDINATES | st.just(math.nan)
    count = data.draw(st.integers(1, 70))
    written = data.draw(arrays.arrays(np.float64, (count, 2), elements=elements))
    path = tmp_path / "face.pts"
    for _ in range(2):
        path.write_text(format_pts(written), encoding="utf-8")
        np.testing.assert_array_equal(read_pts(path), written)


@given(st.decimals(-100_000, 100_000, allow_nan=False, allow_infinity=False))
def test_the_origin_is_shifted_without_rounding(number: Decimal) -> None:
    assert from_1(str(number)) == float(number - 1)


PTS_LINES = st.sampled_from(
    ["version: 1", "n_points: 3", "n_points: 2", "{", "}", "1 2", "1.5 -3", "nan nan", "1e400 0"]
    + ["", "# text", "// text", "1", "1 2 3", "1,5 2", "n_points: " + "9" * 5000, "1 " + "9" * 5000]
)


@given(st.lists(PTS_LINES | st.text(max_size=8), max_size=12).map("\n".join))
@example("version: 1\nn_points: 2\n{\n1 2\n3 4\n}\n")
def test_any_text_is_points_or_an_error_that_names_the_file(tmp_path: Path, text: str) -> None:
    path = tmp_path / "face.pts"
    path.write_text(text, encoding="utf-8")
    try:
        found = read_pts(path)
    except AnnotationError as error:
        assert_names(error, str(path))
    else:
        assert found.ndim == 2 and found.shape[1] == 2


@given(points(5), st.floats(0, 1))
def test_a_file_that_is_cut_is_refused_or_has_the_same_points(
    tmp_path: Path, whole: np.ndarray, share: float
) -> None:
    text = format_pts(whole)
    path = tmp_path / "face.pts"
    path.write_text(text[: int(share * len(text))], encoding="utf-8")
    try:
        found = read_pts(path)
    except AnnotationError as error:
        assert_names(error, str(path))
    else:
        assert not len(found) or found.tolist() == whole.tolist()


# --- tables ---


@given(st.data())
def test_a_table_of_faces_reads_back_to_the_same_values(
    tmp_path: Path, data: st.DataObject
) -> None:
    count = data.draw(st.integers(0, 4))
    names = data.draw(st.lists(NAMES, min_size=count, max_size=count, unique=True))
    texts = st.lists(st.just("") | NAMES, min_size=count, max_size=count)
    numbers = st.floats(allow_nan=False, allow_infinity=False)
    places = st.floats(-FARTHEST, FARTHEST)
    faces = Faces.of(
        names,
        reason=data.draw(texts),
        box=np.array([data.draw(boxes()).corners for _ in range(count)]).reshape(count, 4),
        points=data.draw(arrays.arrays(np.float64, (count, 5, 2), elements=places)),
        error=data.draw(arrays.arrays(np.float64, (count,), elements=numbers)),
    )
    path = tmp_path / "faces.csv"
    faces.write(path, "reason", "box", "points", "error")
    found = Faces.read(path, "error")
    assert found.images == names
    for name in ("reason", "box", "points", "error"):
        np.testing.assert_array_equal(found[name], faces[name])


CELLS = st.sampled_from(
    ["image", "left", "top", "right", "bottom", "width", "height", "x0", "y0", "x1", "score0"]
    + ["300W/test/a.png", "1", "-2.5", "nan", "inf", "1e400", "9" * 400, '"', '""', "", "\r", "a,b"]
)
TEXTS = st.lists(st.lists(CELLS | st.text(max_size=4), max_size=6).map(",".join), max_size=5).map(
    "\n".join
)


@given(TEXTS | st.text(max_size=40))
@example("\n")
@example("\n\n")
@example("image,left,left\na,1,2\n")
def test_any_text_is_a_table_or_an_error_that_names_the_file(tmp_path: Path, text: str) -> None:
    path = tmp_path / "faces.csv"
    path.write_bytes(text.encode())
    try:
        table = tables.read(path)
        lengths = {len(column) for column in table.columns.values()}
        assert lengths <= {len(table)}
        faces = Faces.of_table(table)
    except InputError as error:
        assert_names(error, str(path))
    else:
        assert {len(column) for column in faces.columns.values()} == {len(faces)}


# --- params.yaml ---

LEAVES = (
    st.none()
    | st.booleans()
    | st.integers(-3, 100)
    | st.integers()
    | st.floats()
    | st.text(max_size=8)
    | st.dates()
    | st.binary(max_size=4)
    | st.sampled_from(["1e-3", "300W", "9" * 400, "none", "${train.epochs}"])
)
VALUES = st.recursive(
    LEAVES,
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.text(max_size=4), inner, max_size=3)
        | st.dictionaries(st.integers(0, 2), inner, max_size=3)  # 0 and "0" would be duplicates
    ),
    max_leaves=4,
)


def within(values: Any, names: Sequence[str]) -> Any:
    for name in names:
        values = values[name]
    return values


def test_every_section_of_params_is_tried() -> None:
    params = yaml.safe_load(PARAMS.read_text(encoding="utf-8"))
    sections = {name for name in params if name != "recognition"}
    assert {*sections, *(f"recognition.{name}" for name in params["recognition"])} == set(SECTIONS)


@pytest.mark.parametrize("section", SECTIONS)
def test_any_value_of_any_parameter_is_valid_or_an_error_that_names_it(
    tmp_path: Path, section: str
) -> None:
    values = within(yaml.safe_load(PARAMS.read_text(encoding="utf-8")), section.split("."))

    @given(st.sampled_from(sorted(config.flatten(values))), VALUES)
    def check(key: str, value: Any) -> None:
        *parents, last = key.split(".")
        changed = copy.deepcopy(values)
        within(changed, parents)[last] = value
        params = changed
        for name in reversed(section.split(".")):
            params = {name: params}
        path = tmp_path / "params.yaml"
        path.write_text(yaml.safe_dump(params, allow_unicode=True), encoding="utf-8")
        try:
            loaded: Any = config.load(section, SECTIONS[section], path)
        except ConfigError as error:
            assert_names(error, f"{section}.{parents[0]}" if parents else f"{section}.{last}")
            assert_names(error, str(path))
        else:
            assert isinstance(loaded, SECTIONS[section])

    check()


# --- boxes and maps ---


@given(maps(), points())
def test_an_inverse_undoes_its_map(there: Affine, some: np.ndarray) -> None:
    back = there.inverse()(there(some))
    np.testing.assert_allclose(back, some, rtol=1e-9, atol=1e-6)


@given(maps(), maps(), maps(), points(4))
def test_maps_compose_in_any_grouping(
    one: Affine, two: Affine, three: Affine, some: np.ndarray
) -> None:
    stepwise = one(two(three(some)))
    scale = np.abs(stepwise).max() + 1
    for grouped in (one @ (two @ three), (one @ two) @ three):
        np.testing.assert_allclose(grouped(some) / scale, stepwise / scale, rtol=0, atol=1e-7)


@given(boxes(), st.floats(0, 2), st.integers(16, 512))
def test_a_crop_shows_its_whole_box_undistorted(box: Box, margin: float, size: int) -> None:
    to_crop = crop_map(box, margin, size)
    linear = to_crop.matrix[:, :2]
    np.testing.assert_allclose(linear, linear[0, 0] * np.eye(2), rtol=0, atol=0)
    middle = (size - 1) / 2
    np.testing.assert_allclose(to_crop(np.array(box.centre)), middle, rtol=0, atol=1e-6 * size)
    corners = to_crop(np.array(box.corners).reshape(2, 2))
    assert (np.abs(corners - middle) <= size / 2 * (1 + 1e-6)).all()


@given(points())
def test_the_box_around_points_is_the_smallest_that_holds_them(some: np.ndarray) -> None:
    box = Box.around(some)
    assert box.holds(some).all()
    for side in range(4):
        inner = list(box.corners)
        inner[side] = np.nextafter(inner[side], np.inf if side < 2 else -np.inf)
        assert not Box(*inner).holds(some).all()


@given(boxes(), st.floats(0.01, 100))
def test_the_size_of_a_box_grows_with_its_sides(box: Box, factor: float) -> None:
    sides = np.array([box.corners, np.multiply(box.corners, factor)])
    size, scaled = box_sizes(sides)
    assert scaled == pytest.approx(size * factor, rel=1e-3)
    assert min(box.width, box.height) <= size * (1 + 1e-9)
    assert size <= max(box.width, box.height) * (1 + 1e-9)


@given(st.lists(boxes(), max_size=4), points())
def test_the_chosen_box_holds_the_most_points(candidates: list[Box], some: np.ndarray) -> None:
    chosen = detection.choose([Detection(box) for box in candidates], some)
    most = max((int(box.holds(some).sum()) for box in candidates), default=0)
    if chosen is None:
        assert not candidates or 2 * most < len(some)
    else:
        assert chosen.box in candidates
        assert int(chosen.box.holds(some).sum()) == most >= len(some) / 2


@given(st.integers(0, 20), st.integers(0, 20), st.integers(16, 40), st.integers(0, 99))
def test_a_crop_in_whole_pixels_is_a_part_of_the_image(
    left: int, top: int, size: int, seed: int
) -> None:
    image = np.random.default_rng(seed).integers(0, 256, (60, 60, 3), dtype=np.uint8)
    found = warp(image, Affine.translation(-left, -top), size)
    np.testing.assert_array_equal(found, image[top : top + size, left : left + size])


# --- the metric ---

ERRORS = arrays.arrays(np.float64, st.integers(1, 30), elements=st.floats(0, 10))


@given(ERRORS, st.floats(0.01, 1), st.floats(1, 3))
def test_larger_errors_never_raise_the_area(
    errors: np.ndarray, limit: float, factor: float
) -> None:
    area = metrics.auc(errors, limit)
    assert 0 <= area <= 1
    assert metrics.auc(errors * factor, limit) <= area
    assert metrics.auc(errors[::-1], limit) == pytest.approx(area)
    assert metrics.failure_rate(errors * factor, limit) >= metrics.failure_rate(errors, limit)


@given(points(68), maps())
def test_the_error_does_not_depend_on_place_and_turn(some: np.ndarray, moved: Affine) -> None:
    assume(np.ptp(some) > 1)
    shifted = some + 3.0
    scale = math.sqrt(abs(np.linalg.det(moved.matrix[:, :2])))
    [before] = metrics.mean_distances(shifted[None], some[None])
    [after] = metrics.mean_distances(moved(shifted)[None], moved(some)[None])
    assert before == pytest.approx(math.sqrt(18))
    assert after == pytest.approx(before * scale, rel=1e-6)
