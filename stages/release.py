"""Make the networks of finished experiments those that `facealign` comes with. No stage."""

from pathlib import Path

from facealign import checkpoint, experiments, release, sweeps, zoo
from facealign.errors import FacealignError
from stages import run


def main(sweep: Path, *names: Path) -> None:
    wanted, found = sweeps.load(sweep), experiments.newest()
    chosen = sweeps.named(wanted, list(map(str, names)), sweep)
    for name in chosen:
        zoo.require_values(name, wanted[name], found)
        if name not in found:
            raise FacealignError(f"no experiment {name} yet: python -m stages.sweep {sweep} {name}")
    for name in chosen:
        for file in release.release(found[name], checkpoint.RELEASED):
            print(f"{file}: {file.stat().st_size / 1e6:.1f} MB")


if __name__ == "__main__":
    run(main)
