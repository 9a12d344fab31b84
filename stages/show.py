"""Draw test faces from the best predicted to the worst: truth in green, prediction in red."""

from pathlib import Path

from facealign import contact_sheet, evaluation, images, tables
from facealign.contact_sheet import Example
from facealign.geometry import Box
from stages import run


def main(faces: Path, index: Path, boxes: Path, points: Path, page: Path) -> None:
    truth, found, predicted = tables.read(index), tables.read(boxes), tables.read(points)
    tested = evaluation.measure(truth, found, predicted)
    corners = found.numbers("left", "top", "right", "bottom")[found.rows(tested.images)]
    guessed = predicted.points()[predicted.rows(tested.images)]
    examples = [
        Example(
            path=faces / name,
            box=Box(*corners[i].tolist()),
            truth=tested.truth[i],
            predicted=guessed[i],
            error=float(tested.errors[i]),
            dataset=tables.dataset_and_split(name)[0],
        )
        for i, name in enumerate(tested.images)
    ]
    images.write(page, contact_sheet.best_to_worst(examples))


if __name__ == "__main__":
    run(main)
