"""Register the model in MLflow's registry, from the run that logged it: `make register`."""

from pathlib import Path

from facealign.core.command import run
from facealign.experiments import tracking

NAME = "facealign"


def main(model: Path) -> None:
    version = tracking.register(model, NAME, tracking.project_folder(Path.cwd()))
    print(f"{NAME}, version {version}: {model}")


if __name__ == "__main__":
    run(main)
