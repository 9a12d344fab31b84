"""Put the experiments of a list, such as stages/zoo.yaml, side by side, in table and figures.

All is read from the experiments' commits and DVC's cache; the workspace stays as it is.
"""

import sys
from pathlib import Path

from facealign import benchmark, config, dlib_baseline, experiments, markdown, plotting, sweeps, zoo
from facealign.dlib_baseline import Dlib
from facealign.errors import FacealignError
from facealign.evaluation import ALL
from facealign.files import write_json
from stages import run

FACES = 24  # to take the time with


def main(sweep: Path, figures: Path, plots: Path) -> None:
    wanted, found = sweeps.load(sweep), experiments.newest()
    for name in wanted:
        zoo.require_values(name, wanted[name], found)
    missing = [name for name in wanted if name not in found]
    if missing:
        print(f"no experiment yet: {', '.join(missing)}", file=sys.stderr)
    if len(missing) == len(wanted):
        raise FacealignError(f"nothing to compare; run them: make sweep LIST={sweep}")
    faces = benchmark.portraits(FACES)
    networks = [zoo.read(found[name], faces) for name in wanted if name in found]
    zoo.require_same_dlib(networks)
    summary = zoo.summarise(networks, _dlib(faces))
    write_json(figures, summary)
    for dataset, methods in networks[0].curves.items():
        curves = {network.name: network.curves[dataset]["model"] for network in networks}
        images = summary["dlib"]["figures"][dataset]["images"]
        title = f"{dataset}, {images} test images"
        plotting.zoo_figure(curves, methods["dlib"], title, plots / dataset)
    print(markdown.zoo_table(summary, [name for name in summary["dlib"]["figures"] if name != ALL]))


def _dlib(faces: zoo.Faces) -> dict[str, float]:
    model = dlib_baseline.predictor_file(config.load("dlib", Dlib))
    [taken] = benchmark.measure(
        [lambda image, boxes: dlib_baseline.predict(image, boxes[0], model)], faces
    )
    return {"megabytes": model.stat().st_size / 1e6, "cpu_ms": taken.step}


if __name__ == "__main__":
    run(main)
