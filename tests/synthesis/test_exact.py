import cv2
import numpy as np
import pytest

from facealign.synthesis import exact, head

RNG = np.random.default_rng(1)
X, Y = RNG.uniform(-40, 40, (2, 5000))


@pytest.mark.parametrize(
    ("got", "expected"),
    [
        (exact.exp(X), np.exp(X)),
        (exact.log(np.abs(X)), np.log(np.abs(X))),
        (exact.power(np.abs(X), 0.3), np.abs(X) ** 0.3),
        (exact.power(np.array([0.0, 1.0]), 0.3), np.array([0.0, 1.0])),
        (exact.arctan2(Y, X), np.arctan2(Y, X)),
        (exact.arctan2([0.0, 1, -1, 0], [-1.0, 0, 0, 0]), np.array([1, 0.5, -0.5, 0]) * np.pi),
        (exact.norm(np.stack([X, Y], axis=-1)), np.hypot(X, Y)),
    ],
    ids=["exp", "log", "power", "power of 0", "arctan2", "arctan2 on the axes", "norm"],
)
def test_functions_are_right_to_14_digits(got: np.ndarray, expected: np.ndarray) -> None:
    np.testing.assert_allclose(got, expected, rtol=1e-14, atol=0)


def test_waves_are_right_to_14_digits() -> None:
    np.testing.assert_allclose(exact.sin(X), np.sin(X), rtol=0, atol=1e-14)
    np.testing.assert_allclose(exact.cos(X), np.cos(X), rtol=0, atol=1e-14)


def test_a_product_is_the_same_in_any_order_of_its_sums() -> None:
    a, b = RNG.normal(0, 30, (300, 204)), RNG.normal(0, 100, (204, 200))
    order = RNG.permutation(204)
    product = exact.matmul(a, b)
    np.testing.assert_array_equal(exact.matmul(a[:, order], b[order]), product)
    np.testing.assert_allclose(product, a @ b, rtol=0, atol=1e-6)
    assert not np.array_equal(a[:, order] @ b[order], a @ b)


def test_the_skin_needs_no_more_bits_than_a_float_has() -> None:
    millimetres = 1000.0
    for basis in (head._surface_basis(), head._jaw_basis()):
        largest = np.abs(basis).sum(axis=-1).max() * millimetres
        assert largest * 2.0 ** (head._BASIS_BITS + head._CONTROL_BITS) < 2.0**53
        np.testing.assert_array_equal(basis, exact.rounded(basis, head._BASIS_BITS))


def test_an_inverse_needs_pivots() -> None:
    matrix = np.array([[0.0, 2.0, 1.0], [1.0, 0.0, 0.0], [3.0, 0.0, 1.0]])
    np.testing.assert_allclose(exact.inverse(matrix) @ matrix, np.eye(3), atol=1e-15)


def test_normal_numbers_are_numpys_without_the_tail() -> None:
    means, deviations = [0.5, 4.0], [[1.0], [2.0]]
    ours = exact.normal(np.random.default_rng(3), means, deviations)
    np.testing.assert_array_equal(ours, np.random.default_rng(3).normal(means, deviations))
    many = exact.normal(np.random.default_rng(3), size=20000)
    numpys = np.random.default_rng(3).standard_normal(20000)
    assert np.abs(numpys).max() > np.abs(many).max() == 3.65
    np.testing.assert_array_equal(many, numpys.clip(-3.65, 3.65))


@pytest.mark.parametrize("shape", [(30, 41), (30, 41, 3)])
@pytest.mark.parametrize("cubic", [False, True])
def test_resize_is_opencvs(shape: tuple[int, ...], cubic: bool) -> None:
    image = RNG.uniform(0, 1, shape).astype(np.float32)
    method = cv2.INTER_CUBIC if cubic else cv2.INTER_LINEAR
    expected = cv2.resize(image, (123, 97), interpolation=method)
    np.testing.assert_allclose(exact.resize(image, (123, 97), cubic), expected, atol=1e-6)


def test_blur_is_opencvs_to_16_bits() -> None:
    image = RNG.uniform(0, 3, (50, 60)).astype(np.float32)
    expected = cv2.GaussianBlur(image, (0, 0), 1.3)
    np.testing.assert_allclose(exact.blur(image, 1.3, 3), expected, atol=1e-4)
    mask = RNG.integers(0, 256, (50, 60), dtype=np.uint8)
    expected = cv2.GaussianBlur(mask.astype(np.float32) / 255, (0, 0), 1.3)
    np.testing.assert_allclose(exact.blur(mask, 1.3), expected, atol=4e-5)


@pytest.mark.parametrize("deviation", [10.5, 35.0])
def test_a_broad_blur_is_opencvs_to_the_last_bit(deviation: float) -> None:
    mask = RNG.integers(0, 256, (50, 60), dtype=np.uint8)
    expected = cv2.GaussianBlur(mask * np.uint16(257), (0, 0), deviation)
    np.testing.assert_array_equal(exact.blur(mask, deviation, 65535), expected)


def test_look_up_is_right_at_32nds_of_a_pixel() -> None:
    rows, columns = np.mgrid[:20, :30]
    ramp = (rows * 100 + columns).astype(np.float32)
    x, y = np.array([[0.5, 28.25, -3]]), np.array([[0.0, 17.03125, 30]])
    got = exact.look_up(ramp, x, y, cv2.BORDER_REPLICATE)
    np.testing.assert_allclose(got, [[0.5, 1703.125 + 28.25, 1900]])
    beyond = exact.look_up(ramp, x, y, cv2.BORDER_CONSTANT, -7)
    assert beyond[0, 2] == -7
