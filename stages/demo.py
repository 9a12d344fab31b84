"""Generate the demo archive, in the layout of the real one."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

from facealign.core import config
from facealign.core.command import run
from facealign.core.parallel import map_in_order
from facealign.data import archive
from facealign.data.annotations import format_pts
from facealign.synthesis.pictures import MOST_PEOPLE, plan_people, plan_pictures, render


@dataclass(frozen=True)
class Demo:
    """The section `demo` of params.yaml."""

    pictures: Annotated[int, config.Range(12, 100_000)]
    people: Annotated[int, config.Range(0, MOST_PEOPLE)]
    each: Annotated[int, config.Range(4, 99)]
    odd: Annotated[float, config.Range(0, 0.3)]
    scale: Annotated[float, config.Range(0.5, 1)]
    seed: config.Seed


def main(target: Path) -> None:
    demo = config.load("demo", Demo)
    plans = plan_pictures(demo.pictures, demo.seed, demo.odd, demo.scale)
    plans += plan_people(demo.people, demo.each, demo.seed, demo.odd, demo.scale)

    def files() -> Iterator[tuple[str, bytes]]:
        rendered = map_in_order(render, plans, "demo")
        for plan, (picture, points) in zip(plans, rendered, strict=True):
            yield plan.name, picture
            yield str(Path(plan.name).with_suffix(".pts")), format_pts(points).encode()

    archive.pack(target, files())


if __name__ == "__main__":
    run(main)
