import numpy as np

from facealign.evaluation.translation import translate

RNG = np.random.default_rng(0)
COUNT = 12


def faces(number: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Points that turn and widen, the same as others mean them, and the faces' sizes in pixels."""
    base = RNG.uniform(-0.4, 0.4, (COUNT, 2))
    turns, widths = RNG.normal(size=(number, 1)) * 0.1, 1 + RNG.normal(size=(number, 1)) * 0.05
    shapes = np.stack([base[:, 0] * widths + turns * base[:, 1], base[:, 1] - turns / 2], -1)
    sizes = RNG.uniform(50, 400, number)
    places = RNG.uniform(100, 900, (number, 1, 2))
    # an offset that is the further, the more the face is turned
    steps = np.stack([0.02 + 0.3 * turns * base[:, 0], 0.01 * widths + 0 * base[:, 1]], -1)
    units = sizes[:, None, None]
    return places + shapes * units, places + (shapes + steps) * units, sizes


def test_what_depends_on_the_face_is_learnt() -> None:
    points, meant, sizes = faces(400)
    units = sizes[:, None, None]
    constant = points + ((meant - points) / units).mean(axis=0) * units
    off = np.abs(translate(points, meant, sizes) - meant) / units
    assert off.max() < 0.002 < 0.01 < (np.abs(constant - meant) / units).max()


def test_errors_of_single_faces_are_not() -> None:
    points, meant, sizes = faces(2000)
    units = sizes[:, None, None]
    noise = RNG.normal(size=points.shape) * 0.02
    blurred = translate(points, meant + noise * units, sizes)
    assert ((blurred - meant) / units).std() < 0.006


def test_place_and_size_in_the_picture_do_not_matter() -> None:
    points, meant, sizes = faces(50)
    moved = translate(points, meant, sizes)
    again = translate(points * 3 + 40, meant * 3 + 40, sizes * 3)
    np.testing.assert_allclose(again, moved * 3 + 40, atol=1e-6)
