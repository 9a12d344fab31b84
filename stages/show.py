"""Draw test faces from the best predicted to the worst: truth in green, prediction in red."""

from pathlib import Path

from facealign import contact_sheet, evaluation, images, tables
from facealign.contact_sheet import Example
from facealign.geometry import Box
from stages import run


def main(faces: Path, index: Path, boxes: Path, points: Path, page: Path) -> None:
    truth, found, predicted = tables.read(index), tables.read(boxes), tables.read(points)
    tested = evaluation.measure(truth, found, predicted)
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
