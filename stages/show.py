"""Draw test faces from the best predicted to the worst: truth in green, prediction in red."""

from pathlib import Path

from facealign.core import images, tables
from facealign.core.command import run
from facealign.core.geometry import Box
from facealign.evaluation import scoring
from facealign.reports import contact_sheet
from facealign.reports.contact_sheet import Example


def main(faces: Path, index: Path, boxes: Path, points: Path, page: Path) -> None:
    truth, found, predicted = tables.read(index), tables.read(boxes), tables.read(points)
    tested = scoring.measure(truth, found, predicted)
    examples = [
        Example(
            path=faces / name,
            box=Box(*tested.boxes[i].tolist()),
            truth=tested.truth[i],
            predicted=tested.points[i],
            error=float(tested.errors[i]),
            dataset=tested.datasets[i],
        )
        for i, name in enumerate(tested.images)
    ]
    images.write(page, contact_sheet.best_to_worst(examples))


if __name__ == "__main__":
    run(main)
