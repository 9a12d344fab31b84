"""Select people with enough good pictures; count and list all other pictures."""

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
    config.load("recognition.compare", Variants)  # fail fast: `verify` reads it much later
    table = tables.read(examined)
    pictures = people.read_examined(table)
    roles, reasons = people.choose(pictures, config.load("recognition.identities", Identities))
    rows = list(roles)
    columns: dict[str, tables.Column] = {
        tables.KEY: [pictures[row].image for row in rows],
        "person": [pictures[row].person for row in rows],
        "role": list(roles.values()),
    }
    for name in CORNERS:
        columns[name] = table.numbers(name)[rows, 0]
    tables.write(chosen, columns, table.points()[rows])
    lost = [
        (pictures[row].image, pictures[row].person, reason, pictures[row].detail)
        for row, reason in reasons.items()
    ]
    tables.write_rows(rejected, (tables.KEY, "person", "reason", "detail"), lost)
    counts = people.summarise(pictures, roles, reasons.values())
    write_json(summary, counts)
    print(json.dumps(counts, indent=2))


if __name__ == "__main__":
    run(main)
