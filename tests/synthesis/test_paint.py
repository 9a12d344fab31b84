"""The texture of a head: what must be seen on lips, nose and beard."""

from dataclasses import replace

import numpy as np
import pytest

from facealign.synthesis import head
from facealign.synthesis.head import Expression
from facealign.synthesis.look import Look, linear, random_look
from facealign.synthesis.materials import on_texture
from facealign.synthesis.paint import paint

SIZE = 416
LEFT_LAMP, RIGHT_LAMP = np.array([-0.7, 0.0]), np.array([0.7, 0.0])


@pytest.fixture
def look() -> Look:
    skin = linear(226, 178, 146)
    plain = random_look(np.random.default_rng(1), 0.0)
    return replace(
        plain, skin=skin, lips=skin * np.float32(0.5), lip_strength=1.0, relief=1.0, beard_kind=""
    )


def painted(look: Look, expression: Expression, lamp: np.ndarray = RIGHT_LAMP) -> np.ndarray:
    """(SIZE, SIZE): the brightness of the texture."""
    controls = head.express(head.NEUTRAL, expression)
    rng = np.random.default_rng(1)
    texture, _, _ = paint(look, controls, rng, SIZE, expression, np.zeros(2), lamp)
    return np.asarray(texture.mean(axis=2))


def brightness_at(brightness: np.ndarray, *places: tuple[float, float, float]) -> float:
    """The mean brightness at these places on the head LAYOUT."""
    columns, rows = np.rint(on_texture(head.to_map(np.array(places)), SIZE)).astype(int).T
    return float(brightness[rows, columns].mean())


def test_between_closed_lips_there_are_no_teeth(look: Look) -> None:
    upper, lower = head.LAYOUT[62], head.LAYOUT[66]
    inside = [tuple(upper + share * (lower - upper)) for share in (0.3, 0.5, 0.7)]
    closed = painted(look, Expression(apart=0.0, teeth=(1.0, 1.0)))
    opened = painted(look, Expression(apart=2.2, teeth=(1.0, 1.0)))
    lips = float(look.lips.mean())
    assert brightness_at(closed, *inside) < 0.6 * lips
    assert brightness_at(opened, *inside) > lips


def test_the_wings_of_the_nose_are_bright_towards_the_lamp(look: Look) -> None:
    rest = Expression()
    left_lit, right_lit = painted(look, rest, LEFT_LAMP), painted(look, rest, RIGHT_LAMP)
    for side, lit, dark in ((-1, left_lit, right_lit), (1, right_lit, left_lit)):
        outside = (side * 18.5, -3.0, 18.0)
        assert brightness_at(lit, outside) > 1.1 * brightness_at(dark, outside)


def test_a_moustache_reaches_the_lip_and_a_strong_one_covers_its_edge(look: Look) -> None:
    black = replace(look, beard_kind="moustache", beard_colour=np.zeros(3, np.float32))
    rest = Expression()
    edge = head.LAYOUT[51]
    above = [(x, edge[1] - rise, edge[2]) for x in (-8.0, 0.0, 8.0) for rise in (1.5, 3.0)]
    on_lip = [(x, edge[1] + 1.5, edge[2]) for x in (-6.0, 0.0, 6.0)]
    bare = painted(look, rest)
    short = painted(replace(black, moustache=0.6), rest)
    long = painted(replace(black, moustache=1.3), rest)
    assert brightness_at(short, *above) < 0.6 * brightness_at(bare, *above)
    assert brightness_at(long, *on_lip) < 0.6 * brightness_at(bare, *on_lip)
