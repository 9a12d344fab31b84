"""The pictures and points are the same, whatever the processor and its libraries' kernels are."""

import hashlib
from pathlib import PurePosixPath

import pytest

from facealign.synthesis.film import film, swaying
from facealign.synthesis.pictures import Plan, plan_people, plan_pictures, render
from tests.processors import on_every_processor, on_x86_64

# With the versions of requirements.txt. Another hash is another demo archive: dvc.lock must change.
EXPECTED = "d098c9f89d276afa41386c6f4bf1d2709b9dac5e5aff26558bb846da52fdac94"


def chosen_plans() -> list[Plan]:
    """One of each kind and format, four occluded ones and two people."""
    plans = plan_pictures(200, seed=68)
    first = {(plan.kind, PurePosixPath(plan.name).suffix): plan for plan in plans[::-1]}
    occluded = [plan for plan in plans if plan.kind == "occluded"][:4]
    return [*first.values(), *occluded, *plan_people(2, 4, seed=68)[::4]]


def digest() -> str:
    total = hashlib.sha256()
    for plan in chosen_plans():
        picture, points = render(plan)
        total.update(plan.name.encode() + picture + points.tobytes())
    for frame, points in film(swaying, 2, seed=5):
        total.update(frame.tobytes() + points.tobytes())
    return total.hexdigest()


@pytest.mark.slow
@on_x86_64
def test_the_bytes_are_the_same_on_every_processor() -> None:
    digests = on_every_processor("tests.synthesis.test_same_bytes")
    assert digests == dict.fromkeys(digests, EXPECTED)
