"""Keep the faces with as many points as are wanted; count and list everything else."""

from pathlib import Path

from facealign.core import config
from facealign.core.command import run
from facealign.core.schemes import files
from facealign.data import patches as patching
from facealign.data.filtering import Data, filter_faces, require_train, write_outcome


def main(
    faces: Path,
    schemes: Path,
    patches: Path,
    index: Path,
    dropped: Path,
    scheme: Path,
    summary: Path,
) -> None:
    data = config.load("data", Data)
    patched = patching.read(
        [config.file_in(patches, name, "data.patches") for name in data.patches]
    )
    wanted = files.find(data.points, schemes)
    kept, drops = filter_faces(faces, data.datasets, data.test_only, wanted.count, patched)
    require_train(kept, drops, wanted.count)
    kept.write(index, "dataset", "split", "size", "points")
    files.write(wanted, scheme)
    write_outcome(kept, drops, dropped, summary, patched)


if __name__ == "__main__":
    run(main)
