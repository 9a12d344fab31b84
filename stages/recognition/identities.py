"""Choose people with good pictures; count and list everything else."""

import json
from pathlib import Path

from facealign.core import config, tables
from facealign.core.command import run
from facealign.core.files import write_json
from facealign.core.geometry import CORNERS
from facealign.recognition import people
from facealign.recognition.people import Identities
from facealign.recognition.recipe import Variants


def main(examined: Path, chosen: Path, rejected: Path, summary: Path) -> None:
    config.load("recognition.compare", Variants)  # what is wrong there must not wait for `verify`
    table = tables.read(examined)
    seen = people.read_seen(table)
    kept, reasons = people.choose(seen, config.load("recognition.identities", Identities))
    rows = [one.row for one in kept]
    columns: dict[str, tables.Column] = {
        tables.KEY: [seen[row].image for row in rows],
        "person": [one.person for one in kept],
        "role": [one.role for one in kept],
    }
    for name in CORNERS:
        columns[name] = table.numbers(name)[rows, 0]
    tables.write(chosen, columns, table.points()[rows])
    lost = [
        (seen[row].image, seen[row].person, why, seen[row].detail) for row, why in reasons.items()
    ]
    tables.write_rows(rejected, (tables.KEY, "person", "reason", "detail"), lost)
    counts = people.summarise(seen, kept, reasons.values())
    write_json(summary, counts)
    print(json.dumps(counts, indent=2))


if __name__ == "__main__":
    run(main)
