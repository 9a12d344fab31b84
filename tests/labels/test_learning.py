"""Maps between schemes of points, learnt from faces that are labelled in both."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from facealign.core.errors import InputError
from facealign.core.geometry import Affine, Box, box_sizes
from facealign.core.points import MIRROR, mirror, select
from facealign.data.annotations import read_pts
from facealign.labels import conversion, learning, learnt_map, schemes
from facealign.labels.faces import Images, LabelledFace
from facealign.labels.formats import FORMATS
from facealign.synthesis.pictures import plan_pictures, sitter
from facealign.synthesis.render import Camera
from tests.helpers import as_wflw
from tests.labels.samples import make_images

COUNT, MORE = 60, 90  # faces to learn from, and others
IMAGES = [f"{number:03}" for number in range(COUNT)]


@pytest.fixture(scope="module")
def faces() -> np.ndarray:
    """(150, 68, 2): generated people in front of a camera, of any size and anywhere."""
    rng = np.random.default_rng(7)
    plans = [plan for plan in plan_pictures(180, 7) if plan.point_count == 68][: COUNT + MORE]
    camera = Camera(1.0, (0.0, 0.0), 900.0)
    moves = [_move(rng, 0) for _ in plans]
    return np.array(
        [move(sitter(plan).landmarks(camera)) for move, plan in zip(moves, plans, strict=True)]
    )


@pytest.fixture(scope="module")
def learnt(faces: np.ndarray) -> learnt_map.LearntMap:
    """The map to a scheme that nobody has described."""
    return learning.fit(IMAGES, faces[:COUNT], midpoints(faces[:COUNT]))


def _move(rng: np.random.Generator, degrees: float) -> Affine:
    turn = Affine.similarity(rng.uniform(0.5, 3), rng.uniform(-degrees, degrees))
    return Affine.translation(*rng.uniform(100, 900, 2)) @ turn


def midpoints(points: np.ndarray) -> np.ndarray:
    """(..., 67, 2): a scheme that nobody has described."""
    return (points[..., 1:, :] + points[..., :-1, :]) / 2


def shifted(points: np.ndarray) -> np.ndarray:
    """The 68 as other annotators mean them: their jaw begins lower, their nose is longer."""
    moved = points.copy()
    moved[..., :8, :] += 0.4 * (points[..., 1:9, :] - points[..., :8, :])
    moved[..., 16:8:-1, :] += 0.4 * (points[..., 15:7:-1, :] - points[..., 16:8:-1, :])
    moved[..., 30, :] += 0.2 * (points[..., 33, :] - points[..., 30, :])
    return moved


def nme(found: np.ndarray, wanted: np.ndarray) -> float:
    sizes = box_sizes(np.array([Box.around(one).corners for one in wanted]))
    return float((np.linalg.norm(found - wanted, axis=-1).mean(axis=-1) / sizes).mean())


def applied(learnt: learnt_map.LearntMap, points: np.ndarray) -> np.ndarray:
    found = [learnt(one) for one in points]
    assert all(one is not None for one in found)
    return np.array(found)


def test_a_scheme_that_follows_from_the_other_is_learnt_the_better_the_more_faces_there_are(
    faces: np.ndarray, learnt: learnt_map.LearntMap
) -> None:
    few, wanted = learning.fit(IMAGES[:20], faces[:20], midpoints(faces[:20])), midpoints(faces)
    many = learning.fit([f"{number:03}" for number in range(130)], faces[:130], wanted[:130])
    assert many.held_out_nme < 1e-3 < learnt.held_out_nme < 0.007 < few.held_out_nme < 0.02
    for its in (few, learnt, many):
        off = nme(applied(its, faces[130:]), wanted[130:])
        assert off < 1.5 * its.held_out_nme
    assert str(learnt.source) == "68 points (iBUG)" and str(learnt.target) == "67 points (unknown)"
    assert not learnt.mirrored and learnt.faces == COUNT


def test_how_a_face_lies_in_its_image_does_not_matter(faces: np.ndarray) -> None:
    rng = np.random.default_rng(1)
    moves = [_move(rng, 180) for _ in faces]
    moved = np.array([move(one) for move, one in zip(moves, faces, strict=True)])
    learnt = learning.fit(IMAGES, faces[:COUNT], shifted(faces[:COUNT]))
    found = [move(one) for move, one in zip(moves, applied(learnt, faces), strict=True)]
    np.testing.assert_allclose(applied(learnt, moved), found, atol=1e-6)
    # nor in the images that the map is learnt from
    again = learning.fit(IMAGES, moved[:COUNT], shifted(moved[:COUNT]))
    assert nme(applied(again, faces), applied(learnt, faces)) < 5e-4
    assert again.held_out_nme == pytest.approx(learnt.held_out_nme, rel=0.1)


def test_other_annotators_are_followed_more_closely_than_by_the_fixed_map(
    faces: np.ndarray,
) -> None:
    points, wanted = as_wflw(faces), shifted(faces)
    learnt = learning.fit(IMAGES, points[:COUNT], wanted[:COUNT])
    fixed = nme(select(points, 68)[COUNT:], wanted[COUNT:])
    own = nme(applied(learnt, points[COUNT:]), wanted[COUNT:])
    assert own < 0.002 < 0.005 < fixed
    assert learnt.held_out_nme < 0.002


def test_errors_of_single_faces_are_not_learnt_and_the_error_says_how_large_they_are(
    faces: np.ndarray,
) -> None:
    rng = np.random.default_rng(2)
    sizes = box_sizes(np.array([Box.around(one).corners for one in faces]))
    noise = rng.normal(size=faces.shape) * 0.02 * sizes[:, None, None]
    learnt = learning.fit(IMAGES, faces[:COUNT], (shifted(faces) + noise)[:COUNT])
    alone = nme(faces + noise, faces)
    assert alone < learnt.held_out_nme < 1.3 * alone
    assert nme(applied(learnt, faces[COUNT:]), shifted(faces)[COUNT:]) < 0.5 * alone
    # a map without a penalty learns the noise by heart
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(learning, "STRENGTHS", (1e-9,))
        by_heart = learning.fit(IMAGES, faces[:COUNT], (shifted(faces) + noise)[:COUNT])
    assert by_heart.held_out_nme > 1.3 * learnt.held_out_nme


def test_the_mirror_image_of_a_face_gives_the_mirror_image_of_its_points(
    faces: np.ndarray,
) -> None:
    rng = np.random.default_rng(3)
    wanted = select(faces, 5) + rng.normal(size=(len(faces), 5, 2))
    learnt = learning.fit(IMAGES, faces[:COUNT], wanted[:COUNT])
    assert learnt.mirrored
    flipped = applied(learnt, faces[:, MIRROR] * (-1, 1))
    np.testing.assert_allclose(flipped, applied(learnt, faces)[:, mirror(5)] * (-1, 1), atol=0.01)


def test_frames_of_a_film_are_held_out_together(faces: np.ndarray) -> None:
    """Ten films of six nearly equal frames: none may teach what another one is measured by."""
    rng = np.random.default_rng(4)
    own = rng.normal(size=(10, 1, 67, 2)) * 5  # an annotator's whim in each film
    points = np.repeat(faces[:10, None], 6, axis=1)
    wanted = midpoints(points) + own
    learnt = learning.fit(
        [f"film{i}/{j}.jpg" for i in range(10) for j in range(6)],
        points.reshape(COUNT, 68, 2),
        wanted.reshape(COUNT, 67, 2),
    )
    whim = nme(midpoints(points).reshape(COUNT, 67, 2), wanted.reshape(COUNT, 67, 2))
    assert learnt.held_out_nme > whim


def test_a_map_is_the_same_each_time_and_in_its_file(faces: np.ndarray, tmp_path: Path) -> None:
    points, wanted = faces[:COUNT], shifted(faces[:COUNT])
    for name in ("one.json", "two.json"):
        learnt_map.save(learning.fit(IMAGES, points, wanted), tmp_path / name)
    text = (tmp_path / "one.json").read_text(encoding="utf-8")
    assert (tmp_path / "two.json").read_text(encoding="utf-8") == text
    assert len(text) < 250_000 and json.loads(text)["target"] == {"points": 68, "name": "iBUG"}
    learnt, loaded = learning.fit(IMAGES, points, wanted), learnt_map.load(tmp_path / "one.json")
    np.testing.assert_array_equal(applied(loaded, faces), applied(learnt, faces))
    assert (loaded.source, loaded.target) == (learnt.source, learnt.target)
    assert (loaded.faces, loaded.held_out_nme) == (COUNT, learnt.held_out_nme)
    with pytest.raises(InputError, match=r"one\.json is there already; remove it or write to"):
        learnt_map.save(loaded, tmp_path / "one.json")


def test_points_that_are_no_face_have_no_other_points(
    faces: np.ndarray, learnt: learnt_map.LearntMap
) -> None:
    assert learnt(np.random.default_rng(5).uniform(0, 100, (68, 2))) is None
    assert learnt(np.ones((68, 2))) is None
    assert learnt(faces[0][::-1]) is None


def save(path: Path, faces: dict[str, list[np.ndarray]], form: str = "csv") -> Path:
    labelled = [
        LabelledFace(image, points, np.zeros(len(points), bool), number=number)
        for image, its in faces.items()
        for number, points in enumerate(its, start=1)
    ]
    conversion.write(path, labelled, FORMATS[form], Images(path.parent))
    return path


def test_faces_are_paired_by_where_they_are(faces: np.ndarray, tmp_path: Path) -> None:
    """Each image has two faces, which the other annotators list the other way round."""
    names = [f"below/{name}.jpg" for name in IMAGES[:12]]
    pairs = {name: [faces[i], faces[i + 12] + 5000] for i, name in enumerate(names)}
    ours = save(tmp_path / "ours.csv", pairs)
    others = {
        name.replace("jpg", "png"): [midpoints(one) for one in its[::-1]]
        for name, its in pairs.items()
    }
    others["elsewhere.png"] = [midpoints(faces[0])]
    first = next(iter(others))
    others[first] = others[first][:1]
    lost = others[next(reversed([*others][:3]))][0]
    lost[4] = np.nan
    done = learning.learn(ours, save(tmp_path / "theirs.csv", others))
    assert done.map.faces == 22 and done.map.held_out_nme < 0.02  # else it is that of two faces
    assert done.left_out == {
        "faces that only one of the two has": 2,
        "faces with some points only": 1,
    }
    assert done.fixed_nme is None


def test_too_few_faces_are_refused_with_how_many_are_needed(
    faces: np.ndarray, tmp_path: Path
) -> None:
    few = {name: [points] for name, points in zip(IMAGES[:19], faces, strict=False)}
    ours = save(tmp_path / "ours.csv", few)
    theirs = save(tmp_path / "theirs.csv", {name: [midpoints(its[0])] for name, its in few.items()})
    with pytest.raises(InputError) as error:
        learning.learn(ours, theirs)
    assert str(error.value) == (
        f"{ours} and {theirs}: 19 faces in 19 images have all points in both, expected at least 20 "
        "faces in 5 images"
    )
    crowd = {"one.jpg": [points + 5000 * i for i, points in enumerate(faces[:30])]}
    ours = save(tmp_path / "crowd.csv", crowd)
    with pytest.raises(InputError, match="30 faces in 1 images have all points in both, expected"):
        learning.learn(ours, ours)


@pytest.mark.parametrize("odd", [39, 68])
def test_faces_of_several_schemes_teach_no_map(faces: np.ndarray, tmp_path: Path, odd: int) -> None:
    mixed = {name: [points] for name, points in zip(IMAGES[:20], faces, strict=False)}
    theirs = save(tmp_path / "theirs.csv", mixed)
    mixed[IMAGES[0]] = [faces[0][:39] if odd == 39 else faces[0] * (1, 0)]
    ours = save(tmp_path / "ours.csv", mixed)
    words = "faces of 39 and 68 points, expected one number of points" if odd == 39 else "expected"
    with pytest.raises(InputError, match=words):
        learning.learn(ours, theirs)


def test_labels_are_converted_by_a_fixed_map(faces: np.ndarray, tmp_path: Path) -> None:
    wide = as_wflw(faces[0])
    wide[0] = np.nan
    hidden = np.zeros(98, bool)
    hidden[[2, 1]] = True  # the second point of the 68's jaw, and one that they do not have
    labelled = [LabelledFace("a.jpg", wide, hidden, number=1)]
    labelled += [LabelledFace("b.jpg", faces[1], hidden[:68], number=1)]
    labelled += [LabelledFace("c.jpg", faces[2][:39], hidden[:39], number=1)]
    conversion.write(tmp_path / "a.csv", labelled, FORMATS["csv"], Images(tmp_path))
    done = conversion.convert(
        tmp_path / "a.csv", tmp_path / "b.csv", change=schemes.by_fixed_map(68)
    )
    assert done.left_out == {"faces of 39 points, which do not convert to 68": 1}
    one, other = conversion.read(tmp_path / "b.csv")[1].faces
    np.testing.assert_array_equal(one.points[1:], faces[0][1:])
    assert np.isnan(one.points[0]).all() and np.flatnonzero(one.hidden).tolist() == [1]
    np.testing.assert_array_equal(other.points, faces[1])
    assert np.flatnonzero(other.hidden).tolist() == [1, 2]
    with pytest.raises(InputError, match=r"no face that can be converted; left out: faces of 98"):
        conversion.convert(tmp_path / "a.csv", tmp_path / "c.csv", change=schemes.by_fixed_map(478))
    with pytest.raises(InputError, match=r"^67 points: no scheme has so many"):
        schemes.by_fixed_map(67)


def test_labels_are_converted_by_a_learnt_map(
    faces: np.ndarray, learnt: learnt_map.LearntMap, tmp_path: Path
) -> None:
    images = make_images(tmp_path / "images")
    names = ["a.png", "below/photo 2.png"]
    hidden = np.arange(68) < 3
    labelled = [
        LabelledFace(name, points, hidden)
        for name, points in zip(names, faces[COUNT:], strict=False)
    ]
    odd = faces[0].copy()
    odd[3] = np.nan
    others = [odd, faces[0][::-1], faces[0][:39]]
    labelled += [
        LabelledFace(names[0], points, hidden[: len(points)], number=number)
        for number, points in enumerate(others, start=2)
    ]
    conversion.write(tmp_path / "a.csv", labelled, FORMATS["csv"], Images(images))
    change = schemes.by_learnt_map(learnt)
    done = conversion.convert(tmp_path / "a.csv", tmp_path / "out", None, "pts", images, change)
    assert done.left_out == {
        "faces with some points only": 1,
        "faces unlike those that the map was learnt from": 1,
        "faces of 39 points, not 68": 1,
        "marks of hidden points, which a learnt map cannot convert": 6,
    }
    for name, points in zip(names, faces[COUNT:], strict=False):
        written = read_pts((tmp_path / "out" / name).with_suffix(".pts"))
        np.testing.assert_array_equal(written, learnt(points))
        assert nme(written[None], midpoints(points)[None]) < 0.007


Change = Callable[[dict[str, Any]], object]


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda its: its.pop("slopes"), "missing parameters: map.slopes"),
        (lambda its: its.update(learnt_map=2), "map.learnt_map is 2, expected one of 1"),
        (lambda its: its["source"].update(points=1), "map.source.points is 1, expected a number"),
        (lambda its: its["target"].update(points=66), "map.slopes: expected 132 rows of 136 num"),
        (lambda its: its["reference"].pop(), "map.reference: expected 68 rows of 2 numbers"),
        (lambda its: its["expected"][3].pop(), "map.expected: expected 67 rows of 2 numbers"),
        (lambda its: its["slopes"][9].append(0.5), "map.slopes: expected 134 rows of 136 numbers"),
        (lambda its: its["slopes"][9].__setitem__(1, "x"), "map.slopes[9][1] is 'x', expected a n"),
        (lambda its: its["slopes"][9].__setitem__(1, 1e9), "map.slopes: a number beyond 10,000,0"),
        (lambda its: its["expected"].__setitem__(0, 1), "map.expected[0] is 1, expected a list"),
        (lambda its: its.update(name="x"), "map: unknown parameter 'name'"),
    ],
)
def test_a_damaged_map_is_an_error_that_names_the_file_and_the_key(
    learnt: learnt_map.LearntMap, tmp_path: Path, change: Change, words: str
) -> None:
    path = tmp_path / "map.json"
    learnt_map.save(learnt, path)
    values = json.loads(path.read_text(encoding="utf-8"))
    change(values)
    path.write_text(json.dumps(values), encoding="utf-8")
    with pytest.raises(InputError) as error:
        learnt_map.load(path)
    assert str(error.value).startswith(f"{path}: {words}") and "\n" not in str(error.value)
    path.write_text("{", encoding="utf-8")
    with pytest.raises(InputError, match=r"map\.json: not JSON"):
        learnt_map.load(path)
