"""Write the networks of finished experiments as files to run and to start from. No stage.

`NAME=first+second` is one network to run, the mean of these, in files of that name.
"""

from pathlib import Path

from facealign import experiments, release, sweeps, zoo
from facealign.errors import FacealignError
from stages import run


def main(sweep: Path, folder: Path, *names: Path) -> None:
    wanted, found = sweeps.load(sweep), experiments.newest()
    released = {}
    for text in map(str, names or wanted):
        name, _, mean_of = text.partition("=")
        released[name] = (mean_of or name).split("+")
    every = [member for members in released.values() for member in members]
    for member in sweeps.named(wanted, every, sweep):
        zoo.require_values(member, wanted[member], found)
        if member not in found:
            said = f"no experiment {member} yet: python -m stages.sweep {sweep} {member}"
            raise FacealignError(said)
    for name, members in released.items():
        for file in release.release([found[member] for member in members], folder / name):
            print(f"{file}: {file.stat().st_size / 1e6:.1f} MB")


if __name__ == "__main__":
    run(main)
