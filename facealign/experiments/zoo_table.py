"""Print the table of docs/networks.md, a row for each experiment of experiments/zoo.yaml.

Parameters and operations are counted, the speed of training is measured on this machine, and the
rest is read from the results of `make zoo`.
"""

import json
from pathlib import Path

from facealign.core.command import run
from facealign.experiments import cost, zoo
from facealign.inference import benchmark
from facealign.reports import markdown

LIST = Path("experiments/zoo.yaml")
FACES = 24  # for the timing
HEADER = ["network", "input, px", "codec", "parameters, M", "MFLOPs"]
MEASURED = ["CPU, ms a face", "training, faces a second", "AUC@0.08, 300W"]


def main(figures: Path) -> None:
    networks = json.loads(figures.read_text(encoding="utf-8"))["networks"]
    faces = benchmark.portraits(FACES)
    table = [[*HEADER, *MEASURED]]
    for name, recipe in zoo.recipes(LIST).items():
        done = networks.get(name)  # a zoo may lack some
        cpu_ms = (done and done["cpu_ms"]) or recipe.cpu_ms(faces)
        times = f"{cpu_ms:.1f}", f"{zoo.training_speed(recipe):.0f}"
        auc = f"{done['figures']['300W']['auc_08']:.3f}" if done else "—"
        table.append([*counted(name, recipe), *times, auc])
    print(markdown.table(table, names=1))


def counted(name: str, recipe: zoo.Recipe) -> list[str]:
    network, codec = recipe.build()
    millions = cost.parameters(network) / 1e6, cost.operations(network, recipe.size) / 1e6
    return [name, str(recipe.size), codec, f"{millions[0]:.2f}", f"{millions[1]:.0f}"]


if __name__ == "__main__":
    run(main)
