"""Keep the faces of as many points as are wanted; count and list everything else."""

import json
from pathlib import Path

from facealign.core import config, tables
from facealign.core.command import run
from facealign.core.files import write_json
from facealign.data.filtering import Data, filter_faces, summarise


def main(faces: Path, index: Path, dropped: Path, summary: Path) -> None:
    data = config.load("data", Data)
    kept, drops = filter_faces(faces, data.datasets, data.test_only, data.points)
    folders = [tables.dataset_and_split(face.image) for face in kept]
    columns: dict[str, tables.Column] = {
        "image": [face.image for face in kept],
        "dataset": [dataset for dataset, _ in folders],
        "split": [split for _, split in folders],
        "width": [face.width for face in kept],
        "height": [face.height for face in kept],
    }
    tables.write(index, columns, tables.stack([face.points for face in kept], data.points))
    tables.write(
        dropped,
        {
            "image": [drop.image for drop in drops],
            "reason": [drop.reason for drop in drops],
            "detail": [drop.detail for drop in drops],
        },
    )
    counts = summarise(kept, drops)
    write_json(summary, counts)
    print(json.dumps(counts, indent=2))


if __name__ == "__main__":
    run(main)
