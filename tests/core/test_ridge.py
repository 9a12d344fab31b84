import numpy as np

from facealign.core import ridge

RNG = np.random.default_rng(0)


def test_a_linear_map_is_found() -> None:
    inputs, slopes, shift = (RNG.normal(size=size) for size in ((40, 6), (6, 3), (3,)))
    found = ridge.fit(inputs, inputs @ slopes + shift, 1e-12)
    np.testing.assert_allclose(found[0], slopes, atol=1e-9)
    np.testing.assert_allclose(found[1], shift, atol=1e-9)


def test_directions_that_vary_less_than_the_strength_are_hardly_used() -> None:
    scales = np.array([1.0, 1e-3])
    inputs = RNG.normal(size=(500, 2)) * scales + 5
    slopes, _ = ridge.fit(inputs, inputs.sum(axis=1, keepdims=True), 1e-4)
    assert slopes[0, 0] > 0.99 and slopes[1, 0] < 0.02


def test_twice_the_same_rows_give_the_same_map() -> None:
    inputs, targets = RNG.normal(size=(9, 20)), RNG.normal(size=(9, 2))
    once = ridge.fit(inputs, targets, 0.1)
    twice = ridge.fit(np.tile(inputs, (2, 1)), np.tile(targets, (2, 1)), 0.1)
    for one, other in zip(once, twice, strict=True):
        np.testing.assert_allclose(one, other, atol=1e-9)
