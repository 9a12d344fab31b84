"""Keep the faces with as many points as are wanted; count and list everything else."""

from pathlib import Path

from facealign.core import config
from facealign.core.command import run
from facealign.data.filtering import Data, filter_faces, require_train, write_outcome


def main(faces: Path, index: Path, dropped: Path, summary: Path) -> None:
    data = config.load("data", Data)
    kept, drops = filter_faces(faces, data.datasets, data.test_only, data.points)
    require_train(kept, drops, data.points)
    kept.write(index, "dataset", "split", "size", "points")
    write_outcome(kept, drops, dropped, summary)


if __name__ == "__main__":
    run(main)
