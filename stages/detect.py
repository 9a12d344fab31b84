"""Find each annotated face with dlib's HOG detector."""

from collections import Counter
from pathlib import Path

from facealign.core import config, tables
from facealign.core.command import run
from facealign.faces import detection
from facealign.faces.detection import Detect, Found, TrueFace


def main(faces: Path, index: Path, boxes: Path, undetected: Path) -> None:
    detect = config.load("detect", Detect)
    table = tables.read(index)
    truth = [TrueFace(*row) for row in zip(table["image"], table.points(), strict=True)]
    rows: list[tuple[str, float, float, float, float, str]] = []
    lost: list[tuple[str, int]] = []
    counts: Counter[str] = Counter()
    results = detection.locate_all(faces, truth, detect.upsample)
    for face, split, result in zip(truth, table["split"], results, strict=True):
        if isinstance(result, Found):
            box, source = result.box, f"upsample {result.upsample}"
        else:
            lost.append((face.image, result.elsewhere))
            if split != "train" or detect.undetected == "skip":
                counts[f"{split}, not found"] += 1
                continue
            box, source = detection.box_from_points(face.points), "truth"
        counts[f"{split}, {source}"] += 1
        rows.append((face.image, box.left, box.top, box.right, box.bottom, source))
    names = ("image", "left", "top", "right", "bottom", "source")
    tables.write_rows(boxes, names, rows)
    tables.write_rows(undetected, ("image", "rectangles_elsewhere"), lost)
    print("\n".join(f"{what}: {count}" for what, count in sorted(counts.items())))


if __name__ == "__main__":
    run(main)
