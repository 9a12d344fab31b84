"""Keep the faces with as many points as are wanted; count and list everything else."""

import json
from dataclasses import astuple, fields
from pathlib import Path

from facealign.core import config, tables
from facealign.core.command import run
from facealign.core.files import write_json
from facealign.data.filtering import Data, Drop, filter_faces, require_train, summarise


def main(faces: Path, index: Path, dropped: Path, summary: Path) -> None:
    data = config.load("data", Data)
    kept, drops = filter_faces(faces, data.datasets, data.test_only, data.points)
    require_train(kept, drops, data.points)
    kept.write(index, "dataset", "split", "size", "points")
    tables.write_rows(dropped, [field.name for field in fields(Drop)], map(astuple, drops))
    counts = summarise(kept, drops)
    write_json(summary, counts)
    print(json.dumps(counts, indent=2))


if __name__ == "__main__":
    run(main)
