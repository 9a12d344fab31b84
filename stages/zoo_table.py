"""Print the table of docs/NETWORKS.md, a row for each of stages/zoo.yaml. No stage.

Counts are those of the code, times those of this machine, accuracy is what `make zoo` found.
"""

import json
from pathlib import Path

from facealign import benchmark, cost, markdown, zoo
from stages import run

LIST = Path(__file__).with_name("zoo.yaml")
FACES = 24  # to take the time with
HEADER = ["network", "input, px", "codec", "parameters, M", "MFLOPs"]
MEASURED = ["CPU, ms a face", "training, faces a second", "AUC@0.08, 300W"]


def main(figures: Path) -> None:
    networks = json.loads(figures.read_text(encoding="utf-8"))["networks"]
    faces = benchmark.portraits(FACES)
    table = [[*HEADER, *MEASURED]]
    for name, recipe in zoo.recipes(LIST).items():
        times = f"{recipe.cpu_ms(faces):.1f}", f"{zoo.training_speed(recipe):.0f}"
        auc = f"{networks[name]['figures']['300W']['auc_08']:.3f}"
        table.append([*counted(name, recipe), *times, auc])
    print(markdown.table(table, names=1))


def counted(name: str, recipe: zoo.Recipe) -> list[str]:
    network, codec = recipe.build()
    millions = cost.parameters(network) / 1e6, cost.operations(network, recipe.size) / 1e6
    return [f"`{name}`", str(recipe.size), codec, f"{millions[0]:.2f}", f"{millions[1]:.0f}"]


if __name__ == "__main__":
    run(main)
